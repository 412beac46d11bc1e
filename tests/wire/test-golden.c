/* SPDX-License-Identifier: MIT */
/*
 * Every golden packet through the codecs: requests as a gateway reads them,
 * answers and announcements as a client does. What only a responder or a client can
 * decide (source addresses, nonces, policy) must get through here unharmed.
 */
#include "compare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

#define GOLDEN_REQUESTS 153
#define GOLDEN_ANSWERS 97 /* announcements included */
#define GOLDEN_EPOCH_S 0x12345 /* in most golden answers */

/* A copy that ends where the packet does, so that ASan sees one octet too far. */
static uint8_t *exact_copy(const struct vector *v)
{
	uint8_t *copy = malloc(v->len);

	if (v->len > 0) {
		assert_non_null(copy);
		memcpy(copy, v->data, v->len);
	}
	return copy;
}

static bool is_request(const struct vector *v)
{
	return v->direction == VECTOR_REQUEST;
}

/* Speaks NAT-PMP as far as the first octet and the address family go. */
static bool is_natpmp(const struct vector *v)
{
	return v->len == 0 || v->data[0] == NATPMP_VERSION;
}

static void check_bytes(const struct vector *v, const struct tenf_writer *w)
{
	GOLDEN(v, !w->failed);
	GOLDEN(v, w->used == v->len);
	GOLDEN(v, memcmp(w->start, v->data, v->len) == 0);
}

/* --- requests of NAT-PMP --- */

static void check_natpmp_echo(const struct vector *v, const uint8_t *data)
{
	uint8_t buffer[NATPMP_MAX];
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));
	struct natpmp_answer answer;

	natpmp_write_unsupp_opcode(&w, data, v->len, GOLDEN_EPOCH_S);
	GOLDEN(v, !w.failed);
	GOLDEN(v, (int64_t)w.used == v->expect.length);
	GOLDEN(v, natpmp_decode_answer(buffer, w.used, &answer) == TENF_OK);
	GOLDEN(v, answer.opcode == v->expect.opcode);
	GOLDEN(v, answer.result == v->expect.result);
	GOLDEN(v, answer.epoch_s == GOLDEN_EPOCH_S);
	GOLDEN(v, w.used <= 8 || memcmp(buffer + 8, data + 8, w.used - 8) == 0);
}

static void check_natpmp_request(const struct vector *v, const uint8_t *data)
{
	uint8_t buffer[NATPMP_MAX];
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));
	struct natpmp_request m;
	enum tenf_status status = natpmp_decode_request(data, v->len, &m);

	if (v->expect.action == VECTOR_DROP) {
		GOLDEN(v, status != TENF_OK);
		return;
	}
	GOLDEN(v, status == TENF_OK);
	compare_natpmp_request(v, &m);
	GOLDEN(v, (m.opcode > NATPMP_MAP_TCP) == (v->expect.result == NATPMP_UNSUPP_OPCODE));
	if (m.opcode > NATPMP_MAP_TCP) {
		check_natpmp_echo(v, data);
	} else if (v->canonical) {
		natpmp_write_request(&w, &m);
		check_bytes(v, &w);
	}
}

/* --- requests of PCP --- */

/* Has the lengths that §8.2 asks for, by what the decoder of the table found. */
static bool is_whole(const struct vector *v)
{
	bool has_data = v->decoded.opcode == PCP_ANNOUNCE ||
			(v->decoded.has & VECTOR_HAS_NONCE) != 0;

	return v->len % 4 == 0 && v->len <= PCP_MAX && has_data;
}

/* What the wire alone makes of a request, by the reply that is expected. */
static enum pcp_parse parse_expected(const struct vector *v)
{
	if (v->policy.state == VECTOR_STATE_WAN_SIDE)
		return PCP_PARSED;
	if (v->expect.action == VECTOR_DROP)
		return PCP_DROP;
	if (v->expect.format == VECTOR_NATPMP) /* PCP is switched off */
		return PCP_PARSED;
	if (v->expect.result == PCP_UNSUPP_VERSION || v->expect.result == PCP_UNSUPP_OPCODE)
		return PCP_REJECT;
	return is_whole(v) ? PCP_PARSED : PCP_REJECT;
}

static void write_options(struct tenf_writer *w, struct tenf_reader options)
{
	struct pcp_option o;
	struct pcp_filter filter;
	struct tenf_address address;
	const uint8_t *text;
	size_t len;

	while (pcp_option_next(&options, &o)) {
		if (o.code == PCP_OPTION_THIRD_PARTY &&
		    pcp_option_third_party(&o, &address) == TENF_OK) {
			pcp_write_third_party(w, &address);
		} else if (o.code == PCP_OPTION_PREFER_FAILURE && o.length == 0) {
			pcp_write_prefer_failure(w);
		} else if (o.code == PCP_OPTION_FILTER &&
			   pcp_option_filter(&o, &filter) == TENF_OK) {
			pcp_write_filter(w, &filter);
		} else if (o.code == PCP_OPTION_DESCRIPTION &&
			   pcp_option_description(&o, &text, &len) == TENF_OK) {
			pcp_write_description(w, text, len);
		} else { /* one that no gateway or client of ours writes */
			tenf_writer_u8(w, o.code);
			tenf_writer_u8(w, 0);
			tenf_writer_u16(w, o.length);
			tenf_writer_copy(w, o.data.at, o.data.left);
			tenf_writer_fill(w, 0, (4 - o.length % 4u) % 4);
		}
	}
}

