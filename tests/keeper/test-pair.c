/* SPDX-License-Identifier: MIT */
/* TCP and UDP that need one external port, or fail as one. */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

struct pair {
	uint32_t tcp;
	uint32_t udp;
};

static struct pair add_pair(struct world *w, const struct keeper_wish *wish)
{
	struct pair pair;

	if (!w->connected)
		world_connect(w, GATEWAY, SOURCE);
	world_forget(w);
	pair.tcp = world_add(w, wish, true);
	pair.udp = world_view(w, pair.tcp).pair;
	assert_int_equal(world_view(w, pair.udp).pair, pair.tcp);
	return pair;
}

static void expect_equal_ports(struct world *w, struct pair pair)
{
	const struct fake_mapping *tcp = fake_gateway_find(&w->gateway, TENF_TCP, 51413, w->now);
	const struct fake_mapping *udp = fake_gateway_find(&w->gateway, TENF_UDP, 51413, w->now);

	assert_non_null(tcp);
	assert_non_null(udp);
	assert_int_equal(tcp->external_port, udp->external_port);
	assert_int_equal(world_view(w, pair.tcp).grant.external_port, tcp->external_port);
	assert_int_equal(world_view(w, pair.udp).grant.external_port, tcp->external_port);
	assert_int_equal(world_view(w, pair.tcp).state, TENF_STATE_MAPPED);
	assert_int_equal(world_view(w, pair.udp).state, TENF_STATE_MAPPED);
}

/* Takes the news of a pair: these two, in whatever order. */
static void expect_both(struct world *w, enum tenf_event_kind kind, struct pair pair)
{
	const struct engine_event *first = expect_event(w, kind, 0);
	const struct engine_event *second = expect_event(w, kind, 0);

	assert_int_not_equal(first->mapping.id, second->mapping.id);
	assert_true(first->mapping.id == pair.tcp || first->mapping.id == pair.udp);
	assert_true(second->mapping.id == pair.tcp || second->mapping.id == pair.udp);
}

/* RFC 6887 §11.1: no request asks for both, so the follower suggests the leader's. */
static void a_pair_gets_one_port(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(51413);
	struct pair pair = add_pair(w, &wish);

	expect_equal_ports(w, pair);
	expect_event(w, TENF_EVENT_ADDRESS, 0);
	expect_both(w, TENF_EVENT_MAPPED, pair);
	expect_no_event(w);
	assert_int_equal(packet_nth(w, TENF_UDP, 51413, false, 0)->external_port,
			 world_view(w, pair.tcp).grant.external_port);
	assert_memory_not_equal(packet_nth(w, TENF_UDP, 51413, false, 0)->nonce,
				packet_nth(w, TENF_TCP, 51413, false, 0)->nonce, PCP_NONCE);
}

/* Nothing is told of half a pair. */
static void half_a_pair_is_not_told(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(51413);
	struct pair pair;

	world_restart(w, TENF_METHOD_NATPMP, false);
	fake_gateway_take_port(&w->gateway, TENF_UDP, 40000);
	w->keep_events_waiting = false;
	pair = add_pair(w, &wish);
	for (size_t i = 0; i < w->event_count; i++)
		assert_true(w->events[i].kind != TENF_EVENT_CHANGED);
	expect_event(w, TENF_EVENT_ADDRESS, 0);
	expect_both(w, TENF_EVENT_MAPPED, pair);
	expect_equal_ports(w, pair);
}

/* The port the leader got is not free for the follower: it moves to one that is. */
static void differing_ports_are_settled(void **state)
{
	static const unsigned methods[] = { TENF_METHOD_PCP, TENF_METHOD_NATPMP };
	struct world *w = *state;

	for (size_t i = 0; i < TENF_ARRAY_SIZE(methods); i++) {
		struct keeper_wish wish = wish_of(51413);
		struct pair pair;

		world_restart(w, methods[i], false);
		fake_gateway_take_port(&w->gateway, TENF_UDP, 6000);
		wish.external_port = 6000;
		pair = add_pair(w, &wish);
		world_pass(w, TENF_SECOND);
		expect_equal_ports(w, pair);
		assert_int_not_equal(world_view(w, pair.tcp).grant.external_port, 6000);
		assert_int_equal(fake_gateway_count(&w->gateway, w->now), 2);
	}
}

/* A gateway that never gives what is suggested ends in a refusal, not in a storm. */
static void what_cannot_be_settled_fails_as_one(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(51413);
	struct pair pair;

	w->gateway.always_other_port = true;
	pair = add_pair(w, &wish);
	world_pass(w, 2 * TENF_SECOND);
	expect_event(w, TENF_EVENT_ADDRESS, 0);
	expect_both(w, TENF_EVENT_REFUSED, pair);
	assert_int_equal(world_view(w, pair.tcp).error.reason, TENF_REASON_OTHER_PORT);
	assert_int_equal(world_view(w, pair.udp).error.reason, TENF_REASON_OTHER_PORT);
	assert_int_equal(fake_gateway_count(&w->gateway, w->now), 0);
	assert_true(w->packet_count < 40);
	world_pass(w, 60 * TENF_SECOND);
	assert_int_equal(fake_gateway_count(&w->gateway, w->now), 0);
	w->gateway.always_other_port = false;
	world_pass(w, 70 * TENF_SECOND);
	expect_equal_ports(w, pair);
}

