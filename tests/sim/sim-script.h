/* SPDX-License-Identifier: MIT */
/*
 * What happens to a world while there is weather: users come and go, the
 * gateway reboots, is silent, gets another address, hosts roam and sleep. When and what
 * is chance, within the profile.
 */
#ifndef TENF_SIM_SCRIPT_H
#define TENF_SIM_SCRIPT_H

#include "sim-world.h"

void sim_script_start(struct sim_world *world);
tenf_time sim_script_deadline(const struct sim_world *world);
void sim_script_act(struct sim_world *world); /* all that is due */
/* The weather is over: every fault ends, everybody is awake and at home. */
void sim_script_calm(struct sim_world *world);
/* Everybody gives up what he holds. */
void sim_script_farewell(struct sim_world *world);

#endif
