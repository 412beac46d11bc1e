/* SPDX-License-Identifier: MIT */
/* The binding request of STUN and its answer (RFC 8489). */
#include "packets.h"

#include "host/stun.h"

#include <stdlib.h>
#include <string.h>

/* The transaction of RFC 5769 §2.2, and the answer of a server without the
 * attributes that are not looked at. */
static const uint8_t id[STUN_ID_SIZE] = { 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34,
					  0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae };

static const uint8_t answer_v4[] = {
	0x01, 0x01, 0x00, 0x1c, /* binding success, 28 octets follow */
	0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86,
	0xfa, 0x87, 0xdf, 0xae,
	0x80, 0x22, 0x00, 0x0b, 't', 'e', 's', 't', ' ', 'v', 'e', 'c', 't', 'o', 'r', ' ',
	0x00, 0x20, 0x00, 0x08, /* XOR-MAPPED-ADDRESS */
	0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43, /* 192.0.2.1, port 32853 */
};

static const uint8_t answer_v6[] = {
	0x01, 0x01, 0x00, 0x18,
	0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86,
	0xfa, 0x87, 0xdf, 0xae,
	0x00, 0x20, 0x00, 0x14,
	0x00, 0x02, 0xa1, 0x47, /* 2001:db8:1234:5678:11:2233:4455:6677 */
	0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25, 0xf4, 0xb5,
	0xbe, 0xd2, 0xb9, 0xd9,
};

static const uint8_t answer_old[] = {
	0x01, 0x01, 0x00, 0x0c,
	0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86,
	0xfa, 0x87, 0xdf, 0xae,
	0x00, 0x01, 0x00, 0x08, 0x00, 0x01, 0x80, 0x55, 192, 0, 2, 1, /* MAPPED-ADDRESS */
};

static void expect_address(const uint8_t *data, size_t len, const char *text)
{
	struct tenf_endpoint endpoint;
	char buffer[TENF_ENDPOINT_TEXT];

	assert_int_equal(stun_read_answer(id, data, len, &endpoint), TENF_OK);
	assert_string_equal(tenf_endpoint_text(&endpoint, buffer), text);
}

static void a_request_is_a_header_with_the_cookie_and_the_transaction(void **state)
{
	static const uint8_t start[] = { 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42 };
	uint8_t request[STUN_REQUEST_SIZE];

	(void)state;
	stun_write_request(id, request);
	assert_memory_equal(request, start, sizeof(start));
	assert_memory_equal(request + sizeof(start), id, sizeof(id));
}

static void answers_of_both_families_and_of_old_servers_are_read(void **state)
{
	(void)state;
	expect_address(answer_v4, sizeof(answer_v4), "192.0.2.1:32853");
	expect_address(answer_v6, sizeof(answer_v6),
		       "[2001:db8:1234:5678:11:2233:4455:6677]:32853");
	expect_address(answer_old, sizeof(answer_old), "192.0.2.1:32853");
}

static void what_is_not_the_answer_to_our_request_is_told_apart(void **state)
{
	uint8_t data[sizeof(answer_v4)], other[STUN_ID_SIZE] = { 1 };
	struct tenf_endpoint endpoint = { .port = 7 };

	(void)state;
	assert_int_equal(stun_read_answer(other, answer_v4, sizeof(answer_v4), &endpoint),
			 TENF_E_NOT_FOUND);
	memcpy(data, answer_v4, sizeof(data));
	data[4] = 0; /* no cookie */
	assert_int_equal(stun_read_answer(id, data, sizeof(data), &endpoint), TENF_E_NOT_FOUND);
	memcpy(data, answer_v4, sizeof(data));
	data[1] = 0x11;
	assert_int_equal(stun_read_answer(id, data, sizeof(data), &endpoint), TENF_E_FAILED);
	data[0] = 0;
	data[1] = 1; /* our own request, come back */
	assert_int_equal(stun_read_answer(id, data, sizeof(data), &endpoint), TENF_E_NOT_FOUND);
	assert_int_equal(endpoint.port, 7);
}

static void every_cut_and_every_lie_is_an_error_or_an_answer(void **state)
{
	static const uint8_t lies[] = { 0, 1, 0x7f, 0xff };
	struct tenf_endpoint endpoint = { .port = 7 };
	unsigned answers = 0;

	(void)state;
	for (size_t len = 0; len < sizeof(answer_v4); len++) {
		uint8_t *exact = malloc(len + 1);

		assert_non_null(exact);
		memcpy(exact, answer_v4, len);
		assert_int_equal(stun_read_answer(id, exact, len, &endpoint), TENF_E_TRUNCATED);
		free(exact);
	}
	assert_int_equal(endpoint.port, 7);
	for (size_t at = 0; at < sizeof(answer_v6); at++) {
		for (size_t i = 0; i < sizeof(lies); i++) {
			uint8_t data[sizeof(answer_v6)];

			memcpy(data, answer_v6, sizeof(data));
			data[at] = lies[i];
			answers += stun_read_answer(id, data, sizeof(data), &endpoint) == TENF_OK;
		}
	}
	/* Of 44 octets only those of port and address may be anything. */
	assert_in_range(answers, 4 * 18, 4 * 24);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_a_header_with_the_cookie_and_the_transaction),
		cmocka_unit_test(answers_of_both_families_and_of_old_servers_are_read),
		cmocka_unit_test(what_is_not_the_answer_to_our_request_is_told_apart),
		cmocka_unit_test(every_cut_and_every_lie_is_an_error_or_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
