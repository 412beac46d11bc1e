/* SPDX-License-Identifier: MIT */
/* What the short way of add tells the whole command. */
#include "command.h"

#include "cli/handed-over.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t nonce[TENF_NONCE_SIZE] = { 0xff, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0xa0 };

static void what_is_written_is_taken_and_taken_away(void **state)
{
	char text[HANDED_OVER_SIZE];
	struct cli cli = { .asked_ms = 0 };

	(void)state;
	handed_over_write(60000, nonce, text);
	assert_string_equal(text, "60000 ff00010203040506070809a0");
	assert_int_equal(setenv(HANDED_OVER, text, 1), 0);
	handed_over_take(&cli);
	assert_int_equal(cli.asked_ms, 60000);
	assert_non_null(cli.nonce);
	assert_memory_equal(cli.nonce, nonce, sizeof(nonce));
	assert_null(getenv(HANDED_OVER));
}

static void anything_else_is_as_nothing(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"250",
		"250 ",
		" ff000102030405060708090a",
		"60001 ff000102030405060708090a",
		"-1 ff000102030405060708090a",
		"250 ff000102030405060708090",
		"250 FF000102030405060708090A",
		"250 ff000102030405060708090a ",
		"250  ff000102030405060708090a",
		"99999999999999999999999 ff000102030405060708090a",
	};

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(texts); i++) {
		struct cli cli = { .asked_ms = 0 };

		assert_int_equal(setenv(HANDED_OVER, texts[i], 1), 0);
		handed_over_take(&cli);
		assert_int_equal(cli.asked_ms, 0);
		assert_null(cli.nonce);
		assert_null(getenv(HANDED_OVER));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_taken_and_taken_away),
		cmocka_unit_test(anything_else_is_as_nothing),
	};

	return cmocka_run_group_tests_name("handed over", tests, NULL, NULL);
}
