/* SPDX-License-Identifier: MIT */
/* On the loopback interface; what needs links of its own is in test-udp-links.c. */
#include "net/poll.h"
#include "net/udp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_MS 5000 /* for what is there at once when all is well */

static uint8_t buffer[64];
static size_t length;
static struct tenf_endpoint from;
static unsigned ifindex;

static struct tenf_endpoint endpoint(const char *text)
{
	struct tenf_endpoint e;

	assert_true(tenf_endpoint_parse(text, 0, &e));
	return e;
}

/* A plain server at 127.0.0.N with a port of the kernel's choice. */
static int serve(unsigned n, struct tenf_endpoint *ret)
{
	struct sockaddr_in own = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(0x7f000000u + n) };
	socklen_t len = sizeof(own);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&own, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &len), 0);
	ret->address = tenf_address_v4_octets(&own.sin_addr);
	ret->port = ntohs(own.sin_port);
	return fd;
}

static void send_from(int fd, const struct tenf_endpoint *to, const void *data, size_t len)
{
	struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons(to->port) };

	peer.sin_addr.s_addr = htonl(tenf_address_to_v4(&to->address));
	assert_int_equal(sendto(fd, data, len, 0, (struct sockaddr *)&peer, sizeof(peer)), len);
}

static int connect_to(const struct tenf_endpoint *remote, struct tenf_endpoint *ret_local)
{
	struct net_udp_options options = { .remote = *remote };
	struct net_error error;
	int fd = -1;

	assert_int_equal(net_udp_connect(&options, &fd, ret_local, &error), TENF_OK);
	return fd;
}

static enum tenf_status receive(int fd)
{
	if (!net_wait(fd, PATIENCE_MS))
		return TENF_E_AGAIN;
	return net_udp_receive(fd, buffer, sizeof(buffer), &length, &from, &ifindex);
}

static enum tenf_status connect_fails(const struct net_udp_options *options,
				      struct net_error *ret_error)
{
	struct tenf_endpoint local = { .port = 77 };
	int fd = -5;
	enum tenf_status status = net_udp_connect(options, &fd, &local, ret_error);

	assert_int_equal(fd, -5);
	assert_int_equal(local.port, 77);
	return status;
}

static void a_datagram_goes_there_and_back(void **state)
{
	struct tenf_endpoint remote;
	struct tenf_endpoint local;
	int server = serve(1, &remote);
	int fd = connect_to(&remote, &local);

	(void)state;
	assert_int_equal(net_udp_send(fd, (const uint8_t *)"ask", 3), TENF_OK);
	assert_int_equal(recv(server, buffer, sizeof(buffer), 0), 3);
	send_from(server, &local, "answer", 6);
	assert_int_equal(receive(fd), TENF_OK);
	assert_int_equal(length, 6);
	assert_memory_equal(buffer, "answer", 6);
	assert_true(tenf_endpoint_equal(&from, &remote));
	assert_int_equal(ifindex, 0);
	close(server);
	close(fd);
}

static void the_socket_is_non_blocking_and_closed_on_exec(void **state)
{
	struct tenf_endpoint remote = endpoint("127.0.0.1:9");
	struct tenf_endpoint local;
	int fd = connect_to(&remote, &local);

	(void)state;
	assert_int_equal(net_udp_receive(fd, buffer, sizeof(buffer), &length, &from, &ifindex),
			 TENF_E_AGAIN);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
}

/* PCP-C-02: what the header will carry is the packet's source, from getsockname. */
static void the_local_end_is_told(void **state)
{
	struct tenf_endpoint remote = endpoint("127.0.0.1:9");
	struct tenf_endpoint local;
	char text[TENF_ADDRESS_TEXT];
	int fd = connect_to(&remote, &local);

	(void)state;
	assert_string_equal(tenf_address_text(&local.address, text), "127.0.0.1");
	assert_true(local.port != 0);
	close(fd);
}

/* PCP-C-05: the source port is drawn anew for each socket, and does not count up. */
static void the_source_port_is_drawn_at_random(void **state)
{
	struct tenf_endpoint remote = endpoint("127.0.0.1:9");
	int steady = 0;
	int step = 0;
	int last = 0;

	(void)state;
	for (int i = 0; i < 32; i++) {
		struct tenf_endpoint local;
		int fd = connect_to(&remote, &local);

		close(fd);
		assert_true(local.port >= 1024);
		steady += i > 1 && local.port - last == step;
		step = local.port - last;
		last = local.port;
	}
	assert_true(steady < 8);
}

/* NP-C-08: ICMP port unreachable stops the attempt at once. */
static void a_port_unreachable_is_received_as_refused(void **state)
{
	struct tenf_endpoint remote;
	struct tenf_endpoint local;
	enum tenf_status status = TENF_OK;
	int fd = -1;

	(void)state;
	/* A port where nobody listens any more; others may have taken it meanwhile. */
	for (unsigned tries = 0; status != TENF_E_REFUSED; tries++) {
		assert_true(tries < 8);
		if (tries > 0)
			close(fd);
		close(serve(1, &remote));
		fd = connect_to(&remote, &local);
		assert_int_equal(net_udp_send(fd, buffer, 2), TENF_OK);
		status = receive(fd);
	}
	assert_int_equal(net_udp_receive(fd, buffer, sizeof(buffer), &length, &from, &ifindex),
			 TENF_E_AGAIN);
	close(fd);
}

static void a_waiting_port_unreachable_is_told_by_the_next_send_that_still_sends(void **state)
{
	struct tenf_endpoint remote;
	struct tenf_endpoint local;
	int fd;

	(void)state;
	close(serve(1, &remote));
	fd = connect_to(&remote, &local);
	assert_int_equal(net_udp_send(fd, buffer, 2), TENF_OK);
	assert_true(net_wait(fd, PATIENCE_MS));
	assert_int_equal(net_udp_send(fd, buffer, 2), TENF_E_REFUSED);
	/* The datagram went out: it was refused as well. */
	assert_int_equal(receive(fd), TENF_E_REFUSED);
	close(fd);
}

