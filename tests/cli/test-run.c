/* SPDX-License-Identifier: MIT */
#include "command.h"

#include "files/whole-file.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char line[900], path[300];

static void expect_file(const char *expected)
{
	char *text;
	size_t len;

	assert_int_equal(whole_file_read(path, 10000, &text, &len), TENF_OK);
	assert_string_equal(text, expected);
	free(text);
}

static void the_command_gets_port_and_address_in_words_and_environment(void **state)
{
	struct command c;

	(void)state;
	snprintf(path, sizeof(path), "%s/seen", command_folder());
	snprintf(line, sizeof(line),
		 "run any:8080 -- sh -c 'echo \"$@\" $TENFORWARD_EXTERNAL_PORT "
		 "$TENFORWARD_EXTERNAL_ADDRESS $TENFORWARD_INTERNAL_PORT > %s' x "
		 "p={external_port} {external_address}:{external_port} {other} {",
		 path);
	c = command(line);
	assert_int_equal(c.status, 0);
	expect_file("p=40112 203.0.113.7:40112 {other} { 40112 203.0.113.7 8080\n");
	assert_string_equal(c.out, ""); /* which belongs to the command */
	assert_non_null(strstr(c.err, "held, renews every 1 h"));
	assert_non_null(strstr(c.err, "removed"));
}

static void the_exit_status_is_that_of_the_command(void **state)
{
	(void)state;
	assert_int_equal(command("run 8080 -- sh -c 'exit 42'").status, 42);
	assert_int_equal(command("run 8080 -- sh -c 'kill -9 $$'").status, 137);
}

static void a_command_that_is_not_there_is_told_as_shells_do(void **state)
{
	struct command c;

	(void)state;
	c = command("run 8080 -- no-such-command-here");
	assert_int_equal(c.status, 127);
	assert_non_null(strstr(c.err, "no-such-command-here: No such file or directory"));
	assert_int_equal(command("run 8080 -- /dev/null").status, 126);
	c = command("list --json");
	assert_null(strstr(c.out, "8080"));
}

static void without_the_mapping_the_command_is_not_started(void **state)
{
	struct command c;
	const char *at;

	(void)state;
	snprintf(path, sizeof(path), "%s/started", command_folder());
	snprintf(line, sizeof(line), "run 8080 -- touch %s", path);
	fake.ports[0] = (struct fake_port){ .reason = TENF_REASON_RESOURCES, .text = "Full." };
	c = command(line);
	assert_int_equal(c.status, 7);
	at = strstr(c.err, "not mapped: Full.");
	assert_non_null(at);
	assert_null(strstr(at + 13, "Full.")); /* told once */
	assert_int_not_equal(access(path, F_OK), 0);
}

/* The command says that it is there by a file, so that no signal is early. */
static bool terminate_when_started(struct tenf_session *session)
{
	(void)session;
	return access(path, F_OK) == 0 && kill(getpid(), SIGTERM) == 0;
}

static void a_signal_is_handed_on_to_the_command(void **state)
{
	struct command c;

	(void)state;
	snprintf(path, sizeof(path), "%s/started", command_folder());
	/* The short-lived child wakes the loop, which then looks for the file. */
	snprintf(line, sizeof(line),
		 "run 8080 -- sh -c 'trap \"exit 7\" TERM; touch %s; kill -CHLD $PPID; "
		 "while :; do read x < %s/fifo; done'",
		 path, command_folder());
	snprintf(path, sizeof(path), "%s/fifo", command_folder());
	snprintf(path, sizeof(path), "mkfifo %s/fifo", command_folder());
	assert_int_equal(system(path), 0);
	snprintf(path, sizeof(path), "%s/started", command_folder());
	fake.steps[0] = terminate_when_started;
	c = command(line);
	assert_int_equal(c.status, 7);
}

static void the_record_holds_the_mapping_meanwhile(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "%s/seen", command_folder());
	snprintf(line, sizeof(line), "run 8080 -- cp %s %s", command_record(), path);
	assert_int_equal(command(line).status, 0);
	assert_int_equal(access(path, F_OK), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, command_setup, command_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_command_gets_port_and_address_in_words_and_environment),
		TEST(the_exit_status_is_that_of_the_command),
		TEST(a_command_that_is_not_there_is_told_as_shells_do),
		TEST(without_the_mapping_the_command_is_not_started),
		TEST(a_signal_is_handed_on_to_the_command),
		TEST(the_record_holds_the_mapping_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
