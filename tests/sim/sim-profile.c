/* SPDX-License-Identifier: MIT */
#include "sim-profile.h"

#include <string.h>

#define HOUR 3600u
#define DAY (24 * HOUR)

/* Two packets a second apart must not change places where the epoch is to
 * hold: it may step back by one second, no further (RFC 6887 §8.5). */
#define STEADY (900 * TENF_MILLISECOND)
#define UNSTEADY (1500 * TENF_MILLISECOND)

const struct sim_profile sim_profiles[] = {
	{ .name = "calm", .sentence = "a_calm_year_keeps_every_mapping",
	  .seeds = 2, .hours = 365 * 24, .wishes = 5, .delay_max = 40 * TENF_MILLISECOND,
	  .mean_s = { [SIM_ADD] = 20 * DAY, [SIM_REMOVE] = 40 * DAY } },
	{ .name = "busy", .sentence = "users_come_and_go_in_a_clean_network",
	  .seeds = 100, .hours = 16, .wishes = 10, .delay_max = STEADY, .reorder = 1000,
	  .mean_s = { [SIM_ADD] = 900, [SIM_REMOVE] = 1200, [SIM_RESTART] = 2 * HOUR } },
	{ .name = "lossy", .sentence = "losses_cost_no_more_than_time",
	  .seeds = 250, .hours = 12, .wishes = 6, .loss_max = 4000, .duplicate = 500,
	  .delay_max = STEADY, .reorder = 500,
	  .mean_s = { [SIM_ADD] = HOUR, [SIM_REMOVE] = 2 * HOUR } },
	{ .name = "reorder", .sentence = "packets_overtake_each_other_and_come_twice",
	  .seeds = 150, .hours = 8, .wishes = 8, .duplicate = 3000, .reorder = 7000,
	  .delay_max = UNSTEADY,
	  .mean_s = { [SIM_ADD] = 1200, [SIM_REMOVE] = 1800 } },
	{ .name = "reboots", .sentence = "a_gateway_that_reboots_gets_its_mappings_back",
	  .seeds = 250, .hours = 16, .wishes = 6, .delay_max = STEADY, .reorder = 500,
	  .mean_s = { [SIM_ADD] = 3 * HOUR, [SIM_REMOVE] = 5 * HOUR, [SIM_REBOOT] = HOUR,
		      [SIM_RESTART] = 2 * HOUR, [SIM_ADDRESS] = 5 * HOUR } },
	{ .name = "natpmp-only", .sentence = "a_gateway_of_nat_pmp_alone_is_enough",
	  .seeds = 150, .hours = 8, .wishes = 6, .speech = SIM_NATPMP_ONLY, .loss_max = 1500,
	  .duplicate = 200, .reorder = 500, .delay_max = STEADY,
	  .mean_s = { [SIM_ADD] = HOUR, [SIM_REMOVE] = 2 * HOUR, [SIM_REBOOT] = 6 * HOUR,
		      [SIM_RESTART] = 4 * HOUR } },
	{ .name = "pcp-only", .sentence = "a_gateway_of_pcp_alone_is_enough",
	  .seeds = 150, .hours = 12, .wishes = 6, .speech = SIM_PCP_ONLY, .loss_max = 1500,
	  .duplicate = 200, .reorder = 500, .delay_max = STEADY,
	  .mean_s = { [SIM_ADD] = HOUR, [SIM_REMOVE] = 2 * HOUR, [SIM_REBOOT] = 6 * HOUR,
		      [SIM_RESTART] = 4 * HOUR } },
	{ .name = "silent-one", .sentence = "one_protocol_that_stays_silent_is_no_loss",
	  .seeds = 150, .hours = 10, .wishes = 6, .speech = SIM_ONE_IGNORED, .loss_max = 1000,
	  .delay_max = STEADY, .reorder = 200,
	  .mean_s = { [SIM_ADD] = HOUR, [SIM_REMOVE] = 2 * HOUR, [SIM_QUIRK] = 4 * HOUR,
		      [SIM_SILENCE] = 6 * HOUR } },
	{ .name = "roaming", .sentence = "hosts_roam_and_sleep_and_find_their_mappings",
	  .seeds = 250, .hours = 24, .wishes = 5, .loss_max = 500, .delay_max = STEADY,
	  .reorder = 500,
	  .mean_s = { [SIM_ADD] = 3 * HOUR, [SIM_REMOVE] = 5 * HOUR, [SIM_ROAM] = 2 * HOUR,
		      [SIM_SLEEP] = 3 * HOUR, [SIM_REBOOT] = 24 * HOUR } },
	{ .name = "outages", .sentence = "a_gateway_that_is_away_for_a_while_is_found_again",
	  .seeds = 200, .hours = 12, .wishes = 6, .loss_max = 500, .delay_max = STEADY,
	  .reorder = 500, .commit_fails = 300,
	  .mean_s = { [SIM_ADD] = 3 * HOUR, [SIM_REMOVE] = 5 * HOUR, [SIM_SILENCE] = 2 * HOUR,
		      [SIM_UNREACHABLE] = 2 * HOUR, [SIM_REBOOT] = 8 * HOUR,
		      [SIM_RESTART] = 3 * HOUR, [SIM_ADDRESS] = 8 * HOUR } },
	{ .name = "hostile", .sentence = "strangers_and_broken_packets_do_no_lasting_harm",
	  .seeds = 150, .hours = 8, .wishes = 6, .loss_max = 500, .duplicate = 500,
	  .reorder = 1000, .truncate = 200, .corrupt = 300, .foreign = 3000, .delay_max = STEADY,
	  .mean_s = { [SIM_ADD] = HOUR, [SIM_REMOVE] = 2 * HOUR } },
	{ .name = "everything", .sentence = "all_of_it_at_once",
	  .seeds = 200, .hours = 14, .wishes = 8, .speech = SIM_ANY_SPEECH, .loss_max = 4000,
	  .duplicate = 1000, .reorder = 2000, .truncate = 50, .corrupt = 50, .foreign = 500,
	  .delay_max = UNSTEADY, .commit_fails = 200,
	  .mean_s = { [SIM_ADD] = HOUR, [SIM_REMOVE] = 2 * HOUR, [SIM_REBOOT] = 4 * HOUR,
		      [SIM_RESTART] = 4 * HOUR, [SIM_ADDRESS] = 12 * HOUR, [SIM_SILENCE] = 4 * HOUR,
		      [SIM_UNREACHABLE] = 4 * HOUR, [SIM_QUIRK] = 6 * HOUR,
		      [SIM_ROAM] = 5 * HOUR, [SIM_SLEEP] = 5 * HOUR } },
};
const size_t sim_profile_count = sizeof(sim_profiles) / sizeof(sim_profiles[0]);

const struct sim_profile *sim_profile_find(const char *name)
{
	for (size_t i = 0; i < sim_profile_count; i++) {
		if (strcmp(sim_profiles[i].name, name) == 0)
			return &sim_profiles[i];
	}
	return NULL;
}
