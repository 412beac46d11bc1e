/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static const uint8_t octets[] = { 0x01, 0x82, 0x03, 0x84, 0x05, 0x86, 0x07, 0x88 };

static void reads_integers_in_network_order(void **state)
{
	struct tenf_reader r = tenf_reader_of(octets, sizeof(octets));

	(void)state;
	assert_int_equal(tenf_reader_u8(&r), 0x01);
	assert_int_equal(tenf_reader_u16(&r), 0x8203);
	assert_int_equal(tenf_reader_u32(&r), 0x84058607);
	assert_int_equal(r.left, 1);
	assert_false(r.failed);
}

static void reads_the_largest_values_without_sign(void **state)
{
	static const uint8_t ones[7] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	struct tenf_reader r = tenf_reader_of(ones, sizeof(ones));

	(void)state;
	assert_int_equal(tenf_reader_u8(&r), UINT8_MAX);
	assert_int_equal(tenf_reader_u16(&r), UINT16_MAX);
	assert_true(tenf_reader_u32(&r) == UINT32_MAX);
	assert_int_equal(r.left, 0);
	assert_false(r.failed);
}

static void a_read_over_the_end_gives_zero_and_stays_failed(void **state)
{
	struct tenf_reader r = tenf_reader_of(octets, 3);

	(void)state;
	assert_int_equal(tenf_reader_u32(&r), 0);
	assert_true(r.failed);
	/* three octets are there, but a failed reader gives none of them */
	assert_int_equal(tenf_reader_u8(&r), 0);
	assert_int_equal(tenf_reader_u16(&r), 0);
	assert_true(r.failed);
}

static void every_width_fails_on_one_octet_too_few(void **state)
{
	struct tenf_reader r = tenf_reader_of(octets, 0);

	(void)state;
	assert_int_equal(tenf_reader_u8(&r), 0);
	assert_true(r.failed);
	r = tenf_reader_of(octets, 1);
	assert_int_equal(tenf_reader_u16(&r), 0);
	assert_true(r.failed);
	r = tenf_reader_of(octets, 3);
	assert_int_equal(tenf_reader_u32(&r), 0);
	assert_true(r.failed);
}

static void an_empty_reader_may_have_no_memory(void **state)
{
	struct tenf_reader r = tenf_reader_of(NULL, 0);
	uint8_t untouched = 7;

	(void)state;
	tenf_reader_skip(&r, 0);
	tenf_reader_copy(&r, &untouched, 0);
	assert_false(r.failed);
	assert_int_equal(untouched, 7);
	assert_int_equal(tenf_reader_u8(&r), 0);
	assert_true(r.failed);
}

static void skip_moves_on_and_knows_the_end(void **state)
{
	struct tenf_reader r = tenf_reader_of(octets, sizeof(octets));

	(void)state;
	tenf_reader_skip(&r, 7);
	assert_int_equal(tenf_reader_u8(&r), 0x88);
	tenf_reader_skip(&r, 0);
	assert_false(r.failed);
	tenf_reader_skip(&r, 1);
	assert_true(r.failed);
}

static void a_length_that_would_wrap_fails(void **state)
{
	struct tenf_reader r = tenf_reader_of(octets, sizeof(octets));

	(void)state;
	tenf_reader_skip(&r, 1);
	tenf_reader_skip(&r, SIZE_MAX);
	assert_true(r.failed);
}

static void copy_takes_octets_as_they_are(void **state)
{
	struct tenf_reader r = tenf_reader_of(octets, sizeof(octets));
	uint8_t got[8] = { 0 };

	(void)state;
	tenf_reader_copy(&r, got, sizeof(got));
	assert_memory_equal(got, octets, sizeof(octets));
	assert_int_equal(r.left, 0);
	assert_false(r.failed);
}

static void a_failed_copy_zeroes_its_output(void **state)
{
	struct tenf_reader r = tenf_reader_of(octets, 3);
	uint8_t got[4] = { 9, 9, 9, 9 };
	static const uint8_t zero[4] = { 0 };

	(void)state;
	tenf_reader_copy(&r, got, sizeof(got));
	assert_memory_equal(got, zero, sizeof(got));
	assert_true(r.failed);
}

static void a_sub_reader_cannot_leave_its_octets(void **state)
{
	struct tenf_reader r = tenf_reader_of(octets, sizeof(octets));
	struct tenf_reader sub = tenf_reader_sub(&r, 3);

	(void)state;
	assert_int_equal(tenf_reader_u16(&sub), 0x0182);
	assert_int_equal(tenf_reader_u16(&sub), 0);
	assert_true(sub.failed);
	/* the outer one goes on behind, unharmed */
	assert_false(r.failed);
	assert_int_equal(tenf_reader_u8(&r), 0x84);
}

static void a_sub_reader_over_the_end_fails_both(void **state)
{
	struct tenf_reader r = tenf_reader_of(octets, 4);
	struct tenf_reader sub = tenf_reader_sub(&r, 5);

	(void)state;
	assert_true(r.failed);
	assert_true(sub.failed);
	assert_int_equal(tenf_reader_u8(&sub), 0);
}

static void a_sub_reader_of_a_failed_one_is_failed(void **state)
{
	struct tenf_reader r = tenf_reader_of(octets, 4);
	struct tenf_reader sub;

	(void)state;
	tenf_reader_skip(&r, 5);
	sub = tenf_reader_sub(&r, 0);
	assert_true(sub.failed);
	assert_int_equal(sub.left, 0);
}