/* NP-C-10, PCP-C-12: an answer from another source address or port is dropped,
 * waiting continues. */
static void foreign_datagrams_never_arrive(void **state)
{
	struct tenf_endpoint remote;
	struct tenf_endpoint stranger;
	struct tenf_endpoint local;
	int server = serve(1, &remote);
	int other_address = serve(2, &stranger);
	int other_port = serve(1, &stranger);
	int fd = connect_to(&remote, &local);

	(void)state;
	send_from(other_address, &local, "one", 3);
	send_from(other_port, &local, "two", 3);
	send_from(server, &local, "three", 5);
	assert_int_equal(receive(fd), TENF_OK);
	assert_int_equal(length, 5);
	assert_int_equal(net_udp_receive(fd, buffer, sizeof(buffer), &length, &from, &ifindex),
			 TENF_E_AGAIN);
	close(server);
	close(other_address);
	close(other_port);
	close(fd);
}

static void a_long_datagram_tells_its_true_length(void **state)
{
	static uint8_t large[1500];
	struct tenf_endpoint remote;
	struct tenf_endpoint local;
	int server = serve(1, &remote);
	int fd = connect_to(&remote, &local);

	(void)state;
	memset(large, 0xaa, sizeof(large));
	send_from(server, &local, large, sizeof(large));
	send_from(server, &local, large, sizeof(buffer));
	send_from(server, &local, large, 0);
	buffer[sizeof(buffer) - 1] = 0;
	assert_int_equal(receive(fd), TENF_OK);
	assert_int_equal(length, sizeof(large));
	assert_int_equal(buffer[sizeof(buffer) - 1], 0xaa);
	assert_int_equal(receive(fd), TENF_OK);
	assert_int_equal(length, sizeof(buffer));
	assert_int_equal(receive(fd), TENF_OK);
	assert_int_equal(length, 0);
	close(server);
	close(fd);
}

static void the_source_is_the_one_asked_for(void **state)
{
	struct tenf_address source = endpoint("127.0.0.9").address;
	struct net_udp_options options = { .source = &source };
	struct tenf_endpoint local;
	int server = serve(1, &options.remote);
	int fd;

	(void)state;
	assert_int_equal(net_udp_connect(&options, &fd, &local, NULL), TENF_OK);
	assert_true(tenf_address_equal(&local.address, &source));
	assert_true(local.port != 0);
	assert_int_equal(net_udp_send(fd, (const uint8_t *)"x", 1), TENF_OK);
	assert_int_equal(recv(server, buffer, sizeof(buffer), 0), 1);
	close(server);
	close(fd);
}

static void a_source_that_is_not_ours_is_unreachable(void **state)
{
	struct tenf_address source = endpoint("192.0.2.77").address;
	struct net_udp_options options = { .remote = endpoint("127.0.0.1:9"), .source = &source };
	struct net_error error = { 0 };

	(void)state;
	assert_int_equal(connect_fails(&options, &error), TENF_E_UNREACHABLE);
	assert_string_equal(error.call, "bind");
	assert_int_equal(error.code, EADDRNOTAVAIL);
}

static void what_makes_no_sense_is_an_argument_error(void **state)
{
	struct tenf_address source = endpoint("::1").address;
	struct net_udp_options mixed = { .remote = endpoint("127.0.0.1:9"), .source = &source };
	struct net_udp_options scopeless = { .remote = endpoint("[fe80::1]:5351") };

	(void)state;
	assert_int_equal(connect_fails(&mixed, NULL), TENF_E_ARGUMENT);
	assert_int_equal(connect_fails(&scopeless, NULL), TENF_E_ARGUMENT);
}

static void an_interface_that_does_not_exist_is_unreachable(void **state)
{
	struct net_udp_options options = { .remote = endpoint("127.0.0.1:9"),
					   .ifindex = 0x7ffffff0 };
	struct net_error error = { 0 };

	(void)state;
	assert_int_equal(connect_fails(&options, &error), TENF_E_UNREACHABLE);
	assert_true(error.code != 0);
}

static void a_datagram_too_large_is_a_system_error(void **state)
{
	static uint8_t huge[70000];
	struct tenf_endpoint remote = endpoint("127.0.0.1:9");
	struct tenf_endpoint local;
	int fd = connect_to(&remote, &local);

	(void)state;
	assert_int_equal(net_udp_send(fd, huge, sizeof(huge)), TENF_E_SYSTEM);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_datagram_goes_there_and_back),
		cmocka_unit_test(the_socket_is_non_blocking_and_closed_on_exec),
		cmocka_unit_test(the_local_end_is_told),
		cmocka_unit_test(the_source_port_is_drawn_at_random),
		cmocka_unit_test(a_port_unreachable_is_received_as_refused),
		cmocka_unit_test(
			a_waiting_port_unreachable_is_told_by_the_next_send_that_still_sends),
		cmocka_unit_test(foreign_datagrams_never_arrive),
		cmocka_unit_test(a_long_datagram_tells_its_true_length),
		cmocka_unit_test(the_source_is_the_one_asked_for),
		cmocka_unit_test(a_source_that_is_not_ours_is_unreachable),
		cmocka_unit_test(what_makes_no_sense_is_an_argument_error),
		cmocka_unit_test(an_interface_that_does_not_exist_is_unreachable),
		cmocka_unit_test(a_datagram_too_large_is_a_system_error),
	};

	return cmocka_run_group_tests_name("udp", tests, NULL, NULL);
}
