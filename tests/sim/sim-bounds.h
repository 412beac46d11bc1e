/* SPDX-License-Identifier: MIT */
/*
 * How long the rules allow what, as named figures and functions. A figure
 * that is private to the code under test is repeated here on purpose: a change there
 * must be a change here too.
 */
#ifndef TENF_SIM_BOUNDS_H
#define TENF_SIM_BOUNDS_H

#include "sim-world.h"

/* The engine's own figures. */
#define SIM_WATCH_EVERY (300 * TENF_SECOND)
#define SIM_RESTART_DELAY (5 * TENF_SECOND) /* RFC 6886 §3.7, RFC 6887 §14.1.3 */
#define SIM_RECOVER_STEP (3 * TENF_SECOND)  /* a mapping may keep the next one waiting */
#define SIM_RELEASE_MAX (20 * TENF_SECOND)  /* deletes are repeated so long */
#define SIM_PAIR_ROUNDS 7
#define SIM_RENEWAL_SPACING (4 * TENF_SECOND) /* RFC 6887 §11.2.1 */
#define SIM_ERROR_HOLD (1800 * TENF_SECOND)   /* the longest, PCP-C-32 */
#define SIM_PLANNED_MAX (86400 * TENF_SECOND) /* leases are planned as a day at most */

/* Per minute and mapping. One inquiry sends at most 5 PCP packets (0, 3, 9, 21, 45 s)
 * and 8 of NAT-PMP (0, 0.25 … 31.75 s) in its first minute. Twice in it the
 * inquiry may start anew (a restart, a release), and it is sent once
 * more after each sign of life. */
#define SIM_STORM_MAPPING 42
/* A half of a pair is deleted and asked for in several rounds. */
#define SIM_STORM_PAIRED 110
/* Per minute and host, about no mapping: the watch sends 3 + 5 packets within
 * its verdict, every 64 s, and the address is asked for in series of 8 packets; each
 * network that is met anew starts both. */
#define SIM_STORM_HOST 42
/* And beside each mapping, those of a moment ago included: when nobody listens, it
 * is asked for after 4, 8, 16, 32 s, each time with an address request and its first
 * repetition, doubled as above. */
#define SIM_STORM_BESIDE 16

/* A packet is under way so long at most. */
tenf_duration sim_bound_flight(const struct sim_world *world);

/* Until when a mapping that a host was told to hold may be missing at the gateway. */
tenf_time sim_bound_missing(const struct sim_world *world, const struct sim_host *host,
			    const struct sim_claim *claim);

/* When what was removed and confirmed may not be there any more, and for how long
 * that is looked at. A packet that creates, sent less than a flight before the delete, may come
 * after it: neither protocol tells the gateway that it is late, so such graves are left out. */
tenf_time sim_bound_grave(const struct sim_world *world, const struct sim_grave *grave);
#define SIM_GRAVE_WATCHED (60 * TENF_SECOND)

/* By when something must have been told of a new mapping; of a removed one. */
tenf_time sim_bound_verdict(const struct sim_host *host, const struct sim_claim *claim);
tenf_time sim_bound_removed(const struct sim_world *world, const struct sim_host *host,
			    const struct sim_claim *claim);

/* How long one half of a pair may be held alone while nothing disturbs. */
tenf_duration sim_bound_uneven(const struct sim_host *host);

/* After the last fault: how long until every mapping that policy allows is there. */
tenf_duration sim_bound_settled(const struct sim_world *world);
tenf_duration sim_bound_farewell(const struct sim_world *world);

/* Octets; they depend on the number of mappings and not on time. */
size_t sim_bound_host_memory(const struct sim_host *host);
size_t sim_bound_gateway_memory(void);

#endif
