/* SPDX-License-Identifier: MIT */
/* The part of a search that needs no network; the rest is tried in test_devices.py. */
#include "igd/search.h"

#include <setjmp.h>
#include <stdarg.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

static void a_near_gateway_whose_port_is_closed_costs_little(void **state)
{
	(void)state;
	assert_int_equal(igd_search_rest(0), 8 * TENF_MILLISECOND);
	assert_int_equal(igd_search_rest(TENF_MILLISECOND / 5), 8 * TENF_MILLISECOND);
	assert_int_equal(igd_search_rest(TENF_MILLISECOND), 8 * TENF_MILLISECOND);
}

static void a_far_one_gets_the_time_its_answers_need_and_no_more_than_the_most(void **state)
{
	(void)state;
	assert_int_equal(igd_search_rest(2 * TENF_MILLISECOND), 16 * TENF_MILLISECOND);
	assert_int_equal(igd_search_rest(4 * TENF_MILLISECOND), 30 * TENF_MILLISECOND);
	assert_int_equal(igd_search_rest(TENF_NEVER), 30 * TENF_MILLISECOND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_near_gateway_whose_port_is_closed_costs_little),
		cmocka_unit_test(
			a_far_one_gets_the_time_its_answers_need_and_no_more_than_the_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
