/* SPDX-License-Identifier: MIT */
/* What is counted, and in which bucket an answer lands. */
#include "house.h"

#include "gateway/meters.h"

static void requests_are_counted_by_method_and_result(void **state)
{
	struct meters m = { .turns = 0 };
	struct responder_record r = { .verdict = RESPONDER_GRANTED, .version = PCP_VERSION };

	(void)state;
	meters_record(&m, &r);
	r.verdict = RESPONDER_REFUSED;
	r.result = PCP_USER_EX_QUOTA;
	meters_record(&m, &r);
	meters_record(&m, &r);
	r.version = NATPMP_VERSION;
	r.result = NATPMP_NOT_AUTHORIZED;
	meters_record(&m, &r);
	r.verdict = RESPONDER_EXPIRED; /* nobody asked for that */
	meters_record(&m, &r);
	r.verdict = RESPONDER_REFUSED;
	r.result = 255; /* no code of the protocols */
	meters_record(&m, &r);
	assert_int_equal(m.requests[METERS_PCP][PCP_SUCCESS], 1);
	assert_int_equal(m.requests[METERS_PCP][PCP_USER_EX_QUOTA], 2);
	assert_int_equal(m.requests[METERS_NATPMP][NATPMP_NOT_AUTHORIZED], 1);
	assert_int_equal(m.decisions[RESPONDER_REFUSED], 4);
	assert_int_equal(m.decisions[RESPONDER_EXPIRED], 1);
}

static void an_answer_counts_where_its_time_is_not_above_the_bound(void **state)
{
	struct meters m = { .turns = 0 };

	(void)state;
	meters_answers(&m, 0, TENF_SECOND);
	assert_int_equal(m.turns, 0);
	meters_answers(&m, 3, meters_bounds[0]);
	meters_answers(&m, 1, meters_bounds[0] + 1);
	meters_answers(&m, 1, 3600 * TENF_SECOND);
	assert_int_equal(m.latency[0], 3);
	assert_int_equal(m.latency[1], 1);
	assert_int_equal(m.latency[METERS_BUCKETS], 1);
	assert_int_equal(m.turns, 3);
	assert_true(m.latency_sum == 4 * meters_bounds[0] + 1 + 3600 * TENF_SECOND);
}

static void failed_commits_are_counted_by_errno(void **state)
{
	struct meters m = { .turns = 0 };

	(void)state;
	meters_error(&m, 28);
	meters_error(&m, 28);
	meters_error(&m, METERS_ERRORS - 1);
	assert_int_equal(m.errors[28], 2);
	assert_int_equal(m.errors[METERS_ERRORS - 1], 1);
	assert_int_equal(m.errors[0], 0);
	meters_error(&m, 0);
	meters_error(&m, -1);
	meters_error(&m, METERS_ERRORS);
	assert_int_equal(m.errors[0], 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_counted_by_method_and_result),
		cmocka_unit_test(failed_commits_are_counted_by_errno),
		cmocka_unit_test(an_answer_counts_where_its_time_is_not_above_the_bound),
	};

	return cmocka_run_group_tests_name("gateway meters", tests, NULL, NULL);
}
