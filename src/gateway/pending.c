/* SPDX-License-Identifier: MIT */
#include "gateway/pending.h"

#include <stddef.h>

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

/* A free place, unless the client has all that it may have. */
static struct pending_wish *place_for(struct pending *p, const struct tenf_address *client)
{
	struct pending_wish *place = NULL;
	uint32_t held = 0;

	for (size_t i = 0; i < PENDING_MAX; i++) {
		if (p->at[i].id == 0)
			place = place != NULL ? place : &p->at[i];
		else if (tenf_address_equal(&p->at[i].client, client))
			held++;
	}
	return held < PENDING_OF_HOST_MAX ? place : NULL;
}

const struct pending_wish *pending_note(struct pending *p, const struct pending_wish *wish,
					tenf_time now, bool *ret_is_new)
{
	struct pending_wish *w;

	pending_expire(p, now);
	w = own(p, pending_find(p, &wish->client, &wish->internal, wish->protocol));
	*ret_is_new = w == NULL;
	if (w == NULL) {
		w = place_for(p, &wish->client);
		if (w == NULL)
			return NULL;
		*w = *wish;
		w->id = ++p->last_id;
		w->state = PENDING_WAITING;
		w->first_seen = now;
		w->tries = 0;
		p->count++;
	}
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
	struct pending_wish *w = place_for(p, &wish->client);

	if (w == NULL || pending_by_id(p, wish->id) != NULL ||
	    pending_find(p, &wish->client, &wish->internal, wish->protocol) != NULL)
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
