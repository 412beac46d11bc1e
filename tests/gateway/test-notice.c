/* SPDX-License-Identifier: MIT */
/* A decision as an event of the control API. */
#include "house.h"

#include "gateway/notice.h"

#include <stdlib.h>
#include <string.h>

#define AT 1795784400 /* 2026-11-27T13:00:00Z */

static struct notice lease(enum responder_verdict verdict)
{
	return (struct notice){
		.at = AT, .made_at = AT - 60, .action = POLICY_ALLOW, .rule_name = "lan",
		.gateway = house_gateway,
		.record = { .verdict = verdict, .version = PCP_VERSION, .opcode = PCP_MAP,
			    .protocol = TENF_TCP, .client = house_host(20),
			    .internal = { house_host(20), 8080 },
			    .external = { house_external, 80 }, .lifetime_s = 3600, .rule = 2,
			    .count = 1, .id = 7, .renewals = 3, .has_mac = true,
			    .mac = { 0, 0x11, 0x22, 0xaa, 0xbb, 0xff } },
	};
}

static json_t *made(const struct notice *n)
{
	json_t *json = notice_json(n);

	assert_non_null(json);
	assert_string_equal(json_string_value(json_object_get(json, "event")), notice_event(n));
	return json;
}

static void expect_text(const json_t *object, const char *key, const char *wanted)
{
	assert_string_equal(json_string_value(json_object_get(object, key)), wanted);
}

static void a_grant_is_mapped_with_client_and_rule(void **state)
{
	struct notice n = lease(RESPONDER_GRANTED);
	json_t *json = made(&n);
	json_t *m = json_object_get(json, "mapping");

	(void)state;
	expect_text(json, "event", "mapped");
	expect_text(json, "at", "2026-11-27T13:00:00Z");
	expect_text(m, "state", "mapped");
	expect_text(m, "client", "192.168.1.20");
	expect_text(m, "internal_address", "192.168.1.20");
	expect_text(m, "external_address", "203.0.113.7");
	expect_text(m, "gateway", "192.168.1.1");
	expect_text(m, "expires_at", "2026-11-27T14:00:00Z");
	expect_text(m, "source", "gateway");
	expect_text(m, "id", "m7");
	expect_text(m, "mac", "00:11:22:aa:bb:ff");
	expect_text(m, "made_at", "2026-11-27T12:59:00Z");
	assert_int_equal(json_integer_value(json_object_get(m, "renewals")), 3);
	assert_int_equal(json_integer_value(json_object_get(m, "external_port")), 80);
	m = json_object_get(m, "rule");
	assert_int_equal(json_integer_value(json_object_get(m, "number")), 3);
	expect_text(m, "action", "allow");
	expect_text(m, "name", "lan");
	json_decref(json);
}

static void what_ended_says_how(void **state)
{
	static const struct {
		enum responder_verdict verdict;
		const char *event;
		const char *state;
	} ways[] = { { RESPONDER_REMOVED, "removed", "removed" },
		     { RESPONDER_EXPIRED, "lost", "lost" },
		     { RESPONDER_RENEWED, "renewed", "mapped" } };

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(ways); i++) {
		struct notice n = lease(ways[i].verdict);
		json_t *json = made(&n);

		expect_text(json, "event", ways[i].event);
		expect_text(json_object_get(json, "mapping"), "state", ways[i].state);
		json_decref(json);
	}
}

