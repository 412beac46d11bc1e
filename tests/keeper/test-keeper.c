/* SPDX-License-Identifier: MIT */
/* The set of mappings: its limits, its news, and memory that runs out. */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include <stdlib.h>

static void ids_are_never_used_twice(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(1);
	uint32_t last = 0;

	for (int i = 0; i < 100; i++) {
		uint32_t id = world_add(w, &wish, false);

		assert_true(id > last);
		last = id;
		if (i % 3 != 0)
			assert_int_equal(engine_remove(&w->engine, id, w->now), TENF_OK);
		world_flush(w);
		world_forget(w);
	}
	assert_int_equal(w->engine.keeper.count, 34);
	for (size_t i = 0; i < w->engine.keeper.count; i++) {
		uint32_t id = w->engine.keeper.mappings[i]->id;

		assert_ptr_equal(keeper_find(&w->engine.keeper, id),
				 w->engine.keeper.mappings[i]);
	}
	assert_null(keeper_find(&w->engine.keeper, 0));
	assert_null(keeper_find(&w->engine.keeper, last + 1));
}

/* Without a gateway every wish is kept and waits; once-leases get their word. */
static void without_a_gateway_wishes_wait(void **state)
{
	struct world *w = *state;
	struct keeper_wish kept = wish_of(1);
	struct keeper_wish once = wish_of(2);
	uint32_t kept_id;
	uint32_t once_id;

	once.keep = false;
	kept_id = world_add(w, &kept, false);
	once_id = world_add(w, &once, false);
	assert_int_equal(expect_event(w, TENF_EVENT_LOST, kept_id)->mapping.error.reason,
			 TENF_REASON_NO_GATEWAY);
	expect_event(w, TENF_EVENT_LOST, once_id);
	assert_true(engine_deadline(&w->engine) == TENF_NEVER);
	world_connect(w, GATEWAY, SOURCE);
	assert_int_equal(world_view(w, kept_id).state, TENF_STATE_MAPPED);
	assert_int_equal(world_view(w, once_id).state, TENF_STATE_LOST);
}

static void the_number_of_mappings_has_a_limit(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(1);
	uint32_t id;
	uint32_t untouched = 4711;

	w->keep_events_waiting = true;
	for (size_t i = 0; i < KEEPER_MAPPINGS_MAX - 1; i++)
		assert_int_equal(engine_add(&w->engine, &wish, false, w->now, &id), TENF_OK);
	assert_int_equal(engine_add(&w->engine, &wish, true, w->now, &untouched), TENF_E_LIMIT);
	assert_int_equal(engine_add(&w->engine, &wish, false, w->now, &id), TENF_OK);
	assert_int_equal(engine_add(&w->engine, &wish, false, w->now, &untouched), TENF_E_LIMIT);
	assert_int_equal(engine_release(&w->engine, &wish, w->now, &untouched), TENF_E_LIMIT);
	assert_int_equal(untouched, 4711);
	assert_int_equal(w->engine.keeper.count, KEEPER_MAPPINGS_MAX);
}

/* Fails the n-th allocation of each way in, for every n there is: what fails
 * changes nothing, and everything else goes on. */
static void a_failed_allocation_changes_nothing(void **state)
{
	struct world *w = *state;

	for (int both = 0; both < 2; both++) {
		enum tenf_status status = TENF_E_MEMORY;

		for (unsigned n = 1; status != TENF_OK; n++) {
			struct keeper_wish wish = wish_of(1);
			uint32_t id = 4711;
			size_t before;

			assert_true(n < 10);
			world_restart(w, TENF_METHOD_PCP, false);
			world_connect(w, GATEWAY, SOURCE);
			before = w->packet_count;
			w->fail_at = n;
			status = engine_add(&w->engine, &wish, both != 0, w->now, &id);
			w->fail_at = 0;
			world_flush(w);
			if (status == TENF_OK)
				break;
			assert_int_equal(status, TENF_E_MEMORY);
			assert_int_equal(id, 4711);
			assert_int_equal(w->engine.keeper.count, 0);
			assert_int_equal(w->packet_count, before);
			(void)world_add(w, &wish, both != 0);
			assert_int_equal(fake_gateway_count(&w->gateway, w->now), 1 + both);
		}
	}
}

