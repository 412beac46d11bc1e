/* SPDX-License-Identifier: MIT */
/*
 * One mapping that is wanted: what was asked for, what is held, and where it
 * stands in its life.
 *
 *             ┌──────────── hold over ─────────────┐
 *             ▼                                     │
 *   add ─► ASKING ── granted ─► HELD ── window ─► RENEWING ── granted ─► HELD
 *             │                                     │
 *             ├─ error ─► HOLD ◄──── error, expiry ─┘
 *             │
 *   remove ─► REMOVING ── answered, or given up ─► REMOVED
 *
 * RELEASING is a delete after which the mapping is asked for again: the port
 * that came was not the one insisted on, or not the one its pair has.
 */
#ifndef TENF_KEEPER_MAPPING_H
#define TENF_KEEPER_MAPPING_H

#include "base/heap.h"
#include "core/inquiry.h"

#define KEEPER_DESCRIPTION 128 /* octets with the terminator */

enum keeper_phase {
	PHASE_HOLD,      /* waits: for an error's lifetime, for the pair, or for nothing */
	PHASE_ASKING,
	PHASE_HELD,
	PHASE_RENEWING,
	PHASE_RELEASING,
	PHASE_REMOVING,
	PHASE_REMOVED,
};

/* What somebody wants. */
struct keeper_wish {
	enum tenf_protocol protocol; /* TENF_TCP or TENF_UDP */
	uint16_t internal_port;
	uint16_t external_port; /* 0 for any */
	struct tenf_address external_address; /* zero for any */
	uint32_t lifetime_s;
	bool exact;
	bool keep; /* renewed for ever; else one lease */
	bool for_other;
	struct tenf_address other;
	bool has_nonce; /* goes on with a lease made before */
	uint8_t nonce[CORE_NONCE];
	bool has_pair_nonce; /* the same for the UDP half of a pair */
	uint8_t pair_nonce[CORE_NONCE];
	uint16_t granted_port; /* the lease had it; 0 for none */
	bool clear_filters;    /* and filters, perhaps others than these */
	uint8_t filter_count;
	/* A mapping's are its own, copied; NULL in a view. */
	const struct pcp_filter *filters;
	const char *description; /* below KEEPER_DESCRIPTION octets; NULL for none */
};

/* What the gateway gave. */
struct keeper_grant {
	enum tenf_method method;
	uint16_t external_port; /* 0: never granted */
	struct tenf_address external_address;
	uint32_t lifetime_s;
	uint32_t epoch_s;
	bool unfiltered; /* a filter was asked for and is not in force */
	tenf_time expires; /* TENF_NEVER when nothing is held */
};

struct keeper_error {
	enum tenf_reason reason;
	int result; /* of the gateway, -1 when it said nothing */
	enum tenf_method method;
};

/* How a mapping looks from outside, at one moment. */
struct keeper_view {
	uint32_t id; /* 0: there was none */
	uint32_t pair;
	struct keeper_wish wish;
	struct keeper_grant grant;
	struct keeper_error error;
	enum tenf_state state;
	struct tenf_address internal_address;
	tenf_time renews; /* TENF_NEVER when nothing renews it */
};

struct keeper_mapping {
	uint32_t id;
	struct keeper_mapping *pair;
	struct keeper_wish wish;
	struct keeper_grant grant;
	struct keeper_error error;
	enum tenf_state state;
	enum keeper_phase phase;
	struct inquiry inquiry;
	struct tenf_heap_entry timer;

	/* Renewal. */
	tenf_time granted_at;
	tenf_time plan_from; /* windows count from here */
	uint32_t plan_s;     /* and over this lifetime */
	unsigned tries;
	tenf_time last_try; /* RENEWAL_NONE when there was none */
	tenf_time next_try; /* TENF_NEVER when none is left */

	tenf_time not_before;    /* an error lasts: no such request before */
	tenf_time verdict_by;    /* of a lease asked for once; TENF_NEVER when kept */
	tenf_time give_up;       /* of the inquiry under way */
	tenf_time after_release; /* when to ask again after RELEASING; TENF_NEVER: not */
	bool packets_out;        /* a create was sent: a delete makes sense */
	bool recreate;           /* the gateway restarted; to be asked for again */
	unsigned revisions;      /* tries for a wish that was changed, from 1; 0: unchanged */
	tenf_time revised_at;
	unsigned failures;       /* in a row, for the back-off */

	/* Pairs. */
	bool leads;           /* asked first */
	unsigned pair_rounds; /* times a common port was looked for */
	uint16_t suggest;     /* port the other half has, 0 for no wish */

#if TENF_WITH_IGD
	/* The engine's: how far UPnP has come for the question under way (upnp.h). */
	struct {
		enum { UPNP_OUT, UPNP_RACING, UPNP_WAITING, UPNP_QUEUED, UPNP_ASKED } place;
		tenf_time from; /* UPNP_RACING: may take over then; TENF_NEVER: not by itself */
		struct keeper_mapping *next, *previous;
	} upnp;
#endif

	/* News: the kind, and how it looked when somebody last took news of it. */
	enum tenf_event_kind news;
	bool has_news;
	struct keeper_mapping *next_news;
	struct {
		enum tenf_state state;
		struct keeper_grant grant;
		struct keeper_error error;
		bool known;
	} told;

	struct keeper_mapping *next_ask;
	bool in_ask_list;
};

#endif
