/* SPDX-License-Identifier: MIT */
/* What a process may do afterwards, as the kernel shows it and as it feels. */
#include "house.h"

#include "gateway/rights.h"
#include "gateway/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAID_MAX 4096

/* What a child wrote, with its exit status. */
struct said {
	char text[SAID_MAX];
	int status;
};

static char notes_buffer[1024];
static char why_buffer[1024];

/* Runs `in_child` in a process of its own; what it writes to the descriptor comes back. */
static void ask_child(void (*in_child)(int fd), struct said *ret)
{
	int pair[2];
	size_t used = 0;
	ssize_t got;
	pid_t child;

	assert_int_equal(pipe(pair), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)close(pair[0]);
		in_child(pair[1]);
		_exit(0);
	}
	(void)close(pair[1]);
	while ((got = read(pair[0], ret->text + used, sizeof(ret->text) - 1 - used)) > 0)
		used += (size_t)got;
	ret->text[used] = '\0';
	(void)close(pair[0]);
	assert_int_equal(waitpid(child, &ret->status, 0), child);
}

static void say(int fd, const char *text)
{
	(void)!write(fd, text, strlen(text));
}

static bool become(bool helper, const char *user, int fd)
{
	struct tenf_text notes = tenf_text_of(notes_buffer, sizeof(notes_buffer));
	struct tenf_text why = tenf_text_of(why_buffer, sizeof(why_buffer));

	if (helper ? rights_helper(user, &notes, &why) : rights_daemon(user, &notes, &why)) {
		say(fd, notes_buffer);
		return true;
	}
	say(fd, "why: ");
	say(fd, why_buffer);
	return false;
}

static void say_status(int fd)
{
	char text[SAID_MAX];
	int status = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	ssize_t len = read(status, text, sizeof(text) - 1);

	text[len > 0 ? len : 0] = '\0';
	(void)close(status);
	say(fd, strstr(text, "CapInh"));
}

/* "" when this machine or build can do all of it; otherwise the reason to skip. */
static const char *lack(void)
{
	if (geteuid() != 0)
		return "not started as root";
#ifndef HAVE_CAPNG
	return "built without libcap-ng";
#else
	return "";
#endif
}

static void skip_without(const char *reason)
{
	if (reason[0] != '\0') {
		print_message("# skip: %s\n", reason);
		skip();
	}
}

static bool has_filter(void)
{
#if defined(HAVE_SECCOMP) && !defined(__SANITIZE_ADDRESS__)
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
	return false;
#endif
#endif
	return true;
#else
	return false;
#endif
}

static void be_daemon(int fd)
{
	if (become(false, "", fd))
		say_status(fd);
}

static void be_helper(int fd)
{
	if (become(true, "", fd))
		say_status(fd);
}

static void expect_line(const struct said *said, const char *line)
{
	if (strstr(said->text, line) == NULL)
		fail_msg("no \"%s\" in: %s", line, said->text);
}

static void the_daemon_has_no_capability_and_gets_none(void **state)
{
	struct said said;

	(void)state;
	skip_without(lack());
	ask_child(be_daemon, &said);
	expect_line(&said, "CapInh:\t0000000000000000");
	expect_line(&said, "CapPrm:\t0000000000000000");
	expect_line(&said, "CapEff:\t0000000000000000");
	expect_line(&said, "CapBnd:\t0000000000000000");
	expect_line(&said, "CapAmb:\t0000000000000000");
	expect_line(&said, "NoNewPrivs:\t1");
	if (has_filter())
		expect_line(&said, "Seccomp:\t2");
	else
		expect_line(&said, "limit system calls");
}

static void the_helper_keeps_one_capability(void **state)
{
	struct said said;

	(void)state;
	skip_without(lack());
	ask_child(be_helper, &said);
	expect_line(&said, "CapInh:\t0000000000000000");
	expect_line(&said, "CapPrm:\t0000000000001000");
	expect_line(&said, "CapEff:\t0000000000001000");
	expect_line(&said, "CapBnd:\t0000000000000000");
	expect_line(&said, "CapAmb:\t0000000000000000");
	expect_line(&said, "NoNewPrivs:\t1");
	if (has_filter())
		expect_line(&said, "Seccomp:\t2");
}

static void become_who_is_not_there(int fd)
{
	(void)become(false, "no-such-user", fd);
}

static void a_user_that_is_named_is_become_or_nothing_goes_on(void **state)
{
	struct said said;

	(void)state;
	skip_without(lack());
	ask_child(become_who_is_not_there, &said);
	assert_string_equal(said.text, "why: there is no user no-such-user");
}

