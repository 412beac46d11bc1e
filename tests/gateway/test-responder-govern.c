/* SPDX-License-Identifier: MIT */
/* What an administrator does: revokes, says yes or no, changes rules and places. */
#include "house.h"

#include "gateway/responder-govern.h"

#include <string.h>

static const struct wish web = {
	.host = 20, .protocol = TENF_TCP, .internal = 8080, .external = 8000, .lifetime_s = 3600,
	.nonce = 1,
};

static struct house h;

static int setup(void **state)
{
	(void)state;
	house_init(&h);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	house_stop(&h);
	return 0;
}

static void revoked_is_ended_recorded_and_kept_from_its_owner_for_a_while(void **state)
{
	struct wish twin = web;
	struct pcp_answer a;
	uint32_t id;

	(void)state;
	house_start(&h);
	assert_int_equal(house_pcp(&h, &web).result, PCP_SUCCESS);
	id = h.record.id;
	assert_ptr_equal(responder_find(h.r, id), house_find(&h, TENF_TCP, 8000));
	assert_int_equal(responder_revoke(h.r, id + 1, h.now), TENF_E_NOT_FOUND);
	assert_int_equal(responder_revoke(h.r, id, h.now), TENF_OK);
	house_turn(&h);
	assert_int_equal(h.removals, 1);
	assert_int_equal(h.removed.end, LEDGER_REVOKED);
	assert_int_equal(h.record.verdict, RESPONDER_REVOKED);
	assert_int_equal(h.record.end, LEDGER_REVOKED);
	assert_int_equal(h.record.id, id);
	assert_int_equal(h.record.external.port, 8000);
	assert_null(responder_find(h.r, id));

	h.now += 600 * TENF_SECOND;
	a = house_pcp(&h, &web); /* a renewal: it would undo the revocation */
	assert_int_equal(a.result, PCP_NOT_AUTHORIZED);
	assert_int_equal(a.lifetime_s, LEDGER_REVOKED_S - 600);
	assert_int_equal(house_natpmp(&h, 20, TENF_TCP, 8080, 9000, 60).result,
			 NATPMP_NOT_AUTHORIZED);
	twin.internal = 8081; /* another service of the host */
	assert_int_not_equal(house_pcp(&h, &twin).map.external_port, 8000);
	house_wait(&h, (LEDGER_REVOKED_S - 600) * TENF_SECOND);
	assert_int_equal(house_pcp(&h, &web).map.external_port, 8000);
}

static void a_revocation_that_fails_is_told_and_leaves_it_open(void **state)
{
	(void)state;
	house_start(&h);
	assert_int_equal(house_pcp(&h, &web).result, PCP_SUCCESS);
	assert_int_equal(responder_revoke(h.r, h.record.id, h.now), TENF_OK);
	h.backend = TENF_E_SYSTEM;
	house_turn(&h);
	assert_int_equal(h.record.verdict, RESPONDER_REVOKED);
	assert_int_equal(h.record.end, LEDGER_NOT_ENDED);
	assert_int_equal(house_count(&h), 1);
	h.backend = TENF_OK;
	assert_int_equal(house_pcp(&h, &web).result, PCP_SUCCESS);
}

