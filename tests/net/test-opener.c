/* SPDX-License-Identifier: MIT */
/* Another network namespace, seen through sockets that an opener made there. */
#include "base/address.h"
#include "net/changes.h"
#include "net/gateways.h"
#include "net/udp.h"
#include "netns.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static int there = -1, here = -1;
static unsigned made;

/* What a process inside would hand over. */
static int open_there(void *context, int domain, int type, int protocol)
{
	int fd;

	assert_ptr_equal(context, &made);
	assert_int_equal(setns(there, CLONE_NEWNET), 0);
	fd = socket(domain, type, protocol);
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	made++;
	return fd;
}

static const struct net_opener opener = { .open = open_there, .context = &made };

static struct tenf_address address(const char *text)
{
	struct tenf_address a;

	assert_true(tenf_address_parse(text, &a));
	return a;
}

/* The links are in the one namespace, and we are in the other. */
static void stand_outside(void)
{
	if (!netns_enter_with_links() || !netns_ip("route add default via 10.0.0.1\n")) {
		print_message("# skip: no network namespaces here\n");
		skip();
	}
	there = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_true(netns_enter());
	here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_true(there >= 0 && here >= 0);
	made = 0;
}

static int close_both(void **state)
{
	(void)state;
	close(there);
	close(here);
	there = here = -1;
	return 0;
}

static void interfaces_are_those_of_the_sockets(void **state)
{
	struct tenf_address own = address("10.1.0.2"), loopback6 = address("::1");
	char name[NET_INTERFACE_NAME] = "";
	unsigned v1;

	(void)state;
	stand_outside();
	v1 = net_interface_index(&opener, "v1");
	assert_true(v1 > 1);
	assert_int_equal(net_interface_index(NULL, "v1"), 0);
	assert_int_equal(net_interface_index(&opener, "a-name-much-too-long-for-a-link"), 0);
	assert_true(net_interface_name(&opener, v1, name));
	assert_string_equal(name, "v1");
	assert_int_equal(net_interface_of(&opener, &own), v1);
	assert_int_equal(net_interface_of(NULL, &own), 0);
	assert_int_equal(net_interface_of(&opener, &loopback6), 1);
}

static void gateways_are_those_of_the_sockets(void **state)
{
	struct net_gateway_query query = { .opener = &opener };
	struct tenf_address router = address("10.0.0.1"), source = address("10.0.0.2");
	struct net_gateways found;

	(void)state;
	stand_outside();
	assert_int_equal(net_gateways_find(&query, &found, NULL), TENF_OK);
	assert_int_equal(found.count, 1);
	assert_true(tenf_address_equal(&found.at[0].address, &router));
	assert_true(tenf_address_equal(&found.at[0].source, &source));
	assert_string_equal(found.at[0].interface, "v0");
	query.opener = NULL;
	assert_int_equal(net_gateways_find(&query, &found, NULL), TENF_OK);
	assert_int_equal(found.count, 0);
	assert_true(made > 0);
}

static void a_gateway_is_asked_from_there(void **state)
{
	struct net_udp_options options = { .remote = { address("10.1.0.1"), 5351 },
					   .opener = &opener };
	struct tenf_address source = address("10.1.0.2");
	struct tenf_endpoint local;
	int fd;

	(void)state;
	stand_outside();
	options.ifindex = net_interface_index(&opener, "v1");
	assert_int_equal(net_udp_connect(&options, &fd, &local, NULL), TENF_OK);
	assert_true(tenf_address_equal(&local.address, &source));
	close(fd);
	options.opener = NULL;
	assert_int_not_equal(net_udp_connect(&options, &fd, &local, NULL), TENF_OK);
	assert_int_equal(net_announcements_open(&opener, false, &fd, NULL), TENF_OK);
	assert_int_equal(net_announcements_join(fd, false, options.ifindex), TENF_OK);
	close(fd);
}

static void changes_are_told_from_there(void **state)
{
	int inside, outside;

	(void)state;
	stand_outside();
	assert_int_equal(net_changes_open(&opener, &inside, NULL), TENF_OK);
	assert_int_equal(net_changes_open(NULL, &outside, NULL), TENF_OK);
	assert_int_equal(setns(there, CLONE_NEWNET), 0);
	assert_true(netns_ip("address add 10.1.0.9/24 dev v1\n"));
	assert_true(net_changes_read(inside));
	assert_false(net_changes_read(outside));
	close(inside);
	close(outside);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(interfaces_are_those_of_the_sockets, close_both),
		cmocka_unit_test_teardown(gateways_are_those_of_the_sockets, close_both),
		cmocka_unit_test_teardown(a_gateway_is_asked_from_there, close_both),
		cmocka_unit_test_teardown(changes_are_told_from_there, close_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
