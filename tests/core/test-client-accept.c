/* SPDX-License-Identifier: MIT */
/* What is an answer and what is not: nothing else may have any effect. */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void ask_map(struct fixture *f, struct inquiry *inquiry)
{
	question_map(f, inquiry, TENF_TCP, 8080, 8080);
	inquiry->question.give_up = TENF_NEVER;
	fixture_ask(f, inquiry);
}

/* A good PCP answer to `inquiry`, as bytes. */
static size_t write_pcp_answer(const struct inquiry *inquiry, struct tenf_writer *w)
{
	const struct core_question *q = &inquiry->question;
	struct pcp_answer answer = { .opcode = PCP_MAP, .lifetime_s = 60, .epoch_s = 1000,
				     .map = { .protocol = (uint8_t)q->protocol,
					      .internal_port = q->internal_port,
					      .external_port = 8080,
					      .external_address = address_of("203.0.113.7") } };

	memcpy(answer.map.nonce, q->nonce, PCP_NONCE);
	pcp_write_answer(w, &answer);
	return w->used;
}

/* NP-C-10, PCP-C-12: another address or another port; the wait goes on. */
static void strangers_are_not_heard(void **state)
{
	static const char *const strangers[] = { "192.168.1.66:5351", "192.168.1.1:5350",
						 "192.168.1.20:5351", "[2001:db8::1]:5351" };
	struct fixture *f = *state;
	uint8_t data[PCP_MAX];
	struct tenf_writer w = tenf_writer_of(data, sizeof(data));
	struct inquiry inquiry;

	ask_map(f, &inquiry);
	(void)write_pcp_answer(&inquiry, &w);
	for (size_t i = 0; i < TENF_ARRAY_SIZE(strangers); i++)
		assert_int_equal(fixture_receive_from(f, strangers[i], data, w.used),
				 CLIENT_DROPPED);
	assert_int_equal(f->client.counters.dropped_foreign, TENF_ARRAY_SIZE(strangers));
	assert_false(f->client.pcp_epoch.known);
	fixture_expect_none(f);
	assert_int_equal(fixture_receive(f, data, w.used), CLIENT_TOOK);
	fixture_expect(f, &inquiry, TENF_REASON_NONE);
	assert_int_equal(f->client.counters.received, 1);
}

/* PCP-C-13, PCP-C-15: one bit in what has to match, and it is no answer. */
static void a_flipped_bit_in_what_is_compared_is_no_answer(void **state)
{
	struct fixture *f = *state;
	uint8_t data[PCP_MAX];
	struct tenf_writer w = tenf_writer_of(data, sizeof(data));
	struct inquiry inquiry;

	ask_map(f, &inquiry);
	(void)write_pcp_answer(&inquiry, &w);
	for (size_t bit = 0; bit < w.used * 8; bit++) {
		size_t octet = bit / 8;
		bool compared = octet == 1 || (octet >= 24 && octet <= 36) || octet == 40 ||
				octet == 41;

		if (!compared)
			continue;
		data[octet] ^= (uint8_t)(1u << bit % 8);
		assert_true(fixture_receive(f, data, w.used) != CLIENT_TOOK);
		data[octet] ^= (uint8_t)(1u << bit % 8);
	}
	assert_false(f->client.pcp_epoch.known);
	fixture_expect_none(f);
	assert_int_equal(fixture_receive(f, data, w.used), CLIENT_TOOK);
}

/* NP-C-12: every truncation of every golden answer is harmless. */
static void truncated_answers_do_not_grant_anything(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	ask_map(f, &inquiry);
	for (size_t i = 0; i < vector_count; i++) {
		const struct vector *v = &vectors[i];

		if (v->direction == VECTOR_REQUEST || v->len == 0 || v->decoded.result == 1)
			continue;
		for (size_t len = 0; len < v->len && len < 60; len++)
			(void)fixture_receive(f, v->data, len);
	}
	assert_int_equal(inquiry.place, INQUIRY_ACTIVE);
	assert_int_equal(inquiry.answer.external_port, 0);
	assert_int_equal(inquiry.answer.lifetime_s, 0);
}

static void noise_is_survived(void **state)
{
	struct fixture *f = *state;
	struct tenf_random random = tenf_seeded_random(&f->seeded);
	struct inquiry inquiry = { 0 };

	for (int i = 0; i < 20000; i++) {
		uint8_t data[80];
		size_t len = tenf_random_below(&random, sizeof(data) + 1);

		if (inquiry.place != INQUIRY_ACTIVE) {
			(void)client_next_answer(&f->client);
			f->sent_count = 0;
			ask_map(f, &inquiry);
		}
		tenf_random_fill(&random, data, len);
		if (len > 3) {
			data[0] = (uint8_t)tenf_random_below(&random, 4);
			data[1] = (uint8_t)(0x80 | tenf_random_below(&random, 4));
			data[2] = 0;
			data[3] = (uint8_t)tenf_random_below(&random, 6);
		}
		(void)fixture_receive(f, data, len);
	}
	assert_int_equal(inquiry.answer.external_port, 0);
}

