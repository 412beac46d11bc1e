/* SPDX-License-Identifier: MIT */
#include "base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void never_is_later_than_everything(void **state)
{
	(void)state;
	assert_true(tenf_time_min(5, TENF_NEVER) == 5);
	assert_true(tenf_time_max(5, TENF_NEVER) == TENF_NEVER);
	assert_true(tenf_time_min(-1, 0) == -1);
	assert_true(tenf_time_max(-1, 0) == 0);
}

static void adding_to_never_stays_never(void **state)
{
	(void)state;
	assert_true(tenf_time_add(TENF_NEVER, -TENF_SECOND) == TENF_NEVER);
	assert_true(tenf_time_add(TENF_NEVER, TENF_SECOND) == TENF_NEVER);
}

static void adding_over_the_end_is_never(void **state)
{
	(void)state;
	assert_true(tenf_time_add(TENF_NEVER - 1, 1) == TENF_NEVER);
	assert_true(tenf_time_add(TENF_NEVER - 1, 2) == TENF_NEVER);
	assert_true(tenf_time_add(1, TENF_NEVER) == TENF_NEVER);
}

static void units_fit_together(void **state)
{
	(void)state;
	assert_true(tenf_time_add(1, 1000 * TENF_MILLISECOND) == 1 + TENF_SECOND);
	assert_true(tenf_seconds(7200) == 7200 * TENF_SECOND);
	assert_true(tenf_seconds(UINT32_MAX) == (int64_t)UINT32_MAX * 1000000);
	assert_true(tenf_seconds(-5) == -5000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(never_is_later_than_everything),
		cmocka_unit_test(adding_to_never_stays_never),
		cmocka_unit_test(adding_over_the_end_is_never),
		cmocka_unit_test(units_fit_together),
	};

	return cmocka_run_group_tests_name("time", tests, NULL, NULL);
}
