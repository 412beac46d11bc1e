/* SPDX-License-Identifier: MIT */
/* The client with PCP alone: its packets, their repetition, and its answers. */
#include "fixture.h"
#include "wire/pcp-option.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void only_pcp(struct fixture *f)
{
	fixture_restart(f, FIXTURE_GATEWAY, FIXTURE_SOURCE, TENF_METHOD_PCP, false);
}

static void ask_map(struct fixture *f, struct inquiry *inquiry)
{
	only_pcp(f);
	question_map(f, inquiry, TENF_TCP, 8080, 8080);
	inquiry->question.give_up = TENF_NEVER;
	fixture_ask(f, inquiry);
}

static const struct sent *last_sent(const struct fixture *f)
{
	assert_true(f->sent_count > 0);
	return &f->sent[f->sent_count - 1];
}

static bool find_option(const struct sent *sent, uint8_t code, struct pcp_option *ret)
{
	struct tenf_reader options = sent_pcp(sent).options;

	while (pcp_option_next(&options, ret)) {
		if (ret->code == code)
			return true;
	}
	assert_false(options.failed);
	return false;
}

/* ---- What is sent --------------------------------------------------------------- */

static void check_request(struct fixture *f, const char *name)
{
	const struct vector *v = vector_find(name);
	char gateway[TENF_ENDPOINT_TEXT];
	char source[TENF_ADDRESS_TEXT];
	struct inquiry inquiry;

	assert_non_null(v);
	fixture_restart(f, tenf_endpoint_text(&v->target, gateway),
			tenf_address_text(&v->source.address, source), TENF_METHOD_PCP, false);
	question_golden(f, &inquiry, v);
	fixture_ask(f, &inquiry);
	sent_equals_golden(&f->sent[0], name);
	client_cancel(&f->client, &inquiry, f->now);
}

/* PCP-C-01, PCP-C-02, PCP-C-03, PCP-C-35, PCP-C-51: the golden requests. */
static void requests_are_the_golden_ones(void **state)
{
	check_request(*state, "pcp-req-map-tcp");
	check_request(*state, "pcp-req-map-prefer-failure");
	check_request(*state, "pcp-req-delete");
	check_request(*state, "pcp-req-announce");
	check_request(*state, "pcp-req-map-pinhole-v6");
}

/* PCP-C-35: a delete says lifetime 0, port 0, no address, whatever the question holds. */
static void a_delete_says_nothing_but_what_to_delete(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;
	struct pcp_request request;
	struct tenf_address none = tenf_address_none4;

	only_pcp(f);
	question_unmap(f, &inquiry, TENF_TCP, 8080);
	inquiry.question.lifetime_s = 7200;
	inquiry.question.external_port = 8080;
	inquiry.question.external_address = address_of("203.0.113.7");
	inquiry.question.prefer_failure = true;
	inquiry.question.description = "web";
	fixture_ask(f, &inquiry);
	request = sent_pcp(last_sent(f));
	assert_int_equal(request.lifetime_s, 0);
	assert_int_equal(request.map.external_port, 0);
	assert_true(tenf_address_equal(&request.map.external_address, &none));
	assert_int_equal(request.options.left, 0);
}

/* PCP-C-04: without a preference port 0 and the zero address of the own family. */
static void no_preference_is_the_zero_of_the_family(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;
	struct pcp_request request;

	only_pcp(f);
	question_map(f, &inquiry, TENF_TCP, 8080, 0);
	inquiry.question.external_address = tenf_address_none6;
	fixture_ask(f, &inquiry);
	request = sent_pcp(last_sent(f));
	assert_int_equal(request.map.external_port, 0);
	assert_true(tenf_address_equal(&request.map.external_address, &tenf_address_none4));
	client_cancel(&f->client, &inquiry, f->now);

	fixture_restart(f, "[2001:db8:1::1]:5351", "2001:db8:1::20", TENF_METHOD_PCP, false);
	question_map(f, &inquiry, TENF_TCP, 8080, 0);
	inquiry.question.external_address = tenf_address_none4;
	fixture_ask(f, &inquiry);
	request = sent_pcp(last_sent(f));
	assert_true(tenf_address_equal(&request.map.external_address, &tenf_address_none6));
}

