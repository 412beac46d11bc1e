/* SPDX-License-Identifier: MIT */
#include "net/candidates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct net_gateway_query ipv4_only = { .interface = NULL };
static const struct net_gateway_query both = { .ipv6 = true };

static struct net_world world;
static struct net_gateways found;

static struct tenf_address address(const char *text)
{
	struct tenf_address a;

	assert_true(tenf_address_parse(text, &a));
	return a;
}

/* Two Ethernets and a tunnel, all up, with nothing on them. */
static int setup(void **state)
{
	static const char *const names[] = { "eth0", "eth1", "tun0" };

	(void)state;
	net_world_init(&world);
	for (unsigned i = 0; i < 3; i++) {
		struct net_link link = { .ifindex = i + 1, .usable = true };

		strcpy(link.name, names[i]);
		net_world_add_link(&world, &link);
	}
	return 0;
}

#define ETH0 1
#define ETH1 2
#define TUN0 3

static struct net_route route(unsigned ifindex, const char *gateway, uint32_t table,
			      uint32_t metric)
{
	struct net_route r = { .gateway = address(gateway), .ifindex = ifindex, .table = table,
			       .metric = metric };

	r.ipv6 = !tenf_address_is_v4(&r.gateway);
	r.source = tenf_address_zero_of(&r.gateway);
	return r;
}

static void add_route(unsigned ifindex, const char *gateway, uint32_t table, uint32_t metric)
{
	struct net_route r = route(ifindex, gateway, table, metric);

	net_world_add_route(&world, &r);
}

static void add_choice(unsigned ifindex, const char *gateway, uint32_t table)
{
	world.chosen[world.chosen_count++] = route(ifindex, gateway, table, 0);
}

static void add_local(unsigned ifindex, const char *own, unsigned length, const char *peer)
{
	struct net_local local = { .address = address(own), .ifindex = ifindex, .length = length,
				   .peer = address(peer != NULL ? peer : own) };

	net_world_add_local(&world, &local);
}

static void find(const struct net_gateway_query *query)
{
	memset(&found, 0xee, sizeof(found));
	net_candidates(&world, query, 0, &found);
}

