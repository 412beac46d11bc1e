/* SPDX-License-Identifier: MIT */
/* What a gateway refuses: how long it is left alone, and what stays held. */
#include "core/schedule.h"
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void refuse_by_pcp(struct world *w, uint8_t result, uint32_t error_s)
{
	world_restart(w, TENF_METHOD_PCP, false);
	w->gateway.pcp_result = result;
	w->gateway.pcp_error_s = error_s;
	world_connect(w, GATEWAY, SOURCE);
	world_forget(w);
}

/* PCP-C-31: the same request is not repeated within the error's lifetime. */
static void an_error_is_kept_for_its_lifetime(void **state)
{
	static const struct {
		uint8_t result;
		uint32_t error_s;
		uint32_t hold_s;
	} cases[] = {
		{ PCP_NOT_AUTHORIZED, 600, 600 },    { PCP_NOT_AUTHORIZED, 0, 1800 },
		{ PCP_NETWORK_FAILURE, 77, 77 },     { PCP_NETWORK_FAILURE, 0, 30 },
		{ PCP_NO_RESOURCES, 45, 45 },	     { PCP_USER_EX_QUOTA, 0, 30 },
		{ PCP_ADDRESS_MISMATCH, 9999, 1800 }, { 200, 300, 300 },
		{ PCP_CANNOT_PROVIDE_EXTERNAL, 100, 100 },
		{ PCP_UNSUPP_OPCODE, 400, 400 },
	};
	struct world *w = *state;

	for (size_t i = 0; i < TENF_ARRAY_SIZE(cases); i++) {
		struct keeper_wish wish = wish_of(8080);
		tenf_time refused;
		uint32_t id;

		refuse_by_pcp(w, cases[i].result, cases[i].error_s);
		id = world_add(w, &wish, false);
		refused = w->now;
		assert_int_equal(world_view(w, id).error.result, cases[i].result);
		world_run(w, refused + cases[i].hold_s * TENF_SECOND - 1);
		assert_int_equal(w->packet_count, 1);
		w->gateway.pcp_result = PCP_SUCCESS;
		world_run(w, refused + cases[i].hold_s * TENF_SECOND);
		assert_int_equal(w->packet_count, 2);
		assert_int_equal(world_view(w, id).state, TENF_STATE_MAPPED);
	}
}

/* PCP-C-38: a version we do not speak is tried again when the error ends. */
static void a_gateway_of_another_version_is_left_alone(void **state)
{
	static const uint8_t version3[PCP_HEADER] = { 3, 129, 0, PCP_UNSUPP_VERSION, 0, 0, 2, 88 };
	struct world *w = *state;
	struct keeper_wish wish = wish_of(8080);
	tenf_time refused;
	uint32_t id;

	refuse_by_pcp(w, PCP_SUCCESS, 0);
	w->gateway.silent = true;
	id = world_add(w, &wish, false);
	engine_receive(&w->engine, &w->engine.client.gateway, version3, sizeof(version3), w->now);
	world_flush(w);
	refused = w->now;
	assert_int_equal(expect_event(w, TENF_EVENT_LOST, id)->mapping.error.reason,
			 TENF_REASON_NO_SERVICE);
	world_run(w, refused + 600 * TENF_SECOND - 1);
	assert_int_equal(w->packet_count, 1);
	world_run(w, refused + 600 * TENF_SECOND);
	assert_int_equal(w->packet_count, 2);
}

static void the_same_refusal_is_told_once(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(8080);
	uint32_t id;

	refuse_by_pcp(w, PCP_NOT_AUTHORIZED, 60);
	id = world_add(w, &wish, false);
	expect_event(w, TENF_EVENT_REFUSED, id);
	world_pass(w, 3600 * TENF_SECOND);
	expect_no_event(w);
	w->gateway.pcp_result = PCP_NETWORK_FAILURE;
	world_pass(w, 60 * TENF_SECOND);
	assert_int_equal(expect_event(w, TENF_EVENT_REFUSED, id)->mapping.error.reason,
			 TENF_REASON_NO_NETWORK);
	w->gateway.pcp_result = PCP_SUCCESS;
	world_pass(w, 61 * TENF_SECOND);
	expect_event(w, TENF_EVENT_ADDRESS, 0);
	expect_event(w, TENF_EVENT_MAPPED, id);
}

