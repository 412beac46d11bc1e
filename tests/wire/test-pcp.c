/* SPDX-License-Identifier: MIT */
#include "wire/pcp.h"
#include "wire/pcp-option.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

#define CLIENT 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 168, 1, 20
#define EXTERNAL 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 203, 0, 113, 7
#define REMOTE 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9
#define NONCE 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
#define MAP_DATA NONCE, 6, 0, 0, 0, 0x1f, 0x90, 0x01, 0xbb, EXTERNAL
#define PEER_DATA MAP_DATA, 0x11, 0x94, 0, 0, REMOTE

static const uint8_t map_request[] = { 2, 1, 0, 0, 0, 0, 0x1c, 0x20, CLIENT, MAP_DATA };
static const uint8_t peer_request[] = { 2, 2, 0, 0, 0, 0, 0x1c, 0x20, CLIENT, PEER_DATA };
static const uint8_t peer_answer[] = { 2, 130, 0, 0, 0, 0, 0x0e, 0x10, 0, 0, 1, 2,
				       0, 0,   0, 0, 0, 0, 0,    0,    0, 0, 0, 0, PEER_DATA };

static const struct pcp_map map = {
	.nonce = { NONCE },
	.protocol = 6,
	.internal_port = 8080,
	.external_port = 443,
	.external_address = { { EXTERNAL } },
};
static const struct pcp_remote remote = { .port = 4500, .address = { { REMOTE } } };

static void check_map(const struct pcp_map *m)
{
	assert_memory_equal(m->nonce, map.nonce, sizeof(map.nonce));
	assert_int_equal(m->protocol, map.protocol);
	assert_int_equal(m->internal_port, map.internal_port);
	assert_int_equal(m->external_port, map.external_port);
	assert_true(tenf_address_equal(&m->external_address, &map.external_address));
}

static void check_remote(const struct pcp_remote *m)
{
	assert_int_equal(m->port, remote.port);
	assert_true(tenf_address_equal(&m->address, &remote.address));
}

static enum pcp_parse parse(const uint8_t *data, size_t len, enum pcp_result *ret_result)
{
	struct pcp_request m;

	*ret_result = PCP_SUCCESS;
	return pcp_parse_request(data, len, &m, ret_result);
}

/* PCP-C-01, PCP-C-03, PCP-C-52: and every reserved octet is zero. */
static void requests_are_written_as_the_figures_show(void **state)
{
	struct pcp_request request = {
		.version = 1, /* never written */
		.opcode = PCP_MAP,
		.lifetime_s = 7200,
		.client = { { CLIENT } },
		.map = map,
		.remote = remote,
	};
	uint8_t buffer[PCP_MAX];
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));

	(void)state;
	pcp_write_request(&w, &request);
	assert_int_equal(w.used, PCP_MAP_SIZE);
	assert_memory_equal(buffer, map_request, sizeof(map_request));
	request.opcode = PCP_PEER;
	w = tenf_writer_of(buffer, sizeof(buffer));
	pcp_write_request(&w, &request);
	assert_int_equal(w.used, PCP_PEER_SIZE);
	assert_memory_equal(buffer, peer_request, sizeof(peer_request));
}

/* PCP-C-51 */
static void an_announce_request_is_a_header_alone(void **state)
{
	const uint8_t octets[] = { 2, 0, 0, 0, 0, 0, 0, 0, CLIENT };
	const struct pcp_request request = {
		.opcode = PCP_ANNOUNCE, .client = { { CLIENT } }, .map = map
	};
	uint8_t buffer[PCP_MAX];
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));

	(void)state;
	pcp_write_request(&w, &request);
	assert_int_equal(w.used, sizeof(octets));
	assert_memory_equal(buffer, octets, sizeof(octets));
}

/* PCP-G-07 */
static void answers_are_written_as_the_figures_show(void **state)
{
	const struct pcp_answer answer = {
		.version = 9, .opcode = PCP_PEER, .lifetime_s = 3600, .epoch_s = 258,
		.map = map,   .remote = remote,
	};
	uint8_t buffer[PCP_MAX];
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));

	(void)state;
	pcp_write_answer(&w, &answer);
	assert_int_equal(w.used, PCP_PEER_SIZE);
	assert_memory_equal(buffer, peer_answer, sizeof(peer_answer));
}

