/* SPDX-License-Identifier: MIT */
/*
 * The simulated gateway: our responder, and beside it the kernel's half, kept
 * by this file alone from the changes that the responder hands out. What the
 * kernel forwards is the truth that everybody's claims are measured by. A commit may
 * fail; a reboot loses the kernel's state too.
 */
#ifndef TENF_SIM_GATEWAY_H
#define TENF_SIM_GATEWAY_H

#include "gateway/responder.h"
#include "sim-memory.h"
#include "sim-profile.h"

#define SIM_HELD_MAX 512
#define SIM_LAN 2 /* interface */
#define SIM_DENIED_PORT 22
#define SIM_ALLOWED_FROM 1024

struct sim_held {
	enum tenf_protocol protocol;
	struct tenf_endpoint internal;
	struct tenf_address external_address;
	uint16_t external_port;
	tenf_time until;
	uint32_t id; /* and what else is kept beside it, for a daemon that comes back */
	enum ledger_maker maker;
	uint8_t nonce[PCP_NONCE];
	tenf_time made_at;
	uint32_t lifetime_s;
};

struct sim_gateway {
	struct responder_config config;
	struct responder_link link;
	struct policy_rule rules[2];
	struct tenf_seeded seeded;
	struct tenf_random random;
	struct sim_memory memory;
	struct responder *responder;

	struct sim_held held[SIM_HELD_MAX]; /* what the kernel forwards */
	size_t held_count;
	tenf_time epoch_kept; /* beside it, -1: not */

	struct responder_quirks quirks; /* the ones that stay */
	struct tenf_address external;
	bool silent;
	bool unreachable;
	unsigned commit_fails;
	tenf_time lost_at;      /* everything was lost last, -1: never */
	tenf_time epoch_at;     /* the epoch started */
	tenf_duration epoch_before; /* how long the one before had run */
	tenf_time failed_at;    /* last failed commit, -1: never */
	uint64_t restarts;      /* of the daemon alone */
	uint64_t resets;        /* of the epoch, the first one included */
	bool inconsistent;      /* kernel and ledger disagree */
	bool changed;           /* what the kernel forwards, since somebody looked */
};

extern const struct tenf_endpoint sim_gateway_address;

void sim_gateway_init(struct sim_gateway *gateway, const struct sim_profile *profile,
		      uint32_t lifetime_max_s, const struct tenf_random *random, tenf_time now);
void sim_gateway_done(struct sim_gateway *gateway);

void sim_gateway_receive(struct sim_gateway *gateway, const struct tenf_endpoint *from,
			 const uint8_t *data, size_t len, tenf_time now);
/* Expiry and the commit; then take what is to be sent. */
void sim_gateway_turn(struct sim_gateway *gateway, tenf_time now);
bool sim_gateway_next_send(struct sim_gateway *gateway, tenf_time now,
			   struct responder_datagram *ret);

void sim_gateway_reboot(struct sim_gateway *gateway, tenf_time now);
/* The daemon is killed and comes back; the kernel keeps what it has. */
void sim_gateway_restart(struct sim_gateway *gateway, tenf_time now);
void sim_gateway_set_external(struct sim_gateway *gateway, const struct tenf_address *address,
			      tenf_time now);

/* What the kernel forwards to this endpoint now, NULL for nothing. */
const struct sim_held *sim_gateway_find(const struct sim_gateway *gateway,
					const struct tenf_address *internal,
					enum tenf_protocol protocol, uint16_t internal_port,
					tenf_time now);

#endif
