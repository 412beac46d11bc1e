/* SPDX-License-Identifier: MIT */
/* Gateways that restart, change, move and tell: what is recreated and how. */
#include "core/schedule.h"
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static uint32_t hold(struct world *w, uint16_t port)
{
	struct keeper_wish wish = wish_of(port);
	uint32_t id;

	if (!w->connected)
		world_connect(w, GATEWAY, SOURCE);
	id = world_add(w, &wish, false);
	assert_int_equal(world_view(w, id).state, TENF_STATE_MAPPED);
	return id;
}

/* Holds ports 1 to `count` for a while, then the gateway loses them and says so. */
static void restart_with(struct world *w, uint16_t count)
{
	for (uint16_t port = 1; port <= count; port++)
		(void)hold(w, port);
	world_pass(w, 600 * TENF_SECOND);
	world_forget(w);
	fake_gateway_restart(&w->gateway, w->now);
	world_announce(w);
}

/* ---- Restart ----------------------------------------------------------------------- */

/* NP-C-26, PCP-C-24: all mappings, one after the other, after one random delay. */
static void all_mappings_are_recreated_serially(void **state)
{
	struct world *w = *state;
	tenf_time told;
	uint16_t ports[6];

	for (uint16_t port = 1; port <= 5; port++)
		ports[port] = world_view(w, hold(w, port)).grant.external_port;
	world_pass(w, 600 * TENF_SECOND);
	world_forget(w);
	fake_gateway_restart(&w->gateway, w->now);
	told = w->now;
	world_announce(w);
	expect_event(w, TENF_EVENT_GATEWAY_RESTART, 0);
	world_pass(w, 10 * TENF_SECOND);
	for (uint16_t port = 1; port <= 5; port++) {
		const struct packet *p = packet_nth(w, TENF_TCP, port, false, 0);

		assert_non_null(p);
		assert_in_range(p->at - told, 0, RESTART_DELAY_MAX + 5 * w->rtt * 5);
		assert_int_equal(p->external_port, ports[port]);
		if (port > 1)
			assert_true(p->at >= packet_nth(w, TENF_TCP, port - 1, false, 0)->at +
						     w->rtt);
		assert_int_equal(fake_gateway_find(&w->gateway, TENF_TCP, port, w->now)
					 ->external_port,
				 ports[port]);
	}
}

/* NP-C-26, PCP-C-24: the delay is drawn between 0 and 5 s. */
static void the_delay_is_between_0_and_5_s(void **state)
{
	struct world *w = *state;
	tenf_duration low = TENF_NEVER;
	tenf_duration high = 0;

	for (int i = 0; i < 200; i++) {
		tenf_time told;
		const struct packet *p;

		world_restart(w, TENF_METHOD_PCP, false);
		(void)hold(w, 1);
		world_pass(w, 600 * TENF_SECOND);
		world_forget(w);
		fake_gateway_restart(&w->gateway, w->now);
		told = w->now;
		world_announce(w);
		world_pass(w, 6 * TENF_SECOND);
		p = packet_nth(w, TENF_TCP, 1, false, 0);
		assert_non_null(p);
		assert_in_range(p->at - told, 0, RESTART_DELAY_MAX);
		low = tenf_time_min(low, p->at - told);
		high = tenf_time_max(high, p->at - told);
	}
	assert_true(low < 200 * TENF_MILLISECOND);
	assert_true(high > 4800 * TENF_MILLISECOND);
}

/* A series of announcements within the wait is one restart, and one recreation. */
static void several_verdicts_within_the_wait_count_as_one(void **state)
{
	struct world *w = *state;

	restart_with(w, 3);
	fake_gateway_restart(&w->gateway, w->now - 1);
	for (int i = 0; i < 4; i++) {
		w->gateway.epoch_at_start = 1000 - 100 * (uint32_t)i;
		world_announce(w);
	}
	world_pass(w, 20 * TENF_SECOND);
	assert_int_equal(w->map_requests, 3);
}