static void requests_are_read_back(void **state)
{
	uint8_t octets[PCP_PEER_SIZE + 4] = { 0 };
	enum pcp_result result;
	struct pcp_request m;

	(void)state;
	memcpy(octets, peer_request, sizeof(peer_request));
	octets[PCP_PEER_SIZE] = PCP_OPTION_PREFER_FAILURE;
	assert_int_equal(pcp_parse_request(octets, sizeof(octets), &m, &result), PCP_PARSED);
	assert_int_equal(m.version, 2);
	assert_int_equal(m.opcode, PCP_PEER);
	assert_int_equal(m.lifetime_s, 7200);
	assert_memory_equal(m.client.octets, ((const uint8_t[]){ CLIENT }), 16);
	check_map(&m.map);
	check_remote(&m.remote);
	assert_ptr_equal(m.options.at, octets + PCP_PEER_SIZE);
	assert_int_equal(m.options.left, 4);
}

/* PCP-G-18 */
static void reserved_fields_of_a_request_are_ignored(void **state)
{
	uint8_t octets[PCP_PEER_SIZE];
	enum pcp_result result;
	struct pcp_request m;

	(void)state;
	memcpy(octets, peer_request, sizeof(octets));
	memset(octets + 2, 0xff, 2);
	memset(octets + 37, 0xff, 3);
	memset(octets + 62, 0xff, 2);
	assert_int_equal(pcp_parse_request(octets, sizeof(octets), &m, &result), PCP_PARSED);
	check_map(&m.map);
	check_remote(&m.remote);
}

/* PCP-G-02, PCP-G-04 */
static void requests_that_get_no_answer_are_dropped(void **state)
{
	uint8_t octets[PCP_MAP_SIZE];
	enum pcp_result result;

	(void)state;
	memcpy(octets, map_request, sizeof(octets));
	for (size_t len = 0; len < PCP_HEADER; len++)
		assert_int_equal(parse(octets, len, &result), PCP_DROP);
	octets[1] |= PCP_RESPONSE;
	assert_int_equal(parse(octets, sizeof(octets), &result), PCP_DROP);
	octets[0] = 3; /* of any version: an answer is never answered */
	assert_int_equal(parse(octets, sizeof(octets), &result), PCP_DROP);
	assert_int_equal(parse(octets, 2, &result), PCP_DROP);
}

/* PCP-G-03 */
static void any_other_version_is_refused_from_two_octets_on(void **state)
{
	static uint8_t octets[PCP_MAX + 9];
	enum pcp_result result;

	(void)state;
	for (unsigned version = 0; version < 256; version++) {
		octets[0] = (uint8_t)version;
		for (size_t len = 0; len <= sizeof(octets); len = len < 30 ? len + 1 : len * 3) {
			if (version == PCP_VERSION || len < 2)
				continue;
			assert_int_equal(parse(octets, len, &result), PCP_REJECT);
			assert_int_equal(result, PCP_UNSUPP_VERSION);
		}
	}
}

/* PCP-G-05, PCP-G-06 */
static void lengths_are_checked_before_the_opcode(void **state)
{
	static uint8_t octets[PCP_MAX + 4];
	enum pcp_result result;

	(void)state;
	memcpy(octets, map_request, sizeof(map_request));
	for (size_t len = PCP_HEADER; len <= sizeof(octets); len++) {
		bool good = len >= PCP_MAP_SIZE && len <= PCP_MAX && len % 4 == 0;

		assert_int_equal(parse(octets, len, &result), good ? PCP_PARSED : PCP_REJECT);
		assert_int_equal(result, good ? PCP_SUCCESS : PCP_MALFORMED_REQUEST);
	}
	octets[1] = 9;
	assert_int_equal(parse(octets, PCP_MAX + 1, &result), PCP_REJECT);
	assert_int_equal(result, PCP_MALFORMED_REQUEST);
}

/* PCP-G-09 */
static void unknown_opcodes_are_refused(void **state)
{
	uint8_t octets[PCP_PEER_SIZE];
	enum pcp_result result;

	(void)state;
	memcpy(octets, peer_request, sizeof(octets));
	for (uint8_t opcode = 0; opcode < 128; opcode++) {
		octets[1] = opcode;
		assert_int_equal(parse(octets, sizeof(octets), &result),
				 opcode <= PCP_PEER ? PCP_PARSED : PCP_REJECT);
		assert_int_equal(result, opcode <= PCP_PEER ? PCP_SUCCESS : PCP_UNSUPP_OPCODE);
	}
}

