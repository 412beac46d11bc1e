/* SPDX-License-Identifier: MIT */
#include "gateway/ports.h"

#include "wire/pcp.h"

#include <string.h>

static uint64_t bit_of(uint16_t port)
{
	return (uint64_t)1 << (port % 64);
}

static uint64_t *taken_of(struct ports *ports, enum tenf_protocol protocol)
{
	return protocol == TENF_TCP ? ports->taken_tcp : ports->taken_udp;
}

static const uint64_t *reserved_of(const struct ports *ports, enum tenf_protocol protocol)
{
	return protocol == TENF_TCP ? ports->reserved_tcp : ports->reserved_udp;
}

enum tenf_protocol ports_twin(enum tenf_protocol protocol)
{
	return protocol == TENF_TCP ? TENF_UDP : TENF_TCP;
}

void ports_init(struct ports *ports)
{
	memset(ports, 0, sizeof(*ports));
	ports_unreserve(ports);
}

void ports_unreserve(struct ports *ports)
{
	memset(ports->reserved_tcp, 0, sizeof(ports->reserved_tcp));
	memset(ports->reserved_udp, 0, sizeof(ports->reserved_udp));
	ports_reserve(ports, TENF_TCP, 0);
	ports_reserve(ports, TENF_UDP, 0);
	ports_reserve(ports, TENF_UDP, PCP_ANNOUNCE_PORT); /* RFC 6887 §11.3 */
	ports_reserve(ports, TENF_UDP, PCP_PORT);
}

void ports_reserve(struct ports *ports, enum tenf_protocol protocol, uint16_t port)
{
	uint64_t *words = protocol == TENF_TCP ? ports->reserved_tcp : ports->reserved_udp;

	words[port / 64] |= bit_of(port);
}

void ports_reserve_as(struct ports *ports, const struct ports *other)
{
	memcpy(ports->reserved_tcp, other->reserved_tcp, sizeof(ports->reserved_tcp));
	memcpy(ports->reserved_udp, other->reserved_udp, sizeof(ports->reserved_udp));
}

void ports_take(struct ports *ports, enum tenf_protocol protocol, uint16_t port)
{
	taken_of(ports, protocol)[port / 64] |= bit_of(port);
}

void ports_release(struct ports *ports, enum tenf_protocol protocol, uint16_t port)
{
	taken_of(ports, protocol)[port / 64] &= ~bit_of(port);
}

void ports_lend(struct ports *ports, enum tenf_protocol protocol, uint16_t port)
{
	(protocol == TENF_TCP ? ports->lent_tcp : ports->lent_udp)[port / 64] |= bit_of(port);
}

void ports_take_back(struct ports *ports, enum tenf_protocol protocol, uint16_t port)
{
	(protocol == TENF_TCP ? ports->lent_tcp : ports->lent_udp)[port / 64] &= ~bit_of(port);
}

bool ports_is_lent(const struct ports *ports, enum tenf_protocol protocol, uint16_t port)
{
	const uint64_t *words = protocol == TENF_TCP ? ports->lent_tcp : ports->lent_udp;

	return (words[port / 64] & bit_of(port)) != 0;
}

bool ports_is_taken(const struct ports *ports, enum tenf_protocol protocol, uint16_t port)
{
	const uint64_t *words = protocol == TENF_TCP ? ports->taken_tcp : ports->taken_udp;

	return (words[port / 64] & bit_of(port)) != 0;
}

bool ports_is_reserved(const struct ports *ports, enum tenf_protocol protocol, uint16_t port)
{
	return (reserved_of(ports, protocol)[port / 64] & bit_of(port)) != 0;
}

/* What one search looks at. */
struct search {
	const struct ports *ports;
	const uint64_t *reserved;
	const uint64_t *allowed;
};

static uint64_t free_in(const struct search *s, size_t word)
{
	return s->allowed[word] & ~s->reserved[word] & ~s->ports->taken_tcp[word] &
	       ~s->ports->taken_udp[word] & ~s->ports->lent_tcp[word] & ~s->ports->lent_udp[word];
}

/* The first free port from `first` to `last`, 0 when there is none. */
static uint16_t find_between(const struct search *s, unsigned first, unsigned last)
{
	for (size_t word = first / 64; word <= last / 64; word++) {
		uint64_t left = free_in(s, word);

		if (word == first / 64)
			left &= UINT64_MAX << (first % 64);
		if (word == last / 64)
			left &= UINT64_MAX >> (63 - last % 64);
		if (left != 0)
			return (uint16_t)(word * 64 + (unsigned)__builtin_ctzll(left));
	}
	return 0;
}

/* From a random place on, round to where it began. */
static uint16_t find_around(const struct search *s, unsigned first, unsigned last,
			    const struct tenf_random *random)
{
	unsigned start = first + (unsigned)tenf_random_below(random, last - first + 1);
	uint16_t port = find_between(s, start, last);

	if (port == 0 && start > first)
		port = find_between(s, first, start - 1);
	return port;
}

uint16_t ports_find(const struct ports *ports, enum tenf_protocol protocol,
		    const uint64_t allowed[PORTS_WORDS], const struct tenf_random *random)
{
	static const struct {
		uint16_t first;
		uint16_t last;
	} order[] = {
		{ PORTS_HIGH, UINT16_MAX }, { PORTS_LOW, PORTS_HIGH - 1 }, { 1, PORTS_LOW - 1 },
	};
	const struct search s = { ports, reserved_of(ports, protocol), allowed };
	uint16_t port = 0;

	for (size_t i = 0; port == 0 && i < sizeof(order) / sizeof(order[0]); i++)
		port = find_around(&s, order[i].first, order[i].last, random);
	return port;
}
