/* SPDX-License-Identifier: MIT */
/* Giving up: what is deleted, for how long that is tried, and what is told. */
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
	world_forget(w);
	return id;
}

static void remove_now(struct world *w, uint32_t id)
{
	assert_int_equal(engine_remove(&w->engine, id, w->now), TENF_OK);
	world_flush(w);
}

/* NP-C-21: a delete is sent, and its answer ends the mapping. */
static void a_held_mapping_is_deleted_at_the_gateway(void **state)
{
	static const unsigned methods[] = { TENF_METHOD_PCP, TENF_METHOD_NATPMP,
					    TENF_METHOD_PCP | TENF_METHOD_NATPMP };
	struct world *w = *state;

	for (size_t i = 0; i < TENF_ARRAY_SIZE(methods); i++) {
		const struct engine_event *event;
		uint32_t id;

		world_restart(w, methods[i], false);
		id = hold(w, 1);
		remove_now(w, id);
		event = expect_event(w, TENF_EVENT_REMOVED, id);
		assert_int_equal(event->mapping.state, TENF_STATE_REMOVED);
		assert_int_equal(event->mapping.error.reason, TENF_REASON_NONE);
		assert_int_equal(event->before.state, TENF_STATE_MAPPED);
		assert_true(packet_nth(w, TENF_TCP, 1, true, 0) != NULL);
		assert_int_equal(fake_gateway_count(&w->gateway, w->now), 0);
		assert_null(keeper_find(&w->engine.keeper, id));
		world_pass(w, 7200 * TENF_SECOND);
		assert_int_equal(w->packet_count, 1);
		expect_no_event(w);
	}
}

static void one_that_was_never_asked_for_just_goes(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(1);
	uint32_t id = world_add(w, &wish, false);

	expect_event(w, TENF_EVENT_LOST, id);
	remove_now(w, id);
	expect_event(w, TENF_EVENT_REMOVED, id);
	assert_null(keeper_find(&w->engine.keeper, id));
	assert_int_equal(engine_remove(&w->engine, id, w->now), TENF_E_NOT_FOUND);
	assert_int_equal(w->packet_count, 0);
}

/* NP-C-21: the request is on its way, so a mapping may come of it. */
static void one_that_is_being_asked_for_is_deleted_too(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(1);
	uint32_t id;

	w->gateway.silent = true;
	world_connect(w, GATEWAY, SOURCE);
	id = world_add(w, &wish, false);
	world_forget(w);
	w->gateway.silent = false;
	remove_now(w, id);
	expect_event(w, TENF_EVENT_REMOVED, id);
	assert_true(w->packets[0].deletes);
	assert_null(packet_nth(w, TENF_TCP, 1, false, 0));
}

/* A late grant must not bring back what is being removed. */
static void a_late_grant_does_not_bring_it_back(void **state)
{
	struct world *w = *state;
	uint32_t id = hold(w, 1);
	struct keeper_view view = world_view(w, id);

	w->gateway.silent = true;
	remove_now(w, id);
	world_update(w, id, PCP_SUCCESS, view.grant.external_port, 7200,
		     view.grant.epoch_s + 1);
	expect_no_event(w);
	world_pass(w, 30 * TENF_SECOND);
	expect_event(w, TENF_EVENT_REMOVED, id);
	expect_no_event(w);
}

/* The delete is repeated for 20 s; then the lease is left to its end. */
static void a_silent_gateway_does_not_hold_it_for_ever(void **state)
{
	struct world *w = *state;
	uint32_t id = hold(w, 1);
	tenf_time start;

	w->gateway.silent = true;
	remove_now(w, id);
	start = w->now;
	world_run(w, start + 20 * TENF_SECOND - 1);
	expect_no_event(w);
	assert_true(w->packet_count > 2);
	world_run(w, start + 20 * TENF_SECOND);
	assert_int_equal(expect_event(w, TENF_EVENT_REMOVED, id)->mapping.error.reason,
			 TENF_REASON_SILENT);
}

/* NP-C-22: nothing is deleted that has ended by itself. */
static void deleting_stops_when_the_lease_would_have_ended(void **state)
{
	struct world *w = *state;
	tenf_time ends;
	uint32_t id;

	w->gateway.lifetime_max_s = 40;
	id = hold(w, 1);
	ends = w->now + 40 * TENF_SECOND;
	w->gateway.silent = true;
	world_run(w, ends - 5 * TENF_SECOND);
	world_forget(w);
	remove_now(w, id);
	world_run(w, ends - 1);
	expect_no_event(w);
	assert_true(w->packet_count > 0);
	world_run(w, ends + 1);
	expect_event(w, TENF_EVENT_REMOVED, id);
	world_forget(w);
	world_pass(w, 3600 * TENF_SECOND);
	assert_int_equal(w->packet_count, 0);
}

