/* SPDX-License-Identifier: MIT */
/*
 * What an administrator does with a gateway: looks at a mapping, revokes it, says
 * yes or no to what waits, asks what would be decided, changes rules, limits, networks
 * and ports while it runs. Changes of mappings are part of the next batch, told as
 * any other; nothing here waits.
 *
 * What was revoked is kept from everybody, its owner too, for LEDGER_REVOKED_S:
 * its port is not given away and its endpoint is refused, or the client's next
 * renewal would undo the revocation. For longer, write a rule.
 */
#ifndef TENF_GATEWAY_RESPONDER_GOVERN_H
#define TENF_GATEWAY_RESPONDER_GOVERN_H

#include "gateway/pending.h"
#include "gateway/responder.h"

#define RESPONDER_REAPPLY_STEP 256u /* mappings ended in one batch by new rules */

/* The live mapping of this id, NULL when there is none. Looks through all of them. */
const struct ledger_mapping *responder_find(const struct responder *r, uint32_t id);

const struct ledger_mapping *responder_find_internal(const struct responder *r,
						     enum tenf_protocol protocol,
						     const struct tenf_endpoint *internal);

/* Gives it this description, up to LEDGER_DESCRIPTION_MAX octets of UTF-8, none for 0.
 * TENF_E_NOT_FOUND, TENF_E_LIMIT, TENF_E_MEMORY, TENF_E_AGAIN as below. */
TENF_CHECKED enum tenf_status responder_describe(struct responder *r, uint32_t id,
						 const char *text, size_t len);

/* The same of what PEER made. */
const struct responder_peer *responder_find_peer(const struct responder *r, uint32_t id);

/* Ends it, static ones too, and what PEER made. Recorded (RESPONDER_REVOKED) once committed;
 * when the commit fails the mapping is still there and the record says so (end is
 * LEDGER_NOT_ENDED). TENF_E_NOT_FOUND, TENF_E_AGAIN while a batch is being committed. */
TENF_CHECKED enum tenf_status responder_revoke(struct responder *r, uint32_t id, tenf_time now);

/* ---- Wishes that wait ------------------------------------------------- */

/* Start with NULL. */
const struct pending_wish *responder_pending(const struct responder *r,
					     const struct pending_wish *previous);
/* The client's next try goes through, if nothing else is against it. TENF_E_NOT_FOUND. */
TENF_CHECKED enum tenf_status responder_approve(struct responder *r, uint32_t id, tenf_time now);
/* Refused without a question for PENDING_DENIED. A mapping that is open by now
 * stays; revoke it. TENF_E_NOT_FOUND. */
TENF_CHECKED enum tenf_status responder_deny(struct responder *r, uint32_t id, tenf_time now);

/* ---- What would be decided -------------------------------------------- */

struct responder_ask {
	struct tenf_address client;
	const uint8_t *mac; /* NULL: unknown */
	enum tenf_protocol protocol;
	uint16_t internal_port;
	uint16_t external_port; /* wished; 0: none */
	bool third_party;
	struct tenf_address internal; /* for this host, with third_party alone */
};

struct responder_explanation {
	enum policy_action action; /* of the rules; POLICY_DENY also where none was reached */
	int rule;                  /* that decided, or POLICY_NO_RULE */
	bool granted;              /* or renewed */
	uint16_t external_port;    /* that it would get; 0: none, or any that is allowed */
	const char *why;           /* a literal */
};

/* Changes nothing, and counts against no rate. */
void responder_explain(struct responder *r, const struct responder_ask *ask, tenf_time now,
		       struct responder_explanation *ret);

/* ---- Another configuration -------------------------------------------- */

struct responder_limits { /* as in struct responder_config */
	uint32_t lifetime_min_s;
	uint32_t lifetime_max_s;
	uint32_t withhold_udp_s;
	uint32_t withhold_tcp_s;
	uint32_t mappings_max;
};

/* Copies the rules; `limits` may be NULL for those in force. What is open stays,
 * renewals are judged anew. With `reapply` what the rules would no longer allow is
 * ended, RESPONDER_REAPPLY_STEP mappings a batch (the deadline asks for the next
 * one), recorded as RESPONDER_REVOKED with LEDGER_DISALLOWED and the rule that
 * denies. A mapping is judged as if who asked for it last asked now, with the link-layer
 * address it had then; where that is not known, as after a restart, what a rule with one
 * may allow stays open until it is asked for again. Static ones are the administrator's.
 * TENF_E_LIMIT, TENF_E_ARGUMENT, TENF_E_MEMORY, TENF_E_AGAIN: the old ones hold. */
TENF_CHECKED enum tenf_status responder_set_policy(struct responder *r,
						   const struct policy_rule *rules, size_t count,
						   const struct responder_limits *limits,
						   bool reapply, tenf_time now);
/* Networks served from now on. Mappings of hosts that are no longer served run
 * out. TENF_E_LIMIT. */
TENF_CHECKED enum tenf_status responder_set_links(struct responder *r,
						  const struct responder_link *links, size_t count);
/* The gateway's own ports, those before are free again. What is open on one
 * stays until it ends. TENF_E_LIMIT. */
TENF_CHECKED enum tenf_status responder_set_reserved(struct responder *r,
						     const struct responder_reserved *reserved,
						     size_t count);

#endif
