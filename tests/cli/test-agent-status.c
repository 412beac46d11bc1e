/* SPDX-License-Identifier: MIT */
/* status, discover and the verb agent where an agent runs. */
#include "command.h"

#include <stdio.h>
#include <string.h>

#define STATUS "GET /v1/status"
#define GATEWAY                                                                          \
	"{\"address\": \"10.2.0.1\", \"port\": 5351, \"interface\": \"wg0\", \"methods\": "  \
	"[{\"name\": \"natpmp\", \"version\": 0}], \"external_address\": \"203.0.113.9\", " \
	"\"address_class\": \"public\", \"rtt_ms\": 31.5}"
#define AGENT "\"agent\": {\"running\": true, \"since\": \"2026-11-22T08:00:00Z\", \"mappings\": 3}"
#define BODY "{\"gateways\": [" GATEWAY "], " AGENT ", \"mappings\": 3}"
#define AGENT_GATEWAY "Gateway   10.2.0.1 on wg0 · NAT-PMP · answers in 31 ms\n" \
		      "Outside   203.0.113.9 (public)\n"

static void answer(const char *request, int http, const char *json)
{
	fake_agent.runs = true;
	fake_agent.answers[0] = (struct fake_answer){ request, http, json, .times = 0 };
}

static void hang(const char *request)
{
	fake_agent.runs = true;
	fake_agent.answers[0] =
		(struct fake_answer){ .request = request, .status = TENF_E_SYSTEM };
}

static void no_gateway(void)
{
	fake.status = TENF_E_FAILED;
	fake.error = (struct tenf_error){ .status = TENF_E_FAILED,
					  .reason = TENF_REASON_SILENT,
					  .result = -1,
					  .text = "No answer." };
}

static void status_tells_of_the_agent(void **state)
{
	struct command c;
	json_t *root;

	(void)state;
	(void)command("add 80");
	answer(STATUS, 200, BODY);
	c = command("status");
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.out, "Gateway   192.168.1.1 on eth0"));
	assert_non_null(strstr(c.out, "Agent     running, holds 3 mappings\n"));
	for (int i = 0; i < 2; i++) {
		c = command(i == 0 ? "status --json" : "discover --json");
		root = command_json(&c);
		assert_int_equal(c.status, 0);
		assert_true(json_is_true(command_at(root, "agent.running")));
		assert_int_equal(json_integer_value(command_at(root, "mappings")), 4);
		assert_string_equal(
			json_string_value(command_at(root, "gateways.0.address")), "192.168.1.1");
		json_decref(root);
	}
	c = command("status --json --direct");
	root = command_json(&c);
	assert_true(json_is_false(command_at(root, "agent.running")));
	json_decref(root);
}

static void quiet_status_is_a_health_check(void **state)
{
	struct command c;
	unsigned calls = fake.calls;

	(void)state;
	answer(STATUS, 200, BODY);
	no_gateway();
	c = command("status --quiet");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.out, AGENT_GATEWAY "Agent     running, holds 3 mappings\n");
	assert_string_equal(c.err, "");
	assert_int_equal(fake.calls, calls); /* the agent asks the gateway already */
	assert_int_equal(command("status").status, 4);
	hang(STATUS);
	assert_int_equal(command("status --quiet").status, 10);
	fake.status = TENF_OK;
	assert_int_equal(command("status --quiet").status, 0);
	fake_agent.runs = false;
	assert_int_equal(command("status --quiet").status, 0);
	no_gateway();
	assert_int_equal(command("status --quiet").status, 4);
}

static void an_agent_that_does_not_answer_is_told_beside_the_gateway(void **state)
{
	struct command c;

	(void)state;
	hang(STATUS);
	c = command("status --timeout 2s");
	assert_int_equal(c.status, 10);
	assert_int_equal(fake.steady_ms, 2000);
	assert_non_null(strstr(c.out, "Outside   203.0.113.7 (public)\n"
				      "Agent     cannot be asked\n"));
	assert_non_null(strstr(c.err, "did not answer in time"));
}

static void a_status_that_makes_no_sense_is_no_agent(void **state)
{
	static const char *const all[] = {
		"null", "[]", "{}", "{\"gateways\": [], \"agent\": {}, \"mappings\": 1}",
		"{\"gateways\": 7, " AGENT ", \"mappings\": 1}",
		"{\"gateways\": [7], " AGENT ", \"mappings\": 1}",
		"{\"gateways\": [{\"address\": \"x\"}], " AGENT ", \"mappings\": 1}",
		"{\"gateways\": [], " AGENT ", \"mappings\": -1}",
		"{\"gateways\": [], " AGENT "}",
		"{\"gateways\": [], \"agent\": {\"running\": false}, \"mappings\": 0}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct command c;

		answer(STATUS, 200, all[i]);
		c = command("agent status");
		assert_int_equal(c.status, 10);
		assert_non_null(strstr(c.err, "is no agent"));
		assert_int_equal(command("status --json").status, 10);
	}
}

static void agent_status_shows_what_the_agent_says(void **state)
{
	struct command c;
	json_t *root, *wanted = json_loads(BODY, 0, NULL);

	(void)state;
	answer(STATUS, 200, BODY);
	c = command("agent status");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.out, "Agent     running, holds 3 mappings, since 08:00\n"
				   AGENT_GATEWAY);
	c = command("agent status --json");
	root = command_json(&c);
	assert_true(json_equal(root, wanted));
	json_decref(root);
	json_decref(wanted);
	assert_int_equal(fake.calls, 0);
}

static void reload_tells_what_is_wrong(void **state)
{
	struct command c;

	(void)state;
	answer("POST /v1/reload", 204, NULL);
	c = command("agent reload");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.err, "The new configuration is in force.\n");
	answer("POST /v1/reload", 422, "{\"error\": {\"code\": \"configuration\", \"text\": "
				       "\"agent.conf:3: no \\u001b[31m key\"}}");
	c = command("agent reload");
	assert_int_equal(c.status, 2);
	assert_string_equal(c.err, "tenforward: the agent did not do it: "
				   "agent.conf:3: no ?[31m key\n");
}

static void the_verb_agent_needs_an_agent(void **state)
{
	struct command c;

	(void)state;
	c = command("agent status");
	assert_int_equal(c.status, 10);
	assert_string_equal(c.err, "tenforward: no agent is running; start tenforwardd, or name "
				   "its --socket\n");
	assert_int_equal(command("agent reload").status, 10);
	assert_int_equal(command("agent reload --direct").status, 2);
	assert_int_equal(command("agent").status, 2);
	assert_int_equal(command("agent stop").status, 2);
	assert_int_equal(command("agent reload agent.conf").status, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, command_setup, command_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(status_tells_of_the_agent),
		TEST(quiet_status_is_a_health_check),
		TEST(an_agent_that_does_not_answer_is_told_beside_the_gateway),
		TEST(a_status_that_makes_no_sense_is_no_agent),
		TEST(agent_status_shows_what_the_agent_says),
		TEST(reload_tells_what_is_wrong),
		TEST(the_verb_agent_needs_an_agent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
