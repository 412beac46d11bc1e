/* SPDX-License-Identifier: MIT */
/* What netlink alone can see: other tables, policy rules, next hops of many. */
#include "net/candidates.h"
#include "net/gateways.h"
#include "netns.h"

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
	memset(&found, 0xee, sizeof(found));
	assert_int_equal(net_gateways_find(query, &found, NULL), TENF_OK);
}

static const struct net_gateway *expect(size_t at, const char *gateway, const char *interface)
{
	char text[TENF_ADDRESS_TEXT];

	assert_true(at < found.count);
	assert_string_equal(tenf_address_text(&found.at[at].address, text), gateway);
	assert_string_equal(found.at[at].interface, interface);
	return &found.at[at];
}

static void expect_source(size_t at, const char *source)
{
	char text[TENF_ADDRESS_TEXT];

	assert_string_equal(tenf_address_text(&found.at[at].source, text), source);
}

static void a_table_that_no_rule_names_comes_behind_main(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	assert_true(netns_ip("route add default via 10.1.0.1 table 100\n"
			     "route add default via 10.0.0.1 metric 600\n"));
	find(&ipv4_only);
	assert_int_equal(found.count, 2);
	assert_true(expect(0, "10.0.0.1", "v0")->main_route);
	assert_false(expect(1, "10.1.0.1", "v1")->main_route);
	assert_int_equal(found.at[1].table, 100);
	expect_source(1, "10.1.0.2");
}

static void a_table_above_255_keeps_its_number(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	assert_true(netns_ip("route add default via 10.1.0.1 table 51820 metric 7\n"));
	find(&ipv4_only);
	assert_int_equal(found.count, 1);
	expect(0, "10.1.0.1", "v1");
	assert_int_equal(found.at[0].table, 51820);
	assert_int_equal(found.at[0].metric, 7);
}

static void the_rule_the_kernel_follows_decides_who_is_first(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	assert_true(netns_ip("route add default via 10.0.0.1\n"
			     "route add default via 10.1.0.1 metric 33 table 100\n"
			     "rule add priority 100 lookup 100\n"));
	find(&ipv4_only);
	assert_int_equal(found.count, 2);
	assert_true(expect(0, "10.1.0.1", "v1")->main_route);
	assert_int_equal(found.at[0].table, 100);
	assert_int_equal(found.at[0].metric, 33);
	assert_false(expect(1, "10.0.0.1", "v0")->main_route);
}

/* As wg-quick sets it up: a table of its own for all that is not marked, and
 * from the main table everything but the default. */
static void a_vpn_in_a_table_of_its_own_is_asked_first(void **state)
{
	int tun;

	(void)state;
	NEEDS_NAMESPACE();
	tun = netns_tun("wg0");
	if (tun < 0)
		skip();
	assert_true(netns_ip("address add 10.2.0.2/32 dev wg0\n"
			     "route add default via 10.0.0.1\n"
			     "route add default dev wg0 table 51820\n"
			     "rule add priority 32764 not fwmark 51820 lookup 51820\n"
			     "rule add priority 32763 lookup main suppress_prefixlength 0\n"));
	find(&ipv4_only);
	assert_int_equal(found.count, 2);
	assert_int_equal(expect(0, "10.2.0.1", "wg0")->origin, NET_ORIGIN_PEER);
	assert_true(found.at[0].main_route);
	assert_int_equal(found.at[0].table, 51820);
	expect_source(0, "10.2.0.2");
	expect(1, "10.0.0.1", "v0");
	close(tun);
}

/* A VPN that routes what is public and leaves out the rest has no default at
 * all; the kernel's own choice tells of it. */
static void a_way_to_the_internet_without_default_route_is_found(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	assert_true(netns_ip("route add default via 10.0.0.1\n"
			     "route add 192.0.0.0/5 via 10.1.0.1\n"));
	find(&ipv4_only);
	assert_int_equal(found.count, 2);
	assert_true(expect(0, "10.1.0.1", "v1")->main_route);
	expect(1, "10.0.0.1", "v0");
}

static void every_next_hop_of_a_multipath_route_is_a_candidate(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	assert_true(netns_ip("route add default metric 5 nexthop via 10.0.0.1 dev v0 weight 1"
			     " nexthop via 10.1.0.1 dev v1 weight 3"
			     " nexthop via 10.1.0.7 dev v1 weight 1\n"));
	find(&ipv4_only);
	assert_int_equal(found.count, 3);
	assert_true(found.at[0].main_route);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(found.at[i].metric, 5);
		assert_int_equal(found.at[i].main_route, i == 0);
		expect_source(i, found.at[i].interface[1] == '0' ? "10.0.0.2" : "10.1.0.2");
	}
}