/* One that gets no answer keeps the next one waiting for a few seconds only. */
static void an_unanswered_recreation_does_not_stop_the_next(void **state)
{
	struct world *w = *state;

	w->gateway.natpmp = false;
	for (uint16_t port = 1; port <= 4; port++)
		(void)hold(w, port);
	world_pass(w, 600 * TENF_SECOND);
	world_forget(w);
	fake_gateway_restart(&w->gateway, w->now);
	world_announce(w);
	w->gateway.silent = true;
	world_pass(w, 18 * TENF_SECOND);
	for (uint16_t port = 1; port <= 4; port++) {
		const struct packet *p = packet_nth(w, TENF_TCP, port, false, 0);

		assert_non_null(p);
		if (port > 1)
			assert_true(p->at - packet_nth(w, TENF_TCP, port - 1, false, 0)->at >=
				    1 * TENF_SECOND);
	}
	w->gateway.silent = false;
	world_pass(w, 30 * TENF_SECOND);
	assert_int_equal(fake_gateway_count(&w->gateway, w->now), 4);
}

/* A refused mapping has its turn too, without making the held ones wait for it. */
static void a_refused_mapping_does_not_slow_recovery_down(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(1);

	world_restart(w, TENF_METHOD_PCP, false);
	world_connect(w, GATEWAY, SOURCE);
	w->gateway.pcp_result = PCP_NOT_AUTHORIZED;
	w->gateway.pcp_error_s = 1800;
	for (uint16_t port = 1; port <= 10; port++) {
		wish = wish_of(port);
		(void)world_add(w, &wish, false);
	}
	w->gateway.pcp_result = PCP_SUCCESS;
	(void)hold(w, 11);
	world_pass(w, 600 * TENF_SECOND);
	world_forget(w);
	fake_gateway_restart(&w->gateway, w->now);
	world_announce(w);
	world_pass(w, 6 * TENF_SECOND);
	assert_int_equal(fake_gateway_count(&w->gateway, w->now), 11);
	assert_int_equal(w->map_requests, 11);
}

/* PCP-C-28: what was asked a moment ago is not asked again within 4 s, and what
 * the new life of the gateway granted already is not asked again at all. */
static void recreation_keeps_4_s_from_the_try_before(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 50; i++) {
		const struct packet *first;
		const struct packet *second;

		world_restart(w, TENF_METHOD_PCP, false);
		w->gateway.lifetime_max_s = 600;
		(void)hold(w, 1);
		(void)hold(w, 2);
		world_pass(w, 290 * TENF_SECOND);
		world_forget(w);
		fake_gateway_restart(&w->gateway, w->now);
		while (w->packet_count == 0)
			world_run(w, engine_deadline(&w->engine));
		world_pass(w, 20 * TENF_SECOND);
		assert_int_equal(fake_gateway_count(&w->gateway, w->now), 2);
		for (uint16_t port = 1; port <= 2; port++) {
			first = packet_nth(w, TENF_TCP, port, false, 0);
			second = packet_nth(w, TENF_TCP, port, false, 1);
			if (first == w->packets)
				assert_null(second);
			if (second != NULL)
				assert_true(second->at - first->at >= RENEWAL_SPACING);
		}
	}
}

/* A try that the restart swallowed: recreated, but 4 s after. */
static void a_swallowed_renewal_is_recreated_after_4_s(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 20; i++) {
		uint32_t id;

		world_restart(w, TENF_METHOD_PCP, false);
		id = hold(w, 1);
		world_forget(w);
		w->gateway.silent = true;
		while (w->packet_count == 0)
			world_run(w, engine_deadline(&w->engine));
		fake_gateway_restart(&w->gateway, w->now);
		world_announce(w);
		w->gateway.silent = false;
		world_pass(w, 10 * TENF_SECOND);
		assert_int_equal(w->packet_count, 2);
		assert_true(w->packets[1].at - w->packets[0].at >= RENEWAL_SPACING);
		assert_int_equal(world_view(w, id).state, TENF_STATE_MAPPED);
	}
}

/* NP-C-30, PCP-C-25: an announcement in range asks for nothing. */
static void an_announcement_in_range_renews_nothing(void **state)
{
	struct world *w = *state;

	(void)hold(w, 1);
	world_pass(w, 600 * TENF_SECOND);
	world_forget(w);
	world_announce(w);
	world_pass(w, 60 * TENF_SECOND);
	assert_int_equal(w->packet_count, 0);
	expect_no_event(w);
}