static void a_failed_allocation_leaves_the_others_alone(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(1);
	struct keeper_wish release;
	uint32_t id;

	world_connect(w, GATEWAY, SOURCE);
	for (uint16_t port = 1; port <= 8; port++) {
		wish = wish_of(port);
		(void)world_add(w, &wish, false);
	}
	for (unsigned n = 1; n <= 2; n++) {
		w->fail_at = n;
		release = wish_of(9);
		assert_int_equal(engine_release(&w->engine, &release, w->now, &id), TENF_E_MEMORY);
		w->fail_at = 0;
		world_flush(w);
	}
	world_forget(w);
	world_pass(w, 20000 * TENF_SECOND);
	assert_int_equal(fake_gateway_count(&w->gateway, w->now), 8);
}

/* ---- Another lifetime ---------------------------------------------------------------- */

/* PCP-C-28: asked for soon, but 4 s after the try before at the earliest. */
static void another_lifetime_is_asked_for_soon(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(1);
	tenf_time granted;
	uint32_t id;

	world_restart(w, TENF_METHOD_PCP, false);
	world_connect(w, GATEWAY, SOURCE);
	id = world_add(w, &wish, false);
	granted = w->now;
	world_forget(w);
	assert_int_equal(keeper_set_lifetime(&w->engine.keeper, id, 600, w->now), TENF_OK);
	world_run(w, granted + 3990 * TENF_MILLISECOND);
	assert_int_equal(w->packet_count, 0);
	world_run(w, granted + 4010 * TENF_MILLISECOND);
	assert_int_equal(w->packet_count, 1);
	assert_int_equal(last_packet(w)->lifetime_s, 600);
	assert_int_equal(world_view(w, id).grant.lifetime_s, 600);
	world_pass(w, 100 * TENF_SECOND);
	assert_int_equal(keeper_set_lifetime(&w->engine.keeper, id, 7200, w->now), TENF_OK);
	world_run(w, w->now);
	assert_int_equal(w->packet_count, 2);
	assert_int_equal(keeper_set_lifetime(&w->engine.keeper, 4711, 7200, w->now),
			 TENF_E_NOT_FOUND);
}

/* Who changed a wish waits: one lost packet is no reason to wait for the next window
 * of the renewals, which is half an hour away. PCP-C-28 holds. */
static void another_lifetime_is_asked_for_until_it_is_there(void **state)
{
	static const unsigned tries_s[] = { 4, 8, 16, 32 };
	struct world *w = *state;
	struct keeper_wish wish = wish_of(1);
	tenf_time last;
	uint32_t id;

	world_restart(w, TENF_METHOD_PCP, false);
	world_connect(w, GATEWAY, SOURCE);
	id = world_add(w, &wish, false);
	last = w->now;
	world_forget(w);
	w->gateway.silent = true;
	assert_int_equal(keeper_set_lifetime(&w->engine.keeper, id, 3600, w->now), TENF_OK);
	world_run(w, last + 4 * TENF_SECOND);
	for (size_t i = 0; i < TENF_ARRAY_SIZE(tries_s); i++) {
		assert_int_equal(w->packet_count, i + 1);
		last = w->now;
		if (i == TENF_ARRAY_SIZE(tries_s) - 1)
			w->gateway.silent = false;
		world_run(w, last + tries_s[i] * TENF_SECOND - 10 * TENF_MILLISECOND);
		assert_int_equal(w->packet_count, i + 1);
		world_run(w, last + tries_s[i] * TENF_SECOND);
	}
	world_pass(w, 100 * TENF_MILLISECOND);
	assert_int_equal(world_view(w, id).grant.lifetime_s, 3600);
	/* From here on renewals are what they were. */
	world_pass(w, 1700 * TENF_SECOND);
	assert_int_equal(w->packet_count, 5);
}

/* What is changed while a renewal is under way is asked for behind it. */
static void a_change_beside_a_renewal_is_not_forgotten(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(1);
	tenf_time asked;
	uint32_t id;

	world_restart(w, TENF_METHOD_PCP, false);
	world_connect(w, GATEWAY, SOURCE);
	id = world_add(w, &wish, false);
	world_forget(w);
	w->rtt = 200 * TENF_MILLISECOND;
	while (w->packet_count == 0)
		world_run(w, engine_deadline(&w->engine));
	asked = w->now;
	world_run(w, asked + 100 * TENF_MILLISECOND);
	assert_int_equal(keeper_set_lifetime(&w->engine.keeper, id, 600, w->now), TENF_OK);
	world_run(w, asked + 5 * TENF_SECOND);
	assert_int_equal(w->packet_count, 2);
	assert_int_equal(world_view(w, id).grant.lifetime_s, 600);
}