/* §8.2: the request comes back, cut and padded, under an answer's header. */
static void check_error_answer(const struct vector *v, const uint8_t *data)
{
	enum pcp_result result = (enum pcp_result)v->expect.result;
	uint32_t lifetime_s = pcp_error_lifetime_s(result);
	uint8_t buffer[PCP_MAX] = { 0 };
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));
	size_t copied = v->len < PCP_MAX ? v->len : PCP_MAX;

	pcp_write_error(&w, data, v->len, result, lifetime_s, GOLDEN_EPOCH_S);
	GOLDEN(v, !w.failed);
	if (v->expect.length != VECTOR_UNSET)
		GOLDEN(v, (int64_t)w.used == v->expect.length);
	if (v->expect.lifetime_s != VECTOR_UNSET)
		GOLDEN(v, lifetime_s == v->expect.lifetime_s);
	if (v->expect.opcode != VECTOR_UNSET)
		GOLDEN(v, buffer[1] == v->expect.opcode);
	GOLDEN(v, buffer[0] == PCP_VERSION);
	GOLDEN(v, buffer[1] == (data[1] | PCP_RESPONSE));
	GOLDEN(v, buffer[3] == result);
	GOLDEN(v, copied <= 24 || memcmp(buffer + 24, data + 24, copied - 24) == 0);
	for (size_t i = copied; i < w.used; i++)
		GOLDEN(v, i < 24 || buffer[i] == 0);
}

static void check_pcp_parsed(const struct vector *v, const struct pcp_request *m)
{
	uint8_t buffer[PCP_MAX];
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));

	compare_options(v, m->options);
	if (v->canonical) {
		pcp_write_request(&w, m);
		write_options(&w, m->options);
		check_bytes(v, &w);
	}
}

static void check_pcp_request(const struct vector *v, const uint8_t *data)
{
	struct pcp_request m;
	enum pcp_result result = PCP_SUCCESS;
	enum pcp_parse parse = pcp_parse_request(data, v->len, &m, &result);

	GOLDEN(v, parse == parse_expected(v));
	if (parse == PCP_DROP)
		return;
	if (v->expect.action == VECTOR_REPLY && v->expect.format == VECTOR_PCP &&
	    v->expect.result != PCP_SUCCESS)
		check_error_answer(v, data);
	if (parse == PCP_REJECT)
		GOLDEN(v, result == v->expect.result);
	/* A NAT-PMP packet that is refused as PCP has no PCP fields in its entry. */
	if (v->protocol == VECTOR_PCP)
		compare_pcp_request(v, &m);
	if (parse == PCP_PARSED)
		check_pcp_parsed(v, &m);
}

static void every_request_is_read_as_its_table_entry_says(void **state)
{
	size_t ran = 0;

	(void)state;
	for (size_t i = 0; i < vector_count; i++) {
		const struct vector *v = &vectors[i];
		uint8_t *data = exact_copy(v);

		if (is_request(v) && is_natpmp(v) && v->expect.format != VECTOR_PCP)
			check_natpmp_request(v, data);
		else if (is_request(v))
			check_pcp_request(v, data);
		ran += is_request(v);
		free(data);
	}
	assert_int_equal(ran, GOLDEN_REQUESTS);
}

/* --- answers and announcements --- */

/* Answers that no client ever sees, with what the codec says about them. Every
 * other one has to be read. */
static enum tenf_status status_expected(const struct vector *v)
{
	static const struct {
		const char *name;
		enum tenf_status status;
	} refused[] = {
		{ "np-bad-resp-empty", TENF_E_TRUNCATED },
		{ "np-bad-resp-3", TENF_E_TRUNCATED },
		{ "np-bad-resp-top-bit", TENF_E_MALFORMED },
		{ "np-bad-resp-version-3", TENF_E_MALFORMED },
		{ "np-bad-ann-request", TENF_E_TRUNCATED },
		{ "pcp-bad-resp-3", TENF_E_TRUNCATED },
		{ "pcp-bad-resp-12", TENF_E_TRUNCATED },
		{ "pcp-bad-resp-20", TENF_E_TRUNCATED },
		{ "pcp-bad-resp-24", TENF_E_TRUNCATED },
		{ "pcp-bad-resp-err-24", TENF_E_TRUNCATED },
		{ "pcp-bad-resp-58", TENF_E_TRUNCATED },
		{ "pcp-bad-resp-1104", TENF_E_MALFORMED },
		{ "pcp-bad-resp-bit", TENF_E_MALFORMED },
		{ "pcp-bad-resp-version-1", TENF_E_MALFORMED },
		{ "pcp-bad-ann-request", TENF_E_MALFORMED },
	};

