/* SPDX-License-Identifier: MIT */
/*
 * The table of mappings, one for both protocols. It has one external address or a pool of
 * them, each with ports of its own; a host's mappings are all at one address, which
 * follows from the host's and the pool's alone (RFC 6888 §3, "paired"), so that
 * nothing is to be kept for it. A mapping is found by internal
 * endpoint, by external endpoint and by host, each at constant cost, and it
 * knows which lease ends next.
 *
 * A mapping that ends is not forgotten at once: its external port is withheld
 * from others for a while (RFC 6887 §15), and the record says who gets it back.
 *
 * Changes are collected into a batch. A backend makes the batch true, then the
 * ledger keeps it (ledger_commit) or takes it all back (ledger_rollback). What
 * happened to a mapping within one batch is told as one change: the difference
 * of before and after. No record goes away while a batch is open.
 *
 * The ledger owns its records and their cold parts; a pointer to one lives
 * until the next ledger_sweep or ledger_clear. It reads no clock and decides nothing.
 */
#ifndef TENF_GATEWAY_LEDGER_H
#define TENF_GATEWAY_LEDGER_H

#include "base/address.h"
#include "base/heap.h"
#include "base/random.h"
#include "gateway/ports.h"
#include "wire/pcp-option.h"
#include "wire/pcp.h"

#define LEDGER_MAPPINGS_MAX (1u << 20)  /* largest MaxMappings */
#define LEDGER_WITHHELD_MAX 65536u      /* ended records kept in all */
#define LEDGER_WITHHELD_OF_HOST_MAX 64u /* and of one host; above, ports are free at once */
#define LEDGER_IDLE_HOSTS_MAX 1024u     /* hosts remembered that hold nothing */
#define LEDGER_FILTERS_MAX 16u          /* RFC 6887 §13.3 wants one at least */
#define LEDGER_FILTERED_MAX 128u        /* mappings with filters, in all */
#define LEDGER_FILTERS_TOTAL_MAX 512u   /* and their filters: half the kernel's set, for changes */
#define LEDGER_DESCRIPTION_MAX 128u     /* octets kept of a DESCRIPTION */
#define LEDGER_POOL_MAX 256u            /* external addresses */
#define LEDGER_REVOKED_MAX 4096u        /* more than withheld ones that a start takes in */
#define LEDGER_REVOKED_S 1800u          /* what was revoked is kept from all, its owner too */
#define LEDGER_TWINS_MAX 4096u          /* own ports looked through for a free twin */

enum ledger_maker {
	LEDGER_BY_NATPMP = 1,
	LEDGER_BY_PCP,
	LEDGER_STATIC, /* by the administrator; never ends by itself */
};

enum ledger_state {
	LEDGER_LIVE = 1,
	LEDGER_ENDED, /* withheld: the port is not given to others yet */
};

enum ledger_end {
	LEDGER_NOT_ENDED,
	LEDGER_EXPIRED,
	LEDGER_DELETED, /* by its owner */
	LEDGER_REVOKED, /* by the administrator: not given back, nor made again, for a while */
	LEDGER_DISALLOWED, /* by new rules that were applied to what was open */
	LEDGER_CROWDED_OUT, /* its port was taken at the address that its host moved to */
};

/* What few mappings have. */
struct ledger_cold {
	bool has_asker; /* another host asked for it, RFC 6887 §13.1 */
	struct tenf_address asker;
	uint8_t description[LEDGER_DESCRIPTION_MAX];
	uint8_t description_len;
	uint8_t filter_count;
	struct pcp_filter filters[];
};

struct ledger_host;

