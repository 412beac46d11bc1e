/* SPDX-License-Identifier: MIT */
/* A mapping from the wish to its end: granted, renewed, lost, found again. */
#include "core/schedule.h"
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

/* Connects, adds and forgets how it came to be. */
static uint32_t hold(struct world *w, const struct keeper_wish *wish)
{
	uint32_t id;

	if (!w->connected)
		world_connect(w, GATEWAY, SOURCE);
	id = world_add(w, wish, false);
	assert_int_equal(world_view(w, id).state, TENF_STATE_MAPPED);
	world_forget(w);
	return id;
}

static void a_granted_mapping_is_told_as_it_is(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(8080);
	const struct engine_event *event;
	uint32_t id;

	world_connect(w, GATEWAY, SOURCE);
	expect_event(w, TENF_EVENT_GATEWAY, 0);
	wish.external_port = 80;
	id = world_add(w, &wish, false);
	expect_event(w, TENF_EVENT_ADDRESS, 0);
	event = expect_event(w, TENF_EVENT_MAPPED, id);
	assert_int_equal(event->before.id, 0);
	assert_int_equal(event->mapping.grant.method, TENF_METHOD_PCP);
	assert_int_equal(event->mapping.grant.external_port, 80);
	assert_int_equal(event->mapping.grant.lifetime_s, 7200);
	assert_true(event->mapping.grant.expires == w->now + 7200 * TENF_SECOND);
	assert_int_equal(event->mapping.error.reason, TENF_REASON_NONE);
	assert_in_range(event->mapping.renews - w->now, 3600 * TENF_SECOND, 4500 * TENF_SECOND);
	expect_no_event(w);
}

/* NP-C-17, PCP-C-27: planned by what was granted, not by what was asked. */
static void renewals_follow_the_granted_lifetime(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(8080);
	tenf_time granted;
	uint32_t id;

	w->gateway.lifetime_max_s = 60;
	id = hold(w, &wish);
	granted = w->now;
	world_run(w, granted + 30 * TENF_SECOND - 10 * TENF_MILLISECOND);
	assert_int_equal(w->packet_count, 0);
	world_run(w, granted + 38 * TENF_SECOND);
	assert_int_equal(w->map_requests, 1);
	assert_int_equal(last_packet(w)->lifetime_s, 7200);
	expect_event(w, TENF_EVENT_RENEWED, id);
	world_run(w, granted + 3600 * TENF_SECOND);
	assert_in_range(w->map_requests, 3600 / 38, 3600 / 30);
	assert_true(fake_gateway_find(&w->gateway, TENF_TCP, 8080, w->now) != NULL);
}

/* PCP-C-36: hours without any traffic of ours: still there, by renewals alone. */
static void a_kept_mapping_is_there_for_weeks(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(8080);
	uint32_t id = hold(w, &wish);

	for (int hour = 0; hour < 24 * 21; hour++) {
		world_pass(w, 3600 * TENF_SECOND);
		assert_non_null(fake_gateway_find(&w->gateway, TENF_TCP, 8080, w->now));
		world_forget(w);
	}
	assert_int_equal(world_view(w, id).state, TENF_STATE_MAPPED);
}

/* NP-C-18, PCP-C-29: a renewal suggests what was granted last, not the wish. */
static void renewals_suggest_what_was_granted(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(8080);
	struct keeper_view view;
	uint32_t id;

	fake_gateway_take_port(&w->gateway, TENF_TCP, 80);
	wish.external_port = 80;
	id = hold(w, &wish);
	view = world_view(w, id);
	assert_int_not_equal(view.grant.external_port, 80);
	world_pass(w, 4501 * TENF_SECOND);
	assert_int_equal(w->packets[0].external_port, view.grant.external_port);
	assert_true(tenf_address_equal(&w->packets[0].external_address, &w->gateway.external));
	assert_memory_equal(w->packets[0].nonce, view.wish.nonce, PCP_NONCE);
}

/* NP-C-18: the same by NAT-PMP, also for who insisted on no port in particular. */
static void natpmp_renewals_suggest_what_was_granted(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(8080);
	struct keeper_view view;
	uint32_t id;

	world_restart(w, TENF_METHOD_NATPMP, false);
	wish.exact = true;
	id = hold(w, &wish);
	view = world_view(w, id);
	assert_int_equal(view.grant.method, TENF_METHOD_NATPMP);
	world_pass(w, 4501 * TENF_SECOND);
	assert_int_equal(packet_nth(w, TENF_TCP, 8080, false, 0)->external_port,
			 view.grant.external_port);
}