/* PCP-C-31: and not while an error lasts. */
static void another_lifetime_waits_for_the_end_of_an_error(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(1);
	tenf_time refused;
	uint32_t id;

	world_restart(w, TENF_METHOD_PCP, false);
	w->gateway.pcp_error_s = 100;
	world_connect(w, GATEWAY, SOURCE);
	id = world_add(w, &wish, false);
	w->gateway.pcp_result = PCP_NOT_AUTHORIZED;
	world_forget(w);
	while (w->packet_count == 0)
		world_run(w, engine_deadline(&w->engine));
	refused = w->now;
	world_pass(w, 10 * TENF_SECOND);
	assert_int_equal(keeper_set_lifetime(&w->engine.keeper, id, 600, w->now), TENF_OK);
	world_run(w, refused + 100 * TENF_SECOND - 1);
	assert_int_equal(w->packet_count, 1);
	world_run(w, refused + 100 * TENF_SECOND);
	assert_int_equal(w->packet_count, 2);
}

/* ---- Many ---------------------------------------------------------------------------- */

/* Ten thousand wishes at once: no more than CLIENT_FRESH_MAX questions are on their
 * way in any round trip, and all are held in the end. */
static void ten_thousand_mappings_are_no_storm(void **state)
{
	struct world *w = *state;
	const uint16_t count = 10000;
	unsigned rounds = 0;
	uint32_t id;

	world_restart(w, TENF_METHOD_PCP, false);
	w->keep_events_waiting = true;
	world_connect(w, GATEWAY, SOURCE);
	for (uint16_t port = 1; port <= count; port++) {
		struct keeper_wish wish = wish_of(port);

		assert_int_equal(engine_add(&w->engine, &wish, false, w->now, &id), TENF_OK);
	}
	/* one round trip: take all that is due, then answer all of it */
	for (;;) {
		static uint8_t answers[2 * CLIENT_FRESH_MAX][PCP_MAX];
		size_t lengths[2 * CLIENT_FRESH_MAX];
		size_t sent = 0;

		for (;;) {
			uint8_t data[PCP_MAX];
			struct tenf_writer request = tenf_writer_of(data, sizeof(data));
			struct tenf_writer answer = tenf_writer_of(answers[sent], PCP_MAX);

			if (!engine_next_send(&w->engine, w->now, &request))
				break;
			/* searching ten thousand for each would be the test's own cost */
			w->gateway.held_count = 0;
			assert_true(fake_gateway_answer(&w->gateway, data, request.used, w->now,
							&answer));
			lengths[sent++] = answer.used;
			assert_true(sent <= CLIENT_FRESH_MAX);
		}
		if (sent == 0)
			break;
		w->now += w->rtt;
		for (size_t i = 0; i < sent; i++)
			engine_receive(&w->engine, &w->engine.client.gateway, answers[i],
				       lengths[i], w->now);
		rounds++;
	}
	assert_int_equal(rounds, (count + CLIENT_FRESH_MAX - 1) / CLIENT_FRESH_MAX);
	for (size_t i = 0; i < w->engine.keeper.count; i++)
		assert_int_equal(w->engine.keeper.mappings[i]->state, TENF_STATE_MAPPED);
	assert_int_equal(w->engine.keeper.count, count);
}

/* ---- News ---------------------------------------------------------------------------- */

static uint32_t hold_untold(struct world *w)
{
	struct keeper_wish wish = wish_of(1);

	world_connect(w, GATEWAY, SOURCE);
	world_forget(w);
	w->keep_events_waiting = true;
	return world_add(w, &wish, false);
}

static void take_news(struct world *w)
{
	w->keep_events_waiting = false;
	world_flush(w);
	assert_int_equal(w->event_next, 0);
}

/* Renewals do not hide that a mapping is there at all. */
static void renewed_does_not_hide_mapped(void **state)
{
	struct world *w = *state;
	uint32_t id = hold_untold(w);

	world_pass(w, 20000 * TENF_SECOND);
	take_news(w);
	expect_event(w, TENF_EVENT_ADDRESS, 0);
	assert_int_equal(expect_event(w, TENF_EVENT_MAPPED, id)->before.id, 0);
	expect_no_event(w);
}