static void be_helper_without_right(int fd)
{
	if (become(false, "", fd))
		(void)become(true, "", fd);
}

static void a_helper_without_its_capability_says_so(void **state)
{
	struct said said;

	(void)state;
	skip_without(lack());
	ask_child(be_helper_without_right, &said);
	expect_line(&said, "why: cannot keep the right to change the packet path");
	expect_line(&said, "CAP_NET_ADMIN");
}

/* ---- What the filter leaves ------------------------------------------- */

static void expect_refused(int fd, const char *what, long result)
{
	if (result >= 0 || errno != EPERM) {
		say(fd, what);
		say(fd, " was possible\n");
	}
}

static void expect_possible(int fd, const char *what, long result)
{
	if (result < 0) {
		say(fd, what);
		say(fd, " was not possible: ");
		say(fd, strerror(errno));
		say(fd, "\n");
	}
}

static void *nothing(void *context)
{
	return context;
}

static void refuse_for_all(int fd)
{
	char name[] = "true";
	char *const arguments[] = { name, NULL };
	void *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	expect_refused(fd, "a process", child);
	expect_refused(fd, "another program", execve("/bin/true", arguments, NULL));
	expect_refused(fd, "memory to run", code == MAP_FAILED ? -1 : 0);
	expect_refused(fd, "a packet socket", socket(AF_PACKET, SOCK_RAW, 0));
	expect_refused(fd, "tracing", ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	expect_refused(fd, "a signal", kill(getppid(), 0));
	expect_refused(fd, "another root", chroot("/"));
}

static void try_as_daemon(int fd)
{
	pthread_t thread;

	if (syscalls_limit(SYSCALLS_DAEMON) != 0)
		say(fd, "no filter\n");
	refuse_for_all(fd);
	expect_possible(fd, "an IPv4 socket", socket(AF_INET, SOCK_DGRAM, 0));
	expect_possible(fd, "a Unix socket", socket(AF_UNIX, SOCK_STREAM, 0));
	expect_possible(fd, "netlink", socket(AF_NETLINK, SOCK_RAW, 0));
	expect_possible(fd, "a file", open("/dev/null", O_RDWR | O_CLOEXEC));
	expect_possible(fd, "a thread", -(long)pthread_create(&thread, NULL, nothing, NULL));
	expect_possible(fd, "its end", -(long)pthread_join(thread, NULL));
}

static void try_as_helper(int fd)
{
	pthread_t thread;

	if (syscalls_limit(SYSCALLS_HELPER) != 0)
		say(fd, "no filter\n");
	refuse_for_all(fd);
	expect_refused(fd, "an IPv4 socket", socket(AF_INET, SOCK_DGRAM, 0));
	expect_refused(fd, "a file to write", open("/dev/null", O_RDWR | O_CLOEXEC));
	expect_refused(fd, "a new file", open("/tmp/x", O_RDONLY | O_CREAT | O_CLOEXEC, 0600));
	if (pthread_create(&thread, NULL, nothing, NULL) == 0)
		say(fd, "a thread was possible\n");
	expect_possible(fd, "netlink", socket(AF_NETLINK, SOCK_RAW, 0));
	expect_possible(fd, "a file to read", open("/dev/null", O_RDONLY | O_CLOEXEC));
}

static void the_daemon_is_left_what_it_needs_and_no_more(void **state)
{
	struct said said;

	(void)state;
	skip_without(has_filter() ? "" : "built without a filter of system calls");
	ask_child(try_as_daemon, &said);
	assert_string_equal(said.text, "");
	assert_int_equal(said.status, 0);
}

static void the_helper_is_left_netlink_and_files_to_read(void **state)
{
	struct said said;

	(void)state;
	skip_without(has_filter() ? "" : "built without a filter of system calls");
	ask_child(try_as_helper, &said);
	assert_string_equal(said.text, "");
	assert_int_equal(said.status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_daemon_has_no_capability_and_gets_none),
		cmocka_unit_test(the_helper_keeps_one_capability),
		cmocka_unit_test(a_user_that_is_named_is_become_or_nothing_goes_on),
		cmocka_unit_test(a_helper_without_its_capability_says_so),
		cmocka_unit_test(the_daemon_is_left_what_it_needs_and_no_more),
		cmocka_unit_test(the_helper_is_left_netlink_and_files_to_read),
	};

	return cmocka_run_group_tests_name("rights of the gateway", tests, NULL, NULL);
}