	for (size_t i = 0; i < TENF_ARRAY_SIZE(refused); i++) {
		if (strcmp(refused[i].name, v->name) == 0)
			return refused[i].status;
	}
	return TENF_OK;
}

static void check_natpmp_answer(const struct vector *v, const uint8_t *data)
{
	uint8_t buffer[NATPMP_MAX];
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));
	struct natpmp_answer m;

	GOLDEN(v, natpmp_decode_answer(data, v->len, &m) == status_expected(v));
	if (status_expected(v) != TENF_OK) {
		GOLDEN(v, v->expect.action == VECTOR_DROP);
		return;
	}
	compare_natpmp_answer(v, &m);
	if (v->canonical && (m.has == NATPMP_HAS_ALL || v->len == 8)) {
		natpmp_write_answer(&w, &m);
		check_bytes(v, &w);
	}
}

static void check_pcp_answer(const struct vector *v, const uint8_t *data)
{
	uint8_t buffer[PCP_MAX];
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));
	struct pcp_answer m;

	GOLDEN(v, pcp_decode_answer(data, v->len, &m) == status_expected(v));
	if (status_expected(v) != TENF_OK) {
		GOLDEN(v, v->expect.action == VECTOR_DROP);
		return;
	}
	compare_pcp_answer(v, &m);
	compare_options(v, m.options);
	if (v->canonical) {
		pcp_write_answer(&w, &m);
		write_options(&w, m.options);
		check_bytes(v, &w);
	}
}

static void every_answer_is_read_as_its_table_entry_says(void **state)
{
	size_t ran = 0;

	(void)state;
	for (size_t i = 0; i < vector_count; i++) {
		const struct vector *v = &vectors[i];
		uint8_t *data = exact_copy(v);

		if (!is_request(v) && is_natpmp(v))
			check_natpmp_answer(v, data);
		else if (!is_request(v))
			check_pcp_answer(v, data);
		ran += !is_request(v);
		free(data);
	}
	assert_int_equal(ran, GOLDEN_ANSWERS);
}

/* --- answers that are made from requests --- */

/* The golden errors leave octets 12-23 zero; ours give the client's address
 * back there for some results, which the RFC allows and nobody may look at. */
static void check_golden_error(const struct vector *v)
{
	const struct vector *request = v->answers;
	uint8_t buffer[PCP_MAX];
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));

	pcp_write_error(&w, request->data, request->len, (enum pcp_result)v->decoded.result,
			v->decoded.lifetime_s, v->decoded.epoch_s);
	GOLDEN(v, !w.failed);
	GOLDEN(v, w.used == v->len);
	GOLDEN(v, memcmp(buffer, v->data, 12) == 0);
	GOLDEN(v, memcmp(buffer + 24, v->data + 24, v->len - 24) == 0);
}

static void errors_made_from_golden_requests_are_the_golden_errors(void **state)
{
	size_t compared = 0;

	(void)state;
	for (size_t i = 0; i < vector_count; i++) {
		const struct vector *v = &vectors[i];

		if (v->valid && v->direction == VECTOR_RESPONSE && v->data[0] == PCP_VERSION &&
		    (v->expect.action == VECTOR_ERROR || v->expect.action == VECTOR_RETRY)) {
			check_golden_error(v);
			compared++;
		}
	}
	assert_true(compared >= 10);
}

/* NP-G-08: and the same for the echo of an unknown opcode. */
static void unknown_opcode_is_answered_with_the_golden_echo(void **state)
{
	const struct vector *v = vector_find("np-resp-unsupported-opcode");
	uint8_t buffer[NATPMP_MAX];
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));

	(void)state;
	assert_non_null(v);
	natpmp_write_unsupp_opcode(&w, v->answers->data, v->answers->len, GOLDEN_EPOCH_S);
	check_bytes(v, &w);
}

static void there_are_250_golden_packets(void **state)
{
	(void)state;
	assert_int_equal(vector_count, 250);
	assert_int_equal(vector_count, GOLDEN_REQUESTS + GOLDEN_ANSWERS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_are_250_golden_packets),
		cmocka_unit_test(every_request_is_read_as_its_table_entry_says),
		cmocka_unit_test(every_answer_is_read_as_its_table_entry_says),
		cmocka_unit_test(errors_made_from_golden_requests_are_the_golden_errors),
		cmocka_unit_test(unknown_opcode_is_answered_with_the_golden_echo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