/* PCP-C-33: out of resources is about the gateway: nothing new is asked for. */
static void no_resources_holds_back_new_mappings(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(1);
	tenf_time refused;
	uint32_t second;

	refuse_by_pcp(w, PCP_NO_RESOURCES, 30);
	(void)world_add(w, &wish, false);
	refused = w->now;
	world_pass(w, 10 * TENF_SECOND);
	wish = wish_of(2);
	second = world_add(w, &wish, false);
	assert_int_equal(world_view(w, second).state, TENF_STATE_REFUSED);
	assert_int_equal(world_view(w, second).error.reason, TENF_REASON_RESOURCES);
	world_run(w, refused + 30 * TENF_SECOND - 1);
	assert_int_equal(w->packet_count, 1);
	w->gateway.pcp_result = PCP_SUCCESS;
	world_run(w, refused + 31 * TENF_SECOND);
	assert_int_equal(world_view(w, second).state, TENF_STATE_MAPPED);
}

/* PCP-C-33: on a renewal too; what is held is renewed all the same. */
static void no_resources_does_not_hold_back_renewals(void **state)
{
	struct world *w = *state;
	struct keeper_wish held = wish_of(1);
	struct keeper_wish wish = wish_of(2);
	uint32_t id;

	refuse_by_pcp(w, PCP_SUCCESS, 1800);
	w->gateway.lifetime_max_s = 600;
	id = world_add(w, &held, false);
	world_pass(w, 200 * TENF_SECOND);
	w->gateway.pcp_result = PCP_NO_RESOURCES;
	(void)world_add(w, &wish, false);
	w->gateway.pcp_result = PCP_SUCCESS;
	world_pass(w, 1000 * TENF_SECOND);
	assert_int_equal(world_view(w, id).state, TENF_STATE_MAPPED);
	assert_non_null(packet_nth(w, TENF_TCP, 1, false, 1));
	assert_null(packet_nth(w, TENF_TCP, 2, false, 1));
}

/* RFC 6887 §11.4: on a delete everything stops, here for 30 s at most. */
static void no_resources_on_a_delete_holds_back_everything(void **state)
{
	struct world *w = *state;
	struct keeper_wish first = wish_of(1);
	struct keeper_wish second = wish_of(2);
	tenf_time refused;
	uint32_t id;

	refuse_by_pcp(w, PCP_SUCCESS, 1800);
	w->gateway.lifetime_max_s = 60;
	id = world_add(w, &first, false);
	(void)world_add(w, &second, false);
	world_pass(w, 28 * TENF_SECOND);
	w->gateway.pcp_delete_result = PCP_NO_RESOURCES;
	world_forget(w);
	assert_int_equal(engine_remove(&w->engine, id, w->now), TENF_OK);
	world_flush(w);
	expect_event(w, TENF_EVENT_REMOVED, id);
	refused = w->now;
	world_run(w, refused + 30 * TENF_SECOND - 1);
	assert_int_equal(w->packet_count, 1);
	world_run(w, refused + 31 * TENF_SECOND);
	assert_int_equal(w->packet_count, 2);
	assert_int_equal(w->packets[1].internal_port, 2);
}

/* A renewal that is refused leaves the lease as it is; it is asked for again when the
 * error ends, and no earlier, even when the lease ends before (PCP-C-31). */
