/* SPDX-License-Identifier: MIT */
/* The edge of the room, on the loopback interface of this machine. */
#include "packets.h"

#include "host/host.h"
#include "host/reach.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 5000

static int listen_on_loopback(int kind, struct tenf_endpoint *ret)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, kind | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*ret = (struct tenf_endpoint){ tenf_address_v4(INADDR_LOOPBACK), ntohs(address.sin_port) };
	if (kind == SOCK_STREAM)
		assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void a_listener_is_open_and_refuses_when_it_is_gone(void **state)
{
	struct tenf_endpoint at;
	int fd = listen_on_loopback(SOCK_STREAM, &at);

	(void)state;
	assert_int_equal(host_reach_tcp(&at, PATIENCE_MS), HOST_OPEN);
	close(fd);
	assert_int_equal(host_reach_tcp(&at, PATIENCE_MS), HOST_REFUSED);
}

static void a_datagram_is_refused_or_stays_without_an_answer(void **state)
{
	struct tenf_endpoint at;
	int fd = listen_on_loopback(SOCK_DGRAM, &at);

	(void)state;
	assert_int_equal(host_reach_udp(&at, "x", 1, 1, NULL, NULL), HOST_SILENT);
	close(fd);
	assert_int_equal(host_reach_udp(&at, "x", 1, PATIENCE_MS, NULL, NULL), HOST_REFUSED);
}

static void our_own_listeners_are_seen_with_their_program(void **state)
{
	struct tenf_endpoint tcp, udp;
	int fd_tcp = listen_on_loopback(SOCK_STREAM, &tcp);
	int fd_udp = listen_on_loopback(SOCK_DGRAM, &udp);
	struct host *host = host_new(true, false);
	const struct host_socket *found;

	(void)state;
	assert_non_null(host);
	if (host->sockets_error != 0) {
		print_message("# skip: no socket diagnosis here: %s\n",
			      strerror(host->sockets_error));
		skip();
	}
	found = host_sockets_find(&host->sockets, TENF_TCP, &tcp.address, tcp.port);
	assert_non_null(found);
	assert_int_equal(found->program.pid, getpid());
	assert_string_equal(found->program.name, "test-host-reach");
	assert_non_null(host_sockets_find(&host->sockets, TENF_UDP, &udp.address, udp.port));
	host_done(host);
	close(fd_tcp);
	close(fd_udp);
}

static void the_loopback_interface_is_read_from_the_kernel(void **state)
{
	struct tenf_address loopback = tenf_address_v4(INADDR_LOOPBACK);
	struct host *host = host_new(false, false);
	const struct host_address *found;

	(void)state;
	assert_non_null(host);
	assert_int_equal(host->network_error, 0);
	assert_non_null(host_network_link_named(&host->network, "lo"));
	found = host_network_address(&host->network, &loopback);
	assert_non_null(found);
	assert_false(host_address_is_global(found));
	host_done(host);
}

static void a_port_taken_for_one_alone_cannot_be_shared(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;
	uint16_t port;

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	port = ntohs(address.sin_port);
	assert_false(host_can_share_port(port));
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_true(host_can_share_port(port));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_listener_is_open_and_refuses_when_it_is_gone),
		cmocka_unit_test(a_datagram_is_refused_or_stays_without_an_answer),
		cmocka_unit_test(our_own_listeners_are_seen_with_their_program),
		cmocka_unit_test(the_loopback_interface_is_read_from_the_kernel),
		cmocka_unit_test(a_port_taken_for_one_alone_cannot_be_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
