/* SPDX-License-Identifier: MIT */
#include "wire/natpmp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

static void check_written(const struct tenf_writer *w, const uint8_t *octets, size_t len)
{
	assert_false(w->failed);
	assert_int_equal(w->used, len);
	assert_memory_equal(w->start, octets, len);
}

/* NP-C-01 */
static void an_address_request_is_two_zero_octets(void **state)
{
	const struct natpmp_request request = {
		.opcode = NATPMP_ADDRESS, .internal_port = 1, .external_port = 2, .lifetime_s = 3
	};
	uint8_t buffer[NATPMP_MAX];
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));

	(void)state;
	natpmp_write_request(&w, &request);
	check_written(&w, (const uint8_t[]){ 0, 0 }, 2);
}

/* NP-C-02, NP-C-04 */
static void a_map_request_has_twelve_octets_in_network_order(void **state)
{
	const uint8_t octets[] = { 0, 2, 0, 0, 0x1f, 0x90, 0x01, 0xbb, 0, 0, 0x1c, 0x20 };
	const struct natpmp_request request = {
		.opcode = natpmp_opcode_of(TENF_TCP),
		.internal_port = 8080,
		.external_port = 443,
		.lifetime_s = 7200,
	};
	uint8_t buffer[NATPMP_MAX];
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));

	(void)state;
	natpmp_write_request(&w, &request);
	check_written(&w, octets, sizeof(octets));
	assert_int_equal(natpmp_opcode_of(TENF_UDP), 1);
}

/* NP-C-41 */
static void version_one_is_never_written(void **state)
{
	const struct natpmp_request request = { .version = 1, .opcode = NATPMP_MAP_UDP };
	const struct natpmp_answer answer = { .version = 1, .opcode = 128 };
	uint8_t buffer[NATPMP_MAX];
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));

	(void)state;
	natpmp_write_request(&w, &request);
	assert_int_equal(buffer[0], 0);
	w = tenf_writer_of(buffer, sizeof(buffer));
	natpmp_write_answer(&w, &answer);
	assert_int_equal(buffer[0], 0);
}

/* NP-G-10 */
static void reserved_octets_of_a_map_request_are_ignored(void **state)
{
	const uint8_t octets[] = { 0, 1, 0xde, 0xad, 0, 7, 0, 9, 0, 0, 0, 60, 0xbe, 0xef };
	struct natpmp_request m;

	(void)state;
	assert_int_equal(natpmp_decode_request(octets, sizeof(octets), &m), TENF_OK);
	assert_int_equal(m.internal_port, 7);
	assert_int_equal(m.external_port, 9);
	assert_int_equal(m.lifetime_s, 60);
}

/* NP-G-06, NP-G-07 */
static void requests_that_get_no_answer_are_told_apart(void **state)
{
	const uint8_t map[12] = { 0, 2 };
	const uint8_t answer[2] = { 0, 128 };
	const uint8_t large[NATPMP_MAX + 1] = { 0, 1 };
	struct natpmp_request m;

	(void)state;
	assert_int_equal(natpmp_decode_request(map, 1, &m), TENF_E_TRUNCATED);
	assert_int_equal(natpmp_decode_request(map, 11, &m), TENF_E_TRUNCATED);
	assert_int_equal(natpmp_decode_request(map, 12, &m), TENF_OK);
	assert_int_equal(natpmp_decode_request(answer, 2, &m), TENF_E_MALFORMED);
	assert_int_equal(natpmp_decode_request(large, NATPMP_MAX, &m), TENF_OK);
	assert_int_equal(natpmp_decode_request(large, NATPMP_MAX + 1, &m), TENF_E_MALFORMED);
}

/* Whatever its length, its version has to be refused. */
static void a_foreign_version_is_read_without_rules_of_length(void **state)
{
	const uint8_t octets[NATPMP_MAX + 1] = { 3, 1 };
	struct natpmp_request m;

	(void)state;
	assert_int_equal(natpmp_decode_request(octets, 2, &m), TENF_OK);
	assert_int_equal(m.version, 3);
	assert_int_equal(m.opcode, 1);
	assert_int_equal(natpmp_decode_request(octets, sizeof(octets), &m), TENF_OK);
}

