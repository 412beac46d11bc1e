/* SPDX-License-Identifier: MIT */
/* In a network namespace of its own, so that nobody else is at port 5350. */
#include "net/gateways.h"
#include "net/poll.h"
#include "net/udp.h"
#include "netns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_MS 5000

static bool ready;
static uint8_t buffer[64];
static size_t length;
static struct tenf_endpoint from;
static unsigned ifindex;

/* Both ends of the links are in this namespace: their datagrams come from
 * addresses of our own, which the kernel must be told to accept. */
static int setup(void **state)
{
	(void)state;
	ready = netns_enter_with_links() && netns_sysctl("ipv4/conf/all/accept_local", "1") &&
		netns_sysctl("ipv4/conf/all/rp_filter", "0") &&
		netns_sysctl("ipv4/conf/v0/rp_filter", "0") &&
		netns_sysctl("ipv4/conf/v1/rp_filter", "0") &&
		netns_ip("address add 10.0.0.1/24 dev p0\n"
			 "address add 10.1.0.1/24 dev p1\n");
	return 0;
}

#define NEEDS_NAMESPACE()                                                                          \
	do {                                                                                       \
		if (!ready)                                                                        \
			skip();                                                                    \
	} while (0)

static bool ipv6_links(void)
{
	return netns_ip("address add fe80::a/64 dev v0 nodad\n"
			"address add fe80::b/64 dev p0 nodad\n");
}

static int open_listener(bool ipv6)
{
	int fd = -1;

	assert_int_equal(net_announcements_open(NULL, ipv6, &fd, NULL), TENF_OK);
	return fd;
}

static void join(int fd, const char *interface)
{
	assert_int_equal(net_announcements_join(fd, false, if_nametoindex(interface)), TENF_OK);
}

/* Sends one datagram to group port 5350, out of `interface`. */
static void announce4(const char *interface, const char *group)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(5350) };
	struct ip_mreqn out = { .imr_ifindex = (int)if_nametoindex(interface) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_equal(inet_pton(AF_INET, group, &to.sin_addr), 1);
	assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof(out)), 0);
	assert_int_equal(sendto(fd, "hello", 5, 0, (struct sockaddr *)&to, sizeof(to)), 5);
	close(fd);
}

static void announce6(const char *interface, const char *to_text)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(5350),
				   .sin6_scope_id = if_nametoindex(interface) };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int off = 0;

	/* Not back to this namespace by the way out: Linux gives IPv6 groups to
	 * who joined them on any interface. */
	assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &off, sizeof(off)), 0);
	assert_int_equal(inet_pton(AF_INET6, to_text, &to.sin6_addr), 1);
	assert_int_equal(sendto(fd, "hello", 5, 0, (struct sockaddr *)&to, sizeof(to)), 5);
	close(fd);
}

static enum tenf_status receive(int fd)
{
	return net_udp_receive(fd, buffer, sizeof(buffer), &length, &from, &ifindex);
}

static void expect_announcement(int fd, const char *interface, const char *source)
{
	char text[TENF_ADDRESS_TEXT];

	assert_true(net_wait(fd, PATIENCE_MS));
	assert_int_equal(receive(fd), TENF_OK);
	assert_int_equal(length, 5);
	assert_int_equal(ifindex, if_nametoindex(interface));
	assert_string_equal(tenf_address_text(&from.address, text), source);
}

/* NP-C-28, PCP-C-26: bound to 224.0.0.1:5350, and others may be there too. */
static void two_listeners_share_the_port_and_both_hear(void **state)
{
	int one;
	int other;

	(void)state;
	NEEDS_NAMESPACE();
	one = open_listener(false);
	other = open_listener(false);
	join(one, "v0");
	join(other, "v0");
	announce4("p0", "224.0.0.1");
	expect_announcement(one, "v0", "10.0.0.1");
	expect_announcement(other, "v0", "10.0.0.1");
	close(one);
	close(other);
}

static void each_announcement_tells_its_interface(void **state)
{
	int fd;

	(void)state;
	NEEDS_NAMESPACE();
	fd = open_listener(false);
	join(fd, "v0");
	join(fd, "v1");
	announce4("p1", "224.0.0.1");
	expect_announcement(fd, "v1", "10.1.0.1");
	announce4("p0", "224.0.0.1");
	expect_announcement(fd, "v0", "10.0.0.1");
	close(fd);
}

