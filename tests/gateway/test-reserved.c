/* SPDX-License-Identifier: MIT */
/* The gateway's own ports, as the kernel tells them. */
#include "house.h"

#include "gateway/reserved.h"
#include "net/socket.h"
#include "netns.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static int fds[2 * RESPONDER_RESERVED_MAX];
static size_t fd_count;

static void enter(void)
{
	if (!netns_enter_with_links()) {
		print_message("# skip: no network namespaces here\n");
		skip();
	}
}

static void close_all(void)
{
	while (fd_count > 0)
		(void)close(fds[--fd_count]);
}

static int open_at(const char *text, int type)
{
	struct tenf_endpoint endpoint;
	union net_sockaddr address;
	socklen_t len;
	int fd;

	assert_true(tenf_endpoint_parse(text, 1, &endpoint));
	len = net_sockaddr_of(&endpoint, 0, &address);
	fd = socket(address.any.sa_family, type, 0);
	assert_int_equal(bind(fd, &address.any, len), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 1), 0);
	fds[fd_count++] = fd;
	return fd;
}

static bool has(const struct reserved *r, enum tenf_protocol protocol, uint16_t port)
{
	size_t found = 0;

	for (size_t i = 0; i < r->count; i++)
		found += r->at[i].protocol == protocol && r->at[i].port == port;
	assert_true(found <= 1);
	return found == 1;
}

static void what_listens_towards_the_internet_is_reserved(void **state)
{
	static struct reserved reserved;
	struct tenf_address external = tenf_address_v4(0x0a000002); /* 10.0.0.2 of v0 */
	union net_sockaddr peer;
	struct tenf_endpoint to;
	int connected;

	(void)state;
	enter();
	(void)open_at("0.0.0.0:1001", SOCK_STREAM);
	(void)open_at("[::]:1002", SOCK_STREAM);
	(void)open_at("10.0.0.2:1003", SOCK_DGRAM);
	(void)open_at("10.0.0.2:1001", SOCK_DGRAM);
	(void)open_at("127.0.0.1:1004", SOCK_STREAM);
	(void)open_at("10.1.0.2:1005", SOCK_DGRAM);
	connected = open_at("10.0.0.2:1006", SOCK_DGRAM);
	assert_true(tenf_endpoint_parse("10.0.0.9:53", 1, &to));
	assert_int_equal(connect(connected, &peer.any, net_sockaddr_of(&to, 0, &peer)), 0);

	assert_true(reserved_find(&external, 1, &reserved));
	assert_true(has(&reserved, TENF_TCP, 1001));
	assert_true(has(&reserved, TENF_TCP, 1002));
	assert_true(has(&reserved, TENF_UDP, 1003));
	assert_true(has(&reserved, TENF_UDP, 1001));
	assert_int_equal(reserved.count, 4);
	assert_false(reserved.truncated);
	close_all();
}

static void more_ports_than_can_be_reserved_are_told(void **state)
{
	static struct reserved reserved;
	struct rlimit many = { 4096, 4096 };
	char text[TENF_ENDPOINT_TEXT];

	(void)state;
	enter();
	(void)setrlimit(RLIMIT_NOFILE, &many);
	for (unsigned port = 2000; port <= 2000 + RESPONDER_RESERVED_MAX; port++) {
		struct tenf_endpoint any = { tenf_address_none4, (uint16_t)port };

		(void)open_at(tenf_endpoint_text(&any, text), SOCK_DGRAM);
	}
	assert_true(reserved_find(NULL, 0, &reserved));
	assert_int_equal(reserved.count, RESPONDER_RESERVED_MAX);
	assert_true(reserved.truncated);
	close_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_listens_towards_the_internet_is_reserved),
		cmocka_unit_test(more_ports_than_can_be_reserved_are_told),
	};

	return cmocka_run_group_tests_name("reserved ports", tests, NULL, NULL);
}
