/* SPDX-License-Identifier: MIT */
#include "agent/outer.h"

#include "agent/agent-private.h"
#include <stdlib.h>

static const char nobody[] = "It cannot be found: nobody says that a packet died there. Open the "
			     "port at it by hand, or put it into bridge mode.";

/* ---- Items -------------------------------------------------------------------- */

bool outer_is_full(const struct agent *agent)
{
	size_t count = 0;

	for (const struct outer_hops *hops = agent->through; hops != NULL; hops = hops->next)
		count++;
	return count >= AGENT_THROUGH_MAX;
}

enum tenf_status outer_attach(struct agent *agent, struct agent_item *item)
{
	struct outer_hops *hops;

	if (!item->record.wish.through)
		return TENF_OK;
	if (outer_is_full(agent))
		return TENF_E_LIMIT;
	hops = calloc(1, sizeof(*hops));
	if (hops == NULL)
		return TENF_E_MEMORY;
	hops->item = item;
	hops->next = agent->through;
	agent->through = hops;
	item->outer = hops;
	return TENF_OK;
}

void outer_detach(struct agent *agent, struct agent_item *item)
{
	struct outer_hops **at = &agent->through;

	if (item->outer == NULL)
		return;
	while (*at != item->outer)
		at = &(*at)->next;
	*at = item->outer->next;
	free(item->outer);
	item->outer = NULL;
}

bool outer_has_ids(const struct agent_item *item)
{
	return item->outer != NULL && (item->outer->hop[0].id != 0 || item->outer->hop[1].id != 0);
}

const char *outer_address(const struct agent_item *item)
{
	if (item->outer == NULL || item->outer->site == NULL)
		return "";
	return site_place(item->outer->site)->gateway;
}

void outer_mapping(const struct agent_item *item, unsigned half, const struct tenf_mapping *inner,
		   struct tenf_mapping *ret)
{
	struct hop now = item->outer->hop[half];

	now.inner = *inner;
	if (now.id != 0)
		(void)tenf_session_mapping(site_session(item->outer->site), now.id, &now.outer);
	*ret = hop_joined(&now);
}

void outer_set_lifetime(struct agent_item *item, uint32_t lifetime_s)
{
	for (unsigned half = 0; half < 2; half++) {
		uint32_t id = item->outer != NULL ? item->outer->hop[half].id : 0;

		if (id != 0)
			(void)!tenf_session_set_lifetime(site_session(item->outer->site), id,
							 lifetime_s);
	}
	if (outer_has_ids(item))
		site_touch(item->outer->site);
}

/* ---- Giving up ------------------------------------------------------------------ */

static void drop(struct agent_item *item, unsigned half)
{
	struct hop *hop = &item->outer->hop[half];

	if (hop->id == 0)
		return;
	(void)!tenf_session_remove(site_session(item->outer->site), hop->id);
	site_touch(item->outer->site);
	hop_dropped(hop);
}

void outer_remove(struct agent_item *item)
{
	for (unsigned half = 0; half < 2 && item->outer != NULL; half++) {
		const struct hop *hop = &item->outer->hop[half];

		if (hop->id != 0)
			(void)!tenf_session_remove(site_session(item->outer->site), hop->id);
	}
	if (outer_has_ids(item))
		site_touch(item->outer->site);
}

/* What is recorded as open there, and leads to a port that is not ours any more. */
static uint32_t release(struct agent_item *item, unsigned half)
{
	const struct record_hop *left = &item->record.hop[half];
	enum tenf_protocol protocol = item->record.wish.protocol;
	struct tenf_mapping lease = { .external_port = left->external_port };
	uint32_t id = 0;

	lease.protocol = protocol != TENF_BOTH ? protocol : half == 0 ? TENF_TCP : TENF_UDP;
	lease.internal_port = left->internal_port;
	if (tenf_session_release(site_session(item->outer->site), &lease, &id) != TENF_OK)
		return 0;
	site_touch(item->outer->site);
	return id;
}

void outer_release(struct agent *agent, struct agent_item *item)
{
	for (unsigned half = 0; half < 2 && item->outer != NULL; half++) {
		const struct record_hop *left = &item->record.hop[half];
		struct record_place place;

		if (tenf_address_is_none(&left->gateway) ||
		    left->expires_at <= agent->hooks.wall(agent->hooks.context))
			continue;
		place = router_place(item->site, &left->gateway);
		if (sites_at(&agent->sites, &place, &item->outer->site, NULL) == TENF_OK)
			item->outer->hop[half].id = release(item, half);
	}
}

/* ---- The second hop ---------------------------------------------------------------- */