static void unsupported_version_is_answered_in_eight_octets(void **state)
{
	const uint8_t octets[] = { 0, 128, 0, 1, 0, 0, 0, 9 };
	const struct natpmp_answer answer = {
		.opcode = NATPMP_ANSWER, .result = NATPMP_UNSUPP_VERSION, .epoch_s = 9
	};
	uint8_t buffer[NATPMP_MAX];
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));

	(void)state;
	natpmp_write_answer(&w, &answer);
	check_written(&w, octets, sizeof(octets));
}

static void an_address_answer_has_no_address_beside_an_error(void **state)
{
	const uint8_t good[] = { 0, 128, 0, 0, 0, 0, 0, 5, 203, 0, 113, 7 };
	const uint8_t bad[] = { 0, 128, 0, 3, 0, 0, 0, 5, 0, 0, 0, 0 };
	struct natpmp_answer answer = { .opcode = NATPMP_ANSWER, .epoch_s = 5 };
	uint8_t buffer[NATPMP_MAX];
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));

	(void)state;
	answer.external_address = tenf_address_v4(0xcb007107);
	natpmp_write_answer(&w, &answer);
	check_written(&w, good, sizeof(good));
	answer.result = NATPMP_NETWORK_FAILURE;
	w = tenf_writer_of(buffer, sizeof(buffer));
	natpmp_write_answer(&w, &answer);
	check_written(&w, bad, sizeof(bad));
}

/* NP-C-15 */
static void the_address_beside_an_error_is_not_read(void **state)
{
	const uint8_t octets[] = { 0, 128, 0, 3, 0, 0, 0, 5, 203, 0, 113, 7 };
	struct natpmp_answer m;

	(void)state;
	assert_int_equal(natpmp_decode_answer(octets, sizeof(octets), &m), TENF_OK);
	assert_int_equal(m.has, NATPMP_HAS_ALL);
	assert_true(tenf_address_equal(&m.external_address, &tenf_address_none4));
}

/* NP-C-13 */
static void the_result_is_read_as_sixteen_bits(void **state)
{
	const uint8_t octets[] = { 0, 129, 1, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0 };
	struct natpmp_answer m;

	(void)state;
	assert_int_equal(natpmp_decode_answer(octets, sizeof(octets), &m), TENF_OK);
	assert_int_equal(m.result, 256);
	assert_string_equal(natpmp_result_name(m.result), "UNKNOWN");
}

/* NP-C-12: what is not there is never taken from somewhere else. */
static void an_answer_says_how_much_of_it_was_there(void **state)
{
	const uint8_t octets[] = { 0, 130, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
	const enum natpmp_has by_length[] = {
		[4] = NATPMP_HAS_RESULT, [5] = NATPMP_HAS_RESULT,  [6] = NATPMP_HAS_RESULT,
		[7] = NATPMP_HAS_RESULT, [8] = NATPMP_HAS_EPOCH,   [9] = NATPMP_HAS_EPOCH,
		[10] = NATPMP_HAS_EPOCH, [11] = NATPMP_HAS_EPOCH,  [12] = NATPMP_HAS_EPOCH,
		[13] = NATPMP_HAS_EPOCH, [14] = NATPMP_HAS_EPOCH,  [15] = NATPMP_HAS_EPOCH,
		[16] = NATPMP_HAS_ALL,
	};

	(void)state;
	for (size_t len = 0; len <= sizeof(octets); len++) {
		struct natpmp_answer m;
		enum tenf_status status = natpmp_decode_answer(octets, len, &m);

		assert_int_equal(status, len < 4 ? TENF_E_TRUNCATED : TENF_OK);
		if (status != TENF_OK)
			continue;
		assert_int_equal(m.has, by_length[len]);
		assert_int_equal(m.epoch_s, len < 8 ? 0 : 0x01020304);
		assert_int_equal(m.internal_port, len < 16 ? 0 : 0x0506);
		assert_int_equal(m.external_port, len < 16 ? 0 : 0x0708);
		assert_int_equal(m.lifetime_s, len < 16 ? 0 : 0x090a0b0c);
	}
}

/* Erratum 3618, and what gateways really send. */
static void unsupported_version_is_read_with_any_opcode(void **state)
{
	uint8_t octets[] = { 0, 0, 0, 1, 0, 0, 0, 5 };
	struct natpmp_answer m;

	(void)state;
	for (unsigned opcode = 0; opcode < 256; opcode++) {
		octets[1] = (uint8_t)opcode;
		assert_int_equal(natpmp_decode_answer(octets, 4, &m), TENF_OK);
		assert_int_equal(m.result, NATPMP_UNSUPP_VERSION);
		assert_int_equal(m.has, NATPMP_HAS_RESULT);
		assert_int_equal(natpmp_decode_answer(octets, 8, &m), TENF_OK);
		assert_int_equal(m.epoch_s, 5);
	}
	octets[1] = 0;
	octets[3] = 3;
	assert_int_equal(natpmp_decode_answer(octets, 8, &m), TENF_E_MALFORMED);
}

/* Octets 4-7 of such a packet are a lifetime, not an epoch. */
static void a_version_two_answer_is_not_ours_to_read(void **state)
{
	const uint8_t octets[24] = { 2, 128, 0, 1, 0, 0, 7, 8 };
	struct natpmp_answer m;

	(void)state;
	assert_int_equal(natpmp_decode_answer(octets, sizeof(octets), &m), TENF_E_MALFORMED);
}

/* NP-G-08 */
static void the_echo_of_an_unknown_opcode_is_as_long_as_the_request(void **state)
{
	const uint8_t request[NATPMP_MAX + 5] = { 0, 77, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	const uint8_t eight[] = { 0, 205, 0, 5, 0, 0, 0, 6 };
	const uint8_t eleven[] = { 0, 205, 0, 5, 0, 0, 0, 6, 7, 8, 9 };
	uint8_t buffer[NATPMP_MAX];

	(void)state;
	for (size_t len = 2; len <= sizeof(request); len++) {
		struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));

		natpmp_write_unsupp_opcode(&w, request, len, 6);
		if (len <= 8)
			check_written(&w, eight, sizeof(eight));
		if (len == 11)
			check_written(&w, eleven, sizeof(eleven));
		if (len > 8)
			assert_int_equal(w.used, len < NATPMP_MAX ? len : NATPMP_MAX);
	}
}

