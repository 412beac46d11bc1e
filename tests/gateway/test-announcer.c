/* SPDX-License-Identifier: MIT */
#include "house.h"

#include "gateway/announcer.h"
#include "vectors.h"

/* NP-G-32, PCP-G-50: the times of the table, no eleventh */
static void the_series_has_the_times_of_the_table(void **state)
{
	const struct vector_times *times = &vector_timers.announcement_send;
	struct announcer a;
	tenf_time begun = 77 * TENF_SECOND;

	(void)state;
	announcer_init(&a);
	assert_true(announcer_deadline(&a) == TENF_NEVER);
	assert_false(announcer_take(&a, begun));
	announcer_start(&a, begun);
	assert_int_equal(times->count, ANNOUNCER_COUNT);
	for (size_t i = 0; i < times->count; i++) {
		tenf_time due = begun + times->ms[i] * TENF_MILLISECOND;

		assert_int_equal(announcer_deadline(&a), due);
		assert_false(announcer_take(&a, due - 1));
		assert_true(announcer_take(&a, due));
		assert_false(announcer_take(&a, due));
	}
	assert_true(announcer_deadline(&a) == TENF_NEVER);
}

/* PCP-G-50: gaps at least double, also after sleep */
static void a_late_announcement_moves_the_next_ones(void **state)
{
	struct announcer a;

	(void)state;
	announcer_init(&a);
	announcer_start(&a, 0);
	assert_true(announcer_take(&a, 0));
	assert_true(announcer_take(&a, 100 * TENF_SECOND));
	assert_false(announcer_take(&a, 100 * TENF_SECOND + 499999));
	assert_true(announcer_take(&a, 100 * TENF_SECOND + 500000));
}

static void a_new_event_restarts_the_series_and_stop_ends_it(void **state)
{
	struct announcer a;

	(void)state;
	announcer_init(&a);
	announcer_start(&a, 0);
	assert_true(announcer_take(&a, 0));
	assert_true(announcer_take(&a, 250 * TENF_MILLISECOND));
	announcer_start(&a, 300 * TENF_MILLISECOND);
	assert_true(announcer_take(&a, 300 * TENF_MILLISECOND));
	assert_int_equal(announcer_deadline(&a), 550 * TENF_MILLISECOND);
	announcer_stop(&a);
	assert_true(announcer_deadline(&a) == TENF_NEVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_series_has_the_times_of_the_table),
		cmocka_unit_test(a_late_announcement_moves_the_next_ones),
		cmocka_unit_test(a_new_event_restarts_the_series_and_stop_ends_it),
	};

	return cmocka_run_group_tests_name("gateway announcer", tests, NULL, NULL);
}
