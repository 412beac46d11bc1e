/* SPDX-License-Identifier: MIT */
/* monitor where an agent runs: its events, told once, and its going away. */
#include "command.h"

#include <stdio.h>
#include <string.h>

#define MAPPING(port)                                                                        \
	"{\"id\": \"m7t\", \"protocol\": \"tcp\", \"internal_address\": \"10.2.0.2\", "        \
	"\"internal_port\": 51413, \"external_address\": \"203.0.113.9\", "                   \
	"\"external_port\": " port ", \"lifetime\": 60, \"state\": \"mapped\", "              \
	"\"expires_at\": \"2026-11-22T09:04:03Z\", \"renews_at\": \"2026-11-22T09:03:33Z\"}"
#define MAPPED                                                                              \
	"{\"event\": \"mapped\", \"at\": \"2026-11-22T09:03:03Z\", \"mapping\": "             \
	MAPPING("40112") ", \"before\": null}"
#define CHANGED                                                                             \
	"{\"event\": \"changed\", \"at\": \"2026-11-22T09:03:05Z\", \"mapping\": "            \
	MAPPING("51877") ", \"before\": " MAPPING("40112") "}"
#define OF_GATEWAY(kind, address)                                                           \
	"{\"event\": \"" kind "\", \"at\": \"2026-11-22T09:03:03Z\", \"mapping\": null, "     \
	"\"before\": null, \"gateway\": {\"address\": \"" address "\", \"port\": 5351}}"

static bool find_gateway(struct tenf_session *session)
{
	fake_gateway_event(session, TENF_EVENT_GATEWAY);
	return true;
}

static bool seconds_pass(struct tenf_session *session)
{
	(void)session;
	fake.steady_ms += 1000;
	return true;
}

static void its_events_are_told(void **state)
{
	struct command c;
	json_t *root, *wanted = json_loads(MAPPED, 0, NULL);

	(void)state;
	fake_agent.runs = true;
	fake_agent.events[0] = MAPPED;
	fake_agent.events[1] = CHANGED;
	c = command("monitor --count 2");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.out,
			    "09:03:03  m7t  203.0.113.9:40112/tcp → 10.2.0.2:51413   held, "
			    "renews every 30 s\n"
			    "09:03:05  m7t  changed: outside port is now 51877 (was 40112)\n");
	assert_string_equal(fake_agent.last_id, "");
	fake_agent.event = 0;
	c = command("monitor --count 1 --json");
	root = command_json(&c);
	assert_true(json_equal(root, wanted));
	json_decref(root);
	json_decref(wanted);
	assert_int_equal(fake_agent.open, 0);
}

static void a_gateway_both_watch_is_told_of_once(void **state)
{
	struct command c;

	(void)state;
	fake_agent.runs = true;
	fake_agent.events[0] = OF_GATEWAY("gateway-restart", "192.168.1.1");
	fake_agent.events[1] = OF_GATEWAY("gateway-restart", "10.2.0.1");
	fake.steps[0] = find_gateway;
	c = command("monitor --count 2");
	assert_non_null(strstr(c.out, "gateway 192.168.1.1 on eth0"));
	assert_non_null(strstr(c.out, "09:03:03  agent  gateway restarted; asking again\n"));
	assert_int_equal(fake_agent.event, 2);
}

static void events_it_cannot_read_are_skipped_or_handed_on(void **state)
{
	struct command c;

	(void)state;
	fake_agent.runs = true;
	fake_agent.events[0] = "{\"event\": \"pending\", \"at\": null, \"pending\": {}}";
	fake_agent.events[1] = "{\"event\": \"mapped\", \"mapping\": 7}";
	fake_agent.events[2] = "{}";
	fake_agent.events[3] = MAPPED;
	c = command("monitor --count 1");
	assert_int_equal(fake_agent.event, 4);
	assert_non_null(strstr(c.out, "m7t"));
	fake_agent.event = 0;
	c = command("monitor --count 1 --json");
	assert_int_equal(fake_agent.event, 1);
	assert_non_null(strstr(c.out, "pending"));
}

static void it_is_looked_for_again_and_asked_for_what_was_missed(void **state)
{
	struct command c;

	(void)state;
	fake_agent.runs = true;
	fake_agent.events[0] = MAPPED;
	fake_agent.events[1] = "";
	fake_agent.events[2] = CHANGED;
	for (size_t i = 0; i < FAKE_STEPS; i++)
		fake.steps[i] = seconds_pass;
	c = command("monitor --count 2");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.err,
			    "The agent went away; looking for it again.\nThe agent is back.\n");
	assert_int_equal(fake_agent.streams, 2);
	assert_string_equal(fake_agent.last_id, "1");
	assert_non_null(strstr(c.out, "51877"));
	assert_int_equal(fake_agent.open, 0);
}

static void one_that_cannot_be_followed_is_told(void **state)
{
	struct command c;

	(void)state;
	fake_agent.runs = true;
	fake_agent.stream_status = TENF_E_SYSTEM;
	c = command("monitor --count 1");
	assert_int_equal(c.status, 10);
	assert_string_equal(c.err, "tenforward: the agent at /run/tenforward/agent.sock cannot be "
				   "followed: no events; --direct does without it\n");
	assert_int_equal(fake_agent.open, 0);
	fake.steps[0] = find_gateway;
	assert_int_equal(command("monitor --count 1 --direct").status, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, command_setup, command_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(its_events_are_told),
		TEST(a_gateway_both_watch_is_told_of_once),
		TEST(events_it_cannot_read_are_skipped_or_handed_on),
		TEST(it_is_looked_for_again_and_asked_for_what_was_missed),
		TEST(one_that_cannot_be_followed_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
