/* SPDX-License-Identifier: MIT */
/* The helper of a namespace, in the one we are in: to enter it again is the
 * kernel's to allow, the rest is the same anywhere. */
#include "agent/namespace-child.h"
#include "agent/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define OWN "/proc/self/ns/net"

static int set_up(void **state)
{
	static struct namespaces namespaces;

	namespaces_init(&namespaces);
	*state = &namespaces;
	return 0;
}

static int tear_down(void **state)
{
	namespaces_done(*state);
	while (wait(NULL) > 0) /* the helpers end when we let them go */
		;
	return 0;
}

/* Without the right to enter namespaces a user namespace gives it, where it may. */
static void need_the_right(void)
{
	static int known = -1;
	int fd;

	if (known < 0) {
		fd = open(OWN, O_RDONLY | O_CLOEXEC);
		known = setns(fd, CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
		close(fd);
	}
	if (!known) {
		print_message("# skip: no right to enter namespaces here\n");
		skip();
	}
}

static void it_makes_the_sockets_we_need_and_no_others(void **state)
{
	static const struct {
		struct namespace_request request;
		bool makes;
	} cases[] = {
		{ { AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP }, true },
		{ { AF_INET6, SOCK_DGRAM, 0 }, true },
		{ { AF_INET, SOCK_STREAM, 0 }, true },
		{ { AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE }, true },
		{ { AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER }, false },
		{ { AF_INET, SOCK_RAW, IPPROTO_ICMP }, false },
		{ { AF_UNIX, SOCK_STREAM, 0 }, false },
		{ { AF_PACKET, SOCK_DGRAM, 0 }, false },
	};

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(cases); i++)
		assert_int_equal(namespace_child_makes(&cases[i].request), cases[i].makes);
}

static void sockets_come_from_the_helper(void **state)
{
	struct namespace *namespace;
	struct tenf_error error;
	socklen_t len = sizeof(int);
	int fd, type = 0;

	need_the_right();
	if (namespaces_at(*state, OWN, &namespace, &error) != TENF_OK)
		fail_msg("%s", error.text);
	fd = namespace_socket(namespace, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len), 0);
	assert_int_equal(type, SOCK_DGRAM);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	close(fd);
	assert_int_equal(namespace_socket(namespace, AF_INET, SOCK_RAW, IPPROTO_ICMP), -1);
	assert_int_equal(errno, EACCES);
	fd = namespace_socket(namespace, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	assert_true(fd >= 0); /* a refusal does not end it */
	close(fd);
}

static pid_t helper_of(void)
{
	char text[32] = "", path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	file = fopen(path, "re");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	return (pid_t)strtol(text, NULL, 10);
}

static void it_keeps_no_rights(void **state)
{
	struct namespace *namespace;
	char path[64], line[256];
	unsigned zero = 0;
	FILE *file;

	need_the_right();
	assert_int_equal(namespaces_at(*state, OWN, &namespace, NULL), TENF_OK);
	snprintf(path, sizeof(path), "/proc/%d/status", (int)helper_of());
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		zero += strcmp(line, "CapEff:\t0000000000000000\n") == 0;
		zero += strcmp(line, "CapPrm:\t0000000000000000\n") == 0;
		zero += strcmp(line, "CapInh:\t0000000000000000\n") == 0;
		zero += strcmp(line, "CapAmb:\t0000000000000000\n") == 0;
		zero += strcmp(line, "NoNewPrivs:\t1\n") == 0;
	}
	fclose(file);
	assert_int_equal(zero, 5);
}

static void a_helper_that_is_gone_is_an_error_and_no_hang(void **state)
{
	struct namespace *namespace;
	pid_t helper;

	need_the_right();
	assert_int_equal(namespaces_at(*state, OWN, &namespace, NULL), TENF_OK);
	helper = helper_of();
	assert_int_equal(kill(helper, SIGTERM), 0); /* which it does not take */
	assert_true(close(namespace_socket(namespace, AF_INET, SOCK_DGRAM, 0)) == 0);
	assert_int_equal(kill(helper, SIGKILL), 0);
	assert_int_equal(waitpid(helper, NULL, 0), helper);
	assert_int_equal(namespace_socket(namespace, AF_INET, SOCK_DGRAM, 0), -1);
	assert_int_equal(errno, ENETDOWN);
	assert_int_equal(namespace_socket(namespace, AF_INET, SOCK_DGRAM, 0), -1);
}

