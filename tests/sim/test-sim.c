/* SPDX-License-Identifier: MIT */
/*
 * Runs seeds of profiles, one test case a profile. Without arguments: the
 * seeds that `make check` runs.
 *
 *   test-sim [--profile NAME]… [--seed N | --seeds FROM-TO] [--percent N] [-v]
 *            [--break CRIME]
 *
 * A failure prints the command that replays it. `-v` prints everything that
 * happens, for one seed.
 */
/* clang-format off: cmocka wants these first, in this order */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "sim-crime.h"
#include "sim-trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROFILES_MAX 32

static struct {
	const struct sim_profile *profiles[PROFILES_MAX];
	size_t profile_count;
	bool seeds_given;
	uint64_t first, last;
	unsigned percent;
	enum sim_crime crime;
	bool trace;
} options = { .percent = 100 };

static struct sim_world world;

static void report(const struct sim_profile *profile, uint64_t seed)
{
	char at[SIM_TIME_TEXT];

	print_error("%s seed %llu: invariant %s is broken at %s: %s\n", profile->name,
		    (unsigned long long)seed, world.verdict.invariant,
		    sim_time_text(world.verdict.at, at), world.verdict.text);
	print_error("replay: test-sim --profile %s --seed %llu --percent %u%s%s -v\n",
		    profile->name, (unsigned long long)seed, options.percent,
		    options.crime != SIM_NO_CRIME ? " --break " : "",
		    options.crime != SIM_NO_CRIME ? sim_crime_name(options.crime) : "");
}

/* A part of the seeds; where that is less than one, a part of its weather. */
static struct sim_profile scaled(const struct sim_profile *profile)
{
	struct sim_profile ret = *profile;

	ret.seeds = profile->seeds * options.percent / 100;
	if (ret.seeds == 0) {
		ret.seeds = 1;
		ret.hours = profile->hours * profile->seeds * options.percent / 100 + 1;
	}
	return ret;
}

static void run_profile(void **state)
{
	const struct sim_profile profile = scaled(*state);
	uint64_t first = options.seeds_given ? options.first : 1;
	uint64_t last = options.seeds_given ? options.last : profile.seeds;
	uint64_t failed = 0;
	uint64_t steps = 0;

	for (uint64_t seed = first; seed <= last; seed++) {
		if (!sim_world_run(&world, &profile, seed, options.crime, options.trace)) {
			report(&profile, seed);
			failed++;
		}
		steps += world.steps;
	}
	print_message("# %s: %llu steps\n", profile.name, (unsigned long long)steps);
	assert_int_equal(failed, 0);
}

/* ---- The command line ------------------------------------------------------------ */

static void usage(void)
{
	fprintf(stderr, "usage: test-sim [--profile NAME]... [--seed N | --seeds FROM-TO]\n"
			"                [--percent N] [--break CRIME] [-v]\nprofiles:");
	for (size_t i = 0; i < sim_profile_count; i++)
		fprintf(stderr, " %s", sim_profiles[i].name);
	fprintf(stderr, "\ncrimes:");
	for (size_t i = 1; i < SIM_CRIMES; i++)
		fprintf(stderr, " %s", sim_crime_name((enum sim_crime)i));
	fprintf(stderr, "\n");
	exit(2);
}

static uint64_t number(const char *text, char **ret_end)
{
	uint64_t value = strtoull(text, ret_end, 10);

	if (*ret_end == text)
		usage();
	return value;
}

static void take_seeds(const char *text)
{
	char *end;

	options.first = options.last = number(text, &end);
	if (*end == '-')
		options.last = number(end + 1, &end);
	if (*end != '\0')
		usage();
	options.seeds_given = true;
}

static void take_profile(const char *name)
{
	const struct sim_profile *profile = sim_profile_find(name);

	if (profile == NULL || options.profile_count == PROFILES_MAX)
		usage();
	options.profiles[options.profile_count++] = profile;
}

static void take_crime(const char *name)
{
	for (size_t i = 0; i < SIM_CRIMES; i++) {
		if (strcmp(name, sim_crime_name((enum sim_crime)i)) == 0) {
			options.crime = (enum sim_crime)i;
			return;
		}
	}
	usage();
}

static void take_option(const char *name, const char *value)
{
	char *end;

	if (strcmp(name, "--seed") == 0 || strcmp(name, "--seeds") == 0)
		take_seeds(value);
	else if (strcmp(name, "--profile") == 0)
		take_profile(value);
	else if (strcmp(name, "--percent") == 0)
		options.percent = (unsigned)number(value, &end);
	else if (strcmp(name, "--break") == 0)
		take_crime(value);
	else
		usage();
}

static void take_options(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-v") == 0)
			options.trace = true;
		else if (i + 1 < argc)
			take_option(argv[i], argv[i + 1]), i++;
		else
			usage();
	}
	for (size_t i = 0; options.profile_count == 0 && i < sim_profile_count; i++)
		options.profiles[i] = &sim_profiles[i];
	if (options.profile_count == 0)
		options.profile_count = sim_profile_count;
}

int main(int argc, char **argv)
{
	struct CMUnitTest tests[PROFILES_MAX];

	take_options(argc, argv);
	for (size_t i = 0; i < options.profile_count; i++)
		tests[i] = (struct CMUnitTest){
			.name = options.profiles[i]->sentence, .test_func = run_profile,
			.initial_state = (void *)(uintptr_t)options.profiles[i],
		};
	return _cmocka_run_group_tests("sim", tests, options.profile_count, NULL, NULL);
}
