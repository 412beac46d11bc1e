/* SPDX-License-Identifier: MIT */
#include "gateway/peers.h"

#include <stddef.h>

_Static_assert(offsetof(struct peers_entry, peer) == 0, "peers_each relies on it");

void peers_init(struct peers *p, const struct tenf_memory *memory)
{
	*p = (struct peers){ .memory = memory, .next = TENF_NEVER };
}

void peers_done(struct peers *p)
{
	if (p->memory != NULL)
		tenf_memory_free(p->memory, p->at);
	peers_init(p, p->memory);
}

void peers_clear(struct peers *p)
{
	p->count = 0;
	p->changed = 0;
	p->next = TENF_NEVER;
}

/* ---- Finding ---------------------------------------------------------- */

static bool has_ended(const struct peers_entry *e)
{
	return e->peer.end != LEDGER_NOT_ENDED;
}

static bool is_from(const struct peers_entry *e, enum tenf_protocol protocol,
		    const struct tenf_endpoint *internal)
{
	return !has_ended(e) && e->peer.protocol == protocol &&
	       tenf_endpoint_equal(&e->peer.internal, internal);
}

struct peers_entry *peers_find(const struct peers *p, enum tenf_protocol protocol,
			       const struct tenf_endpoint *internal,
			       const struct tenf_endpoint *remote)
{
	for (size_t i = 0; i < p->count; i++) {
		if (is_from(&p->at[i], protocol, internal) &&
		    tenf_endpoint_equal(&p->at[i].peer.remote, remote))
			return &p->at[i];
	}
	return NULL;
}

struct peers_entry *peers_of(const struct peers *p, enum tenf_protocol protocol,
			     const struct tenf_endpoint *internal)
{
	for (size_t i = 0; i < p->count; i++) {
		if (is_from(&p->at[i], protocol, internal))
			return &p->at[i];
	}
	return NULL;
}

struct peers_entry *peers_by_id(const struct peers *p, uint32_t id)
{
	for (size_t i = 0; i < p->count; i++) {
		if (!has_ended(&p->at[i]) && p->at[i].peer.id == id)
			return &p->at[i];
	}
	return NULL;
}

uint32_t peers_count(const struct peers *p, const struct tenf_address *host)
{
	uint32_t count = 0;

	for (size_t i = 0; i < p->count; i++)
		count += !has_ended(&p->at[i]) &&
			 tenf_address_equal(&p->at[i].peer.internal.address, host);
	return count;
}

const struct responder_peer *peers_each(const struct peers *p,
					const struct responder_peer *previous)
{
	const struct peers_entry *e = (const struct peers_entry *)(const void *)previous;
	size_t i = e != NULL ? (size_t)(e - p->at) + 1 : 0;

	while (i < p->count && has_ended(&p->at[i]))
		i++;
	return i < p->count ? &p->at[i].peer : NULL;
}

/* ---- Life ------------------------------------------------------------- */

static void touch(struct peers *p, struct peers_entry *e)
{
	p->changed += !e->changed;
	e->changed = true;
}

static enum tenf_status enter(struct peers *p, const struct responder_peer *peer,
			      struct peers_entry **ret)
{
	if (p->count >= PEERS_MAX)
		return TENF_E_LIMIT;
	if (p->count == p->size) {
		size_t size = p->size > 0 ? p->size * 2 : 16;
		struct peers_entry *at =
			tenf_memory_grow(p->memory, p->at, size, sizeof(*p->at));

		if (at == NULL)
			return TENF_E_MEMORY;
		p->at = at;
		p->size = size;
	}
	*ret = &p->at[p->count++];
	**ret = (struct peers_entry){ .peer = *peer };
	p->next = tenf_time_min(p->next, peer->ends_at);
	return TENF_OK;
}

enum tenf_status peers_add(struct peers *p, const struct responder_peer *peer)
{
	struct peers_entry *e;
	enum tenf_status status = enter(p, peer, &e);

	if (status == TENF_OK)
		touch(p, e);
	return status;
}

/* The backend holds it as it is. */
static void hold(struct peers_entry *e)
{
	e->committed_until = e->peer.ends_at;
	e->committed_lifetime_s = e->peer.lifetime_s;
	e->committed_renewals = e->peer.renewals;
}

enum tenf_status peers_restore(struct peers *p, const struct responder_peer *peer)
{
	struct peers_entry *e;
	enum tenf_status status = enter(p, peer, &e);

	if (status == TENF_OK)
		hold(e);
	return status;
}

void peers_renew(struct peers *p, struct peers_entry *e, tenf_time ends_at, uint32_t lifetime_s)
{
	e->peer.ends_at = ends_at;
	e->peer.lifetime_s = lifetime_s;
	e->peer.renewals++;
	touch(p, e);
}

