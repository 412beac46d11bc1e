/* SPDX-License-Identifier: MIT */
#include "gateway/ledger-private.h"

#include <string.h>

/* ---- Records ---------------------------------------------------------- */

static struct ledger_mapping *record_new(struct ledger *l)
{
	struct ledger_mapping *m = l->unused;

	if (m == NULL) {
		struct ledger_chunk *chunk = tenf_memory_zero(l->memory, 1, sizeof(*chunk));

		if (chunk == NULL)
			return NULL;
		chunk->next = l->chunks;
		l->chunks = chunk;
		for (size_t i = LEDGER_CHUNK; i-- > 0;) {
			chunk->at[i].batch_next = l->unused;
			l->unused = &chunk->at[i];
		}
		m = l->unused;
	}
	l->unused = m->batch_next;
	memset(m, 0, sizeof(*m));
	return m;
}

static void leave_state(struct ledger *l, struct ledger_mapping *m)
{
	if (m->state == 0)
		return;
	tenf_heap_set(m->state == LEDGER_LIVE ? &l->leases : &l->withheld, &m->timer, TENF_NEVER);
	ledger_host_unlink(l, m);
	if (m->state == LEDGER_LIVE)
		l->live_count--;
	else
		l->ended_count--;
	m->state = 0;
}

void ledger_set_live(struct ledger *l, struct ledger_mapping *m, tenf_time until)
{
	leave_state(l, m);
	m->state = LEDGER_LIVE;
	m->until = until;
	ledger_host_link(l, m);
	l->live_count++;
	tenf_heap_set(&l->leases, &m->timer, until);
}

void ledger_set_ended(struct ledger *l, struct ledger_mapping *m, tenf_time until)
{
	leave_state(l, m);
	m->state = LEDGER_ENDED;
	m->until = until;
	ledger_host_link(l, m);
	l->ended_count++;
	tenf_heap_set(&l->withheld, &m->timer, until);
}

void ledger_free_cold(struct ledger *l, struct ledger_cold *cold)
{
	if (cold != NULL && cold->filter_count > 0) {
		l->filtered_count--;
		l->filter_count -= cold->filter_count;
	}
	tenf_memory_free(l->memory, cold);
}

void ledger_forget(struct ledger *l, struct ledger_mapping *m)
{
	leave_state(l, m);
	ledger_free_cold(l, m->cold);
	m->batch_next = l->unused;
	l->unused = m;
}

void ledger_drop(struct ledger *l, struct ledger_mapping *m)
{
	ledger_table_remove(l, m);
	if (ledger_has_port(m))
		ports_release(ledger_ports_of(l, m), m->protocol, m->external_port);
	ledger_forget(l, m);
}

/* ---- Life ------------------------------------------------------------- */

static bool makes_sense(const struct ledger_limits *limits)
{
	return limits->mappings_max > 0 && limits->mappings_max <= LEDGER_MAPPINGS_MAX;
}

enum tenf_status ledger_set_limits(struct ledger *l, const struct ledger_limits *limits)
{
	if (!makes_sense(limits))
		return TENF_E_ARGUMENT;
	l->limits = *limits;
	return TENF_OK;
}

enum tenf_status ledger_new(const struct ledger_limits *limits, const struct tenf_random *random,
			    const struct tenf_memory *memory, struct ledger **ret)
{
	struct ledger *l;

	if (!makes_sense(limits))
		return TENF_E_ARGUMENT;
	l = tenf_memory_zero(memory, 1, sizeof(*l));
	if (l == NULL)
		return TENF_E_MEMORY;
	l->memory = memory;
	l->ports = tenf_memory_zero(memory, 1, sizeof(*l->ports));
	if (l->ports == NULL) {
		tenf_memory_free(memory, l);
		return TENF_E_MEMORY;
	}
	ports_init(l->ports);
	l->pool[0] = tenf_address_none4;
	l->pool_count = 1;
	l->limits = *limits;
	tenf_random_fill(random, l->key, sizeof(l->key));
	tenf_heap_init(&l->leases, memory);
	tenf_heap_init(&l->withheld, memory);
	*ret = l;
	return TENF_OK;
}

void ledger_clear(struct ledger *l)
{
	/* In the order of the chunks: each record that is in use is in a state. */
	for (struct ledger_chunk *chunk = l->chunks; chunk != NULL; chunk = chunk->next) {
		for (size_t i = 0; i < LEDGER_CHUNK; i++) {
			struct ledger_mapping *m = &chunk->at[i];

			if (m->state == 0)
				continue;
			ledger_drop_cold(l, m);
			m->in_batch = false;
			ledger_drop(l, m);
		}
	}
	for (size_t i = 0; i < l->saved_count; i++)
		ledger_free_cold(l, l->saved[i].cold);
	ledger_batch_clear(l);
}

