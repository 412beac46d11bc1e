/* SPDX-License-Identifier: MIT */
/*
 * Every golden packet cut at every octet and with every single bit turned,
 * through every function that takes octets from the network. The copies are as
 * long as the packet, so that AddressSanitizer sees the first octet too far;
 * without it these tests still check what the codecs promise about any input.
 */
#include "vectors.h"
#include "wire/natpmp.h"
#include "wire/pcp-option.h"
#include "wire/pcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

#define UNTOUCHED 0xa5

static bool is_untouched(const void *data, size_t len)
{
	const uint8_t *at = data;

	for (size_t i = 0; i < len; i++) {
		if (at[i] != UNTOUCHED)
			return false;
	}
	return true;
}

static void read_natpmp(const uint8_t *data, size_t len)
{
	struct natpmp_request request;
	struct natpmp_answer answer;

	memset(&request, UNTOUCHED, sizeof(request));
	memset(&answer, UNTOUCHED, sizeof(answer));
	if (natpmp_decode_request(data, len, &request) != TENF_OK)
		assert_true(is_untouched(&request, sizeof(request)));
	else
		assert_true(len >= 2 && request.opcode < NATPMP_ANSWER);
	if (natpmp_decode_answer(data, len, &answer) != TENF_OK)
		assert_true(is_untouched(&answer, sizeof(answer)));
	else
		assert_true(len >= 4 && (answer.has != NATPMP_HAS_ALL || len >= 12));
}

static void read_options(const uint8_t *data, size_t len, struct tenf_reader options)
{
	struct pcp_option o;

	while (pcp_option_next(&options, &o)) {
		struct tenf_address address;
		struct pcp_filter filter;
		const uint8_t *text;
		size_t text_len;
		bool found;

		assert_true(o.data.at >= data && o.data.at + o.data.left <= data + len);
		assert_int_equal(o.data.left, o.length);
		found = pcp_option_third_party(&o, &address) == TENF_OK;
		assert_true(found == (o.length == 16));
		found = pcp_option_filter(&o, &filter) == TENF_OK;
		assert_true(found == (o.length == 20));
		if (pcp_option_description(&o, &text, &text_len) == TENF_OK)
			assert_true(text == o.data.at && text_len == o.length);
	}
}

static void read_pcp(const uint8_t *data, size_t len)
{
	struct pcp_request request;
	struct pcp_answer answer;
	enum pcp_result result = PCP_SUCCESS;
	enum pcp_parse parse;

	memset(&request, UNTOUCHED, sizeof(request));
	memset(&answer, UNTOUCHED, sizeof(answer));
	parse = pcp_parse_request(data, len, &request, &result);
	if (parse == PCP_DROP)
		assert_true(is_untouched(&request, sizeof(request)));
	else
		read_options(data, len, request.options);
	assert_true((result != PCP_SUCCESS) == (parse == PCP_REJECT));
	if (pcp_decode_answer(data, len, &answer) != TENF_OK)
		assert_true(is_untouched(&answer, sizeof(answer)));
	else
		read_options(data, len, answer.options);
}

/* Error answers are made from octets of the request that nobody understood. */
static void answer_with_errors(const uint8_t *data, size_t len)
{
	uint8_t buffer[PCP_MAX];
	struct tenf_writer echo = tenf_writer_of(buffer, sizeof(buffer));
	struct tenf_writer error = tenf_writer_of(buffer, sizeof(buffer));
	struct tenf_writer short_one = tenf_writer_of(buffer, 23);

	natpmp_write_unsupp_opcode(&echo, data, len, 1);
	assert_false(echo.failed);
	assert_true(echo.used >= 8 && (echo.used == len || len < 8 || len > NATPMP_MAX));
	pcp_write_error(&error, data, len, PCP_MALFORMED_REQUEST, 1800, 1);
	assert_false(error.failed);
	assert_true(error.used >= 24 && error.used <= PCP_MAX && error.used % 4 == 0);
	pcp_write_error(&short_one, data, len, PCP_NO_RESOURCES, 30, 1);
	assert_true(short_one.failed);
}

static void read_everything(const uint8_t *data, size_t len)
{
	read_natpmp(data, len);
	read_pcp(data, len);
	answer_with_errors(data, len);
}

/* NP-C-12, PCP-C-13, PCP-G-02: nothing is read past the end. */
static void every_packet_can_be_cut_at_every_octet(void **state)
{
	size_t ran = 0;

	(void)state;
	for (size_t i = 0; i < vector_count; i++) {
		for (size_t len = 0; len <= vectors[i].len; len++) {
			uint8_t *data = malloc(len);

			if (len > 0) {
				assert_non_null(data);
				memcpy(data, vectors[i].data, len);
			}
			read_everything(data, len);
			free(data);
		}
		ran++;
	}
	assert_int_equal(ran, 250);
}

static void every_bit_of_every_packet_can_be_turned(void **state)
{
	size_t ran = 0;

	(void)state;
	for (size_t i = 0; i < vector_count; i++) {
		size_t len = vectors[i].len;
		uint8_t *data = malloc(len);

		if (len > 0) {
			assert_non_null(data);
			memcpy(data, vectors[i].data, len);
		}
		for (size_t bit = 0; bit < len * 8; bit++) {
			data[bit / 8] ^= (uint8_t)(1u << bit % 8);
			read_everything(data, len);
			data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		free(data);
		ran++;
	}
	assert_int_equal(ran, 250);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_packet_can_be_cut_at_every_octet),
		cmocka_unit_test(every_bit_of_every_packet_can_be_turned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
