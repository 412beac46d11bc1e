/* SPDX-License-Identifier: MIT */
#include "command.h"

#include "cli/cli.h"
#include "cli/leases.h"
#include "files/whole-file.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char seen_path[300], line[900];

static bool is_ready; /* what a step waits for */

static bool interrupt(struct tenf_session *session)
{
	(void)session;
	return kill(getpid(), SIGINT) == 0;
}

static bool terminate(struct tenf_session *session)
{
	(void)session;
	return kill(getpid(), SIGTERM) == 0;
}

static char *read_text(const char *path)
{
	char *text = NULL;
	size_t len;

	return whole_file_read(path, 100000, &text, &len) == TENF_OK ? text : NULL;
}

/* Done when a hook has written the line it ends with. */
static bool hook_is_done(struct tenf_session *session)
{
	char *text = read_text(seen_path);
	bool done = text != NULL && strstr(text, "end\n") != NULL;

	(void)session;
	free(text);
	return done;
}

static void other_port(struct tenf_mapping *m)
{
	m->external_port = 51877;
}

static void other_address(struct tenf_mapping *m)
{
	strcpy(m->external_address, "198.51.100.9");
}

static void later(struct tenf_mapping *m)
{
	m->expires_at = fake.now + 7200;
}

static bool two_seconds_pass(struct tenf_session *session)
{
	(void)session;
	fake.steady_ms += 2000;
	return true;
}

static bool a_minute_passes(struct tenf_session *session)
{
	(void)session;
	fake.steady_ms += 60000;
	return true;
}

static bool change_port(struct tenf_session *session)
{
	fake.now += 60;
	fake_gateway_event(session, TENF_EVENT_GATEWAY_RESTART);
	fake_event(session, 0, TENF_EVENT_CHANGED, other_port);
	return true;
}

static bool change_pair(struct tenf_session *session)
{
	fake.now += 60;
	fake_event(session, 0, TENF_EVENT_CHANGED, other_port);
	fake_event(session, 1, TENF_EVENT_CHANGED, other_port);
	return true;
}

static bool change_address(struct tenf_session *session)
{
	fake_event(session, 0, TENF_EVENT_CHANGED, other_address);
	return true;
}

static bool lose_first(struct tenf_session *session)
{
	fake_event(session, 0, TENF_EVENT_LOST, fake_lose);
	return true;
}

static bool first_comes_back(struct tenf_session *session)
{
	fake_event(session, 0, TENF_EVENT_MAPPED, fake_come_back);
	return true;
}

static bool renew(struct tenf_session *session)
{
	fake.now += 3600;
	fake_event(session, 0, TENF_EVENT_RENEWED, later);
	return true;
}

static void mappings_are_held_until_a_signal_and_then_removed(void **state)
{
	struct command c;

	(void)state;
	fake.steps[0] = interrupt;
	c = command("keep any:51413/both");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.out, "09:03:03  203.0.113.7:40112/tcp+udp → 192.168.1.20:51413   "
				   "held, renews every 1 h\n"
				   "09:03:03  removed\n");
	assert_string_equal(c.err, "");
	assert_true(fake.requests[0].request.keep);
	assert_true(fake.options.announcements);
	assert_int_equal(fake.freed, 1);
	c = command("list --json");
	assert_null(strstr(c.out, "51413"));
}

static bool restart(struct tenf_session *session)
{
	fake.now += 60;
	fake_gateway_event(session, TENF_EVENT_GATEWAY_RESTART);
	fake_event(session, 0, TENF_EVENT_RENEWED, later);
	return true;
}

static void what_is_held_again_after_a_restart_is_told_once(void **state)
{
	struct command c;

	(void)state;
	fake.steps[0] = restart;
	fake.steps[1] = renew;
	fake.steps[2] = terminate;
	c = command("keep any:51413");
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.out, "09:04:03  gateway restarted; asking again\n"
				      "09:04:03  renewed until"));
	assert_null(strstr(strstr(c.out, "renewed") + 1, "renewed"));
}

static void a_restart_and_a_new_port_are_told(void **state)
{
	struct command c;

	(void)state;
	fake.steps[0] = change_port;
	fake.steps[1] = terminate;
	c = command("keep any:51413");
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.out,
			       "09:04:03  gateway restarted; asking again\n"
			       "09:04:03  changed: outside port is now 51877 (was 40112)\n"));
}