void ledger_free(struct ledger *l)
{
	if (l == NULL)
		return;
	ledger_clear(l);
	while (l->chunks != NULL) {
		struct ledger_chunk *chunk = l->chunks;

		l->chunks = chunk->next;
		tenf_memory_free(l->memory, chunk);
	}
	ledger_hosts_clear(l);
	tenf_heap_done(&l->leases);
	tenf_heap_done(&l->withheld);
	tenf_memory_free(l->memory, l->internal);
	tenf_memory_free(l->memory, l->external);
	tenf_memory_free(l->memory, l->ports);
	tenf_memory_free(l->memory, l);
}

static void fill(struct ledger *l, struct ledger_mapping *m, const struct ledger_wish *wish,
		 tenf_time now)
{
	bool is_static = wish->maker == LEDGER_STATIC;

	memset(m->nonce, 0, sizeof(m->nonce));
	if (wish->nonce != NULL)
		memcpy(m->nonce, wish->nonce, sizeof(m->nonce));
	m->made_at = now;
	m->renewals = 0;
	m->lifetime_s = is_static ? UINT32_MAX : wish->lifetime_s;
	m->maker = (uint8_t)wish->maker;
	m->rule = (int16_t)wish->rule;
	m->end = LEDGER_NOT_ENDED;
	ledger_set_live(l, m, is_static ? TENF_NEVER
					: tenf_time_add(now, tenf_seconds(wish->lifetime_s)));
}

static enum tenf_status revive(struct ledger *l, struct ledger_mapping *m,
			       const struct ledger_wish *wish, tenf_time now)
{
	if (ledger_save(l, m) != TENF_OK)
		return TENF_E_MEMORY;
	ledger_drop_cold(l, m);
	fill(l, m, wish, now);
	m->is_rewritten = true;
	return TENF_OK;
}

/* A record of its own, in the tables and not yet in a state. */
static enum tenf_status enter(struct ledger *l, const struct ledger_wish *wish,
			      struct ledger_mapping **ret)
{
	size_t records = (size_t)l->live_count + l->ended_count + 1;
	struct ledger_host *host;
	struct ledger_mapping *m;

	host = ledger_host(l, &wish->internal_address);
	if (host == NULL || !ledger_table_grow(l) ||
	    tenf_heap_reserve(&l->leases, records) != TENF_OK ||
	    tenf_heap_reserve(&l->withheld, records) != TENF_OK)
		return TENF_E_MEMORY;
	m = record_new(l);
	if (m == NULL)
		return TENF_E_MEMORY;
	m->host = host;
	m->internal_address = wish->internal_address;
	m->internal_port = wish->internal_port;
	m->external_port = wish->external_port;
	m->protocol = (uint8_t)wish->protocol;
	if (ledger_has_port(m))
		ports_take(ledger_ports_of(l, m), wish->protocol, wish->external_port);
	ledger_table_insert(l, m);
	*ret = m;
	return TENF_OK;
}

enum tenf_status ledger_add(struct ledger *l, const struct ledger_wish *wish, tenf_time now,
			    struct ledger_mapping **ret)
{
	struct ledger_mapping *m;
	enum tenf_status status;

	if (l->live_count >= l->limits.mappings_max)
		return TENF_E_LIMIT;
	m = ledger_find_place(l, wish);
	if (m != NULL) {
		status = revive(l, m, wish, now);
		if (status == TENF_OK)
			*ret = m;
		return status;
	}
	status = enter(l, wish, &m);
	if (status != TENF_OK)
		return status;
	m->id = ++l->next_id;
	fill(l, m, wish, now);
	ledger_touch(l, m);
	*ret = m;
	return TENF_OK;
}

enum tenf_status ledger_renew(struct ledger *l, struct ledger_mapping *m, uint32_t lifetime_s,
			      const uint8_t *nonce, tenf_time now)
{
	if (ledger_save(l, m) != TENF_OK)
		return TENF_E_MEMORY;
	if (nonce != NULL &&
	    (m->maker != LEDGER_BY_PCP || !ledger_nonce_equal(nonce, m->nonce))) {
		memcpy(m->nonce, nonce, sizeof(m->nonce));
		m->maker = LEDGER_BY_PCP;
		m->is_rewritten = true;
	}
	m->lifetime_s = lifetime_s;
	m->renewals++;
	m->until = tenf_time_add(now, tenf_seconds(lifetime_s));
	/* Only forward: thousands are renewed for each that ends, and the way down through a
	 * large heap is what a renewal would spend most of its time on. */
	if (m->until < m->timer.at)
		tenf_heap_set(&l->leases, &m->timer, m->until);
	return TENF_OK;
}

