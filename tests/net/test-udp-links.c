/* SPDX-License-Identifier: MIT */
/* Binding to interfaces and IPv6 scopes, in a network namespace. */
#include "net/poll.h"
#include "net/udp.h"
#include "netns.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_MS 5000

static bool ready;

static int setup(void **state)
{
	(void)state;
	ready = netns_enter_with_links() && netns_ip("route add default via 10.0.0.1\n");
	return 0;
}

#define NEEDS_NAMESPACE()                                                                          \
	do {                                                                                       \
		if (!ready)                                                                        \
			skip();                                                                    \
	} while (0)

static bool connect_by(const char *interface, const char *remote, const char *local_wanted)
{
	struct net_udp_options options = { .ifindex = if_nametoindex(interface) };
	struct tenf_endpoint local;
	char text[TENF_ADDRESS_TEXT];
	int fd;

	if (!tenf_endpoint_parse(remote, 5351, &options.remote) ||
	    net_udp_connect(&options, &fd, &local, NULL) != TENF_OK)
		return false;
	close(fd);
	return strcmp(tenf_address_text(&local.address, text), local_wanted) == 0;
}

static void the_interface_decides_the_way(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	/* 192.0.2.1 is behind v0 by the default route; v1 has no way there but
	 * the link itself. */
	assert_true(connect_by("v0", "192.0.2.1", "10.0.0.2"));
	assert_true(netns_ip("route add default via 10.1.0.1 metric 1000\n"));
	assert_true(connect_by("v1", "192.0.2.1", "10.1.0.2"));
	assert_true(connect_by("v1", "10.1.0.1", "10.1.0.2"));
}

/* setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX) gives EPERM from here on, as on
 * a kernel before 5.7 for who is not root. */
static bool forbid_binding(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setsockopt, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SOL_SOCKET, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 62, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

#define EXIT_NO_SECCOMP 77

static void where_binding_is_forbidden_the_interface_decides_all_the_same(void **state)
{
	int status = 0;
	pid_t child;

	(void)state;
	NEEDS_NAMESPACE();
	assert_true(netns_ip("route add default via 10.1.0.1 metric 1000\n"));
	child = fork();
	assert_true(child >= 0);
	if (child == 0) { /* the filter stays until the process ends */
		if (!forbid_binding())
			_exit(EXIT_NO_SECCOMP);
		_exit(connect_by("v1", "192.0.2.1", "10.1.0.2") &&
				      connect_by("v0", "192.0.2.1", "10.0.0.2") ?
			      0 :
			      1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == EXIT_NO_SECCOMP)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void without_a_route_the_remote_is_unreachable(void **state)
{
	struct net_udp_options options = { 0 };
	struct net_error error = { 0 };
	struct tenf_endpoint local;
	int fd;

	(void)state;
	NEEDS_NAMESPACE();
	assert_true(netns_ip("route del default\n"));
	assert_true(tenf_endpoint_parse("192.0.2.1", 5351, &options.remote));
	assert_int_equal(net_udp_connect(&options, &fd, &local, &error), TENF_E_UNREACHABLE);
	assert_string_equal(error.call, "connect");
	assert_int_equal(error.code, ENETUNREACH);
	assert_true(netns_ip("route add prohibit default\n"));
	assert_int_equal(net_udp_connect(&options, &fd, &local, NULL), TENF_E_UNREACHABLE);
}

static void link_local_ipv6_takes_the_interface_as_scope(void **state)
{
	struct net_udp_options options = { .ifindex = if_nametoindex("v0") };
	struct tenf_endpoint local;
	struct tenf_endpoint from;
	uint8_t data[8] = { 0 };
	size_t len;
	unsigned ifindex;
	int fd;

	(void)state;
	NEEDS_NAMESPACE();
	if (!netns_ip("address add fe80::a/64 dev v0 nodad\n"
		      "address add fe80::b/64 dev p0 nodad\n"))
		skip();
	options.ifindex = if_nametoindex("v0");
	assert_true(tenf_endpoint_parse("[fe80::b]:5351", 0, &options.remote));
	assert_int_equal(net_udp_connect(&options, &fd, &local, NULL), TENF_OK);
	assert_true(tenf_address_is_link_local(&local.address));
	/* Nobody listens at the other end, which says so. */
	assert_int_equal(net_udp_send(fd, data, sizeof(data)), TENF_OK);
	assert_true(net_wait(fd, PATIENCE_MS));
	assert_int_equal(net_udp_receive(fd, data, sizeof(data), &len, &from, &ifindex),
			 TENF_E_REFUSED);
	close(fd);
}

#define CASE(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_interface_decides_the_way),
		CASE(where_binding_is_forbidden_the_interface_decides_all_the_same),
		CASE(without_a_route_the_remote_is_unreachable),
		CASE(link_local_ipv6_takes_the_interface_as_scope),
	};

	return cmocka_run_group_tests_name("udp-links", tests, NULL, NULL);
}
