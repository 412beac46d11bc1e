/* SPDX-License-Identifier: MIT */
/*
 * What must outlive the gateway and is not in the packet path, which knows what is open
 * and not what was closed: ports that are withheld, what was revoked, wishes that wait
 * and words said about them, and which numbers were given. Each is a memo. The
 * responder says of each that it is to be kept, or forgotten; the edge keeps it, whole
 * or not at all, and hands it in at the next start. A memo is plain data, and
 * whether it still makes sense is looked at when it comes back.
 *
 *	responder_new, responder_restore for each, responder_recall for each,
 *	responder_remember, responder_resume
 */
#ifndef TENF_GATEWAY_RESPONDER_MEMO_H
#define TENF_GATEWAY_RESPONDER_MEMO_H

#include "gateway/pending.h"
#include "gateway/responder.h"

/* Numbers are noted as given before they are, so many at a time: a kill costs them. */
#define RESPONDER_IDS_AHEAD 1024u
#define RESPONDER_ID_MAX (UINT32_MAX / 2) /* no memo has a higher one: numbers would run out */

enum memo_kind {
	MEMO_ENDED = 1, /* a mapping, whose port is withheld or which was revoked */
	MEMO_PEER,      /* of PEER, revoked */
	MEMO_WISH,
	MEMO_IDS,       /* `id` is 0: numbers below these were given */
};

struct responder_memo {
	enum memo_kind kind;
	uint32_t id;     /* with the kind: whose memo it is */
	tenf_time until; /* not needed any more then; 0: now; TENF_NEVER */
	enum tenf_protocol protocol;
	struct tenf_endpoint internal;
	struct tenf_endpoint external; /* of a wish: its port alone */
	struct tenf_endpoint remote;   /* MEMO_PEER */
	/* MEMO_ENDED */
	enum ledger_maker maker;
	enum ledger_end end;
	uint8_t nonce[PCP_NONCE];
	/* MEMO_WISH */
	struct tenf_address client;
	enum pending_state state;
	bool has_mac;
	uint8_t mac[POLICY_MAC];
	tenf_time first_seen;
	uint32_t tries;
	/* MEMO_IDS */
	uint32_t next_id;
	uint32_t next_wish;
};

struct responder_memory {
	void (*keep)(void *context, const struct responder_memo *memo);
	void *context;
};

/* From now on each is told when it becomes true; copied. */
void responder_set_memory(struct responder *r, const struct responder_memory *memory);
/* Takes one in, kept by who was here before; after all mappings. It is not told again.
 * TENF_E_ARGUMENT: makes no sense or is over; TENF_E_LIMIT: there is no place for it,
 * or it does not fit what is open; TENF_E_MEMORY; TENF_E_AGAIN: a batch is under way. */
TENF_CHECKED enum tenf_status responder_recall(struct responder *r,
					       const struct responder_memo *memo, tenf_time now);
/* Tells which numbers are given, ahead of those that will be; `exactly`: it ends, and no
 * more will be. */
void responder_remember_ids(struct responder *r, bool exactly);

#endif