struct ledger_mapping {
	struct tenf_heap_entry timer; /* to be looked at then, not later than at its end */
	tenf_time until;              /* end of the lease, or of the withholding */
	struct tenf_address internal_address;
	struct ledger_mapping *next_internal; /* hash chains */
	struct ledger_mapping *next_external;
	struct ledger_mapping *host_next; /* all of one host, live or ended */
	struct ledger_mapping *host_previous;
	struct ledger_mapping *batch_next;
	struct ledger_host *host;
	struct ledger_cold *cold;  /* NULL: no description, no filter, no other asker */
	tenf_time made_at;
	tenf_time committed_until; /* what the backend holds: end of lease, 0 for nothing */
	uint8_t nonce[PCP_NONCE];  /* zero unless made by PCP */
	uint32_t id;               /* unique within a life of the gateway */
	uint32_t renewals;
	uint32_t lifetime_s;       /* granted last */
	uint16_t internal_port;
	uint16_t external_port; /* of an IPv6 pinhole: the internal one */
	int16_t rule;           /* that allowed it */
	uint16_t client_port;   /* its host asked from there last; 0: not known, or not its host */
	uint8_t protocol;       /* enum tenf_protocol: TENF_TCP or TENF_UDP */
	uint8_t maker;          /* enum ledger_maker */
	uint8_t state;          /* enum ledger_state */
	uint8_t end;            /* enum ledger_end */
	bool in_batch;
	bool is_saved; /* its state before the batch is kept aside */
	bool is_rewritten; /* in this batch, in more than the end of its lease */
	bool is_moved : 1; /* to another external address, and its client has not asked since */
	/* From what a daemon before left: when it ends there is known by another clock alone. */
	bool is_read_back : 1;
};
_Static_assert(sizeof(void *) > 8 || sizeof(struct ledger_mapping) <= 152,
	       "with its places in two hashes and a heap a mapping takes 192 octets at most");

/* One host's part: what it holds, and what limits it. */
struct ledger_host {
	struct tenf_address address;
	struct ledger_host *next_hash;
	struct ledger_host *idle_next;
	struct ledger_host *idle_previous;
	struct ledger_mapping *live;
	struct ledger_mapping *ended;
	uint32_t live_count;
	uint32_t ended_count;
	uint16_t slot; /* in the pool of external addresses */
	bool has_mac; /* of who asked from this address last */
	uint8_t mac[6];
	/* The responder's: requests, and PREFER_FAILURE refusals, that count against a rate. */
	tenf_time requests_at;
	tenf_time failures_at;
	uint32_t requests_used;
	uint32_t failures_used;
};

struct ledger_limits {
	uint32_t mappings_max; /* live ones */
	uint32_t withhold_udp_s;
	uint32_t withhold_tcp_s;
};

struct ledger;

TENF_CHECKED enum tenf_status ledger_new(const struct ledger_limits *limits,
					 const struct tenf_random *random,
					 const struct tenf_memory *memory, struct ledger **ret);
void ledger_free(struct ledger *ledger);

/* The gateway's own ports, at every external address; those before are free again. */
void ledger_unreserve(struct ledger *ledger);
void ledger_reserve(struct ledger *ledger, enum tenf_protocol protocol, uint16_t port);

/* A port of this host's external address is lent to flows for remote peers: nobody is
 * given it, or its twin, until it is taken back. Another pool forgets what was lent. */
void ledger_lend(struct ledger *ledger, const struct tenf_address *host,
		 enum tenf_protocol protocol, uint16_t port);
void ledger_take_back(struct ledger *ledger, const struct tenf_address *host,
		      enum tenf_protocol protocol, uint16_t port);
/* A number that no mapping has or will have. */
uint32_t ledger_next_id(struct ledger *ledger);
/* The last one given; and `id` and all below were given before. */
uint32_t ledger_last_id(const struct ledger *ledger);
void ledger_use_id(struct ledger *ledger, uint32_t id);

/* ---- The pool; a new ledger has one address, none4 -------------------- */

size_t ledger_pool(const struct ledger *ledger, const struct tenf_address **ret);
/* The one at which this host's mappings are. */
const struct tenf_address *ledger_pool_address(const struct ledger *ledger,
					       const struct tenf_address *host);
/* Other addresses, no two equal. Hosts whose address stays keep it; those that move
 * keep their ports where nobody has them there, and their live mappings are is_moved.
 * What finds its port taken is forgotten, static mappings last, withheld ones first;
 * `lost` is told of each that was live. The backend is told nothing of all that.
 * TENF_E_ARGUMENT for none, TENF_E_LIMIT, TENF_E_MEMORY; TENF_E_AGAIN while a batch is
 * open, unless it is one address for one: that cannot fail. */
