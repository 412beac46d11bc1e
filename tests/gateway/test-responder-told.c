/* SPDX-License-Identifier: MIT */
/* What a backend is told of each change, and what a record says. */
#include "house.h"

#include <string.h>

static const struct wish web = {
	.host = 20, .protocol = TENF_TCP, .internal = 8080, .external = 80, .lifetime_s = 3600,
	.nonce = 1,
};

static void the_epoch_is_told_until_it_is_kept(void **state)
{
	struct house h;

	(void)state;
	house_init(&h);
	house_start(&h);
	h.backend = TENF_E_SYSTEM;
	house_turn(&h);
	house_turn(&h);
	assert_int_equal(h.epochs, 2);
	h.backend = TENF_OK;
	house_turn(&h);
	assert_int_equal(h.epochs, 3);
	assert_true(h.epoch_start == h.now);
	house_wait(&h, TENF_SECOND);
	assert_int_equal(h.epochs, 3);
	responder_reboot(h.r, h.now);
	house_turn(&h);
	assert_int_equal(h.epochs, 4);
	assert_true(h.epoch_start == h.now);
	house_stop(&h);
}

static void a_renewal_says_whether_more_than_the_lease_changed(void **state)
{
	static const uint8_t name[] = { 128, 0, 0, 4, 'n', 'a', 'm', 'e' };
	struct wish wish = web;
	struct house h;

	(void)state;
	house_init(&h);
	house_start(&h);
	assert_int_equal(house_natpmp(&h, 20, TENF_TCP, 8080, 80, 60).result, 0);
	assert_int_equal(house_natpmp(&h, 20, TENF_TCP, 8080, 80, 60).result, 0);
	assert_int_equal(h.renewals, 1);
	assert_int_equal(h.rewritten, 0);
	assert_int_equal(house_pcp(&h, &wish).result, 0); /* adopted: a nonce */
	assert_int_equal(h.rewritten, 1);
	wish.options = name;
	wish.options_len = sizeof(name);
	assert_int_equal(house_pcp(&h, &wish).result, 0); /* a description */
	assert_int_equal(h.rewritten, 2);
	assert_int_equal(house_pcp(&h, &wish).result, 0); /* the same again */
	assert_int_equal(h.renewals, 4);
	assert_int_equal(h.rewritten, 2);
	house_stop(&h);
}

static void given_back_and_made_again_in_one_batch_is_another_content(void **state)
{
	const struct tenf_endpoint from = { house_host(20), 50000 };
	struct wish wish = web;
	uint8_t data[1200];
	struct house h;

	(void)state;
	house_init(&h);
	house_start(&h);
	assert_int_equal(house_pcp(&h, &wish).result, 0);
	h.now += TENF_SECOND;
	wish.lifetime_s = 0;
	house_hand_in(&h, &from, data, house_write(&wish, data, sizeof(data)));
	house_hand_in(&h, &from, data, house_write(&web, data, sizeof(data)));
	house_turn(&h);
	assert_int_equal(h.installs, 1);
	assert_int_equal(h.renewals, 1);
	assert_int_equal(h.rewritten, 1);
	house_stop(&h);
}

static void another_rule_that_allows_is_another_content(void **state)
{
	struct house h;

	(void)state;
	house_init(&h);
	h.rules[1] = h.rules[0];
	h.rules[0].has_mac = true;
	h.rules[0].mac[5] = 7;
	h.config.rule_count = 2;
	house_start(&h);
	assert_int_equal(house_pcp(&h, &web).result, 0);
	assert_int_equal(h.record.rule, 1);
	h.mac[5] = 7;
	h.has_mac = true;
	assert_int_equal(house_pcp(&h, &web).result, 0);
	assert_int_equal(h.record.rule, 0);
	assert_true(h.record.has_mac && h.record.mac[5] == 7);
	assert_int_equal(h.rewritten, 1);
	assert_int_equal(house_find(&h, TENF_TCP, 80)->rule, 0);
	assert_ptr_equal(responder_rule(h.r, POLICY_NO_RULE), NULL);
	assert_true(responder_rule(h.r, 0)->has_mac);
	house_stop(&h);
}

static void a_removal_says_why_and_where(void **state)
{
	struct wish wish = web;
	struct house h;

	(void)state;
	house_init(&h);
	house_start(&h);
	assert_int_equal(house_pcp(&h, &wish).result, 0);
	wish.lifetime_s = 0;
	responder_set_external(h.r, &tenf_address_none4, h.now); /* known no longer, used still */
	assert_int_equal(house_pcp(&h, &wish).result, 0);
	assert_int_equal(h.removed.end, LEDGER_DELETED);
	assert_true(tenf_address_equal(&h.record.external.address, &house_external));
	responder_set_external(h.r, &house_external, h.now);
	assert_int_equal(house_pcp(&h, &web).result, 0);
	house_wait(&h, tenf_seconds(3600));
	assert_int_equal(h.removed.end, LEDGER_EXPIRED);
	house_stop(&h);
}

static void a_record_tells_the_life_of_its_mapping(void **state)
{
	struct wish wish = web;
	struct house h;
	tenf_time made_at;
	uint32_t id;

	(void)state;
	house_init(&h);
	house_start(&h);
	assert_int_equal(house_pcp(&h, &wish).result, 0);
	made_at = h.now;
	id = h.record.id;
	assert_int_not_equal(id, 0);
	h.now += tenf_seconds(60);
	assert_int_equal(house_pcp(&h, &wish).result, 0);
	assert_int_equal(h.record.id, id);
	assert_int_equal(h.record.renewals, 1);
	assert_true(h.record.made_at == made_at);
	assert_int_equal(h.record.end, LEDGER_NOT_ENDED);
	wish.lifetime_s = 0;
	assert_int_equal(house_pcp(&h, &wish).result, 0);
	assert_int_equal(h.record.id, id);
	assert_int_equal(h.record.end, LEDGER_DELETED);
	h.backend = TENF_E_SYSTEM; /* what did not come true has no life */
	assert_int_equal(house_pcp(&h, &web).result, PCP_NO_RESOURCES);
	assert_int_equal(h.record.id, 0);
	house_stop(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_epoch_is_told_until_it_is_kept),
		cmocka_unit_test(a_renewal_says_whether_more_than_the_lease_changed),
		cmocka_unit_test(given_back_and_made_again_in_one_batch_is_another_content),
		cmocka_unit_test(another_rule_that_allows_is_another_content),
		cmocka_unit_test(a_removal_says_why_and_where),
		cmocka_unit_test(a_record_tells_the_life_of_its_mapping),
	};

	return cmocka_run_group_tests_name("gateway told", tests, NULL, NULL);
}