/* NP-C-37: who was given up for absent is asked again when it announces itself. */
static void an_announcement_wakes_those_who_wait_for_somebody(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(1);
	uint32_t id;

	w->gateway.silent = true;
	world_connect(w, GATEWAY, SOURCE);
	id = world_add(w, &wish, false);
	for (int i = 0; i < 8; i++) {
		engine_unreachable(&w->engine, w->now);
		world_flush(w);
		world_run(w, engine_deadline(&w->engine));
	}
	engine_unreachable(&w->engine, w->now);
	world_pass(w, 5 * TENF_SECOND);
	w->gateway.silent = false;
	world_forget(w);
	world_announce(w);
	world_pass(w, TENF_SECOND);
	assert_int_equal(world_view(w, id).state, TENF_STATE_MAPPED);
}

/* ---- Another gateway, another address -------------------------------------------------- */

/* PCP-C-07: different nonces for different gateways, the same for the same; NP-C-37:
 * holds end with the network they were made in. */
static void another_gateway_gets_another_nonce(void **state)
{
	struct world *w = *state;
	uint32_t id = hold(w, 1);
	struct keeper_view first = world_view(w, id);
	struct keeper_view second;

	world_forget(w);
	w->gateway.held_count = 0;
	world_connect(w, "192.168.7.1:5351", "192.168.7.20");
	second = world_view(w, id);
	assert_memory_not_equal(first.wish.nonce, second.wish.nonce, CORE_NONCE);
	assert_int_equal(second.state, TENF_STATE_MAPPED);
	expect_event(w, TENF_EVENT_GATEWAY, 0);
	assert_int_equal(w->packets[0].internal_port, 1);
	assert_int_equal(w->packets[0].external_port, first.grant.external_port);
}

/* PCP-C-07: a link that was down and came back leads to the same gateway, where the
 * mapping may still be: with another nonce it would not be ours. */
static void the_same_gateway_after_none_gets_the_same_nonce(void **state)
{
	struct world *w = *state;
	uint32_t id = hold(w, 1);
	struct keeper_view first = world_view(w, id);
	struct keeper_view second;

	world_forget(w);
	world_connect(w, NULL, NULL);
	assert_int_equal(world_view(w, id).error.reason, TENF_REASON_NO_GATEWAY);
	expect_event(w, TENF_EVENT_GATEWAY, 0);
	expect_event(w, TENF_EVENT_LOST, id);
	world_pass(w, 60 * TENF_SECOND);
	assert_int_equal(w->packet_count, 0);
	world_connect(w, GATEWAY, SOURCE);
	second = world_view(w, id);
	assert_memory_equal(first.wish.nonce, second.wish.nonce, CORE_NONCE);
	assert_int_equal(second.state, TENF_STATE_MAPPED);
	assert_int_equal(second.grant.external_port, first.grant.external_port);
}

/* PCP-C-06: a lease of an earlier run goes on with the nonce that was saved, even
 * when the gateway is found later; without one each mapping has its own. */
static void a_saved_nonce_is_used_at_the_first_gateway(void **state)
{
	struct world *w = *state;
	struct keeper_wish saved = wish_of(1);
	struct keeper_wish fresh = wish_of(2);

	saved.has_nonce = true;
	memcpy(saved.nonce, "0123456789ab", CORE_NONCE);
	(void)world_add(w, &saved, false);
	(void)world_add(w, &fresh, false);
	(void)world_add(w, &fresh, false);
	world_connect(w, GATEWAY, SOURCE);
	assert_memory_equal(packet_nth(w, TENF_TCP, 1, false, 0)->nonce, saved.nonce, CORE_NONCE);
	assert_memory_not_equal(packet_nth(w, TENF_TCP, 2, false, 0)->nonce,
				packet_nth(w, TENF_TCP, 2, false, 1)->nonce, CORE_NONCE);
}

/* PCP-C-45, PCP-C-02: another own address is another mapping, with it in the header. */
static void another_own_address_asks_anew_from_it(void **state)
{
	struct world *w = *state;
	struct tenf_address source = address_of("192.168.1.99");
	uint32_t id = hold(w, 1);
	struct keeper_view view;

	world_forget(w);
	w->gateway.held_count = 0;
	world_connect(w, GATEWAY, "192.168.1.99");
	assert_int_equal(w->packets[0].internal_port, 1);
	assert_true(tenf_address_equal(&w->packets[0].client, &source));
	view = world_view(w, id);
	assert_true(tenf_address_equal(&view.internal_address, &source));
	assert_int_equal(view.state, TENF_STATE_MAPPED);
}

