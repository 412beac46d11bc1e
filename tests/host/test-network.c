/* SPDX-License-Identifier: MIT */
/* Links, addresses and ways out, from the answers of the kernel's routing part. */
#include "packets.h"

#include "host/network.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

static struct host_network network;

static void put_link(struct packet *p, int index, const char *name, unsigned flags,
		     const char *kind)
{
	struct ifinfomsg m = { .ifi_index = index, .ifi_flags = flags };
	struct packet nested = { .len = 0 };

	packet_begin(p, RTM_NEWLINK, &m, sizeof(m));
	packet_attribute(p, IFLA_IFNAME, name, strlen(name) + 1);
	if (kind == NULL)
		return;
	packet_begin(&nested, 0, NULL, 0);
	packet_attribute(&nested, IFLA_INFO_KIND, kind, strlen(kind) + 1);
	packet_attribute(p, IFLA_LINKINFO, nested.data + 16, nested.len - 16);
}

static void put_address(struct packet *p, unsigned index, const char *text, uint32_t flags)
{
	struct ifaddrmsg m = { .ifa_index = index, .ifa_prefixlen = 24 };
	struct tenf_address a;
	bool v4;

	assert_true(tenf_address_parse(text, &a));
	v4 = tenf_address_is_v4(&a);
	m.ifa_family = v4 ? AF_INET : AF_INET6;
	packet_begin(p, RTM_NEWADDR, &m, sizeof(m));
	packet_attribute(p, IFA_ADDRESS, a.octets + (v4 ? 12 : 0), v4 ? 4 : 16);
	packet_attribute(p, IFA_FLAGS, &flags, sizeof(flags));
}

static void put_route(struct packet *p, uint8_t length, uint32_t table, uint32_t interface,
		      const char *gateway)
{
	struct rtmsg m = { .rtm_family = AF_INET, .rtm_dst_len = length, .rtm_type = RTN_UNICAST };
	uint32_t metric = 100;
	struct tenf_address a;

	packet_begin(p, RTM_NEWROUTE, &m, sizeof(m));
	packet_attribute(p, RTA_TABLE, &table, sizeof(table));
	packet_attribute(p, RTA_PRIORITY, &metric, sizeof(metric));
	packet_attribute(p, RTA_OIF, &interface, sizeof(interface));
	if (gateway == NULL)
		return;
	assert_true(tenf_address_parse(gateway, &a));
	packet_attribute(p, RTA_GATEWAY, a.octets + 12, 4);
}

static void fill(struct packet *p)
{
	*p = (struct packet){ .len = 0 };
	put_link(p, 1, "lo", IFF_UP | IFF_RUNNING | IFF_LOOPBACK, NULL);
	put_link(p, 2, "eth0", IFF_UP, NULL);
	put_link(p, 3, "wg0", IFF_UP | IFF_RUNNING | IFF_POINTOPOINT, "wireguard");
	put_address(p, 2, "192.168.1.20", 0);
	put_address(p, 2, "2001:db8::5", 0);
	put_address(p, 2, "2a01:4f8::5", 0);
	put_address(p, 2, "2a01:4f8::6", IFA_F_TEMPORARY);
	put_address(p, 2, "2a01:4f8::7", IFA_F_TENTATIVE);
	put_route(p, 0, RT_TABLE_MAIN, 2, "192.168.1.1");
	put_route(p, 24, RT_TABLE_MAIN, 2, NULL);
	put_route(p, 1, 51820, 3, NULL);
	packet_done(p, 0);
}

static void parse(const uint8_t *data, size_t len)
{
	bool done = false;

	memset(&network, 0, sizeof(network));
	(void)host_network_parse(&network, data, len, &done);
	assert_true(network.link_count + network.address_count + network.route_count <= 12);
}

static void links_addresses_and_ways_out_are_read(void **state)
{
	struct packet p;
	const struct host_link *link;

	(void)state;
	fill(&p);
	parse(p.data, p.len);
	assert_int_equal(network.link_count, 3);
	link = host_network_link(&network, 2);
	assert_non_null(link);
	assert_true(link->is_up);
	assert_false(link->is_running);
	link = host_network_link_named(&network, "wg0");
	assert_non_null(link);
	assert_true(link->is_tunnel);
	assert_string_equal(link->kind, "wireguard");
	assert_null(host_network_link(&network, 9));
	assert_int_equal(network.route_count, 2);
	assert_true(network.routes[0].has_gateway);
	assert_int_equal(network.routes[0].metric, 100);
	assert_int_equal(network.routes[1].table, 51820);
	assert_int_equal(network.routes[1].length, 1);
	assert_false(network.routes[1].has_gateway);
}

