/* SPDX-License-Identifier: MIT */
/*
 * The inside of the responder, for its own files.
 *
 *	responder.c          life, arrival of datagrams, the clock, the batch
 *	responder-queue.c    answers that wait, announcements, records
 *	responder-external.c the gateway's own addresses
 *	responder-map.c      may this mapping be had, and the change of the ledger
 *	responder-choose.c   on which external port
 *	responder-unmap.c    giving it back
 *	responder-peer.c     flows to one remote peer, PEER
 *	responder-govern.c   the administrator: what is there, revoking, new rules
 *	responder-restore.c  after a restart of the daemon or a loss of the packet path
 *	responder-memo.c     what must outlive the daemon
 *	responder-explain.c  what would be decided, and wishes that wait for a word
 *	responder-update.c   Mapping Updates after a move
 *	responder-natpmp.c   RFC 6886: bytes to a question, outcome to bytes
 *	responder-pcp.c      RFC 6887: the same
 *	responder-options.c  the options of a PCP request
 */
#ifndef TENF_GATEWAY_RESPONDER_PRIVATE_H
#define TENF_GATEWAY_RESPONDER_PRIVATE_H

#include "gateway/announcer.h"
#include "gateway/pending.h"
#include "gateway/responder-govern.h"
#include "gateway/responder-memo.h"
#include "gateway/responder.h"
#include "wire/natpmp.h"

#define RESPONDER_FILTER_SIZE 24 /* octets of the option */

struct responder_answer {
	struct responder_datagram datagram;
	/* Sent in its place when the commit fails; NULL: this answer promises nothing. */
	const uint8_t *failure;
	size_t failure_len;
	uint8_t failure_result;
	struct responder_record record;
};

/* Those of one batch, and the octets they lie in. */
struct responder_answers {
	struct responder_answer at[RESPONDER_BATCH_MAX];
	size_t count;
	size_t released; /* may leave */
	size_t sent;
	uint8_t octets[RESPONDER_BATCH_OCTETS];
	size_t octets_used;
};

/* Mapping Updates under way (RFC 6887 §14.2). */
struct responder_updates {
	bool wanted;    /* once the move is committed */
	tenf_time next; /* round; TENF_NEVER: none */
	unsigned round;
	unsigned told; /* in this round */
	struct ledger_walk walk;
	bool walking;
	uint8_t octets[PCP_MAP_SIZE + LEDGER_FILTERS_MAX * RESPONDER_FILTER_SIZE];
};

struct responder {
	const struct tenf_memory *memory;
	struct tenf_random random;
	struct responder_config config; /* links, rules and reserved are not looked at */
	struct responder_link links[RESPONDER_LINKS_MAX];
	size_t link_count;
	struct policy policy;
	struct ledger *ledger;
	struct pending pending;
	struct peers peers;
	size_t peer_cursor; /* of the batch that is being committed */
	const struct responder_peer *peer_installing;
	struct responder_memory memory_of; /* keep is NULL: nothing outlives it */
	uint32_t kept_id;   /* numbers below are told as given */
	uint32_t kept_wish;
	struct responder_quirks quirks;
	struct responder_counts counts;

	tenf_time epoch_start;
	bool has_external; /* false: no address now, the ledger's pool is the last one known */

	struct announcer announcer;
	struct responder_updates updates;
	size_t announce_at; /* next link and protocol of an announcement under way */
	uint8_t announcement[PCP_HEADER];

	bool committing;
	bool flush; /* the backend must forget everything, then take in what lives */
	bool epoch; /* the backend must be told when it started */
	bool flushing; /* the same of the batch that is being committed */
	bool flush_told;
	bool epoch_telling;
	bool epoch_told;
	struct ledger_cursor cursor;
	struct ledger_walk installing; /* after a flush, in place of the cursor */
	tenf_time retry_at; /* flush or epoch are to be told at the latest */

	tenf_time reapply_at; /* rules are to be applied to what is open; TENF_NEVER: not */
	struct ledger_walk reapply;

	struct responder_answers answers[2];
	struct responder_answers *filling; /* of the batch being decided or committed */
	struct responder_answers *leaving; /* of the one before: each may leave */

	struct responder_record records[RESPONDER_RECORDS_MAX]; /* a ring */
	size_t record_first;
	size_t record_count;

	uint64_t painted[POLICY_PORT_WORDS]; /* scratch of one allocation */
};

/* ---- Queue ------------------------------------------------------------ */

