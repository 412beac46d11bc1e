/* SPDX-License-Identifier: MIT */
/*
 * Finding records: two chained hash tables of equal size over the same
 * records, by internal endpoint and by external port.
 */
#include "gateway/ledger-private.h"

#include <string.h>

#define FIRST_BUCKETS 256
#define CACHE_LINE 64 /* octets; where it is another size less is fetched ahead, or twice */

uint64_t ledger_mix(uint64_t x)
{
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93u;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93u;
	return x ^ x >> 32;
}

uint64_t ledger_hash(const struct ledger *l, const struct tenf_address *address, uint32_t more)
{
	uint64_t half[2];

	memcpy(half, address->octets, sizeof(half));
	return ledger_mix(ledger_mix(ledger_mix(half[0] ^ l->key[0]) + half[1]) ^ l->key[1] ^ more);
}

static uint32_t place_of(unsigned protocol, uint16_t port)
{
	return (uint32_t)protocol << 16 | port;
}

static struct ledger_mapping **internal_bucket(const struct ledger *l,
					       const struct tenf_address *address,
					       unsigned protocol, uint16_t port)
{
	return &l->internal[ledger_hash(l, address, place_of(protocol, port)) & (l->buckets - 1)];
}

static struct ledger_mapping **external_bucket(const struct ledger *l, unsigned slot,
					       unsigned protocol, uint16_t port)
{
	uint64_t place = (uint64_t)slot << 32 | place_of(protocol, port);

	return &l->external[ledger_mix(l->key[0] ^ place) & (l->buckets - 1)];
}

bool ledger_has_port(const struct ledger_mapping *m)
{
	return tenf_address_is_v4(&m->internal_address);
}

void ledger_table_insert_external(struct ledger *l, struct ledger_mapping *m)
{
	struct ledger_mapping **at =
		external_bucket(l, m->host->slot, m->protocol, m->external_port);

	m->next_external = *at;
	*at = m;
}

void ledger_table_insert(struct ledger *l, struct ledger_mapping *m)
{
	struct ledger_mapping **at =
		internal_bucket(l, &m->internal_address, m->protocol, m->internal_port);

	m->next_internal = *at;
	*at = m;
	if (ledger_has_port(m))
		ledger_table_insert_external(l, m);
}

void ledger_table_remove_internal(struct ledger *l, struct ledger_mapping *m)
{
	struct ledger_mapping **at =
		internal_bucket(l, &m->internal_address, m->protocol, m->internal_port);

	while (*at != m)
		at = &(*at)->next_internal;
	*at = m->next_internal;
}

void ledger_table_remove(struct ledger *l, struct ledger_mapping *m)
{
	struct ledger_mapping **at;

	ledger_table_remove_internal(l, m);
	if (!ledger_has_port(m))
		return;
	at = external_bucket(l, m->host->slot, m->protocol, m->external_port);
	while (*at != m)
		at = &(*at)->next_external;
	*at = m->next_external;
}

/* Twice the buckets when there are as many records; longer chains when memory is out. */
bool ledger_table_grow(struct ledger *l)
{
	size_t old_buckets = l->buckets;
	size_t buckets = old_buckets > 0 ? old_buckets * 2 : FIRST_BUCKETS;
	struct ledger_mapping **old = l->internal;
	struct ledger_mapping **internal;
	struct ledger_mapping **external;

	if ((size_t)l->live_count + l->ended_count < old_buckets)
		return true;
	internal = tenf_memory_zero(l->memory, buckets, sizeof(struct ledger_mapping *));
	external = tenf_memory_zero(l->memory, buckets, sizeof(struct ledger_mapping *));
	if (internal == NULL || external == NULL) {
		tenf_memory_free(l->memory, internal);
		tenf_memory_free(l->memory, external);
		return old != NULL;
	}
	tenf_memory_free(l->memory, l->external);
	l->internal = internal;
	l->external = external;
	l->buckets = buckets;
	for (size_t i = 0; i < old_buckets; i++) {
		while (old[i] != NULL) {
			struct ledger_mapping *m = old[i];

			old[i] = m->next_internal;
			ledger_table_insert(l, m);
		}
	}
	tenf_memory_free(l->memory, old);
	return true;
}

