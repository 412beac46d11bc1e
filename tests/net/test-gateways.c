/* SPDX-License-Identifier: MIT */
/*
 * net_gateways_find against a real kernel, in a network namespace. Built twice:
 * with the netlink reader, and as test-gateways-proc with that of /proc, which
 * has to see the same as far as the main table goes.
 */
#include "base/text.h"
#include "net/candidates.h"
#include "net/gateways.h"
#include "netns.h"

#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct net_gateway_query ipv4_only = { .interface = NULL };
static const struct net_gateway_query both = { .ipv6 = true };

static bool ready;
static struct net_gateways found;

static int setup(void **state)
{
	(void)state;
	ready = netns_enter_with_links();
	return 0;
}

#define NEEDS_NAMESPACE()                                                                          \
	do {                                                                                       \
		if (!ready)                                                                        \
			skip();                                                                    \
	} while (0)

static void find(const struct net_gateway_query *query)
{
	struct net_error error = { 0 };

	memset(&found, 0xee, sizeof(found));
	assert_int_equal(net_gateways_find(query, &found, &error), TENF_OK);
	assert_false(found.truncated);
}

static const struct net_gateway *expect(size_t at, const char *gateway, const char *interface,
					const char *source)
{
	char text[TENF_ADDRESS_TEXT];

	assert_true(at < found.count);
	assert_string_equal(tenf_address_text(&found.at[at].address, text), gateway);
	assert_string_equal(found.at[at].interface, interface);
	assert_int_equal(found.at[at].ifindex, if_nametoindex(interface));
	assert_string_equal(tenf_address_text(&found.at[at].source, text), source);
	return &found.at[at];
}

/* NP-C-03: the default gateway. */
static void the_default_router_is_found(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	assert_true(netns_ip("route add default via 10.0.0.1 metric 50\n"));
	find(&ipv4_only);
	assert_int_equal(found.count, 1);
	expect(0, "10.0.0.1", "v0", "10.0.0.2");
	assert_true(found.at[0].main_route);
	assert_int_equal(found.at[0].table, NET_TABLE_MAIN);
	assert_int_equal(found.at[0].metric, 50);
	assert_int_equal(found.at[0].origin, NET_ORIGIN_ROUTE);
}

static void without_routes_nothing_is_found(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	find(&both);
	assert_int_equal(found.count, 0);
}

static void refusing_routes_are_no_gateways(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	assert_true(netns_ip("route add unreachable default\n"));
	find(&ipv4_only);
	assert_int_equal(found.count, 0);
}

static void two_routers_come_by_metric(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	assert_true(netns_ip("route add default via 10.0.0.1 metric 200\n"
			     "route add default via 10.1.0.1 metric 100\n"));
	find(&ipv4_only);
	assert_int_equal(found.count, 2);
	assert_true(expect(0, "10.1.0.1", "v1", "10.1.0.2")->main_route);
	assert_false(expect(1, "10.0.0.1", "v0", "10.0.0.2")->main_route);
}

static void halves_of_the_default_override_it(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	assert_true(netns_ip("route add default via 10.0.0.1\n"
			     "route add 0.0.0.0/1 via 10.1.0.1\n"
			     "route add 128.0.0.0/1 via 10.1.0.1\n"));
	find(&ipv4_only);
	assert_int_equal(found.count, 2);
	assert_true(expect(0, "10.1.0.1", "v1", "10.1.0.2")->main_route);
	expect(1, "10.0.0.1", "v0", "10.0.0.2");
}

/* A tunnel as VPN clients set it up: one address, a default without next hop. */
static void a_tunnel_without_next_hop_is_asked_at_its_first_address(void **state)
{
	int tun;

	(void)state;
	NEEDS_NAMESPACE();
	tun = netns_tun("wg0");
	if (tun < 0)
		skip();
	assert_true(netns_ip("address add 10.2.0.2/32 dev wg0\n"
			     "route add default via 10.0.0.1 metric 50\n"
			     "route add default dev wg0\n"));
	find(&ipv4_only);
	assert_int_equal(found.count, 2);
	assert_int_equal(expect(0, "10.2.0.1", "wg0", "10.2.0.2")->origin, NET_ORIGIN_PEER);
	assert_true(found.at[0].main_route);
	expect(1, "10.0.0.1", "v0", "10.0.0.2");

	assert_true(netns_ip("route del default dev wg0\n"
			     "route add 0.0.0.0/1 dev wg0\n"
			     "route add 128.0.0.0/1 dev wg0\n"));
	find(&ipv4_only);
	assert_int_equal(found.count, 2);
	expect(0, "10.2.0.1", "wg0", "10.2.0.2");
	close(tun);
}

static void a_tunnel_with_a_named_other_end_is_asked_there_first(void **state)
{
	int tun;

	(void)state;
	NEEDS_NAMESPACE();
	tun = netns_tun("tun0");
	if (tun < 0)
		skip();
	assert_true(netns_ip("address add 10.8.0.6 peer 10.8.0.5 dev tun0\n"
			     "route add default dev tun0\n"));
	find(&ipv4_only);
	assert_int_equal(found.count, 2);
	assert_int_equal(expect(0, "10.8.0.5", "tun0", "10.8.0.6")->origin, NET_ORIGIN_PEER);
	expect(1, "10.8.0.1", "tun0", "10.8.0.6");
	close(tun);
}

