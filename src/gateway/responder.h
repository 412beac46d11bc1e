/* SPDX-License-Identifier: MIT */
/*
 * The gateway's side of NAT-PMP (RFC 6886) and PCP (RFC 6887): datagrams in,
 * decisions, datagrams out. It has no socket, no clock and no chance of its own, so
 * the same code runs in the daemon and in the simulator.
 *
 *	responder_receive --> decision --> change of the ledger --> answer waits
 *	                                          |
 *	responder_next_change <-------------------'   the edge hands the batch to
 *	responder_committed --> answers leave         a backend, which makes it true
 *	responder_next_send
 *
 * An answer that promises something leaves only when the promise has been
 * committed. When the commit fails the ledger goes back to what it was, and
 * the answers of the batch become "out of resources".
 *
 * Answers need not have left before the next batch is decided and committed: those of
 * two batches are kept, in their order.
 *
 * Drive it like this, after whatever woke you up:
 *
 *	responder_receive for each waiting datagram, responder_expire
 *	while (responder_next_change(r, &change))	hand it to the backend
 *	responder_committed(r, status, now)
 *	while (responder_next_send(r, &datagram))	send it
 *	while (responder_next_record(r, &record))	log it
 *	come back at responder_deadline(r)
 *
 * What an administrator does with it is in responder-govern.h. One thread at a time.
 */
#ifndef TENF_GATEWAY_RESPONDER_H
#define TENF_GATEWAY_RESPONDER_H

#include "base/address.h"
#include "base/attributes.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/time.h"
#include "gateway/ledger.h"
#include "gateway/peers.h"
#include "gateway/policy.h"

#define RESPONDER_LINKS_MAX 64
#define RESPONDER_RESERVED_MAX 1024
#define RESPONDER_BATCH_MAX 256           /* requests decided together; two batches are kept */
#define RESPONDER_BATCH_OCTETS (128 * 1024) /* of their answers, and of requests kept for errors */
#define RESPONDER_RECORDS_MAX 512         /* decisions waiting to be logged; more are counted */
#define RESPONDER_RECEIVE_MAX 1104        /* offer at least so much: 1101 is told from 1100 */

/* Defaults, RFC 6887 §15 and the project's. */
#define RESPONDER_LIFETIME_MIN_S 120
#define RESPONDER_LIFETIME_MAX_S 86400
#define RESPONDER_WITHHOLD_UDP_S 120
#define RESPONDER_WITHHOLD_TCP_S 240
#define RESPONDER_MAPPINGS_MAX 10000
#define RESPONDER_UPDATES_MAX 1024u       /* mappings told of a move; the rest hears the epoch */
#define RESPONDER_EXTERNALS_MAX LEDGER_POOL_MAX
#define RESPONDER_RETRY (1 * TENF_SECOND) /* after a commit failed that must come true */
/* PREFER_FAILURE must not be a way to find out which ports are taken. */
#define RESPONDER_FAILURES_PER_MINUTE 10

/* One address at which clients of one network are served. Only datagrams that
 * arrive on `interface`, at `address`, from `network` are heard. */
struct responder_link {
	unsigned interface;           /* the kernel's index at the edge, any number in a test */
	struct tenf_endpoint address; /* also the source of announcements */
	struct tenf_prefix network;
};

struct responder_reserved {
	enum tenf_protocol protocol;
	uint16_t port;
};

/* Who knows the flows that run through the gateway now. The external endpoint of
 * one and how long it lasts without traffic; false: there is none. */
struct responder_flows {
	bool (*find)(void *context, enum tenf_protocol protocol,
		     const struct tenf_endpoint *internal, const struct tenf_endpoint *remote,
		     struct tenf_endpoint *ret_external, uint32_t *ret_lifetime_s);
	void *context;
};

struct responder_config {
	const struct responder_link *links;
	size_t link_count;
	const struct policy_rule *rules;
	size_t rule_count;
	const struct responder_reserved *reserved; /* the gateway's own listening ports */
	size_t reserved_count;
	bool natpmp;
	bool pcp;
	struct tenf_address external_address; /* none4: not known yet */
	const struct tenf_address *externals; /* or several, in place of external_address */
	size_t external_count;
	uint32_t lifetime_min_s; /* PCP; NAT-PMP leases have no minimum */
	uint32_t lifetime_max_s;
	uint32_t withhold_udp_s;
	uint32_t withhold_tcp_s;
	uint32_t mappings_max;
	unsigned filters_max; /* the backend enforces so many; 0: FILTER is not supported */
	bool peer; /* PEER is served; else an unknown opcode */
	const struct responder_flows *flows; /* not copied; NULL: no flow is known */
};

/* Defaults: both protocols, no link, no rule (so nothing is allowed). */
void responder_config_init(struct responder_config *ret);