static void pinholes_and_static_mappings_are_revoked_as_well(void **state)
{
	const struct tenf_address v6 = house_v6("2001:db8:1::20");
	const struct tenf_endpoint server = { house_host(20), 22 };
	struct wish wish = web;
	uint32_t id;

	(void)state;
	wish.from = &v6;
	house_start(&h);
	assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
	assert_int_equal(responder_revoke(h.r, h.record.id, h.now), TENF_OK);
	house_turn(&h);
	assert_int_equal(house_pcp(&h, &wish).result, PCP_NOT_AUTHORIZED);
	house_wait(&h, LEDGER_REVOKED_S * TENF_SECOND);
	assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);

	assert_int_equal(responder_add_static(h.r, TENF_TCP, &server, 2222, h.now), TENF_OK);
	house_turn(&h);
	id = responder_find_internal(h.r, TENF_TCP, &server)->id;
	assert_int_equal(responder_describe(h.r, id, "door", 4), TENF_OK);
	house_turn(&h);
	assert_int_equal(h.rewritten, 1);
	assert_memory_equal(responder_find(h.r, id)->cold->description, "door", 4);
	assert_int_equal(responder_describe(h.r, id, "", LEDGER_DESCRIPTION_MAX + 1), TENF_E_LIMIT);
	assert_int_equal(responder_describe(h.r, id + 1, "", 0), TENF_E_NOT_FOUND);
	assert_int_equal(responder_revoke(h.r, id, h.now), TENF_OK);
	house_turn(&h);
	assert_int_equal(house_count(&h), 1);
	/* The administrator's own word is not held against the administrator. */
	assert_int_equal(responder_add_static(h.r, TENF_TCP, &server, 2222, h.now), TENF_OK);
	house_turn(&h);
	assert_int_equal(house_count(&h), 2);
}

/* ---- Wishes that wait ------------------------------------------------- */

static void ask_below_1024(void)
{
	h.rules[0] = (struct policy_rule){
		.action = POLICY_ASK, .external = { { { 1, 1023 } }, 1 }, .name = "low ports",
	};
	h.rules[1] = (struct policy_rule){ .action = POLICY_ALLOW,
					   .external = { { { 8000, 8999 } }, 1 } };
	h.config.rule_count = 2;
	house_start(&h);
}

static void what_a_rule_asks_about_waits_until_it_is_approved(void **state)
{
	const struct pending_wish *w;
	struct wish wish = web;
	struct pcp_answer a;

	(void)state;
	wish.external = 443;
	h.has_mac = true;
	h.mac[5] = 9;
	ask_below_1024();
	a = house_pcp(&h, &wish);
	assert_int_equal(a.result, PCP_NOT_AUTHORIZED);
	assert_int_equal(a.lifetime_s, 30); /* soon again */
	assert_int_equal(h.record.verdict, RESPONDER_PENDING);
	assert_int_equal(h.record.rule, 0);
	w = responder_pending(h.r, NULL);
	assert_int_equal(h.record.id, w->id);
	assert_int_equal(w->external_port, 443);
	assert_int_equal(w->internal.port, 8080);
	assert_int_equal(w->mac[5], 9);
	assert_null(responder_pending(h.r, w));

	assert_int_equal(house_pcp(&h, &wish).result, PCP_NOT_AUTHORIZED);
	assert_int_equal(h.record.verdict, RESPONDER_REFUSED); /* not news any more */
	assert_int_equal(w->tries, 2);
	assert_int_equal(responder_approve(h.r, w->id + 1, h.now), TENF_E_NOT_FOUND);
	assert_int_equal(responder_approve(h.r, w->id, h.now), TENF_OK);
	assert_int_equal(house_pcp(&h, &wish).map.external_port, 443);

	/* Open is open: it is renewed long after the approval. */
	for (int i = 0; i < 100; i++) {
		h.now += 1800 * TENF_SECOND;
		assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
	}
	wish.lifetime_s = 0; /* ended: the next one is a new question */
	assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
	wish.lifetime_s = 60;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_NOT_AUTHORIZED);
	assert_int_equal(h.record.verdict, RESPONDER_PENDING);
}

static void an_approval_is_for_the_port_that_was_asked_for(void **state)
{
	struct wish wish = web;

	(void)state;
	wish.external = 443;
	ask_below_1024();
	assert_int_equal(house_pcp(&h, &wish).result, PCP_NOT_AUTHORIZED);
	assert_int_equal(responder_approve(h.r, 1, h.now), TENF_OK);
	wish.external = 22;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_NOT_AUTHORIZED);
	wish.external = 443;
	assert_int_equal(house_pcp(&h, &wish).map.external_port, 443);
}

static void nothing_is_asked_where_something_is_allowed(void **state)
{
	struct wish wish = web;

	(void)state;
	wish.external = 0;
	ask_below_1024();
	assert_in_range(house_pcp(&h, &wish).map.external_port, 8000, 8999);
	assert_null(responder_pending(h.r, NULL));
}