/* The first record of the endpoint at `m` or behind it. */
static struct ledger_mapping *matching(struct ledger_mapping *m, enum ledger_state state,
				       const struct tenf_address *internal,
				       enum tenf_protocol protocol, uint16_t internal_port)
{
	while (m != NULL && !(m->state == state && m->protocol == protocol &&
			      m->internal_port == internal_port &&
			      tenf_address_equal(&m->internal_address, internal)))
		m = m->next_internal;
	return m;
}

static struct ledger_mapping *find_in_state(const struct ledger *l, enum ledger_state state,
					    const struct tenf_address *internal,
					    enum tenf_protocol protocol, uint16_t internal_port)
{
	if (l->buckets == 0)
		return NULL;
	return matching(*internal_bucket(l, internal, protocol, internal_port), state, internal,
			protocol, internal_port);
}

void ledger_expect(const struct ledger *l, const struct tenf_address *internal,
		   unsigned protocol, uint16_t internal_port, bool is_near)
{
	struct ledger_mapping **bucket;

	if (l->buckets == 0)
		return;
	bucket = internal_bucket(l, internal, protocol, internal_port);
	if (!is_near) {
		__builtin_prefetch(bucket);
		return;
	}
	for (size_t at = 0; *bucket != NULL && at < sizeof(**bucket); at += CACHE_LINE)
		__builtin_prefetch((const uint8_t *)*bucket + at);
}

struct ledger_mapping *ledger_find(const struct ledger *l, const struct tenf_address *internal,
				   enum tenf_protocol protocol, uint16_t internal_port)
{
	return find_in_state(l, LEDGER_LIVE, internal, protocol, internal_port);
}

static struct ledger_mapping *find_external(const struct ledger *l, unsigned slot,
					    enum tenf_protocol protocol, uint16_t external_port)
{
	struct ledger_mapping *m = NULL;

	if (ports_is_taken(&l->ports[slot], protocol, external_port))
		m = *external_bucket(l, slot, protocol, external_port);
	while (m != NULL && (m->protocol != protocol || m->external_port != external_port ||
			     m->host->slot != slot))
		m = m->next_external;
	return m;
}

struct ledger_mapping *ledger_find_external(const struct ledger *l,
					    const struct tenf_address *host,
					    enum tenf_protocol protocol, uint16_t external_port)
{
	return find_external(l, ledger_slot(l, host), protocol, external_port);
}

/* A deletion says that the host is still the same one. After an expiry the
 * address may belong to another host by now, and only the nonce tells. */
static bool may_have_back(const struct ledger_mapping *m, const uint8_t *nonce)
{
	if (m->end == LEDGER_REVOKED)
		return false;
	if (m->end == LEDGER_DELETED)
		return true;
	if (m->maker == LEDGER_BY_NATPMP)
		return true;
	return nonce != NULL && ledger_nonce_equal(m->nonce, nonce);
}

bool ledger_nonce_equal(const uint8_t *a, const uint8_t *b)
{
	unsigned difference = 0;

	for (size_t i = 0; i < PCP_NONCE; i++)
		difference |= (unsigned)(a[i] ^ b[i]);
	return difference == 0;
}

struct ledger_mapping *ledger_find_ended(const struct ledger *l,
					 const struct tenf_address *internal,
					 enum tenf_protocol protocol, uint16_t internal_port,
					 const uint8_t *nonce)
{
	struct ledger_mapping *m =
		find_in_state(l, LEDGER_ENDED, internal, protocol, internal_port);

	while (m != NULL && !may_have_back(m, nonce))
		m = matching(m->next_internal, LEDGER_ENDED, internal, protocol, internal_port);
	return m;
}

const struct ledger_mapping *ledger_find_revoked(const struct ledger *l,
						 const struct tenf_address *internal,
						 enum tenf_protocol protocol,
						 uint16_t internal_port)
{
	const struct ledger_mapping *m =
		find_in_state(l, LEDGER_ENDED, internal, protocol, internal_port);

	while (m != NULL && m->end != LEDGER_REVOKED)
		m = matching(m->next_internal, LEDGER_ENDED, internal, protocol, internal_port);
	return m;
}

