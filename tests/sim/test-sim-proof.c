/* SPDX-License-Identifier: MIT */
/*
 * Shows that the invariants can fail: each case runs worlds that break one law
 * on purpose, and the invariant that guards it must be the one that notices.
 */
/* clang-format off: cmocka wants these first, in this order */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "sim-crime.h"

#include <stdio.h>
#include <string.h>

#define SEEDS 20 /* not every world has what a crime needs: a pair, two hosts */

static struct sim_world world;

static void the_invariant_notices(void **state)
{
	const enum sim_crime *crime = *state;
	const struct sim_profile *profile = sim_profile_find(sim_crime_profile(*crime));
	unsigned noticed = 0;

	for (uint64_t seed = 1; seed <= SEEDS && noticed == 0; seed++) {
		if (sim_world_run(&world, profile, seed, *crime, false))
			continue;
		assert_string_equal(world.verdict.invariant, sim_crime_invariant(*crime));
		noticed++;
	}
	assert_int_equal(noticed, 1);
}

/* As sim-invariants.h lists them. */
static void every_invariant_has_a_crime(void **state)
{
	static const char *const invariants[] = {
		"truth", "grave", "storm", "spacing", "renewal", "pair", "owner", "progress",
		"ledger", "memory", "restart", "verdict", "liveness", "farewell",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(invariants) / sizeof(invariants[0]); i++) {
		unsigned crimes = 0;

		for (unsigned k = 1; k < SIM_CRIMES; k++)
			crimes += strcmp(sim_crime_invariant((enum sim_crime)k),
					 invariants[i]) == 0;
		assert_true(crimes > 0);
	}
}

static void the_same_seed_gives_the_same_world(void **state)
{
	const struct sim_profile *profile = sim_profile_find("everything");
	uint64_t steps, events, carried;

	(void)state;
	assert_true(sim_world_run(&world, profile, 7, SIM_NO_CRIME, false));
	steps = world.steps;
	events = world.events;
	carried = world.net.carried;
	assert_true(events > 100);
	assert_true(sim_world_run(&world, profile, 7, SIM_NO_CRIME, false));
	assert_int_equal(world.steps, steps);
	assert_int_equal(world.events, events);
	assert_int_equal(world.net.carried, carried);
}

int main(void)
{
	static enum sim_crime crimes[SIM_CRIMES];
	static char names[SIM_CRIMES][64];
	struct CMUnitTest tests[SIM_CRIMES + 1];

	tests[0] = (struct CMUnitTest)cmocka_unit_test(the_same_seed_gives_the_same_world);
	for (size_t i = 1; i < SIM_CRIMES; i++) {
		crimes[i] = (enum sim_crime)i;
		(void)snprintf(names[i], sizeof(names[i]), "%s_is_noticed_by_%s",
			       sim_crime_name(crimes[i]), sim_crime_invariant(crimes[i]));
		tests[i] = (struct CMUnitTest){
			.name = names[i], .test_func = the_invariant_notices,
			.initial_state = &crimes[i],
		};
	}
	tests[SIM_CRIMES] = (struct CMUnitTest)cmocka_unit_test(every_invariant_has_a_crime);
	return _cmocka_run_group_tests("sim-proof", tests, SIM_CRIMES + 1, NULL, NULL);
}
