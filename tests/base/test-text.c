/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static void starts_empty_and_terminated(void **state)
{
	char buffer[4] = "abc";
	struct tenf_text t = tenf_text_of(buffer, sizeof(buffer));

	(void)state;
	assert_string_equal(buffer, "");
	assert_int_equal(t.used, 0);
	assert_false(t.cut);
}

static void adds_strings_and_characters(void **state)
{
	char buffer[16];
	struct tenf_text t = tenf_text_of(buffer, sizeof(buffer));

	(void)state;
	tenf_text_add(&t, "port");
	tenf_text_add_char(&t, ' ');
	tenf_text_add(&t, "");
	tenf_text_add(&t, "open");
	assert_string_equal(buffer, "port open");
	assert_int_equal(t.used, strlen(buffer));
	assert_false(t.cut);
}

static void fits_to_the_last_octet(void **state)
{
	char buffer[5];
	struct tenf_text t = tenf_text_of(buffer, sizeof(buffer));

	(void)state;
	tenf_text_add(&t, "1234");
	assert_string_equal(buffer, "1234");
	assert_false(t.cut);
	tenf_text_add_char(&t, '5');
	assert_string_equal(buffer, "1234");
	assert_true(t.cut);
}

static void what_does_not_fit_is_cut_and_said(void **state)
{
	char buffer[6] = { 0 };
	struct tenf_text t = tenf_text_of(buffer, 5);

	(void)state;
	buffer[5] = 'x';
	tenf_text_add(&t, "abcdefgh");
	assert_string_equal(buffer, "abcd");
	assert_int_equal(t.used, 4);
	assert_true(t.cut);
	assert_int_equal(buffer[5], 'x');
}

static void a_buffer_of_one_octet_holds_the_terminator(void **state)
{
	char buffer[1] = { 'x' };
	struct tenf_text t = tenf_text_of(buffer, sizeof(buffer));

	(void)state;
	tenf_text_add_number(&t, 1);
	assert_int_equal(buffer[0], '\0');
	assert_true(t.cut);
}

static void writes_numbers_of_every_length(void **state)
{
	char buffer[64];
	struct tenf_text t = tenf_text_of(buffer, sizeof(buffer));

	(void)state;
	tenf_text_add_number(&t, 0);
	tenf_text_add_char(&t, ' ');
	tenf_text_add_number(&t, 65535);
	tenf_text_add_char(&t, ' ');
	tenf_text_add_number(&t, UINT64_MAX);
	assert_string_equal(buffer, "0 65535 18446744073709551615");
}

static void writes_hexadecimal_in_lower_case(void **state)
{
	static const uint8_t data[] = { 0x00, 0x0f, 0xf0, 0xab };
	char buffer[16];
	struct tenf_text t = tenf_text_of(buffer, sizeof(buffer));

	(void)state;
	tenf_text_add_hex(&t, data, sizeof(data));
	tenf_text_add_hex(&t, NULL, 0);
	assert_string_equal(buffer, "000ff0ab");
}

static void reads_decimal_numbers(void **state)
{
	uint64_t value = 7;

	(void)state;
	assert_true(tenf_text_number("0", 1, 10, &value));
	assert_int_equal(value, 0);
	assert_true(tenf_text_number("0065535", 7, 65535, &value));
	assert_int_equal(value, 65535);
	assert_true(tenf_text_number("18446744073709551615", 20, UINT64_MAX, &value));
	assert_true(value == UINT64_MAX);
}

static void reads_only_the_characters_it_is_given(void **state)
{
	uint64_t value = 0;

	(void)state;
	assert_true(tenf_text_number("80:8080", 2, 65535, &value));
	assert_int_equal(value, 80);
}

static void refuses_what_is_no_number_and_leaves_the_output(void **state)
{
	static const char *const wrong[] = { "", "a", "1a", "-1", "+1", " 1", "1 ", "0x10", "1.0",
					     "\xff", "1\xb2", "/", ":" };
	uint64_t value = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(tenf_text_number(wrong[i], strlen(wrong[i]), UINT64_MAX, &value));
	assert_int_equal(value, 7);
}

static void refuses_numbers_above_the_limit(void **state)
{
	uint64_t value = 7;

	(void)state;
	assert_true(tenf_text_number("100", 3, 100, &value));
	assert_false(tenf_text_number("101", 3, 100, &value));
	assert_false(tenf_text_number("1", 1, 0, &value));
	assert_int_equal(value, 100);
}

static void refuses_numbers_that_would_wrap(void **state)
{
	uint64_t value = 7;

	(void)state;
	assert_false(tenf_text_number("18446744073709551616", 20, UINT64_MAX, &value));
	assert_false(tenf_text_number("99999999999999999999", 20, UINT64_MAX, &value));
	assert_false(tenf_text_number("184467440737095516160", 21, UINT64_MAX, &value));
	assert_int_equal(value, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_empty_and_terminated),
		cmocka_unit_test(adds_strings_and_characters),
		cmocka_unit_test(fits_to_the_last_octet),
		cmocka_unit_test(what_does_not_fit_is_cut_and_said),
		cmocka_unit_test(a_buffer_of_one_octet_holds_the_terminator),
		cmocka_unit_test(writes_numbers_of_every_length),
		cmocka_unit_test(writes_hexadecimal_in_lower_case),
		cmocka_unit_test(reads_decimal_numbers),
		cmocka_unit_test(reads_only_the_characters_it_is_given),
		cmocka_unit_test(refuses_what_is_no_number_and_leaves_the_output),
		cmocka_unit_test(refuses_numbers_above_the_limit),
		cmocka_unit_test(refuses_numbers_that_would_wrap),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