/* PCP-C-39: only for who insists. */
static void prefer_failure_is_sent_only_when_wanted(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;
	struct pcp_option option;

	ask_map(f, &inquiry);
	assert_false(find_option(last_sent(f), PCP_OPTION_PREFER_FAILURE, &option));
	client_cancel(&f->client, &inquiry, f->now);
	question_map(f, &inquiry, TENF_TCP, 8080, 8080);
	inquiry.question.prefer_failure = true;
	fixture_ask(f, &inquiry);
	assert_true(find_option(last_sent(f), PCP_OPTION_PREFER_FAILURE, &option));
}

static void ask_for_other(struct fixture *f, struct inquiry *inquiry, const char *other)
{
	only_pcp(f);
	question_map(f, inquiry, TENF_TCP, 8080, 8080);
	inquiry->question.for_other = true;
	inquiry->question.other = address_of(other);
	fixture_ask(f, inquiry);
}

/* PCP-C-41: THIRD_PARTY names others alone. */
static void third_party_never_names_the_sender(void **state)
{
	struct fixture *f = *state;
	struct tenf_address named;
	struct inquiry inquiry;
	struct pcp_option option;

	ask_for_other(f, &inquiry, "192.168.1.30");
	assert_true(find_option(last_sent(f), PCP_OPTION_THIRD_PARTY, &option));
	assert_int_equal(pcp_option_third_party(&option, &named), TENF_OK);
	assert_true(tenf_address_equal(&named, &inquiry.question.other));
	client_cancel(&f->client, &inquiry, f->now);

	ask_for_other(f, &inquiry, FIXTURE_SOURCE);
	assert_false(find_option(last_sent(f), PCP_OPTION_THIRD_PARTY, &option));
	assert_int_equal(answer_pcp(f, &inquiry, PCP_SUCCESS, 8080, 60, 1000), CLIENT_TOOK);
	fixture_expect(f, &inquiry, TENF_REASON_NONE);
}

static void describe(struct fixture *f, struct inquiry *inquiry, const char *text)
{
	only_pcp(f);
	question_map(f, inquiry, TENF_TCP, 8080, 8080);
	inquiry->question.description = text;
	fixture_ask(f, inquiry);
}

/* PCP-C-47: spaces up to a multiple of four, so that there is no padding. */
static void descriptions_are_filled_up_with_spaces(void **state)
{
	static const struct {
		const char *text;
		const char *sent;
	} cases[] = { { "web", "web " }, { "webs", "webs" }, { "caf\xc3\xa9", "caf\xc3\xa9   " } };
	struct fixture *f = *state;
	struct inquiry inquiry;
	struct pcp_option option;

	for (size_t i = 0; i < TENF_ARRAY_SIZE(cases); i++) {
		describe(f, &inquiry, cases[i].text);
		assert_true(find_option(last_sent(f), PCP_OPTION_DESCRIPTION, &option));
		assert_int_equal(option.length, strlen(cases[i].sent));
		assert_memory_equal(option.data.at, cases[i].sent, option.length);
		client_cancel(&f->client, &inquiry, f->now);
	}
}

/* PCP-C-46: what is no UTF-8, or longer than the packet allows, is not sent; and
 * nothing is said unless somebody wants it said. */
static void descriptions_that_break_the_rules_are_left_out(void **state)
{
	static char long_text[PCP_DESCRIPTION_MAX + 2];
	const char *const texts[] = { NULL, "\xff", "a\xed\xa0\x80", long_text };
	struct fixture *f = *state;
	struct inquiry inquiry;
	struct pcp_option option;

	memset(long_text, 'x', sizeof(long_text) - 1);
	for (size_t i = 0; i < TENF_ARRAY_SIZE(texts); i++) {
		describe(f, &inquiry, texts[i]);
		assert_int_equal(sent_pcp(last_sent(f)).options.left, 0);
		client_cancel(&f->client, &inquiry, f->now);
	}
	long_text[PCP_DESCRIPTION_MAX] = '\0';
	describe(f, &inquiry, long_text);
	assert_true(find_option(last_sent(f), PCP_OPTION_DESCRIPTION, &option));
	assert_int_equal(option.length, PCP_DESCRIPTION_MAX);
}

