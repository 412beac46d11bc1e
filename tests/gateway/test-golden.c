/* SPDX-License-Identifier: MIT */
/* Every golden request, sent to the responder and held against what the table expects. */
#include "house.h"

#include "vectors.h"

#include <stdlib.h>
#include <string.h>

/* The profile of the vectors, in the state that one of them wants. */
static void prepare(struct house *h, const struct vector *v, bool peer)
{
	const struct tenf_endpoint server = { house_host(20), 22 };

	house_init(h);
	h->config.natpmp = v->policy.state != VECTOR_STATE_NATPMP_OFF;
	h->config.pcp = v->policy.state != VECTOR_STATE_PCP_OFF;
	h->config.peer = peer;
	h->rules[0].third_party = v->policy.third_party;
	house_start(h);
	if (v->policy.state == VECTOR_STATE_OTHER_NONCE)
		(void)house_pcp(h, &(struct wish){ .host = 20, .protocol = TENF_TCP, .nonce = 0x77,
						   .internal = 8080, .lifetime_s = 7200 });
	if (v->policy.state == VECTOR_STATE_STATIC)
		assert_int_equal(responder_add_static(h->r, TENF_TCP, &server, 2222, h->now),
				 TENF_OK);
	if (v->policy.state == VECTOR_STATE_EXTERNAL_TAKEN)
		(void)house_pcp(h, &(struct wish){ .host = 30, .protocol = TENF_TCP,
						   .internal = 9000,
						   .external = 9000, .lifetime_s = 7200 });
	house_turn(h);
	h->records = 0;
}

static void send(struct house *h, const struct vector *v)
{
	const struct responder_datagram in = {
		.from = v->source, .to = v->target, .data = v->data, .len = v->len,
		.interface = v->policy.state == VECTOR_STATE_WAN_SIDE ? HOUSE_WAN : HOUSE_LAN,
	};

	house_send_as(h, &in);
}

static void expect_number(const struct vector *v, const char *what, int64_t wanted, int64_t got)
{
	if (wanted != VECTOR_UNSET && wanted != got)
		fail_msg("%s: %s is %ld, not %ld", v->name, what, (long)got, (long)wanted);
}

static void expect_natpmp(const struct house *h, const struct vector *v)
{
	struct natpmp_answer a;

	assert_int_equal(natpmp_decode_answer(h->answer, h->sent.len, &a), TENF_OK);
	expect_number(v, "version", v->expect.version, a.version);
	expect_number(v, "opcode", v->expect.opcode, a.opcode);
	expect_number(v, "result", v->expect.result, a.result);
	if (a.has == NATPMP_HAS_ALL && a.opcode != NATPMP_ANSWER) {
		expect_number(v, "internal port", v->expect.internal_port, a.internal_port);
		expect_number(v, "external port", v->expect.external_port, a.external_port);
		expect_number(v, "lifetime", v->expect.lifetime_s, a.lifetime_s);
	}
}

/* By hand: the error to a request that was too short is too short for a client. */
static struct pcp_answer read_pcp(const struct house *h)
{
	struct tenf_reader r = tenf_reader_of(h->answer, h->sent.len);
	struct pcp_answer a = { .version = tenf_reader_u8(&r) };

	a.opcode = tenf_reader_u8(&r);
	tenf_reader_skip(&r, 1);
	a.result = tenf_reader_u8(&r);
	a.lifetime_s = tenf_reader_u32(&r);
	a.epoch_s = tenf_reader_u32(&r);
	assert_false(r.failed);
	if (a.result == PCP_SUCCESS)
		assert_int_equal(pcp_decode_answer(h->answer, h->sent.len, &a), TENF_OK);
	return a;
}

static void expect_pcp(const struct house *h, const struct vector *v)
{
	const struct pcp_answer a = read_pcp(h);

	expect_number(v, "version", v->expect.version, a.version);
	expect_number(v, "opcode", v->expect.opcode, h->answer[1]);
	expect_number(v, "result", v->expect.result, a.result);
	expect_number(v, "lifetime", v->expect.lifetime_s, a.lifetime_s);
	expect_number(v, "external port", v->expect.external_port, a.map.external_port);
	if (v->expect.external_family != VECTOR_UNSET)
		assert_int_equal(v->expect.external_family == 4,
				 tenf_address_is_v4(&a.map.external_address));
}