TENF_CHECKED enum tenf_status ledger_set_pool(struct ledger *ledger,
					      const struct tenf_address *pool, size_t count,
					      void (*lost)(void *context,
							   const struct ledger_mapping *m),
					      void *context);

/* Fetches into the cache what ledger_find will look at: of many first the way to the
 * records, then with `is_near` the records. Changes nothing. */
void ledger_expect(const struct ledger *ledger, const struct tenf_address *internal,
		   unsigned protocol, uint16_t internal_port, bool is_near);
/* The live mapping of an internal endpoint, NULL when there is none. */
struct ledger_mapping *ledger_find(const struct ledger *ledger, const struct tenf_address *internal,
				   enum tenf_protocol protocol, uint16_t internal_port);
/* Who holds an external IPv4 port at this host's external address, live or
 * withheld; NULL when nobody does. */
struct ledger_mapping *ledger_find_external(const struct ledger *ledger,
					    const struct tenf_address *host,
					    enum tenf_protocol protocol, uint16_t external_port);
/* The withheld record whose port this internal endpoint may have back: its own
 * one, deleted by itself, or expired and proved by the nonce (NULL: NAT-PMP). */
struct ledger_mapping *ledger_find_ended(const struct ledger *ledger,
					 const struct tenf_address *internal,
					 enum tenf_protocol protocol, uint16_t internal_port,
					 const uint8_t *nonce);

/* The record of this endpoint's mapping that was revoked a while ago, or NULL. */
const struct ledger_mapping *ledger_find_revoked(const struct ledger *ledger,
						 const struct tenf_address *internal,
						 enum tenf_protocol protocol,
						 uint16_t internal_port);

/* Takes as long wherever the difference is. */
bool ledger_nonce_equal(const uint8_t *a, const uint8_t *b);

/* May this host have this external port? False when it is reserved, held or
 * withheld, or when another host has the twin. */
bool ledger_port_is_free(const struct ledger *ledger, enum tenf_protocol protocol, uint16_t port,
			 const struct tenf_address *host);
/* A free port of `allowed` for this host, 0 when there is none. */
uint16_t ledger_find_port(const struct ledger *ledger, enum tenf_protocol protocol,
			  const struct tenf_address *host, const uint64_t allowed[PORTS_WORDS],
			  const struct tenf_random *random);

/* The host's record, made when missing; NULL when memory is out. It lives while
 * the host holds something, and else among the last LEDGER_IDLE_HOSTS_MAX seen. */
struct ledger_host *ledger_host(struct ledger *ledger, const struct tenf_address *address);

/* The same without making it. */
struct ledger_host *ledger_known_host(const struct ledger *ledger,
				      const struct tenf_address *address);
/* For mappings ended and made from now on. TENF_E_ARGUMENT as for ledger_new. */
TENF_CHECKED enum tenf_status ledger_set_limits(struct ledger *ledger,
						const struct ledger_limits *limits);

struct ledger_wish {
	struct tenf_address internal_address;
	uint16_t internal_port;
	uint16_t external_port;
	enum tenf_protocol protocol;
	enum ledger_maker maker;
	const uint8_t *nonce; /* NULL for none */
	uint32_t lifetime_s;  /* not looked at for a static one */
	int rule;
};

/* A new mapping on a port known to be free, or a withheld one brought back.
 * TENF_E_LIMIT at mappings_max, TENF_E_MEMORY. */
TENF_CHECKED enum tenf_status ledger_add(struct ledger *ledger, const struct ledger_wish *wish,
					 tenf_time now, struct ledger_mapping **ret);
/* What a mapping may have beside its lease. */
struct ledger_extras {
	const uint8_t *description;
	size_t description_len;
	const struct pcp_filter *filters;
	size_t filter_count;
	const struct tenf_address *asker; /* NULL: its own host */
};
/* A mapping that the backend holds already, as it was: part of no batch. */
struct ledger_past {
	tenf_time made_at;
	tenf_time ends_at; /* TENF_NEVER for a static one */
	uint32_t id;       /* 0: a new one */
	uint32_t renewals;
	struct ledger_extras extras;
};
/* On a place known to be free. Errors as above. */
TENF_CHECKED enum tenf_status ledger_restore(struct ledger *ledger, const struct ledger_wish *wish,
					     const struct ledger_past *past,
					     struct ledger_mapping **ret);
