/* SPDX-License-Identifier: MIT */
/*
 * Breaking a law of the world on purpose, so that a test can show that the
 * invariant which guards it notices. Each does nothing unless it is the world's crime.
 */
#ifndef TENF_SIM_CRIME_H
#define TENF_SIM_CRIME_H

#include "sim-world.h"

const char *sim_crime_name(enum sim_crime crime);
/* The invariant that must notice, and the profile in which it shows. */
const char *sim_crime_invariant(enum sim_crime crime);
const char *sim_crime_profile(enum sim_crime crime);

/* A packet of a host: true when the crime makes it vanish. */
bool sim_crime_eats(struct sim_world *world, struct sim_host *host,
		    const struct sim_packet *packet);
void sim_crime_forge(struct sim_world *world, struct sim_packet *answer);
void sim_crime_at_gateway(struct sim_world *world);
void sim_crime_at_host(struct sim_world *world, struct sim_host *host,
		       const struct engine_event *event);

#endif