static void interfaces_that_were_not_joined_are_not_heard(void **state)
{
	int fd;
	int other;

	(void)state;
	NEEDS_NAMESPACE();
	fd = open_listener(false);
	other = open_listener(false);
	join(fd, "v0");
	join(other, "v1");
	announce4("p1", "224.0.0.1");
	expect_announcement(other, "v1", "10.1.0.1"); /* it has arrived by now */
	assert_int_equal(receive(fd), TENF_E_AGAIN);
	close(fd);
	close(other);
}

static void joining_twice_is_fine_and_joining_nothing_is_not(void **state)
{
	int fd;

	(void)state;
	NEEDS_NAMESPACE();
	fd = open_listener(false);
	join(fd, "v0");
	join(fd, "v0");
	assert_int_equal(net_announcements_join(fd, false, 0), TENF_E_ARGUMENT);
	assert_int_equal(net_announcements_join(fd, false, 9999), TENF_E_UNREACHABLE);
	close(fd);
}

static void a_program_that_does_not_share_is_a_clean_error(void **state)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(5350) };
	struct net_error error = { 0 };
	int selfish;
	int fd = -5;

	(void)state;
	NEEDS_NAMESPACE();
	selfish = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(selfish, (struct sockaddr *)&any, sizeof(any)), 0);
	assert_int_equal(net_announcements_open(NULL, false, &fd, &error), TENF_E_SYSTEM);
	assert_int_equal(fd, -5);
	assert_int_equal(error.code, EADDRINUSE);
	assert_int_equal(net_announcements_open(NULL, false, &fd, NULL), TENF_E_SYSTEM);
	close(selfish);
}

/* One that shares by SO_REUSEPORT alone, be it there before us or after. */
static void programs_that_share_the_other_way_are_neighbours(void **state)
{
	struct sockaddr_in group = { .sin_family = AF_INET, .sin_port = htons(5350),
				     .sin_addr.s_addr = htonl(0xe0000001) };
	int neighbour;
	int on = 1;
	int fd;

	(void)state;
	NEEDS_NAMESPACE();
	for (int ours_first = 0; ours_first < 2; ours_first++) {
		fd = ours_first ? open_listener(false) : -1;
		neighbour = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		assert_int_equal(setsockopt(neighbour, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)),
				 0);
		assert_int_equal(bind(neighbour, (struct sockaddr *)&group, sizeof(group)), 0);
		if (!ours_first)
			fd = open_listener(false);
		close(neighbour);
		close(fd);
	}
}

/* PCP-C-26: bound for ff02::1, and others may be there too. */
static void ipv6_listeners_share_and_tell_the_interface(void **state)
{
	int one;
	int other;

	(void)state;
	NEEDS_NAMESPACE();
	if (!ipv6_links())
		skip();
	one = open_listener(true);
	other = open_listener(true);
	assert_int_equal(net_announcements_join(one, true, if_nametoindex("v0")), TENF_OK);
	assert_int_equal(net_announcements_join(one, true, if_nametoindex("v0")), TENF_OK);
	assert_int_equal(net_announcements_join(other, true, if_nametoindex("v0")), TENF_OK);
	announce6("p0", "ff02::1");
	expect_announcement(one, "v0", "fe80::b");
	expect_announcement(other, "v0", "fe80::b");
	close(one);
	close(other);
}

static void what_was_sent_to_us_alone_is_no_ipv6_announcement(void **state)
{
	int fd;

	(void)state;
	NEEDS_NAMESPACE();
	if (!ipv6_links())
		skip();
	fd = open_listener(true);
	assert_int_equal(net_announcements_join(fd, true, if_nametoindex("v0")), TENF_OK);
	announce6("p0", "fe80::a");
	assert_true(net_wait(fd, PATIENCE_MS));
	assert_int_equal(receive(fd), TENF_E_AGAIN);
	announce6("p0", "ff02::1");
	expect_announcement(fd, "v0", "fe80::b");
	close(fd);
}

#define CASE(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(two_listeners_share_the_port_and_both_hear),
		CASE(each_announcement_tells_its_interface),
		CASE(interfaces_that_were_not_joined_are_not_heard),
		CASE(joining_twice_is_fine_and_joining_nothing_is_not),
		CASE(a_program_that_does_not_share_is_a_clean_error),
		CASE(programs_that_share_the_other_way_are_neighbours),
		CASE(ipv6_listeners_share_and_tell_the_interface),
		CASE(what_was_sent_to_us_alone_is_no_ipv6_announcement),
	};

	return cmocka_run_group_tests_name("announcements", tests, NULL, NULL);
}
