/* SPDX-License-Identifier: MIT */
/* add where an agent runs; what the agent may answer, and what it must not. */
#include "command.h"

#include <string.h>

#define POST "POST /v1/mappings"
#define TAIL ", \"internal_address\": \"192.168.1.20\", \"external_address\": \"203.0.113.7\", " \
	     "\"lifetime\": 7200, \"renews_at\": \"2026-11-22T10:03:03Z\", \"source\": \"agent\"}"
#define MADE(id, protocol, inside, outside, state)                                    \
	"{\"id\": \"" id "\", \"protocol\": \"" protocol "\", \"internal_port\": " inside \
	", \"external_port\": " outside ", \"state\": \"" state "\"" TAIL
#define ASKING(id, protocol, inside)                                                  \
	"{\"id\": \"" id "\", \"protocol\": \"" protocol "\", \"internal_port\": " inside \
	", \"requested_external_port\": " inside ", \"state\": \"asking\"}"
#define REFUSED(id, code)                                                             \
	"{\"id\": \"" id "\", \"protocol\": \"tcp\", \"internal_port\": 666, "             \
	"\"state\": \"refused\", \"error\": {\"code\": \"" code                              \
	"\", \"result\": 2, \"text\": \"Policy.\"}}"
#define LIST(items) "{\"mappings\": [" items "]}"

static void answer(size_t at, const char *request, int http, const char *json)
{
	fake_agent.runs = true;
	fake_agent.answers[at] = (struct fake_answer){ request, http, json, .times = 0 };
}

static void answer_once(size_t at, const char *request, int http, const char *json)
{
	answer(at, request, http, json);
	fake_agent.answers[at].times = 1;
}

static void an_agent_keeps_what_is_added_and_that_is_said(void **state)
{
	struct command c;

	(void)state;
	answer(0, POST, 201, LIST(MADE("m7", "tcp", "8080", "80", "mapped")));
	c = command("add 80:8080 --name web");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.out, "203.0.113.7:80/tcp → 192.168.1.20:8080   web   "
				   "held by the agent, renews in 1 h\n");
	assert_string_equal(c.err, "");
	assert_int_equal(fake_agent.asked_count, 1);
	assert_string_equal(fake_agent.asked[0],
			    POST " {\"forward\": \"80:8080\", \"name\": \"web\"}");
	assert_int_equal(fake.calls, 0); /* the gateway is the agent's business */
	assert_int_equal(fake_agent.open, 0);
	c = command("list --direct");
	assert_string_equal(c.out, "");
}

static void what_was_said_on_the_command_line_is_handed_on(void **state)
{
	(void)state;
	answer(0, POST, 201, LIST(MADE("m7", "tcp", "8080", "80", "mapped")));
	(void)command("add 80:8080 --lifetime 10m --exact --for 192.168.1.31 -g 192.0.2.1:5399 "
		      "-i wg0 --method pcp");
	assert_string_equal(fake_agent.asked[0],
			    POST " {\"exact\": true, \"for\": \"192.168.1.31\", \"forward\": "
				 "\"80:8080\", \"gateway\": \"192.0.2.1:5399\", \"interface\": "
				 "\"wg0\", \"lifetime\": 600, \"method\": \"pcp\"}");
	assert_int_equal(command("add 80 --source 192.168.1.20").status, 2);
	assert_int_equal(fake_agent.asked_count, 1);
	(void)command("add 80:8080 --through");
	assert_string_equal(fake_agent.asked[1],
			    POST " {\"forward\": \"80:8080\", \"through\": true}");
}

static void the_verdict_is_waited_for(void **state)
{
	struct command c;

	(void)state;
	answer(0, POST, 201, LIST(ASKING("m7t", "tcp", "80") ", " ASKING("m7u", "udp", "80")));
	answer_once(1, "GET /v1/mappings/m7t", 200,
		    LIST(MADE("m7t", "tcp", "80", "81", "mapped") ", " ASKING("m7u", "udp", "80")));
	answer_once(2, "GET /v1/mappings/m7u", 200,
		    LIST(MADE("m7t", "tcp", "80", "81", "mapped") ", " ASKING("m7u", "udp", "80")));
	answer(3, "GET /v1/mappings/m7u", 200,
	       LIST(MADE("m7t", "tcp", "80", "81", "mapped") ", "
		    MADE("m7u", "udp", "80", "81", "mapped")));
	c = command("add 80/both");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.out, "203.0.113.7:81/tcp → 192.168.1.20:80   held by the agent, "
				   "renews in 1 h\n"
				   "203.0.113.7:81/udp → 192.168.1.20:80   held by the agent, "
				   "renews in 1 h\n");
	assert_int_equal(fake_agent.asked_count, 4);
}