static void a_refusal_has_the_reason_in_the_words_of_the_command(void **state)
{
	static const struct {
		uint8_t version;
		uint8_t result;
		const char *code;
	} ways[] = { { PCP_VERSION, PCP_NOT_AUTHORIZED, "refused" },
		     { PCP_VERSION, PCP_USER_EX_QUOTA, "resources" },
		     { PCP_VERSION, PCP_NETWORK_FAILURE, "no-network" },
		     { PCP_VERSION, PCP_CANNOT_PROVIDE_EXTERNAL, "other-port" },
		     { PCP_VERSION, PCP_MALFORMED_OPTION, "malformed" },
		     { PCP_VERSION, PCP_UNSUPP_OPTION, "no-service" },
		     { NATPMP_VERSION, NATPMP_NOT_AUTHORIZED, "refused" },
		     { NATPMP_VERSION, NATPMP_OUT_OF_RESOURCES, "resources" },
		     { NATPMP_VERSION, NATPMP_NETWORK_FAILURE, "no-network" },
		     { NATPMP_VERSION, 5, "no-service" } };

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(ways); i++) {
		struct notice n = lease(RESPONDER_REFUSED);
		json_t *json, *error;

		n.record.version = ways[i].version;
		n.record.result = ways[i].result;
		n.record.rule = POLICY_NO_RULE;
		n.record.why = "because";
		json = made(&n);
		error = json_object_get(json_object_get(json, "mapping"), "error");
		expect_text(error, "code", ways[i].code);
		assert_int_equal(json_integer_value(json_object_get(error, "result")),
				 ways[i].result);
		assert_non_null(strstr(json_string_value(json_object_get(error, "text")),
				       ": because"));
		assert_true(json_is_null(
			json_object_get(json_object_get(json, "mapping"), "rule")));
		json_decref(json);
	}
}

static void many_given_up_at_once_are_one_event(void **state)
{
	struct notice n = lease(RESPONDER_REMOVED);
	json_t *json;

	(void)state;
	n.record.internal.port = 0;
	n.record.count = 5;
	json = made(&n);
	assert_true(json_is_null(json_object_get(json, "mapping")));
	expect_text(json, "client", "192.168.1.20");
	assert_int_equal(json_integer_value(json_object_get(json, "count")), 5);
	json_decref(json);
}

static void a_restart_tells_the_address_outside(void **state)
{
	struct notice n = lease(RESPONDER_RESTARTED);
	json_t *json = made(&n);

	(void)state;
	expect_text(json, "event", "gateway-restart");
	expect_text(json_object_get(json, "gateway"), "external_address", "203.0.113.7");
	json_decref(json);
}

static void a_wish_that_waits_has_a_number_for_the_administrator(void **state)
{
	struct notice n = lease(RESPONDER_PENDING);
	json_t *json = made(&n);
	json_t *wish;

	(void)state;
	expect_text(json, "event", "pending");
	wish = json_object_get(json, "pending");
	expect_text(wish, "id", "p7");
	expect_text(wish, "client", "192.168.1.20");
	expect_text(wish, "mac", "00:11:22:aa:bb:ff");
	expect_text(wish, "state", "waiting");
	json_decref(json);
}

static void what_was_revoked_is_removed_and_what_could_not_be_is_no_event(void **state)
{
	struct notice n = lease(RESPONDER_REVOKED);
	json_t *json;

	(void)state;
	assert_null(notice_event(&n));
	n.record.end = LEDGER_REVOKED;
	json = made(&n);
	expect_text(json, "event", "removed");
	expect_text(json, "end", "revoked");
	json_decref(json);
	n.record.end = LEDGER_DISALLOWED;
	json = made(&n);
	expect_text(json, "end", "disallowed");
	json_decref(json);
}

static void answers_to_questions_are_no_events(void **state)
{
	struct notice n = lease(RESPONDER_ANSWERED);

	(void)state;
	assert_null(notice_event(&n));
	assert_null(notice_json(&n));
	n = lease(RESPONDER_REMOVED);
	n.record.count = 0; /* nothing was there to remove */
	assert_null(notice_event(&n));
	n = lease(RESPONDER_REFUSED);
	n.record.protocol = (enum tenf_protocol)0; /* not about a mapping */
	assert_null(notice_event(&n));
	n.record.protocol = (enum tenf_protocol)132; /* one no mapping can be of */
	assert_null(notice_event(&n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_grant_is_mapped_with_client_and_rule),
		cmocka_unit_test(what_ended_says_how),
		cmocka_unit_test(a_refusal_has_the_reason_in_the_words_of_the_command),
		cmocka_unit_test(many_given_up_at_once_are_one_event),
		cmocka_unit_test(a_restart_tells_the_address_outside),
		cmocka_unit_test(a_wish_that_waits_has_a_number_for_the_administrator),
		cmocka_unit_test(what_was_revoked_is_removed_and_what_could_not_be_is_no_event),
		cmocka_unit_test(answers_to_questions_are_no_events),
	};

	return cmocka_run_group_tests_name("gateway notice", tests, NULL, NULL);
}
