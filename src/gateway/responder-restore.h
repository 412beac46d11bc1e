/* SPDX-License-Identifier: MIT */
/*
 * How mappings outlive the daemon, and the packet path its own loss. The packet path
 * keeps beside each mapping what struct responder_kept has, and the start of
 * the epoch. A daemon that starts hands in what it finds and goes on as if it
 * had never been away; one whose packet path was emptied by others puts
 * everything in again.
 *
 *	responder_new, responder_restore for each, responder_resume, then receive
 */
#ifndef TENF_GATEWAY_RESPONDER_RESTORE_H
#define TENF_GATEWAY_RESPONDER_RESTORE_H

#include "gateway/responder.h"

struct responder_kept {
	enum tenf_protocol protocol;
	struct tenf_endpoint internal;
	struct tenf_endpoint external;
	enum ledger_maker maker;
	uint8_t nonce[PCP_NONCE]; /* LEDGER_BY_PCP alone */
	tenf_time made_at;
	tenf_time ends_at; /* TENF_NEVER: static */
	uint32_t lifetime_s; /* granted last */
	uint32_t renewals;
	uint32_t id;
	int rule; /* the rules of now are asked first; they may be others */
	const uint8_t *description; /* copied; up to LEDGER_DESCRIPTION_MAX */
	size_t description_len;
	const struct pcp_filter *filters; /* copied; up to LEDGER_FILTERS_MAX */
	size_t filter_count;
	bool has_asker; /* another host asked for it (THIRD_PARTY) */
	struct tenf_address asker;
};

/* Takes in what the packet path holds already: it is in no batch. No rule is asked
 * whether it may stay; responder_set_policy with `reapply` does that. When its
 * external address is not the gateway's any more it is moved to the one that is, with
 * all others, as by responder_set_external. Otherwise nothing is changed, and the
 * edge removes it from the packet path:
 * TENF_E_ARGUMENT: makes no sense, or is over; TENF_E_LIMIT: the table is full, its port
 * or endpoint is taken or reserved; TENF_E_MEMORY; TENF_E_AGAIN: a batch is under way. */
TENF_CHECKED enum tenf_status responder_restore(struct responder *r,
						const struct responder_kept *kept, tenf_time now);

/* The same for what PEER made, after all mappings, and once the external address is
 * known: TENF_E_LIMIT also when it was at another address, where its flow ended. The
 * id is a new one. */
TENF_CHECKED enum tenf_status responder_restore_peer(struct responder *r,
						     const struct responder_peer *kept,
						     tenf_time now);

/* Everything kept is back: the same epoch goes on, nothing is announced and
 * the packet path is not told what it knows. Not so when mappings had to be moved, or
 * the start lies in the future: then the epoch that began with responder_new stays,
 * with its announcements. */
void responder_resume(struct responder *r, tenf_time epoch_start);

/* The packet path lost what it held, by others' doing: RESPONDER_FLUSH and every
 * live mapping anew in the next batch, tried again each second until it is
 * committed. The epoch restarts, which is announced: `why`, a literal, is recorded. */
void responder_rebuild(struct responder *r, tenf_time now, const char *why);

#endif
