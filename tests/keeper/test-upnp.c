/* SPDX-License-Identifier: MIT */
/* Which questions UPnP gets, and when: beside PCP and NAT-PMP, never before them. */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define ALL ((unsigned)TENF_METHOD_PCP | TENF_METHOD_NATPMP | TENF_METHOD_IGD)

static struct upnp_question question;

static void begin(struct world *w, unsigned methods)
{
	world_restart(w, methods, false);
	world_connect(w, GATEWAY, SOURCE);
	world_forget(w);
}

static uint32_t add(struct world *w, bool keep)
{
	struct keeper_wish wish = wish_of(8080);

	wish.keep = keep;
	return world_add(w, &wish, false);
}

static void expect_question(struct world *w, enum core_op op)
{
	assert_true(engine_next_upnp(&w->engine, w->now, &question));
	assert_int_equal(question.question.op, op);
}

static void expect_none(struct world *w)
{
	struct upnp_question other;

	assert_false(engine_next_upnp(&w->engine, w->now, &other));
}

static void answer(struct world *w, enum tenf_reason reason, unsigned version)
{
	bool mapped = reason == TENF_REASON_NONE && question.question.op == CORE_MAP;
	struct core_answer a = {
		.reason = reason,
		.method = TENF_METHOD_IGD,
		.result = -1,
		.lifetime_s = mapped ? 3600 : 0,
		.external_port = mapped ? 8080 : 0,
		.external_address = reason == TENF_REASON_NONE ? address_of("203.0.113.7")
							       : tenf_address_none4,
		.rtt = -1,
	};

	engine_upnp_answered(&w->engine, &question, &a, version, w->now);
	world_flush(w);
}

static void close_port(struct world *w)
{
	w->answers_left = 0;
	engine_unreachable(&w->engine, w->now);
	world_flush(w);
}

/* A mapping that UPnP made, at a gateway with its port closed. */
static uint32_t mapped_by_upnp(struct world *w)
{
	uint32_t id;

	begin(w, ALL);
	w->answers_left = 0;
	id = add(w, true);
	close_port(w);
	expect_question(w, CORE_DISCOVER);
	answer(w, TENF_REASON_NONE, 2);
	expect_question(w, CORE_MAP);
	answer(w, TENF_REASON_NONE, 2);
	assert_int_equal(world_view(w, id).state, TENF_STATE_MAPPED);
	assert_int_equal(world_view(w, id).grant.method, TENF_METHOD_IGD);
	world_forget(w);
	return id;
}

static void where_another_method_answers_upnp_is_asked_nothing(void **state)
{
	struct world *w = *state;
	uint32_t id;

	begin(w, ALL);
	id = add(w, true);
	world_pass(w, 3 * 3600 * TENF_SECOND);
	assert_int_equal(world_view(w, id).grant.method, TENF_METHOD_PCP);
	expect_none(w);
}

static void a_closed_port_lets_upnp_look_and_then_map(void **state)
{
	struct world *w = *state;
	uint32_t id;

	begin(w, ALL);
	w->answers_left = 0;
	id = add(w, true);
	expect_none(w);
	close_port(w);
	expect_question(w, CORE_DISCOVER);
	expect_none(w); /* one at a time, and no mapping before the device is known */
	answer(w, TENF_REASON_NONE, 1);
	expect_question(w, CORE_MAP);
	assert_true(question.fresh);
	assert_int_equal(question.question.internal_port, 8080);
	answer(w, TENF_REASON_NONE, 1);
	expect_event(w, TENF_EVENT_ADDRESS, 0);
	expect_event(w, TENF_EVENT_MAPPED, id);
	assert_int_equal(world_view(w, id).grant.lifetime_s, 3600);
}

static void silence_starts_a_search_soon_and_a_mapping_later(void **state)
{
	struct world *w = *state;
	uint32_t id;

	begin(w, ALL);
	w->answers_left = 0;
	id = add(w, true);
	world_pass(w, 249 * TENF_MILLISECOND);
	expect_none(w);
	world_pass(w, TENF_MILLISECOND);
	expect_question(w, CORE_DISCOVER);
	answer(w, TENF_REASON_NONE, 2);
	world_pass(w, 700 * TENF_MILLISECOND);
	expect_none(w); /* the others may still answer */
	world_pass(w, 100 * TENF_MILLISECOND);
	expect_question(w, CORE_MAP);
	answer(w, TENF_REASON_NONE, 2);
	assert_int_equal(world_view(w, id).grant.method, TENF_METHOD_IGD);
	world_forget(w);
	world_pass(w, 20 * TENF_SECOND);
	assert_int_equal(w->packet_count, 0); /* nobody else is asked any more */
}

