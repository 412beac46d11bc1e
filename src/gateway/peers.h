/* SPDX-License-Identifier: MIT */
/*
 * What PEER made (RFC 6887 §12): outbound mappings for one remote peer each, which keep
 * a flow's external endpoint for longer than the flow itself would. A table beside
 * the ledger, because a five-tuple is not found by internal endpoint alone and there
 * are few: PEERS_MAX in all.
 *
 * It has the ledger's kind of batch: what changed is told as the difference to what
 * the backend holds, then kept or taken back. A pointer to an entry lives until the
 * next peers_add, peers_commit, peers_rollback or peers_clear. It decides nothing
 * and knows nothing of ports.
 */
#ifndef TENF_GATEWAY_PEERS_H
#define TENF_GATEWAY_PEERS_H

#include "base/address.h"
#include "base/attributes.h"
#include "base/memory.h"
#include "base/time.h"
#include "gateway/ledger.h"

#define PEERS_MAX 1024u
#define PEERS_OF_HOST_MAX 32u
#define PEERS_REVOKED_MAX 256u /* refused for a while; the oldest give way */

struct responder_peer {
	enum tenf_protocol protocol;
	struct tenf_endpoint internal;
	struct tenf_endpoint external;
	struct tenf_endpoint remote;
	struct tenf_address asker; /* the internal host, but for THIRD_PARTY */
	uint8_t nonce[PCP_NONCE]; /* the first one seen */
	tenf_time made_at;
	tenf_time ends_at;
	uint32_t lifetime_s; /* granted last */
	uint32_t renewals;
	uint32_t id; /* among those of mappings */
	int rule;    /* that allowed it */
	enum ledger_end end;
};

enum peers_change {
	PEERS_INSTALL = 1,
	PEERS_RENEW,
	PEERS_REMOVE,
};

struct peers_entry {
	struct responder_peer peer; /* comes first */
	tenf_time committed_until;  /* what the backend holds; 0: nothing */
	uint32_t committed_lifetime_s;
	uint32_t committed_renewals;
	bool changed; /* in this batch */
};

struct peers_revoked {
	enum tenf_protocol protocol;
	struct tenf_endpoint internal;
	struct tenf_endpoint remote;
	tenf_time until; /* 0: a free place */
};

struct peers {
	const struct tenf_memory *memory;
	struct peers_revoked revoked[PEERS_REVOKED_MAX];
	size_t revoked_next; /* place of the next one */
	struct peers_entry *at;
	size_t count; /* ended ones of the batch included */
	size_t size;
	size_t changed;
	tenf_time next; /* no lease ends before */
};

void peers_init(struct peers *p, const struct tenf_memory *memory);
void peers_done(struct peers *p);

struct peers_entry *peers_find(const struct peers *p, enum tenf_protocol protocol,
			       const struct tenf_endpoint *internal,
			       const struct tenf_endpoint *remote);
/* Any live one of this internal endpoint: all have one external endpoint. */
struct peers_entry *peers_of(const struct peers *p, enum tenf_protocol protocol,
			     const struct tenf_endpoint *internal);
struct peers_entry *peers_by_id(const struct peers *p, uint32_t id);
/* Live ones of a host. */
uint32_t peers_count(const struct peers *p, const struct tenf_address *host);

/* TENF_E_LIMIT at PEERS_MAX, TENF_E_MEMORY. */
TENF_CHECKED enum tenf_status peers_add(struct peers *p, const struct responder_peer *peer);
/* The same, held by the backend already. */
TENF_CHECKED enum tenf_status peers_restore(struct peers *p, const struct responder_peer *peer);
void peers_renew(struct peers *p, struct peers_entry *e, tenf_time ends_at, uint32_t lifetime_s);
void peers_end(struct peers *p, struct peers_entry *e, enum ledger_end why);
/* Ends one whose lease is over and gives it back; NULL when there is none. */
const struct responder_peer *peers_expire_one(struct peers *p, tenf_time now);
/* Not later than the next end; TENF_NEVER when there is none. */
tenf_time peers_deadline(const struct peers *p);

/* The next change of the batch from *at on, which starts as 0. */
bool peers_next_change(const struct peers *p, size_t *at, enum peers_change *ret_kind,
		       const struct responder_peer **ret);
bool peers_batch_is_open(const struct peers *p);
/* A lease that is over stays over, whatever becomes of the batch. `gone` is told of each
 * that is forgotten, once nothing holds it any more. */
void peers_commit(struct peers *p, void (*gone)(void *context, const struct responder_peer *peer),
		  void *context);
void peers_rollback(struct peers *p,
		    void (*gone)(void *context, const struct responder_peer *peer), void *context);
/* Forgets one at once: the backend is told nothing, and nothing brings it back. */
void peers_remove(struct peers *p, struct peers_entry *e);
/* Forgets everything, the batch included. */
void peers_clear(struct peers *p);

/* The flow of this one is not to be kept again until then. */
void peers_revoke(struct peers *p, const struct responder_peer *peer, tenf_time until);
/* 0: it may. */
tenf_time peers_revoked_until(const struct peers *p, enum tenf_protocol protocol,
			      const struct tenf_endpoint *internal,
			      const struct tenf_endpoint *remote);

/* Live ones; start with NULL. */
const struct responder_peer *peers_each(const struct peers *p,
					const struct responder_peer *previous);

#endif