static void without_a_verdict_in_time_it_is_silence_and_the_agent_goes_on(void **state)
{
	struct command c;
	json_t *root;

	(void)state;
	answer(0, POST, 201, LIST(ASKING("m7", "tcp", "80")));
	answer(1, "GET /v1/mappings/m7", 200, LIST(ASKING("m7", "tcp", "80")));
	c = command("add 80 --timeout 2s");
	assert_int_equal(c.status, 4);
	assert_string_equal(c.out, "");
	assert_string_equal(c.err, "No answer from the gateway within 2 s.\n"
				   "The agent goes on asking. Give it up with: "
				   "tenforward remove m7\n");
	assert_int_equal(fake.steady_ms, 2000);
	assert_in_range(fake_agent.asked_count, 3, 30);
	c = command("add 80 --timeout 2s --json");
	root = command_json(&c);
	assert_string_equal(json_string_value(command_at(root, "mappings.0.error.code")), "silent");
	json_decref(root);
}

static void each_reason_keeps_its_exit_status(void **state)
{
	struct command c;

	(void)state;
	answer(0, POST, 201, LIST(REFUSED("m7", "refused")));
	c = command("add 666");
	assert_int_equal(c.status, 6);
	assert_non_null(strstr(c.err, "Policy.\n"));
	answer(0, POST, 201, LIST(REFUSED("m7", "resources")));
	assert_int_equal(command("add 666").status, 7);
	answer(0, POST, 201, LIST(REFUSED("m7", "other-port")));
	assert_int_equal(command("add 666 --exact").status, 9);
	answer(0, POST, 429, "{\"error\": {\"code\": \"limit\", \"text\": \"Too many.\"}}");
	c = command("add 666");
	assert_int_equal(c.status, 7);
	assert_string_equal(c.err,
			    "tenforward: the agent did not do it: Too many.\n");
	answer(0, POST, 400, "{\"error\": {\"code\": \"argument\", \"text\": \"No.\"}}");
	assert_int_equal(command("add 666").status, 2);
	answer(0, POST, 500, "{}");
	c = command("add 666");
	assert_int_equal(c.status, 1);
	assert_non_null(strstr(c.err, "did not do it: it gave no reason (HTTP status 500)"));
}

static void other_ports_and_shorter_leases_are_told_as_without_an_agent(void **state)
{
	struct command c;

	(void)state;
	answer(0, POST, 201,
	       LIST("{\"id\": \"m7\", \"protocol\": \"tcp\", \"internal_port\": 22, "
		    "\"external_port\": 49221, \"requested_external_port\": 22, \"lifetime\": 60, "
		    "\"state\": \"mapped\", \"external_address\": \"10.0.0.1\"}"));
	c = command("add 22");
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.err, "The gateway gave 49221 instead of 22."));
	assert_non_null(strstr(c.err, "The gateway grants 1 min where 2 h was asked for."));
	assert_non_null(strstr(c.err, "not reachable from the internet"));
}

static void who_removes_it_meanwhile_is_noticed(void **state)
{
	struct command c;

	(void)state;
	answer(0, POST, 201, LIST(ASKING("m7", "tcp", "80")));
	c = command("add 80");
	assert_int_equal(c.status, 1);
	assert_string_equal(c.err, "Somebody removed it meanwhile.\n");
}

