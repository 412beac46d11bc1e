/* SPDX-License-Identifier: MIT */
/*
 * The client side of NAT-PMP and PCP towards one gateway, without a socket, a
 * clock or a random source of its own: feed it datagrams and the time, take
 * from it what to send, when to come back, and answers.
 *
 *   client_ask → [ client_next_send* → (network) → client_receive
 *                  client_expire at client_deadline ]* → client_next_answer
 *
 * How the two protocols share a question (RFC 6886 §1.1, RFC 6887 §9):
 *
 *          PCP packet ───────────────► answer                    ─► done
 *              │  version 0, result 1 ──────────┐
 *   ask ──┤    silent, and the gateway ──┐     ▼
 *          │   answered NAT-PMP           ├──► NAT-PMP map       ─► done
 *          └─ NAT-PMP address request ────┘  (one at a time)
 *
 * PCP is always asked first, and what a gateway speaks is only a hint for
 * the next time. The address request beside it is harmless, shows within one round
 * trip whether NAT-PMP is there, and brings the external address that NAT-PMP's
 * map answer lacks. NAT-PMP has one request outstanding per gateway (§3.1): the
 * slot. Nothing here allocates; a client never owns the inquiries it links.
 */
#ifndef TENF_CORE_CLIENT_H
#define TENF_CORE_CLIENT_H

#include "base/random.h"
#include "core/epoch.h"
#include "core/inquiry.h"
#include "wire/pcp.h"

/* Inquiries that may be in their first round at once; the others wait, so that
 * ten thousand mappings are no storm. */
#define CLIENT_FRESH_MAX 32

/* What the gateway was last heard to speak. */
enum client_knowledge {
	CLIENT_UNKNOWN,
	CLIENT_SPEAKS,
	CLIENT_SILENT, /* answered the other protocol, not this */
	CLIENT_LACKS,  /* said so */
};

struct client_counters {
	uint64_t sent;
	uint64_t received;
	uint64_t dropped_foreign;
	uint64_t dropped_malformed;
	uint64_t dropped_unasked;
};

struct inquiry_list {
	struct inquiry *first;
	struct inquiry *last;
};

/* The one NAT-PMP request that may be outstanding. */
struct natpmp_slot {
	enum { SLOT_FREE, SLOT_ADDRESS, SLOT_MAP } what;
	struct inquiry *owner; /* SLOT_MAP */
	bool due;
	unsigned sent;
	tenf_time sent_at;
	tenf_time next;
};

struct client {
	struct tenf_random random;
	struct tenf_endpoint gateway;
	struct tenf_address source;
	unsigned methods;
	struct epoch pcp_epoch;
	struct epoch natpmp_epoch;
	enum client_knowledge pcp;
	enum client_knowledge natpmp;
	tenf_time natpmp_lacks_until; /* CLIENT_LACKS is believed no longer */
	struct natpmp_slot slot;
	tenf_time natpmp_sent_at; /* last packet, TENF_NEVER when there was none */
	struct inquiry_list waiting;
	struct inquiry_list active;
	struct inquiry_list done;
	unsigned fresh;
	struct tenf_address external; /* last told, zero when none */
	tenf_time external_at;        /* TENF_NEVER when never told */
	enum tenf_method external_by;
	tenf_duration rtt; /* -1 when never measured */
	/* News for the caller, each taken once. */
	bool restarted;
	bool alive;
	bool address_changed;
	bool natpmp_moved; /* NAT-PMP told another address: that of all it mapped */
	struct client_counters counters;
};

/* `source` is what getsockname() says of the socket towards the gateway. Without
 * `forced`, NAT-PMP is left out where it cannot be meant: towards IPv6, and
 * from an own address that is not RFC 1918 (RFC 6886 §3). */
void client_init(struct client *client, const struct tenf_endpoint *gateway,
		 const struct tenf_address *source, unsigned methods, bool forced,
		 const struct tenf_random *random);

/* Starts an inquiry whose question is filled in. It must not be linked yet. */
void client_ask(struct client *client, struct inquiry *inquiry, tenf_time now);
/* Forgets an inquiry wherever it is; later answers to it are unasked. */
void client_cancel(struct client *client, struct inquiry *inquiry, tenf_time now);

enum client_receipt {
	CLIENT_TOOK,   /* it was an answer, or news */
	CLIENT_DROPPED, /* counted */
	CLIENT_UPDATE, /* a MAP answer that no inquiry waits for: see client_update() */
};

/* A datagram from the gateway's socket. For CLIENT_UPDATE *ret_update is the
 * decoded packet, pointing into `data`. */
TENF_CHECKED enum client_receipt client_receive(struct client *client,
						const struct tenf_endpoint *from,
						const uint8_t *data, size_t len, tenf_time now,
						struct pcp_answer *ret_update);
/* The caller's word on a CLIENT_UPDATE: it belongs to a mapping still wanted
 * (then it feeds the epoch, §14.2), or to nobody (then it is counted as dropped). */
void client_update(struct client *client, const struct pcp_answer *update, bool wanted,
		   tenf_time now);
/* RFC 6887 §7.3: an answer echoes the options that were processed, so a filter that is
 * not among these is not in force. True when none was asked for. */
bool client_is_filtered(const struct core_question *question, const struct pcp_answer *answer);

/* A multicast announcement (RFC 6886 §3.2.1, RFC 6887 §14.1.3). */
enum client_receipt client_announced(struct client *client, const struct tenf_endpoint *from,
				     const uint8_t *data, size_t len, tenf_time now);
/* ICMP port unreachable: nobody listens, every question ends (RFC 6886 §3.1). */
void client_unreachable(struct client *client, tenf_time now);

/* The external address as told by a packet, or by UPnP; notes a change. */
void client_learn_address(struct client *client, const struct tenf_address *external,
			  enum tenf_method method, tenf_time now);

void client_expire(struct client *client, tenf_time now);
tenf_time client_deadline(const struct client *client);
/* The next datagram for the gateway, at most PCP_MAX octets; false when none
 * is due. `now` is the time it is sent. */
bool client_next_send(struct client *client, tenf_time now, struct tenf_writer *w);
/* True when client_next_send() would give a datagram now. */
bool client_has_due(const struct client *client);
/* The next answered inquiry, unlinked; NULL when there is none. */
struct inquiry *client_next_answer(struct client *client);

#endif