static void without_a_wished_port_the_approval_is_for_any(void **state)
{
	(void)state;
	h.rules[0] = (struct policy_rule){ .action = POLICY_ASK,
					   .external = { { { 700, 709 } }, 1 } };
	house_start(&h);
	assert_int_equal(house_natpmp(&h, 20, TENF_UDP, 7, 7, 60).result, NATPMP_NOT_AUTHORIZED);
	assert_int_equal(responder_pending(h.r, NULL)->external_port, 0);
	assert_int_equal(responder_approve(h.r, 1, h.now), TENF_OK);
	assert_in_range(house_natpmp(&h, 20, TENF_UDP, 7, 7, 60).external_port, 700, 709);
}

static void denied_is_denied_without_a_question(void **state)
{
	struct wish wish = web;
	struct pcp_answer a;

	(void)state;
	wish.external = 443;
	ask_below_1024();
	(void)house_pcp(&h, &wish);
	assert_int_equal(responder_deny(h.r, 1, h.now), TENF_OK);
	a = house_pcp(&h, &wish);
	assert_int_equal(a.result, PCP_NOT_AUTHORIZED);
	assert_int_equal(a.lifetime_s, 1800);
	assert_int_equal(h.record.verdict, RESPONDER_REFUSED);
	assert_string_equal(h.record.why, "denied by the administrator");
	house_wait(&h, PENDING_DENIED);
	(void)house_pcp(&h, &wish);
	assert_int_equal(h.record.verdict, RESPONDER_PENDING);
}

static void a_pinhole_may_be_asked_about(void **state)
{
	const struct tenf_address v6 = house_v6("2001:db8:1::20");
	struct wish wish = web;

	(void)state;
	wish.from = &v6;
	wish.internal = 443;
	ask_below_1024();
	assert_int_equal(house_pcp(&h, &wish).result, PCP_NOT_AUTHORIZED);
	assert_int_equal(responder_approve(h.r, 1, h.now), TENF_OK);
	assert_int_equal(house_pcp(&h, &wish).map.external_port, 443);
}

/* PENDING_OF_HOST_MAX */
static void who_asks_for_too_much_is_refused_without_a_note(void **state)
{
	struct wish wish = web;

	(void)state;
	wish.external = 443;
	ask_below_1024();
	for (unsigned i = 0; i <= PENDING_OF_HOST_MAX; i++) {
		wish.internal = (uint16_t)(100 + i);
		assert_int_equal(house_pcp(&h, &wish).result, PCP_NOT_AUTHORIZED);
	}
	assert_int_equal(h.record.verdict, RESPONDER_REFUSED);
	wish.host = 30;
	(void)house_pcp(&h, &wish);
	assert_int_equal(h.record.verdict, RESPONDER_PENDING);
}

static void asking_counts_against_the_rate(void **state)
{
	struct wish wish = web;

	(void)state;
	wish.external = 443;
	h.rules[0].action = POLICY_ASK;
	h.rules[0].requests_per_s = 1;
	house_start(&h);
	assert_int_equal(house_pcp(&h, &wish).result, PCP_NOT_AUTHORIZED);
	assert_int_equal(house_pcp(&h, &wish).result, PCP_NO_RESOURCES);
}

/* ---- Another configuration -------------------------------------------- */

static void new_rules_hold_for_renewals_and_leave_open_what_is_open(void **state)
{
	const struct policy_rule none = { .action = POLICY_DENY };

	(void)state;
	house_start(&h);
	assert_int_equal(house_pcp(&h, &web).result, PCP_SUCCESS);
	assert_int_equal(responder_set_policy(h.r, &none, 1, NULL, false, h.now), TENF_OK);
	house_turn(&h);
	assert_int_equal(house_count(&h), 1);
	assert_int_equal(house_find(&h, TENF_TCP, 8000)->rule, POLICY_NO_RULE);
	assert_int_equal(house_pcp(&h, &web).result, PCP_NOT_AUTHORIZED);
	assert_int_equal(responder_set_policy(h.r, h.rules, 1, NULL, false, h.now), TENF_OK);
	assert_int_equal(house_find(&h, TENF_TCP, 8000)->rule, 0);
	assert_int_equal(house_pcp(&h, &web).result, PCP_SUCCESS);
}

