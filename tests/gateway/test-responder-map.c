/* SPDX-License-Identifier: MIT */
/* Decisions: rules and their limits, withheld ports, quirks. */
#include "house.h"

#include <string.h>

static const struct wish web = { .host = 20, .protocol = TENF_TCP, .internal = 8080,
				 .external = 10000, .lifetime_s = 600, .nonce = 9 };

static void setup_house(struct house *h)
{
	house_init(h);
	house_start(h);
}

static void remove_web(struct house *h)
{
	struct wish wish = web;

	wish.lifetime_s = 0;
	assert_int_equal(house_pcp(h, &wish).result, PCP_SUCCESS);
}

/* PCP-G-54: kept from others for 240 s (TCP), 120 s (UDP), not from its owner */
static void an_ended_port_waits_for_its_owner(void **state)
{
	static const enum tenf_protocol protocols[] = { TENF_TCP, TENF_UDP };
	static const int64_t delays_s[] = { 240, 120 };
	struct house h;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct wish own = web;
		struct wish other = web;

		setup_house(&h);
		own.protocol = protocols[i];
		other = own;
		other.host = 30;
		(void)house_pcp(&h, &own);
		house_wait(&h, 600 * TENF_SECOND);
		assert_int_equal(house_count(&h), 0);
		assert_int_not_equal(house_pcp(&h, &other).map.external_port, 10000);
		own.external = 0;
		assert_int_equal(house_pcp(&h, &own).map.external_port, 10000);
		house_wait(&h, 600 * TENF_SECOND);
		house_wait(&h, delays_s[i] * TENF_SECOND - 1);
		other.internal = 1;
		assert_int_not_equal(house_pcp(&h, &other).map.external_port, 10000);
		house_wait(&h, 1);
		other.internal = 2;
		assert_int_equal(house_pcp(&h, &other).map.external_port, 10000);
		house_stop(&h);
	}
}

/* PCP-G-54: after an expiry the address may be another host's by now */
static void after_an_expiry_only_the_nonce_proves_the_owner(void **state)
{
	struct wish wish = web;
	struct house h;

	(void)state;
	setup_house(&h);
	(void)house_pcp(&h, &wish);
	house_wait(&h, 600 * TENF_SECOND);
	wish.nonce = 10;
	assert_int_not_equal(house_pcp(&h, &wish).map.external_port, 10000);
	house_stop(&h);

	setup_house(&h);
	wish.nonce = 9;
	(void)house_pcp(&h, &wish);
	remove_web(&h);
	wish.nonce = 10;
	assert_int_equal(house_pcp(&h, &wish).map.external_port, 10000);
	house_stop(&h);
}

static void withholding_has_a_limit_for_each_host(void **state)
{
	struct wish other = { .host = 30, .protocol = TENF_TCP, .lifetime_s = 600 };
	struct house h;
	unsigned had = 0;

	(void)state;
	setup_house(&h);
	for (uint16_t port = 1; port <= LEDGER_WITHHELD_OF_HOST_MAX + 10; port++)
		(void)house_natpmp(&h, 20, TENF_TCP, port, (uint16_t)(10000 + port), 600);
	(void)house_natpmp(&h, 20, TENF_TCP, 0, 0, 0);
	for (uint16_t port = 1; port <= LEDGER_WITHHELD_OF_HOST_MAX + 10; port++) {
		other.internal = port;
		other.external = (uint16_t)(10000 + port);
		had += house_pcp(&h, &other).map.external_port == other.external;
	}
	assert_int_equal(had, 10);
	house_stop(&h);
}

static void the_twin_of_a_withheld_port_is_not_given_to_others(void **state)
{
	struct house h;

	(void)state;
	setup_house(&h);
	(void)house_pcp(&h, &web);
	remove_web(&h);
	assert_int_not_equal(house_natpmp(&h, 30, TENF_UDP, 1, 10000, 60).external_port, 10000);
	assert_int_equal(house_natpmp(&h, 20, TENF_UDP, 1, 10000, 60).external_port, 10000);
	house_stop(&h);
}

