/* SPDX-License-Identifier: MIT */
#include "house.h"

#include "gateway/policy.h"

#include <string.h>

static struct policy_rule rule(enum policy_action action, const char *client, uint16_t first,
			       uint16_t last)
{
	struct policy_rule r = { .action = action, .external = { { { first, last } }, 1 } };

	if (client != NULL)
		assert_true(tenf_prefix_parse(client, &r.client));
	return r;
}

static struct policy policy_of(const struct policy_rule *rules, size_t count)
{
	struct policy policy;

	assert_int_equal(policy_init(&policy, rules, count, &tenf_memory_libc), TENF_OK);
	return policy;
}

static struct policy_query from(unsigned host)
{
	return (struct policy_query){ .client = house_host(host), .protocol = TENF_TCP,
				      .internal_port = 80 };
}

static void the_first_rule_that_matches_decides(void **state)
{
	struct policy_rule rules[] = {
		rule(POLICY_DENY, NULL, 1, 1023),
		rule(POLICY_ALLOW, "192.168.1.20", 1, 65535),
		rule(POLICY_DENY, "192.168.1.0/28", 1, 65535),
		rule(POLICY_ALLOW, "192.168.1.0/24", 8000, 8999),
	};
	static const struct {
		unsigned host;
		uint16_t port;
		bool allowed;
		int rule;
	} cases[] = {
		{ 20, 80, false, 0 },  { 20, 1024, true, 1 },	{ 30, 8000, true, 3 },
		{ 30, 9000, false, POLICY_NO_RULE }, { 15, 8000, false, 2 }, { 16, 8999, true, 3 },
	};
	struct policy policy = policy_of(rules, TENF_ARRAY_SIZE(rules));

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(cases); i++) {
		const struct policy_query query = from(cases[i].host);
		int number;

		assert_int_equal(policy_allows(&policy, &query, cases[i].port, &number),
				 cases[i].allowed);
		assert_int_equal(number, cases[i].rule);
	}
	assert_ptr_equal(policy_rule(&policy, 3), &policy.rules[3]);
	assert_null(policy_rule(&policy, POLICY_NO_RULE));
	assert_null(policy_rule(&policy, 4));
	policy_done(&policy);
}

static void no_rule_at_all_denies(void **state)
{
	struct policy policy = policy_of(NULL, 0);
	const struct policy_query query = from(20);
	uint64_t painted[POLICY_PORT_WORDS];
	int number;

	(void)state;
	assert_false(policy_allows(&policy, &query, 80, &number));
	assert_int_equal(number, POLICY_NO_RULE);
	assert_false(policy_paint(&policy, &query, painted));
	policy_done(&policy);
}

static void protocol_internal_port_and_third_party_count(void **state)
{
	struct policy_rule rules[] = { rule(POLICY_ALLOW, NULL, 1, 65535) };
	struct policy_query query = from(20);
	struct policy policy;
	int number;

	(void)state;
	rules[0].protocol = TENF_UDP;
	rules[0].internal = (struct policy_ports){ { { 80, 80 }, { 443, 443 } }, 2 };
	policy = policy_of(rules, 1);
	assert_false(policy_allows(&policy, &query, 1, &number));
	query.protocol = TENF_UDP;
	assert_true(policy_allows(&policy, &query, 1, &number));
	query.internal_port = 443;
	assert_true(policy_allows(&policy, &query, 1, &number));
	query.internal_port = 81;
	assert_false(policy_allows(&policy, &query, 1, &number));
	query.internal_port = 80;
	query.third_party = true;
	assert_false(policy_allows(&policy, &query, 1, &number));
	assert_int_equal(number, 0);
	assert_false(policy_third_party(&policy, &query.client, NULL));
	policy.rules[0].third_party = true;
	assert_true(policy_allows(&policy, &query, 1, &number));
	assert_true(policy_third_party(&policy, &query.client, NULL));
	policy_done(&policy);
}

static void a_rule_with_a_link_layer_address_is_for_that_client_alone(void **state)
{
	static const uint8_t tv[POLICY_MAC] = { 2, 0, 0, 0, 0, 7 };
	static const uint8_t other[POLICY_MAC] = { 2, 0, 0, 0, 0, 8 };
	struct policy_rule rules[] = { rule(POLICY_ALLOW, "192.168.1.0/24", 1, 65535) };
	struct policy_query query = from(20);
	struct policy policy;
	int number;

	(void)state;
	rules[0].has_mac = true;
	memcpy(rules[0].mac, tv, sizeof(tv));
	rules[0].third_party = true;
	policy = policy_of(rules, 1);
	assert_true(policy.has_macs);
	assert_false(policy_allows(&policy, &query, 80, &number)); /* unknown */
	query.mac = other;
	assert_false(policy_allows(&policy, &query, 80, &number));
	assert_false(policy_third_party(&policy, &query.client, other));
	query.mac = tv;
	assert_true(policy_allows(&policy, &query, 80, &number));
	assert_true(policy_third_party(&policy, &query.client, tv));
	query.client = tenf_address_v4(0x0a000001); /* the prefix counts too */
	assert_false(policy_allows(&policy, &query, 80, &number));
	policy_done(&policy);
}