/* Silence from now on; one packet a try, at least 4 s apart, none after the end. */
static void check_tries(struct world *w, uint32_t lifetime_s)
{
	struct keeper_wish wish = wish_of(8080);
	tenf_time granted;

	w->gateway.lifetime_max_s = lifetime_s;
	(void)hold(w, &wish);
	granted = w->now;
	w->gateway.silent = true;
	world_run(w, granted + lifetime_s * TENF_SECOND - 1);
	for (size_t i = 0; i < w->packet_count; i++) {
		tenf_duration from;
		tenf_duration to;

		schedule_renewal_window(lifetime_s, (unsigned)i + 1, &from, &to);
		if (i > 0) {
			assert_true(w->packets[i].at >= w->packets[i - 1].at + RENEWAL_SPACING);
			to = tenf_time_max(to, w->packets[i - 1].at + RENEWAL_SPACING - granted);
		}
		assert_in_range(w->packets[i].at - granted, from - 2 * w->rtt, to);
	}
}

/* PCP-C-27, PCP-C-28: the windows, for long and short leases. */
static void silent_renewals_are_repeated_in_their_windows(void **state)
{
	struct world *w = *state;
	static const uint32_t lifetimes[] = { 30, 120, 3600, 7200 };
	static const size_t tries[] = { 2, 4, 9, 10 };

	for (size_t i = 0; i < TENF_ARRAY_SIZE(lifetimes); i++) {
		world_restart(w, TENF_METHOD_PCP, false);
		check_tries(w, lifetimes[i]);
		assert_in_range(w->packet_count, tries[i], tries[i] + 2);
	}
}

/* NP-C-19: NAT-PMP's tries begin in the same windows, each with its own attempts. */
static void natpmp_renewals_begin_in_the_same_windows(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(8080);
	tenf_time granted;
	tenf_duration from;
	tenf_duration to;
	size_t second = 0;

	world_restart(w, TENF_METHOD_NATPMP, false);
	(void)hold(w, &wish);
	granted = w->now;
	w->gateway.silent = true;
	world_run(w, granted + 7199 * TENF_SECOND);
	schedule_renewal_window(7200, 1, &from, &to);
	assert_in_range(w->packets[0].at - granted, from - 2 * w->rtt, to);
	assert_true(w->packets[1].at - w->packets[0].at == 250 * TENF_MILLISECOND);
	schedule_renewal_window(7200, 2, &from, &to);
	while (w->packets[second].at - granted < from - 2 * w->rtt)
		second++;
	assert_in_range(second, NATPMP_ATTEMPTS, 40);
	assert_true(w->packets[second].at - granted <= to);
}

static void a_lease_that_ends_in_silence_is_lost_and_asked_for_again(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(8080);
	const struct engine_event *event;
	tenf_time ends;
	uint32_t id;

	w->gateway.lifetime_max_s = 600;
	id = hold(w, &wish);
	ends = w->now + 600 * TENF_SECOND;
	w->gateway.silent = true;
	world_run(w, ends - 10 * TENF_MILLISECOND);
	expect_no_event(w);
	world_run(w, ends + 10 * TENF_SECOND);
	event = expect_event(w, TENF_EVENT_LOST, id);
	assert_int_equal(event->mapping.error.reason, TENF_REASON_SILENT);
	assert_int_equal(event->before.state, TENF_STATE_MAPPED);
	assert_true(event->mapping.grant.expires == TENF_NEVER);
	expect_no_event(w);
	/* NAT-PMP's slowest spacing is how late it is noticed that somebody answers. */
	world_pass(w, 3600 * TENF_SECOND);
	w->gateway.silent = false;
	world_pass(w, 65 * TENF_SECOND);
	expect_event(w, TENF_EVENT_MAPPED, id);
	assert_int_equal(world_view(w, id).grant.external_port, event->mapping.grant.external_port);
}

/* NP-C-07, PCP-C-11, NP-C-40: who is wanted is asked for without end; the word that
 * nobody answers comes once, in time, and stops nothing. */
static void silence_is_told_once_within_the_verdict(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(8080);
	tenf_time start = w->now;
	uint32_t id;

	w->gateway.silent = true;
	world_connect(w, GATEWAY, SOURCE);
	world_forget(w);
	id = world_add(w, &wish, false);
	world_run(w, start + VERDICT - 1);
	expect_no_event(w);
	world_run(w, start + VERDICT);
	assert_int_equal(expect_event(w, TENF_EVENT_LOST, id)->mapping.error.reason,
			 TENF_REASON_SILENT);
	world_run(w, start + 7200 * TENF_SECOND);
	expect_no_event(w);
	assert_true(w->packet_count > 100);
}

