/* SPDX-License-Identifier: MIT */
/* gateway: what an administrator sees and asks. */
#include "command.h"

#include <stdio.h>
#include <string.h>

#define LIST "GET /v1/mappings"
#define FAULTS "GET /v1/faults"
#define HELD(id, client, port, more)                                                         \
	"{\"id\": \"" id "\", \"protocol\": \"tcp\", \"internal_address\": \"192.168.1.44\", " \
	"\"internal_port\": 9000, \"external_address\": \"203.0.113.7\", \"external_port\": " \
	port ", \"state\": \"mapped\", \"method\": \"natpmp\", \"source\": \"gateway\", "     \
	"\"expires_at\": \"2026-11-22T09:15:03Z\", \"made_at\": \"2026-11-20T09:00:00Z\", "    \
	"\"client\": \"" client "\"" more "}"
#define RULE ", \"rule\": {\"number\": 3, \"name\": \"lan\", \"action\": \"allow\"}"

static void answer(size_t at, const char *request, int http, const char *json)
{
	fake_agent.runs = true;
	fake_agent.daemon = REMOTE_GATEWAY;
	fake_agent.answers[at] =
		(struct fake_answer){ .request = request, .http = http, .json = json };
}

static void list_shows_client_ports_rule_and_times(void **state)
{
	static const char table[] =
		"ID  CLIENT        OUTSIDE               INSIDE             VIA      OPEN FOR  "
		"EXPIRES    RULE\n"
		"m9  192.168.1.7   203.0.113.7:80/tcp    192.168.1.44:9000  NAT-PMP  2 days    "
		"in 12 min  -\n"
		"m1  192.168.1.44  203.0.113.7:9000/tcp  9000               NAT-PMP  2 days    "
		"in 12 min  3 allow lan\n";
	struct command c;
	json_t *root;

	(void)state;
	answer(0, LIST, 200, "{\"mappings\": [" HELD("m1", "192.168.1.44", "9000", RULE) ", "
			      HELD("m9", "192.168.1.7", "80", "") "]}");
	c = command("gateway list");
	assert_string_equal(c.out, table);
	assert_int_equal(c.status, 0);
	c = command("gateway list --json");
	root = command_json(&c);
	assert_string_equal(json_string_value(command_at(root, "mappings.0.rule.name")), "lan");
	json_decref(root);
	assert_int_equal(fake_agent.open, 0);
}

static void an_empty_gateway_says_so(void **state)
{
	struct command c;

	(void)state;
	answer(0, LIST, 200, "{\"mappings\": []}");
	c = command("gateway list");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.out, "");
	assert_string_equal(c.err, "No host has a port open.\n");
}

static void without_a_daemon_it_is_exit_status_10(void **state)
{
	struct command c;

	(void)state;
	fake_agent.daemon = REMOTE_GATEWAY;
	c = command("gateway list");
	assert_int_equal(c.status, 10);
	assert_non_null(strstr(c.err, "no gateway daemon is running here; start "
				      "tenforward-gatewayd, or name its --socket"));
	c = command("--socket /tmp/x.sock gateway list");
	assert_int_equal(c.status, 10);
	assert_non_null(strstr(c.err, "no gateway daemon answers at /tmp/x.sock"));
	fake_agent.open_status = TENF_E_SYSTEM;
	c = command("gateway list");
	assert_int_equal(c.status, 10);
	assert_non_null(strstr(c.err, "you may not use the socket"));
}

static void what_is_no_gateway_is_told(void **state)
{
	static const char *const bodies[] = { "{}", "{\"mappings\": 1}", "{\"mappings\": [7]}",
					      "{\"mappings\": [{\"id\": \"M/1\"}]}" };

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(bodies); i++) {
		struct command c;

		answer(0, LIST, 200, bodies[i]);
		c = command("gateway list");
		assert_int_equal(c.status, 10);
		assert_non_null(strstr(c.err, "is no gateway daemon: "));
	}
}

static void faults_are_sent_as_written_and_shown(void **state)
{
	struct command c;

	(void)state;
	answer(0, "PUT /v1/faults", 204, NULL);
	answer(1, FAULTS, 200, "{\"loss\": 0.3, \"delay\": 0.2, \"ignore\": \"pcp\", "
			       "\"refuse\": 0.0, \"reboot_every\": 600}");
	c = command("gateway fault loss=30% delay=200ms Ignore=pcp");
	assert_int_equal(c.status, 0);
	assert_string_equal(fake_agent.asked[0], "PUT /v1/faults {\"Ignore\": \"pcp\", "
						 "\"delay\": \"200ms\", \"loss\": \"30%\"}");
	assert_string_equal(c.out, "loss: 30%\ndelay: 0.2 s\nignore: pcp\nreboot_every: 600 s\n");
	fake_agent.asked_count = 0;
	c = command("gateway fault none");
	assert_string_equal(fake_agent.asked[0], "PUT /v1/faults {}");
	fake_agent.asked_count = 0;
	c = command("gateway fault --json");
	assert_string_equal(fake_agent.asked[0], FAULTS);
	assert_non_null(strstr(c.out, "\"loss\": 0.3"));
	answer(1, FAULTS, 200, "{\"loss\": 0}");
	c = command("gateway fault");
	assert_string_equal(c.out, "");
	assert_string_equal(c.err, "The gateway makes no mistakes on purpose.\n");
}

static void faults_that_are_none_are_refused(void **state)
{
	static const char *const words[] = { "loss", "=3", "loss=1% loss=2%",
					     "a_key_that_is_longer_than_any_key_is=1" };
	struct command c;

	(void)state;
	answer(0, "PUT /v1/faults", 409,
	       "{\"error\": {\"code\": \"conflict\", \"text\": \"It serves people.\"}}");
	for (size_t i = 0; i < TENF_ARRAY_SIZE(words); i++) {
		char line[100];

		(void)snprintf(line, sizeof(line), "gateway fault %s", words[i]);
		c = command(line);
		assert_int_equal(c.status, 2);
		assert_int_equal(fake_agent.asked_count, 0);
	}
	c = command("gateway fault loss=1%");
	assert_int_equal(c.status, 1);
	assert_non_null(strstr(c.err, "It serves people."));
}

static void a_word_that_is_none_is_usage(void **state)
{
	struct command c;

	(void)state;
	fake_agent.daemon = REMOTE_GATEWAY;
	c = command("gateway lst");
	assert_int_equal(c.status, 2);
	assert_non_null(strstr(c.err, "there is no \"lst\""));
	c = command("gateway list all");
	assert_int_equal(c.status, 2);
	assert_non_null(strstr(c.err, "gateway list takes nothing more"));
	c = command("gateway");
	assert_int_equal(c.status, 2);
	assert_int_equal(fake_agent.looks, 0);
	c = command("completion bash");
	assert_non_null(strstr(c.out, "list fault check-config\" ;;"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, command_setup, command_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(list_shows_client_ports_rule_and_times),
		TEST(an_empty_gateway_says_so),
		TEST(without_a_daemon_it_is_exit_status_10),
		TEST(what_is_no_gateway_is_told),
		TEST(faults_are_sent_as_written_and_shown),
		TEST(faults_that_are_none_are_refused),
		TEST(a_word_that_is_none_is_usage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