/* PCP-C-18: nothing was asked, so nothing happens; not even to the clock. */
static void unasked_answers_have_no_effect(void **state)
{
	struct fixture *f = *state;
	struct pcp_answer update;

	assert_int_equal(fixture_golden(f, "np-resp-address"), CLIENT_DROPPED);
	assert_int_equal(fixture_golden(f, "np-resp-map-udp"), CLIENT_DROPPED);
	assert_int_equal(fixture_golden(f, "np-resp-unsupp-version-erratum"), CLIENT_DROPPED);
	assert_int_equal(fixture_golden(f, "pcp-resp-announce"), CLIENT_DROPPED);
	assert_int_equal(fixture_golden(f, "pcp-resp-unsupp-version"), CLIENT_DROPPED);
	assert_int_equal(fixture_golden(f, "pcp-resp-to-natpmp"), CLIENT_DROPPED);
	assert_int_equal(fixture_golden(f, "pcp-resp-map"), CLIENT_UPDATE);
	update = f->update;
	client_update(&f->client, &update, false, f->now);
	assert_int_equal(f->client.counters.dropped_unasked, 7);
	assert_int_equal(f->client.counters.received, 0);
	assert_false(f->client.pcp_epoch.known);
	assert_false(f->client.natpmp_epoch.known);
	assert_false(f->client.address_changed);
	fixture_expect_none(f);
}

/* No inquiry is a PEER, so no PEER answer is one to it, even with the nonce,
 * protocol and port of a MAP that is outstanding. */
static void a_peer_answer_is_never_ours(void **state)
{
	static const char *const names[] = { "pcp-resp-peer", "pcp-bad-resp-peer-remote" };
	struct fixture *f = *state;
	struct inquiry inquiry;

	for (size_t i = 0; i < TENF_ARRAY_SIZE(names); i++) {
		const struct vector *v = vector_find(names[i]);

		fixture_restart(f, FIXTURE_GATEWAY, FIXTURE_SOURCE, TENF_METHOD_PCP, false);
		question_map(f, &inquiry, TENF_TCP, v->decoded.internal_port, 0);
		inquiry.question.protocol = v->decoded.protocol == TENF_UDP ? TENF_UDP : TENF_TCP;
		memcpy(inquiry.question.nonce, v->decoded.nonce, CORE_NONCE);
		fixture_ask(f, &inquiry);
		assert_int_equal(fixture_golden(f, names[i]), CLIENT_DROPPED);
		assert_false(f->client.pcp_epoch.known);
		fixture_expect_none(f);
		client_cancel(&f->client, &inquiry, f->now);
	}
}

/* NP-C-11: the port of the request before, or of the other protocol. */
static void natpmp_answers_to_another_request_are_dropped(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	fixture_restart(f, FIXTURE_GATEWAY, FIXTURE_SOURCE, TENF_METHOD_NATPMP, false);
	ask_map(f, &inquiry);
	assert_int_equal(answer_map(f, TENF_TCP, 8080, 1, 60, 0, 900), CLIENT_DROPPED);
	(void)answer_address(f, NATPMP_SUCCESS, 1000, "203.0.113.7");
	assert_int_equal(answer_map(f, TENF_TCP, 8080, 1, 60, 0, 900), CLIENT_DROPPED);
	fixture_flush(f);
	assert_int_equal(answer_map(f, TENF_TCP, 8081, 1, 60, 0, 900), CLIENT_DROPPED);
	assert_int_equal(answer_map(f, TENF_UDP, 8080, 1, 60, 0, 900), CLIENT_DROPPED);
	assert_int_equal(answer_map(f, TENF_TCP, 8081, 0, 0, 2, 900), CLIENT_DROPPED);
	assert_int_equal(answer_address(f, NATPMP_SUCCESS, 900, "203.0.113.9"), CLIENT_DROPPED);
	assert_int_equal(f->client.natpmp_epoch.server_s, 1000);
	fixture_expect_none(f);
	assert_int_equal(answer_map(f, TENF_TCP, 8080, 1, 60, 0, 1000), CLIENT_TOOK);
	fixture_expect(f, &inquiry, TENF_REASON_NONE);
}

/* Gateways that cut their errors, or do not echo the port in them: one request is
 * outstanding, so it is known whose error that is. */
static void short_natpmp_errors_belong_to_the_one_request(void **state)
{
	static const uint8_t cut[] = { 0, 130, 0, 2, 0, 0, 3, 0xe8 };
	struct fixture *f = *state;
	struct inquiry inquiry;

	fixture_restart(f, FIXTURE_GATEWAY, FIXTURE_SOURCE, TENF_METHOD_NATPMP, false);
	ask_map(f, &inquiry);
	(void)answer_address(f, NATPMP_SUCCESS, 1000, "203.0.113.7");
	fixture_flush(f);
	assert_int_equal(fixture_receive(f, cut, 7), CLIENT_DROPPED);
	assert_int_equal(fixture_receive(f, cut, sizeof(cut)), CLIENT_TOOK);
	fixture_expect(f, &inquiry, TENF_REASON_REFUSED);
	ask_map(f, &inquiry);
	assert_int_equal(answer_map(f, TENF_TCP, 0, 0, 0, 2, 1000), CLIENT_TOOK);
	fixture_expect(f, &inquiry, TENF_REASON_REFUSED);
}

