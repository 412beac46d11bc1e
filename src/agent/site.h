/* SPDX-License-Identifier: MIT */
/*
 * A site: one gateway as the agent talks to it, which is one session of the
 * library bound to the event loop. Mappings of the same place share a site, so
 * several gateways are served at once and each has one socket. The sockets of a
 * site in another network namespace are made there (namespace.h).
 */
#ifndef TENF_AGENT_SITE_H
#define TENF_AGENT_SITE_H

#include "agent/namespace.h"
#include "agent/record.h"

#include <event2/event.h>

#define SITES_MAX 64

struct site;

/* News of a site: of a mapping (event->mapping.id) or of its gateway. Called
 * from the event loop, never from within a call of this header. */
typedef void (*site_event_fn)(void *context, struct site *site, const struct tenf_event *event);

struct sites {
	struct event_base *base;
	site_event_fn tell;
	void *context;
	bool anycast; /* sites made from now on ask the anycast address too */
	struct site *first;
	size_t count;
	struct namespaces *namespaces; /* borrowed */
};

void sites_init(struct sites *sites, struct event_base *base, struct namespaces *namespaces,
		site_event_fn tell, void *context);
void sites_done(struct sites *sites);

/* The site of this place, made when there is none. TENF_E_LIMIT, or what
 * namespaces_at and tenf_session_new said. */
TENF_CHECKED enum tenf_status sites_at(struct sites *sites, const struct record_place *place,
				       struct site **ret, struct tenf_error *reterr);

struct tenf_session *site_session(struct site *site);
const struct record_place *site_place(const struct site *site);
struct site *site_next(struct site *site);

/* Somebody used the session: its descriptor and time-out are looked at anew,
 * and news are told from the event loop. */
void site_touch(struct site *site);

#endif