/* PORT_SET is skipped, as its vector's note says. */
static bool is_left_out(const struct vector *v)
{
	return v->policy.port_set;
}

static bool is_peer(const struct vector *v)
{
	return v->protocol == VECTOR_PCP && v->len >= PCP_HEADER && v->data[0] == PCP_VERSION &&
	       v->data[1] == PCP_PEER;
}

static void check(const struct vector *v)
{
	struct house h;

	prepare(&h, v, true);
	send(&h, v);
	if (v->expect.action == VECTOR_DROP) {
		expect_number(v, "answers", 0, (int64_t)h.answers);
		assert_int_equal(h.records, 0);
	} else if (!is_left_out(v)) {
		expect_number(v, "answers", 1, (int64_t)h.answers);
		expect_number(v, "length", v->expect.length, (int64_t)h.sent.len);
		assert_true(tenf_endpoint_equal(&h.sent.from, &v->target));
		assert_true(tenf_endpoint_equal(&h.sent.to, &v->source));
		if (v->expect.format == VECTOR_PCP)
			expect_pcp(&h, v);
		else
			expect_natpmp(&h, v);
	}
	house_stop(&h);
}

static void every_golden_request_gets_the_answer_of_the_table(void **state)
{
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < vector_count; i++) {
		if (vectors[i].direction == VECTOR_REQUEST) {
			check(&vectors[i]);
			count++;
		}
	}
	assert_true(count > 100);
}

/* PCP-G-46: where PEER is switched off for everybody, in every length. */
static void peer_is_an_unknown_opcode(void **state)
{
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < vector_count; i++) {
		const struct vector *v = &vectors[i];
		struct house h;

		if (v->direction != VECTOR_REQUEST || v->policy.port_set || !is_peer(v) ||
		    v->expect.action != VECTOR_REPLY)
			continue;
		prepare(&h, v, false);
		send(&h, v);
		assert_int_equal(h.answers, 1);
		assert_int_equal(read_pcp(&h).result, PCP_UNSUPP_OPCODE);
		assert_int_equal(house_count(&h), 0);
		house_stop(&h);
		count++;
	}
	assert_true(count > 5);
}

static void nothing_shorter_or_answered_before_gets_an_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < vector_count; i++) {
		const struct vector *v = &vectors[i];
		struct house h;

		if (v->direction == VECTOR_REQUEST)
			continue;
		house_init(&h);
		house_start(&h);
		house_send(&h, &(struct tenf_endpoint){ house_host(20), 50000 }, v->data, v->len);
		if (h.answers != 0 && v->data[1] >= 128)
			fail_msg("%s is an answer and got one", v->name);
		house_stop(&h);
	}
}

static void truncated_requests_never_map_anything(void **state)
{
	(void)state;
	for (size_t i = 0; i < vector_count; i++) {
		const struct vector *v = &vectors[i];
		bool v4 = tenf_address_is_v4(&v->source.address);

		if (v->direction != VECTOR_REQUEST || v->len > 120 || v->protocol != VECTOR_PCP)
			continue;
		for (size_t len = 0; len < v->len && len < PCP_MAP_SIZE; len++) {
			uint8_t *copy = malloc(len + 1);
			struct house h;

			house_init(&h);
			house_start(&h);
			memcpy(copy, v->data, len);
			house_send(&h, &(struct tenf_endpoint){ v->source.address, 50000 }, copy,
				   len);
			assert_int_equal(house_count(&h), 0);
			assert_true(v4 || h.sent.len == 0 || h.answer[0] == PCP_VERSION);
			free(copy);
			house_stop(&h);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_golden_request_gets_the_answer_of_the_table),
		cmocka_unit_test(peer_is_an_unknown_opcode),
		cmocka_unit_test(nothing_shorter_or_answered_before_gets_an_answer),
		cmocka_unit_test(truncated_requests_never_map_anything),
	};

	return cmocka_run_group_tests_name("gateway golden packets", tests, NULL, NULL);
}