/* ---- When ------------------------------------------------------------------------ */

/* PCP-C-08, PCP-C-09, PCP-C-10, PCP-C-11: the waits of the formula, the same packet
 * with the same nonce each time, and no end. */
static void a_wanted_mapping_is_asked_for_without_end(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;
	tenf_duration wait = 0;

	ask_map(f, &inquiry);
	fixture_run(f, f->now + 48LL * 3600 * TENF_SECOND);
	assert_true(f->sent_count > 150);
	for (size_t i = 1; i < f->sent_count; i++) {
		tenf_duration before = wait;
		tenf_duration base;

		wait = f->sent[i].at - f->sent[i - 1].at;
		base = before == 0 ? 3 * TENF_SECOND :
				     tenf_time_min(2 * before, 1024 * TENF_SECOND);
		assert_in_range(wait, base - base / 10, base + base / 10);
		assert_int_equal(f->sent[i].len, f->sent[0].len);
		assert_memory_equal(f->sent[i].data, f->sent[0].data, f->sent[0].len);
	}
	fixture_expect_none(f);
	assert_int_equal(answer_pcp(f, &inquiry, PCP_SUCCESS, 8080, 60, 1000), CLIENT_TOOK);
	fixture_expect(f, &inquiry, TENF_REASON_NONE);
}

/* PCP-C-27: a renewal is one packet; its windows are the repetition. */
static void a_single_question_is_one_packet(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;
	tenf_time give_up = f->now + 900 * TENF_SECOND;

	only_pcp(f);
	question_map(f, &inquiry, TENF_TCP, 8080, 8080);
	inquiry.question.single = true;
	inquiry.question.give_up = give_up;
	fixture_ask(f, &inquiry);
	fixture_run(f, give_up - 1);
	fixture_expect_none(f);
	fixture_run(f, give_up);
	fixture_expect(f, &inquiry, TENF_REASON_SILENT);
	assert_int_equal(f->sent_count, 1);
}

static void few_questions_are_in_their_first_round(void **state)
{
	struct fixture *f = *state;
	static struct inquiry inquiries[3 * CLIENT_FRESH_MAX];
	tenf_time start = f->now;

	only_pcp(f);
	for (size_t i = 0; i < TENF_ARRAY_SIZE(inquiries); i++) {
		question_map(f, &inquiries[i], TENF_TCP, (uint16_t)(i + 1), 0);
		inquiries[i].question.give_up = TENF_NEVER;
		fixture_ask(f, &inquiries[i]);
	}
	assert_int_equal(f->sent_count, CLIENT_FRESH_MAX);
	fixture_run(f, start + 3300 * TENF_MILLISECOND);
	assert_in_range(f->sent_count, 3 * CLIENT_FRESH_MAX, 4 * CLIENT_FRESH_MAX);
	(void)answer_pcp(f, &inquiries[0], PCP_SUCCESS, 1, 60, 1000);
	fixture_expect(f, &inquiries[0], TENF_REASON_NONE);
}

static void those_who_wait_for_a_place_get_their_verdict_too(void **state)
{
	struct fixture *f = *state;
	static struct inquiry inquiries[CLIENT_FRESH_MAX + 2];
	size_t answered = 0;

	only_pcp(f);
	for (size_t i = 0; i < TENF_ARRAY_SIZE(inquiries); i++) {
		question_map(f, &inquiries[i], TENF_TCP, (uint16_t)(i + 1), 0);
		inquiries[i].question.give_up = f->now + TENF_SECOND;
		fixture_ask(f, &inquiries[i]);
	}
	fixture_run(f, f->now + TENF_SECOND);
	for (struct inquiry *at; (at = client_next_answer(&f->client)) != NULL; answered++)
		assert_int_equal(at->answer.reason, TENF_REASON_SILENT);
	assert_int_equal(answered, TENF_ARRAY_SIZE(inquiries));
	assert_int_equal(f->client.fresh, 0);
}