static void a_helper_that_stands_still_is_given_up(void **state)
{
	struct namespace *namespace;
	pid_t helper;

	need_the_right();
	assert_int_equal(namespaces_at(*state, OWN, &namespace, NULL), TENF_OK);
	helper = helper_of();
	assert_int_equal(kill(helper, SIGSTOP), 0);
	assert_int_equal(namespace_socket(namespace, AF_INET, SOCK_DGRAM, 0), -1);
	assert_int_equal(errno, ENETDOWN);
	assert_int_equal(kill(helper, SIGCONT), 0);
	assert_int_equal(waitpid(helper, NULL, 0), helper); /* we closed: it ends */
}

static void what_cannot_be_entered_is_told_with_the_reason(void **state)
{
	struct tenf_error error = { .text = "" };
	struct namespace *namespace = NULL;

	assert_int_equal(namespaces_at(*state, "no-such-namespace", &namespace, &error),
			 TENF_E_SYSTEM);
	assert_non_null(strstr(error.text, "no-such-namespace: No such file or directory"));
	assert_int_equal(error.system_error, ENOENT);
	assert_int_equal(namespaces_at(*state, "/dev/null", &namespace, &error), TENF_E_SYSTEM);
	assert_non_null(strstr(error.text, "CAP_SYS_ADMIN"));
	error.text[0] = '\0'; /* remembered, not tried again */
	assert_int_equal(namespaces_at(*state, "no-such-namespace", &namespace, &error),
			 TENF_E_SYSTEM);
	assert_non_null(strstr(error.text, "No such file or directory"));
	assert_int_equal(((struct namespaces *)*state)->count, 2);
	assert_null(namespace);
}

static void there_is_a_limit(void **state)
{
	struct namespace *namespace;
	char name[32];

	for (unsigned i = 0; i < NAMESPACES_MAX; i++) {
		snprintf(name, sizeof(name), "/nowhere/%u", i);
		assert_int_equal(namespaces_at(*state, name, &namespace, NULL), TENF_E_SYSTEM);
	}
	assert_int_equal(namespaces_at(*state, "/nowhere/else", &namespace, NULL), TENF_E_LIMIT);
}

/* Last: this process has fewer rights afterwards. */
static void once_sealed_nothing_more_is_entered_and_the_right_is_gone(void **state)
{
	struct tenf_error error = { .text = "" };
	struct namespace *namespace;
	int fd;

	need_the_right();
	assert_int_equal(namespaces_at(*state, OWN, &namespace, NULL), TENF_OK);
	assert_true(namespaces_seal(*state, &error));
	assert_int_equal(namespaces_at(*state, "other", &namespace, &error), TENF_E_SYSTEM);
	assert_non_null(strstr(error.text, "restart it"));
	assert_int_equal(namespaces_at(*state, OWN, &namespace, &error), TENF_OK);
	fd = open(OWN, O_RDONLY | O_CLOEXEC);
	assert_int_equal(setns(fd, CLONE_NEWNET), -1);
	assert_int_equal(errno, EPERM);
	close(fd);
	fd = namespace_socket(namespace, AF_INET, SOCK_DGRAM, 0);
	assert_true(fd >= 0);
	close(fd);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(it_makes_the_sockets_we_need_and_no_others),
		CASE(sockets_come_from_the_helper),
		CASE(it_keeps_no_rights),
		CASE(a_helper_that_is_gone_is_an_error_and_no_hang),
		CASE(a_helper_that_stands_still_is_given_up),
		CASE(what_cannot_be_entered_is_told_with_the_reason),
		CASE(there_is_a_limit),
		CASE(once_sealed_nothing_more_is_entered_and_the_right_is_gone),
	};

	return cmocka_run_group_tests_name("namespace", tests, NULL, NULL);
}
