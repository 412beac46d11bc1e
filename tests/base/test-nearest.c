/* SPDX-License-Identifier: MIT */
#include "base/nearest.h"

#include "base/attributes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const char *nearest_of(const char *word)
{
	static const char *const known[] = { "Lifetime", "Forward", "Follow", "Gateway", "On" };
	struct tenf_nearest near = tenf_nearest_to(word, strlen(word));

	for (size_t i = 0; i < TENF_ARRAY_SIZE(known); i++)
		tenf_nearest_try(&near, known[i]);
	return near.best;
}

static void finds_the_word_that_differs_least(void **state)
{
	(void)state;
	assert_string_equal(nearest_of("Lifetme"), "Lifetime");
	assert_string_equal(nearest_of("Forwards"), "Forward");
	assert_string_equal(nearest_of("Fallow"), "Follow");
	assert_string_equal(nearest_of("Gateway"), "Gateway");
}

static void finds_none_when_all_are_far(void **state)
{
	(void)state;
	assert_null(nearest_of("Elephant"));
	assert_null(nearest_of("XY"));
	assert_null(nearest_of(""));
}

static void gives_up_on_words_that_are_too_long(void **state)
{
	(void)state;
	assert_null(nearest_of("LifetimeLifetimeLifetimeLifetime"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_word_that_differs_least),
		cmocka_unit_test(finds_none_when_all_are_far),
		cmocka_unit_test(gives_up_on_words_that_are_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
