/* SPDX-License-Identifier: MIT */
#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

/* Fails every call, and counts them. */
static void *never_resize(void *context, void *old, size_t size)
{
	unsigned *calls = context;

	(void)old;
	(void)size;
	(*calls)++;
	return NULL;
}

static void fresh_memory_is_zero(void **state)
{
	static const unsigned char zero[24];
	void *fresh = tenf_memory_zero(&tenf_memory_libc, 3, 8);

	(void)state;
	assert_non_null(fresh);
	assert_memory_equal(fresh, zero, sizeof(zero));
	tenf_memory_free(&tenf_memory_libc, fresh);
}

static void growing_keeps_what_was_there(void **state)
{
	char *old = tenf_memory_grow(&tenf_memory_libc, NULL, 4, 1);
	char *larger;

	(void)state;
	assert_non_null(old);
	memcpy(old, "tenf", 4);
	larger = tenf_memory_grow(&tenf_memory_libc, old, 4096, 1);
	assert_non_null(larger);
	assert_memory_equal(larger, "tenf", 4);
	tenf_memory_free(&tenf_memory_libc, larger);
}

static void a_product_that_wraps_is_refused_without_a_call(void **state)
{
	unsigned calls = 0;
	const struct tenf_memory memory = { never_resize, &calls };

	(void)state;
	assert_null(tenf_memory_zero(&memory, SIZE_MAX / 2 + 1, 2));
	assert_null(tenf_memory_grow(&memory, NULL, SIZE_MAX, SIZE_MAX));
	assert_int_equal(calls, 0);
}

static void nothing_is_never_allocated(void **state)
{
	unsigned calls = 0;
	const struct tenf_memory memory = { never_resize, &calls };

	(void)state;
	assert_null(tenf_memory_zero(&memory, 0, 8));
	assert_null(tenf_memory_grow(&memory, NULL, 8, 0));
	assert_int_equal(calls, 0);
}

static void a_failed_growth_leaves_the_old_memory(void **state)
{
	unsigned calls = 0;
	const struct tenf_memory memory = { never_resize, &calls };
	char old[4] = "abc";

	(void)state;
	assert_null(tenf_memory_grow(&memory, old, 8, 1));
	assert_int_equal(calls, 1);
	assert_string_equal(old, "abc");
}

static void freeing_null_does_nothing(void **state)
{
	unsigned calls = 0;
	const struct tenf_memory memory = { never_resize, &calls };

	(void)state;
	tenf_memory_free(&memory, NULL);
	assert_int_equal(calls, 0);
}

static void freeing_asks_for_size_zero(void **state)
{
	unsigned calls = 0;
	const struct tenf_memory memory = { never_resize, &calls };
	char old;

	(void)state;
	tenf_memory_free(&memory, &old);
	assert_int_equal(calls, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fresh_memory_is_zero),
		cmocka_unit_test(growing_keeps_what_was_there),
		cmocka_unit_test(a_product_that_wraps_is_refused_without_a_call),
		cmocka_unit_test(nothing_is_never_allocated),
		cmocka_unit_test(a_failed_growth_leaves_the_old_memory),
		cmocka_unit_test(freeing_null_does_nothing),
		cmocka_unit_test(freeing_asks_for_size_zero),
	};

	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