static void an_empty_sub_reader_is_fine(void **state)
{
	struct tenf_reader r = tenf_reader_of(octets, 4);
	struct tenf_reader sub = tenf_reader_sub(&r, 0);

	(void)state;
	assert_false(sub.failed);
	assert_int_equal(sub.left, 0);
	assert_int_equal(r.left, 4);
}

static void writes_integers_in_network_order(void **state)
{
	uint8_t buffer[7];
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));

	(void)state;
	tenf_writer_u8(&w, 0x01);
	tenf_writer_u16(&w, 0x8203);
	tenf_writer_u32(&w, 0x84058607);
	assert_false(w.failed);
	assert_int_equal(w.used, 7);
	assert_memory_equal(buffer, octets, 7);
}

static void a_write_that_does_not_fit_changes_nothing(void **state)
{
	uint8_t buffer[4] = { 9, 9, 9, 9 };
	static const uint8_t before[4] = { 9, 9, 9, 9 };

	(void)state;
	for (size_t size = 0; size < 4; size++) {
		struct tenf_writer w = tenf_writer_of(buffer, size);

		tenf_writer_u32(&w, 0x01020304);
		assert_true(w.failed);
		assert_int_equal(w.used, 0);
		assert_memory_equal(buffer, before, 4);
	}
}

static void a_failed_writer_drops_what_would_fit(void **state)
{
	uint8_t buffer[3] = { 9, 9, 9 };
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));

	(void)state;
	tenf_writer_copy(&w, octets, 4);
	assert_true(w.failed);
	tenf_writer_u8(&w, 1);
	tenf_writer_u16(&w, 1);
	tenf_writer_copy(&w, octets, 1);
	tenf_writer_fill(&w, 1, 1);
	assert_int_equal(w.used, 0);
	assert_int_equal(buffer[0], 9);
	assert_true(w.failed);
}

static void copies_and_fills(void **state)
{
	uint8_t buffer[6] = { 0 };
	static const uint8_t want[6] = { 0x01, 0x82, 0x03, 0x20, 0x20, 0x20 };
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));

	(void)state;
	tenf_writer_copy(&w, octets, 3);
	tenf_writer_copy(&w, NULL, 0);
	tenf_writer_fill(&w, 0x20, 3);
	tenf_writer_fill(&w, 0x20, 0);
	assert_false(w.failed);
	assert_memory_equal(buffer, want, sizeof(want));
	tenf_writer_fill(&w, 0, SIZE_MAX);
	assert_true(w.failed);
}

static void what_is_written_is_read_back(void **state)
{
	uint8_t buffer[14];
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));
	struct tenf_reader r;

	(void)state;
	tenf_writer_u32(&w, 0x80000001);
	tenf_writer_u8(&w, 0xff);
	tenf_writer_u16(&w, 0x0100);
	tenf_writer_copy(&w, "payload", 7);
	assert_false(w.failed);
	r = tenf_reader_of(buffer, w.used);
	assert_true(tenf_reader_u32(&r) == 0x80000001);
	assert_int_equal(tenf_reader_u8(&r), 0xff);
	assert_int_equal(tenf_reader_u16(&r), 0x0100);
	assert_memory_equal(r.at, "payload", 7);
	assert_int_equal(r.left, 7);
}

static void sixty_four_bits_are_read_and_written_whole_or_not_at_all(void **state)
{
	uint8_t data[9] = { 0 };
	struct tenf_writer w = tenf_writer_of(data, 8);
	struct tenf_reader r;

	(void)state;
	tenf_writer_u64(&w, UINT64_C(0x8405060708090a0b));
	assert_false(w.failed);
	assert_memory_equal(data, "\x84\x05\x06\x07\x08\x09\x0a\x0b\0", 9);
	r = tenf_reader_of(data, 8);
	assert_true(tenf_reader_u64(&r) == UINT64_C(0x8405060708090a0b));
	assert_false(r.failed);
	r = tenf_reader_of(data, 7);
	(void)tenf_reader_u64(&r);
	assert_true(r.failed);
	w = tenf_writer_of(data, 7);
	tenf_writer_u64(&w, UINT64_MAX);
	assert_true(w.failed);
	assert_int_equal(w.used, 0);
	assert_int_equal(data[0], 0x84);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_integers_in_network_order),
		cmocka_unit_test(reads_the_largest_values_without_sign),
		cmocka_unit_test(a_read_over_the_end_gives_zero_and_stays_failed),
		cmocka_unit_test(every_width_fails_on_one_octet_too_few),
		cmocka_unit_test(an_empty_reader_may_have_no_memory),
		cmocka_unit_test(skip_moves_on_and_knows_the_end),
		cmocka_unit_test(a_length_that_would_wrap_fails),
		cmocka_unit_test(copy_takes_octets_as_they_are),
		cmocka_unit_test(a_failed_copy_zeroes_its_output),
		cmocka_unit_test(a_sub_reader_cannot_leave_its_octets),
		cmocka_unit_test(a_sub_reader_over_the_end_fails_both),
		cmocka_unit_test(a_sub_reader_of_a_failed_one_is_failed),
		cmocka_unit_test(an_empty_sub_reader_is_fine),
		cmocka_unit_test(writes_integers_in_network_order),
		cmocka_unit_test(a_write_that_does_not_fit_changes_nothing),
		cmocka_unit_test(a_failed_writer_drops_what_would_fit),
		cmocka_unit_test(sixty_four_bits_are_read_and_written_whole_or_not_at_all),
		cmocka_unit_test(copies_and_fills),
		cmocka_unit_test(what_is_written_is_read_back),
	};

	return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}
