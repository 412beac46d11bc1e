/* SPDX-License-Identifier: MIT */
#include "hooks/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void fill_zero(void *context, void *data, size_t len)
{
	(void)context;
	memset(data, 0, len);
}

static void waits_twice_as_long_each_time_up_to_five_minutes(void **state)
{
	static const int64_t waits_s[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300 };
	struct tenf_random none = { .fill = fill_zero };
	struct retry retry = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(waits_s) / sizeof(waits_s[0]); i++)
		assert_true(retry_failed(&retry, tenf_seconds(1000), &none) ==
			    tenf_seconds(1000 + waits_s[i]));
	assert_int_equal(retry.tries, 12);
}

static void chance_takes_a_quarter_at_most(void **state)
{
	struct tenf_seeded seeded;
	struct tenf_random random;
	tenf_time least = TENF_NEVER, most = 0;

	(void)state;
	tenf_seeded_init(&seeded, 1);
	random = tenf_seeded_random(&seeded);
	for (unsigned i = 0; i < 2000; i++) {
		struct retry retry = { .tries = 20 };
		tenf_time at = retry_failed(&retry, 0, &random);

		least = tenf_time_min(least, at);
		most = tenf_time_max(most, at);
	}
	assert_true(least >= tenf_seconds(225) && least < tenf_seconds(230));
	assert_true(most <= RETRY_MAX && most > tenf_seconds(295));
}

static void success_starts_anew_and_endless_failure_does_not_overflow(void **state)
{
	struct tenf_random none = { .fill = fill_zero };
	struct retry retry = { .first = 10 * TENF_MILLISECOND, .tries = UINT32_MAX };

	(void)state;
	assert_true(retry_failed(&retry, 0, &none) == RETRY_MAX);
	assert_true(retry.tries == UINT32_MAX);
	retry.tries = 0;
	assert_true(retry_failed(&retry, 0, &none) == 10 * TENF_MILLISECOND);
	assert_true(retry_failed(&retry, TENF_NEVER, &none) == TENF_NEVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_twice_as_long_each_time_up_to_five_minutes),
		cmocka_unit_test(chance_takes_a_quarter_at_most),
		cmocka_unit_test(success_starts_anew_and_endless_failure_does_not_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