static void new_rules_may_end_what_they_no_longer_allow(void **state)
{
	const struct tenf_endpoint server = { house_host(20), 22 };
	const struct policy_rule rules[] = {
		{ .action = POLICY_DENY, .internal = { { { 8080, 8080 } }, 1 }, .name = "no web" },
		{ .action = POLICY_ALLOW },
	};
	struct wish wish = web;

	(void)state;
	house_start(&h);
	assert_int_equal(house_pcp(&h, &web).result, PCP_SUCCESS);
	wish.internal = 9090;
	wish.external = 9090;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
	assert_int_equal(responder_add_static(h.r, TENF_TCP, &server, 22, h.now), TENF_OK);
	house_turn(&h);
	assert_int_equal(responder_set_policy(h.r, rules, 2, NULL, true, h.now), TENF_OK);
	assert_true(responder_deadline(h.r) <= h.now);
	house_turn(&h);
	assert_int_equal(house_count(&h), 2);
	assert_null(house_find(&h, TENF_TCP, 8000));
	assert_int_equal(h.record.verdict, RESPONDER_REVOKED);
	assert_int_equal(h.record.end, LEDGER_DISALLOWED);
	assert_int_equal(h.record.rule, 0);
	assert_string_equal(responder_rule(h.r, h.record.rule)->name, "no web");
	assert_int_equal(house_find(&h, TENF_TCP, 9090)->rule, 1);
	/* A mistake that is undone has not cost the port. */
	assert_int_equal(responder_set_policy(h.r, h.rules, 1, NULL, true, h.now), TENF_OK);
	assert_int_equal(house_pcp(&h, &web).map.external_port, 8000);
}

/* RESPONDER_REAPPLY_STEP */
static void many_are_ended_in_steps_also_when_the_backend_fails_between(void **state)
{
	const uint32_t all = 2 * RESPONDER_REAPPLY_STEP + 10;
	struct wish wish = web;
	uint32_t left;

	(void)state;
	house_start(&h);
	for (uint32_t i = 0; i < all; i++) {
		wish.internal = (uint16_t)(1 + i);
		wish.external = (uint16_t)(20000 + i);
		assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
	}
	assert_int_equal(responder_set_policy(h.r, NULL, 0, NULL, true, h.now), TENF_OK);
	house_turn(&h);
	left = all - RESPONDER_REAPPLY_STEP;
	assert_int_equal(house_count(&h), left);
	assert_true(responder_deadline(h.r) <= h.now);
	h.backend = TENF_E_SYSTEM;
	house_turn(&h);
	assert_int_equal(house_count(&h), left);
	assert_true(responder_deadline(h.r) > h.now); /* not at once again */
	h.backend = TENF_OK;
	h.records = 0;
	house_wait(&h, TENF_SECOND);
	house_turn(&h);
	house_turn(&h);
	assert_int_equal(house_count(&h), 0);
	assert_int_equal(h.records, left);
	assert_true(responder_deadline(h.r) > h.now);
}

static void the_link_layer_address_is_remembered_for_new_rules(void **state)
{
	struct policy_rule rules[] = { { .action = POLICY_ALLOW, .has_mac = true } };
	struct wish wish = web;

	(void)state;
	rules[0].mac[5] = 7;
	house_start(&h);
	h.has_mac = true;
	h.mac[5] = 7;
	assert_int_equal(house_pcp(&h, &web).result, PCP_SUCCESS);
	h.mac[5] = 8;
	wish.host = 30;
	wish.external = 8001;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
	assert_int_equal(responder_set_policy(h.r, rules, 1, NULL, true, h.now), TENF_OK);
	house_turn(&h);
	assert_int_equal(house_count(&h), 1);
	assert_non_null(house_find(&h, TENF_TCP, 8000));
	assert_true(h.record.has_mac && h.record.mac[5] == 8);
}

