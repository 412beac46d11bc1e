/* SPDX-License-Identifier: MIT */
#include "net/changes.h"
#include "net/poll.h"
#include "netns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_MS 5000

static int fd = -1;

static int setup(void **state)
{
	(void)state;
	fd = -1;
	if (netns_enter_with_links() && net_changes_open(NULL, &fd, NULL) != TENF_OK)
		return -1;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (fd >= 0)
		close(fd);
	return 0;
}

#define NEEDS_NAMESPACE()                                                                          \
	do {                                                                                       \
		if (fd < 0)                                                                        \
			skip();                                                                    \
	} while (0)

/* The kernel tells before `ip` is done; what tells later is not waited for. */
static bool tells(const char *lines)
{
	(void)net_changes_read(fd);
	assert_true(netns_ip(lines));
	return net_wait(fd, 0) && net_changes_read(fd);
}

/* For what the kernel does later by itself: other news may come before it. */
static bool told_in_time(void)
{
	while (net_wait(fd, PATIENCE_MS)) {
		if (net_changes_read(fd))
			return true;
	}
	return false;
}

/* IPv6 addresses of the links settle in their own time and tell of it, so one
 * quiet try of several is what can be asked for. */
static bool is_quiet_once(const char *there, const char *back)
{
	for (int i = 0; i < 20; i++) {
		if (!tells(there))
			return true;
		if (!netns_ip(back))
			return false;
	}
	return false;
}

static void nothing_happens_nothing_is_told(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	(void)net_changes_read(fd);
	assert_false(net_wait(fd, 0));
	assert_false(net_changes_read(fd));
}

static void default_routes_are_told(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	assert_true(tells("route add default via 10.0.0.1\n"));
	assert_true(tells("route replace default via 10.0.0.9\n"));
	assert_true(tells("route add 0.0.0.0/1 via 10.1.0.1\n"));
	assert_true(tells("route add default via 10.1.0.1 table 100\n"));
	assert_true(tells("route del default via 10.1.0.1 table 100\n"));
	assert_true(tells("route del default\n"));
}

static void other_routes_are_not_told(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	assert_false(tells("route add 20.0.0.0/8 via 10.0.0.1\n"));
	assert_false(tells("route del 20.0.0.0/8 via 10.0.0.1\n"));
}

static void rules_are_told(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	assert_true(tells("rule add priority 100 lookup 100\n"));
	assert_true(tells("rule del priority 100\n"));
}

static void addresses_are_told(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	assert_true(tells("address add 10.0.0.77/24 dev v0\n"));
	assert_true(tells("address del 10.0.0.77/24 dev v0\n"));
}

static void links_are_told(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	assert_true(tells("link set v0 down\n"));
	assert_true(tells("link set v0 up\n"));
	assert_true(tells("link add v5 type veth peer name p5\n"));
	assert_true(tells("link del v5\n"));
}

static void ipv6_is_told_too(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	(void)net_changes_read(fd);
	if (!netns_ip("address add 2001:db8::2/64 dev v0 nodad\n"))
		skip();
	assert_true(told_in_time());
	assert_true(tells("route add ::/0 via 2001:db8::1\n"));
	assert_true(is_quiet_once("route add 2001:db8:7::/48 via 2001:db8::1\n",
				  "route del 2001:db8:7::/48\n"));
	(void)net_changes_read(fd);
	assert_true(netns_ip6("rule add priority 100 lookup 100\n"));
	assert_true(told_in_time());
}

/* What does not fit into the socket is lost, and may have been what matters. */
static void an_overrun_counts_as_a_change(void **state)
{
	int small = 1;

	(void)state;
	NEEDS_NAMESPACE();
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	(void)net_changes_read(fd);
	for (int i = 0; i < 4; i++)
		assert_true(netns_ip("route add 20.0.0.0/8 via 10.0.0.1\n"
				     "route add 21.0.0.0/8 via 10.0.0.1\n"
				     "route del 20.0.0.0/8\n"
				     "route del 21.0.0.0/8\n"));
	assert_true(net_changes_read(fd));
	assert_false(net_changes_read(fd));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(nothing_happens_nothing_is_told),
		CASE(default_routes_are_told),
		CASE(other_routes_are_not_told),
		CASE(rules_are_told),
		CASE(addresses_are_told),
		CASE(links_are_told),
		CASE(ipv6_is_told_too),
		CASE(an_overrun_counts_as_a_change),
	};

	return cmocka_run_group_tests_name("changes", tests, NULL, NULL);
}