static void writing_stops_at_the_end_of_the_buffer(void **state)
{
	const struct natpmp_request request = { .opcode = NATPMP_MAP_TCP };
	const struct natpmp_answer answer = { .opcode = 129 };
	uint8_t buffer[16];
	struct tenf_writer eleven = tenf_writer_of(buffer, 11);
	struct tenf_writer fifteen = tenf_writer_of(buffer, 15);

	(void)state;
	natpmp_write_request(&eleven, &request);
	assert_true(eleven.failed);
	natpmp_write_answer(&fifteen, &answer);
	assert_true(fifteen.failed);
}

static void results_have_the_names_of_the_rfc(void **state)
{
	(void)state;
	assert_string_equal(natpmp_result_name(NATPMP_SUCCESS), "SUCCESS");
	assert_string_equal(natpmp_result_name(NATPMP_NOT_AUTHORIZED), "NOT_AUTHORIZED");
	assert_string_equal(natpmp_result_name(NATPMP_UNSUPP_OPCODE), "UNSUPP_OPCODE");
	assert_string_equal(natpmp_result_name(6), "UNKNOWN");
	assert_string_equal(natpmp_result_name(UINT16_MAX), "UNKNOWN");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_request_is_two_zero_octets),
		cmocka_unit_test(a_map_request_has_twelve_octets_in_network_order),
		cmocka_unit_test(version_one_is_never_written),
		cmocka_unit_test(reserved_octets_of_a_map_request_are_ignored),
		cmocka_unit_test(requests_that_get_no_answer_are_told_apart),
		cmocka_unit_test(a_foreign_version_is_read_without_rules_of_length),
		cmocka_unit_test(unsupported_version_is_answered_in_eight_octets),
		cmocka_unit_test(an_address_answer_has_no_address_beside_an_error),
		cmocka_unit_test(the_address_beside_an_error_is_not_read),
		cmocka_unit_test(the_result_is_read_as_sixteen_bits),
		cmocka_unit_test(an_answer_says_how_much_of_it_was_there),
		cmocka_unit_test(unsupported_version_is_read_with_any_opcode),
		cmocka_unit_test(a_version_two_answer_is_not_ours_to_read),
		cmocka_unit_test(the_echo_of_an_unknown_opcode_is_as_long_as_the_request),
		cmocka_unit_test(writing_stops_at_the_end_of_the_buffer),
		cmocka_unit_test(results_have_the_names_of_the_rfc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
