/* SPDX-License-Identifier: MIT */
#include "core/schedule.h"

#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define RUNS 2000

/* A generator that gives one chosen word for ever, lowest octet first. */
struct fixed_word {
	uint64_t word;
};

static void fixed_fill(void *context, void *data, size_t len)
{
	const struct fixed_word *fixed = context;
	uint8_t *at = data;

	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)(fixed->word >> 8 * (i % 8));
}

static int64_t to_ms(tenf_duration d)
{
	return (d + TENF_MILLISECOND / 2) / TENF_MILLISECOND;
}

static struct tenf_random seeded(struct tenf_seeded *s, uint64_t seed)
{
	tenf_seeded_init(s, seed);
	return tenf_seeded_random(s);
}

/* ---- NAT-PMP ---------------------------------------------------------------- */

/* NP-C-06, NP-C-07: nine attempts, intervals double from 250 ms, 64 s after the last. */
static void natpmp_attempts_come_at_the_times_of_the_table(void **state)
{
	const struct vector_times *want = &vector_timers.natpmp_request_send;
	tenf_duration at = 0;

	(void)state;
	assert_int_equal(want->count, NATPMP_ATTEMPTS);
	for (unsigned i = 0; i < want->count; i++) {
		assert_int_equal(to_ms(at), want->ms[i]);
		at += schedule_natpmp_wait(i + 1);
	}
	assert_int_equal(to_ms(at), vector_timers.natpmp_request_give_up_ms);
}

static void natpmp_never_waits_longer_than_64_s(void **state)
{
	(void)state;
	assert_true(schedule_natpmp_wait(0) == 250 * TENF_MILLISECOND);
	assert_true(schedule_natpmp_wait(10) == 64 * TENF_SECOND);
	assert_true(schedule_natpmp_wait(UINT32_MAX) == 64 * TENF_SECOND);
}

/* ---- PCP -------------------------------------------------------------------- */

/* The word that makes RAND `percent` hundredths for the wait after `previous`. */
static uint64_t word_for(tenf_duration previous, int percent)
{
	tenf_duration base = 3 * TENF_SECOND;

	if (previous != 0)
		base = tenf_time_min(2 * previous, 1024 * TENF_SECOND);
	return (uint64_t)(base / 10 * (10 + percent) / 10);
}

static void check_waits(const struct vector_times *want, int percent)
{
	struct fixed_word fixed;
	struct tenf_random random = { .fill = fixed_fill, .context = &fixed };
	tenf_duration wait = 0;

	for (size_t i = 0; i < want->count; i++) {
		fixed.word = word_for(wait, percent);
		wait = schedule_pcp_wait(wait, &random);
		assert_in_range(to_ms(wait), want->ms[i] - 1, want->ms[i] + 1);
	}
}

/* PCP-C-10: the formula at the middle and at both ends of RAND. */
static void pcp_waits_are_those_of_the_table(void **state)
{
	(void)state;
	check_waits(&vector_timers.pcp_rt_rand_zero, 0);
	check_waits(&vector_timers.pcp_rt_rand_low, -10);
	check_waits(&vector_timers.pcp_rt_rand_high, 10);
}

/* PCP-C-09: 2.7 to 3.3 s, and all of that range is used. */
static void the_first_pcp_wait_is_about_3_s(void **state)
{
	struct tenf_seeded s;
	struct tenf_random random = seeded(&s, 1);
	tenf_duration low = TENF_NEVER;
	tenf_duration high = 0;

	(void)state;
	for (int i = 0; i < RUNS; i++) {
		tenf_duration wait = schedule_pcp_wait(0, &random);

		assert_in_range(to_ms(wait), vector_timers.pcp_rt_first_min_ms,
				vector_timers.pcp_rt_first_max_ms);
		low = tenf_time_min(low, wait);
		high = tenf_time_max(high, wait);
	}
	assert_true(low < 2750 * TENF_MILLISECOND);
	assert_true(high > 3250 * TENF_MILLISECOND);
}

/* PCP-C-10: never above 1126.4 s, and RAND is drawn anew each time. */
static void pcp_waits_stay_below_the_ceiling_and_differ(void **state)
{
	struct tenf_seeded s;
	struct tenf_random random = seeded(&s, 2);
	tenf_duration wait = 0;
	tenf_duration before = 0;
	unsigned same = 0;

	(void)state;
	for (int i = 0; i < RUNS; i++) {
		wait = schedule_pcp_wait(wait, &random);
		assert_true(to_ms(wait) <= vector_timers.pcp_rt_ceiling_ms);
		same += wait == before;
		before = wait;
	}
	assert_true(wait > 900 * TENF_SECOND);
	assert_true(same < 5);
}

/* ---- Renewal ------------------------------------------------------------------ */

