/* SPDX-License-Identifier: MIT */
#include "gateway/pending.h"

#include <stddef.h>
#include <string.h>

void pending_init(struct pending *p)
{
	*p = (struct pending){ 0 };
}

const struct pending_wish *pending_each(const struct pending *p,
					const struct pending_wish *previous)
{
	size_t i = previous != NULL ? (size_t)(previous - p->at) + 1 : 0;

	while (i < PENDING_MAX && p->at[i].id == 0)
		i++;
	return i < PENDING_MAX ? &p->at[i] : NULL;
}

static bool is_for(const struct pending_wish *w, const struct tenf_endpoint *internal,
		   enum tenf_protocol protocol)
{
	return w->id != 0 && w->protocol == protocol &&
	       tenf_endpoint_equal(&w->internal, internal);
}

static struct pending_wish *own(struct pending *p, const struct pending_wish *w)
{
	return w != NULL ? &p->at[w - p->at] : NULL;
}

const struct pending_wish *pending_find(const struct pending *p,
					const struct tenf_address *client,
					const struct tenf_endpoint *internal,
					enum tenf_protocol protocol)
{
	for (size_t i = 0; p->count > 0 && i < PENDING_MAX; i++) {
		if (is_for(&p->at[i], internal, protocol) &&
		    tenf_address_equal(&p->at[i].client, client))
			return &p->at[i];
	}
	return NULL;
}

const struct pending_wish *pending_by_id(const struct pending *p, uint32_t id)
{
	for (size_t i = 0; id != 0 && i < PENDING_MAX; i++) {
		if (p->at[i].id == id)
			return &p->at[i];
	}
	return NULL;
}

static void tell(struct pending *p, struct pending_wish *w, bool gone)
{
	w->watched_until = w->until;
	if (p->watcher != NULL)
		p->watcher(p->context, w, gone);
}

void pending_watch(struct pending *p, pending_watcher watcher, void *context)
{
	p->watcher = watcher;
	p->context = context;
}

static void drop(struct pending *p, struct pending_wish *w)
{
	*w = (struct pending_wish){ 0 };
	p->count--;
}

void pending_expire(struct pending *p, tenf_time now)
{
	for (size_t i = 0; p->count > 0 && i < PENDING_MAX; i++) {
		if (p->at[i].id != 0 && p->at[i].until <= now)
			drop(p, &p->at[i]);
	}
}

/* Addresses can be made up, a link-layer address that answers less easily: by it one machine
 * is one host. Those without are one together. */
static bool is_of_host(const struct pending_wish *w, const struct pending_wish *of)
{
	return w->id != 0 && w->has_mac == of->has_mac &&
	       (!w->has_mac || memcmp(w->mac, of->mac, sizeof(w->mac)) == 0);
}

static uint32_t count_host(const struct pending *p, const struct pending_wish *of)
{
	uint32_t count = 0;

	for (size_t i = 0; i < PENDING_MAX; i++)
		count += is_of_host(&p->at[i], of);
	return count;
}

static uint32_t count_client(const struct pending *p, const struct tenf_address *client)
{
	uint32_t count = 0;

	for (size_t i = 0; i < PENDING_MAX; i++)
		count += p->at[i].id != 0 && tenf_address_equal(&p->at[i].client, client);
	return count;
}

/* In a full table: the newest wish that waits of the host with the most, which has at least
 * two more than who comes. So no host loses what it waits for to one with as much, and
 * what has waited for longest is the last to go. */
static struct pending_wish *worst(struct pending *p, uint32_t held)
{
	struct pending_wish *worst = NULL;
	uint32_t most = held + 1;

	for (size_t i = 0; i < PENDING_MAX; i++) {
		struct pending_wish *w = &p->at[i];
		uint32_t count = w->state == PENDING_WAITING ? count_host(p, w) : 0;

		if (count > most ||
		    (worst != NULL && count == most && w->first_seen >= worst->first_seen)) {
			worst = w;
			most = count;
		}
	}
	return worst;
}

/* A place, unless the host has all that it may have. */
static struct pending_wish *place_for(struct pending *p, const struct pending_wish *wish)
{
	const uint32_t held = count_host(p, wish);
	struct pending_wish *place = NULL;