/* One that ended, on a place known to be free, to be withheld until then. TENF_E_LIMIT
 * above what is withheld in all or of a host, TENF_E_MEMORY. */
TENF_CHECKED enum tenf_status ledger_restore_ended(struct ledger *ledger,
						   const struct ledger_wish *wish, uint32_t id,
						   enum ledger_end why, tenf_time until);
/* A new lease; a nonce makes it PCP's (adoption of a NAT-PMP one). TENF_E_MEMORY. */
TENF_CHECKED enum tenf_status ledger_renew(struct ledger *ledger, struct ledger_mapping *m,
					   uint32_t lifetime_s, const uint8_t *nonce,
					   tenf_time now);
void ledger_end(struct ledger *ledger, struct ledger_mapping *m, enum ledger_end why,
		tenf_time now);
/* What it has; it lives as long as its cold part. */
struct ledger_extras ledger_extras_of(const struct ledger_mapping *m);
/* Replaces them by copies, unless they are these already. TENF_E_MEMORY: unchanged. */
TENF_CHECKED enum tenf_status ledger_set_cold(struct ledger *ledger, struct ledger_mapping *m,
					      const struct ledger_extras *extras);
/* Who asked for it last: its own host, but for THIRD_PARTY. */
const struct tenf_address *ledger_asker(const struct ledger_mapping *m);

/* Is there room for so many filters of this mapping (NULL: a new one)? What ended a short
 * while ago, or is being replaced, still takes its own. */
bool ledger_takes_filters(const struct ledger *ledger, const struct ledger_mapping *m,
			  size_t count);

/* Ends the lease that is over for longest and gives it back; NULL when none is. */
struct ledger_mapping *ledger_expire_one(struct ledger *ledger, tenf_time now);
/* Forgets ended records whose withholding is over; nothing while a batch is open. */
void ledger_sweep(struct ledger *ledger, tenf_time now);
/* The next end of either, or earlier: then ledger_expire_one finds that a lease was
 * renewed, which does not move its timer. TENF_NEVER when there is none. */
tenf_time ledger_deadline(const struct ledger *ledger);

enum ledger_change_kind {
	LEDGER_INSTALL = 1,
	LEDGER_RENEW, /* same endpoints; see is_rewritten for what changed */
	LEDGER_REMOVE,
};

struct ledger_cursor { /* starts as all zero */
	struct ledger_mapping *at;
	bool begun;
};

/* The next difference of the batch, in the order in which mappings were first
 * touched; what came and went within the batch is passed over. False at the end. */
bool ledger_next_change(struct ledger *ledger, struct ledger_cursor *cursor,
			enum ledger_change_kind *ret_kind, struct ledger_mapping **ret);
bool ledger_batch_is_open(const struct ledger *ledger);
void ledger_commit(struct ledger *ledger);
void ledger_rollback(struct ledger *ledger);

/* Forgets everything, the batch and withheld ports included. */
void ledger_clear(struct ledger *ledger);

uint32_t ledger_count(const struct ledger *ledger); /* live */
uint32_t ledger_withheld(const struct ledger *ledger);
/* Live mappings in no order; start with NULL. */
const struct ledger_mapping *ledger_each(const struct ledger *ledger,
					 const struct ledger_mapping *previous);

struct ledger_chunk;
struct ledger_walk { /* starts as all zero */
	struct ledger_chunk *chunk;
	size_t next;
	bool begun;
};
/* Live mappings one after the other, whatever becomes of them in between; those
 * made meanwhile may be met or not. NULL at the end. Not over a ledger_free. */
struct ledger_mapping *ledger_walk(struct ledger *ledger, struct ledger_walk *walk);

/* Whole seconds left of a live lease, rounded up, at least 1; UINT32_MAX for static ones. */
uint32_t ledger_remaining_s(const struct ledger_mapping *m, tenf_time now);

#endif
