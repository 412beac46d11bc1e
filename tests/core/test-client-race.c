/* SPDX-License-Identifier: MIT */
/* Both protocols beside each other: who is asked first, and who wins. */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void ask_map(struct fixture *f, struct inquiry *inquiry)
{
	question_map(f, inquiry, TENF_TCP, 8080, 8080);
	fixture_ask(f, inquiry);
}

static struct fake_gateway *serve(struct fixture *f, struct fake_gateway *gateway, bool pcp,
				  bool natpmp)
{
	fake_gateway_init(gateway, f->now);
	gateway->pcp = pcp;
	gateway->natpmp = natpmp;
	f->answers = gateway;
	return gateway;
}

/* Asks, lets pass what has to, and expects a success by `method`. */
static void expect_mapped_by(struct fixture *f, enum tenf_method method)
{
	struct inquiry inquiry;

	ask_map(f, &inquiry);
	fixture_run(f, f->now + 4 * TENF_SECOND);
	fixture_expect(f, &inquiry, TENF_REASON_NONE);
	assert_int_equal(inquiry.answer.method, method);
	assert_int_equal(inquiry.answer.external_port, 8080);
}

/* NP-C-32: PCP is the first packet of each question, the address request beside it. */
static void pcp_is_asked_first_and_the_address_beside_it(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	ask_map(f, &inquiry);
	assert_int_equal(f->sent_count, 2);
	assert_true(sent_is_pcp(&f->sent[0]));
	assert_true(sent_is_address_request(&f->sent[1]));
}

static void a_gateway_that_speaks_both_is_used_by_pcp(void **state)
{
	struct fixture *f = *state;
	struct fake_gateway gateway;

	serve(f, &gateway, true, true);
	expect_mapped_by(f, TENF_METHOD_PCP);
	assert_int_equal(sent_count(f, sent_is_natpmp_map), 0);
	assert_int_equal(f->client.pcp, CLIENT_SPEAKS);
	fake_gateway_done(&gateway);
}

static void a_gateway_that_speaks_pcp_alone_is_used_by_pcp(void **state)
{
	struct fixture *f = *state;
	struct fake_gateway gateway;

	serve(f, &gateway, true, false);
	expect_mapped_by(f, TENF_METHOD_PCP);
	fake_gateway_done(&gateway);
}

/* NP-C-33, NP-C-34, PCP-C-37: the fallback comes at once; the next question tries
 * PCP again all the same. */
static void a_gateway_without_pcp_is_used_by_natpmp_and_asked_by_pcp_again(void **state)
{
	struct fixture *f = *state;
	struct fake_gateway gateway;
	tenf_time start = f->now;

	serve(f, &gateway, false, true);
	for (size_t i = 0; i < 3; i++) {
		expect_mapped_by(f, TENF_METHOD_NATPMP);
		assert_int_equal(sent_count(f, sent_is_pcp), i + 1);
		assert_int_equal(sent_count(f, sent_is_natpmp_map), i + 1);
	}
	assert_true(sent_nth(f, sent_is_natpmp_map, 0)->at < start + 20 * TENF_MILLISECOND);
	gateway.pcp = true;
	expect_mapped_by(f, TENF_METHOD_PCP);
	fake_gateway_done(&gateway);
}

/* Some gateways drop PCP without a word: PCP gets a short grace, the next time none. */
static void a_gateway_that_drops_pcp_is_used_by_natpmp_after_a_grace(void **state)
{
	struct fixture *f = *state;
	struct fake_gateway gateway;
	tenf_time start = f->now;

	serve(f, &gateway, false, true)->drops_pcp = true;
	expect_mapped_by(f, TENF_METHOD_NATPMP);
	assert_in_range(sent_nth(f, sent_is_natpmp_map, 0)->at - start, 100 * TENF_MILLISECOND,
			510 * TENF_MILLISECOND);
	assert_int_equal(f->client.pcp, CLIENT_SILENT);
	start = f->now;
	expect_mapped_by(f, TENF_METHOD_NATPMP);
	assert_true(sent_nth(f, sent_is_natpmp_map, 1)->at - start < 10 * TENF_MILLISECOND);
	assert_int_equal(sent_count(f, sent_is_pcp), 2);
	fake_gateway_done(&gateway);
}