static void the_same_gateway_again_makes_sure_of_all(void **state)
{
	struct world *w = *state;

	for (uint16_t port = 1; port <= 3; port++)
		(void)hold(w, port);
	world_pass(w, 100 * TENF_SECOND);
	world_forget(w);
	world_connect(w, GATEWAY, SOURCE);
	world_pass(w, 10 * TENF_SECOND);
	assert_int_equal(w->map_requests, 3);
}

static void a_new_network_voids_holds(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(1);
	uint32_t id;

	world_restart(w, TENF_METHOD_PCP, false);
	w->gateway.pcp_result = PCP_NO_RESOURCES;
	w->gateway.pcp_error_s = 1800;
	world_connect(w, GATEWAY, SOURCE);
	id = world_add(w, &wish, false);
	w->gateway.pcp_result = PCP_SUCCESS;
	world_pass(w, 10 * TENF_SECOND);
	assert_int_equal(world_view(w, id).state, TENF_STATE_REFUSED);
	world_connect(w, "192.168.7.1:5351", "192.168.7.20");
	assert_int_equal(world_view(w, id).state, TENF_STATE_MAPPED);
}

/* ---- Updates ------------------------------------------------------------------------- */

/* PCP-C-20: the gateway tells of another endpoint by itself. Its epoch began anew
 * with the address (RFC 6887 §8.5). */
static void an_update_changes_the_endpoint(void **state)
{
	struct world *w = *state;
	const struct engine_event *event;
	uint32_t id = hold(w, 1);
	uint16_t port = world_view(w, id).grant.external_port;

	world_pass(w, 600 * TENF_SECOND);
	world_forget(w);
	w->gateway.external = address_of("203.0.113.99");
	w->gateway.started = w->now - 5 * TENF_SECOND;
	w->gateway.epoch_at_start = 0;
	world_update(w, id, PCP_SUCCESS, port, 1800, 5);
	expect_event(w, TENF_EVENT_GATEWAY_RESTART, 0);
	event = expect_event(w, TENF_EVENT_CHANGED, id);
	assert_true(tenf_address_equal(&event->mapping.grant.external_address,
				       &w->gateway.external));
	assert_int_equal(event->mapping.grant.lifetime_s, 1800);
	/* The update is of the gateway's new life: there is nothing to recreate. */
	world_pass(w, 10 * TENF_SECOND);
	assert_int_equal(w->packet_count, 0);
}

/* PCP-C-19: a copy of the answer that made the mapping is no news, and does not set
 * its end later than it is. */
static void a_repeated_answer_changes_nothing(void **state)
{
	struct world *w = *state;
	uint32_t id = hold(w, 1);
	struct keeper_view view = world_view(w, id);

	world_forget(w);
	world_pass(w, 2 * TENF_SECOND);
	world_update(w, id, PCP_SUCCESS, view.grant.external_port, 7200, view.grant.epoch_s);
	expect_no_event(w);
	assert_true(world_view(w, id).grant.expires == view.grant.expires);
}

/* PCP-C-19: a later one, to a request that was sent twice, is a renewal. */
static void a_later_answer_renews(void **state)
{
	struct world *w = *state;
	uint32_t id = hold(w, 1);
	struct keeper_view view = world_view(w, id);

	world_forget(w);
	world_pass(w, 3 * TENF_SECOND);
	world_update(w, id, PCP_SUCCESS, view.grant.external_port, 7200, view.grant.epoch_s + 3);
	expect_event(w, TENF_EVENT_RENEWED, id);
	assert_true(world_view(w, id).grant.expires == w->now + 7200 * TENF_SECOND);
}

/* The epochs of two protocols have nothing to do with each other. */
static void a_late_pcp_answer_after_a_natpmp_grant_is_taken(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(1);
	uint32_t id;

	w->gateway.pcp = false;
	w->gateway.epoch_at_start = 100000;
	world_connect(w, GATEWAY, SOURCE);
	id = world_add(w, &wish, false);
	world_pass(w, TENF_SECOND);
	assert_int_equal(world_view(w, id).grant.method, TENF_METHOD_NATPMP);
	world_update(w, id, PCP_SUCCESS, 4711, 7200, 17);
	assert_int_equal(world_view(w, id).grant.method, TENF_METHOD_PCP);
	assert_int_equal(world_view(w, id).grant.external_port, 4711);
}

