/* SPDX-License-Identifier: MIT */
#include "command.h"

#include <string.h>

static void a_recorded_lease_is_removed_with_its_nonce_at_its_gateway(void **state)
{
	struct command c;
	uint8_t nonce[TENF_NONCE_SIZE];

	(void)state;
	fake.gateway.port = 5399;
	(void)command("add 80:8080");
	c = command("remove 8080");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.out, "203.0.113.7:80/tcp → 192.168.1.20:8080   removed\n");
	assert_string_equal(fake.gateway_asked, "192.168.1.1:5399");
	assert_int_equal(fake.released_count, 1);
	memset(nonce, 1, sizeof(nonce)); /* as the fake made it */
	assert_memory_equal(fake.released[0].nonce, nonce, sizeof(nonce));
	c = command("list --json");
	assert_string_equal(c.out, "{\n  \"mappings\": []\n}\n");
}

static void ids_ranges_and_pairs_are_removed(void **state)
{
	struct command c;

	(void)state;
	(void)command("add 6000-6003/udp 25565/both");
	c = command("remove m1 6001-6002/udp 25565/both");
	assert_int_equal(c.status, 0);
	assert_int_equal(fake.released_count, 5);
	c = command("list");
	assert_non_null(strstr(c.out, "m4"));
	assert_null(strstr(c.out, "25565"));
	c = command("remove m4 m4 6003/udp"); /* one mapping, named three times */
	assert_int_equal(fake.released_count, 6);
}

static void a_name_stands_for_all_that_have_it(void **state)
{
	struct command c;

	(void)state;
	(void)command("add 6000-6001/udp --name game");
	(void)command("add 80 --name web");
	(void)command("add 81 --name 82");
	(void)command("add 82");
	c = command("remove game");
	assert_int_equal(c.status, 0);
	assert_int_equal(fake.released_count, 2);
	assert_string_equal(c.out, "203.0.113.7:6000/udp → 192.168.1.20:6000   removed\n"
				   "203.0.113.7:6001/udp → 192.168.1.20:6001   removed\n");
	c = command("remove game"); /* nothing has it any more */
	assert_int_equal(c.status, 2);
	assert_non_null(strstr(c.err, "nothing has the name \"game\""));
	assert_int_equal(fake.released_count, 2);
	c = command("remove 82"); /* what can be a mapping is one */
	assert_int_equal(fake.released_count, 3);
	c = command("list");
	assert_non_null(strstr(c.out, ":81/tcp"));
	assert_null(strstr(c.out, ":82/tcp"));
	c = command("remove web m4 --gateway 192.168.1.77"); /* it is elsewhere */
	assert_int_equal(c.status, 2);
	assert_int_equal(fake.released_count, 3);
}

static void all_removes_what_is_recorded_and_nothing_else(void **state)
{
	struct command c;

	(void)state;
	(void)command("add 6000-6003/udp");
	c = command("remove --all");
	assert_int_equal(c.status, 0);
	assert_int_equal(fake.released_count, 4);
	c = command("remove --all");
	assert_int_equal(c.status, 0);
	assert_int_equal(fake.released_count, 4);
	assert_string_equal(c.err, "No mappings are recorded; nothing to remove.\n");
}

static void what_is_not_recorded_is_deleted_plainly_and_told(void **state)
{
	struct command c;

	(void)state;
	c = command("-g 10.0.0.1 remove 9999/udp");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.out, "9999/udp   removed (nothing was recorded about it)\n");
	assert_string_equal(fake.gateway_asked, "10.0.0.1");
	assert_int_equal(fake.released[0].internal_port, 9999);
	assert_int_equal(fake.released[0].protocol, TENF_UDP);
}

static void each_gateway_is_asked_for_its_own(void **state)
{
	struct command c;

	(void)state;
	(void)command("add 8080");
	strcpy(fake.gateway.address, "10.2.0.1");
	(void)command("add 8080");
	c = command("list --json");
	assert_non_null(strstr(c.out, "\"m2\""));
	c = command("-g 10.2.0.1 remove 8080");
	assert_int_equal(c.status, 0);
	assert_int_equal(fake.released_count, 1);
	assert_string_equal(fake.released[0].gateway, "10.2.0.1");
	c = command("-g 10.2.0.1 remove m1");
	assert_int_equal(c.status, 2);
	c = command("-g 10.2.0.1 remove --all");
	assert_string_equal(c.err, "No mappings at 10.2.0.1 are recorded; see: tenforward list\n");
	c = command("remove --all");
	assert_string_equal(fake.released[1].gateway, "192.168.1.1");
}

