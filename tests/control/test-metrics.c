/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "control/metrics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void families_have_help_type_and_samples(void **state)
{
	const struct metrics_label pcp[] = { { "method", "pcp" }, { "state", "mapped" } };
	const struct metrics_label igd[] = { { "method", "igd" }, { "state", "lost" } };
	struct metrics *m = metrics_new();
	const char *text = NULL;

	(void)state;
	metrics_family(m, "mappings", METRICS_GAUGE, "Mappings held.");
	metrics_sample(m, pcp, 2, 3);
	metrics_sample(m, igd, 2, 0);
	metrics_one(m, "packets_sent_total", METRICS_COUNTER, "Packets sent.", 4294967297.0);
	assert_int_equal(metrics_text(m, &text), TENF_OK);
	assert_string_equal(text,
			    "# HELP tenforward_mappings Mappings held.\n"
			    "# TYPE tenforward_mappings gauge\n"
			    "tenforward_mappings{method=\"pcp\",state=\"mapped\"} 3\n"
			    "tenforward_mappings{method=\"igd\",state=\"lost\"} 0\n"
			    "# HELP tenforward_packets_sent_total Packets sent.\n"
			    "# TYPE tenforward_packets_sent_total counter\n"
			    "tenforward_packets_sent_total 4294967297\n");
	metrics_free(m);
}

static void what_would_end_a_text_early_is_escaped(void **state)
{
	const struct metrics_label name = { "name", "a\"b\\c\nd" };
	struct metrics *m = metrics_new();
	const char *text = NULL;

	(void)state;
	metrics_family(m, "x", METRICS_GAUGE, "one\ntwo \\ \"three\"");
	metrics_sample(m, &name, 1, 0.25);
	assert_int_equal(metrics_text(m, &text), TENF_OK);
	assert_string_equal(text, "# HELP tenforward_x one\\ntwo \\\\ \"three\"\n"
				  "# TYPE tenforward_x gauge\n"
				  "tenforward_x{name=\"a\\\"b\\\\c\\nd\"} 0.25\n");
	metrics_free(m);
}

static void numbers_are_written_as_prometheus_reads_them(void **state)
{
	static const double values[] = { 0, -1.5, 1e18, 9007199254740991.0, 0.1 };
	struct metrics *m = metrics_new();
	const char *text = NULL;

	(void)state;
	metrics_family(m, "x", METRICS_GAUGE, "X");
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		metrics_sample(m, NULL, 0, values[i]);
	metrics_sample(m, NULL, 0, (double)NAN);
	metrics_sample(m, NULL, 0, (double)INFINITY);
	metrics_sample(m, NULL, 0, -(double)INFINITY);
	assert_int_equal(metrics_text(m, &text), TENF_OK);
	assert_non_null(strstr(text, "\ntenforward_x 0\ntenforward_x -1.5\ntenforward_x 1e+18\n"
				     "tenforward_x 9007199254740991\ntenforward_x 0.1\n"
				     "tenforward_x NaN\ntenforward_x +Inf\ntenforward_x -Inf\n"));
	metrics_free(m);
}

static void expect_wrong(struct metrics *m)
{
	const char *text = "untouched";

	metrics_one(m, "good", METRICS_GAUGE, "does not help any more", 1);
	assert_int_equal(metrics_text(m, &text), TENF_E_ARGUMENT);
	assert_string_equal(text, "untouched");
	metrics_free(m);
}

static void what_is_wrong_makes_the_whole_text_fail(void **state)
{
	static const char *const names[] = { "", "Big", "with-dash", "1st", "tenforward mappings" };
	const struct metrics_label label = { "not a name", "x" };
	struct metrics *m;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		m = metrics_new();
		metrics_family(m, names[i], METRICS_GAUGE, "X");
		expect_wrong(m);
	}
	m = metrics_new();
	metrics_sample(m, NULL, 0, 1); /* of no family */
	expect_wrong(m);
	m = metrics_new();
	metrics_one(m, "sent", METRICS_COUNTER, "a counter ends in _total", 1);
	expect_wrong(m);
	m = metrics_new();
	metrics_one(m, "_total", METRICS_COUNTER, "X", 1);
	expect_wrong(m);
	m = metrics_new();
	metrics_one(m, "held_total", METRICS_GAUGE, "a gauge does not", 1);
	expect_wrong(m);
	m = metrics_new();
	metrics_one(m, "x", METRICS_GAUGE, "X", 1);
	metrics_one(m, "x", METRICS_GAUGE, "again", 1);
	expect_wrong(m);
	m = metrics_new();
	metrics_family(m, "x", METRICS_GAUGE, "X");
	metrics_sample(m, &label, 1, 1);
	expect_wrong(m);
}

static void more_families_than_the_limit_are_wrong(void **state)
{
	struct metrics *m = metrics_new();
	const char *text;

	(void)state;
	for (int i = 0; i < 128; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "x%d", i);
		metrics_one(m, name, METRICS_GAUGE, "X", i);
	}
	assert_int_equal(metrics_text(m, &text), TENF_OK);
	metrics_one(m, "one_more", METRICS_GAUGE, "X", 1);
	assert_int_equal(metrics_text(m, &text), TENF_E_ARGUMENT);
	metrics_free(m);
	metrics_free(NULL);
}

static void a_histogram_counts_up_to_each_bound(void **state)
{
	static const double bounds[] = { 0.001, 0.25 };
	static const uint64_t counts[] = { 3, 0, 1 };
	struct metrics *m = metrics_new();
	const char *text = NULL;

	(void)state;
	metrics_histogram(m, "answer_seconds", "How long.", bounds, counts, 2, 1.5);
	assert_int_equal(metrics_text(m, &text), TENF_OK);
	assert_string_equal(text, "# HELP tenforward_answer_seconds How long.\n"
				  "# TYPE tenforward_answer_seconds histogram\n"
				  "tenforward_answer_seconds_bucket{le=\"0.001\"} 3\n"
				  "tenforward_answer_seconds_bucket{le=\"0.25\"} 3\n"
				  "tenforward_answer_seconds_bucket{le=\"+Inf\"} 4\n"
				  "tenforward_answer_seconds_sum 1.5\n"
				  "tenforward_answer_seconds_count 4\n");
	metrics_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(families_have_help_type_and_samples),
		cmocka_unit_test(what_would_end_a_text_early_is_escaped),
		cmocka_unit_test(numbers_are_written_as_prometheus_reads_them),
		cmocka_unit_test(a_histogram_counts_up_to_each_bound),
		cmocka_unit_test(what_is_wrong_makes_the_whole_text_fail),
		cmocka_unit_test(more_families_than_the_limit_are_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
