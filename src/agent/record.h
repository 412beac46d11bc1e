/* SPDX-License-Identifier: MIT */
/*
 * One mapping the agent holds: what is wanted, where it was declared, what the
 * gateway gave. Plain data, shared by configuration, store and delivery; the
 * table in agent.c owns the ones that live.
 */
#ifndef TENF_AGENT_RECORD_H
#define TENF_AGENT_RECORD_H

#include "base/address.h"
#include "base/attributes.h"

#include <tenforward/tenforward.h>

#define AGENT_NAME 64     /* octets of a mapping's name with the terminator */
#define AGENT_NAMESPACE 32 /* of a network namespace's name or path */
#define AGENT_HOST 48      /* of the text of a host's address */
#define AGENT_RECORDS_MAX 16384
#define AGENT_THROUGH_MAX 256 /* of them through two routers */

enum record_origin {
	RECORD_DECLARED, /* a [Mapping] of the configuration */
	RECORD_RUNTIME,  /* asked for over the control API */
};

/* Which gateway: all empty is the one of the default route of our own namespace. */
struct record_place {
	char interface[TENF_INTERFACE_SIZE];
	char gateway[TENF_ADDRESS_SIZE]; /* "ADDR" or "ADDR:PORT" */
	unsigned methods;                /* enum tenf_method, or-ed; 0: all */
	char namespace[AGENT_NAMESPACE]; /* below /run/netns, or a path; "": ours */
};

/* What is wanted; one port, or the pair of TENF_BOTH. */
struct record_wish {
	char name[AGENT_NAME]; /* "" for none; a range shares its name */
	enum tenf_protocol protocol;
	uint16_t internal_port;
	uint16_t external_port; /* 0 for any */
	uint32_t lifetime_s;
	bool exact;
	bool persist; /* stays at the gateway when the agent ends */
	bool follow;  /* the internal port follows the external one */
	bool open_firewall;
	bool through; /* at the router behind the gateway too, where there is one */
	char internal_address[AGENT_HOST]; /* "" for this host */
	struct record_place place;
};

/* What is remembered between runs, so that a restarted agent renews instead of
 * making a second mapping. One for each half of a pair: [0] TCP or the only one, [1] UDP. */
struct record_lease {
	uint16_t external_port; /* 0: none was granted yet; the nonce counts all the same */
	uint8_t nonce[TENF_NONCE_SIZE];
	int64_t expires_at; /* wall clock */
};

/* The second hop of Through=yes, at the router behind the gateway. NAT-PMP, so there is
 * no nonce: who asks by the same way is the owner. */
struct record_hop {
	struct tenf_address gateway; /* none: nothing was opened there */
	uint16_t internal_port;      /* the external one of the first hop */
	uint16_t external_port;
	int64_t expires_at;          /* wall clock */
};

struct record {
	uint64_t number; /* its id is "m<number>", never used twice */
	enum record_origin origin;
	struct record_wish wish;
	uint16_t followed_port; /* Follow=yes: inside and outside by now; 0: as wished */
	struct record_lease lease[2];
	struct record_hop hop[2];
};

/* The same thing wanted: equal in all but name and number. */
bool record_same_wish(const struct record_wish *a, const struct record_wish *b);
bool record_same_place(const struct record_place *a, const struct record_place *b);

#endif
