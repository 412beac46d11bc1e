/* SPDX-License-Identifier: MIT */
/* remove where an agent runs: its mappings, leases, and what they share. */
#include "command.h"

#include <stdio.h>
#include <string.h>

#define LIST "GET /v1/mappings"
#define HELD(id, protocol, port)                                                         \
	"{\"id\": \"" id "\", \"name\": \"n" port "\", \"protocol\": \"" protocol "\", " \
	"\"internal_address\": \"192.168.1.20\", \"internal_port\": " port ", "              \
	"\"external_address\": \"203.0.113.7\", \"external_port\": " port ", "               \
	"\"state\": \"mapped\", \"gateway\": \"192.168.1.1\", \"source\": \"agent\"}"
#define BODY                                                                              \
	"{\"mappings\": [" HELD("m7t", "tcp", "25565") ", " HELD("m7u", "udp", "25565") ", " \
	HELD("m8", "tcp", "80") "]}"

/* Asks of the agent, without the list that comes first. */
#define ASKED(n) fake_agent.asked[1 + (n)]

static void answer(size_t at, const char *request, int http, const char *json, unsigned times)
{
	fake_agent.runs = true;
	fake_agent.answers[at] = (struct fake_answer){ request, http, json, times };
}

static void hold(void)
{
	answer(0, LIST, 200, BODY, 0);
	answer(1, "DELETE /v1/mappings/m7t", 200, BODY, 0);
	answer(2, "DELETE /v1/mappings/m8", 200, BODY, 0);
	fake_agent.asked_count = 0;
}

static void a_pair_is_given_up_as_one(void **state)
{
	static const char *const all[] = { "remove m7", "remove m7t", "remove m7u",
					   "remove 25565/udp", "remove 25565/both m7",
					   "remove n25565" };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct command c;

		hold();
		c = command(all[i]);
		assert_int_equal(c.status, 0);
		assert_string_equal(c.out,
				    "203.0.113.7:25565/tcp → 192.168.1.20:25565   removed\n"
				    "203.0.113.7:25565/udp → 192.168.1.20:25565   removed\n");
		assert_int_equal(fake_agent.asked_count, 3);
		assert_string_equal(ASKED(0), "DELETE /v1/mappings/m7t");
		assert_string_equal(ASKED(1), "GET /v1/mappings/m7t");
	}
	assert_int_equal(fake.calls, 0);
	assert_int_equal(fake_agent.open, 0);
}

static void the_gateway_is_waited_for(void **state)
{
	struct command c;

	(void)state;
	hold();
	answer(3, "GET /v1/mappings/m8", 200, BODY, 3);
	c = command("remove 80 --json");
	assert_int_equal(c.status, 0);
	assert_int_equal(fake_agent.asked_count, 6);
	assert_in_range(fake.steady_ms, 1, 100);
	assert_non_null(strstr(c.out, "\"id\": \"m8\""));
	assert_non_null(strstr(c.out, "\"source\": \"agent\""));
	assert_non_null(strstr(c.out, "\"state\": \"removed\""));
}

static void what_the_gateway_does_not_confirm_is_told(void **state)
{
	struct command c;

	(void)state;
	hold();
	answer(3, "GET /v1/mappings/m8", 200, BODY, 0);
	c = command("remove 80 --timeout 2s");
	assert_int_equal(c.status, 4);
	assert_int_equal(fake.steady_ms, 2000);
	assert_string_equal(c.out, "203.0.113.7:80/tcp → 192.168.1.20:80   not removed\n");
	assert_string_equal(c.err, "The gateway did not confirm within 2 s. "
				   "The agent goes on removing it.\n");
}

static void all_is_what_the_agent_keeps_and_what_is_recorded(void **state)
{
	struct command c;

	(void)state;
	(void)command("add 6000/udp");
	hold();
	c = command("remove --all");
	assert_int_equal(c.status, 0);
	assert_int_equal(fake.released_count, 1);
	assert_int_equal(fake_agent.asked_count, 5);
	assert_non_null(strstr(c.out, "203.0.113.7:6000/udp"));
	assert_non_null(strstr(c.out, "203.0.113.7:80/tcp"));
	hold();
	c = command("remove --all -g 10.9.9.9");
	assert_int_equal(c.status, 0);
	assert_int_equal(fake_agent.asked_count, 1);
}

static void an_id_of_both_is_not_guessed(void **state)
{
	struct command c;

	(void)state;
	(void)command("add 6000/udp"); /* m1 */
	answer(0, LIST, 200, "{\"mappings\": [" HELD("m1", "tcp", "80") "]}", 0);
	c = command("remove m1");
	assert_int_equal(c.status, 2);
	assert_non_null(strstr(c.err, "each have a mapping m1"));
	assert_int_equal(fake_agent.asked_count, 1);
	assert_int_equal(command("remove m1 --direct").status, 0);
	assert_int_equal(fake.released_count, 1);
	assert_int_equal(fake_agent.asked_count, 1);
	c = command("remove m2");
	assert_int_equal(c.status, 2);
}

static void what_neither_has_is_still_deleted_plainly(void **state)
{
	struct command c;

	(void)state;
	hold();
	c = command("remove 9999/udp");
	assert_int_equal(c.status, 0);
	assert_int_equal(fake.released_count, 1);
	assert_non_null(strstr(c.out, "nothing was recorded"));
	c = command("remove 80 --for 192.168.1.99");
	assert_int_equal(fake.released_count, 2);
}

static void an_agent_that_fails_is_told_and_nothing_is_claimed(void **state)
{
	struct command c;

	(void)state;
	hold();
	answer(2, "DELETE /v1/mappings/m8", 500, "{\"error\": {\"code\": \"system\", \"text\": "
						 "\"Disk full.\"}}", 0);
	c = command("remove 80");
	assert_int_equal(c.status, 1);
	assert_string_equal(c.out, "203.0.113.7:80/tcp → 192.168.1.20:80   not removed\n");
	assert_non_null(strstr(c.err, "Disk full."));
	hold();
	fake_agent.answers[2].http = 0; /* hangs */
	fake_agent.answers[2].status = TENF_E_SYSTEM;
	c = command("remove m8 m7");
	assert_int_equal(c.status, 10);
	assert_null(strstr(c.out, "   removed"));
	hold();
	answer(3, "GET /v1/mappings/m8", 0, NULL, 0);
	fake_agent.answers[3].status = TENF_E_SYSTEM;
	c = command("remove m8");
	assert_int_equal(c.status, 10);
	assert_null(strstr(c.out, "   removed"));
	assert_int_equal(fake_agent.open, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, command_setup, command_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_pair_is_given_up_as_one),
		TEST(the_gateway_is_waited_for),
		TEST(what_the_gateway_does_not_confirm_is_told),
		TEST(all_is_what_the_agent_keeps_and_what_is_recorded),
		TEST(an_id_of_both_is_not_guessed),
		TEST(what_neither_has_is_still_deleted_plainly),
		TEST(an_agent_that_fails_is_told_and_nothing_is_claimed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