static void a_next_hop_that_is_down_is_left_out(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	assert_true(netns_ip("route add default nexthop via 10.0.0.1 dev v0"
			     " nexthop via 10.1.0.1 dev v1\n"
			     "link set v0 down\n"));
	find(&ipv4_only);
	assert_int_equal(found.count, 1);
	expect(0, "10.1.0.1", "v1");
}

static void a_next_hop_object_is_followed(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	if (!netns_ip("nexthop add id 7 via 10.1.0.1 dev v1\n"))
		skip();
	assert_true(netns_ip("route add default nhid 7\n"));
	find(&ipv4_only);
	assert_int_equal(found.count, 1);
	expect(0, "10.1.0.1", "v1");
}

static void the_preferred_source_of_a_route_is_told(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	assert_true(netns_ip("address add 10.0.0.77/24 dev v0\n"
			     "route add default via 10.0.0.1 src 10.0.0.77\n"
			     "route add default via 10.0.0.5 metric 9 src 10.0.0.77\n"));
	find(&ipv4_only);
	assert_int_equal(found.count, 2);
	expect(0, "10.0.0.1", "v0");
	expect_source(0, "10.0.0.77");
	expect(1, "10.0.0.5", "v0");
	expect_source(1, "10.0.0.77");
}

static void an_ipv4_route_over_ipv6_counts_as_ipv6(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	if (!netns_ip("address add fe80::a/64 dev v0 nodad\n"
		      "route add default via inet6 fe80::b dev v0\n"))
		skip();
	find(&ipv4_only);
	assert_int_equal(found.count, 0);
	find(&both);
	assert_int_equal(found.count, 1);
	assert_true(expect(0, "fe80::b", "v0")->main_route);
	expect_source(0, "fe80::a");
}

static void ipv6_tables_rules_and_multipath_count(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	if (!netns_ip("address add 2001:db8::2/64 dev v0 nodad\n"
		      "address add 2001:db8:1::2/64 dev v1 nodad\n"
		      "address add 2001:db8:1::3/64 dev v1 nodad preferred_lft 0\n"))
		skip();
	assert_true(netns_ip6("rule add priority 100 lookup 100\n"
			      "route add default via 2001:db8::1 table 100\n"
			      "route add default metric 5 nexthop via 2001:db8:1::1 dev v1"
			      " nexthop via 2001:db8::7 dev v0\n"));
	find(&both);
	assert_int_equal(found.count, 3);
	assert_true(expect(0, "2001:db8::1", "v0")->main_route);
	assert_int_equal(found.at[0].table, 100);
	for (size_t i = 1; i < 3; i++) {
		bool v1 = found.at[i].interface[1] == '1';

		expect(i, v1 ? "2001:db8:1::1" : "2001:db8::7", v1 ? "v1" : "v0");
		expect_source(i, v1 ? "2001:db8:1::2" : "2001:db8::2");
		assert_int_equal(found.at[i].metric, 5);
	}
	find(&ipv4_only);
	assert_int_equal(found.count, 0);
}

static void loopback_routes_are_no_way_out(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	assert_true(netns_ip("route add local default dev lo table 100\n"
			     "route add default dev lo table 101\n"
			     "rule add priority 100 fwmark 1 lookup 100\n"));
	find(&ipv4_only);
	assert_int_equal(found.count, 0);
}

#define CASE(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_table_that_no_rule_names_comes_behind_main),
		CASE(a_table_above_255_keeps_its_number),
		CASE(the_rule_the_kernel_follows_decides_who_is_first),
		CASE(a_vpn_in_a_table_of_its_own_is_asked_first),
		CASE(a_way_to_the_internet_without_default_route_is_found),
		CASE(every_next_hop_of_a_multipath_route_is_a_candidate),
		CASE(a_next_hop_that_is_down_is_left_out),
		CASE(a_next_hop_object_is_followed),
		CASE(the_preferred_source_of_a_route_is_told),
		CASE(an_ipv4_route_over_ipv6_counts_as_ipv6),
		CASE(ipv6_tables_rules_and_multipath_count),
		CASE(loopback_routes_are_no_way_out),
	};

	return cmocka_run_group_tests_name("world-netlink", tests, NULL, NULL);
}