/* ---- Answers --------------------------------------------------------------------- */

/* PCP-C-30: what is granted is taken, whatever was suggested. */
static void another_port_is_accepted_and_reported(void **state)
{
	struct fixture *f = *state;
	struct tenf_address external = address_of("203.0.113.7");
	struct inquiry inquiry;

	ask_map(f, &inquiry);
	f->now += 30 * TENF_MILLISECOND;
	assert_int_equal(answer_pcp(f, &inquiry, PCP_SUCCESS, 61001, 3600, 1234), CLIENT_TOOK);
	fixture_expect(f, &inquiry, TENF_REASON_NONE);
	assert_int_equal(inquiry.answer.method, TENF_METHOD_PCP);
	assert_int_equal(inquiry.answer.result, PCP_SUCCESS);
	assert_int_equal(inquiry.answer.external_port, 61001);
	assert_int_equal(inquiry.answer.lifetime_s, 3600);
	assert_int_equal(inquiry.answer.epoch_s, 1234);
	assert_true(inquiry.answer.rtt == 30 * TENF_MILLISECOND);
	assert_true(tenf_address_equal(&inquiry.answer.external_address, &external));
}

static void a_round_trip_is_not_measured_after_a_repetition(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	ask_map(f, &inquiry);
	fixture_run(f, f->now + 4 * TENF_SECOND);
	(void)answer_pcp(f, &inquiry, PCP_SUCCESS, 8080, 60, 1000);
	fixture_expect(f, &inquiry, TENF_REASON_NONE);
	assert_true(inquiry.answer.rtt == -1);
	assert_true(f->client.rtt == -1);
}

static void insist(struct fixture *f, struct inquiry *inquiry)
{
	only_pcp(f);
	question_map(f, inquiry, TENF_TCP, 8080, 8080);
	inquiry->question.prefer_failure = true;
	fixture_ask(f, inquiry);
}

/* PCP-C-40: another port is not accepted; it may be a late word about before. */
static void insisting_waits_for_the_port_insisted_on(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	insist(f, &inquiry);
	(void)answer_pcp(f, &inquiry, PCP_SUCCESS, 61001, 60, 1000);
	fixture_run(f, f->now + 900 * TENF_MILLISECOND);
	fixture_expect_none(f);
	(void)answer_pcp(f, &inquiry, PCP_SUCCESS, 8080, 60, 1000);
	fixture_expect(f, &inquiry, TENF_REASON_NONE);
	assert_int_equal(inquiry.answer.external_port, 8080);
}

/* PCP-C-40: and from a gateway that does not know the option it is a failure. */
static void insisting_ends_when_only_another_port_comes(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	insist(f, &inquiry);
	(void)answer_pcp(f, &inquiry, PCP_SUCCESS, 61001, 60, 1000);
	fixture_run(f, f->now + 1 * TENF_SECOND);
	fixture_expect(f, &inquiry, TENF_REASON_OTHER_PORT);
	assert_int_equal(inquiry.answer.external_port, 61001);
}

/* PCP-C-40: the address counts too where one was suggested. */
static void insisting_includes_the_address(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	only_pcp(f);
	question_map(f, &inquiry, TENF_TCP, 8080, 8080);
	inquiry.question.prefer_failure = true;
	inquiry.question.external_address = address_of("203.0.113.8");
	fixture_ask(f, &inquiry);
	(void)answer_pcp(f, &inquiry, PCP_SUCCESS, 8080, 60, 1000);
	fixture_run(f, f->now + 1 * TENF_SECOND);
	fixture_expect(f, &inquiry, TENF_REASON_OTHER_PORT);
}