struct responder_datagram {
	struct tenf_endpoint from;
	struct tenf_endpoint to;
	unsigned interface; /* arrived on, or to leave by */
	const uint8_t *data;
	size_t len;
	bool has_mac; /* the sender's link-layer address is known, for rules that name one */
	uint8_t mac[POLICY_MAC];
};

struct responder;

/* Copies the config. The epoch starts at 0, with a series of announcements
 * (NAT-PMP only while there is an external address). TENF_E_ARGUMENT,
 * TENF_E_LIMIT, TENF_E_MEMORY. */
TENF_CHECKED enum tenf_status responder_new(const struct responder_config *config,
					    const struct tenf_random *random,
					    const struct tenf_memory *memory, tenf_time now,
					    struct responder **ret);
void responder_free(struct responder *r);

/* Takes one datagram; what must be dropped is dropped and counted. The bytes
 * are not looked at after the call. TENF_E_AGAIN: the batch is full or being
 * committed, or answers of two wait; nothing was taken; commit, send, then hand it in again. */
TENF_CHECKED enum tenf_status responder_receive(struct responder *r,
						const struct responder_datagram *in, tenf_time now);
/* These are about to be received. Changes nothing: waits for the memory of all at once,
 * where there are too many mappings for the cache. */
void responder_expect(const struct responder *r, const struct responder_datagram *in, size_t count);
/* Ends leases whose time is over. Does nothing while a batch is being committed. */
void responder_expire(struct responder *r, tenf_time now);
/* When responder_expire and responder_next_send have something to do by the
 * clock alone. TENF_NEVER while a batch is being committed. */
tenf_time responder_deadline(const struct responder *r);

enum responder_change_kind {
	RESPONDER_INSTALL = 1,
	RESPONDER_RENEW,
	RESPONDER_REMOVE,
	/* Forget everything that was ever installed, and cut nothing for it. Comes first;
	 * then what was ended, for its flows alone (`is_flushed`), and every mapping that is
	 * to be there is installed, in the same batch, however many they are. */
	RESPONDER_FLUSH,
	RESPONDER_EPOCH, /* keep epoch_start, for responder_resume after a restart */
	/* `peer`: from its remote endpoint alone inwards, and to it alone outwards. */
	RESPONDER_PEER_INSTALL,
	RESPONDER_PEER_RENEW, /* another end, nothing else */
	RESPONDER_PEER_REMOVE,
};

struct responder_change {
	enum responder_change_kind kind;
	/* NULL for RESPONDER_FLUSH, _EPOCH and _PEER_*; lives until responder_committed.
	 * The lease ends at mapping->until (TENF_NEVER for a static one) unless
	 * removed; mapping->end says why then. Flows that run through a removed mapping
	 * are to be cut, but for LEDGER_EXPIRED, which holds though the batch is refused. */
	const struct ledger_mapping *mapping;
	struct tenf_endpoint external; /* where it is in the packet path, the address included */
	/* RESPONDER_RENEW: more than the end of the lease changed: nonce, maker, rule,
	 * made_at, filters or description. */
	bool content;
	/* _REMOVE and _PEER_REMOVE: the flush before it has taken it, its flows are to be cut. */
	bool is_flushed;
	tenf_time epoch_start; /* RESPONDER_EPOCH */
	const struct responder_peer *peer; /* RESPONDER_PEER_*; lives as mapping does */
};

/* The next change of the batch: RESPONDER_FLUSH, RESPONDER_EPOCH, then those of
 * mappings. The epoch is told by the first batch of all and after each restart
 * of the epoch, again until it was committed. The first call closes the batch; it is
 * then being committed until responder_committed. False at its end. */
bool responder_next_change(struct responder *r, struct responder_change *ret);
/* What became of the batch: TENF_OK releases its answers, anything else takes
 * it back. To be called also when there was no change. */
void responder_committed(struct responder *r, enum tenf_status status, tenf_time now);

/* The next datagram to send: answers first, then Mapping Updates (RFC 6887 §14.2: to
 * PCP clients whose mapping moved to another external address, three times), then
 * announcements that are due. While a batch is being committed the answers of those
 * before it leave, and nothing else.
 * `ret->data` lives until the next call of any of these functions. */
bool responder_next_send(struct responder *r, tenf_time now, struct responder_datagram *ret);

enum responder_verdict {
	RESPONDER_GRANTED = 1,
	RESPONDER_RENEWED,
	RESPONDER_REMOVED,  /* by its owner; `count` of them */
	RESPONDER_REFUSED,  /* `result` says how */
	RESPONDER_ANSWERED, /* address or announce request */
	RESPONDER_EXPIRED,  /* a lease ended, nobody asked */
	RESPONDER_RESTARTED, /* epoch 0: everything lost, or another external address */
	RESPONDER_PENDING,   /* a new wish waits for the administrator: `id` is its own */
	RESPONDER_REVOKED,   /* ended by the administrator or by new rules, see `end` */
};

