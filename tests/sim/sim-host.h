/* SPDX-License-Identifier: MIT */
/*
 * A simulated host: our client engine, a socket address, and an application
 * that believes what the events tell it. Its beliefs are kept here as claims, one for each
 * mapping, from events alone; whether they are true is for sim-invariants.
 */
#ifndef TENF_SIM_HOST_H
#define TENF_SIM_HOST_H

#include "keeper/engine.h"
#include "sim-memory.h"

#define SIM_CLAIMS_MAX 16
#define SIM_GRAVES_MAX 32
#define SIM_BURST_MAX 128 /* packets looked back at, a claim */
#define SIM_OTHERS_MAX 1024 /* and of those about no mapping */

/* One mapping, as the application sees it. */
struct sim_claim {
	uint32_t id; /* 0: not in use */
	uint32_t pair;
	struct keeper_wish wish;
	bool released; /* only to be deleted, made by an earlier run */
	tenf_time added_at;
	tenf_time removing_at; /* TENF_NEVER: it is wanted */

	bool held; /* told so, and not taken back */
	bool verdict; /* something was told at all */
	enum tenf_event_kind last;
	uint16_t port;
	struct tenf_address address;

	/* Kept by the invariants. */
	tenf_time expires; /* of the lease seen last */
	tenf_time granted_at;
	tenf_time missing_since; /* TENF_NEVER: the gateway has it */
	tenf_time uneven_since;  /* TENF_NEVER: both halves held, or none */
	tenf_time last_try;
	tenf_time created_at; /* last packet that creates; -1: never */
	bool overtaken;       /* a delete was sent while such a packet may have been under way */
	tenf_time deleted_at; /* last packet that deletes this port, by NAT-PMP; -1: never */
	uint64_t sent;           /* packets */
};

/* What was removed and confirmed: nothing may be left of it. */
struct sim_grave {
	tenf_time at; /* TENF_NEVER: not in use */
	struct tenf_address source;
	enum tenf_protocol protocol;
	uint16_t internal_port;
	bool overtaken; /* a packet that creates may have come after the delete */
};

struct sim_host {
	unsigned number;
	struct tenf_seeded seeded;
	struct sim_memory memory;
	struct engine_config config;
	struct engine engine;
	struct tenf_endpoint socket;
	struct tenf_endpoint gateway; /* that the engine was told of */
	bool online;
	bool away; /* at a network where nobody answers */
	tenf_time sleeps_until; /* 0: awake */
	tenf_time woke_at;
	unsigned addresses; /* used up so far */

	struct sim_claim claims[SIM_CLAIMS_MAX];
	tenf_time bursts[SIM_CLAIMS_MAX][SIM_BURST_MAX]; /* when packets were sent, rings */
	struct sim_grave graves[SIM_GRAVES_MAX];
	size_t next_grave;
	size_t most_claims;

	tenf_time trouble_at;   /* last thing that may cost a mapping, -1: none */
	tenf_time restart_at;   /* last time the engine told of a restart, -1: never */
	uint64_t restarts;
	bool tainted;           /* it met packets that lie in the gateway's name */
	tenf_time others[SIM_OTHERS_MAX]; /* packets that are about no mapping */
	uint64_t others_sent;
	unsigned overdue; /* turns in a row that ended with a deadline in the past */
};

void sim_host_init(struct sim_host *host, unsigned number, const struct engine_config *config,
		   uint64_t seed);
void sim_host_done(struct sim_host *host);

/* An address of its own that no host ever had, or the first one. */
struct tenf_endpoint sim_host_socket(const struct sim_host *host, unsigned number);

void sim_host_connect(struct sim_host *host, const struct tenf_endpoint *gateway,
		      const struct tenf_endpoint *socket, tenf_time now);
void sim_host_disconnect(struct sim_host *host, tenf_time now);

/* False when there is no room for more claims. */
bool sim_host_add(struct sim_host *host, const struct keeper_wish *wish, bool both, tenf_time now);
bool sim_host_release(struct sim_host *host, const struct keeper_wish *wish, tenf_time now);
void sim_host_remove(struct sim_host *host, struct sim_claim *claim, tenf_time now);

/* NULL when there is none. */
struct sim_claim *sim_host_claim(struct sim_host *host, uint32_t id);
struct sim_claim *sim_host_pair(struct sim_host *host, const struct sim_claim *claim);
size_t sim_host_count(const struct sim_host *host); /* of claims */
bool sim_host_uses(const struct sim_host *host, uint16_t internal_port);

/* The next event, already believed; false when there is none. */
bool sim_host_event(struct sim_host *host, tenf_time now, struct engine_event *ret);

bool sim_host_is_awake(const struct sim_host *host);

#endif
