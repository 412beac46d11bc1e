/* SPDX-License-Identifier: MIT */
#include "net/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* NP-C-27, PCP-C-22: the clock counts sleep and is never set. */
static void now_is_the_boot_time_clock_in_microseconds(void **state)
{
	struct timespec before;
	struct timespec after;
	tenf_time now;

	(void)state;
	assert_int_equal(clock_gettime(CLOCK_BOOTTIME, &before), 0);
	now = net_now();
	assert_int_equal(clock_gettime(CLOCK_BOOTTIME, &after), 0);
	assert_true(now >= before.tv_sec * TENF_SECOND + before.tv_nsec / 1000);
	assert_true(now <= after.tv_sec * TENF_SECOND + after.tv_nsec / 1000);
}

static void a_point_in_time_has_its_wall_clock(void **state)
{
	int64_t before = net_wall_s();
	int64_t now = net_wall_of_s(net_now());
	int64_t hour_ago = net_wall_of_s(net_now() - tenf_seconds(3600));
	int64_t in_a_day = net_wall_of_s(net_now() + tenf_seconds(86400));
	int64_t after = net_wall_s();

	(void)state;
	assert_in_range(now, before - 1, after);
	assert_in_range(hour_ago, before - 3601, after - 3600);
	assert_in_range(in_a_day, before + 86399, after + 86400);
}

static void never_has_a_wall_clock_far_ahead(void **state)
{
	(void)state;
	assert_true(net_wall_of_s(TENF_NEVER) > net_wall_s() + 1000000000);
	assert_true(net_wall_of_s(INT64_MIN) < 0);
}

static void the_kernels_random_fills_all_and_repeats_nothing(void **state)
{
	struct tenf_random random = net_random();
	uint8_t one[300];
	uint8_t other[300];
	unsigned zeroes = 0;

	(void)state;
	memset(one, 0, sizeof(one));
	tenf_random_fill(&random, one, sizeof(one));
	tenf_random_fill(&random, other, sizeof(other));
	assert_memory_not_equal(one, other, sizeof(one));
	for (size_t i = 0; i < sizeof(one); i++)
		zeroes += one[i] == 0;
	assert_true(zeroes < 30); /* 1.2 are expected; 30 will not happen */
	tenf_random_fill(&random, one, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(now_is_the_boot_time_clock_in_microseconds),
		cmocka_unit_test(a_point_in_time_has_its_wall_clock),
		cmocka_unit_test(never_has_a_wall_clock_far_ahead),
		cmocka_unit_test(the_kernels_random_fills_all_and_repeats_nothing),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