/* Not above the limits, so that nobody locks away many ports by taking and giving back. */
static bool may_withhold(const struct ledger *l, const struct ledger_mapping *m)
{
	return ledger_has_port(m) && l->ended_count < LEDGER_WITHHELD_MAX &&
	       m->host->ended_count < LEDGER_WITHHELD_OF_HOST_MAX;
}

/* How long the port is kept from others. */
static uint32_t withhold_s(const struct ledger *l, const struct ledger_mapping *m)
{
	if (m->end == LEDGER_REVOKED)
		return LEDGER_REVOKED_S;
	if (!may_withhold(l, m))
		return 0;
	return m->protocol == TENF_TCP ? l->limits.withhold_tcp_s : l->limits.withhold_udp_s;
}

void ledger_end(struct ledger *l, struct ledger_mapping *m, enum ledger_end why, tenf_time now)
{
	ledger_touch(l, m);
	m->end = (uint8_t)why;
	ledger_set_ended(l, m, tenf_time_add(now, tenf_seconds(withhold_s(l, m))));
}

const struct tenf_address *ledger_asker(const struct ledger_mapping *m)
{
	return m->cold != NULL && m->cold->has_asker ? &m->cold->asker : &m->internal_address;
}

struct ledger_extras ledger_extras_of(const struct ledger_mapping *m)
{
	const struct ledger_cold *cold = m->cold;

	if (cold == NULL)
		return (struct ledger_extras){ .asker = NULL };
	return (struct ledger_extras){ .description = cold->description,
				       .description_len = cold->description_len,
				       .filters = cold->filters,
				       .filter_count = cold->filter_count,
				       .asker = cold->has_asker ? &cold->asker : NULL };
}

static bool asker_equal(const struct ledger_cold *cold, const struct tenf_address *asker)
{
	return asker == NULL ? !cold->has_asker
			     : cold->has_asker && tenf_address_equal(&cold->asker, asker);
}

static bool is_nothing(const struct ledger_extras *e)
{
	return e->description_len == 0 && e->filter_count == 0 && e->asker == NULL;
}

static bool cold_equal(const struct ledger_cold *cold, const struct ledger_extras *e)
{
	if (cold == NULL)
		return is_nothing(e);
	if (cold->description_len != e->description_len ||
	    cold->filter_count != e->filter_count || !asker_equal(cold, e->asker))
		return false;
	if (e->description_len > 0 &&
	    memcmp(cold->description, e->description, e->description_len) != 0)
		return false;
	for (size_t i = 0; i < e->filter_count; i++) {
		const struct pcp_filter *filter = &e->filters[i];

		if (cold->filters[i].prefix_length != filter->prefix_length ||
		    cold->filters[i].port != filter->port ||
		    !tenf_address_equal(&cold->filters[i].address, &filter->address))
			return false;
	}
	return true;
}

static void fill_cold(struct ledger_cold *cold, const struct ledger_extras *e)
{
	cold->description_len = (uint8_t)e->description_len;
	cold->filter_count = (uint8_t)e->filter_count;
	if (e->description_len > 0)
		memcpy(cold->description, e->description, e->description_len);
	if (e->filter_count > 0)
		memcpy(cold->filters, e->filters, e->filter_count * sizeof(*e->filters));
	cold->has_asker = e->asker != NULL;
	if (e->asker != NULL)
		cold->asker = *e->asker;
}

/* False when memory is out; NULL for nothing to keep. */
static bool cold_new(struct ledger *l, const struct ledger_extras *e, struct ledger_cold **ret)
{
	struct ledger_cold *cold = NULL;

	if (!is_nothing(e)) {
		cold = tenf_memory_zero(l->memory, 1,
					sizeof(*cold) + e->filter_count * sizeof(*e->filters));
		if (cold == NULL)
			return false;
		fill_cold(cold, e);
		l->filtered_count += e->filter_count > 0;
		l->filter_count += e->filter_count;
	}
	*ret = cold;
	return true;
}