/* RFC 6886 §1.1: n questions by PCP become n by NAT-PMP, not n times n. */
static void one_fallback_is_enough_for_all(void **state)
{
	struct fixture *f = *state;
	static struct inquiry inquiries[2 * CLIENT_FRESH_MAX];
	struct fake_gateway gateway;
	size_t answered = 0;

	serve(f, &gateway, false, true);
	for (size_t i = 0; i < TENF_ARRAY_SIZE(inquiries); i++) {
		question_map(f, &inquiries[i], TENF_TCP, (uint16_t)(i + 1), 0);
		client_ask(&f->client, &inquiries[i], f->now);
	}
	fixture_run(f, f->now + 4 * TENF_SECOND);
	while (client_next_answer(&f->client) != NULL)
		answered++;
	assert_int_equal(answered, TENF_ARRAY_SIZE(inquiries));
	assert_int_equal(sent_count(f, sent_is_natpmp_map), TENF_ARRAY_SIZE(inquiries));
	assert_in_range(sent_count(f, sent_is_pcp), 1, CLIENT_FRESH_MAX);
	fake_gateway_done(&gateway);
}

/* NP-C-35, PCP-C-53: version 0 with another result is no word about PCP. */
static void other_errors_in_version_0_do_not_end_pcp(void **state)
{
	static const uint16_t results[] = { NATPMP_SUCCESS, NATPMP_NOT_AUTHORIZED,
					    NATPMP_NETWORK_FAILURE, NATPMP_UNSUPP_OPCODE, 99 };
	struct fixture *f = *state;
	struct inquiry inquiry;

	for (size_t i = 0; i < TENF_ARRAY_SIZE(results); i++) {
		fixture_restart(f, FIXTURE_GATEWAY, FIXTURE_SOURCE, FIXTURE_BOTH, false);
		ask_map(f, &inquiry);
		(void)answer_address(f, results[i], 1000, "203.0.113.7");
		assert_true(inquiry.pcp.on);
		assert_int_equal(answer_pcp(f, &inquiry, PCP_SUCCESS, 8080, 60, 5), CLIENT_TOOK);
		fixture_expect(f, &inquiry, TENF_REASON_NONE);
		assert_int_equal(inquiry.answer.method, TENF_METHOD_PCP);
	}
}

/* The same where NAT-PMP was not even asked: dropped. */
static void an_unasked_natpmp_error_is_dropped(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	fixture_restart(f, FIXTURE_GATEWAY, FIXTURE_SOURCE, TENF_METHOD_PCP, false);
	ask_map(f, &inquiry);
	assert_int_equal(answer_address(f, NATPMP_NETWORK_FAILURE, 1000, "0.0.0.0"),
			 CLIENT_DROPPED);
	assert_true(inquiry.pcp.on);
	assert_false(f->client.natpmp_epoch.known);
}

/* NP-C-36: PCP's word for "not in NAT-PMP" ends NAT-PMP and is no epoch. */
static void a_version_2_answer_ends_natpmp_alone(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	ask_map(f, &inquiry);
	assert_int_equal(fixture_golden(f, "pcp-resp-to-natpmp"), CLIENT_TOOK);
	assert_int_equal(f->client.natpmp, CLIENT_LACKS);
	assert_false(f->client.natpmp_epoch.known);
	assert_false(f->client.pcp_epoch.known);
	fixture_expect_none(f);
	fixture_run(f, f->now + 4 * TENF_SECOND);
	assert_int_equal(sent_count(f, sent_is_address_request), 1);
	assert_int_equal(sent_count(f, sent_is_pcp), 2);
}