static void for_another_host(struct wish *wish, unsigned host, uint8_t *options)
{
	const struct tenf_address other = house_host(host);
	struct tenf_writer w = tenf_writer_of(options, 20);

	pcp_write_third_party(&w, &other);
	wish->options = options;
	wish->options_len = w.used;
}

static void what_is_mapped_for_another_host_is_judged_by_who_asked(void **state)
{
	struct policy_rule rules[2];
	struct wish wish = web;
	uint8_t options[20];

	(void)state;
	for_another_host(&wish, 30, options);
	h.rules[0].third_party = true;
	house_start(&h);
	assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS); /* 20 for 30 */
	wish.host = 21;
	wish.nonce = 2;
	wish.internal = 8081;
	wish.external = 8001;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS); /* 21 for 30 */
	/* 20 may still do so; 30, for itself, may not. */
	rules[0] = h.rules[0];
	assert_true(tenf_prefix_parse("192.168.1.20", &rules[0].client));
	assert_int_equal(responder_set_policy(h.r, rules, 1, NULL, true, h.now), TENF_OK);
	house_turn(&h);
	assert_int_equal(house_count(&h), 1);
	assert_non_null(house_find(&h, TENF_TCP, 8000));
	assert_int_equal(h.record.client.octets[15], 21);
	assert_int_equal(h.record.internal.address.octets[15], 30);
	/* Nor may 20, when its rule is no longer for others. */
	rules[0].third_party = false;
	assert_int_equal(responder_set_policy(h.r, rules, 1, NULL, true, h.now), TENF_OK);
	house_turn(&h);
	assert_int_equal(house_count(&h), 0);
}

static void who_renews_for_another_host_is_who_is_judged(void **state)
{
	struct policy_rule rules[1];
	struct wish wish = web;
	uint8_t options[20];

	(void)state;
	for_another_host(&wish, 30, options);
	h.rules[0].third_party = true;
	house_start(&h);
	assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
	assert_int_equal(ledger_asker(responder_mappings(h.r, NULL))->octets[15], 20);
	wish.host = 30; /* the host itself, which knows the nonce */
	wish.options_len = 0;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
	assert_int_equal(h.rewritten, 1);
	rules[0] = h.rules[0];
	assert_true(tenf_prefix_parse("192.168.1.30", &rules[0].client));
	assert_int_equal(responder_set_policy(h.r, rules, 1, NULL, true, h.now), TENF_OK);
	house_turn(&h);
	assert_int_equal(house_count(&h), 1);
}

static void limits_change_and_nonsense_changes_nothing(void **state)
{
	struct responder_limits limits = { .lifetime_min_s = 60, .lifetime_max_s = 600,
					   .mappings_max = 1 };
	static struct policy_rule too_many[POLICY_RULES_MAX + 1];
	struct wish wish = web;

	(void)state;
	house_start(&h);
	assert_int_equal(house_pcp(&h, &web).lifetime_s, 3600);
	assert_int_equal(responder_set_policy(h.r, h.rules, 1, &limits, false, h.now), TENF_OK);
	assert_int_equal(house_pcp(&h, &web).lifetime_s, 600);
	wish.host = 30;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_NO_RESOURCES);
	limits.mappings_max = 0;
	assert_int_equal(responder_set_policy(h.r, NULL, 0, &limits, true, h.now),
			 TENF_E_ARGUMENT);
	limits.mappings_max = 2;
	limits.lifetime_min_s = 601;
	assert_int_equal(responder_set_policy(h.r, NULL, 0, &limits, true, h.now),
			 TENF_E_ARGUMENT);
	assert_int_equal(responder_set_policy(h.r, too_many, POLICY_RULES_MAX + 1, NULL, true,
					      h.now), TENF_E_LIMIT);
	house_turn(&h);
	assert_int_equal(house_pcp(&h, &web).lifetime_s, 600);
}

