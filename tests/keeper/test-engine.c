/* SPDX-License-Identifier: MIT */
/* Keeper and client together: gateways, watching, events, and what comes in. */
#include "fixture.h"
#include "wire/natpmp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void watch(struct world *w)
{
	world_restart(w, TENF_METHOD_PCP | TENF_METHOD_NATPMP, true);
	world_connect(w, GATEWAY, SOURCE);
}

static void a_new_gateway_is_told_once(void **state)
{
	struct world *w = *state;

	world_connect(w, GATEWAY, SOURCE);
	expect_event(w, TENF_EVENT_GATEWAY, 0);
	world_connect(w, GATEWAY, SOURCE);
	expect_no_event(w);
	world_connect(w, NULL, NULL);
	expect_event(w, TENF_EVENT_GATEWAY, 0);
	world_connect(w, GATEWAY, SOURCE);
	expect_event(w, TENF_EVENT_GATEWAY, 0);
	expect_no_event(w);
}

/* A nonce that nobody was shown is not spent, and what is to be removed is not given up. */
static void before_a_packet_has_left_the_questions_are_for_another_gateway(void **state)
{
	struct world *w = *state;
	struct tenf_endpoint first = endpoint_of("192.168.1.254:5351");
	struct tenf_endpoint gateway = endpoint_of(GATEWAY);
	struct tenf_address source = address_of(SOURCE);
	struct keeper_wish wish = wish_of(8080);
	uint32_t id;

	wish.has_nonce = true;
	memset(wish.nonce, 0x5a, sizeof(wish.nonce));
	engine_set_gateway(&w->engine, &first, &source, w->now);
	assert_int_equal(engine_add(&w->engine, &wish, false, w->now, &id), TENF_OK);
	engine_set_gateway(&w->engine, &gateway, &source, w->now);
	w->connected = true;
	world_flush(w);
	assert_int_equal(world_view(w, id).state, TENF_STATE_MAPPED);
	assert_memory_equal(world_view(w, id).wish.nonce, wish.nonce, sizeof(wish.nonce));

	/* PCP-C-07: packets have left now. */
	engine_set_gateway(&w->engine, &first, &source, w->now);
	assert_memory_not_equal(world_view(w, id).wish.nonce, wish.nonce, sizeof(wish.nonce));
}

/* Who watches hears of a gateway when it has answered, with its address. */
static void a_watched_gateway_is_told_when_it_answers(void **state)
{
	struct world *w = *state;
	const struct engine_event *event;

	watch(w);
	expect_event(w, TENF_EVENT_GATEWAY, 0);
	event = expect_event(w, TENF_EVENT_ADDRESS, 0);
	assert_true(tenf_address_is_none(&event->address_before));
	expect_no_event(w);
	assert_int_equal(w->engine.gateway_reason, TENF_REASON_NONE);
	assert_int_equal(w->engine.watch.answer.spoken, TENF_METHOD_PCP | TENF_METHOD_NATPMP);
	assert_int_equal(fake_gateway_count(&w->gateway, w->now), 0);
}

/* NP-C-31: also the address that only a later look at the gateway shows. */
static void a_changed_address_is_told_with_the_one_before(void **state)
{
	struct world *w = *state;
	const struct engine_event *event;
	struct tenf_address first = address_of("203.0.113.7");

	watch(w);
	world_forget(w);
	w->gateway.external = address_of("203.0.113.99");
	world_pass(w, 299 * TENF_SECOND);
	expect_no_event(w);
	world_pass(w, 2 * TENF_SECOND);
	event = expect_event(w, TENF_EVENT_ADDRESS, 0);
	assert_true(tenf_address_equal(&event->address_before, &first));
	assert_true(tenf_address_equal(&w->engine.client.external, &w->gateway.external));
	expect_no_event(w);
}

static void announce_address(struct world *w)
{
	struct natpmp_answer announcement = {
		.opcode = NATPMP_ADDRESS + NATPMP_ANSWER,
		.epoch_s = fake_gateway_epoch(&w->gateway, w->now),
		.external_address = w->gateway.external,
	};
	uint8_t data[NATPMP_MAX];
	struct tenf_writer writer = tenf_writer_of(data, sizeof(data));

	natpmp_write_answer(&writer, &announcement);
	engine_announced(&w->engine, &w->engine.client.gateway, data, writer.used, w->now);
	world_flush(w);
}

/* RFC 6886 §3.2.1: the address is the gateway's, not the mapping's, so what NAT-PMP
 * made is reachable at the new one from now on. */
static void a_new_address_is_that_of_every_natpmp_mapping(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(8080);
	const struct engine_event *event;
	struct tenf_address first;
	uint32_t id;

	world_restart(w, TENF_METHOD_NATPMP, false);
	world_connect(w, GATEWAY, SOURCE);
	id = world_add(w, &wish, false);
	world_pass(w, 2 * TENF_SECOND);
	first = world_view(w, id).grant.external_address;
	world_forget(w);
	w->gateway.external = address_of("203.0.113.99");
	announce_address(w);
	expect_event(w, TENF_EVENT_ADDRESS, 0);
	event = expect_event(w, TENF_EVENT_CHANGED, id);
	assert_true(tenf_address_equal(&event->before.grant.external_address, &first));
	assert_true(tenf_address_equal(&event->mapping.grant.external_address,
				       &w->gateway.external));
	assert_int_equal(w->map_requests, 0);
	expect_no_event(w);
}