static void what_is_to_be_asked_is_allowed_once_approved(void **state)
{
	struct policy_rule rules[] = {
		rule(POLICY_DENY, NULL, 22, 22),
		rule(POLICY_ASK, NULL, 1, 1023),
		rule(POLICY_ALLOW, NULL, 8000, 8999),
	};
	struct policy policy = policy_of(rules, TENF_ARRAY_SIZE(rules));
	struct policy_query query = from(20);
	int number;

	(void)state;
	assert_int_equal(policy_decide(&policy, &query, 443, &number), POLICY_ASK);
	assert_int_equal(number, 1);
	assert_false(policy_allows(&policy, &query, 443, &number));
	assert_int_equal(policy_asking_rule(&policy, &query), 1);
	query.approved = true;
	query.approved_port = 443;
	assert_true(policy_allows(&policy, &query, 443, &number));
	assert_int_equal(policy_decide(&policy, &query, 80, &number), POLICY_ASK);
	query.approved_port = 0;
	assert_true(policy_allows(&policy, &query, 80, &number));
	assert_int_equal(policy_decide(&policy, &query, 22, &number), POLICY_DENY);
	query.third_party = true; /* not a thing to ask about where it is not allowed at all */
	assert_int_equal(policy_decide(&policy, &query, 443, &number), POLICY_DENY);
	assert_int_equal(policy_asking_rule(&policy, &query), POLICY_NO_RULE);
	policy_done(&policy);
}

static void what_a_rule_before_decides_is_not_asked_about(void **state)
{
	struct policy_rule rules[] = {
		rule(POLICY_DENY, NULL, 1, 500),
		rule(POLICY_DENY, NULL, 500, 1023),
		rule(POLICY_ASK, NULL, 1, 1023),
		rule(POLICY_ASK, NULL, 1023, 1024),
	};
	struct policy policy = policy_of(rules, TENF_ARRAY_SIZE(rules));
	struct policy_query query = from(20);

	(void)state;
	assert_int_equal(policy_asking_rule(&policy, &query), 3);
	policy_done(&policy);
	policy = policy_of(rules, 3);
	assert_int_equal(policy_asking_rule(&policy, &query), POLICY_NO_RULE);
	policy_done(&policy);
	rules[0].external.count = 0; /* every port */
	policy = policy_of(rules, TENF_ARRAY_SIZE(rules));
	assert_int_equal(policy_asking_rule(&policy, &query), POLICY_NO_RULE);
	policy_done(&policy);
}

/* Random rules: the painted bits say what asking for each port says. */
static void painting_agrees_with_asking_for_every_port(void **state)
{
	struct tenf_seeded seeded;
	struct tenf_random random;

	(void)state;
	tenf_seeded_init(&seeded, 7);
	random = tenf_seeded_random(&seeded);
	for (int round = 0; round < 40; round++) {
		struct policy_rule rules[12];
		uint64_t painted[POLICY_PORT_WORDS];
		struct policy policy;
		struct policy_query query = from(20);
		bool any = false;

		for (size_t i = 0; i < TENF_ARRAY_SIZE(rules); i++) {
			uint16_t first = (uint16_t)tenf_random_below(&random, 65536);
			uint16_t last = (uint16_t)tenf_random_below(&random, 65536);

			enum policy_action action =
				(enum policy_action)tenf_random_below(&random, 3);

			rules[i] = rule(action,
					tenf_random_below(&random, 4) == 0 ? "192.168.1.30" : NULL,
					first, last);
			if (tenf_random_below(&random, 8) == 0)
				rules[i].external.count = 0;
		}
		policy = policy_of(rules, TENF_ARRAY_SIZE(rules));
		query.approved = tenf_random_below(&random, 2) == 0;
		if (tenf_random_below(&random, 2) == 0)
			query.approved_port = (uint16_t)tenf_random_below(&random, 65536);
		(void)policy_paint(&policy, &query, painted);
		for (unsigned port = 1; port <= UINT16_MAX; port++) {
			int number;
			bool allowed = policy_allows(&policy, &query, (uint16_t)port, &number);

			any |= allowed;
			assert_int_equal(painted[port / 64] >> port % 64 & 1, allowed);
		}
		assert_int_equal(policy_paint(&policy, &query, painted), any);
		assert_int_equal(painted[0] & 1, 0);
		policy_done(&policy);
	}
}

static void more_rules_than_the_limit_are_refused(void **state)
{
	static struct policy_rule rules[POLICY_RULES_MAX + 1];
	struct policy policy;

	(void)state;
	assert_int_equal(policy_init(&policy, rules, POLICY_RULES_MAX + 1, &tenf_memory_libc),
			 TENF_E_LIMIT);
	policy = policy_of(rules, POLICY_RULES_MAX);
	policy_done(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_rule_that_matches_decides),
		cmocka_unit_test(no_rule_at_all_denies),
		cmocka_unit_test(protocol_internal_port_and_third_party_count),
		cmocka_unit_test(a_rule_with_a_link_layer_address_is_for_that_client_alone),
		cmocka_unit_test(what_is_to_be_asked_is_allowed_once_approved),
		cmocka_unit_test(what_a_rule_before_decides_is_not_asked_about),
		cmocka_unit_test(painting_agrees_with_asking_for_every_port),
		cmocka_unit_test(more_rules_than_the_limit_are_refused),
	};

	return cmocka_run_group_tests_name("gateway policy", tests, NULL, NULL);
}