static void what_no_rule_matches_is_denied(void **state)
{
	struct house h;

	(void)state;
	house_init(&h);
	h.config.rule_count = 0;
	house_start(&h);
	assert_int_equal(house_natpmp(&h, 20, TENF_TCP, 80, 80, 60).result, NATPMP_NOT_AUTHORIZED);
	assert_int_equal(h.record.verdict, RESPONDER_REFUSED);
	assert_int_equal(h.record.rule, POLICY_NO_RULE);
	assert_int_equal(house_pcp(&h, &web).result, PCP_NOT_AUTHORIZED);
	assert_int_equal(house_count(&h), 0);
	house_stop(&h);
}

static void the_record_names_the_rule_that_decided(void **state)
{
	struct house h;

	(void)state;
	house_init(&h);
	h.rules[1] = h.rules[0];
	h.rules[0].action = POLICY_DENY;
	h.rules[0].internal = (struct policy_ports){ { { 22, 23 } }, 1 };
	h.rules[1].external = (struct policy_ports){ { { 1024, 65535 } }, 1 };
	h.config.rule_count = 2;
	house_start(&h);
	assert_int_equal(house_natpmp(&h, 20, TENF_TCP, 22, 8022, 60).result,
			 NATPMP_NOT_AUTHORIZED);
	assert_int_equal(h.record.rule, 0);
	assert_int_equal(house_natpmp(&h, 20, TENF_TCP, 80, 8080, 60).external_port, 8080);
	assert_int_equal(h.record.rule, 1);
	/* A wish the rules do not allow is like one that is taken. */
	assert_in_range(house_natpmp(&h, 20, TENF_TCP, 81, 80, 60).external_port, 1024, 65535);
	house_stop(&h);
}

static void a_rule_shortens_the_lease(void **state)
{
	struct house h;

	(void)state;
	house_init(&h);
	h.rules[0].lifetime_max_s = 90;
	house_start(&h);
	assert_int_equal(house_natpmp(&h, 20, TENF_TCP, 80, 80, 7200).lifetime_s, 90);
	assert_int_equal(house_pcp(&h, &web).lifetime_s, 90);
	house_stop(&h);
}

static void requests_over_the_rate_wait_their_turn(void **state)
{
	struct wish wish = web;
	struct house h;

	(void)state;
	house_init(&h);
	h.rules[0].requests_per_s = 5;
	house_start(&h);
	for (int i = 0; i < 5; i++)
		assert_int_equal(house_pcp(&h, &web).result, PCP_SUCCESS);
	assert_int_equal(house_pcp(&h, &web).result, PCP_NO_RESOURCES);
	wish.host = 30;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
	house_wait(&h, TENF_SECOND / 5);
	assert_int_equal(house_pcp(&h, &web).result, PCP_SUCCESS);
	assert_int_equal(house_pcp(&h, &web).result, PCP_NO_RESOURCES);
	remove_web(&h); /* giving back is always heard */
	house_wait(&h, 10 * TENF_SECOND);
	for (int i = 0; i < 5; i++)
		assert_int_equal(house_pcp(&h, &web).result, PCP_SUCCESS);
	assert_int_equal(house_pcp(&h, &web).result, PCP_NO_RESOURCES);
	house_stop(&h);
}

static void a_full_table_is_out_of_resources(void **state)
{
	struct wish wish = web;
	struct pcp_answer a;
	struct house h;

	(void)state;
	house_init(&h);
	h.config.mappings_max = 50;
	house_start(&h);
	for (uint16_t port = 1; port <= 50; port++)
		assert_int_equal(house_natpmp(&h, port, TENF_TCP, port, 0, 60).result, 0);
	a = house_pcp(&h, &wish);
	assert_int_equal(a.result, PCP_NO_RESOURCES);
	assert_int_equal(a.lifetime_s, 30);
	house_wait(&h, 60 * TENF_SECOND);
	assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
	house_stop(&h);
}

/* NP-G-42: the search itself is counted in words (test-ports), so here the last port is
 * found, and the refusal behind it, however few are left */