static void a_pair_is_told_once(void **state)
{
	struct command c;

	(void)state;
	fake.steps[0] = change_pair;
	fake.steps[1] = terminate;
	c = command("keep any:51413/both");
	assert_string_equal(c.out, "09:03:03  203.0.113.7:40112/tcp+udp → 192.168.1.20:51413   "
				   "held, renews every 1 h\n"
				   "09:04:03  changed: outside port is now 51877 (was 40112)\n"
				   "09:04:03  removed\n");
}

static void several_mappings_are_told_apart(void **state)
{
	struct command c;

	(void)state;
	fake.steps[0] = change_address;
	fake.steps[1] = terminate;
	c = command("keep 80 81/udp");
	assert_non_null(strstr(c.out, "80/tcp changed: outside address is now 198.51.100.9 "
				      "(was 203.0.113.7)\n"));
	assert_non_null(strstr(c.out, "81/udp removed\n"));
}

static void renewals_pass_by_unless_asked_for(void **state)
{
	struct command c;

	(void)state;
	fake.steps[0] = renew;
	fake.steps[1] = terminate;
	c = command("keep 80");
	assert_null(strstr(c.out, "renewed"));
	fake_reset();
	fake.steps[0] = renew;
	fake.steps[1] = terminate;
	c = command("keep 80 -v");
	assert_non_null(strstr(c.out, "10:03:03  renewed until 12:03 (2 h)\n"));
}

static void json_is_one_event_a_line(void **state)
{
	static const char *const events[] = { "mapped", "gateway-restart", "changed", "removed" };
	struct command c;
	char *rest, *one;
	size_t count = 0;

	(void)state;
	fake.steps[0] = change_port;
	fake.steps[1] = terminate;
	c = command("keep 80 --json --name web");
	rest = c.out;
	while ((one = strsep(&rest, "\n")) != NULL && *one != '\0') {
		json_t *root = json_loads(one, 0, NULL);

		assert_non_null(root);
		assert_true(count < 4);
		assert_string_equal(json_string_value(command_at(root, "event")), events[count]);
		if (count == 2) {
			assert_int_equal(
				json_integer_value(command_at(root, "before.external_port")), 80);
			assert_string_equal(json_string_value(command_at(root, "at")),
					    "2026-11-22T09:04:03Z");
		}
		if (count == 1)
			assert_true(json_is_null(command_at(root, "mapping")));
		else
			assert_string_equal(json_string_value(command_at(root, "mapping.id")),
					    "m1");
		json_decref(root);
		count++;
	}
	assert_int_equal(count, 4);
}

static bool record_says_held(struct tenf_session *session)
{
	char *text = read_text(command_record());

	(void)session;
	assert_non_null(text);
	assert_non_null(strstr(text, " keeper="));
	assert_null(strstr(text, " keeper=0"));
	free(text);
	return true;
}

static void what_is_held_is_recorded_meanwhile(void **state)
{
	(void)state;
	fake.steps[0] = record_says_held;
	fake.steps[1] = terminate;
	assert_int_equal(command("keep 80").status, 0);
}

static void the_end_takes_no_longer_than_two_seconds_when_the_gateway_is_silent(void **state)
{
	struct command c;

	(void)state;
	fake.removal = TENF_REASON_SILENT;
	fake.steps[0] = terminate;
	fake.steps[1] = two_seconds_pass;
	c = command("keep 80");
	assert_int_equal(c.status, 4);
	assert_non_null(strstr(c.out, "not removed: The gateway does not answer. "
				      "It ends by itself in 2 h\n"));
	c = command("list");
	assert_non_null(strstr(c.out, "m1"));
	assert_non_null(strstr(c.out, "open"));
}

static void a_second_signal_ends_it_at_once(void **state)
{
	(void)state;
	fake.removal = TENF_REASON_SILENT;
	fake.steps[0] = terminate;
	fake.steps[1] = interrupt;
	assert_int_equal(command("keep 80").status, 4);
	assert_int_equal(fake.steady_ms, 0);
}

static void a_half_whose_pair_stays_silent_is_told_after_a_while(void **state)
{
	struct command c;

	(void)state;
	fake.steps[0] = lose_first;
	fake.steps[1] = two_seconds_pass;
	fake.steps[2] = terminate;
	c = command("keep 80/both");
	assert_non_null(strstr(c.out, "09:03:03  lost: The gateway does not answer.\n"));
}