/* NP-C-42, PCP-C-32: 136 years are planned as a day, and do not end at its end. */
static void a_lease_of_a_century_is_renewed_every_day(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(8080);
	tenf_time granted;
	uint32_t id;

	wish.lifetime_s = UINT32_MAX;
	w->gateway.lifetime_max_s = UINT32_MAX;
	id = hold(w, &wish);
	granted = w->now;
	world_run(w, granted + 43199 * TENF_SECOND);
	assert_int_equal(w->packet_count, 0);
	world_run(w, granted + 54000 * TENF_SECOND);
	assert_int_equal(w->packet_count, 1);
	w->gateway.silent = true;
	world_run(w, granted + 10LL * 86400 * TENF_SECOND);
	assert_true(w->packet_count > 100);
	assert_in_range(world_view(w, id).state, TENF_STATE_MAPPED, TENF_STATE_RENEWING);
	w->gateway.silent = false;
	world_pass(w, 86400 * TENF_SECOND);
	assert_int_equal(world_view(w, id).state, TENF_STATE_MAPPED);
}

/* PCP-C-28: not even a gateway that grants a second is asked more than every 4 s. */
static void leases_too_short_to_renew_are_no_storm(void **state)
{
	static const uint32_t lifetimes[] = { 1, 2, 3, 5 };
	struct world *w = *state;

	for (size_t i = 0; i < TENF_ARRAY_SIZE(lifetimes); i++) {
		struct keeper_wish wish = wish_of(8080);

		world_restart(w, TENF_METHOD_PCP, false);
		w->gateway.lifetime_max_s = lifetimes[i];
		world_connect(w, GATEWAY, SOURCE);
		(void)world_add(w, &wish, false);
		world_pass(w, 100 * TENF_SECOND);
		assert_in_range(w->packet_count, 10, 26);
		for (size_t n = 1; n < w->packet_count; n++)
			assert_true(w->packets[n].at - w->packets[n - 1].at >= RENEWAL_SPACING);
	}
}

static void a_changed_port_is_told_with_what_was_before(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(8080);
	const struct engine_event *event;
	uint16_t port;
	uint32_t id = hold(w, &wish);

	port = world_view(w, id).grant.external_port;
	w->gateway.held_count = 0;
	w->gateway.always_other_port = true;
	world_pass(w, 4501 * TENF_SECOND);
	event = expect_event(w, TENF_EVENT_CHANGED, id);
	assert_int_equal(event->before.grant.external_port, port);
	assert_int_not_equal(event->mapping.grant.external_port, port);
	expect_no_event(w);
}

/* ---- One lease -------------------------------------------------------------------- */

static void a_lease_once_is_never_renewed(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(8080);
	uint32_t id;

	wish.keep = false;
	wish.lifetime_s = 120;
	id = hold(w, &wish);
	assert_true(world_view(w, id).renews == TENF_NEVER);
	world_pass(w, 119 * TENF_SECOND);
	assert_int_equal(w->packet_count, 0);
	expect_no_event(w);
	world_pass(w, 7200 * TENF_SECOND);
	expect_event(w, TENF_EVENT_LOST, id);
	expect_no_event(w);
	assert_int_equal(w->packet_count, 0);
}

static void a_lease_once_gets_its_verdict_in_time(void **state)
{
	struct world *w = *state;
	struct keeper_wish wish = wish_of(8080);
	tenf_time start = w->now;
	uint32_t id;
	size_t sent;

	wish.keep = false;
	w->gateway.silent = true;
	world_connect(w, GATEWAY, SOURCE);
	world_forget(w);
	id = world_add(w, &wish, false);
	world_run(w, start + VERDICT);
	expect_event(w, TENF_EVENT_LOST, id);
	sent = w->packet_count;
	world_run(w, start + 7200 * TENF_SECOND);
	expect_no_event(w);
	assert_int_equal(w->packet_count, sent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(a_granted_mapping_is_told_as_it_is),
		WORLD_TEST(renewals_follow_the_granted_lifetime),
		WORLD_TEST(a_kept_mapping_is_there_for_weeks),
		WORLD_TEST(renewals_suggest_what_was_granted),
		WORLD_TEST(natpmp_renewals_suggest_what_was_granted),
		WORLD_TEST(silent_renewals_are_repeated_in_their_windows),
		WORLD_TEST(natpmp_renewals_begin_in_the_same_windows),
		WORLD_TEST(a_lease_that_ends_in_silence_is_lost_and_asked_for_again),
		WORLD_TEST(silence_is_told_once_within_the_verdict),
		WORLD_TEST(a_lease_of_a_century_is_renewed_every_day),
		WORLD_TEST(leases_too_short_to_renew_are_no_storm),
		WORLD_TEST(a_changed_port_is_told_with_what_was_before),
		WORLD_TEST(a_lease_once_is_never_renewed),
		WORLD_TEST(a_lease_once_gets_its_verdict_in_time),
	};

	return cmocka_run_group_tests_name("life", tests, NULL, NULL);
}
