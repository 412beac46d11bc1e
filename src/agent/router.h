/* SPDX-License-Identifier: MIT */
/*
 * Routers behind gateways: the one behind a site's gateway is looked for, once for all
 * who ask, and is one more site when it is found. Nothing waits for it; who asked hears
 * of it.
 *
 *   (none) ── somebody asks ──► SEARCHING ── found ──► a site
 *                                ▲     │
 *                                └─────┘ nobody said a word: later again
 *
 * What is held there, and by whom, is not known here (outer.h). Sites live as long as
 * the agent.
 */
#ifndef TENF_AGENT_ROUTER_H
#define TENF_AGENT_ROUTER_H

#include "agent/site.h"
#include "base/address.h"

enum router_news {
	ROUTER_FOUND,  /* routers_behind() has it now */
	ROUTER_MISSED, /* nobody answered; it is looked for again */
	ROUTER_MOVED,  /* the gateway stands elsewhere: the one before is not ours to use */
};

/* Of the router behind `inner`; may come from within routers_behind(). */
typedef void (*router_news_fn)(void *context, const struct site *inner, enum router_news news);

struct router;

struct routers {
	struct sites *sites; /* borrowed */
	router_news_fn tell;
	void *context;
	struct router *first;
};

void routers_init(struct routers *routers, struct sites *sites, router_news_fn tell,
		  void *context);
/* All searches end. */
void routers_done(struct routers *routers);

/* The router behind the gateway of `inner`, whose outside is `behind`; NULL while it is not
 * known, and then the search for it is under way. */
struct site *routers_behind(struct routers *routers, struct site *inner, const char *behind);
/* Where a router of this address behind `inner` is asked. */
struct record_place router_place(const struct site *inner, const struct tenf_address *address);

#endif