static void a_watched_gateway_that_falls_silent_and_returns_is_told(void **state)
{
	struct world *w = *state;

	watch(w);
	world_forget(w);
	w->gateway.silent = true;
	world_pass(w, 310 * TENF_SECOND);
	expect_event(w, TENF_EVENT_GATEWAY, 0);
	assert_int_equal(w->engine.gateway_reason, TENF_REASON_SILENT);
	world_pass(w, 3600 * TENF_SECOND);
	expect_no_event(w);
	w->gateway.silent = false;
	world_pass(w, 70 * TENF_SECOND);
	expect_event(w, TENF_EVENT_GATEWAY, 0);
	assert_int_equal(w->engine.gateway_reason, TENF_REASON_NONE);
	expect_no_event(w);
}

/* NP-C-40: no service is a state, no end: wishes wait, and come true later. */
static void a_gateway_without_service_stops_nothing(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(1);
	uint32_t id;

	watch(w);
	w->gateway.silent = true;
	world_forget(w);
	id = world_add(w, &wish, false);
	engine_unreachable(&w->engine, w->now);
	world_flush(w);
	assert_int_equal(expect_event(w, TENF_EVENT_LOST, id)->mapping.error.reason,
			 TENF_REASON_NO_SERVICE);
	w->gateway.silent = false;
	world_pass(w, 70 * TENF_SECOND);
	assert_int_equal(world_view(w, id).state, TENF_STATE_MAPPED);
}

/* NP-C-29, NP-C-10: strangers are counted and have no effect. */
static void strangers_have_no_effect(void **state)
{
	struct world *w = *state;
	struct tenf_endpoint stranger = endpoint_of("192.168.1.66:5351");
	static const uint8_t restart[PCP_HEADER] = { 2, 128 };

	world_connect(w, GATEWAY, SOURCE);
	world_forget(w);
	engine_receive(&w->engine, &stranger, restart, sizeof(restart), w->now);
	engine_announced(&w->engine, &stranger, restart, sizeof(restart), w->now);
	world_flush(w);
	expect_no_event(w);
	assert_int_equal(w->engine.client.counters.dropped_foreign, 2);
}

/* Without a gateway everything may be called, and nothing happens. */
static void without_a_gateway_nothing_happens(void **state)
{
	struct world *w = *state;
	struct tenf_endpoint gateway = endpoint_of(GATEWAY);
	static const uint8_t restart[PCP_HEADER] = { 2, 128 };

	for (int i = 0; i < 2; i++) {
		uint8_t data[PCP_MAX];
		struct tenf_writer writer = tenf_writer_of(data, sizeof(data));

		engine_receive(&w->engine, &gateway, restart, sizeof(restart), w->now);
		engine_announced(&w->engine, &gateway, restart, sizeof(restart), w->now);
		engine_unreachable(&w->engine, w->now);
		engine_expire(&w->engine, w->now);
		assert_false(engine_next_send(&w->engine, w->now, &writer));
		assert_true(engine_deadline(&w->engine) == TENF_NEVER);
		world_connect(w, GATEWAY, SOURCE);
		world_connect(w, NULL, NULL);
	}
}

static void a_gateway_that_changes_in_the_middle_leaves_nothing_behind(void **state)
{
	struct world *w = *state;

	world_restart(w, TENF_METHOD_PCP | TENF_METHOD_NATPMP, true);
	w->gateway.silent = true;
	world_connect(w, GATEWAY, SOURCE);
	for (uint16_t port = 1; port <= 50; port++) {
		struct keeper_wish wish = wish_of(port);

		(void)world_add(w, &wish, port % 2 == 0);
	}
	for (int i = 0; i < 30; i++) {
		static const char *const gateways[] = { GATEWAY, "192.168.7.1", NULL, "10.0.0.1" };

		world_pass(w, 700 * TENF_MILLISECOND);
		world_connect(w, gateways[i % 4], "192.168.7.20");
		world_forget(w);
	}
	w->gateway.silent = false;
	world_connect(w, "10.9.9.1", "10.9.9.2");
	world_pass(w, 60 * TENF_SECOND);
	assert_int_equal(fake_gateway_count(&w->gateway, w->now), 75);
	assert_int_equal(w->engine.client.fresh, 0);
	assert_null(w->engine.client.active.first);
	assert_null(w->engine.client.waiting.first);
}

/* The second protocol is found when the gateway gives the first one up. */
static void mappings_move_from_pcp_to_natpmp_and_back(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(1);
	uint32_t id;

	w->gateway.lifetime_max_s = 600;
	world_connect(w, GATEWAY, SOURCE);
	id = world_add(w, &wish, false);
	assert_int_equal(world_view(w, id).grant.method, TENF_METHOD_PCP);
	w->gateway.pcp = false;
	world_pass(w, 600 * TENF_SECOND);
	assert_int_equal(world_view(w, id).grant.method, TENF_METHOD_NATPMP);
	w->gateway.pcp = true;
	world_pass(w, 600 * TENF_SECOND);
	assert_int_equal(world_view(w, id).grant.method, TENF_METHOD_PCP);
	assert_non_null(fake_gateway_find(&w->gateway, TENF_TCP, 1, w->now));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(a_new_gateway_is_told_once),
		WORLD_TEST(before_a_packet_has_left_the_questions_are_for_another_gateway),
		WORLD_TEST(a_watched_gateway_is_told_when_it_answers),
		WORLD_TEST(a_changed_address_is_told_with_the_one_before),
		WORLD_TEST(a_new_address_is_that_of_every_natpmp_mapping),
		WORLD_TEST(a_watched_gateway_that_falls_silent_and_returns_is_told),
		WORLD_TEST(a_gateway_without_service_stops_nothing),
		WORLD_TEST(strangers_have_no_effect),
		WORLD_TEST(without_a_gateway_nothing_happens),
		WORLD_TEST(a_gateway_that_changes_in_the_middle_leaves_nothing_behind),
		WORLD_TEST(mappings_move_from_pcp_to_natpmp_and_back),
	};

	return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
