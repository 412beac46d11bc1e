/* SPDX-License-Identifier: MIT */
/*
 * A world: a gateway, the hosts behind it, the network between them, what happens
 * to all of them, one clock and one seed. The clock jumps from one deadline to the
 * next; nothing ever ticks. The first broken invariant ends the run.
 *
 *   weather (profile.hours) → calm until all must be well again → farewell
 *
 * `crime` makes the world break a law on purpose, to show that the invariant
 * which guards it can fail.
 */
#ifndef TENF_SIM_WORLD_H
#define TENF_SIM_WORLD_H

#include "sim-gateway.h"
#include "sim-host.h"
#include "sim-net.h"
#include "sim-profile.h"

#define SIM_HOSTS_MAX 3

enum sim_crime {
	SIM_NO_CRIME,
	SIM_HALF_LEASES,   /* leases end at half of what was told */
	SIM_NO_RENEWALS,   /* in a clean network, requests get lost after an hour */
	SIM_UNDEAD,        /* a removed mapping comes back */
	SIM_STORM,         /* each packet is sent forty times */
	SIM_UNEVEN_PAIR,   /* the application is told another port for UDP */
	SIM_TWO_OWNERS,    /* the kernel gives one port to two hosts */
	SIM_FORGETFUL,     /* the kernel forgets a mapping, the ledger does not */
	SIM_STUCK_CLOCK,   /* a deadline that never passes */
	SIM_LEAK,          /* memory that is never given back */
	SIM_INVENTED_RESTART, /* epochs that go back without a reason */
	SIM_NEVER_WELL,    /* the gateway stays silent when the weather is over */
	SIM_HASTY,         /* a renewal goes out a second after the grant */
	SIM_DRIFT,         /* the kernel holds a mapping longer than the ledger says */
	SIM_DEAF,          /* the application hears of no verdict */
	SIM_LEFTOVER,      /* when all have left, the kernel forwards a port of nobody */
	SIM_CRIMES,
};

enum sim_phase {
	SIM_WEATHER,
	SIM_SETTLING,
	SIM_FAREWELL,
	SIM_OVER,
};

struct sim_verdict {
	const char *invariant; /* NULL: all hold */
	char text[200];
	tenf_time at;
};

struct sim_world {
	const struct sim_profile *profile;
	uint64_t seed;
	bool trace; /* print what happens */
	enum sim_crime crime;
	struct tenf_seeded seeded;
	struct tenf_random random;
	struct tenf_seeded net_seeded;
	tenf_time now;
	enum sim_phase phase;
	tenf_time phase_ends;
	uint32_t lifetime_max_s; /* of the gateway */
	bool corrupts;           /* this seed has packets that lie */

	struct sim_net net;
	struct sim_gateway gateway;
	struct sim_host hosts[SIM_HOSTS_MAX];
	size_t host_count;

	/* The script: when each kind of thing happens next, and what ends when. */
	tenf_time next[SIM_ACTIONS];
	tenf_time silence_ends, unreachable_ends, quirk_ends, address_ends; /* TENF_NEVER: not on */
	uint16_t exact_ports; /* given out so far, each once */

	unsigned steps_here; /* at one instant */
	uint64_t steps;
	uint64_t events;
	struct sim_packet last_answer; /* for those who forge */
	struct sim_packet first_create; /* for SIM_UNDEAD */
	struct sim_verdict verdict;
};

/* Runs one seed from birth to end; true when every invariant held. The world is
 * large: keep it static or on the heap. */
bool sim_world_run(struct sim_world *world, const struct sim_profile *profile, uint64_t seed,
		   enum sim_crime crime, bool trace);

void sim_fail(struct sim_world *world, const char *invariant, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Uniform in [0, bound), a bool of that chance. */
uint64_t sim_below(struct sim_world *world, uint64_t bound);
bool sim_chance(struct sim_world *world, unsigned chance);

/* The last trouble that may have cost this host a mapping; now, while there is one. */
tenf_time sim_trouble(const struct sim_world *world, const struct sim_host *host);

#endif
