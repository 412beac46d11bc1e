/* SPDX-License-Identifier: MIT */
/*
 * External addresses, and which host is at which: the one of the pool that draws
 * the highest number together with the host's address. The draw is the same after a
 * restart, and an address that comes or goes moves its own hosts alone.
 */
#include "gateway/ledger-private.h"

#include <string.h>

uint16_t ledger_pair(const struct ledger *l, const struct tenf_address *host)
{
	uint64_t asks = (uint64_t)tenf_address_to_v4(host) << 32;
	uint64_t most = 0;
	size_t best = 0;

	for (size_t i = 0; l->pool_count > 1 && i < l->pool_count; i++) {
		uint64_t drawn = ledger_mix(asks | tenf_address_to_v4(&l->pool[i]));

		if (i == 0 || drawn > most) {
			most = drawn;
			best = i;
		}
	}
	return (uint16_t)best;
}

uint16_t ledger_slot(const struct ledger *l, const struct tenf_address *address)
{
	const struct ledger_host *host =
		l->pool_count > 1 ? ledger_known_host(l, address) : NULL;

	return host != NULL ? host->slot : ledger_pair(l, address);
}

struct ports *ledger_ports_of(const struct ledger *l, const struct ledger_mapping *m)
{
	return &l->ports[m->host->slot];
}

size_t ledger_pool(const struct ledger *l, const struct tenf_address **ret)
{
	*ret = l->pool;
	return l->pool_count;
}

const struct tenf_address *ledger_pool_address(const struct ledger *l,
					       const struct tenf_address *host)
{
	return &l->pool[ledger_slot(l, host)];
}

void ledger_unreserve(struct ledger *l)
{
	for (size_t i = 0; i < l->pool_count; i++)
		ports_unreserve(&l->ports[i]);
}

void ledger_reserve(struct ledger *l, enum tenf_protocol protocol, uint16_t port)
{
	for (size_t i = 0; i < l->pool_count; i++)
		ports_reserve(&l->ports[i], protocol, port);
}

void ledger_lend(struct ledger *l, const struct tenf_address *host, enum tenf_protocol protocol,
		 uint16_t port)
{
	ports_lend(&l->ports[ledger_slot(l, host)], protocol, port);
}

void ledger_take_back(struct ledger *l, const struct tenf_address *host,
		      enum tenf_protocol protocol, uint16_t port)
{
	ports_take_back(&l->ports[ledger_slot(l, host)], protocol, port);
}

uint32_t ledger_last_id(const struct ledger *l)
{
	return l->next_id;
}

void ledger_use_id(struct ledger *l, uint32_t id)
{
	if (id > l->next_id)
		l->next_id = id;
}

uint32_t ledger_next_id(struct ledger *l)
{
	return ++l->next_id;
}

/* ---- Moving ----------------------------------------------------------- */

/* The first address that is known moves nobody. */
static void mark_moved(struct ledger_host *host, const struct tenf_address *old,
		       const struct tenf_address *now)
{
	if (!tenf_address_is_v4(&host->address) || tenf_address_is_none(old) ||
	    tenf_address_equal(old, now))
		return;
	for (struct ledger_mapping *m = host->live; m != NULL; m = m->host_next)
		m->is_moved = true;
}

/* Static ones find their place first, withheld ports last. */
enum turn { TURN_STATIC, TURN_LIVE, TURN_ENDED, TURNS };

static enum turn turn_of(const struct ledger_mapping *m)
{
	if (m->state == LEDGER_ENDED)
		return TURN_ENDED;
	return m->maker == LEDGER_STATIC ? TURN_STATIC : TURN_LIVE;
}

static bool fits(const struct ledger *l, const struct ledger_mapping *m)
{
	const struct ledger_mapping *twin;

	if (ports_is_taken(ledger_ports_of(l, m), m->protocol, m->external_port))
		return false;
	twin = ledger_find_external(l, &m->internal_address, ports_twin(m->protocol),
				    m->external_port);
	return twin == NULL || twin->host == m->host;
}

struct move {
	void (*lost)(void *context, const struct ledger_mapping *m);
	void *context;
};

static void place(struct ledger *l, struct ledger_mapping *m, const struct move *move)
{
	if (fits(l, m)) {
		ports_take(ledger_ports_of(l, m), m->protocol, m->external_port);
		ledger_table_insert_external(l, m);
		return;
	}
	if (m->state == LEDGER_LIVE)
		move->lost(move->context, m);
	ledger_table_remove_internal(l, m);
	ledger_forget(l, m);
}

static void place_all(struct ledger *l, enum turn turn, const struct move *move)
{
	for (struct ledger_chunk *chunk = l->chunks; chunk != NULL; chunk = chunk->next) {
		for (size_t i = 0; i < LEDGER_CHUNK; i++) {
			struct ledger_mapping *m = &chunk->at[i];

			if (m->state != 0 && ledger_has_port(m) && turn_of(m) == turn)
				place(l, m, move);
		}
	}
}

static void pair_hosts_anew(struct ledger *l, const struct tenf_address *old)
{
	for (size_t i = 0; i < l->host_buckets; i++) {
		for (struct ledger_host *host = l->hosts[i]; host != NULL; host = host->next_hash) {
			size_t slot = host->slot;

			host->slot = ledger_pair(l, &host->address);
			mark_moved(host, &old[slot], &l->pool[host->slot]);
		}
	}
}

enum tenf_status ledger_set_pool(struct ledger *l, const struct tenf_address *pool, size_t count,
				 void (*lost)(void *context, const struct ledger_mapping *m),
				 void *context)
{
	const struct move move = { lost, context };
	struct tenf_address old[LEDGER_POOL_MAX];
	struct ports *ports;

	if (count == 0)
		return TENF_E_ARGUMENT;
	if (count > LEDGER_POOL_MAX)
		return TENF_E_LIMIT;
	memcpy(old, l->pool, l->pool_count * sizeof(old[0]));
	if (count == 1 && l->pool_count == 1) {
		l->pool[0] = pool[0];
		pair_hosts_anew(l, old);
		return TENF_OK;
	}
	if (ledger_batch_is_open(l))
		return TENF_E_AGAIN;
	ports = tenf_memory_zero(l->memory, count, sizeof(*ports));
	if (ports == NULL)
		return TENF_E_MEMORY;
	for (size_t i = 0; i < count; i++)
		ports_reserve_as(&ports[i], l->ports);
	tenf_memory_free(l->memory, l->ports);
	l->ports = ports;
	memcpy(l->pool, pool, count * sizeof(l->pool[0]));
	l->pool_count = count;
	pair_hosts_anew(l, old);
	if (l->buckets > 0)
		memset(l->external, 0, l->buckets * sizeof(struct ledger_mapping *));
	for (enum turn turn = TURN_STATIC; turn < TURNS; turn++)
		place_all(l, turn, &move);
	return TENF_OK;
}