static void a_refused_leader_leaves_the_follower_alone(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(51413);
	struct pair pair;

	world_restart(w, TENF_METHOD_PCP, false);
	w->gateway.pcp_result = PCP_NOT_AUTHORIZED;
	w->gateway.pcp_error_s = 100;
	pair = add_pair(w, &wish);
	expect_event(w, TENF_EVENT_REFUSED, pair.tcp);
	assert_null(packet_nth(w, TENF_UDP, 51413, false, 0));
	w->gateway.pcp_result = PCP_SUCCESS;
	world_pass(w, 101 * TENF_SECOND);
	expect_equal_ports(w, pair);
}

/* The follower is refused: the leader is given back, and both come again together. */
static void a_refused_follower_takes_the_leader_with_it(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(51413);
	struct pair pair;

	world_restart(w, TENF_METHOD_PCP, false);
	wish.external_port = 6000;
	wish.exact = true;
	fake_gateway_take_port(&w->gateway, TENF_UDP, 6000);
	w->gateway.pcp_error_s = 100;
	pair = add_pair(w, &wish);
	world_pass(w, TENF_SECOND);
	expect_event(w, TENF_EVENT_ADDRESS, 0);
	expect_both(w, TENF_EVENT_REFUSED, pair);
	assert_int_equal(fake_gateway_count(&w->gateway, w->now), 0);
	assert_int_equal(world_view(w, pair.tcp).error.reason, TENF_REASON_OTHER_PORT);
	w->gateway.taken_count = 0;
	world_pass(w, 110 * TENF_SECOND);
	expect_equal_ports(w, pair);
	assert_int_equal(world_view(w, pair.tcp).grant.external_port, 6000);
}

/* The same from a gateway that grants another port instead of refusing. */
static void a_follower_that_got_another_port_takes_the_leader_with_it(void **state)
{
	static const unsigned methods[] = { TENF_METHOD_PCP, TENF_METHOD_NATPMP };
	struct world *w = *state;

	for (size_t i = 0; i < TENF_ARRAY_SIZE(methods); i++) {
		struct keeper_wish wish = wish_of(51413);
		struct pair pair;

		world_restart(w, methods[i], false);
		w->gateway.ignores_prefer_failure = true;
		wish.external_port = 6000;
		wish.exact = true;
		fake_gateway_take_port(&w->gateway, TENF_UDP, 6000);
		pair = add_pair(w, &wish);
		world_pass(w, 5 * TENF_SECOND);
		assert_int_equal(world_view(w, pair.tcp).state, TENF_STATE_REFUSED);
		assert_int_equal(world_view(w, pair.udp).state, TENF_STATE_REFUSED);
		assert_int_equal(fake_gateway_count(&w->gateway, w->now), 0);
		w->gateway.taken_count = 0;
		world_pass(w, 300 * TENF_SECOND);
		expect_equal_ports(w, pair);
	}
}

/* A port that changes on renewal moves the other half, and both are told. */
static void a_changed_half_moves_the_other(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(51413);
	struct pair pair = add_pair(w, &wish);
	const struct fake_mapping *tcp;

	world_forget(w);
	tcp = fake_gateway_find(&w->gateway, TENF_TCP, 51413, w->now);
	fake_gateway_take_port(&w->gateway, TENF_TCP, tcp->external_port);
	w->gateway.held[0].expires = w->now;
	while (w->map_requests == 0 || w->packets[0].protocol != TENF_TCP) {
		world_forget(w);
		world_run(w, engine_deadline(&w->engine));
	}
	world_pass(w, TENF_SECOND);
	expect_both(w, TENF_EVENT_CHANGED, pair);
	expect_no_event(w);
	expect_equal_ports(w, pair);
}

static void both_halves_are_renewed_and_stay_together(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(51413);
	struct pair pair = add_pair(w, &wish);

	for (int i = 0; i < 48; i++) {
		world_forget(w);
		world_pass(w, 3600 * TENF_SECOND);
	}
	expect_equal_ports(w, pair);
}

static void a_pair_survives_a_restart(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(51413);
	struct pair pair = add_pair(w, &wish);

	world_pass(w, 600 * TENF_SECOND);
	fake_gateway_restart(&w->gateway, w->now);
	world_announce(w);
	world_pass(w, 20 * TENF_SECOND);
	expect_equal_ports(w, pair);
}

/* After a restart half a pair got another port while the other half is refused:
 * the port that was told is gone, and nobody may believe in it any longer. */