static void answers_are_read_back(void **state)
{
	struct pcp_answer m;

	(void)state;
	assert_int_equal(pcp_decode_answer(peer_answer, sizeof(peer_answer), &m), TENF_OK);
	assert_int_equal(m.opcode, PCP_PEER);
	assert_int_equal(m.result, PCP_SUCCESS);
	assert_int_equal(m.lifetime_s, 3600);
	assert_int_equal(m.epoch_s, 258);
	check_map(&m.map);
	check_remote(&m.remote);
	assert_int_equal(m.options.left, 0);
	assert_false(m.options.failed);
}

/* PCP-C-13 */
static void answers_of_wrong_length_or_direction_are_refused(void **state)
{
	static uint8_t octets[PCP_MAX + 4];
	struct pcp_answer m;

	(void)state;
	memcpy(octets, peer_answer, sizeof(peer_answer));
	for (size_t len = 0; len <= sizeof(octets); len++) {
		bool good = len >= PCP_PEER_SIZE && len <= PCP_MAX && len % 4 == 0;

		assert_int_equal(pcp_decode_answer(octets, len, &m) == TENF_OK, good);
	}
	octets[3] = PCP_NO_RESOURCES; /* an error is no shorter */
	assert_int_equal(pcp_decode_answer(octets, PCP_HEADER, &m), TENF_E_TRUNCATED);
	octets[1] = PCP_PEER;
	assert_int_equal(pcp_decode_answer(octets, PCP_PEER_SIZE, &m), TENF_E_MALFORMED);
	octets[1] = PCP_PEER | PCP_RESPONSE;
	octets[0] = 3;
	assert_int_equal(pcp_decode_answer(octets, PCP_PEER_SIZE, &m), TENF_E_MALFORMED);
}

/* PCP-C-14 */
static void unsupported_version_is_honoured_from_four_octets_on(void **state)
{
	static uint8_t octets[PCP_MAX + 9] = { 3, 129, 0, 1, 0, 0, 0, 60, 0, 0, 0, 7 };
	struct pcp_answer m;

	(void)state;
	for (size_t len = 4; len <= sizeof(octets); len++) {
		assert_int_equal(pcp_decode_answer(octets, len, &m), TENF_OK);
		assert_int_equal(m.version, 3);
		assert_int_equal(m.result, PCP_UNSUPP_VERSION);
		assert_int_equal(m.lifetime_s, len < 8 ? 0 : 60);
		assert_int_equal(m.epoch_s, len < 12 ? 0 : 7);
	}
	assert_int_equal(pcp_decode_answer(octets, 3, &m), TENF_E_TRUNCATED);
	octets[0] = 1;
	assert_int_equal(pcp_decode_answer(octets, 24, &m), TENF_E_MALFORMED);
	octets[0] = 2;
	octets[1] = 1;
	assert_int_equal(pcp_decode_answer(octets, 24, &m), TENF_E_MALFORMED);
}

/* PCP-C-17: the walk goes on over an option nobody knows. */
static void unknown_options_of_an_answer_are_walked_over(void **state)
{
	uint8_t octets[PCP_PEER_SIZE + 8] = { 0 };
	struct pcp_answer m;
	struct pcp_option o;

	(void)state;
	memcpy(octets, peer_answer, sizeof(peer_answer));
	octets[PCP_PEER_SIZE] = 99;
	octets[PCP_PEER_SIZE + 3] = 3;
	assert_int_equal(pcp_decode_answer(octets, sizeof(octets), &m), TENF_OK);
	assert_true(pcp_options_are_sound(m.options));
	assert_true(pcp_option_next(&m.options, &o));
	assert_int_equal(o.code, 99);
	assert_false(pcp_option_next(&m.options, &o));
}

/* PCP-G-05, PCP-G-10 */
static void an_error_answer_is_the_request_cut_and_padded(void **state)
{
	static uint8_t octets[4096];
	uint8_t buffer[PCP_MAX];

	(void)state;
	memset(octets, 0xee, sizeof(octets));
	memcpy(octets, map_request, sizeof(map_request));
	for (size_t len = 0; len <= sizeof(octets); len = len < 130 ? len + 1 : len + 61) {
		struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));
		size_t want = len < 24 ? 24 : len > PCP_MAX ? PCP_MAX : (len + 3) / 4 * 4;
		size_t same = len < want ? len : want;

		pcp_write_error(&w, octets, len, PCP_MALFORMED_REQUEST, 1800, 5);
		assert_false(w.failed);
		assert_int_equal(w.used, want);
		assert_memory_equal(buffer + 4, ((const uint8_t[]){ 0, 0, 7, 8, 0, 0, 0, 5 }), 8);
		for (size_t i = 12; i < want; i++)
			assert_int_equal(buffer[i], i < same ? octets[i] : 0);
	}
}