static void what_was_not_held_in_the_end_is_a_failure(void **state)
{
	struct command c;

	(void)state;
	fake.ports[0] = (struct fake_port){ .reason = TENF_REASON_REFUSED, .text = "Policy." };
	fake.steps[0] = terminate;
	c = command("keep 80");
	assert_int_equal(c.status, 6);
	assert_non_null(strstr(c.out, "not mapped: Policy.\n"));
}

static int64_t fake_clock(void)
{
	return fake.now;
}

/* As another keep does; the parent of this test stands for it. */
static void keep_by_another(void)
{
	struct cli cli = { .out = stdout, .err = stderr, .now = fake_clock };
	struct leases leases;
	struct lease lease;

	(void)command("add 8080");
	assert_true(leases_open(&cli, &leases));
	assert_int_equal(leases.count, 1);
	lease = leases.items[0];
	lease.keeper = getppid();
	assert_int_equal(leases_put(&leases, &lease), 1);
	assert_true(leases_write(&cli, &leases));
	leases_done(&leases);
}

static void a_port_that_another_run_keeps_is_told(void **state)
{
	struct command c;

	(void)state;
	keep_by_another();
	fake.steps[0] = terminate;
	c = command("keep 8080");
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.err, " keeps port 8080 already; "
				      "it is closed when either ends.\n"));
	fake.steps[0] = terminate;
	c = command("keep 8080"); /* the first one took it along */
	assert_null(strstr(c.err, "already"));
}

static void the_hook_gets_what_happened_in_its_environment(void **state)
{
	struct command c;
	char *text;

	(void)state;
	snprintf(seen_path, sizeof(seen_path), "%s/seen", command_folder());
	snprintf(line, sizeof(line),
		 "keep any:51413/both --name game --on-change 'for v in EVENT NAME PROTOCOL "
		 "INTERNAL_PORT EXTERNAL_PORT EXTERNAL_ADDRESS GATEWAY EXPIRES_AT; do "
		 "eval echo $v=\\$TENFORWARD_$v >> %s; done; echo end >> %s'",
		 seen_path, seen_path);
	assert_int_equal(setenv("TENFORWARD_NAME", "of an outer hook", 1), 0);
	fake.steps[0] = hook_is_done;
	fake.steps[1] = terminate;
	c = command(line);
	assert_int_equal(c.status, 0);
	text = read_text(seen_path);
	assert_non_null(text);
	assert_string_equal(text, "EVENT=mapped\nNAME=game\nPROTOCOL=both\nINTERNAL_PORT=51413\n"
				  "EXTERNAL_PORT=40112\nEXTERNAL_ADDRESS=203.0.113.7\n"
				  "GATEWAY=192.168.1.1\nEXPIRES_AT=2026-11-22T11:03:03Z\nend\n"
				  "EVENT=removed\nNAME=game\nPROTOCOL=both\nINTERNAL_PORT=51413\n"
				  "EXTERNAL_PORT=40112\nEXTERNAL_ADDRESS=203.0.113.7\n"
				  "GATEWAY=192.168.1.1\nEXPIRES_AT=2026-11-22T11:03:03Z\nend\n");
	free(text);
	assert_non_null(strstr(c.err, ": done\n"));
	assert_int_equal(unsetenv("TENFORWARD_NAME"), 0);
}

static void a_hook_that_fails_is_told(void **state)
{
	struct command c;

	(void)state;
	fake.steps[0] = terminate;
	c = command("keep 80 -q --on-change 'exit 3'");
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.err, "exit 3: failed with exit status 3\n"));
}

static void a_hook_that_never_ends_is_ended(void **state)
{
	struct command c;

	(void)state;
	fake.steps[0] = a_minute_passes;
	fake.steps[1] = terminate;
	c = command("keep 80 --on-change 'test $TENFORWARD_EVENT = removed || kill -STOP $$'");
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.err, "takes longer than 60 s; it is ended\n"));
	assert_non_null(strstr(c.err, ": ended by signal 9\n"));
}

/* The kernel ends the stopped hook when this test, its only parent, ends. */
static void a_hook_that_outlasts_the_end_is_told(void **state)
{
	struct command c;

	(void)state;
	fake.steps[0] = terminate;
	fake.steps[1] = two_seconds_pass;
	c = command("keep 80 --on-change 'kill -STOP $$'");
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.err, "kill -STOP $$: still runs; it is left alone, "
				      "and not told of the end\n"));
}

