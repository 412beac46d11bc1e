/* SPDX-License-Identifier: MIT */
/* Who speaks what, without opening anything. */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void discover(struct fixture *f, struct inquiry *inquiry)
{
	question_discover(f, inquiry);
	fixture_ask(f, inquiry);
}

/* NP-C-01, PCP-C-51: both questions leave at once and are the golden ones. */
static void both_protocols_are_asked_at_once(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	discover(f, &inquiry);
	assert_int_equal(f->sent_count, 2);
	sent_equals_golden(&f->sent[0], "pcp-req-announce");
	sent_equals_golden(&f->sent[1], "np-req-address");
}

static void two_answers_end_it_at_once(void **state)
{
	struct fixture *f = *state;
	struct tenf_address external = address_of("203.0.113.7");
	struct inquiry inquiry;

	discover(f, &inquiry);
	f->now += 3 * TENF_MILLISECOND;
	(void)answer_address(f, NATPMP_SUCCESS, 438, "203.0.113.7");
	fixture_expect_none(f);
	(void)answer_pcp(f, &inquiry, PCP_SUCCESS, 0, 0, 438);
	fixture_expect(f, &inquiry, TENF_REASON_NONE);
	assert_int_equal(inquiry.answer.spoken, FIXTURE_BOTH);
	assert_int_equal(inquiry.answer.epoch_s, 438);
	assert_true(inquiry.answer.rtt == 3 * TENF_MILLISECOND);
	assert_true(tenf_address_equal(&inquiry.answer.external_address, &external));
}

/* The second protocol gets a second once the first has answered. */
static void one_answer_waits_a_second_for_the_other(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	discover(f, &inquiry);
	(void)answer_address(f, NATPMP_SUCCESS, 438, "203.0.113.7");
	fixture_run(f, f->now + TENF_SECOND - 1);
	fixture_expect_none(f);
	fixture_run(f, f->now + 1);
	fixture_expect(f, &inquiry, TENF_REASON_NONE);
	assert_int_equal(inquiry.answer.spoken, TENF_METHOD_NATPMP);
}

static void a_gateway_without_pcp_is_found_without_waiting(void **state)
{
	struct fixture *f = *state;
	struct fake_gateway gateway;
	struct inquiry inquiry;

	fake_gateway_init(&gateway, f->now);
	gateway.pcp = false;
	f->answers = &gateway;
	discover(f, &inquiry);
	fixture_expect(f, &inquiry, TENF_REASON_NONE);
	assert_int_equal(inquiry.answer.spoken, TENF_METHOD_NATPMP);
	assert_int_equal(fake_gateway_count(&gateway, f->now), 0);
	fake_gateway_done(&gateway);
}

static void a_gateway_without_natpmp_is_found_without_waiting(void **state)
{
	struct fixture *f = *state;
	struct fake_gateway gateway;
	struct inquiry inquiry;

	fake_gateway_init(&gateway, f->now);
	gateway.natpmp = false;
	f->answers = &gateway;
	discover(f, &inquiry);
	fixture_expect(f, &inquiry, TENF_REASON_NONE);
	assert_int_equal(inquiry.answer.spoken, TENF_METHOD_PCP);
	fake_gateway_done(&gateway);
}

static void silence_is_a_verdict_in_time(void **state)
{
	struct fixture *f = *state;
	tenf_time start = f->now;
	struct inquiry inquiry;

	discover(f, &inquiry);
	fixture_run(f, start + 5 * TENF_SECOND);
	fixture_expect(f, &inquiry, TENF_REASON_SILENT);
	assert_int_equal(inquiry.answer.spoken, 0);
	assert_int_equal(sent_count(f, sent_is_pcp), 3);
	assert_true(sent_nth(f, sent_is_pcp, 1)->at - start == 500 * TENF_MILLISECOND);
}

static void an_answer_before_port_unreachable_counts(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	discover(f, &inquiry);
	client_unreachable(&f->client, f->now);
	fixture_expect(f, &inquiry, TENF_REASON_NO_SERVICE);
	discover(f, &inquiry);
	(void)answer_address(f, NATPMP_SUCCESS, 438, "203.0.113.7");
	client_unreachable(&f->client, f->now);
	fixture_expect(f, &inquiry, TENF_REASON_NONE);
	assert_int_equal(inquiry.answer.spoken, TENF_METHOD_NATPMP);
}

/* NP-C-38: an address of zeros is an answer that makes no sense, */
static void a_zero_address_is_malformed(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	discover(f, &inquiry);
	(void)answer_address(f, NATPMP_SUCCESS, 438, "0.0.0.0");
	fixture_run(f, f->now + 2 * TENF_SECOND);
	fixture_expect(f, &inquiry, TENF_REASON_MALFORMED);
}

/* but no fault of the PCP beside it, whichever answers first. */
static void a_zero_address_does_not_spoil_pcp(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	discover(f, &inquiry);
	(void)answer_pcp(f, &inquiry, PCP_SUCCESS, 0, 0, 438);
	(void)answer_address(f, NATPMP_SUCCESS, 438, "0.0.0.0");
	fixture_expect(f, &inquiry, TENF_REASON_NONE);
	discover(f, &inquiry);
	(void)answer_address(f, NATPMP_SUCCESS, 438, "0.0.0.0");
	(void)answer_pcp(f, &inquiry, PCP_SUCCESS, 0, 0, 438);
	fixture_expect(f, &inquiry, TENF_REASON_NONE);
}

/* A gateway without external address was found all the same. */
static void an_error_is_an_answer_too(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	fixture_restart(f, FIXTURE_GATEWAY, FIXTURE_SOURCE, TENF_METHOD_NATPMP, false);
	discover(f, &inquiry);
	(void)fixture_golden(f, "np-resp-address-network-failure");
	fixture_expect(f, &inquiry, TENF_REASON_NONE);
	assert_int_equal(inquiry.answer.result, NATPMP_NETWORK_FAILURE);
	assert_true(tenf_address_is_none(&inquiry.answer.external_address));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(both_protocols_are_asked_at_once),
		FIXTURE_TEST(two_answers_end_it_at_once),
		FIXTURE_TEST(one_answer_waits_a_second_for_the_other),
		FIXTURE_TEST(a_gateway_without_pcp_is_found_without_waiting),
		FIXTURE_TEST(a_gateway_without_natpmp_is_found_without_waiting),
		FIXTURE_TEST(silence_is_a_verdict_in_time),
		FIXTURE_TEST(an_answer_before_port_unreachable_counts),
		FIXTURE_TEST(a_zero_address_is_malformed),
		FIXTURE_TEST(a_zero_address_does_not_spoil_pcp),
		FIXTURE_TEST(an_error_is_an_answer_too),
	};

	return cmocka_run_group_tests_name("client-discover", tests, NULL, NULL);
}