/* A refusal after a stale success grants nothing, and says how long it lasts. */
static void a_refusal_forgets_the_stale_success(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	insist(f, &inquiry);
	(void)answer_pcp(f, &inquiry, PCP_SUCCESS, 61001, 60, 1000);
	(void)answer_pcp(f, &inquiry, PCP_CANNOT_PROVIDE_EXTERNAL, 8080, 300, 1000);
	fixture_expect(f, &inquiry, TENF_REASON_OTHER_PORT);
	assert_int_equal(inquiry.answer.result, PCP_CANNOT_PROVIDE_EXTERNAL);
	assert_int_equal(inquiry.answer.external_port, 0);
	assert_int_equal(inquiry.answer.lifetime_s, 300);
}

static void each_result_has_its_reason(void **state)
{
	static const struct {
		uint8_t result;
		enum tenf_reason reason;
	} cases[] = {
		{ PCP_NOT_AUTHORIZED, TENF_REASON_REFUSED },
		{ PCP_MALFORMED_REQUEST, TENF_REASON_REFUSED },
		{ PCP_UNSUPP_OPCODE, TENF_REASON_NO_SERVICE },
		{ PCP_UNSUPP_OPTION, TENF_REASON_REFUSED },
		{ PCP_NETWORK_FAILURE, TENF_REASON_NO_NETWORK },
		{ PCP_NO_RESOURCES, TENF_REASON_RESOURCES },
		{ PCP_USER_EX_QUOTA, TENF_REASON_RESOURCES },
		{ PCP_CANNOT_PROVIDE_EXTERNAL, TENF_REASON_OTHER_PORT },
		{ PCP_ADDRESS_MISMATCH, TENF_REASON_REFUSED },
		{ 200, TENF_REASON_REFUSED },
	};
	struct fixture *f = *state;
	struct inquiry inquiry;

	for (size_t i = 0; i < TENF_ARRAY_SIZE(cases); i++) {
		ask_map(f, &inquiry);
		(void)answer_pcp(f, &inquiry, cases[i].result, 8080, 77, 1000);
		fixture_expect(f, &inquiry, cases[i].reason);
		assert_int_equal(inquiry.answer.result, cases[i].result);
		assert_int_equal(inquiry.answer.lifetime_s, 77);
		assert_int_equal(inquiry.answer.external_port, 0);
	}
}

/* PCP-C-32: an error lasts half an hour at most. */
static void error_lifetimes_are_capped(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	ask_map(f, &inquiry);
	(void)answer_pcp(f, &inquiry, PCP_NO_RESOURCES, 0, UINT32_MAX, 1000);
	fixture_expect(f, &inquiry, TENF_REASON_RESOURCES);
	assert_int_equal(inquiry.answer.lifetime_s, 1800);
}

/* PCP-C-38: a version we do not know: no service, and how long to keep away. */
static void an_unknown_version_says_when_to_come_back(void **state)
{
	static const struct {
		uint32_t lifetime_s;
		uint32_t hold_s;
	} cases[] = { { 120, 120 }, { 7200, 1800 } };
	struct fixture *f = *state;
	struct inquiry inquiry;

	for (size_t i = 0; i < TENF_ARRAY_SIZE(cases); i++) {
		uint8_t data[PCP_HEADER] = { 3, 129, 0, PCP_UNSUPP_VERSION };

		ask_map(f, &inquiry);
		data[6] = (uint8_t)(cases[i].lifetime_s >> 8);
		data[7] = (uint8_t)cases[i].lifetime_s;
		assert_int_equal(fixture_receive(f, data, sizeof(data)), CLIENT_TOOK);
		fixture_expect(f, &inquiry, TENF_REASON_NO_SERVICE);
		assert_int_equal(inquiry.answer.result, PCP_UNSUPP_VERSION);
		assert_int_equal(inquiry.answer.lifetime_s, cases[i].hold_s);
		assert_false(f->client.pcp_epoch.known);
	}
}