/* Room for the largest answer and its failure. */
bool responder_has_room(const struct responder *r);
/* Forgets what has left, so that its room can be used again. */
void responder_recycle(struct responder *r);
struct tenf_writer responder_writer(struct responder *r);
/* The octets written, NULL when the writer failed. */
const uint8_t *responder_keep(struct responder *r, const struct tenf_writer *w);
/* An answer to `in` with the octets of `w`; NULL when it could not be written. */
struct responder_answer *responder_answer(struct responder *r, const struct responder_datagram *in,
					  const struct tenf_writer *w,
					  const struct responder_record *record);
/* The next Mapping Update that is due. */
bool responder_next_update(struct responder *r, tenf_time now, struct responder_datagram *ret);
void responder_start_updates(struct responder *r, tenf_time now);
/* After a batch is over: what waited may leave. */
void responder_release(struct responder *r, bool failed);
void responder_record(struct responder *r, const struct responder_record *record);
void responder_drop_answers(struct responder *r);

/* ---- Mappings --------------------------------------------------------- */

enum map_result {
	MAP_DONE,
	MAP_DENIED,     /* policy, or static and not to be touched */
	MAP_PENDING,    /* the administrator is asked */
	MAP_NONCE,      /* somebody else's by the nonce; error lifetime is what is left */
	MAP_RATE,
	MAP_QUOTA,
	MAP_RESOURCES,
	MAP_NO_NETWORK,
	MAP_NOT_EXACT,  /* PREFER_FAILURE and another endpoint */
	MAP_PEERS,      /* too many filters */
};

/* What the options of a PCP request add. */
struct map_extras {
	bool exact;           /* PREFER_FAILURE */
	bool third_party;
	bool described;       /* a DESCRIPTION was there */
	const uint8_t *description; /* in the packet */
	size_t description_len;     /* as stored, 0 erases */
	bool clear_filters;
	struct pcp_filter filters[LEDGER_FILTERS_MAX + 1];
	size_t filter_count; /* LEDGER_FILTERS_MAX + 1: too many */
};

struct map_question {
	const struct responder_link *link;
	struct tenf_address client;   /* who asks */
	uint16_t client_port;
	const uint8_t *mac;           /* its link-layer address; NULL: unknown */
	struct tenf_address internal; /* for whom */
	enum tenf_protocol protocol;
	uint16_t internal_port;
	uint16_t external_port; /* suggested */
	struct tenf_address external_address; /* suggested, PCP */
	uint32_t lifetime_s;
	const uint8_t *nonce; /* NULL: NAT-PMP */
	struct tenf_endpoint remote; /* PEER alone */
	struct map_extras extras;
};

struct map_outcome {
	enum map_result result;
	const struct ledger_mapping *mapping; /* on MAP_DONE, also when it was there before */
	uint32_t lifetime_s; /* granted; or of the error, 0: the usual one */
	uint32_t removed;
	uint16_t asked_port; /* on MAP_PENDING; 0: any */
	uint32_t pending_id;
	const struct responder_peer *peer; /* PEER: that is kept, or NULL */
	struct tenf_endpoint external;     /* PEER: of the flow */
	int rule;
	enum responder_verdict verdict;
	const char *why;
};

/* One decision by chance, in parts of 10 000. */
bool responder_strikes(struct responder *r, unsigned chance);
void responder_refuse(struct map_outcome *out, enum map_result result, int rule, const char *why);
/* A bucket that holds `burst` and empties once in `period`. */
void responder_refill(tenf_time *at, uint32_t *used, uint32_t burst, tenf_duration period,
		      tenf_time now);
struct policy_query responder_query(const struct responder *r, const struct map_question *q,
				    tenf_time now);
/* PREFER_FAILURE: this endpoint and no other; a zero address is any (§13.2). */
bool responder_is_not_exact(const struct responder *r, const struct map_question *q,
			    uint16_t external_port);
/* Which port a new mapping gets: of IPv4 the wished one (0: none), else the one
 * it had before, else any; of a pinhole the internal one. 0: refused. Changes nothing. */
uint16_t responder_choose(struct responder *r, const struct map_question *q, uint16_t wish,
			  tenf_time now, struct map_outcome *out);
/* Counts a request against the rule's rate. */
bool responder_over_rate(struct ledger_host *host, const struct policy_rule *rule, tenf_time now);
/* Which remote peers may use a mapping after a request; none: all of them. */
struct responder_filters {
	struct pcp_filter at[LEDGER_FILTERS_MAX];
	size_t count;
};

/* `m` is NULL for a new one. False: refused. */
bool responder_filters_after(const struct responder *r, const struct ledger_mapping *m,
			     const struct map_question *q, int rule,
			     struct responder_filters *ret, struct map_outcome *out);
