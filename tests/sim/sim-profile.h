/* SPDX-License-Identifier: MIT */
/*
 * Profiles: which troubles a simulated world has, and how often. A profile is a
 * frame; within it the seed chooses the number of hosts, the latency, the loss and
 * everything else, so two seeds of one profile are two different worlds.
 */
#ifndef TENF_SIM_PROFILE_H
#define TENF_SIM_PROFILE_H

#include "base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_CHANCE_ALL 10000 /* chances are parts of this */

/* What may happen to a world, each on its own clock. */
enum sim_action {
	SIM_ADD,
	SIM_REMOVE,
	SIM_REBOOT,      /* everything lost, epoch 0; sometimes another firmware */
	SIM_RESTART,     /* the daemon alone: the kernel keeps its mappings */
	SIM_ADDRESS,     /* another external address, or none for a while */
	SIM_SILENCE,     /* the gateway hears nothing for a while */
	SIM_UNREACHABLE, /* nobody listens there for a while */
	SIM_QUIRK,       /* one of the protocols is ignored for a while */
	SIM_ROAM,
	SIM_SLEEP,
	SIM_ACTIONS,
};

/* What the gateway speaks. */
enum sim_speech {
	SIM_BOTH,
	SIM_NATPMP_ONLY, /* PCP is switched off: answered with a version */
	SIM_PCP_ONLY,
	SIM_ONE_IGNORED, /* one of them is never answered, by the seed's choice */
	SIM_ANY_SPEECH,  /* any of the above */
};

struct sim_profile {
	const char *name;
	const char *sentence; /* the name of its test case */
	unsigned seeds;       /* that `make check` runs */
	uint32_t hours;       /* of weather; calm follows */
	unsigned wishes;      /* of each host, at most */
	enum sim_speech speech;
	/* Chances a packet; loss is the most that a seed may choose. */
	unsigned loss_max;
	unsigned duplicate;
	unsigned reorder;
	unsigned truncate;
	unsigned corrupt; /* half of the seeds have none */
	unsigned foreign; /* packets of strangers beside the real one */
	tenf_duration delay_max;
	unsigned commit_fails; /* chance a batch */
	uint32_t mean_s[SIM_ACTIONS]; /* between two of a kind; 0: never */
};

extern const struct sim_profile sim_profiles[];
extern const size_t sim_profile_count;

const struct sim_profile *sim_profile_find(const char *name); /* NULL: no such profile */

#endif