/* A host with two addresses may have asked from either, and at a PCP gateway only
 * the address that holds a mapping can end it. */
static void a_lease_is_removed_from_the_address_that_holds_it(void **state)
{
	(void)state;
	(void)command("add 8080");
	strcpy(fake.gateway.source, "192.168.1.21");
	(void)command("--source 192.168.1.21 add 8081");
	(void)command("add 8082 --for 192.168.1.31");
	assert_int_equal(command("remove 8080").status, 0);
	assert_string_equal(fake.source_asked, "192.168.1.20");
	assert_int_equal(command("remove 8081").status, 0);
	assert_string_equal(fake.source_asked, "192.168.1.21");
	assert_int_equal(command("remove 8082 --for 192.168.1.31").status, 0);
	assert_string_equal(fake.source_asked, "");
}

static void what_natpmp_may_not_remove_is_removed_by_pcp(void **state)
{
	struct command c;

	(void)state;
	fake.gateway.spoken[0].method = TENF_METHOD_NATPMP;
	(void)command("add 8080");
	fake.removal = TENF_REASON_REFUSED;
	fake.removal_by = TENF_METHOD_PCP;
	c = command("remove 8080 --method natpmp");
	assert_int_equal(c.status, 6);
	c = command("remove 8080");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.out, "203.0.113.7:8080/tcp → 192.168.1.20:8080   removed\n");
	assert_string_equal(c.err, "");
	assert_null(strstr(command("list --json").out, "8080"));
}

static void another_hosts_mapping_is_removed_only_for_that_host(void **state)
{
	struct command c;

	(void)state;
	(void)command("add 8080 --for 192.168.1.31");
	c = command("remove 8080");
	assert_non_null(strstr(c.out, "nothing was recorded"));
	c = command("remove 8080 --for 192.168.1.31");
	assert_int_equal(c.status, 0);
	assert_null(strstr(c.out, "nothing was recorded"));
	assert_string_equal(fake.released[1].internal_address, "192.168.1.31");
}

static bool three_seconds_pass(struct tenf_session *session)
{
	(void)session;
	fake.steady_ms += 3000;
	return true;
}

static void what_is_not_removed_stays_recorded(void **state)
{
	struct command c;
	json_t *root;

	(void)state;
	(void)command("add 8080");
	fake.removal = TENF_REASON_SILENT;
	fake.steps[0] = three_seconds_pass;
	c = command("remove 8080 --json --timeout 3s");
	root = command_json(&c);
	assert_int_equal(c.status, 4);
	assert_string_equal(json_string_value(command_at(root, "mappings.0.error.code")), "silent");
	assert_string_equal(json_string_value(command_at(root, "mappings.0.id")), "m1");
	json_decref(root);
	assert_string_equal(c.err, "No answer from 192.168.1.1 within 3 s. "
				   "The lease stays recorded: try again, or let it end.\n");
	fake.removal = TENF_REASON_REFUSED;
	c = command("remove 8080");
	assert_int_equal(c.status, 6);
	assert_non_null(strstr(c.out, "not removed"));
	assert_string_equal(c.err, "The gateway refuses.\n");
	c = command("list");
	assert_non_null(strstr(c.out, "m1"));
}

static void json_shows_the_state_removed(void **state)
{
	struct command c;
	json_t *root;

	(void)state;
	(void)command("add 8080 --name web");
	c = command("remove m1 --json");
	root = command_json(&c);
	assert_int_equal(c.status, 0);
	assert_string_equal(json_string_value(command_at(root, "mappings.0.state")), "removed");
	assert_string_equal(json_string_value(command_at(root, "mappings.0.name")), "web");
	assert_true(json_is_null(command_at(root, "mappings.0.error")));
	json_decref(root);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, command_setup, command_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_recorded_lease_is_removed_with_its_nonce_at_its_gateway),
		TEST(ids_ranges_and_pairs_are_removed),
		TEST(a_name_stands_for_all_that_have_it),
		TEST(all_removes_what_is_recorded_and_nothing_else),
		TEST(what_is_not_recorded_is_deleted_plainly_and_told),
		TEST(each_gateway_is_asked_for_its_own),
		TEST(a_lease_is_removed_from_the_address_that_holds_it),
		TEST(what_natpmp_may_not_remove_is_removed_by_pcp),
		TEST(another_hosts_mapping_is_removed_only_for_that_host),
		TEST(what_is_not_removed_stays_recorded),
		TEST(json_shows_the_state_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
