/* SPDX-License-Identifier: MIT */
/*
 * A laptop with our agent, for as long as its seed says: it sleeps and wakes,
 * goes from home to the office and to a café where no gateway answers, has a
 * tunnel up now and then, is switched off, and its agent is killed at any moment.
 * Its user makes mappings, removes them, and changes the configuration. Agent,
 * store and the library's session are the real ones; the network below them is
 * that of sim-laptop-net.h, the time is virtual.
 *
 *   agent.c, store.c (a real file) → lib/session.c → keeper → [ sim-laptop-net ]
 */
#ifndef TENF_SIM_LAPTOP_H
#define TENF_SIM_LAPTOP_H

#include "agent/agent.h"
#include "sim-laptop-net.h"

#define LAPTOP_WISHES 16
#define LAPTOP_SETTLED (400 * TENF_SECOND) /* a watch of 5 minutes, and what follows it */

enum laptop_act {
	ACT_ADD,
	ACT_REMOVE,
	ACT_RELOAD, /* the configuration declares one more or one less */
	ACT_SLEEP,
	ACT_ROAM,
	ACT_TUNNEL,
	ACT_KILL,
	ACT_OFF,     /* a clean end, and a start some time later */
	ACT_REBOOT,  /* of one of the gateways */
	ACT_SILENCE, /* of all of them, for a while */
	ACTS,
};

/* What somebody broke on purpose, to show that an invariant sees it. */
enum laptop_crime { NO_CRIME, CRIME_FORGETFUL_GATEWAY, CRIME_LOST_RECORD, CRIME_SECOND_MAPPING,
		    CRIME_NEW_NONCES, CRIME_NEW_PORTS, LAPTOP_CRIMES };

/* What the user wants, as he was told; the truth the agent is measured by. */
struct laptop_wish {
	bool wanted;
	bool declared;
	struct record_wish wish;
	uint64_t number; /* of a runtime mapping, or once it was seen */
};

/* What was held before a kill. */
struct laptop_lease {
	uint64_t number;
	unsigned half;
	uint16_t port;
	int64_t expires_at;
};

struct laptop {
	const char *folder; /* of the store */
	uint64_t seed;
	bool trace;
	enum laptop_crime crime;
	struct tenf_seeded seeded;
	struct tenf_random random;
	struct agent *agent; /* NULL: it does not run */
	struct store *store;
	struct agent_config config;
	struct record_wish declared[LAPTOP_WISHES];
	struct laptop_wish wishes[LAPTOP_WISHES];
	uint64_t last_number;

	tenf_time next[ACTS];
	tenf_time wakes, starts, tunnel_ends, silence_ends; /* TENF_NEVER: does not apply */
	tenf_time trouble_at; /* the last thing that may have cost a mapping, or a wish */
	struct laptop_lease before[2 * LAPTOP_WISHES];
	size_t before_count;
	enum laptop_place before_at;

	uint64_t steps, acts, kills, checks, settled, told[16];
	unsigned steps_here;
	const char *broken; /* the invariant; NULL: all hold */
	char text[240];
};

/* Lives for so many days, or until an invariant breaks; true when none did. */
bool laptop_live(struct laptop *laptop, const char *folder, uint64_t seed, unsigned days,
		 enum laptop_crime crime, bool trace);

void laptop_fail(struct laptop *laptop, const char *invariant, const char *format, ...)
	TENF_PRINTF(3, 4);
void laptop_say(const struct laptop *laptop, const char *format, ...) TENF_PRINTF(2, 3);

/* The place that serves a mapping of this place at the moment; false when none does. */
bool laptop_place_of(const struct record_place *place, enum laptop_place *ret);
/* Nothing happened for long enough that everything must be as it should. */
bool laptop_is_settled(const struct laptop *laptop);

/* Invariants, in sim-laptop-check.c. */
void laptop_check(struct laptop *laptop);
void laptop_check_end(struct laptop *laptop);
void laptop_remember_leases(struct laptop *laptop);

/* sim-laptop-site.c. */
tenf_time laptop_sites_deadline(const struct sites *sites);
void laptop_sites_turn(struct sites *sites);

#endif