struct ledger_mapping *ledger_find_place(const struct ledger *l, const struct ledger_wish *wish)
{
	if (tenf_address_is_v4(&wish->internal_address))
		return ledger_find_external(l, &wish->internal_address, wish->protocol,
					    wish->external_port);
	return find_in_state(l, LEDGER_ENDED, &wish->internal_address, wish->protocol,
			     wish->internal_port);
}

bool ledger_port_is_free(const struct ledger *l, enum tenf_protocol protocol, uint16_t port,
			 const struct tenf_address *host)
{
	unsigned slot = ledger_slot(l, host);
	const struct ledger_mapping *twin;

	if (ports_is_reserved(&l->ports[slot], protocol, port) ||
	    ports_is_taken(&l->ports[slot], protocol, port) ||
	    ports_is_lent(&l->ports[slot], protocol, port) ||
	    ports_is_lent(&l->ports[slot], ports_twin(protocol), port))
		return false;
	twin = find_external(l, slot, ports_twin(protocol), port);
	return twin == NULL || tenf_address_equal(&twin->internal_address, host);
}

/* Every port has a holder in one protocol or the other: what is left for this
 * host are the twins of its own. */
static uint16_t find_own_twin(const struct ports *ports, enum tenf_protocol protocol,
			      const struct ledger_mapping *m, const uint64_t *allowed,
			      unsigned *patience)
{
	for (; m != NULL && *patience > 0; m = m->host_next, (*patience)--) {
		uint16_t port = m->external_port;

		if (m->protocol != (uint8_t)protocol && (allowed[port / 64] >> port % 64 & 1) &&
		    !ports_is_reserved(ports, protocol, port) &&
		    !ports_is_taken(ports, protocol, port) &&
		    !ports_is_lent(ports, protocol, port))
			return port;
	}
	return 0;
}

uint16_t ledger_find_port(const struct ledger *l, enum tenf_protocol protocol,
			  const struct tenf_address *address, const uint64_t allowed[PORTS_WORDS],
			  const struct tenf_random *random)
{
	const struct ports *ports = &l->ports[ledger_slot(l, address)];
	uint16_t port = ports_find(ports, protocol, allowed, random);
	const struct ledger_host *host = port == 0 ? ledger_known_host(l, address) : NULL;
	unsigned patience = LEDGER_TWINS_MAX;

	if (host == NULL)
		return port;
	port = find_own_twin(ports, protocol, host->live, allowed, &patience);
	return port != 0 ? port : find_own_twin(ports, protocol, host->ended, allowed, &patience);
}

/* Chains are walked to their end, then the next bucket that is not empty. */
const struct ledger_mapping *ledger_each(const struct ledger *l,
					 const struct ledger_mapping *previous)
{
	const struct ledger_mapping *m = NULL;
	size_t bucket = 0;

	if (previous != NULL) {
		m = previous->next_internal;
		bucket = (size_t)(internal_bucket(l, &previous->internal_address,
						  previous->protocol, previous->internal_port) -
				  l->internal) + 1;
	}
	for (;;) {
		while (m != NULL && m->state != LEDGER_LIVE)
			m = m->next_internal;
		if (m != NULL || bucket >= l->buckets)
			return m;
		m = l->internal[bucket++];
	}
}

/* In the order of memory, which nothing changes. */
struct ledger_mapping *ledger_walk(struct ledger *l, struct ledger_walk *walk)
{
	if (!walk->begun)
		*walk = (struct ledger_walk){ .chunk = l->chunks, .begun = true };
	while (walk->chunk != NULL) {
		while (walk->next < LEDGER_CHUNK) {
			struct ledger_mapping *m = &walk->chunk->at[walk->next++];

			if (m->state == LEDGER_LIVE)
				return m;
		}
		walk->chunk = walk->chunk->next;
		walk->next = 0;
	}
	return NULL;
}