static void ask(struct agent_item *item, unsigned half)
{
	const struct record_hop *known = &item->record.hop[half];
	struct hop *hop = &item->outer->hop[half];
	struct tenf_address here;
	struct tenf_request request;
	uint32_t id = 0;

	hop_request(hop, &request);
	request.lifetime_s = item->record.wish.lifetime_s;
	request.exact = item->record.wish.exact;
	if (tenf_address_parse(outer_address(item), &here) &&
	    tenf_address_equal(&here, &known->gateway)) {
		if (known->internal_port == request.internal_port)
			request.granted_port = known->external_port;
		else
			(void)release(item, half);
	}
	if (tenf_session_add(site_session(item->outer->site), &request, &id) == TENF_OK)
		hop_asked(hop, id);
	else
		hop_failed(hop, TENF_REASON_SYSTEM, "It could not be asked for the port.");
	site_touch(item->outer->site);
}

/* The outer hop leads to where the gateway has the port now, or is given up: a port that
 * is not ours there may become anybody's. */
static void follow(struct agent *agent, struct agent_item *item, unsigned half)
{
	struct hop *hop = &item->outer->hop[half];
	struct site *site;

	if (item->removing || hop->inner.state == TENF_STATE_REMOVED)
		return;
	if (!hop_is_needed(&hop->inner)) {
		drop(item, half);
		return;
	}
	site = routers_behind(&agent->routers, item->site, hop->inner.external_address);
	if (site == NULL || (hop_fits(hop) && item->outer->site == site))
		return;
	drop(item, half);
	item->outer->site = site;
	ask(item, half);
}

/* ---- News of the router --------------------------------------------------------- */

/* What has become of the second hop without a word of its session. */
static void tell(struct agent *agent, struct agent_item *item, unsigned half)
{
	struct tenf_event cause = { .at = agent->hooks.wall(agent->hooks.context) }, event;

	if (hop_compose(&item->outer->hop[half], &cause, &event))
		agent_tell_owner(agent, item, half, &event);
}

static void missed(struct agent *agent, struct agent_item *item, unsigned half)
{
	struct hop *hop = &item->outer->hop[half];

	if (item->removing || !hop_is_needed(&hop->inner) || hop->id != 0)
		return;
	hop_failed(hop, TENF_REASON_NO_GATEWAY, nobody);
	tell(agent, item, half);
}

static void take_news(struct agent *agent, struct agent_item *item, unsigned half,
		      enum router_news news)
{
	switch (news) {
	case ROUTER_FOUND:
		follow(agent, item, half);
		if (!item->removing)
			tell(agent, item, half);
		return;
	case ROUTER_MISSED:
		missed(agent, item, half);
		return;
	case ROUTER_MOVED:
		drop(item, half);
		return;
	}
}

void outer_take_router(void *context, const struct site *inner, enum router_news news)
{
	struct agent *agent = context;

	for (struct outer_hops *hops = agent->through; hops != NULL; hops = hops->next) {
		for (unsigned half = 0; half < 2 && hops->item->site == inner; half++)
			take_news(agent, hops->item, half, news);
	}
}

/* ---- News of the sessions ------------------------------------------------------- */

static void remember(struct agent *agent, struct agent_item *item, unsigned half)
{
	const struct tenf_mapping *m = &item->outer->hop[half].outer;
	struct record_hop *kept = &item->record.hop[half];

	if (!tenf_address_parse(outer_address(item), &kept->gateway))
		return;
	kept->internal_port = m->internal_port;
	kept->external_port = m->external_port;
	kept->expires_at = m->expires_at;
	agent_remember(agent, item);
}

bool outer_take_inner(struct agent *agent, struct agent_item *item, unsigned half,
		      const struct tenf_event *event, struct tenf_event *ret)
{
	struct hop *hop = &item->outer->hop[half];

	hop->inner = event->mapping;
	follow(agent, item, half);
	return hop_compose(hop, event, ret);
}

static struct agent_item *item_of(struct agent *agent, const struct site *site, uint32_t id,
				  unsigned *ret_half)
{
	for (struct outer_hops *hops = agent->through; hops != NULL; hops = hops->next) {
		for (unsigned half = 0; half < 2 && hops->site == site; half++) {
			if (hops->hop[half].id != id)
				continue;
			*ret_half = half;
			return hops->item;
		}
	}
	return NULL;
}

void outer_take(struct agent *agent, const struct site *site, const struct tenf_event *event)
{
	unsigned half = 0;
	struct agent_item *item = item_of(agent, site, event->mapping.id, &half);
	struct tenf_event shown;
	struct hop *hop;

	if (item == NULL) /* of one that was given up */
		return;
	hop = &item->outer->hop[half];
	hop->outer = event->mapping;
	if (hop_is_held(&hop->outer))
		remember(agent, item, half);
	if (hop_compose(hop, event, &shown))
		agent_tell_owner(agent, item, half, &shown);
	if (event->kind != TENF_EVENT_REMOVED)
		return;
	hop->id = 0;
	agent_ended(agent, item);
}
