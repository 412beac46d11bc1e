/* SPDX-License-Identifier: MIT */
/*
 * Which external ports are taken, one bit a port and protocol, and the search
 * for a free one. TCP and UDP of one external port belong to one host for as
 * long as either is held (RFC 6886 §3.3), so the search looks for a port that
 * is free in both; who holds a twin is the ledger's knowledge, not ours.
 *
 * A search reads at most 1024 words a pass, however full the table is.
 */
#ifndef TENF_GATEWAY_PORTS_H
#define TENF_GATEWAY_PORTS_H

#include "base/random.h"

#include <stdbool.h>
#include <stdint.h>
#include <tenforward/types.h>

#define PORTS_WORDS (65536 / 64)
#define PORTS_HIGH 49152 /* dynamic ports, given first when the client has no wish */
#define PORTS_LOW 1024   /* below are the well-known ones, given last */

struct ports {
	uint64_t taken_tcp[PORTS_WORDS];
	uint64_t taken_udp[PORTS_WORDS];
	uint64_t lent_tcp[PORTS_WORDS]; /* to flows for one remote peer (peers.h) */
	uint64_t lent_udp[PORTS_WORDS];
	uint64_t reserved_tcp[PORTS_WORDS]; /* for the gateway itself */
	uint64_t reserved_udp[PORTS_WORDS];
};

/* Nothing taken; port 0 and UDP 5350 and 5351 are never given (RFC 6887 §11.3). */
void ports_init(struct ports *ports);

/* The gateway itself listens there: never given away. */
void ports_reserve(struct ports *ports, enum tenf_protocol protocol, uint16_t port);

/* The same reserved as in `other`. */
void ports_reserve_as(struct ports *ports, const struct ports *other);
/* Only what ports_init reserves stays reserved. */
void ports_unreserve(struct ports *ports);

void ports_take(struct ports *ports, enum tenf_protocol protocol, uint16_t port);
void ports_release(struct ports *ports, enum tenf_protocol protocol, uint16_t port);

/* A lent port is nobody else's, whether taken or not. */
void ports_lend(struct ports *ports, enum tenf_protocol protocol, uint16_t port);
void ports_take_back(struct ports *ports, enum tenf_protocol protocol, uint16_t port);
bool ports_is_lent(const struct ports *ports, enum tenf_protocol protocol, uint16_t port);

bool ports_is_taken(const struct ports *ports, enum tenf_protocol protocol, uint16_t port);
bool ports_is_reserved(const struct ports *ports, enum tenf_protocol protocol, uint16_t port);

/* A port of `allowed` that is free in both protocols and not reserved for
 * this one: the high ones first, from a random place on; 0 when there is none. */
uint16_t ports_find(const struct ports *ports, enum tenf_protocol protocol,
		    const uint64_t allowed[PORTS_WORDS], const struct tenf_random *random);

/* TCP for UDP and the other way round. */
enum tenf_protocol ports_twin(enum tenf_protocol protocol);

#endif