static void direct_and_no_agent_ask_the_gateway(void **state)
{
	struct command c;

	(void)state;
	answer(0, POST, 201, LIST(MADE("m7", "tcp", "8080", "80", "mapped")));
	c = command("add 80 --direct");
	assert_int_equal(c.status, 0);
	assert_int_equal(fake_agent.looks, 0);
	assert_int_equal(fake.calls, 1);
	fake_agent.runs = false;
	c = command("add 81");
	assert_int_equal(c.status, 0);
	assert_int_equal(fake_agent.looks, 1);
	assert_string_equal(fake_agent.where, "");
	assert_non_null(strstr(c.err, "Nothing renews this."));
	fake_agent.open_status = TENF_E_SYSTEM; /* an agent of others */
	c = command("add 81");
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.err, "The agent is left out: you may not use the socket.\n"));
}

static void a_socket_that_is_named_must_have_an_agent(void **state)
{
	static const char *const all[] = { "add 80", "list", "status", "remove m1",
					   "monitor", "agent status" };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		char line[64];
		struct command c;

		strcpy(line, all[i]);
		strcat(line, " --socket /nowhere");
		c = command(line);
		assert_int_equal(c.status, 10);
		assert_string_equal(c.err, "tenforward: no agent answers at /nowhere; start "
					   "tenforwardd, or leave --socket out\n");
		assert_string_equal(fake_agent.where, "/nowhere");
	}
	assert_int_equal(fake.calls, 0);
}

static void an_agent_that_hangs_is_given_up(void **state)
{
	struct command c;

	(void)state;
	fake_agent.runs = true;
	fake_agent.answers[0] = (struct fake_answer){ .request = POST, .status = TENF_E_SYSTEM };
	c = command("add 80 --timeout 3s");
	assert_int_equal(c.status, 10);
	assert_int_equal(fake.steady_ms, 3000);
	assert_string_equal(c.err, "tenforward: the agent at /run/tenforward/agent.sock cannot be "
				   "asked: the daemon did not answer in time; --direct does "
				   "without it\n");
	/* It took the wish, and hangs then. */
	fake.steady_ms = 0;
	answer(0, POST, 201, LIST(ASKING("m7", "tcp", "80")));
	fake_agent.answers[1] =
		(struct fake_answer){ .request = "GET /v1/mappings/m7", .status = TENF_E_SYSTEM };
	c = command("add 80 --timeout 3s");
	assert_int_equal(c.status, 10);
	assert_int_equal(fake.steady_ms, 3000);
	assert_int_equal(fake_agent.open, 0);
}

static void junk_is_no_agent(void **state)
{
	static const char *const all[] = {
		"null", "[]", "{}", "7", "{\"mappings\": 7}", "{\"mappings\": {}}",
		LIST("7"), LIST("{}"), LIST(""),
		LIST(MADE("", "tcp", "80", "80", "mapped")),
		LIST(MADE("../m7", "tcp", "80", "80", "mapped")),
		LIST(MADE("M7", "tcp", "80", "80", "mapped")),
		LIST(MADE("m7", "icmp", "80", "80", "mapped")),
		LIST(MADE("m7", "tcp", "70000", "80", "mapped")),
		LIST(MADE("m7", "tcp", "80", "-1", "mapped")),
		LIST(MADE("m7", "tcp", "80", "80", "open")),
		LIST(MADE("m7", "tcp", "80", "80", "mapped") ", "
		     MADE("m8", "tcp", "80", "80", "mapped") ", "
		     MADE("m9", "tcp", "80", "80", "mapped")),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct command c;

		answer(0, POST, 201, all[i]);
		c = command("add 80");
		assert_int_equal(c.status, 10);
		assert_non_null(strstr(c.err, "what answers at /run/tenforward/agent.sock is no "
					      "agent: "));
		assert_string_equal(c.out, "");
	}
	assert_int_equal(fake_agent.open, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, command_setup, command_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_agent_keeps_what_is_added_and_that_is_said),
		TEST(what_was_said_on_the_command_line_is_handed_on),
		TEST(the_verdict_is_waited_for),
		TEST(without_a_verdict_in_time_it_is_silence_and_the_agent_goes_on),
		TEST(each_reason_keeps_its_exit_status),
		TEST(other_ports_and_shorter_leases_are_told_as_without_an_agent),
		TEST(who_removes_it_meanwhile_is_noticed),
		TEST(direct_and_no_agent_ask_the_gateway),
		TEST(a_socket_that_is_named_must_have_an_agent),
		TEST(an_agent_that_hangs_is_given_up),
		TEST(junk_is_no_agent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