/* Some gateways refuse every delete: told, and not tried again. */
static void a_refused_delete_is_no_loop(void **state)
{
	struct world *w = *state;
	uint32_t id;

	world_restart(w, TENF_METHOD_PCP, false);
	id = hold(w, 1);
	w->gateway.pcp_delete_result = PCP_NOT_AUTHORIZED;
	w->gateway.pcp_error_s = 1800;
	remove_now(w, id);
	assert_int_equal(expect_event(w, TENF_EVENT_REMOVED, id)->mapping.error.result,
			 PCP_NOT_AUTHORIZED);
	world_pass(w, 7200 * TENF_SECOND);
	assert_int_equal(w->packet_count, 1);
}

static void removing_twice_is_removing_once(void **state)
{
	struct world *w = *state;
	uint32_t id = hold(w, 1);

	w->gateway.silent = true;
	remove_now(w, id);
	assert_int_equal(engine_remove(&w->engine, id, w->now), TENF_OK);
	world_pass(w, 30 * TENF_SECOND);
	expect_event(w, TENF_EVENT_REMOVED, id);
	expect_no_event(w);
	assert_int_equal(engine_remove(&w->engine, id, w->now), TENF_E_NOT_FOUND);
	assert_int_equal(engine_remove(&w->engine, 4711, w->now), TENF_E_NOT_FOUND);
}

static void a_gateway_that_goes_takes_what_is_being_removed_with_it(void **state)
{
	struct world *w = *state;
	uint32_t id = hold(w, 1);

	w->gateway.silent = true;
	remove_now(w, id);
	world_forget(w);
	world_connect(w, NULL, NULL);
	expect_event(w, TENF_EVENT_GATEWAY, 0);
	assert_int_equal(expect_event(w, TENF_EVENT_REMOVED, id)->mapping.error.reason,
			 TENF_REASON_NO_GATEWAY);
}

/* ---- Leases of an earlier run ------------------------------------------------------- */

static void a_lease_of_an_earlier_run_is_deleted_with_its_nonce(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish;
	struct keeper_view view;
	uint32_t id;

	world_restart(w, TENF_METHOD_PCP, false);
	view = world_view(w, hold(w, 1));
	wish = view.wish;
	wish.has_nonce = true;
	/* another engine at the same gateway */
	engine_done(&w->engine);
	{
		struct engine_config config = { .methods = TENF_METHOD_PCP, .verdict = VERDICT };
		struct tenf_random random = tenf_seeded_random(&w->seeded);

		engine_init(&w->engine, &config, &random, &w->memory);
	}
	world_connect(w, GATEWAY, SOURCE);
	world_forget(w);
	assert_int_equal(engine_release(&w->engine, &wish, w->now, &id), TENF_OK);
	world_flush(w);
	assert_int_equal(expect_event(w, TENF_EVENT_REMOVED, id)->mapping.error.reason,
			 TENF_REASON_NONE);
	assert_true(w->packets[0].deletes);
	assert_memory_equal(w->packets[0].nonce, view.wish.nonce, CORE_NONCE);
	assert_int_equal(fake_gateway_count(&w->gateway, w->now), 0);
}

static void releasing_without_a_gateway_ends_at_once(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(1);
	uint32_t id;

	assert_int_equal(engine_release(&w->engine, &wish, w->now, &id), TENF_OK);
	world_flush(w);
	assert_int_equal(expect_event(w, TENF_EVENT_REMOVED, id)->mapping.error.reason,
			 TENF_REASON_NO_GATEWAY);
	assert_int_equal(w->engine.keeper.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(a_held_mapping_is_deleted_at_the_gateway),
		WORLD_TEST(one_that_was_never_asked_for_just_goes),
		WORLD_TEST(one_that_is_being_asked_for_is_deleted_too),
		WORLD_TEST(a_late_grant_does_not_bring_it_back),
		WORLD_TEST(a_silent_gateway_does_not_hold_it_for_ever),
		WORLD_TEST(deleting_stops_when_the_lease_would_have_ended),
		WORLD_TEST(a_refused_delete_is_no_loop),
		WORLD_TEST(removing_twice_is_removing_once),
		WORLD_TEST(a_gateway_that_goes_takes_what_is_being_removed_with_it),
		WORLD_TEST(a_lease_of_an_earlier_run_is_deleted_with_its_nonce),
		WORLD_TEST(releasing_without_a_gateway_ends_at_once),
	};

	return cmocka_run_group_tests_name("removal", tests, NULL, NULL);
}