static void renewed_does_not_hide_changed(void **state)
{
	struct world *w = *state;
	uint32_t id = hold_untold(w);
	const struct engine_event *event;
	uint16_t port = world_view(w, id).grant.external_port;

	take_news(w);
	w->keep_events_waiting = true;
	world_forget(w);
	w->gateway.held_count = 0;
	fake_gateway_take_port(&w->gateway, TENF_TCP, port);
	world_pass(w, 20000 * TENF_SECOND);
	take_news(w);
	event = expect_event(w, TENF_EVENT_CHANGED, id);
	assert_int_equal(event->before.grant.external_port, port);
	assert_int_not_equal(event->mapping.grant.external_port, port);
	expect_no_event(w);
}

static void the_newest_word_counts(void **state)
{
	struct world *w = *state;
	uint32_t id = hold_untold(w);

	w->gateway.silent = true;
	world_pass(w, 7300 * TENF_SECOND);
	take_news(w);
	expect_event(w, TENF_EVENT_ADDRESS, 0);
	expect_event(w, TENF_EVENT_LOST, id);
	w->keep_events_waiting = true;
	world_forget(w);
	assert_int_equal(engine_remove(&w->engine, id, w->now), TENF_OK);
	world_pass(w, 100 * TENF_SECOND);
	take_news(w);
	expect_event(w, TENF_EVENT_REMOVED, id);
	expect_no_event(w);
	assert_null(keeper_find(&w->engine.keeper, id));
}

static void what_came_and_went_unseen_is_told_once(void **state)
{
	struct world *w = *state;
	uint32_t id = hold_untold(w);
	const struct engine_event *event;

	assert_int_equal(engine_remove(&w->engine, id, w->now), TENF_OK);
	world_flush(w);
	take_news(w);
	expect_event(w, TENF_EVENT_ADDRESS, 0);
	event = expect_event(w, TENF_EVENT_REMOVED, id);
	assert_int_equal(event->before.id, 0);
	expect_no_event(w);
}

/* PCP-C-46, PCP-C-39: a mapping says nothing of its owner unless it is told to. */
static void no_description_and_no_insisting_by_default(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(1);
	char *description = malloc(4);

	assert_non_null(description);
	world_connect(w, GATEWAY, SOURCE);
	(void)world_add(w, &wish, false);
	assert_false(packet_nth(w, TENF_TCP, 1, false, 0)->described);
	assert_false(packet_nth(w, TENF_TCP, 1, false, 0)->prefer_failure);
	wish = wish_of(2);
	memcpy(description, "web", 4);
	wish.description = description;
	(void)world_add(w, &wish, false);
	free(description); /* it was copied */
	assert_true(packet_nth(w, TENF_TCP, 2, false, 0)->described);
}

static struct pcp_filter filter_of(const char *address)
{
	return (struct pcp_filter){ .address = address_of(address), .prefix_length = 128 };
}

/* PCP-C-42: filters add to those that are there (§13.3), so each request but the first
 * clears them, and a mapping that is renewed for ever has as many as were wished for. */
static void renewals_set_the_filters_anew(void **state)
{
	struct world *w = *state;
	struct pcp_filter filters[] = { filter_of("198.51.100.9"), filter_of("198.51.100.10") };
	struct keeper_wish wish = wish_of(1);
	uint32_t id;

	wish.filters = filters;
	wish.filter_count = 2;
	world_connect(w, GATEWAY, SOURCE);
	id = world_add(w, &wish, false);
	memset(filters, 0xee, sizeof(filters)); /* the mapping has its own */
	assert_int_equal(packet_nth(w, TENF_TCP, 1, false, 0)->filters, 2);
	assert_false(packet_nth(w, TENF_TCP, 1, false, 0)->clears_filters);
	assert_false(world_view(w, id).grant.unfiltered);
	world_pass(w, 4600 * TENF_SECOND);
	assert_int_equal(packet_nth(w, TENF_TCP, 1, false, 1)->filters, 3);
	assert_true(packet_nth(w, TENF_TCP, 1, false, 1)->clears_filters);
	assert_false(world_view(w, id).grant.unfiltered);
	assert_int_equal(engine_remove(&w->engine, id, w->now), TENF_OK);
	world_flush(w);
	assert_int_equal(packet_nth(w, TENF_TCP, 1, true, 0)->filters, 0);
}