/* PCP-C-27, NP-C-17, NP-C-19: windows of common lifetimes, the first from half on. */
static void renewal_windows_are_those_of_the_table(void **state)
{
	(void)state;
	assert_true(vector_timers.window_count > 30);
	for (size_t i = 0; i < vector_timers.window_count; i++) {
		const struct vector_window *w = &vector_timers.windows[i];
		tenf_duration from;
		tenf_duration to;

		schedule_renewal_window(w->lifetime_s, w->attempt, &from, &to);
		assert_in_range(to_ms(from), w->from_ms - 1, w->from_ms + 1);
		assert_in_range(to_ms(to), w->to_ms - 1, w->to_ms + 1);
	}
}

/* One whole lease without an answer: checks every try, returns how many. */
static unsigned run_lease(uint32_t lifetime_s, const struct tenf_random *random)
{
	tenf_duration last = RENEWAL_NONE;
	unsigned k = 1;

	for (;;) {
		tenf_duration at = schedule_renewal(lifetime_s, k, last, random);
		tenf_duration from;
		tenf_duration to;

		if (at == TENF_NEVER)
			return k - 1;
		schedule_renewal_window(lifetime_s, k, &from, &to);
		assert_true(at < tenf_seconds(lifetime_s));
		assert_true(at >= from);
		if (last != RENEWAL_NONE) {
			assert_true(at >= last + RENEWAL_SPACING);
			assert_true(at <= tenf_time_max(to, last + RENEWAL_SPACING));
		} else {
			assert_true(at <= to);
		}
		last = at;
		k++;
	}
}

/* PCP-C-28, NP-C-19: each try lies in its window, but never within 4 s of the
 * try before, and none comes after the end. */
static void tries_lie_in_their_windows_4_s_apart(void **state)
{
	static const uint32_t lifetimes[] = { 1, 2, 5, 9, 16, 60, 120, 3600, 7200, 86400 };
	struct tenf_seeded s;
	struct tenf_random random = seeded(&s, 3);

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(lifetimes); i++) {
		for (int run = 0; run < 200; run++)
			(void)run_lease(lifetimes[i], &random);
	}
	assert_in_range(run_lease(120, &random), 4, 6);
	assert_in_range(run_lease(7200, &random), 10, 12);
	assert_in_range(run_lease(86400, &random), 14, 16);
}

static void the_try_before_the_grant_counts_too(void **state)
{
	struct tenf_seeded s;
	struct tenf_random random = seeded(&s, 4);

	(void)state;
	/* asked one second before the grant: a lease of 4 s may be renewed after 3 */
	assert_true(schedule_renewal(4, 1, -TENF_SECOND, &random) == 3 * TENF_SECOND);
	assert_true(schedule_renewal(3, 1, 0, &random) == TENF_NEVER);
	assert_true(schedule_renewal(0, 1, RENEWAL_NONE, &random) == TENF_NEVER);
	assert_true(schedule_renewal(86400, 31, RENEWAL_NONE, &random) == TENF_NEVER);
}

static void a_try_uses_all_of_its_window(void **state)
{
	struct tenf_seeded s;
	struct tenf_random random = seeded(&s, 5);
	tenf_duration low = TENF_NEVER;
	tenf_duration high = 0;

	(void)state;
	for (int i = 0; i < RUNS; i++) {
		tenf_duration at = schedule_renewal(7200, 1, RENEWAL_NONE, &random);

		low = tenf_time_min(low, at);
		high = tenf_time_max(high, at);
	}
	assert_in_range(low / TENF_SECOND, 3600, 3620);
	assert_in_range(high / TENF_SECOND, 4480, 4500);
}

/* NP-C-42, PCP-C-32: more than a day is planned as a day. */
static void lifetimes_over_a_day_are_planned_as_a_day(void **state)
{
	(void)state;
	assert_int_equal(schedule_planned_s(0), 0);
	assert_int_equal(schedule_planned_s(86400), 86400);
	assert_int_equal(schedule_planned_s(86401), 86400);
	assert_int_equal(schedule_planned_s(UINT32_MAX), 86400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(natpmp_attempts_come_at_the_times_of_the_table),
		cmocka_unit_test(natpmp_never_waits_longer_than_64_s),
		cmocka_unit_test(pcp_waits_are_those_of_the_table),
		cmocka_unit_test(the_first_pcp_wait_is_about_3_s),
		cmocka_unit_test(pcp_waits_stay_below_the_ceiling_and_differ),
		cmocka_unit_test(renewal_windows_are_those_of_the_table),
		cmocka_unit_test(tries_lie_in_their_windows_4_s_apart),
		cmocka_unit_test(the_try_before_the_grant_counts_too),
		cmocka_unit_test(a_try_uses_all_of_its_window),
		cmocka_unit_test(lifetimes_over_a_day_are_planned_as_a_day),
	};

	return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
