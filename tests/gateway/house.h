/* SPDX-License-Identifier: MIT */
/*
 * A house to test a gateway in: a responder with one network of each family
 * behind it, hosts that ask, a clock that a test moves, and a backend that
 * does, or refuses, what it is told. Addresses are those of the golden packets.
 */
#ifndef TENF_TESTS_HOUSE_H
#define TENF_TESTS_HOUSE_H

/* clang-format off: cmocka wants these first, in this order */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "gateway/responder.h"
#include "wire/natpmp.h"
#include "wire/pcp.h"

#define HOUSE_LAN 2 /* interfaces */
#define HOUSE_WAN 3
#define HOUSE_HELD_MAX 70000

struct house {
	struct responder_config config;
	struct responder_link links[2];
	struct policy_rule rules[8];
	struct tenf_seeded seeded;
	struct tenf_random random;
	struct responder *r;
	tenf_time now;
	bool has_mac; /* of whoever sends */
	uint8_t mac[POLICY_MAC];
	enum tenf_status backend; /* what a commit comes to */
	uint32_t held;            /* mappings in the backend */
	uint32_t installs, renewals, removals, flushes, epochs;
	uint32_t rewritten;       /* renewals in which more than the end changed */
	tenf_time epoch_start;    /* as the backend keeps it */
	struct ledger_mapping removed; /* the last one, as it was told */
	struct tenf_endpoint installed;
	uint32_t peers; /* in the backend */
	uint32_t peer_installs, peer_renewals;
	struct responder_peer peer; /* the last one told */

	struct responder_datagram sent; /* the last answer */
	uint8_t answer[1200];
	size_t answers;
	uint64_t answered; /* in all */
	struct responder_datagram updated; /* the last Mapping Update */
	uint8_t update[1200];
	size_t updates;
	struct responder_record record; /* the last one */
	size_t records;
};

/* Both protocols, one rule that allows everything; change house->config and
 * house->rules, then start. */
void house_init(struct house *h);
void house_start(struct house *h);
void house_stop(struct house *h);

/* host(20) is 192.168.1.20. */
struct tenf_address house_host(unsigned last);
extern const struct tenf_address house_gateway; /* 192.168.1.1 */
extern const struct tenf_address house_external; /* 203.0.113.7 */
struct tenf_address house_v6(const char *text);

void house_wait(struct house *h, tenf_duration time);
/* One turn of the daemon's loop: commit, collect answers and records.
 * Announcements are passed over. */
void house_turn(struct house *h);

/* A datagram from a host to the gateway; its answer is in h->answer,
 * h->sent.len, and h->answers says how many there were. */
void house_send(struct house *h, const struct tenf_endpoint *from, const uint8_t *data, size_t len);
void house_send_as(struct house *h, const struct responder_datagram *in);
/* Without the commit. */
void house_hand_in(struct house *h, const struct tenf_endpoint *from, const uint8_t *data,
		   size_t len);

/* A NAT-PMP request and its answer; the test fails when there is none. */
struct natpmp_answer house_natpmp(struct house *h, unsigned host, enum tenf_protocol protocol,
				  uint16_t internal, uint16_t external, uint32_t lifetime_s);

/* A PCP MAP. */
struct wish {
	unsigned host;
	enum tenf_protocol protocol;
	uint16_t internal;
	uint16_t external;
	uint32_t lifetime_s;
	uint8_t nonce;               /* all twelve octets */
	struct tenf_address address; /* suggested; zero is none4 */
	const uint8_t *options;      /* as on the wire */
	size_t options_len;
	const struct tenf_address *from; /* instead of host, for IPv6 */
};
size_t house_write(const struct wish *wish, uint8_t *ret, size_t size);
struct pcp_answer house_pcp(struct house *h, const struct wish *wish);

/* A memory that gives so many allocations and then none; it must outlive its user. */
struct house_memory {
	struct tenf_memory memory;
	long left;
};
void house_memory_init(struct house_memory *m, long left);

/* A memory that knows how much is held. */
struct house_counted {
	struct tenf_memory memory;
	size_t held;
};
void house_counted_init(struct house_counted *c);

/* Live mappings, and one of them. */
uint32_t house_count(const struct house *h);
const struct ledger_mapping *house_find(const struct house *h, enum tenf_protocol protocol,
					uint16_t external);

#endif