/* PCP-C-42: a lease of an earlier run may have other filters, or none may be wanted now. */
static void the_filters_of_a_lease_made_before_are_cleared(void **state)
{
	struct world *w = *state;
	struct pcp_filter filter = filter_of("198.51.100.9");
	struct keeper_wish wish = wish_of(1);

	wish.has_nonce = true;
	world_connect(w, GATEWAY, SOURCE);
	(void)world_add(w, &wish, false);
	assert_int_equal(packet_nth(w, TENF_TCP, 1, false, 0)->filters, 0);
	wish.internal_port = 2;
	wish.clear_filters = true;
	(void)world_add(w, &wish, false);
	assert_int_equal(packet_nth(w, TENF_TCP, 2, false, 0)->filters, 1);
	assert_true(packet_nth(w, TENF_TCP, 2, false, 0)->clears_filters);
	wish.internal_port = 3;
	wish.clear_filters = false;
	wish.filters = &filter;
	wish.filter_count = 1;
	(void)world_add(w, &wish, false);
	assert_int_equal(packet_nth(w, TENF_TCP, 3, false, 0)->filters, 2);
	assert_true(packet_nth(w, TENF_TCP, 3, false, 0)->clears_filters);
}

static void update_without_options(struct world *w, uint32_t id)
{
	struct keeper_view view = world_view(w, id);
	struct pcp_answer update = { .opcode = PCP_MAP,
				     .lifetime_s = 7200,
				     .epoch_s = view.grant.epoch_s + 1,
				     .map = { .protocol = TENF_TCP,
					      .internal_port = view.wish.internal_port,
					      .external_port = view.grant.external_port,
					      .external_address = view.grant.external_address } };

	memcpy(update.map.nonce, view.wish.nonce, PCP_NONCE);
	assert_true(keeper_update(&w->engine.keeper, &update, w->now));
}

/* PCP-C-43: what is held is open to everybody when a gateway does not confirm the
 * filter: at once, with a renewal, and when it says so unasked (§14.2). */
static void a_filter_that_is_not_confirmed_is_told(void **state)
{
	struct world *w = *state;
	struct pcp_filter filter = filter_of("198.51.100.9");
	struct keeper_wish wish = wish_of(1);
	uint32_t id;

	wish.filters = &filter;
	wish.filter_count = 1;
	w->gateway.drops_options = true;
	world_connect(w, GATEWAY, SOURCE);
	id = world_add(w, &wish, false);
	assert_int_equal(world_view(w, id).state, TENF_STATE_MAPPED);
	assert_true(world_view(w, id).grant.unfiltered);
	assert_int_equal(world_view(w, id).wish.filter_count, 1);

	w->gateway.drops_options = false;
	world_pass(w, 4600 * TENF_SECOND);
	assert_false(world_view(w, id).grant.unfiltered);
	update_without_options(w, id);
	assert_true(world_view(w, id).grant.unfiltered);

	wish.internal_port = 2;
	wish.filter_count = 0;
	id = world_add(w, &wish, false);
	update_without_options(w, id);
	assert_false(world_view(w, id).grant.unfiltered);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(ids_are_never_used_twice),
		WORLD_TEST(without_a_gateway_wishes_wait),
		WORLD_TEST(the_number_of_mappings_has_a_limit),
		WORLD_TEST(a_failed_allocation_changes_nothing),
		WORLD_TEST(a_failed_allocation_leaves_the_others_alone),
		WORLD_TEST(another_lifetime_is_asked_for_soon),
		WORLD_TEST(another_lifetime_is_asked_for_until_it_is_there),
		WORLD_TEST(a_change_beside_a_renewal_is_not_forgotten),
		WORLD_TEST(another_lifetime_waits_for_the_end_of_an_error),
		WORLD_TEST(ten_thousand_mappings_are_no_storm),
		WORLD_TEST(renewed_does_not_hide_mapped),
		WORLD_TEST(renewed_does_not_hide_changed),
		WORLD_TEST(the_newest_word_counts),
		WORLD_TEST(what_came_and_went_unseen_is_told_once),
		WORLD_TEST(no_description_and_no_insisting_by_default),
		WORLD_TEST(renewals_set_the_filters_anew),
		WORLD_TEST(the_filters_of_a_lease_made_before_are_cleared),
		WORLD_TEST(a_filter_that_is_not_confirmed_is_told),
	};

	return cmocka_run_group_tests_name("keeper", tests, NULL, NULL);
}
