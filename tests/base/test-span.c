/* SPDX-License-Identifier: MIT */
#include "base/span.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct parse_case {
	const char *text;
	uint32_t seconds;
};

static void reads_every_unit(void **state)
{
	static const struct parse_case cases[] = {
		{ "0", 0 },          { "90", 90 },
		{ "90s", 90 },       { "10m", 600 },
		{ "2h", 7200 },      { "1d", 86400 },
		{ "0d", 0 },         { "4294967295", UINT32_MAX },
		{ "4294967295s", UINT32_MAX }, { "71582788m", 4294967280 },
		{ "1193046h", 4294965600 },    { "49710d", 4294944000 },
	};

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(cases); i++) {
		uint32_t seconds = 1;

		assert_true(tenf_span_parse(cases[i].text, &seconds));
		assert_true(seconds == cases[i].seconds);
	}
}

static void refuses_what_is_no_length_of_time(void **state)
{
	static const char *const wrong[] = { "",    "s",   "h",     "1.5h", "-1",  "1H",
					     "2 h", "1hm", "1h30m", "ten",  " 10", "10s ",
					     "1w",  "ms",  "0x10" };

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(wrong); i++) {
		uint32_t seconds = 42;

		assert_false(tenf_span_parse(wrong[i], &seconds));
		assert_int_equal(seconds, 42);
	}
}

static void refuses_what_does_not_fit_32_bits(void **state)
{
	static const char *const wrong[] = { "4294967296", "4294967296s", "71582789m", "1193047h",
					     "49711d", "18446744073709551616" };

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(wrong); i++) {
		uint32_t seconds = 42;

		assert_false(tenf_span_parse(wrong[i], &seconds));
		assert_int_equal(seconds, 42);
	}
}

static void writes_lengths_as_people_say_them(void **state)
{
	static const struct {
		uint64_t seconds;
		const char *text;
	} cases[] = {
		{ 0, "0 s" },
		{ 1, "1 s" },
		{ 59, "59 s" },
		{ 60, "1 min" },
		{ 119, "1 min" },
		{ 3480, "58 min" },
		{ 3599, "59 min" },
		{ 3600, "1 h" },
		{ 3659, "1 h" },
		{ 3660, "1 h 1 min" },
		{ 7080, "1 h 58 min" },
		{ 7200, "2 h" },
		{ 86399, "23 h 59 min" },
		{ 86400, "1 day" },
		{ 2 * 86400, "2 days" },
		{ 3 * 86400 + 7200, "3 days" },
		{ UINT64_MAX, "213503982334601 days" },
	};

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(cases); i++) {
		char buffer[32];
		struct tenf_text t = tenf_text_of(buffer, sizeof(buffer));

		tenf_span_add(&t, cases[i].seconds);
		assert_string_equal(buffer, cases[i].text);
		assert_false(t.cut);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_unit),
		cmocka_unit_test(refuses_what_is_no_length_of_time),
		cmocka_unit_test(refuses_what_does_not_fit_32_bits),
		cmocka_unit_test(writes_lengths_as_people_say_them),
	};

	return cmocka_run_group_tests_name("span", tests, NULL, NULL);
}