static void the_last_allowed_port_is_found_and_then_none(void **state)
{
	struct house h;

	(void)state;
	house_init(&h);
	h.config.mappings_max = 70000;
	h.rules[0].external = (struct policy_ports){ { { 100, 199 }, { 60000, 60099 } }, 2 };
	house_start(&h);
	for (uint16_t port = 1; port <= 200; port++)
		assert_int_equal(house_natpmp(&h, 20, TENF_TCP, port, 0, 60).result, 0);
	assert_int_equal(house_natpmp(&h, 20, TENF_TCP, 300, 0, 60).result,
			 NATPMP_OUT_OF_RESOURCES);
	/* Twins of its own are still there for this host, and for no other. */
	assert_int_equal(house_natpmp(&h, 30, TENF_UDP, 300, 0, 60).result,
			 NATPMP_OUT_OF_RESOURCES);
	for (uint16_t port = 1; port <= 200; port++)
		assert_int_equal(house_natpmp(&h, 20, TENF_UDP, port, 0, 60).result, 0);
	assert_int_equal(house_natpmp(&h, 20, TENF_UDP, 300, 0, 60).result,
			 NATPMP_OUT_OF_RESOURCES);
	house_stop(&h);
}

static void reserved_ports_are_the_gateways_own(void **state)
{
	static const struct responder_reserved reserved[] = { { TENF_TCP, 8080 } };
	struct house h;

	(void)state;
	house_init(&h);
	h.config.reserved = reserved;
	h.config.reserved_count = 1;
	house_start(&h);
	assert_int_not_equal(house_natpmp(&h, 20, TENF_TCP, 8080, 8080, 60).external_port, 8080);
	assert_int_equal(house_natpmp(&h, 20, TENF_UDP, 8080, 8080, 60).external_port, 8080);
	house_stop(&h);
}

static void quirks_refuse_cap_and_move_on_request(void **state)
{
	struct responder_quirks quirks = { .refuse = 10000 };
	struct house h;

	(void)state;
	setup_house(&h);
	responder_set_quirks(h.r, &quirks);
	assert_int_equal(house_pcp(&h, &web).result, PCP_NOT_AUTHORIZED);
	quirks = (struct responder_quirks){ .other_port = 10000, .lifetime_cap_s = 7 };
	responder_set_quirks(h.r, &quirks);
	assert_int_equal(house_pcp(&h, &web).lifetime_s, 7);
	assert_null(house_find(&h, TENF_TCP, 10000));
	quirks = (struct responder_quirks){ .ignore_pcp = true };
	responder_set_quirks(h.r, &quirks);
	house_send(&h, &(struct tenf_endpoint){ house_host(20), 1 }, (const uint8_t *)"\2\0", 2);
	assert_int_equal(h.answers, 0);
	assert_int_equal(house_natpmp(&h, 20, TENF_UDP, 1, 1, 60).result, 0);
	quirks = (struct responder_quirks){ .ignore_natpmp = true };
	responder_set_quirks(h.r, &quirks);
	house_send(&h, &(struct tenf_endpoint){ house_host(20), 1 }, (const uint8_t *)"\0\0", 2);
	assert_int_equal(h.answers, 0);
	house_stop(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ended_port_waits_for_its_owner),
		cmocka_unit_test(after_an_expiry_only_the_nonce_proves_the_owner),
		cmocka_unit_test(withholding_has_a_limit_for_each_host),
		cmocka_unit_test(the_twin_of_a_withheld_port_is_not_given_to_others),
		cmocka_unit_test(what_no_rule_matches_is_denied),
		cmocka_unit_test(the_record_names_the_rule_that_decided),
		cmocka_unit_test(a_rule_shortens_the_lease),
		cmocka_unit_test(requests_over_the_rate_wait_their_turn),
		cmocka_unit_test(a_full_table_is_out_of_resources),
		cmocka_unit_test(the_last_allowed_port_is_found_and_then_none),
		cmocka_unit_test(reserved_ports_are_the_gateways_own),
		cmocka_unit_test(quirks_refuse_cap_and_move_on_request),
	};

	return cmocka_run_group_tests_name("gateway decisions", tests, NULL, NULL);
}
