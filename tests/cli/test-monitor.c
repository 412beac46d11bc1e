/* SPDX-License-Identifier: MIT */
#include "command.h"

#include "cli/leases.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int64_t fake_clock(void)
{
	return fake.now;
}

/* What another run of the command does to the record meanwhile. */
static void change_record(uint16_t external_port, int64_t expires_at)
{
	struct cli cli = { .out = stdout, .err = stderr, .now = fake_clock };
	struct lease lease = {
		.name = "web",
		.mapping = { .protocol = TENF_TCP,
			     .method = TENF_METHOD_PCP,
			     .internal_port = 8080,
			     .external_port = external_port,
			     .gateway_port = 5351,
			     .lifetime_s = 7200,
			     .expires_at = expires_at,
			     .internal_address = "192.168.1.20",
			     .external_address = "203.0.113.7",
			     .gateway = "192.168.1.1" },
	};
	struct leases leases;

	assert_true(leases_open(&cli, &leases));
	if (external_port == 0)
		leases_drop(&leases, 1);
	else
		assert_int_equal(leases_put(&leases, &lease), 1);
	assert_true(leases_write(&cli, &leases));
	leases_done(&leases);
}

static bool pause_once(struct tenf_session *session)
{
	(void)session;
	return true;
}

static bool a_second_passes(struct tenf_session *session)
{
	(void)session;
	fake.steady_ms += 1000;
	return true;
}

static bool open_port(struct tenf_session *session)
{
	(void)session;
	change_record(80, fake.now + 7200);
	return true;
}

static bool change_port(struct tenf_session *session)
{
	(void)session;
	change_record(81, fake.now + 7200);
	return true;
}

static bool renew_port(struct tenf_session *session)
{
	(void)session;
	fake.now += 60;
	change_record(81, fake.now + 7200);
	return true;
}

static bool close_port(struct tenf_session *session)
{
	(void)session;
	change_record(0, 0);
	return true;
}

static bool let_time_pass(struct tenf_session *session)
{
	(void)session;
	fake.now += 7200;
	return true;
}

static bool find_gateway(struct tenf_session *session)
{
	fake_gateway_event(session, TENF_EVENT_GATEWAY);
	fake_gateway_event(session, TENF_EVENT_ADDRESS);
	return true;
}

static bool restart(struct tenf_session *session)
{
	fake_gateway_event(session, TENF_EVENT_GATEWAY_RESTART);
	return true;
}

static bool terminate(struct tenf_session *session)
{
	(void)session;
	return kill(getpid(), SIGTERM) == 0;
}

static void the_gateway_is_watched(void **state)
{
	struct command c;

	(void)state;
	fake.steps[0] = find_gateway;
	fake.steps[1] = restart;
	c = command("monitor --count 3");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.out, "09:03:03  gateway 192.168.1.1 on eth0 · PCP and NAT-PMP · "
				   "answers in 0.8 ms · up 3 days\n"
				   "09:03:03  outside address is 203.0.113.7 (public)\n"
				   "09:03:03  gateway restarted; what it held may be gone\n");
	assert_true(fake.options.watch);
	assert_true(fake.options.announcements);
	assert_int_equal(fake.request_count, 0);
}

static void what_other_runs_do_is_told(void **state)
{
	struct command c;

	(void)state;
	/* Between two changes the record is looked at. */
	fake.steps[0] = open_port;
	fake.steps[1] = pause_once;
	fake.steps[2] = change_port;
	fake.steps[3] = pause_once;
	fake.steps[4] = renew_port;
	fake.steps[5] = pause_once;
	fake.steps[6] = close_port;
	c = command("monitor --count 4");
	assert_int_equal(c.status, 0);
	assert_string_equal(
		c.out,
		"09:03:03  m1  203.0.113.7:80/tcp → 192.168.1.20:8080   open until 11:03 (2 h)\n"
		"09:03:03  m1  changed: outside port is now 81 (was 80)\n"
		"09:04:03  m1  renewed until 11:04 (2 h)\n"
		"09:04:03  m1  removed\n");
}

static void a_lease_that_ends_is_lost(void **state)
{
	struct command c;
	json_t *root;

	(void)state;
	(void)command("add 8080 --name web");
	fake.steps[0] = let_time_pass;
	c = command("monitor --json --count 1");
	root = command_json(&c);
	assert_string_equal(json_string_value(command_at(root, "event")), "lost");
	assert_string_equal(json_string_value(command_at(root, "mapping.id")), "m1");
	assert_string_equal(json_string_value(command_at(root, "mapping.name")), "web");
	assert_string_equal(json_string_value(command_at(root, "mapping.state")), "lost");
	assert_string_equal(json_string_value(command_at(root, "before.state")), "mapped");
	json_decref(root);
}

static void gateway_events_as_json_carry_the_gateway(void **state)
{
	struct command c;
	json_t *root;
	char *second;

	(void)state;
	fake.steps[0] = find_gateway;
	c = command("monitor --json --count 2");
	second = strchr(c.out, '\n');
	assert_non_null(second);
	root = json_loads(second, 0, NULL);
	assert_non_null(root);
	assert_string_equal(json_string_value(command_at(root, "event")), "address");
	assert_string_equal(json_string_value(command_at(root, "gateway.address")), "192.168.1.1");
	assert_string_equal(json_string_value(command_at(root, "external_address")),
			    "203.0.113.7");
	assert_true(json_is_null(command_at(root, "external_address_before")));
	assert_true(json_is_null(command_at(root, "mapping")));
	json_decref(root);
}

static void a_signal_or_the_time_ends_it(void **state)
{
	(void)state;
	fake.steps[0] = terminate;
	assert_int_equal(command("monitor").status, 0);
	fake.steps[0] = a_second_passes;
	assert_int_equal(command("monitor --for 1s").status, 0);
	assert_int_equal(fake.freed, 2);
}

static void a_full_disk_ends_it_with_a_failure(void **state)
{
	(void)state;
	fake.steps[0] = find_gateway;
	assert_int_equal(command_on_full_disk("monitor").status, 1);
}

static void a_gateway_that_is_silent_or_missing_is_told(void **state)
{
	struct command c;

	(void)state;
	fake.gateway.spoken_count = 0;
	fake.gateway.epoch_s = fake.gateway.rtt_us = -1;
	fake.gateway.up_since = 0;
	fake.gateway.error = (struct tenf_error){ .reason = TENF_REASON_SILENT, .result = -1 };
	fake.steps[0] = find_gateway;
	c = command("monitor --count 1");
	assert_string_equal(c.out, "09:03:03  gateway 192.168.1.1 on eth0: "
				   "The gateway does not answer.\n");
	fake.gateway = (struct tenf_gateway){ .error = { .reason = TENF_REASON_NO_GATEWAY } };
	c = command("monitor --count 1");
	assert_string_equal(c.out, "09:03:03  no gateway: No gateway was found.\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, command_setup, command_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_gateway_is_watched),
		TEST(what_other_runs_do_is_told),
		TEST(a_lease_that_ends_is_lost),
		TEST(gateway_events_as_json_carry_the_gateway),
		TEST(a_signal_or_the_time_ends_it),
		TEST(a_gateway_that_is_silent_or_missing_is_told),
		TEST(a_full_disk_ends_it_with_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