static void networks_and_own_ports_change_while_it_runs(void **state)
{
	const struct responder_reserved ssh = { TENF_TCP, 8000 };
	struct wish wish = web;

	(void)state;
	house_start(&h);
	assert_int_equal(house_pcp(&h, &web).result, PCP_SUCCESS);
	assert_int_equal(responder_set_reserved(h.r, &ssh, 1), TENF_OK);
	assert_int_equal(house_pcp(&h, &web).map.external_port, 8000); /* open is open */
	wish.lifetime_s = 0;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
	house_wait(&h, RESPONDER_WITHHOLD_TCP_S * TENF_SECOND);
	assert_int_not_equal(house_pcp(&h, &web).map.external_port, 8000);
	assert_int_equal(responder_set_reserved(h.r, NULL, 0), TENF_OK);
	wish = web;
	wish.host = 30;
	assert_int_equal(house_pcp(&h, &wish).map.external_port, 8000);
	assert_int_equal(house_natpmp(&h, 20, TENF_UDP, 9, PCP_PORT, 60).result, 0);
	assert_null(house_find(&h, TENF_UDP, PCP_PORT)); /* never, whatever is reserved */

	assert_int_equal(responder_set_links(h.r, &h.links[1], 1), TENF_OK);
	house_send(&h, &(struct tenf_endpoint){ house_host(20), 1 }, (const uint8_t *)"\0\0", 2);
	assert_int_equal(h.answers, 0);
	assert_int_equal(responder_set_links(h.r, h.links, RESPONDER_LINKS_MAX + 1), TENF_E_LIMIT);
	assert_int_equal(responder_set_reserved(h.r, &ssh, RESPONDER_RESERVED_MAX + 1),
			 TENF_E_LIMIT);
}

static void nothing_is_changed_while_a_batch_is_being_committed(void **state)
{
	struct responder_change change;
	uint32_t id;

	(void)state;
	house_start(&h);
	assert_int_equal(house_pcp(&h, &web).result, PCP_SUCCESS);
	id = h.record.id;
	assert_false(responder_next_change(h.r, &change));
	assert_int_equal(responder_revoke(h.r, id, h.now), TENF_E_AGAIN);
	assert_int_equal(responder_describe(h.r, id, "x", 1), TENF_E_AGAIN);
	assert_int_equal(responder_set_policy(h.r, NULL, 0, NULL, true, h.now), TENF_E_AGAIN);
	responder_committed(h.r, TENF_OK, h.now);
	assert_int_equal(responder_revoke(h.r, id, h.now), TENF_OK);
	house_turn(&h);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(revoked_is_ended_recorded_and_kept_from_its_owner_for_a_while),
		CASE(a_revocation_that_fails_is_told_and_leaves_it_open),
		CASE(pinholes_and_static_mappings_are_revoked_as_well),
		CASE(what_a_rule_asks_about_waits_until_it_is_approved),
		CASE(an_approval_is_for_the_port_that_was_asked_for),
		CASE(nothing_is_asked_where_something_is_allowed),
		CASE(without_a_wished_port_the_approval_is_for_any),
		CASE(denied_is_denied_without_a_question),
		CASE(a_pinhole_may_be_asked_about),
		CASE(who_asks_for_too_much_is_refused_without_a_note),
		CASE(asking_counts_against_the_rate),
		CASE(new_rules_hold_for_renewals_and_leave_open_what_is_open),
		CASE(new_rules_may_end_what_they_no_longer_allow),
		CASE(many_are_ended_in_steps_also_when_the_backend_fails_between),
		CASE(the_link_layer_address_is_remembered_for_new_rules),
		CASE(what_is_mapped_for_another_host_is_judged_by_who_asked),
		CASE(who_renews_for_another_host_is_who_is_judged),
		CASE(limits_change_and_nonsense_changes_nothing),
		CASE(networks_and_own_ports_change_while_it_runs),
		CASE(nothing_is_changed_while_a_batch_is_being_committed),
	};

	return cmocka_run_group_tests_name("gateway governance", tests, NULL, NULL);
}