static void a_refused_renewal_waits_for_the_end_of_the_error(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(8080);
	tenf_time granted;
	uint32_t id;

	refuse_by_pcp(w, PCP_SUCCESS, 1800);
	w->gateway.lifetime_max_s = 600;
	id = world_add(w, &wish, false);
	granted = w->now;
	world_forget(w);
	w->gateway.pcp_result = PCP_NOT_AUTHORIZED;
	world_run(w, granted + 599 * TENF_SECOND);
	expect_event(w, TENF_EVENT_REFUSED, id);
	assert_true(world_view(w, id).grant.expires == granted + 600 * TENF_SECOND);
	assert_int_equal(w->packet_count, 1);
	world_run(w, granted + 601 * TENF_SECOND);
	assert_int_equal(expect_event(w, TENF_EVENT_LOST, id)->mapping.error.reason,
			 TENF_REASON_REFUSED);
	world_run(w, w->packets[0].at + 1800 * TENF_SECOND);
	assert_int_equal(w->packet_count, 1);
	w->gateway.pcp_result = PCP_SUCCESS;
	world_pass(w, 10 * TENF_SECOND);
	assert_int_equal(w->packet_count, 2);
	expect_event(w, TENF_EVENT_MAPPED, id);
}

static void natpmp_errors_have_holds_of_their_own(void **state)
{
	static const struct {
		uint16_t result;
		uint32_t hold_s;
	} cases[] = { { NATPMP_NOT_AUTHORIZED, 1800 },
		      { NATPMP_OUT_OF_RESOURCES, 30 },
		      { NATPMP_NETWORK_FAILURE, 30 } };
	struct world *w = *state;

	for (size_t i = 0; i < TENF_ARRAY_SIZE(cases); i++) {
		struct keeper_wish wish = wish_of(8080);
		tenf_time refused;

		world_restart(w, TENF_METHOD_NATPMP, false);
		w->gateway.natpmp_result = cases[i].result;
		world_connect(w, GATEWAY, SOURCE);
		(void)world_add(w, &wish, false);
		refused = w->now;
		world_forget(w);
		world_run(w, refused + cases[i].hold_s * TENF_SECOND - 1);
		assert_int_equal(w->packet_count, 0);
		world_pass(w, TENF_SECOND);
		assert_true(w->packet_count > 0);
	}
}

/* Port unreachable: tried again, at growing distances, within a minute at last. */
static void port_unreachable_is_tried_again(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(8080);
	tenf_duration last = 0;
	uint32_t id;

	world_restart(w, TENF_METHOD_PCP, false);
	w->gateway.silent = true;
	world_connect(w, GATEWAY, SOURCE);
	world_forget(w);
	id = world_add(w, &wish, false);
	for (int i = 0; i < 10; i++) {
		tenf_time told = w->now;

		engine_unreachable(&w->engine, w->now);
		world_flush(w);
		world_forget(w);
		world_run(w, engine_deadline(&w->engine));
		assert_int_equal(w->packet_count, 1);
		assert_true(w->now - told >= RENEWAL_SPACING);
		assert_true(w->now - told >= last);
		last = w->now - told;
	}
	assert_true(last == 64 * TENF_SECOND);
	assert_int_equal(world_view(w, id).error.reason, TENF_REASON_NO_SERVICE);
}

/* PCP-C-40: a gateway that grants another port than the one insisted on: the
 * grant is given back, and asked for again much later. */
static void another_port_than_insisted_on_is_given_back(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(8080);
	uint32_t id;

	world_restart(w, TENF_METHOD_PCP, false);
	w->gateway.ignores_prefer_failure = true;
	fake_gateway_take_port(&w->gateway, TENF_TCP, 80);
	world_connect(w, GATEWAY, SOURCE);
	world_forget(w);
	wish.external_port = 80;
	wish.exact = true;
	id = world_add(w, &wish, false);
	assert_true(last_packet(w)->prefer_failure);
	world_pass(w, 2 * TENF_SECOND);
	assert_int_equal(expect_event(w, TENF_EVENT_REFUSED, id)->mapping.error.reason,
			 TENF_REASON_OTHER_PORT);
	assert_true(last_packet(w)->deletes);
	assert_int_equal(fake_gateway_count(&w->gateway, w->now), 0);
	world_pass(w, 110 * TENF_SECOND);
	assert_int_equal(w->packet_count, 2);
	w->gateway.taken_count = 0;
	world_pass(w, 20 * TENF_SECOND);
	assert_int_equal(world_view(w, id).grant.external_port, 80);
	expect_event(w, TENF_EVENT_ADDRESS, 0);
	expect_event(w, TENF_EVENT_MAPPED, id);
	expect_no_event(w);
}