/* Keeps who asked, for rules that are applied when nobody asks; `host` may be NULL. */
void responder_hear_mac(struct ledger_host *host, const struct map_question *q);
/* Does this host hold all that the rule (or NULL) lets one hold? */
bool responder_is_over_quota(struct responder *r, const struct tenf_address *host,
			     const struct policy_rule *rule);
/* Never opened: where gateways and clients of this protocol listen (RFC 6887 §11.3). */
bool responder_is_pcp_port(enum tenf_protocol protocol, uint16_t port);
/* MAP_PENDING: the wish is noted for the administrator, or refused. */
void responder_await(struct responder *r, const struct map_question *q, struct ledger_host *host,
		     tenf_time now, struct map_outcome *out);
/* The external address at which this host is; none4 while there is none. */
struct tenf_address responder_address_for(const struct responder *r,
					  const struct tenf_address *host);
/* Those of the configuration, in a ledger that is empty. */
TENF_CHECKED enum tenf_status responder_first_externals(struct responder *r,
							const struct responder_config *config);
/* The only one, or none4. */
struct tenf_address responder_only_address(const struct responder *r);
/* What the rules say of what is open, as if who asked for it last asked now. Whose link-layer
 * address is not known yet, as after a restart, has the one that a rule would allow. */
enum policy_action responder_judge_as(const struct responder *r, const struct tenf_address *asker,
				      enum tenf_protocol protocol,
				      const struct tenf_endpoint *internal, uint16_t external_port,
				      int *ret_rule);
enum policy_action responder_judge(const struct responder *r, const struct ledger_mapping *m,
				   int *ret_rule);
/* Everything is told to the backend anew. */
void responder_flush(struct responder *r, tenf_time now);
void responder_restart_epoch(struct responder *r, tenf_time now, const char *why);
/* Ends a mapping that somebody ended, and what was approved for it. */
void responder_end(struct responder *r, struct ledger_mapping *m, enum ledger_end why,
		   tenf_time now);
/* What a batch that was committed has ended, as a memo. */
void responder_remember_ended(struct responder *r, const struct ledger_mapping *m);
void responder_remember_peer(struct responder *r, const struct responder_peer *peer,
			     tenf_time until);
/* A part of applying new rules to what is open. */
void responder_reapply(struct responder *r, tenf_time now);
/* After a batch that was committed, or failed: what it ended for the administrator. */
void responder_record_revoked(struct responder *r, bool failed, tenf_time now);

/* RFC 6887 §15: within the limits; RFC 6886 §3.3: not more than asked. */
uint32_t responder_granted_s(const struct responder *r, const struct policy_rule *rule,
			     const struct map_question *q);
void responder_peer(struct responder *r, const struct map_question *q, tenf_time now,
		    struct map_outcome *ret);
void responder_peer_gone(void *context, const struct responder_peer *peer);
void responder_record_peer(struct responder *r, const struct responder_peer *peer,
			   enum responder_verdict verdict, enum ledger_end end, const char *why);
void responder_expire_peers(struct responder *r, tenf_time now);
/* All of them, with their ports. */
void responder_forget_peers(struct responder *r);
/* Those of IPv4: flows through an address that is no longer there are over. */
void responder_forget_moved_peers(struct responder *r);
void responder_reapply_peers(struct responder *r);
void responder_record_revoked_peers(struct responder *r, bool failed, tenf_time now);

void responder_map(struct responder *r, const struct map_question *q, tenf_time now,
		   struct map_outcome *ret);
/* Lifetime 0. NAT-PMP: internal port 0 is every mapping of the protocol. */
void responder_unmap(struct responder *r, const struct map_question *q, tenf_time now,
		     struct map_outcome *ret);
/* What a record says of a mapping: who it is, how it lived and ended. */
void responder_record_mapping(const struct responder *r, const struct ledger_mapping *m,
			      struct responder_record *record);
/* The record of a decision, without its wire result. */
struct responder_record responder_record_of(const struct responder *r,
					    const struct map_question *q,
					    const struct map_outcome *outcome);

/* ---- Protocols -------------------------------------------------------- */

/* Result by which the request fails, or PCP_SUCCESS. */
enum pcp_result responder_options(struct responder *r, const struct pcp_request *request,
				  struct map_question *q);
/* Those that were processed, as they came. */
void responder_echo_options(const struct pcp_request *request, const struct map_question *q,
			    const struct ledger_mapping *m, struct tenf_writer *w);

void responder_natpmp(struct responder *r, const struct responder_link *link,
		      const struct responder_datagram *in, tenf_time now);
void responder_natpmp_unsupp_version(struct responder *r, const struct responder_datagram *in,
				     tenf_time now);
void responder_pcp(struct responder *r, const struct responder_link *link,
		   const struct responder_datagram *in, tenf_time now);

#endif
