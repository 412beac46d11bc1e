/* SPDX-License-Identifier: MIT */
/*
 * What must hold in every world, looked at after each step. The bounds are
 * functions with names, each with its derivation, in sim-bounds.h; the first breach ends the run
 * through sim_fail(). Names of invariants, as failures print them:
 *
 *   truth      what a host is told to hold, the gateway forwards
 *   grave      what was removed and confirmed is gone
 *   storm      packets a mapping and minute are bounded
 *   spacing    never two renewals of a mapping within four seconds
 *   renewal    in a clean network no kept mapping is lost
 *   pair       both halves of a told pair have one external port, or neither is held
 *   owner      an external port belongs to one host, with its companion
 *   progress   time goes on; a deadline is not in the past for ever
 *   ledger     the ledger and the kernel agree
 *   memory     nothing grows with time
 *   restart    a restart of the gateway is never invented
 *   verdict    whoever asks hears something in time, whoever removes too
 *   liveness   after the faults all that policy allows is mapped
 *   farewell   after everybody left nothing is left
 */
#ifndef TENF_SIM_INVARIANTS_H
#define TENF_SIM_INVARIANTS_H

#include "sim-world.h"

void sim_check_step(struct sim_world *world);
/* A packet on its way from a host. */
void sim_check_sent(struct sim_world *world, struct sim_host *host,
		    const struct sim_packet *packet);
void sim_check_event(struct sim_world *world, struct sim_host *host,
		     const struct engine_event *event);
void sim_check_settled(struct sim_world *world);
void sim_check_farewell(struct sim_world *world);

#endif