/* One decision, for one log line. */
struct responder_record {
	enum responder_verdict verdict;
	uint8_t version; /* of the request, or that made it: 0 NAT-PMP, 2 PCP */
	uint8_t opcode;
	uint8_t result;  /* as sent, in the numbers of `version` */
	enum tenf_protocol protocol; /* 0 when it is not about a mapping */
	struct tenf_address client;  /* who asked */
	bool has_mac;
	uint8_t mac[POLICY_MAC];     /* of the client */
	struct tenf_endpoint internal;
	struct tenf_endpoint external; /* port 0: none */
	struct tenf_endpoint remote;   /* of PEER; port 0: any */
	uint32_t lifetime_s;           /* granted */
	uint32_t count;                /* mappings removed */
	uint32_t id;                   /* of the mapping, 0: none or several */
	uint32_t renewals;             /* of the mapping, and when it was made */
	tenf_time made_at;
	enum ledger_end end;           /* why it ended, LEDGER_NOT_ENDED while it lives */
	int rule;                      /* that decided, from 0; POLICY_NO_RULE */
	const char *why;               /* a literal, what people should know; may be NULL */
};

bool responder_next_record(struct responder *r, struct responder_record *ret);

/* As after a power cut: every mapping is lost, the epoch starts at 0, and
 * that is announced. Answers that had not left never do. */
void responder_reboot(struct responder *r, tenf_time now);

/* For a gateway with one address. none4 for "no address": requests for mappings then
 * get a network failure, what is open stays where it is. Another address than the last one
 * known restarts the epoch (RFC 6887 §8.5) and moves every IPv4 mapping to it:
 * RESPONDER_FLUSH and all that lives, in one batch, tried again until it is committed. */
void responder_set_external(struct responder *r, const struct tenf_address *address, tenf_time now);
/* The same for several, 0 for none; in whatever order, none twice. Each host has one of
 * them for all its mappings (RFC 6888 §3, "paired"), the same after a restart; an
 * address that comes or goes moves its own hosts alone. Ports are each address's own. A
 * mapping whose port is taken where it moves ends: RESPONDER_REVOKED with
 * LEDGER_CROWDED_OUT. With several addresses NAT-PMP is not announced: it would
 * have to tell one to all. TENF_E_ARGUMENT, TENF_E_LIMIT, TENF_E_MEMORY; TENF_E_AGAIN
 * while a batch is under way: nothing changed. */
TENF_CHECKED enum tenf_status responder_set_externals(struct responder *r,
						      const struct tenf_address *addresses,
						      size_t count, tenf_time now);

/* A mapping of the administrator's: no end, untouched by requests. It is part
 * of the next batch. TENF_E_LIMIT when the port or the table is taken. */
TENF_CHECKED enum tenf_status responder_add_static(struct responder *r, enum tenf_protocol protocol,
						   const struct tenf_endpoint *internal,
						   uint16_t external_port, tenf_time now);

/* Wrong behaviour on request, for those who test clients; all zero is none.
 * Chances are in parts of 10 000. */
struct responder_quirks {
	unsigned refuse;         /* mapping requests refused as if by policy */
	unsigned other_port;     /* suggestions not followed */
	uint32_t lifetime_cap_s; /* no longer lease, not even the minimum; 0: no cap */
	bool ignore_natpmp;      /* silent, as if packets of this version never arrived */
	bool ignore_pcp;
};
void responder_set_quirks(struct responder *r, const struct responder_quirks *quirks);

struct responder_counts {
	uint64_t received;
	uint64_t dropped_place;  /* interface, address or network */
	uint64_t dropped_bytes;  /* length, answer bit */
	uint64_t dropped_quirk;
	uint64_t answered;
	uint64_t refused;
	uint64_t rolled_back;    /* answers whose commit failed */
	uint64_t records_lost;   /* RESPONDER_RECORDS_MAX reached */
};
void responder_count(const struct responder *r, struct responder_counts *ret);

uint32_t responder_epoch_s(const struct responder *r, tenf_time now);

/* The rule of a record or mapping, NULL for POLICY_NO_RULE. Lives until the policy
 * is set anew. */
const struct policy_rule *responder_rule(const struct responder *r, int rule);

/* What PEER made, in no order: start with NULL. */
const struct responder_peer *responder_peers(const struct responder *r,
					     const struct responder_peer *previous);
uint32_t responder_peer_count(const struct responder *r);

/* Live mappings in no order, for tests and lists: start with NULL. */
const struct ledger_mapping *responder_mappings(const struct responder *r,
						const struct ledger_mapping *previous);
uint32_t responder_mapping_count(const struct responder *r); /* live */
/* While there is no external address: with the last one that was known. */
struct tenf_endpoint responder_external_of(const struct responder *r,
					   const struct ledger_mapping *m);

#endif
