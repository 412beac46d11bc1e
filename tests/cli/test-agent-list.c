/* SPDX-License-Identifier: MIT */
/* list where an agent runs: its mappings and the recorded leases. */
#include "command.h"

#include <stdio.h>
#include <string.h>

#define LIST "GET /v1/mappings"
#define HELD(id, name, protocol, more)                                                           \
	"{\"id\": \"" id "\", \"name\": " name ", \"protocol\": \"" protocol "\", "             \
	"\"internal_address\": \"192.168.1.20\", \"internal_port\": 25565, "                    \
	"\"external_address\": \"203.0.113.7\", \"external_port\": 25565, " \
	"\"state\": \"mapped\", " \
	"\"expires_at\": \"2026-11-22T09:15:03Z\", \"method\": \"pcp\", "                     \
	"\"source\": \"agent\"" more "}"
#define REFUSED(id, port, text)                                                                 \
	"{\"id\": \"" id "\", \"protocol\": \"tcp\", \"internal_port\": " port                  \
	", \"state\": \"refused\", \"source\": \"agent\", \"error\": {\"code\": \"refused\", " \
	"\"result\": 2, \"text\": \"" text "\"}}"
#define CONFIRMED ", \"delivery\": {\"state\": \"confirmed\", \"at\": \"2026-11-22T09:00:00Z\"}"

static void answer(const char *json)
{
	fake_agent.runs = true;
	fake_agent.answers[0] = (struct fake_answer){ .request = LIST, .http = 200, .json = json };
}

static void agent_and_leases_are_one_table(void **state)
{
	static const char table[] =
		"ID  NAME  OUTSIDE                 INSIDE              STATE    EXPIRES    VIA  "
		"SOURCE\n"
		"m1  game  203.0.113.7:25565/both  192.168.1.20:25565  held     in 12 min  PCP  "
		"agent\n"
		"m2  -     any/tcp                 port 666            refused  -          -    "
		"agent\n"
		"m1  web   203.0.113.7:80/tcp      192.168.1.20:8080   open     in 2 h     PCP  "
		"lease\n";
	struct command c;
	json_t *root;

	(void)state;
	(void)command("add 80:8080 --name web");
	answer("{\"mappings\": [" HELD("m1t", "\"game\"", "tcp", "") ", "
	       HELD("m1u", "\"game\"", "udp", "") ", " REFUSED("m2", "666", "Policy.") "]}");
	c = command("list");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.out, table);
	assert_string_equal(c.err, "m2: Policy.\n");
	c = command("list --json");
	root = command_json(&c);
	assert_int_equal(json_array_size(command_at(root, "mappings")), 4);
	assert_string_equal(json_string_value(command_at(root, "mappings.0.source")), "agent");
	assert_string_equal(json_string_value(command_at(root, "mappings.3.source")), "lease");
	json_decref(root);
	c = command("list --direct");
	assert_null(strstr(c.out, "agent"));
	assert_int_equal(fake_agent.open, 0);
}

static void who_was_told_is_a_column_of_its_own(void **state)
{
	struct command c;
	json_t *root;

	(void)state;
	answer("{\"mappings\": [" HELD("m1", "null", "tcp", CONFIRMED) ", "
	       HELD("m2", "null", "udp", "") "]}");
	c = command("list");
	assert_non_null(strstr(c.out, "SOURCE  TOLD\n"));
	assert_non_null(strstr(c.out, "agent   confirmed\n"));
	assert_non_null(strstr(c.out, "agent   -\n"));
	c = command("list --json");
	root = command_json(&c);
	assert_string_equal(json_string_value(command_at(root, "mappings.0.delivery.at")),
			    "2026-11-22T09:00:00Z");
	json_decref(root);
}

static void the_same_reason_is_told_once(void **state)
{
	struct command c;

	(void)state;
	answer("{\"mappings\": [" REFUSED("m1", "1", "Policy.") ", " REFUSED("m2", "2", "Policy.")
	       ", " REFUSED("m3", "3", "Other.") "]}");
	c = command("list");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.err, "m1: Policy.\nm3: Other.\n");
	c = command("list -q");
	assert_string_equal(c.err, "");
}

static void leases_are_listed_though_the_agent_hangs(void **state)
{
	struct command c;

	(void)state;
	(void)command("add 80:8080 --name web");
	answer(NULL);
	fake_agent.answers[0].http = 0;
	fake_agent.answers[0].status = TENF_E_SYSTEM;
	c = command("list");
	assert_int_equal(c.status, 10);
	assert_non_null(strstr(c.out, "lease\n"));
	assert_non_null(strstr(c.err, "did not answer in time"));
}

static void an_empty_agent_has_nothing_to_list(void **state)
{
	struct command c;

	(void)state;
	answer("{\"mappings\": []}");
	c = command("list");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.out, "");
}

static void words_of_an_agent_never_reach_the_terminal_raw(void **state)
{
	struct command c;

	(void)state;
	answer("{\"mappings\": [" HELD("m1", "\"evil\\u001b[31m\"", "tcp", "") ", "
	       REFUSED("m2", "1", "more\\u0007\\u001b]0;x") "]}");
	c = command("list");
	assert_null(strchr(c.out, '\033'));
	assert_null(strchr(c.err, '\033'));
	assert_null(strchr(c.err, '\a'));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, command_setup, command_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(agent_and_leases_are_one_table),
		TEST(who_was_told_is_a_column_of_its_own),
		TEST(the_same_reason_is_told_once),
		TEST(leases_are_listed_though_the_agent_hangs),
		TEST(an_empty_agent_has_nothing_to_list),
		TEST(words_of_an_agent_never_reach_the_terminal_raw),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