	if (count_client(p, &wish->client) >= PENDING_OF_HOST_MAX ||
	    held >= (wish->has_mac ? PENDING_OF_HOST_MAX : PENDING_UNKNOWN_MAX))
		return NULL;
	for (size_t i = 0; i < PENDING_MAX && place == NULL; i++)
		place = p->at[i].id == 0 ? &p->at[i] : NULL;
	if (place != NULL)
		return place;
	place = worst(p, held);
	if (place != NULL) {
		tell(p, place, true);
		drop(p, place);
	}
	return place;
}

/* The link-layer address may be heard later than the wish, which then counts among those of
 * its host. False: that one has all that it may have, and the wish is dropped. */
static bool know_host(struct pending *p, struct pending_wish *w, const struct pending_wish *wish)
{
	if (!wish->has_mac || is_of_host(w, wish))
		return true;
	if (w->state == PENDING_WAITING && count_host(p, wish) >= PENDING_OF_HOST_MAX) {
		tell(p, w, true);
		drop(p, w);
		return false;
	}
	w->has_mac = true;
	memcpy(w->mac, wish->mac, sizeof(w->mac));
	return true;
}

const struct pending_wish *pending_note(struct pending *p, const struct pending_wish *wish,
					tenf_time now, bool *ret_is_new)
{
	struct pending_wish *w;

	pending_expire(p, now);
	w = own(p, pending_find(p, &wish->client, &wish->internal, wish->protocol));
	*ret_is_new = w == NULL;
	if (w == NULL) {
		w = place_for(p, wish);
		if (w == NULL)
			return NULL;
		*w = *wish;
		w->id = ++p->last_id;
		w->state = PENDING_WAITING;
		w->first_seen = now;
		w->tries = 0;
		p->count++;
	}
	if (!know_host(p, w, wish))
		return NULL;
	w->rule = wish->rule;
	if (w->tries < UINT32_MAX)
		w->tries++;
	if (w->state == PENDING_WAITING)
		w->until = tenf_time_add(now, PENDING_WAITS);
	if (*ret_is_new || w->until - w->watched_until >= PENDING_TOLD_AGAIN)
		tell(p, w, false);
	return w;
}

enum tenf_status pending_restore(struct pending *p, const struct pending_wish *wish)
{
	struct pending_wish *w;

	if (pending_by_id(p, wish->id) != NULL ||
	    pending_find(p, &wish->client, &wish->internal, wish->protocol) != NULL)
		return TENF_E_LIMIT;
	w = place_for(p, wish);
	if (w == NULL)
		return TENF_E_LIMIT;
	*w = *wish;
	w->watched_until = w->until;
	p->count++;
	if (w->id > p->last_id)
		p->last_id = w->id;
	return TENF_OK;
}

static enum tenf_status judge(struct pending *p, uint32_t id, enum pending_state state,
			      tenf_time until)
{
	struct pending_wish *w = own(p, pending_by_id(p, id));

	if (w == NULL)
		return TENF_E_NOT_FOUND;
	w->state = state;
	w->until = until;
	tell(p, w, false);
	return TENF_OK;
}

enum tenf_status pending_approve(struct pending *p, uint32_t id, tenf_time now)
{
	pending_expire(p, now);
	return judge(p, id, PENDING_IS_APPROVED, tenf_time_add(now, PENDING_APPROVED));
}

enum tenf_status pending_deny(struct pending *p, uint32_t id, tenf_time now)
{
	pending_expire(p, now);
	return judge(p, id, PENDING_IS_DENIED, tenf_time_add(now, PENDING_DENIED));
}

void pending_forget(struct pending *p, const struct tenf_endpoint *internal,
		    enum tenf_protocol protocol)
{
	for (size_t i = 0; p->count > 0 && i < PENDING_MAX; i++) {
		if (!is_for(&p->at[i], internal, protocol) ||
		    p->at[i].state != PENDING_IS_APPROVED)
			continue;
		tell(p, &p->at[i], true);
		drop(p, &p->at[i]);
	}
}

void pending_clear_waiting(struct pending *p)
{
	for (size_t i = 0; p->count > 0 && i < PENDING_MAX; i++) {
		if (p->at[i].id != 0 && p->at[i].state == PENDING_WAITING) {
			tell(p, &p->at[i], true);
			drop(p, &p->at[i]);
		}
	}
}