/* PCP-G-10: which results give the client's address back. */
static void an_error_answer_returns_the_client_when_nothing_was_parsed(void **state)
{
	(void)state;
	for (uint8_t result = 1; result <= PCP_EXCESSIVE_REMOTE_PEERS; result++) {
		bool returned = result == 1 || result == 3 || result == 4 || result == 6;
		uint8_t buffer[PCP_MAX];
		struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));
		struct pcp_answer m;

		pcp_write_error(&w, map_request, sizeof(map_request), (enum pcp_result)result,
				30, 5);
		for (size_t i = 12; i < 24; i++)
			assert_int_equal(buffer[i], returned ? map_request[i] : 0);
		assert_int_equal(pcp_decode_answer(buffer, w.used, &m), TENF_OK);
		assert_int_equal(m.result, result);
		assert_int_equal(m.lifetime_s, 30);
		check_map(&m.map);
	}
}

static void writing_stops_at_the_end_of_the_buffer(void **state)
{
	const struct pcp_request request = { .opcode = PCP_MAP };
	uint8_t buffer[PCP_MAP_SIZE];
	struct tenf_writer short_request = tenf_writer_of(buffer, PCP_MAP_SIZE - 1);
	struct tenf_writer short_error = tenf_writer_of(buffer, PCP_MAP_SIZE - 1);

	(void)state;
	pcp_write_request(&short_request, &request);
	assert_true(short_request.failed);
	pcp_write_error(&short_error, map_request, sizeof(map_request), PCP_NO_RESOURCES, 30, 1);
	assert_true(short_error.failed);
}

/* PCP-G-13 */
static void errors_last_half_a_minute_or_half_an_hour(void **state)
{
	(void)state;
	assert_int_equal(pcp_error_lifetime_s(PCP_SUCCESS), 0);
	for (unsigned result = 1; result <= PCP_EXCESSIVE_REMOTE_PEERS; result++) {
		bool is_short = result == PCP_NETWORK_FAILURE || result == PCP_NO_RESOURCES ||
				result == PCP_USER_EX_QUOTA ||
				result == PCP_CANNOT_PROVIDE_EXTERNAL;

		assert_int_equal(pcp_error_lifetime_s((enum pcp_result)result),
				 is_short ? 30 : 1800);
	}
}

static void results_and_opcodes_have_the_names_of_the_rfc(void **state)
{
	(void)state;
	assert_string_equal(pcp_result_name(0), "SUCCESS");
	assert_string_equal(pcp_result_name(2), "NOT_AUTHORIZED");
	assert_string_equal(pcp_result_name(13), "EXCESSIVE_REMOTE_PEERS");
	assert_string_equal(pcp_result_name(14), "UNKNOWN");
	assert_string_equal(pcp_result_name(255), "UNKNOWN");
	assert_string_equal(pcp_opcode_name(0), "ANNOUNCE");
	assert_string_equal(pcp_opcode_name(1), "MAP");
	assert_string_equal(pcp_opcode_name(2), "PEER");
	assert_string_equal(pcp_opcode_name(3), "UNKNOWN");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_written_as_the_figures_show),
		cmocka_unit_test(an_announce_request_is_a_header_alone),
		cmocka_unit_test(answers_are_written_as_the_figures_show),
		cmocka_unit_test(requests_are_read_back),
		cmocka_unit_test(reserved_fields_of_a_request_are_ignored),
		cmocka_unit_test(requests_that_get_no_answer_are_dropped),
		cmocka_unit_test(any_other_version_is_refused_from_two_octets_on),
		cmocka_unit_test(lengths_are_checked_before_the_opcode),
		cmocka_unit_test(unknown_opcodes_are_refused),
		cmocka_unit_test(answers_are_read_back),
		cmocka_unit_test(answers_of_wrong_length_or_direction_are_refused),
		cmocka_unit_test(unsupported_version_is_honoured_from_four_octets_on),
		cmocka_unit_test(unknown_options_of_an_answer_are_walked_over),
		cmocka_unit_test(an_error_answer_is_the_request_cut_and_padded),
		cmocka_unit_test(an_error_answer_returns_the_client_when_nothing_was_parsed),
		cmocka_unit_test(writing_stops_at_the_end_of_the_buffer),
		cmocka_unit_test(errors_last_half_a_minute_or_half_an_hour),
		cmocka_unit_test(results_and_opcodes_have_the_names_of_the_rfc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
