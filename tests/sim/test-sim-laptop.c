/* SPDX-License-Identifier: MIT */
/*
 * Years of a laptop with our agent; see sim-laptop.h.
 *
 *   test-sim-laptop [--seed N] [--days N] [-v]
 */
#include "sim-laptop.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define SEEDS 2
#define YEAR 365

static struct {
	uint64_t seed; /* 0: all of them */
	unsigned days;
	bool trace;
} options = { .days = YEAR };

static struct laptop laptop;

static int remove_one(const char *path, const struct stat *found, int kind, struct FTW *where)
{
	(void)found;
	(void)kind;
	(void)where;
	return remove(path);
}

/* In memory where there is such a place: the store is written half a million times. */
static bool live(uint64_t seed, unsigned days, enum laptop_crime crime)
{
	char folder[] = "/dev/shm/tenforward-laptop-XXXXXX";
	char elsewhere[] = "/tmp/tenforward-laptop-XXXXXX";
	char *path = mkdtemp(folder);
	bool good;

	if (path == NULL)
		path = mkdtemp(elsewhere);
	assert_non_null(path);
	good = laptop_live(&laptop, path, seed, days, crime, options.trace);
	assert_int_equal(nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	return good;
}

static void a_year_of_a_laptop_costs_no_mapping_and_leaves_none_behind(void **state)
{
	uint64_t first = options.seed != 0 ? options.seed : 1;
	uint64_t last = options.seed != 0 ? options.seed : SEEDS;
	unsigned failed = 0;

	(void)state;
	for (uint64_t seed = first; seed <= last; seed++) {
		if (!live(seed, options.days, NO_CRIME)) {
			print_message("# seed %llu, at %.2f h: %s: %s; again: --seed %llu -v\n",
				      (unsigned long long)seed,
				      (double)laptop_net.now / TENF_SECOND / 3600, laptop.broken,
				      laptop.text, (unsigned long long)seed);
			failed++;
		}
		print_message("# seed %llu: %llu steps, %llu things happened, %llu kills, %llu "
			      "renewals, %llu mappings seen to be open and told\n",
			      (unsigned long long)seed, (unsigned long long)laptop.steps,
			      (unsigned long long)laptop.acts, (unsigned long long)laptop.kills,
			      (unsigned long long)laptop.told[TENF_EVENT_RENEWED],
			      (unsigned long long)laptop.settled);
		assert_true(laptop.settled > 0);
	}
	assert_int_equal(failed, 0);
}

/* The first seed in which somebody had the opportunity. */
static void expect_broken(enum laptop_crime crime, const char *invariant)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		if (live(seed, 30, crime))
			continue;
		assert_string_equal(laptop.broken, invariant);
		return;
	}
	fail_msg("nobody noticed");
}

static void a_gateway_that_forgets_breaks_truth(void **state)
{
	(void)state;
	expect_broken(CRIME_FORGETFUL_GATEWAY, "truth");
}

static void a_store_that_loses_a_record_breaks_the_table(void **state)
{
	(void)state;
	expect_broken(CRIME_LOST_RECORD, "table");
}

static void a_mapping_for_nobody_is_a_leftover(void **state)
{
	(void)state;
	expect_broken(CRIME_SECOND_MAPPING, "leftover");
}

static void nonces_that_are_lost_cost_the_mappings(void **state)
{
	(void)state;
	expect_broken(CRIME_NEW_NONCES, "truth");
}

static void ports_that_are_lost_are_not_the_same(void **state)
{
	(void)state;
	expect_broken(CRIME_NEW_PORTS, "same");
}

static void take_options(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-v") == 0)
			options.trace = true;
		else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
			options.seed = strtoull(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--days") == 0 && i + 1 < argc)
			options.days = (unsigned)strtoul(argv[++i], NULL, 10);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_year_of_a_laptop_costs_no_mapping_and_leaves_none_behind),
		cmocka_unit_test(a_gateway_that_forgets_breaks_truth),
		cmocka_unit_test(a_store_that_loses_a_record_breaks_the_table),
		cmocka_unit_test(a_mapping_for_nobody_is_a_leftover),
		cmocka_unit_test(nonces_that_are_lost_cost_the_mappings),
		cmocka_unit_test(ports_that_are_lost_are_not_the_same),
	};

	take_options(argc, argv);
	return cmocka_run_group_tests_name("laptop", tests, NULL, NULL);
}