enum tenf_status ledger_restore(struct ledger *l, const struct ledger_wish *wish,
				const struct ledger_past *past, struct ledger_mapping **ret)
{
	struct ledger_cold *cold;
	struct ledger_mapping *m;
	enum tenf_status status;

	if (l->live_count >= l->limits.mappings_max || ledger_find_place(l, wish) != NULL)
		return TENF_E_LIMIT;
	if (!cold_new(l, &past->extras, &cold))
		return TENF_E_MEMORY;
	status = enter(l, wish, &m);
	if (status != TENF_OK) {
		ledger_free_cold(l, cold);
		return status;
	}
	m->id = past->id != 0 ? past->id : ++l->next_id;
	ledger_use_id(l, m->id);
	m->cold = cold;
	fill(l, m, wish, past->made_at);
	m->renewals = past->renewals;
	ledger_set_live(l, m, past->ends_at);
	m->committed_until = past->ends_at;
	m->is_read_back = true;
	*ret = m;
	return TENF_OK;
}

enum tenf_status ledger_restore_ended(struct ledger *l, const struct ledger_wish *wish,
				      uint32_t id, enum ledger_end why, tenf_time until)
{
	struct ledger_mapping *m;
	enum tenf_status status;

	if (l->ended_count >= LEDGER_WITHHELD_MAX + LEDGER_REVOKED_MAX)
		return TENF_E_LIMIT;
	status = enter(l, wish, &m);
	if (status != TENF_OK)
		return status;
	m->end = (uint8_t)why;
	if (why != LEDGER_REVOKED && !may_withhold(l, m)) {
		ledger_drop(l, m);
		return TENF_E_LIMIT;
	}
	m->id = id;
	ledger_use_id(l, id);
	m->maker = (uint8_t)wish->maker;
	m->rule = (int16_t)wish->rule;
	if (wish->nonce != NULL)
		memcpy(m->nonce, wish->nonce, sizeof(m->nonce));
	ledger_set_ended(l, m, until);
	return TENF_OK;
}

bool ledger_takes_filters(const struct ledger *l, const struct ledger_mapping *m, size_t count)
{
	size_t had = m != NULL && m->cold != NULL ? m->cold->filter_count : 0;

	return count <= had || (l->filtered_count + (had == 0) <= LEDGER_FILTERED_MAX &&
				l->filter_count + count - had <= LEDGER_FILTERS_TOTAL_MAX);
}

enum tenf_status ledger_set_cold(struct ledger *l, struct ledger_mapping *m,
				 const struct ledger_extras *extras)
{
	struct ledger_cold *cold;

	if (cold_equal(m->cold, extras))
		return TENF_OK;
	if (!cold_new(l, extras, &cold))
		return TENF_E_MEMORY;
	if (ledger_save(l, m) != TENF_OK) {
		ledger_free_cold(l, cold);
		return TENF_E_MEMORY;
	}
	ledger_drop_cold(l, m);
	m->cold = cold;
	m->is_rewritten = true;
	return TENF_OK;
}

/* ---- The clock -------------------------------------------------------- */

static struct ledger_mapping *mapping_of(struct tenf_heap_entry *entry)
{
	return (struct ledger_mapping *)(void *)entry; /* the timer comes first */
}
_Static_assert(offsetof(struct ledger_mapping, timer) == 0, "mapping_of relies on it");

struct ledger_mapping *ledger_expire_one(struct ledger *l, tenf_time now)
{
	while (tenf_heap_deadline(&l->leases) <= now) {
		struct ledger_mapping *m = mapping_of(tenf_heap_first(&l->leases));

		if (m->until > m->timer.at) {
			tenf_heap_set(&l->leases, &m->timer, m->until);
			continue;
		}
		/* From the end of the lease, not from when somebody looked. */
		ledger_end(l, m, LEDGER_EXPIRED, m->until);
		return m;
	}
	return NULL;
}

void ledger_sweep(struct ledger *l, tenf_time now)
{
	if (ledger_batch_is_open(l))
		return;
	while (tenf_heap_deadline(&l->withheld) <= now)
		ledger_drop(l, mapping_of(tenf_heap_first(&l->withheld)));
}

tenf_time ledger_deadline(const struct ledger *l)
{
	return tenf_time_min(tenf_heap_deadline(&l->leases), tenf_heap_deadline(&l->withheld));
}

uint32_t ledger_remaining_s(const struct ledger_mapping *m, tenf_time now)
{
	tenf_time left = m->until - now;

	if (m->maker == LEDGER_STATIC)
		return UINT32_MAX;
	return left <= TENF_SECOND ? 1 : (uint32_t)((left + TENF_SECOND - 1) / TENF_SECOND);
}

uint32_t ledger_count(const struct ledger *l)
{
	return l->live_count;
}

uint32_t ledger_withheld(const struct ledger *l)
{
	return l->ended_count;
}