static void expect_count(size_t count)
{
	assert_int_equal(found.count, count);
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

/* ---- order -------------------------------------------------------------------- */

/* NP-C-03: requests go to the default gateway of the interface. */
static void the_default_router_is_the_candidate(void **state)
{
	(void)state;
	add_choice(ETH0, "192.168.1.1", NET_TABLE_MAIN);
	add_route(ETH0, "192.168.1.1", NET_TABLE_MAIN, 100);
	add_local(ETH0, "192.168.1.20", 24, NULL);
	find(&ipv4_only);
	expect_count(1);
	expect(0, "192.168.1.1", "eth0");
	expect_source(0, "192.168.1.20");
	assert_true(found.at[0].main_route);
	assert_int_equal(found.at[0].origin, NET_ORIGIN_ROUTE);
	assert_int_equal(found.at[0].metric, 100);
	assert_int_equal(found.at[0].table, NET_TABLE_MAIN);
	assert_int_equal(found.at[0].ifindex, ETH0);
	assert_false(found.truncated);
}

static void no_route_is_no_candidate(void **state)
{
	(void)state;
	find(&both);
	expect_count(0);
}

static void the_kernels_choice_goes_before_lower_metrics(void **state)
{
	(void)state;
	add_route(ETH0, "192.168.1.1", NET_TABLE_MAIN, 10);
	add_choice(ETH1, "10.0.0.1", 100);
	add_route(ETH1, "10.0.0.1", 100, 500);
	find(&ipv4_only);
	expect_count(2);
	assert_true(expect(0, "10.0.0.1", "eth1")->main_route);
	assert_int_equal(found.at[0].metric, 500);
	assert_int_equal(found.at[0].table, 100);
	assert_false(expect(1, "192.168.1.1", "eth0")->main_route);
}

static void main_table_by_metric_then_other_tables_then_peers_then_anycast(void **state)
{
	struct net_gateway_query query = { .anycast = true };

	(void)state;
	add_route(TUN0, "0.0.0.0", NET_TABLE_MAIN, 0);
	add_route(ETH1, "10.0.0.9", 200, 1);
	add_route(ETH1, "10.0.0.8", 100, 0);
	add_route(ETH1, "10.0.0.1", NET_TABLE_MAIN, 200);
	add_route(ETH0, "192.168.1.1", NET_TABLE_MAIN, 100);
	add_local(TUN0, "10.2.0.2", 32, NULL);
	find(&query);
	expect_count(6);
	expect(0, "192.168.1.1", "eth0");
	expect(1, "10.0.0.1", "eth1");
	expect(2, "10.0.0.8", "eth1");
	expect(3, "10.0.0.9", "eth1");
	assert_int_equal(expect(4, "10.2.0.1", "tun0")->origin, NET_ORIGIN_PEER);
	assert_int_equal(expect(5, "192.0.0.9", "")->origin, NET_ORIGIN_ANYCAST);
	assert_int_equal(found.at[5].ifindex, 0);
}

static void equal_metrics_keep_the_kernels_order(void **state)
{
	(void)state;
	add_route(ETH1, "10.0.0.1", NET_TABLE_MAIN, 0);
	add_route(ETH0, "192.168.1.1", NET_TABLE_MAIN, 0);
	find(&ipv4_only);
	expect(0, "10.0.0.1", "eth1");
	expect(1, "192.168.1.1", "eth0");
}

static void ipv6_routers_come_behind_ipv4_and_only_when_asked_for(void **state)
{
	(void)state;
	add_choice(ETH0, "fe80::1", NET_TABLE_MAIN);
	add_route(ETH0, "fe80::1", NET_TABLE_MAIN, 0);
	add_route(ETH1, "10.0.0.1", 100, 900);
	find(&both);
	expect_count(2);
	expect(0, "10.0.0.1", "eth1");
	assert_true(expect(1, "fe80::1", "eth0")->main_route);
	find(&ipv4_only);
	expect_count(1);
	expect(0, "10.0.0.1", "eth1");
}

static void an_ipv4_route_over_an_ipv6_next_hop_counts_as_ipv6(void **state)
{
	struct net_route via = route(ETH0, "fe80::1", NET_TABLE_MAIN, 0);

	(void)state;
	via.ipv6 = false;
	net_world_add_route(&world, &via);
	find(&ipv4_only);
	expect_count(0);
	find(&both);
	expect_count(1);
	expect(0, "fe80::1", "eth0");
}

/* PCP-C-50: anycast after the default router, with a switch. */
static void anycast_comes_once_a_family_behind_all_else(void **state)
{
	struct net_gateway_query query = { .ipv6 = true, .anycast = true };

	(void)state;
	add_route(ETH0, "fe80::1", NET_TABLE_MAIN, 0);
	find(&query);
	expect_count(3);
	expect(0, "fe80::1", "eth0");
	expect(1, "192.0.0.9", "");
	expect(2, "2001:1::1", "");
	expect_source(1, "0.0.0.0");
	expect_source(2, "::");
}

/* ---- duplicates and limits ------------------------------------------------------ */

static void the_same_router_in_two_tables_is_named_once_as_the_better(void **state)
{
	(void)state;
	add_route(ETH0, "192.168.1.1", 100, 0);
	add_route(ETH0, "192.168.1.1", NET_TABLE_MAIN, 50);
	add_route(ETH0, "192.168.1.1", NET_TABLE_MAIN, 70);
	find(&ipv4_only);
	expect_count(1);
	assert_int_equal(found.at[0].table, NET_TABLE_MAIN);
	assert_int_equal(found.at[0].metric, 50);
}

static void the_same_address_on_two_interfaces_is_two_routers(void **state)
{
	(void)state;
	add_route(ETH0, "192.168.1.1", NET_TABLE_MAIN, 1);
	add_route(ETH1, "192.168.1.1", NET_TABLE_MAIN, 2);
	find(&ipv4_only);
	expect_count(2);
	expect(0, "192.168.1.1", "eth0");
	expect(1, "192.168.1.1", "eth1");
}

static void a_full_list_keeps_the_best_and_says_so(void **state)
{
	(void)state;
	for (unsigned i = 0; i < NET_GATEWAYS_MAX + 8; i++) {
		struct net_route r = route(ETH0, "10.0.0.0", NET_TABLE_MAIN, 1000 - i);

		r.gateway = tenf_address_v4(0x0a000001 + i);
		net_world_add_route(&world, &r);
	}
	find(&ipv4_only);
	expect_count(NET_GATEWAYS_MAX);
	assert_true(found.truncated);
	assert_int_equal(found.at[0].metric, 1000 - (NET_GATEWAYS_MAX + 7));
	for (size_t i = 1; i < found.count; i++)
		assert_true(found.at[i - 1].metric < found.at[i].metric);
}

static void routes_addresses_and_links_stop_at_their_limits(void **state)
{
	struct net_link link = { .ifindex = 9 };

	(void)state;
	for (unsigned i = 0; i < NET_ROUTES_MAX; i++)
		add_route(ETH0, "10.0.0.1", NET_TABLE_MAIN, i);
	assert_false(world.truncated);
	add_route(ETH0, "10.0.0.1", NET_TABLE_MAIN, 0);
	assert_true(world.truncated);
	assert_int_equal(world.route_count, NET_ROUTES_MAX);

	world.truncated = false;
	for (unsigned i = 0; i < NET_LOCALS_MAX; i++)
		add_local(ETH0, "10.0.0.2", 24, NULL);
	assert_false(world.truncated);
	add_local(ETH0, "10.0.0.2", 24, NULL);
	assert_true(world.truncated);
	assert_int_equal(world.local_count, NET_LOCALS_MAX);

	world.truncated = false;
	while (world.link_count < NET_LINKS_MAX)
		net_world_add_link(&world, &link);
	assert_false(world.truncated);
	net_world_add_link(&world, &link);
	assert_true(world.truncated);
	find(&ipv4_only);
	assert_true(found.truncated);
}

static void addresses_of_interfaces_without_route_are_not_kept(void **state)
{
	(void)state;
	add_route(ETH0, "192.168.1.1", NET_TABLE_MAIN, 0);
	add_local(ETH1, "10.0.0.2", 24, NULL);
	assert_int_equal(world.local_count, 0);
	add_local(ETH0, "192.168.1.20", 24, NULL);
	assert_int_equal(world.local_count, 1);
}

static void interfaces_that_are_down_or_unknown_are_left_out(void **state)
{
	(void)state;
	add_choice(ETH0, "192.168.1.1", NET_TABLE_MAIN);
	add_route(ETH0, "192.168.1.1", NET_TABLE_MAIN, 0);
	add_route(7, "10.0.0.1", NET_TABLE_MAIN, 0);
	world.links[0].usable = false;
	find(&ipv4_only);
	expect_count(0);
}

static void one_interface_can_be_asked_for(void **state)
{
	struct net_gateway_query query = { .interface = "eth1", .anycast = true };

	(void)state;
	add_choice(ETH0, "192.168.1.1", NET_TABLE_MAIN);
	add_route(ETH0, "192.168.1.1", NET_TABLE_MAIN, 0);
	add_route(ETH1, "10.0.0.1", 100, 0);
	net_candidates(&world, &query, ETH1, &found);
	expect_count(2);
	expect(0, "10.0.0.1", "eth1");
	expect(1, "192.0.0.9", "eth1");
	assert_int_equal(found.at[1].ifindex, ETH1);
}

/* ---- links without next hop ------------------------------------------------------ */

/* A tunnel that is the way to the internet, with one address on it. */
static void find_over_tunnel(const char *own, unsigned length, const char *peer)
{
	struct tenf_address a = address(own);

	(void)setup(NULL);
	add_choice(TUN0, tenf_address_is_v4(&a) ? "0.0.0.0" : "::", 51820);
	add_local(TUN0, own, length, peer);
	find(&both);
}

static void a_lone_address_guesses_the_first_of_its_24_bits(void **state)
{
	(void)state;
	find_over_tunnel("10.2.0.2", 32, NULL);
	expect_count(1);
	assert_int_equal(expect(0, "10.2.0.1", "tun0")->origin, NET_ORIGIN_PEER);
	assert_true(found.at[0].main_route);
	assert_int_equal(found.at[0].table, 51820);
	expect_source(0, "10.2.0.2");
}

static void a_network_guesses_its_first_address(void **state)
{
	(void)state;
	find_over_tunnel("10.8.3.6", 16, NULL);
	expect_count(1);
	expect(0, "10.8.0.1", "tun0");
	find_over_tunnel("10.8.3.6", 29, NULL);
	expect(0, "10.8.3.1", "tun0");
	find_over_tunnel("10.8.3.29", 28, NULL);
	expect(0, "10.8.3.17", "tun0");
}

static void two_addresses_alone_guess_the_other_one(void **state)
{
	(void)state;
	find_over_tunnel("10.8.3.6", 31, NULL);
	expect_count(1);
	expect(0, "10.8.3.7", "tun0");
	find_over_tunnel("10.8.3.7", 31, NULL);
	expect(0, "10.8.3.6", "tun0");
}

static void our_own_address_is_no_guess(void **state)
{
	(void)state;
	find_over_tunnel("10.2.0.1", 32, NULL);
	expect_count(0);
	find_over_tunnel("10.2.0.1", 24, NULL);
	expect_count(0);
}

static void a_named_other_end_goes_before_the_guess(void **state)
{
	(void)state;
	find_over_tunnel("10.8.0.6", 32, "10.8.0.5");
	expect_count(2);
	assert_int_equal(expect(0, "10.8.0.5", "tun0")->origin, NET_ORIGIN_PEER);
	expect(1, "10.8.0.1", "tun0");
	find_over_tunnel("10.8.0.6", 32, "10.8.0.1");
	expect_count(1);
	expect(0, "10.8.0.1", "tun0");
}

static void every_address_of_the_link_guesses(void **state)
{
	(void)state;
	add_route(TUN0, "0.0.0.0", NET_TABLE_MAIN, 0);
	add_local(TUN0, "10.2.0.2", 32, NULL);
	add_local(TUN0, "10.3.0.2", 32, NULL);
	find(&ipv4_only);
	expect_count(2);
	expect(0, "10.2.0.1", "tun0");
	expect_source(0, "10.2.0.2");
	expect(1, "10.3.0.1", "tun0");
	expect_source(1, "10.3.0.2");
}

static void a_link_without_address_guesses_nothing(void **state)
{
	(void)state;
	add_choice(TUN0, "0.0.0.0", NET_TABLE_MAIN);
	find(&both);
	expect_count(0);
}

static void both_halves_of_the_default_are_one_guess(void **state)
{
	(void)state;
	add_route(ETH0, "192.168.1.1", NET_TABLE_MAIN, 0);
	add_choice(TUN0, "0.0.0.0", NET_TABLE_MAIN);
	add_route(TUN0, "0.0.0.0", NET_TABLE_MAIN, 0);
	add_route(TUN0, "0.0.0.0", NET_TABLE_MAIN, 0);
	add_local(TUN0, "10.2.0.2", 32, NULL);
	find(&ipv4_only);
	expect_count(2);
	assert_true(expect(0, "10.2.0.1", "tun0")->main_route);
	expect(1, "192.168.1.1", "eth0");
}

static void ipv6_guesses_the_first_of_the_network_or_of_sixteen_bits(void **state)
{
	(void)state;
	find_over_tunnel("2a07:b944::2:2", 128, NULL);
	expect_count(1);
	expect(0, "2a07:b944::2:1", "tun0");
	find_over_tunnel("fd00:1::5:7", 64, NULL);
	expect(0, "fd00:1::1", "tun0");
	find_over_tunnel("fd00:1::6", 127, NULL);
	expect(0, "fd00:1::7", "tun0");
	find_over_tunnel("fe80::5", 64, NULL);
	expect_count(0);
}

static void ipv6_links_are_guessed_only_when_asked_for(void **state)
{
	(void)state;
	find_over_tunnel("fd00:1::7", 64, NULL);
	expect_count(1);
	find(&ipv4_only);
	expect_count(0);
}

/* ---- what is a default route ------------------------------------------------------ */

static void halves_of_the_default_are_default_like(void **state)
{
	(void)state;
	assert_true(net_is_default(false, 0));
	assert_true(net_is_default(false, 1));
	assert_false(net_is_default(false, 2));
	assert_false(net_is_default(false, 8));
	assert_true(net_is_default(true, 0));
	assert_true(net_is_default(true, 3));
	assert_true(net_is_default(true, 4));
	assert_false(net_is_default(true, 5));
	assert_false(net_is_default(true, 7));
}

/* ---- source ------------------------------------------------------------------------ */

static void the_preferred_source_of_the_route_is_taken(void **state)
{
	struct net_route r = route(ETH0, "192.168.1.1", NET_TABLE_MAIN, 0);

	(void)state;
	r.source = address("192.168.1.99");
	net_world_add_route(&world, &r);
	add_local(ETH0, "192.168.1.20", 24, NULL);
	find(&ipv4_only);
	expect_source(0, "192.168.1.99");
}

static void the_address_in_the_routers_network_is_the_source(void **state)
{
	(void)state;
	add_route(ETH0, "192.168.1.1", NET_TABLE_MAIN, 0);
	add_local(ETH0, "169.254.7.7", 16, NULL);
	add_local(ETH0, "10.9.9.9", 24, NULL);
	add_local(ETH0, "192.168.1.20", 24, NULL);
	add_local(ETH0, "192.168.1.21", 24, NULL);
	find(&ipv4_only);
	expect_source(0, "192.168.1.20");
}

static void without_a_fitting_network_the_first_address_is_the_source(void **state)
{
	(void)state;
	add_route(ETH0, "192.168.1.1", NET_TABLE_MAIN, 0);
	find(&ipv4_only);
	expect_source(0, "0.0.0.0");
	add_local(ETH0, "10.9.9.9", 24, NULL);
	add_local(ETH0, "10.9.9.10", 24, NULL);
	find(&ipv4_only);
	expect_source(0, "10.9.9.9");
}

/* PCP-C-44: global IPv6 source preferred, unique-local avoided. */
static void a_global_ipv6_source_goes_before_local_ones(void **state)
{
	(void)state;
	add_route(ETH0, "fe80::1", NET_TABLE_MAIN, 0);
	find(&both);
	expect_source(0, "::");
	add_local(ETH0, "fe80::20", 64, NULL);
	find(&both);
	expect_source(0, "fe80::20");
	add_local(ETH0, "fd00::20", 64, NULL);
	find(&both);
	expect_source(0, "fd00::20");
	add_local(ETH0, "2001:db8::20", 64, NULL);
	find(&both);
	expect_source(0, "2001:db8::20");
}

static void a_unique_local_router_is_asked_from_a_unique_local_address(void **state)
{
	(void)state;
	add_route(ETH0, "fd00::1", NET_TABLE_MAIN, 0);
	add_local(ETH0, "2001:db8::20", 64, NULL);
	add_local(ETH0, "fd00::20", 64, NULL);
	find(&both);
	expect_source(0, "fd00::20");
}

#define CASE(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_default_router_is_the_candidate),
		CASE(no_route_is_no_candidate),
		CASE(the_kernels_choice_goes_before_lower_metrics),
		CASE(main_table_by_metric_then_other_tables_then_peers_then_anycast),
		CASE(equal_metrics_keep_the_kernels_order),
		CASE(ipv6_routers_come_behind_ipv4_and_only_when_asked_for),
		CASE(an_ipv4_route_over_an_ipv6_next_hop_counts_as_ipv6),
		CASE(anycast_comes_once_a_family_behind_all_else),
		CASE(the_same_router_in_two_tables_is_named_once_as_the_better),
		CASE(the_same_address_on_two_interfaces_is_two_routers),
		CASE(a_full_list_keeps_the_best_and_says_so),
		CASE(routes_addresses_and_links_stop_at_their_limits),
		CASE(addresses_of_interfaces_without_route_are_not_kept),
		CASE(interfaces_that_are_down_or_unknown_are_left_out),
		CASE(one_interface_can_be_asked_for),
		CASE(a_lone_address_guesses_the_first_of_its_24_bits),
		CASE(a_network_guesses_its_first_address),
		CASE(two_addresses_alone_guess_the_other_one),
		CASE(our_own_address_is_no_guess),
		CASE(a_named_other_end_goes_before_the_guess),
		CASE(every_address_of_the_link_guesses),
		CASE(a_link_without_address_guesses_nothing),
		CASE(both_halves_of_the_default_are_one_guess),
		CASE(ipv6_guesses_the_first_of_the_network_or_of_sixteen_bits),
		CASE(ipv6_links_are_guessed_only_when_asked_for),
		CASE(halves_of_the_default_are_default_like),
		CASE(the_preferred_source_of_the_route_is_taken),
		CASE(the_address_in_the_routers_network_is_the_source),
		CASE(without_a_fitting_network_the_first_address_is_the_source),
		CASE(a_global_ipv6_source_goes_before_local_ones),
		CASE(a_unique_local_router_is_asked_from_a_unique_local_address),
	};

	return cmocka_run_group_tests_name("candidates", tests, NULL, NULL);
}