static void an_answer_that_comes_first_ends_the_race(void **state)
{
	struct world *w = *state;
	uint32_t id;

	begin(w, ALL);
	w->answers_left = 0;
	id = add(w, true);
	world_pass(w, 300 * TENF_MILLISECOND);
	expect_question(w, CORE_DISCOVER);
	answer(w, TENF_REASON_NONE, 2);
	w->answers_left = SIZE_MAX; /* the next packet of NAT-PMP is at 750 ms */
	world_pass(w, 5 * TENF_SECOND);
	assert_int_equal(world_view(w, id).state, TENF_STATE_MAPPED);
	assert_int_not_equal(world_view(w, id).grant.method, TENF_METHOD_IGD);
	expect_none(w);
}

static void without_a_device_the_verdict_of_the_others_counts(void **state)
{
	struct world *w = *state;
	uint32_t id;

	begin(w, ALL);
	w->answers_left = 0;
	id = add(w, false);
	close_port(w);
	expect_no_event(w);
	expect_question(w, CORE_DISCOVER);
	answer(w, TENF_REASON_NO_SERVICE, 0);
	world_pass(w, TENF_MILLISECOND);
	expect_event(w, TENF_EVENT_LOST, id);
	assert_int_equal(world_view(w, id).error.reason, TENF_REASON_NO_SERVICE);
	id = add(w, false); /* and is believed for a while */
	close_port(w);
	expect_none(w);
	expect_event(w, TENF_EVENT_LOST, id);
	world_pass(w, 65 * TENF_SECOND);
	(void)add(w, false);
	close_port(w);
	expect_question(w, CORE_DISCOVER);
}

static void a_search_that_takes_too_long_does_not_delay_the_verdict(void **state)
{
	struct world *w = *state;
	uint32_t id;

	begin(w, ALL);
	w->answers_left = 0;
	id = add(w, false);
	close_port(w);
	expect_question(w, CORE_DISCOVER);
	world_pass(w, VERDICT - TENF_MILLISECOND);
	expect_no_event(w);
	world_pass(w, 2 * TENF_MILLISECOND);
	expect_event(w, TENF_EVENT_LOST, id);
	answer(w, TENF_REASON_NONE, 2);
	expect_none(w); /* nobody waits for it any more */
}

static void a_gateway_known_to_speak_is_not_overtaken_for_its_silence(void **state)
{
	struct world *w = *state;

	begin(w, ALL);
	(void)add(w, true);
	world_pass(w, TENF_SECOND);
	w->answers_left = 0;
	(void)add(w, true);
	world_pass(w, 30 * TENF_SECOND);
	expect_none(w);
}

static void what_upnp_made_is_renewed_and_removed_by_upnp(void **state)
{
	struct world *w = *state;
	uint32_t id = mapped_by_upnp(w);

	world_pass(w, 2500 * TENF_SECOND);
	expect_question(w, CORE_MAP);
	assert_false(question.fresh);
	assert_int_equal(question.question.external_port, 8080);
	answer(w, TENF_REASON_NONE, 2);
	expect_event(w, TENF_EVENT_RENEWED, id);
	assert_int_equal(engine_remove(&w->engine, id, w->now), TENF_OK);
	expect_question(w, CORE_UNMAP);
	assert_int_equal(question.question.external_port, 8080);
	answer(w, TENF_REASON_NONE, 2);
	expect_event(w, TENF_EVENT_REMOVED, id);
	assert_int_equal(w->packet_count, 0);
}

static void a_renewal_without_an_answer_is_tried_again_until_the_lease_ends(void **state)
{
	struct world *w = *state;
	uint32_t id = mapped_by_upnp(w);
	unsigned asked = 0;

	for (unsigned s = 0; s < 3700 && w->event_count == 0; s += 10) {
		world_pass(w, 10 * TENF_SECOND);
		if (engine_next_upnp(&w->engine, w->now, &question)) {
			asked += question.question.op == CORE_MAP;
			answer(w, TENF_REASON_SILENT, 0);
		}
	}
	assert_in_range(asked, 2, 20);
	expect_event(w, TENF_EVENT_LOST, id);
}