static void a_link_without_carrier_is_left_out(void **state)
{
	int tun;

	(void)state;
	NEEDS_NAMESPACE();
	tun = netns_tun("tun0");
	if (tun < 0)
		skip();
	assert_true(netns_ip("tuntap add dev tun1 mode tun\n"
			     "link set tun1 up\n"
			     "address add 10.3.0.2/24 dev tun1\n"
			     "route add default via 10.3.0.1\n"));
	find(&ipv4_only); /* nobody holds tun1: it has no carrier */
	assert_int_equal(found.count, 0);
	assert_true(netns_ip("address add 10.2.0.2/24 dev tun0\n"
			     "route add default via 10.2.0.1 metric 9\n"));
	find(&ipv4_only);
	assert_int_equal(found.count, 1);
	expect(0, "10.2.0.1", "tun0", "10.2.0.2");
	close(tun);
}

static void a_link_that_is_down_is_left_out(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	assert_true(netns_ip("route add default via 10.0.0.1\n"
			     "route add default via 10.1.0.1 metric 9\n"
			     "link set v0 down\n"));
	find(&ipv4_only);
	assert_int_equal(found.count, 1);
	expect(0, "10.1.0.1", "v1", "10.1.0.2");
}

static void one_interface_can_be_asked_for(void **state)
{
	struct net_gateway_query query = { .interface = "v1", .anycast = true };

	(void)state;
	NEEDS_NAMESPACE();
	assert_true(netns_ip("route add default via 10.0.0.1\n"
			     "route add default via 10.1.0.1 metric 9\n"));
	find(&query);
	assert_int_equal(found.count, 2);
	assert_false(expect(0, "10.1.0.1", "v1", "10.1.0.2")->main_route);
	assert_int_equal(expect(1, "192.0.0.9", "v1", "0.0.0.0")->origin, NET_ORIGIN_ANYCAST);
	query.interface = "v9";
	assert_int_equal(net_gateways_find(&query, &found, NULL), TENF_E_NOT_FOUND);
	assert_int_equal(found.count, 2);
}

static void ipv6_routers_are_found_when_asked_for(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	if (!netns_ip("address add 2001:db8::2/64 dev v0 nodad\n"
		      "address add fe80::a/64 dev v0 nodad\n"))
		skip();
	assert_true(netns_ip("route add default via 10.1.0.1\n"));
	assert_true(netns_ip6("route add default via fe80::b dev v0 proto ra metric 1024\n"));
	find(&ipv4_only);
	assert_int_equal(found.count, 1);
	find(&both);
	assert_int_equal(found.count, 2);
	expect(0, "10.1.0.1", "v1", "10.1.0.2");
	expect(1, "fe80::b", "v0", "2001:db8::2");
	assert_true(found.at[1].main_route);
	assert_int_equal(found.at[1].metric, 1024);
}

/* More than one message of the kernel, and more than a page of /proc. */
static void among_thousands_of_routes_the_default_is_found(void **state)
{
	static char lines[3000 * 48];
	struct tenf_text text = tenf_text_of(lines, sizeof(lines));

	(void)state;
	NEEDS_NAMESPACE();
	for (unsigned i = 0; i < 3000; i++) {
		tenf_text_add(&text, "route add 20.");
		tenf_text_add_number(&text, i / 256);
		tenf_text_add_char(&text, '.');
		tenf_text_add_number(&text, i % 256);
		tenf_text_add(&text, ".0/24 via 10.0.0.9\n");
	}
	assert_false(text.cut);
	assert_true(netns_ip(lines));
	assert_true(netns_ip("route add default via 10.1.0.1\n"));
	find(&ipv4_only);
	assert_int_equal(found.count, 1);
	expect(0, "10.1.0.1", "v1", "10.1.0.2");
}

static void interfaces_have_names_numbers_and_addresses(void **state)
{
	struct tenf_address address;
	char name[NET_INTERFACE_NAME];
	unsigned v1;

	(void)state;
	NEEDS_NAMESPACE();
	v1 = if_nametoindex("v1");
	assert_int_equal(net_interface_index(NULL, "v1"), v1);
	assert_int_equal(net_interface_index(NULL, "v9"), 0);
	assert_true(net_interface_name(NULL, v1, name));
	assert_string_equal(name, "v1");
	assert_false(net_interface_name(NULL, 9999, name));
	assert_true(tenf_address_parse("10.1.0.2", &address));
	assert_int_equal(net_interface_of(NULL, &address), v1);
	assert_true(tenf_address_parse("10.1.0.3", &address));
	assert_int_equal(net_interface_of(NULL, &address), 0);
}

#define CASE(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_default_router_is_found),
		CASE(without_routes_nothing_is_found),
		CASE(refusing_routes_are_no_gateways),
		CASE(two_routers_come_by_metric),
		CASE(halves_of_the_default_override_it),
		CASE(a_tunnel_without_next_hop_is_asked_at_its_first_address),
		CASE(a_tunnel_with_a_named_other_end_is_asked_there_first),
		CASE(a_link_without_carrier_is_left_out),
		CASE(a_link_that_is_down_is_left_out),
		CASE(one_interface_can_be_asked_for),
		CASE(ipv6_routers_are_found_when_asked_for),
		CASE(among_thousands_of_routes_the_default_is_found),
		CASE(interfaces_have_names_numbers_and_addresses),
	};

	return cmocka_run_group_tests_name("gateways", tests, NULL, NULL);
}