static void neither_protocol_is_no_service(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;
	static const uint8_t version3[] = { 3, 129, 0, PCP_UNSUPP_VERSION };

	ask_map(f, &inquiry);
	(void)fixture_golden(f, "pcp-resp-to-natpmp");
	(void)fixture_receive(f, version3, sizeof(version3));
	fixture_expect(f, &inquiry, TENF_REASON_NO_SERVICE);
}

/* A gateway that speaks PCP and goes silent is asked by NAT-PMP after about 9 s,
 * when nobody raced it. */
static void natpmp_is_tried_when_pcp_went_silent(void **state)
{
	struct fixture *f = *state;
	struct fake_gateway gateway;
	struct inquiry inquiry;
	tenf_time start;

	serve(f, &gateway, true, true);
	expect_mapped_by(f, TENF_METHOD_PCP);
	gateway.pcp = false;
	gateway.drops_pcp = true;
	fixture_run(f, f->now + 100 * TENF_SECOND);
	start = f->now;
	f->sent_count = 0;
	question_map(f, &inquiry, TENF_TCP, 8080, 8080);
	inquiry.question.race = false;
	inquiry.question.give_up = TENF_NEVER;
	fixture_ask(f, &inquiry);
	fixture_run(f, start + 20 * TENF_SECOND);
	fixture_expect(f, &inquiry, TENF_REASON_NONE);
	assert_int_equal(inquiry.answer.method, TENF_METHOD_NATPMP);
	assert_in_range(sent_nth(f, sent_is_address_request, 0)->at - start, 8 * TENF_SECOND,
			10 * TENF_SECOND);
	fake_gateway_done(&gateway);
}

static void a_gateway_known_for_pcp_is_not_raced_without_need(void **state)
{
	struct fixture *f = *state;
	struct fake_gateway gateway;
	struct inquiry inquiry;

	serve(f, &gateway, true, true)->checks_nonce = false;
	expect_mapped_by(f, TENF_METHOD_PCP);
	f->sent_count = 0;
	question_map(f, &inquiry, TENF_TCP, 8080, 8080);
	inquiry.question.race = false;
	fixture_ask(f, &inquiry);
	fixture_expect(f, &inquiry, TENF_REASON_NONE);
	assert_int_equal(f->sent_count, 1);
	fake_gateway_done(&gateway);
}

/* Another host's mappings are PCP's business: NAT-PMP would make our own. */
static void another_host_is_never_asked_for_by_natpmp(void **state)
{
	struct fixture *f = *state;
	struct fake_gateway gateway;
	struct inquiry inquiry;

	serve(f, &gateway, false, true);
	question_map(f, &inquiry, TENF_TCP, 8080, 8080);
	inquiry.question.for_other = true;
	inquiry.question.other = address_of("192.168.1.30");
	fixture_ask(f, &inquiry);
	fixture_expect(f, &inquiry, TENF_REASON_NO_SERVICE);
	assert_int_equal(f->sent_count, 1);
	fake_gateway_done(&gateway);
}

/* A sign of life on NAT-PMP: the PCP packet that fell into the silence goes again. */
static void pcp_is_repeated_when_the_gateway_wakes_up(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;
	size_t before;

	question_map(f, &inquiry, TENF_TCP, 8080, 8080);
	inquiry.question.give_up = TENF_NEVER;
	fixture_ask(f, &inquiry);
	fixture_run(f, f->now + 600 * TENF_SECOND);
	before = sent_count(f, sent_is_pcp);
	(void)answer_address(f, NATPMP_SUCCESS, 1, "203.0.113.7");
	fixture_run(f, f->now + 10 * TENF_MILLISECOND);
	assert_int_equal(sent_count(f, sent_is_pcp), before + 1);
	assert_int_equal(sent_count(f, sent_is_natpmp_map), 0);
	(void)answer_pcp(f, &inquiry, PCP_SUCCESS, 8080, 60, 5);
	fixture_expect(f, &inquiry, TENF_REASON_NONE);
}