/* Starts while an earlier hook waits for a file that comes later. */
static bool release_hook(struct tenf_session *session)
{
	char path[320];

	(void)session;
	snprintf(path, sizeof(path), "%s/go", command_folder());
	return whole_file_write(path, "", 0, 0600) == TENF_OK;
}

static void a_slow_hook_holds_up_nothing_and_gets_the_newest(void **state)
{
	char *text;

	(void)state;
	snprintf(seen_path, sizeof(seen_path), "%s/seen", command_folder());
	snprintf(line, sizeof(line),
		 "keep any:80 --on-change 'until test -e %s/go; do :; done; "
		 "echo $TENFORWARD_EVENT $TENFORWARD_EXTERNAL_PORT >> %s'",
		 command_folder(), seen_path);
	fake.steps[0] = lose_first;
	fake.steps[1] = first_comes_back;
	fake.steps[2] = change_port;
	fake.steps[3] = release_hook;
	fake.steps[4] = terminate;
	assert_int_equal(command(line).status, 0);
	text = read_text(seen_path);
	assert_non_null(text);
	/* What was lost and came back is history when the hook is free again. */
	assert_memory_equal(text, "mapped 40112\n", 13);
	assert_null(strstr(text, "lost"));
	assert_null(strstr(text + 1, "mapped"));
	assert_non_null(strstr(text, "removed 51877\n"));
	free(text);
}

static bool port_file_has_first(struct tenf_session *session)
{
	char *text = read_text(seen_path);

	(void)session;
	assert_non_null(text);
	assert_string_equal(text, "40112\n82\n");
	free(text);
	return true;
}

static bool port_file_has_second(struct tenf_session *session)
{
	char *text = read_text(seen_path);

	(void)session;
	assert_non_null(text);
	assert_string_equal(text, "0\n82\n");
	free(text);
	is_ready = true;
	return true;
}

static void the_port_file_follows_and_is_gone_at_the_end(void **state)
{
	(void)state;
	is_ready = false;
	snprintf(seen_path, sizeof(seen_path), "%s/port", command_folder());
	snprintf(line, sizeof(line), "keep any:51413/both 82 --port-file %s", seen_path);
	fake.steps[0] = port_file_has_first;
	fake.steps[1] = lose_first;
	fake.steps[2] = port_file_has_second;
	fake.steps[3] = terminate;
	(void)command(line);
	assert_true(is_ready);
	assert_null(read_text(seen_path));
}

static void a_port_file_that_cannot_be_written_is_told_once(void **state)
{
	struct command c;
	const char *at;

	(void)state;
	fake.steps[0] = change_port;
	fake.steps[1] = terminate;
	c = command("keep 80 --port-file /dev/null/port");
	at = strstr(c.err, "cannot write /dev/null/port: ");
	assert_non_null(at);
	assert_null(strstr(at + 1, "cannot write"));
}

static void a_reader_that_went_away_ends_it_and_the_ports_are_closed(void **state)
{
	struct command c;

	(void)state;
	c = command_on_full_disk("keep 80");
	assert_int_equal(c.status, 1);
	c = command("list --json");
	assert_null(strstr(c.out, "m1"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, command_setup, command_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(mappings_are_held_until_a_signal_and_then_removed),
		TEST(what_is_held_again_after_a_restart_is_told_once),
		TEST(a_restart_and_a_new_port_are_told),
		TEST(a_pair_is_told_once),
		TEST(several_mappings_are_told_apart),
		TEST(renewals_pass_by_unless_asked_for),
		TEST(json_is_one_event_a_line),
		TEST(what_is_held_is_recorded_meanwhile),
		TEST(the_end_takes_no_longer_than_two_seconds_when_the_gateway_is_silent),
		TEST(a_second_signal_ends_it_at_once),
		TEST(a_half_whose_pair_stays_silent_is_told_after_a_while),
		TEST(what_was_not_held_in_the_end_is_a_failure),
		TEST(a_port_that_another_run_keeps_is_told),
		TEST(the_hook_gets_what_happened_in_its_environment),
		TEST(a_hook_that_fails_is_told),
		TEST(a_hook_that_never_ends_is_ended),
		TEST(a_hook_that_outlasts_the_end_is_told),
		TEST(a_slow_hook_holds_up_nothing_and_gets_the_newest),
		TEST(the_port_file_follows_and_is_gone_at_the_end),
		TEST(a_port_file_that_cannot_be_written_is_told_once),
		TEST(a_reader_that_went_away_ends_it_and_the_ports_are_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