void peers_end(struct peers *p, struct peers_entry *e, enum ledger_end why)
{
	e->peer.end = why;
	touch(p, e);
}

const struct responder_peer *peers_expire_one(struct peers *p, tenf_time now)
{
	tenf_time next = TENF_NEVER;

	if (p->next > now)
		return NULL;
	for (size_t i = 0; i < p->count; i++) {
		struct peers_entry *e = &p->at[i];

		if (has_ended(e))
			continue;
		if (e->peer.ends_at <= now) {
			peers_end(p, e, LEDGER_EXPIRED);
			return &e->peer;
		}
		next = tenf_time_min(next, e->peer.ends_at);
	}
	p->next = next;
	return NULL;
}

static struct peers_revoked *find_revoked(struct peers *p, const struct responder_peer *peer)
{
	for (size_t i = 0; i < PEERS_REVOKED_MAX; i++) {
		struct peers_revoked *v = &p->revoked[i];

		if (v->until != 0 && v->protocol == peer->protocol &&
		    tenf_endpoint_equal(&v->internal, &peer->internal) &&
		    tenf_endpoint_equal(&v->remote, &peer->remote))
			return v;
	}
	return NULL;
}

void peers_revoke(struct peers *p, const struct responder_peer *peer, tenf_time until)
{
	struct peers_revoked *place = find_revoked(p, peer);

	if (place == NULL) {
		place = &p->revoked[p->revoked_next];
		p->revoked_next = (p->revoked_next + 1) % PEERS_REVOKED_MAX;
	}
	*place = (struct peers_revoked){ peer->protocol, peer->internal, peer->remote, until };
}

tenf_time peers_revoked_until(const struct peers *p, enum tenf_protocol protocol,
			      const struct tenf_endpoint *internal,
			      const struct tenf_endpoint *remote)
{
	for (size_t i = 0; i < PEERS_REVOKED_MAX; i++) {
		const struct peers_revoked *v = &p->revoked[i];

		if (v->until != 0 && v->protocol == protocol &&
		    tenf_endpoint_equal(&v->internal, internal) &&
		    tenf_endpoint_equal(&v->remote, remote))
			return v->until;
	}
	return 0;
}

tenf_time peers_deadline(const struct peers *p)
{
	return p->next;
}

/* ---- The batch -------------------------------------------------------- */

bool peers_batch_is_open(const struct peers *p)
{
	return p->changed > 0;
}

bool peers_next_change(const struct peers *p, size_t *at, enum peers_change *ret_kind,
		       const struct responder_peer **ret)
{
	if (p->changed == 0)
		return false;
	for (; *at < p->count; (*at)++) {
		const struct peers_entry *e = &p->at[*at];

		if (!e->changed || (has_ended(e) && e->committed_until == 0))
			continue;
		if (has_ended(e))
			*ret_kind = PEERS_REMOVE;
		else
			*ret_kind = e->committed_until == 0 ? PEERS_INSTALL : PEERS_RENEW;
		*ret = &e->peer;
		(*at)++;
		return true;
	}
	return false;
}

void peers_remove(struct peers *p, struct peers_entry *e)
{
	p->changed -= e->changed;
	*e = p->at[--p->count];
}

/* Closes the batch; what has ended is forgotten, the last one takes its place. */
static void close_batch(struct peers *p,
			void (*gone)(void *context, const struct responder_peer *peer),
			void *context)
{
	for (size_t i = 0; i < p->count;) {
		struct peers_entry *e = &p->at[i];

		e->changed = false;
		if (!has_ended(e)) {
			p->next = tenf_time_min(p->next, e->peer.ends_at);
			i++;
			continue;
		}
		gone(context, &e->peer);
		*e = p->at[--p->count];
	}
	p->changed = 0;
}

void peers_commit(struct peers *p, void (*gone)(void *context, const struct responder_peer *peer),
		  void *context)
{
	if (p->changed == 0)
		return;
	for (size_t i = 0; i < p->count; i++) {
		if (p->at[i].changed)
			hold(&p->at[i]);
	}
	close_batch(p, gone, context);
}

static void take_back(struct peers_entry *e)
{
	if (e->committed_until == 0) {
		e->peer.end = LEDGER_DELETED; /* it never was */
		return;
	}
	if (e->peer.end == LEDGER_EXPIRED)
		return;
	e->peer.end = LEDGER_NOT_ENDED;
	e->peer.ends_at = e->committed_until;
	e->peer.lifetime_s = e->committed_lifetime_s;
	e->peer.renewals = e->committed_renewals;
}

void peers_rollback(struct peers *p,
		    void (*gone)(void *context, const struct responder_peer *peer), void *context)
{
	if (p->changed == 0)
		return;
	for (size_t i = 0; i < p->count; i++) {
		if (p->at[i].changed)
			take_back(&p->at[i]);
	}
	close_batch(p, gone, context);
}