static void half_a_pair_on_another_port_after_a_restart_is_lost(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(51413);
	struct pair pair = add_pair(w, &wish);
	uint16_t port = world_view(w, pair.tcp).grant.external_port;

	world_pass(w, 60 * TENF_SECOND);
	world_forget(w);
	fake_gateway_restart(&w->gateway, w->now);
	fake_gateway_take_port(&w->gateway, TENF_TCP, port);
	w->answers_left = 1; /* the leader's new port; the follower meets silence */
	world_announce(w);
	world_pass(w, 15 * TENF_SECOND);
	expect_event(w, TENF_EVENT_GATEWAY_RESTART, 0);
	assert_int_equal(world_view(w, pair.tcp).state, TENF_STATE_LOST);
	w->answers_left = SIZE_MAX;
	world_pass(w, 600 * TENF_SECOND);
	expect_equal_ports(w, pair);
}

static void a_pair_follows_to_another_gateway(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(51413);
	struct pair pair = add_pair(w, &wish);

	w->gateway.held_count = 0;
	world_connect(w, "192.168.7.1", "192.168.7.20");
	world_pass(w, TENF_SECOND);
	expect_equal_ports(w, pair);
}

static void removing_one_half_removes_both(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(51413);
	struct pair pair = add_pair(w, &wish);

	world_forget(w);
	assert_int_equal(engine_remove(&w->engine, pair.udp, w->now), TENF_OK);
	world_flush(w);
	expect_both(w, TENF_EVENT_REMOVED, pair);
	assert_int_equal(fake_gateway_count(&w->gateway, w->now), 0);
	assert_int_equal(w->engine.keeper.count, 0);
}

/* ---- One lease --------------------------------------------------------------------- */

static void a_pair_once_gets_one_port_and_no_renewal(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(51413);
	struct pair pair;

	wish.keep = false;
	pair = add_pair(w, &wish);
	expect_equal_ports(w, pair);
	world_forget(w);
	world_pass(w, 7100 * TENF_SECOND);
	assert_int_equal(w->packet_count, 0);
}

static void a_pair_once_is_refused_as_one(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(51413);
	struct pair pair;

	world_restart(w, TENF_METHOD_PCP, false);
	w->gateway.pcp_result = PCP_NOT_AUTHORIZED;
	wish.keep = false;
	pair = add_pair(w, &wish);
	expect_both(w, TENF_EVENT_REFUSED, pair);
	/* By the same method with the same result code: one sentence tells of both. */
	assert_int_equal(world_view(w, pair.udp).error.method, TENF_METHOD_PCP);
	assert_int_equal(world_view(w, pair.udp).error.result, PCP_NOT_AUTHORIZED);
	world_pass(w, 7200 * TENF_SECOND);
	expect_no_event(w);
	assert_int_equal(w->packet_count, 1);
}

static bool is_decided(const struct world *w, uint32_t id)
{
	for (size_t i = 0; i < w->event_count; i++) {
		if (w->events[i].mapping.id == id)
			return true;
	}
	return false;
}

/* The verdict on both comes within the time for one, wherever the silence begins. */
static void a_pair_once_gets_its_verdict_in_time(void **state)
{
	struct world *w = *state;

	for (size_t answers = 0; answers < 10; answers++) {
		struct keeper_wish wish = wish_of(51413);
		tenf_time start;
		struct pair pair;

		world_restart(w, TENF_METHOD_NATPMP, false);
		fake_gateway_take_port(&w->gateway, TENF_UDP, 6000);
		wish.external_port = 6000;
		wish.keep = false;
		world_connect(w, GATEWAY, SOURCE);
		start = w->now;
		w->answers_left = 0;
		pair = add_pair(w, &wish);
		world_run(w, start + 3700 * TENF_MILLISECOND);
		w->answers_left = answers;
		world_run(w, start + VERDICT + 20 * TENF_MILLISECOND);
		assert_true(is_decided(w, pair.tcp));
		assert_true(is_decided(w, pair.udp));
		assert_int_equal(world_view(w, pair.tcp).state, world_view(w, pair.udp).state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(a_pair_gets_one_port),
		WORLD_TEST(half_a_pair_is_not_told),
		WORLD_TEST(differing_ports_are_settled),
		WORLD_TEST(what_cannot_be_settled_fails_as_one),
		WORLD_TEST(a_refused_leader_leaves_the_follower_alone),
		WORLD_TEST(a_refused_follower_takes_the_leader_with_it),
		WORLD_TEST(a_follower_that_got_another_port_takes_the_leader_with_it),
		WORLD_TEST(a_changed_half_moves_the_other),
		WORLD_TEST(both_halves_are_renewed_and_stay_together),
		WORLD_TEST(a_pair_survives_a_restart),
		WORLD_TEST(half_a_pair_on_another_port_after_a_restart_is_lost),
		WORLD_TEST(a_pair_follows_to_another_gateway),
		WORLD_TEST(removing_one_half_removes_both),
		WORLD_TEST(a_pair_once_gets_one_port_and_no_renewal),
		WORLD_TEST(a_pair_once_is_refused_as_one),
		WORLD_TEST(a_pair_once_gets_its_verdict_in_time),
	};

	return cmocka_run_group_tests_name("pair", tests, NULL, NULL);
}