/* PCP-C-14: four octets of it are enough. */
static void a_short_unsupported_version_is_honoured(void **state)
{
	static const uint8_t version3[] = { 3, 129, 0, PCP_UNSUPP_VERSION };
	static const uint8_t version2[] = { 2, 129, 0, PCP_UNSUPP_VERSION };
	struct fixture *f = *state;
	struct inquiry inquiry;

	ask_map(f, &inquiry);
	assert_int_equal(fixture_receive(f, version3, sizeof(version3)), CLIENT_TOOK);
	fixture_expect(f, &inquiry, TENF_REASON_NO_SERVICE);
	ask_map(f, &inquiry);
	assert_int_equal(fixture_receive(f, version2, sizeof(version2)), CLIENT_TOOK);
	fixture_expect(f, &inquiry, TENF_REASON_NO_SERVICE);
}

static void a_success_for_another_host_must_name_it(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	ask_for_other(f, &inquiry, "192.168.1.30");
	assert_int_equal(answer_pcp(f, &inquiry, PCP_SUCCESS, 8080, 60, 1000), CLIENT_UPDATE);
	fixture_expect_none(f);
	assert_int_equal(answer_pcp(f, &inquiry, PCP_NOT_AUTHORIZED, 8080, 60, 1000), CLIENT_TOOK);
	fixture_expect(f, &inquiry, TENF_REASON_REFUSED);
}

/* PCP-C-48: without the options that may be skipped, at once, and once. */
static void option_errors_are_answered_by_one_repeat_without_options(void **state)
{
	static const uint8_t results[] = { PCP_UNSUPP_OPTION, PCP_MALFORMED_OPTION };
	struct fixture *f = *state;
	struct inquiry inquiry;
	struct pcp_option option;

	for (size_t i = 0; i < TENF_ARRAY_SIZE(results); i++) {
		describe(f, &inquiry, "web");
		(void)answer_pcp(f, &inquiry, results[i], 8080, 1800, 1000);
		fixture_expect_none(f);
		fixture_flush(f);
		assert_int_equal(f->sent_count, 2);
		assert_true(f->sent[1].at == f->now);
		assert_true(find_option(&f->sent[0], PCP_OPTION_DESCRIPTION, &option));
		assert_false(find_option(&f->sent[1], PCP_OPTION_DESCRIPTION, &option));
		(void)answer_pcp(f, &inquiry, results[i], 8080, 1800, 1000);
		fixture_expect(f, &inquiry, TENF_REASON_REFUSED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(requests_are_the_golden_ones),
		FIXTURE_TEST(a_delete_says_nothing_but_what_to_delete),
		FIXTURE_TEST(no_preference_is_the_zero_of_the_family),
		FIXTURE_TEST(prefer_failure_is_sent_only_when_wanted),
		FIXTURE_TEST(third_party_never_names_the_sender),
		FIXTURE_TEST(descriptions_are_filled_up_with_spaces),
		FIXTURE_TEST(descriptions_that_break_the_rules_are_left_out),
		FIXTURE_TEST(a_wanted_mapping_is_asked_for_without_end),
		FIXTURE_TEST(a_single_question_is_one_packet),
		FIXTURE_TEST(few_questions_are_in_their_first_round),
		FIXTURE_TEST(those_who_wait_for_a_place_get_their_verdict_too),
		FIXTURE_TEST(another_port_is_accepted_and_reported),
		FIXTURE_TEST(a_round_trip_is_not_measured_after_a_repetition),
		FIXTURE_TEST(insisting_waits_for_the_port_insisted_on),
		FIXTURE_TEST(insisting_ends_when_only_another_port_comes),
		FIXTURE_TEST(insisting_includes_the_address),
		FIXTURE_TEST(a_refusal_forgets_the_stale_success),
		FIXTURE_TEST(each_result_has_its_reason),
		FIXTURE_TEST(error_lifetimes_are_capped),
		FIXTURE_TEST(an_unknown_version_says_when_to_come_back),
		FIXTURE_TEST(a_short_unsupported_version_is_honoured),
		FIXTURE_TEST(a_success_for_another_host_must_name_it),
		FIXTURE_TEST(option_errors_are_answered_by_one_repeat_without_options),
	};

	return cmocka_run_group_tests_name("client-pcp", tests, NULL, NULL);
}