static void an_address_is_global_when_the_internet_can_use_it(void **state)
{
	static const struct {
		const char *text;
		bool global;
	} rows[] = { { "192.168.1.20", false }, { "2a01:4f8::5", true }, { "2a01:4f8::6", true },
		     { "2a01:4f8::7", false } };
	struct tenf_address address;
	struct packet p;

	(void)state;
	fill(&p);
	parse(p.data, p.len);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct host_address *found;

		assert_true(tenf_address_parse(rows[i].text, &address));
		found = host_network_address(&network, &address);
		assert_non_null(found);
		assert_int_equal(host_address_is_global(found), rows[i].global);
	}
	assert_true(tenf_address_parse("192.168.1.21", &address));
	assert_null(host_network_address(&network, &address));
}

static void a_tunnel_tells_its_own_address_and_its_peers(void **state)
{
	struct ifaddrmsg m = { .ifa_family = AF_INET, .ifa_index = 3, .ifa_prefixlen = 32 };
	struct packet p = { .len = 0 };
	struct tenf_address ours;

	(void)state;
	packet_begin(&p, RTM_NEWADDR, &m, sizeof(m));
	packet_attribute(&p, IFA_LOCAL, (uint8_t[]){ 10, 2, 0, 2 }, 4);
	packet_attribute(&p, IFA_ADDRESS, (uint8_t[]){ 10, 2, 0, 1 }, 4);
	parse(p.data, p.len);
	assert_true(tenf_address_parse("10.2.0.2", &ours));
	assert_non_null(host_network_address(&network, &ours));
	assert_int_equal(network.address_count, 1);
}

static void a_route_over_several_links_counts_by_its_first(void **state)
{
	struct rtmsg m = { .rtm_family = AF_INET, .rtm_type = RTN_UNICAST };
	struct rtnexthop hop = { .rtnh_len = sizeof(hop) + 8, .rtnh_ifindex = 2 };
	struct packet hops = { .len = 0 }, p = { .len = 0 };

	(void)state;
	packet_begin(&hops, 0, &hop, sizeof(hop));
	packet_attribute(&hops, RTA_GATEWAY, (uint8_t[]){ 192, 168, 1, 1 }, 4);
	packet_begin(&p, RTM_NEWROUTE, &m, sizeof(m));
	packet_attribute(&p, RTA_MULTIPATH, hops.data + 16, hops.len - 16);
	parse(p.data, p.len);
	assert_int_equal(network.route_count, 1);
	assert_int_equal(network.routes[0].interface, 2);
	assert_true(network.routes[0].has_gateway);
}

static void cut_and_lying_answers_do_no_harm(void **state)
{
	struct packet p;

	(void)state;
	fill(&p);
	packet_every_cut(&p, parse);
	packet_every_lie(&p, parse);
}

static void lists_end_at_their_limits_and_say_so(void **state)
{
	(void)state;
	memset(&network, 0, sizeof(network));
	for (size_t i = 0; i <= HOST_ADDRESSES_MAX; i++) {
		struct packet p = { .len = 0 };
		bool done = false;

		put_link(&p, (int)i + 1, "x", 0, NULL);
		put_address(&p, 2, "192.168.1.20", 0);
		put_route(&p, 0, 1, 2, NULL);
		packet_done(&p, ENOBUFS);
		assert_int_equal(host_network_parse(&network, p.data, p.len, &done), ENOBUFS);
		assert_true(done);
	}
	assert_true(network.cut);
	assert_int_equal(network.link_count, HOST_LINKS_MAX);
	assert_int_equal(network.address_count, HOST_ADDRESSES_MAX);
	assert_int_equal(network.route_count, HOST_ROUTES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_addresses_and_ways_out_are_read),
		cmocka_unit_test(an_address_is_global_when_the_internet_can_use_it),
		cmocka_unit_test(a_tunnel_tells_its_own_address_and_its_peers),
		cmocka_unit_test(a_route_over_several_links_counts_by_its_first),
		cmocka_unit_test(cut_and_lying_answers_do_no_harm),
		cmocka_unit_test(lists_end_at_their_limits_and_say_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
