/* SPDX-License-Identifier: MIT */
/* Who listens, from the answers of the kernel's socket diagnosis. */
#include "packets.h"

#include "host/sockets.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static void put(struct packet *p, int family, const char *address, uint16_t port, uint8_t tcp_state,
		uint32_t inode)
{
	struct inet_diag_msg m = { .idiag_family = (uint8_t)family,
				   .idiag_state = tcp_state,
				   .idiag_uid = 1000,
				   .idiag_inode = inode };
	struct tenf_address a;

	assert_true(tenf_address_parse(address, &a));
	m.id.idiag_sport = htons(port);
	memcpy(m.id.idiag_src, a.octets + (family == AF_INET ? 12 : 0),
	       family == AF_INET ? 4 : 16);
	packet_begin(p, SOCK_DIAG_BY_FAMILY, &m, sizeof(m));
}

static void fill(struct packet *p)
{
	uint8_t yes = 1;

	*p = (struct packet){ .len = 0 };
	put(p, AF_INET, "0.0.0.0", 22, 10, 11);
	put(p, AF_INET, "127.0.0.1", 5432, 10, 12);
	put(p, AF_INET6, "::", 80, 10, 13);
	put(p, AF_INET6, "::", 81, 10, 14);
	packet_attribute(p, INET_DIAG_SKV6ONLY, &yes, 1);
	put(p, AF_INET, "192.168.1.20", 22, 1, 15); /* an established connection */
	packet_done(p, 0);
}

static void listeners_are_read_and_connections_are_not(void **state)
{
	struct host_sockets list = { NULL };
	struct packet p;
	bool done = false;

	(void)state;
	fill(&p);
	assert_int_equal(host_sockets_parse(&list, TENF_TCP, p.data, p.len, &done), 0);
	assert_true(done);
	assert_int_equal(list.count, 4);
	assert_int_equal(list.items[0].port, 22);
	assert_int_equal(list.items[0].inode, 11);
	assert_int_equal(list.items[0].uid, 1000);
	assert_true(tenf_address_is_none(&list.items[0].address));
	assert_false(host_socket_is_outward(&list.items[1]));
	assert_false(list.items[2].only_v6);
	assert_true(list.items[3].only_v6);
	host_sockets_done(&list);
}

static void a_socket_of_all_addresses_hears_both_families_unless_told_otherwise(void **state)
{
	struct host_sockets list = { NULL };
	struct tenf_address v4, v6;
	struct packet p;
	bool done = false;

	(void)state;
	fill(&p);
	assert_int_equal(host_sockets_parse(&list, TENF_TCP, p.data, p.len, &done), 0);
	assert_true(tenf_address_parse("192.168.1.20", &v4));
	assert_true(tenf_address_parse("2001:db8::1", &v6));
	assert_non_null(host_sockets_find(&list, TENF_TCP, &v4, 80));
	assert_non_null(host_sockets_find(&list, TENF_TCP, &v6, 80));
	assert_null(host_sockets_find(&list, TENF_TCP, &v4, 81));
	assert_non_null(host_sockets_find(&list, TENF_TCP, &v6, 81));
	assert_null(host_sockets_find(&list, TENF_TCP, &v6, 22));
	assert_null(host_sockets_find(&list, TENF_TCP, &v4, 5432)); /* loopback alone */
	assert_null(host_sockets_find(&list, TENF_UDP, &v4, 22));
	host_sockets_done(&list);
}

static void an_error_of_the_kernel_is_told(void **state)
{
	struct host_sockets list = { NULL };
	struct packet p = { .len = 0 };
	bool done = false;

	(void)state;
	packet_done(&p, EPERM);
	assert_int_equal(host_sockets_parse(&list, TENF_TCP, p.data, p.len, &done), EPERM);
	assert_true(done);
}

static void parse(const uint8_t *data, size_t len)
{
	struct host_sockets list = { NULL };
	bool done = false;

	(void)host_sockets_parse(&list, TENF_TCP, data, len, &done);
	assert_true(list.count <= 5);
	host_sockets_done(&list);
}

static void cut_and_lying_answers_do_no_harm(void **state)
{
	struct packet p;

	(void)state;
	fill(&p);
	packet_every_cut(&p, parse);
	packet_every_lie(&p, parse);
}

static void the_list_ends_at_its_limit(void **state)
{
	struct host_sockets list = { NULL };
	struct host_socket socket = { .protocol = TENF_TCP, .port = 1 };

	(void)state;
	for (size_t i = 0; i < HOST_SOCKETS_MAX; i++)
		assert_true(host_sockets_add(&list, &socket));
	assert_false(list.cut);
	assert_false(host_sockets_add(&list, &socket));
	assert_true(list.cut);
	assert_int_equal(list.count, HOST_SOCKETS_MAX);
	host_sockets_done(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(listeners_are_read_and_connections_are_not),
		cmocka_unit_test(
			a_socket_of_all_addresses_hears_both_families_unless_told_otherwise),
		cmocka_unit_test(an_error_of_the_kernel_is_told),
		cmocka_unit_test(cut_and_lying_answers_do_no_harm),
		cmocka_unit_test(the_list_ends_at_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