/* ---- Clocks ------------------------------------------------------------------------ */

/* NP-C-25, PCP-C-23: each accepted packet sets its own protocol's pair alone. */
static void each_protocol_keeps_its_own_clock(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	ask_map(f, &inquiry);
	(void)answer_address(f, NATPMP_SUCCESS, 50, "203.0.113.7");
	assert_int_equal(f->client.natpmp_epoch.server_s, 50);
	assert_false(f->client.pcp_epoch.known);
	(void)answer_pcp(f, &inquiry, PCP_SUCCESS, 8080, 60, 90000);
	fixture_expect(f, &inquiry, TENF_REASON_NONE);
	assert_int_equal(f->client.pcp_epoch.server_s, 90000);
	assert_int_equal(f->client.natpmp_epoch.server_s, 50);
	assert_false(f->client.restarted);

	f->now += 10 * TENF_SECOND;
	ask_map(f, &inquiry);
	(void)answer_pcp(f, &inquiry, PCP_NOT_AUTHORIZED, 0, 60, 90010);
	assert_int_equal(f->client.pcp_epoch.server_s, 90010);
	assert_true(f->client.pcp_epoch.at == f->now);
	assert_false(f->client.restarted);
}

static void a_clock_that_went_back_is_a_restart(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	ask_map(f, &inquiry);
	(void)answer_pcp(f, &inquiry, PCP_SUCCESS, 8080, 60, 90000);
	fixture_expect(f, &inquiry, TENF_REASON_NONE);
	f->now += 10 * TENF_SECOND;
	ask_map(f, &inquiry);
	(void)answer_pcp(f, &inquiry, PCP_SUCCESS, 8080, 60, 3);
	assert_true(f->client.restarted);
	fixture_expect(f, &inquiry, TENF_REASON_NONE);
}

/* Octets 4-7 of the echo of an unknown opcode are no clock in every gateway. */
static void result_5_is_not_fed_to_the_clock(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	fixture_restart(f, FIXTURE_GATEWAY, FIXTURE_SOURCE, TENF_METHOD_NATPMP, false);
	ask_map(f, &inquiry);
	assert_int_equal(answer_address(f, NATPMP_UNSUPP_OPCODE, 7, "0.0.0.0"), CLIENT_TOOK);
	assert_false(f->client.natpmp_epoch.known);
}

/* ---- More than one answer ----------------------------------------------------------- */

/* PCP-C-19: repeated and changed answers are handed on, and feed the clock when
 * somebody still wants the mapping. */
static void further_answers_are_updates(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;
	struct pcp_answer update;

	ask_map(f, &inquiry);
	(void)answer_pcp(f, &inquiry, PCP_SUCCESS, 8080, 60, 1000);
	fixture_expect(f, &inquiry, TENF_REASON_NONE);
	f->now += 5 * TENF_SECOND;
	assert_int_equal(answer_pcp(f, &inquiry, PCP_SUCCESS, 61001, 60, 1005), CLIENT_UPDATE);
	assert_int_equal(f->update.map.external_port, 61001);
	update = f->update;
	assert_int_equal(f->client.pcp_epoch.server_s, 1000);
	client_update(&f->client, &update, true, f->now);
	assert_int_equal(f->client.pcp_epoch.server_s, 1005);
	assert_int_equal(f->client.counters.dropped_unasked, 0);
}

static void answers_to_what_was_cancelled_are_unasked(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	ask_map(f, &inquiry);
	client_cancel(&f->client, &inquiry, f->now);
	assert_int_equal(inquiry.place, INQUIRY_NOWHERE);
	assert_int_equal(answer_pcp(f, &inquiry, PCP_SUCCESS, 8080, 60, 1000), CLIENT_UPDATE);
	fixture_run(f, f->now + 60 * TENF_SECOND);
	fixture_expect_none(f);
	assert_int_equal(f->sent_count, 2);
	assert_int_equal(f->client.fresh, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(strangers_are_not_heard),
		FIXTURE_TEST(a_flipped_bit_in_what_is_compared_is_no_answer),
		FIXTURE_TEST(truncated_answers_do_not_grant_anything),
		FIXTURE_TEST(noise_is_survived),
		FIXTURE_TEST(unasked_answers_have_no_effect),
		FIXTURE_TEST(a_peer_answer_is_never_ours),
		FIXTURE_TEST(natpmp_answers_to_another_request_are_dropped),
		FIXTURE_TEST(short_natpmp_errors_belong_to_the_one_request),
		FIXTURE_TEST(each_protocol_keeps_its_own_clock),
		FIXTURE_TEST(a_clock_that_went_back_is_a_restart),
		FIXTURE_TEST(result_5_is_not_fed_to_the_clock),
		FIXTURE_TEST(further_answers_are_updates),
		FIXTURE_TEST(answers_to_what_was_cancelled_are_unasked),
	};

	return cmocka_run_group_tests_name("client-accept", tests, NULL, NULL);
}