static void an_update_with_an_error_asks_again_without_hurry(void **state)
{
	struct world *w = *state;
	uint32_t id = hold(w, 1);
	uint32_t epoch_s = world_view(w, id).grant.epoch_s;

	world_forget(w);
	world_update(w, id, PCP_CANNOT_PROVIDE_EXTERNAL, 0, 30, epoch_s + 1);
	world_pass(w, 3 * TENF_SECOND);
	assert_int_equal(w->packet_count, 0);
	world_pass(w, 2 * TENF_SECOND);
	assert_int_equal(w->packet_count, 1);
	expect_event(w, TENF_EVENT_RENEWED, id);
}

static void a_lease_once_is_not_renewed_by_an_update(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(1);
	uint32_t id;

	wish.keep = false;
	world_connect(w, GATEWAY, SOURCE);
	id = world_add(w, &wish, false);
	world_forget(w);
	world_pass(w, 100 * TENF_SECOND);
	world_update(w, id, PCP_CANNOT_PROVIDE_EXTERNAL, 0, 30,
		     fake_gateway_epoch(&w->gateway, w->now));
	world_pass(w, 100 * TENF_SECOND);
	assert_int_equal(w->packet_count, 0);
	expect_event(w, TENF_EVENT_LOST, id);
	expect_no_event(w);
}

/* PCP-C-15, PCP-C-18: with a nonce that is not ours it is nobody's. */
static void updates_of_nobody_are_dropped(void **state)
{
	struct world *w = *state;
	uint32_t id = hold(w, 1);
	struct keeper_mapping *m = keeper_find(&w->engine.keeper, id);
	struct keeper_view before = world_view(w, id);
	struct pcp_answer update = { .opcode = PCP_MAP,
				     .lifetime_s = 60,
				     .epoch_s = before.grant.epoch_s + 1,
				     .map = { .protocol = TENF_TCP,
					      .internal_port = 1,
					      .external_port = 4711,
					      .external_address = w->gateway.external } };

	memcpy(update.map.nonce, m->wish.nonce, PCP_NONCE);
	update.map.nonce[11] ^= 1;
	assert_false(keeper_update(&w->engine.keeper, &update, w->now));
	update.map.nonce[11] ^= 1;
	update.map.internal_port = 2;
	assert_false(keeper_update(&w->engine.keeper, &update, w->now));
	update.map.internal_port = 1;
	update.map.protocol = TENF_UDP;
	assert_false(keeper_update(&w->engine.keeper, &update, w->now));
	assert_int_equal(world_view(w, id).grant.external_port, before.grant.external_port);
	update.map.protocol = TENF_TCP;
	assert_true(keeper_update(&w->engine.keeper, &update, w->now));
	assert_int_equal(world_view(w, id).grant.external_port, 4711);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(all_mappings_are_recreated_serially),
		WORLD_TEST(the_delay_is_between_0_and_5_s),
		WORLD_TEST(several_verdicts_within_the_wait_count_as_one),
		WORLD_TEST(an_unanswered_recreation_does_not_stop_the_next),
		WORLD_TEST(a_refused_mapping_does_not_slow_recovery_down),
		WORLD_TEST(recreation_keeps_4_s_from_the_try_before),
		WORLD_TEST(a_swallowed_renewal_is_recreated_after_4_s),
		WORLD_TEST(an_announcement_in_range_renews_nothing),
		WORLD_TEST(an_announcement_wakes_those_who_wait_for_somebody),
		WORLD_TEST(another_gateway_gets_another_nonce),
		WORLD_TEST(the_same_gateway_after_none_gets_the_same_nonce),
		WORLD_TEST(a_saved_nonce_is_used_at_the_first_gateway),
		WORLD_TEST(another_own_address_asks_anew_from_it),
		WORLD_TEST(the_same_gateway_again_makes_sure_of_all),
		WORLD_TEST(a_new_network_voids_holds),
		WORLD_TEST(an_update_changes_the_endpoint),
		WORLD_TEST(a_repeated_answer_changes_nothing),
		WORLD_TEST(a_later_answer_renews),
		WORLD_TEST(a_late_pcp_answer_after_a_natpmp_grant_is_taken),
		WORLD_TEST(an_update_with_an_error_asks_again_without_hurry),
		WORLD_TEST(a_lease_once_is_not_renewed_by_an_update),
		WORLD_TEST(updates_of_nobody_are_dropped),
	};

	return cmocka_run_group_tests_name("recovery", tests, NULL, NULL);
}
