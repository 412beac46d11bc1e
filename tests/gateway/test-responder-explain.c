/* SPDX-License-Identifier: MIT */
/* An explanation says what the decision would be, and changes nothing. */
#include "house.h"

#include "gateway/responder-govern.h"

static struct house h;

static int setup(void **state)
{
	(void)state;
	house_init(&h);
	h.rules[0] = (struct policy_rule){ .action = POLICY_DENY,
					   .external = { { { 22, 22 } }, 1 } };
	h.rules[1] = (struct policy_rule){ .action = POLICY_ASK,
					   .external = { { { 1, 1023 } }, 1 } };
	h.rules[2] = (struct policy_rule){ .action = POLICY_ALLOW, .mappings_max = 2,
					   .requests_per_s = 2,
					   .external = { { { 8000, 8999 } }, 1 } };
	h.config.rule_count = 3;
	house_start(&h);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	house_stop(&h);
	return 0;
}

static struct responder_explanation explain(unsigned host, uint16_t internal, uint16_t external)
{
	const struct responder_ask ask = {
		.client = house_host(host), .protocol = TENF_TCP, .internal_port = internal,
		.external_port = external,
	};
	struct responder_explanation e;

	responder_explain(h.r, &ask, h.now, &e);
	assert_non_null(e.why);
	return e;
}

static void it_names_the_rule_and_the_port(void **state)
{
	struct responder_explanation e = explain(20, 80, 8080);

	(void)state;
	assert_true(e.granted && e.action == POLICY_ALLOW && e.rule == 2);
	assert_int_equal(e.external_port, 8080);
	e = explain(20, 80, 443);
	assert_true(!e.granted && e.action == POLICY_ASK && e.rule == 1);
	e = explain(20, 80, 22); /* denied, but others are allowed */
	assert_true(e.granted && e.rule == 2);
	assert_int_equal(e.external_port, 0);
	e = explain(20, 80, 0);
	assert_true(e.granted && e.external_port == 0);
	assert_int_equal(responder_set_policy(h.r, h.rules, 1, NULL, false, h.now), TENF_OK);
	e = explain(20, 80, 22);
	assert_true(!e.granted && e.action == POLICY_DENY && e.rule == 0);
	e = explain(20, 80, 80);
	assert_true(!e.granted && e.action == POLICY_DENY && e.rule == POLICY_NO_RULE);
}

static void it_says_what_stands_behind_the_rules(void **state)
{
	struct responder_explanation e;
	struct wish wish = { .host = 20, .protocol = TENF_TCP, .internal = 1, .external = 8001,
			     .lifetime_s = 60, .nonce = 1 };
	uint32_t id;

	(void)state;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
	id = h.record.id;
	e = explain(20, 1, 0);
	assert_true(e.granted && e.external_port == 8001 && e.rule == 2);
	e = explain(30, 1, 8001);
	assert_true(e.granted && e.external_port == 0); /* taken: another one */
	wish.internal = 2;
	wish.external = 8002;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
	e = explain(20, 3, 8003);
	assert_true(!e.granted && e.action == POLICY_ALLOW && e.rule == 2);
	assert_string_equal(e.why, "over MaxMappings of the rule");
	assert_int_equal(responder_revoke(h.r, id, h.now), TENF_OK);
	house_turn(&h);
	e = explain(20, 1, 8001);
	assert_false(e.granted);
	assert_string_equal(e.why, "revoked by the administrator");
	e = explain(20, 2, 0);
	assert_true(e.granted);
	assert_int_equal(responder_set_policy(h.r, h.rules, 1, NULL, false, h.now), TENF_OK);
	e = explain(20, 2, 0);
	assert_true(!e.granted && e.external_port == 8002); /* open, not renewed */
	responder_set_external(h.r, &tenf_address_none4, h.now);
	assert_string_equal(explain(40, 2, 0).why, "no external address");
}

static void it_knows_the_words_that_were_said(void **state)
{
	struct wish wish = { .host = 20, .protocol = TENF_TCP, .internal = 1, .external = 443,
			     .lifetime_s = 60, .nonce = 1 };

	(void)state;
	(void)house_pcp(&h, &wish);
	assert_int_equal(responder_deny(h.r, 1, h.now), TENF_OK);
	assert_string_equal(explain(20, 1, 443).why, "denied by the administrator");
	assert_int_equal(responder_approve(h.r, 1, h.now), TENF_OK);
	assert_true(explain(20, 1, 443).granted);
	assert_false(explain(20, 2, 443).granted);
}

static void strangers_static_mappings_and_nonsense(void **state)
{
	const struct tenf_endpoint server = { house_host(20), 22 };
	struct responder_ask ask = { .client = tenf_address_v4(0x08080808), .protocol = TENF_TCP,
				     .internal_port = 80 };
	struct responder_explanation e;

	(void)state;
	responder_explain(h.r, &ask, h.now, &e);
	assert_false(e.granted);
	assert_string_equal(e.why, "not a host of a network that is served");
	assert_int_equal(responder_add_static(h.r, TENF_TCP, &server, 2222, h.now), TENF_OK);
	house_turn(&h);
	e = explain(20, 22, 0);
	assert_true(e.granted && e.external_port == 2222 && e.rule == POLICY_NO_RULE);
	assert_false(explain(20, 0, 80).granted);
	ask.client = house_v6("2001:db8:1::20");
	ask.internal_port = 8080;
	responder_explain(h.r, &ask, h.now, &e);
	assert_true(e.granted && e.external_port == 8080 && e.rule == 2);
	ask.third_party = true;
	ask.internal = house_v6("2001:db8:1::21");
	responder_explain(h.r, &ask, h.now, &e);
	assert_true(!e.granted && e.rule == 2); /* the rule is not for other hosts */
}

static void explaining_changes_nothing(void **state)
{
	struct wish wish = { .host = 20, .protocol = TENF_TCP, .internal = 1, .external = 443,
			     .lifetime_s = 60, .nonce = 1 };

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		(void)explain(20, 1, 443);
		(void)explain(20, 1, 8080);
	}
	assert_int_equal(house_count(&h), 0);
	assert_null(responder_pending(h.r, NULL));
	wish.external = 8080;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS); /* nor counts as a request */
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(it_names_the_rule_and_the_port),
		CASE(it_says_what_stands_behind_the_rules),
		CASE(it_knows_the_words_that_were_said),
		CASE(strangers_static_mappings_and_nonsense),
		CASE(explaining_changes_nothing),
	};

	return cmocka_run_group_tests_name("gateway explains", tests, NULL, NULL);
}