/* Where the first address request was lost, the PCP request beside it most likely was. */
static void pcp_is_repeated_when_the_first_packets_were_lost(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	ask_map(f, &inquiry);
	fixture_run(f, f->now + 300 * TENF_MILLISECOND);
	assert_int_equal(sent_count(f, sent_is_address_request), 2);
	assert_int_equal(sent_count(f, sent_is_pcp), 1);
	(void)answer_address(f, NATPMP_SUCCESS, 1, "203.0.113.7");
	fixture_run(f, f->now + 10 * TENF_MILLISECOND);
	assert_int_equal(sent_count(f, sent_is_pcp), 2);
	assert_int_equal(sent_count(f, sent_is_natpmp_map), 0);
	fixture_run(f, f->now + 600 * TENF_MILLISECOND);
	assert_int_equal(sent_count(f, sent_is_pcp), 2);
	assert_true(sent_count(f, sent_is_natpmp_map) > 0);
}

static void pcp_is_not_repeated_when_the_address_came_at_once(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	ask_map(f, &inquiry);
	(void)answer_address(f, NATPMP_SUCCESS, 1, "203.0.113.7");
	fixture_run(f, f->now + 600 * TENF_MILLISECOND);
	assert_int_equal(sent_count(f, sent_is_pcp), 1);
}

/* How long PCP wanted to be left alone is not NAT-PMP's error lifetime. */
static void natpmp_errors_have_no_lifetime(void **state)
{
	static const uint8_t version3[] = { 3, 129, 0, PCP_UNSUPP_VERSION, 0, 0, 4, 0 };
	struct fixture *f = *state;
	struct inquiry inquiry;

	ask_map(f, &inquiry);
	(void)fixture_receive(f, version3, sizeof(version3));
	(void)answer_address(f, NATPMP_SUCCESS, 1, "203.0.113.7");
	fixture_flush(f);
	(void)answer_map(f, TENF_TCP, 8080, 0, 0, NATPMP_OUT_OF_RESOURCES, 1);
	fixture_expect(f, &inquiry, TENF_REASON_RESOURCES);
	assert_int_equal(inquiry.answer.lifetime_s, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(pcp_is_asked_first_and_the_address_beside_it),
		FIXTURE_TEST(a_gateway_that_speaks_both_is_used_by_pcp),
		FIXTURE_TEST(a_gateway_that_speaks_pcp_alone_is_used_by_pcp),
		FIXTURE_TEST(a_gateway_without_pcp_is_used_by_natpmp_and_asked_by_pcp_again),
		FIXTURE_TEST(a_gateway_that_drops_pcp_is_used_by_natpmp_after_a_grace),
		FIXTURE_TEST(one_fallback_is_enough_for_all),
		FIXTURE_TEST(other_errors_in_version_0_do_not_end_pcp),
		FIXTURE_TEST(an_unasked_natpmp_error_is_dropped),
		FIXTURE_TEST(a_version_2_answer_ends_natpmp_alone),
		FIXTURE_TEST(neither_protocol_is_no_service),
		FIXTURE_TEST(natpmp_is_tried_when_pcp_went_silent),
		FIXTURE_TEST(a_gateway_known_for_pcp_is_not_raced_without_need),
		FIXTURE_TEST(another_host_is_never_asked_for_by_natpmp),
		FIXTURE_TEST(pcp_is_repeated_when_the_gateway_wakes_up),
		FIXTURE_TEST(pcp_is_repeated_when_the_first_packets_were_lost),
		FIXTURE_TEST(pcp_is_not_repeated_when_the_address_came_at_once),
		FIXTURE_TEST(natpmp_errors_have_no_lifetime),
	};

	return cmocka_run_group_tests_name("client-race", tests, NULL, NULL);
}
