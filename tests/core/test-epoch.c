/* SPDX-License-Identifier: MIT */
#include "core/epoch.h"

#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

typedef bool (*epoch_check)(struct epoch *epoch, uint32_t server_s, tenf_time now);

static bool verdict(const struct vector_epoch *v, epoch_check check)
{
	struct epoch epoch = { 0 };

	assert_true(check(&epoch, v->previous_server_s, tenf_seconds(v->previous_client_s)));
	return check(&epoch, v->current_server_s, tenf_seconds(v->current_client_s));
}

/* NP-C-24: the table says what NAT-PMP makes of two packets. */
static void natpmp_verdicts_are_those_of_the_table(void **state)
{
	(void)state;
	assert_true(vector_epoch_count >= 31);
	for (size_t i = 0; i < vector_epoch_count; i++) {
		if (verdict(&vector_epochs[i], epoch_check_natpmp) !=
		    vector_epochs[i].natpmp_valid)
			fail_msg("%s", vector_epochs[i].name);
	}
}

/* PCP-C-21: the table says what PCP makes of two packets. */
static void pcp_verdicts_are_those_of_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < vector_epoch_count; i++) {
		if (verdict(&vector_epochs[i], epoch_check_pcp) != vector_epochs[i].pcp_valid)
			fail_msg("%s", vector_epochs[i].name);
	}
}

static void the_first_packet_is_always_valid(void **state)
{
	struct epoch natpmp = { 0 };
	struct epoch pcp = { 0 };

	(void)state;
	assert_true(epoch_check_natpmp(&natpmp, UINT32_MAX, 0));
	assert_true(epoch_check_pcp(&pcp, 0, tenf_seconds(1000000)));
	assert_true(natpmp.known && pcp.known);
}

/* NP-C-25, PCP-C-23: the pair is stored after an invalid packet too, so that
 * one restart is one verdict. */
static void the_pair_is_stored_whatever_the_verdict(void **state)
{
	static const epoch_check checks[] = { epoch_check_natpmp, epoch_check_pcp };

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(checks); i++) {
		struct epoch epoch = { 0 };

		assert_true(checks[i](&epoch, 100000, 0));
		assert_false(checks[i](&epoch, 3, tenf_seconds(10)));
		assert_int_equal(epoch.server_s, 3);
		assert_true(epoch.at == tenf_seconds(10));
		assert_true(checks[i](&epoch, 13, tenf_seconds(20)));
	}
}

/* Both clocks are compared in 64 bits: a hundred years of silence and a wrapped
 * server clock end in a verdict, not in an overflow. */
static void a_century_does_not_overflow(void **state)
{
	tenf_time century = tenf_seconds(100LL * 365 * 86400);
	struct epoch natpmp = { 0 };
	struct epoch pcp = { 0 };

	(void)state;
	assert_true(epoch_check_natpmp(&natpmp, UINT32_MAX, 0));
	assert_false(epoch_check_natpmp(&natpmp, UINT32_MAX, century));
	assert_true(epoch_check_pcp(&pcp, UINT32_MAX, 0));
	assert_false(epoch_check_pcp(&pcp, UINT32_MAX, century));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(natpmp_verdicts_are_those_of_the_table),
		cmocka_unit_test(pcp_verdicts_are_those_of_the_table),
		cmocka_unit_test(the_first_packet_is_always_valid),
		cmocka_unit_test(the_pair_is_stored_whatever_the_verdict),
		cmocka_unit_test(a_century_does_not_overflow),
	};

	return cmocka_run_group_tests_name("epoch", tests, NULL, NULL);
}