/* Given back, or not: the nonce is new only where the old mapping is gone. With
 * another one a mapping that is still there would not be ours. */
static void what_could_not_be_given_back_keeps_its_nonce(void **state)
{
	struct world *w = *state;

	for (int refused = 0; refused < 2; refused++) {
		struct keeper_wish wish = wish_of(8080);
		const uint8_t *first;
		const uint8_t *second;

		world_restart(w, TENF_METHOD_PCP, false);
		w->gateway.ignores_prefer_failure = true;
		w->gateway.pcp_delete_result = refused ? PCP_NOT_AUTHORIZED : PCP_SUCCESS;
		fake_gateway_take_port(&w->gateway, TENF_TCP, 80);
		world_connect(w, GATEWAY, SOURCE);
		wish.external_port = 80;
		wish.exact = true;
		(void)world_add(w, &wish, false);
		world_pass(w, 130 * TENF_SECOND);
		first = packet_nth(w, TENF_TCP, 8080, false, 0)->nonce;
		second = packet_nth(w, TENF_TCP, 8080, false, 1)->nonce;
		assert_int_equal(memcmp(first, second, PCP_NONCE) == 0, refused);
	}
}

/* The one verdict was given; another network does not ask for it again. */
static void a_refused_lease_once_is_not_asked_for_elsewhere(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(8080);

	for (int none = 0; none < 2; none++) {
		uint32_t id;

		world_restart(w, TENF_METHOD_PCP, false);
		w->gateway.ignores_prefer_failure = true;
		fake_gateway_take_port(&w->gateway, TENF_TCP, 80);
		world_connect(w, GATEWAY, SOURCE);
		wish.external_port = 80;
		wish.exact = true;
		wish.keep = false;
		id = world_add(w, &wish, false);
		w->answers_left = 0; /* the delete is not answered */
		world_pass(w, 2 * TENF_SECOND);
		assert_true(last_packet(w)->deletes);
		world_forget(w);
		w->answers_left = SIZE_MAX;
		world_connect(w, none ? NULL : "192.168.7.1", "192.168.7.20");
		world_pass(w, 100 * TENF_SECOND);
		assert_int_equal(w->map_requests, 0);
		assert_int_equal(world_view(w, id).state, TENF_STATE_REFUSED);
		expect_event(w, TENF_EVENT_GATEWAY, 0);
		expect_no_event(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(an_error_is_kept_for_its_lifetime),
		WORLD_TEST(a_gateway_of_another_version_is_left_alone),
		WORLD_TEST(the_same_refusal_is_told_once),
		WORLD_TEST(no_resources_holds_back_new_mappings),
		WORLD_TEST(no_resources_does_not_hold_back_renewals),
		WORLD_TEST(no_resources_on_a_delete_holds_back_everything),
		WORLD_TEST(a_refused_renewal_waits_for_the_end_of_the_error),
		WORLD_TEST(natpmp_errors_have_holds_of_their_own),
		WORLD_TEST(port_unreachable_is_tried_again),
		WORLD_TEST(another_port_than_insisted_on_is_given_back),
		WORLD_TEST(what_could_not_be_given_back_keeps_its_nonce),
		WORLD_TEST(a_refused_lease_once_is_not_asked_for_elsewhere),
	};

	return cmocka_run_group_tests_name("life-errors", tests, NULL, NULL);
}
