/* SPDX-License-Identifier: MIT */
/*
 * Through=yes: the second hop of a mapping, at the router behind the gateway (router.h).
 * Where a gateway has opened a port at an outside that is a private address, that router is
 * asked for the same port, and the two are one mapping to everybody else
 * (hops/joined.h). Of the table it uses what agent-private.h shows; the record of a hop is
 * kept up to date here.
 */
#ifndef TENF_AGENT_OUTER_H
#define TENF_AGENT_OUTER_H

#include "agent/agent.h"
#include "agent/router.h"
#include "hops/joined.h"

/* Of an item with Through=yes; owned by it. */
struct outer_hops {
	struct agent_item *item;
	struct outer_hops *next; /* of all items */
	struct hop hop[2];
	struct site *site;       /* the outer router's; NULL: none was asked yet */
};

/* AGENT_THROUGH_MAX items have hops. */
bool outer_is_full(const struct agent *agent);
/* Makes the hops of an item that wants them. TENF_E_LIMIT at AGENT_THROUGH_MAX. */
TENF_CHECKED enum tenf_status outer_attach(struct agent *agent, struct agent_item *item);
void outer_detach(struct agent *agent, struct agent_item *item);
/* A router_news_fn of an agent. */
void outer_take_router(void *context, const struct site *inner, enum router_news news);

/* News of the first hop: what is to be told of both; false: nothing. */
bool outer_take_inner(struct agent *agent, struct agent_item *item, unsigned half,
		      const struct tenf_event *event, struct tenf_event *ret);
/* News of a site that are none of a first hop: told, recorded. */
void outer_take(struct agent *agent, const struct site *site, const struct tenf_event *event);

/* Both hops as they are now; `inner` is the first. */
void outer_mapping(const struct agent_item *item, unsigned half, const struct tenf_mapping *inner,
		   struct tenf_mapping *ret);
/* The outer router's address; "" while none is known. */
const char *outer_address(const struct agent_item *item);
void outer_set_lifetime(struct agent_item *item, uint32_t lifetime_s);

/* Asks the outer router to give up what it has for the item; `outer_release` for what an
 * earlier run left there. Done when no ids are left. */
void outer_remove(struct agent_item *item);
void outer_release(struct agent *agent, struct agent_item *item);
bool outer_has_ids(const struct agent_item *item);

#endif