static void alone_upnp_is_asked_at_once(void **state)
{
	struct world *w = *state;
	uint32_t id;

	begin(w, TENF_METHOD_IGD);
	id = add(w, false);
	assert_true(upnp_question_at(&w->engine.upnp) <= w->now);
	expect_question(w, CORE_MAP);
	assert_true(question.alone);
	answer(w, TENF_REASON_REFUSED, 1);
	expect_event(w, TENF_EVENT_REFUSED, id);
	assert_int_equal(world_view(w, id).error.method, TENF_METHOD_IGD);
	assert_int_equal(w->packet_count, 0);
}

static void a_question_that_is_taken_back_is_answered_in_vain(void **state)
{
	struct world *w = *state;
	uint32_t id;

	begin(w, TENF_METHOD_IGD);
	id = add(w, true);
	expect_question(w, CORE_MAP);
	assert_int_equal(engine_remove(&w->engine, id, w->now), TENF_OK);
	answer(w, TENF_REASON_NONE, 1);
	expect_event(w, TENF_EVENT_ADDRESS, 0);
	expect_no_event(w);
	expect_question(w, CORE_UNMAP); /* behind what may have been done */
	answer(w, TENF_REASON_NONE, 1);
	expect_event(w, TENF_EVENT_REMOVED, id);
}

static void a_port_for_some_alone_is_never_opened_by_upnp(void **state)
{
	struct world *w = *state;
	struct pcp_filter filter = { .prefix_length = 128,
				     .address = address_of("198.51.100.7") };
	struct keeper_wish wish = wish_of(8080);

	begin(w, ALL);
	w->answers_left = 0;
	wish.filters = &filter;
	wish.filter_count = 1;
	(void)world_add(w, &wish, false);
	world_pass(w, 10 * TENF_SECOND);
	expect_none(w);
	begin(w, TENF_METHOD_IGD);
	(void)world_add(w, &wish, false);
	expect_none(w);
}

static void another_gateway_has_another_device(void **state)
{
	struct world *w = *state;
	uint32_t id = mapped_by_upnp(w);

	world_connect(w, "192.168.9.1:5351", SOURCE);
	assert_int_equal(w->engine.upnp.device, UPNP_UNKNOWN);
	expect_none(w);
	close_port(w);
	expect_question(w, CORE_DISCOVER);
	answer(w, TENF_REASON_NONE, 1);
	expect_question(w, CORE_MAP);
	assert_true(question.fresh);
	answer(w, TENF_REASON_NONE, 1);
	assert_int_equal(world_view(w, id).state, TENF_STATE_MAPPED);
}

static void who_watches_hears_of_a_gateway_that_speaks_upnp_alone(void **state)
{
	struct world *w = *state;

	world_restart(w, TENF_METHOD_IGD, true);
	world_connect(w, GATEWAY, SOURCE);
	expect_question(w, CORE_DISCOVER);
	answer(w, TENF_REASON_NONE, 2);
	expect_event(w, TENF_EVENT_GATEWAY, 0);
	expect_event(w, TENF_EVENT_ADDRESS, 0);
	assert_int_equal(w->engine.gateway_reason, TENF_REASON_NONE);
	world_pass(w, 301 * TENF_SECOND);
	expect_question(w, CORE_DISCOVER);
	answer(w, TENF_REASON_NO_SERVICE, 0);
	expect_event(w, TENF_EVENT_GATEWAY, 0);
	assert_int_equal(w->engine.gateway_reason, TENF_REASON_NO_SERVICE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(where_another_method_answers_upnp_is_asked_nothing),
		WORLD_TEST(a_closed_port_lets_upnp_look_and_then_map),
		WORLD_TEST(silence_starts_a_search_soon_and_a_mapping_later),
		WORLD_TEST(an_answer_that_comes_first_ends_the_race),
		WORLD_TEST(without_a_device_the_verdict_of_the_others_counts),
		WORLD_TEST(a_search_that_takes_too_long_does_not_delay_the_verdict),
		WORLD_TEST(a_gateway_known_to_speak_is_not_overtaken_for_its_silence),
		WORLD_TEST(what_upnp_made_is_renewed_and_removed_by_upnp),
		WORLD_TEST(a_renewal_without_an_answer_is_tried_again_until_the_lease_ends),
		WORLD_TEST(alone_upnp_is_asked_at_once),
		WORLD_TEST(a_question_that_is_taken_back_is_answered_in_vain),
		WORLD_TEST(a_port_for_some_alone_is_never_opened_by_upnp),
		WORLD_TEST(another_gateway_has_another_device),
		WORLD_TEST(who_watches_hears_of_a_gateway_that_speaks_upnp_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
