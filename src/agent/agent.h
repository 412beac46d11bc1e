/* SPDX-License-Identifier: MIT */
/*
 * The agent: the table of what is held, fed by configuration and API, tied to
 * the sites that hold it, to the store that remembers it and to those who are
 * told. It decides nothing about protocols; the library does.
 *
 * An item is one wish (one port, or a pair). Its number is its id in the API
 * ("m<number>") and stays the same over restarts.
 */
#ifndef TENF_AGENT_AGENT_H
#define TENF_AGENT_AGENT_H

#include "agent/config.h"
#include "agent/delivery.h"
#include "agent/site.h"
#include "agent/store.h"

/* An id of a session, and its place in the table that finds the item again. */
struct agent_id {
	uint32_t id; /* 0: none */
	uint32_t half; /* which of the item's two it is */
	struct agent_id *next;
};

struct agent_item {
	struct record record;
	struct site *site;       /* NULL while no session could be made */
	struct agent_id ids[2];  /* in the site's session; [1] of a pair's UDP half */
	uint16_t told_port[2];   /* outside, that others know of; 0: none */
	unsigned followed;       /* times the internal port was moved to the external one */
	uint16_t follow_to;
	bool following;          /* is being moved to that port: the old one is given up first */
	bool removing;
	bool for_good;           /* removed because nobody wants it, not because we end */
	struct outer_hops *outer; /* Through=yes: the second hops; else NULL */
	struct tenf_error *error; /* why there is no site; NULL: there is one */
};

struct agent;

/* Every change somebody may want to see: an event of a mapping (`item` set) or
 * of a gateway (`item` NULL). */
typedef void (*agent_event_fn)(void *context, const struct agent_item *item, unsigned half,
			       const struct tenf_event *event);

struct agent_hooks {
	agent_event_fn tell;
	int64_t (*wall)(void *context); /* the clock of leases: seconds since 1970 */
	void *context;
};

/* Takes over `store`. What it remembers is asked for by agent_configure(), or
 * given up when no configuration declares it any more. */
TENF_CHECKED enum tenf_status agent_new(struct event_base *base, struct namespaces *namespaces,
					struct store *store,
					const struct agent_hooks *hooks, struct agent **ret,
					struct tenf_error *reterr);
void agent_free(struct agent *agent);

/* Makes the declared mappings those of `config`: equal ones are not touched,
 * new ones are added, others removed. */
TENF_CHECKED enum tenf_status agent_configure(struct agent *agent,
					      const struct agent_config *config,
					      struct tenf_error *reterr);

/* How it stands; of a pair, half 0 is TCP and 1 UDP. */
void agent_mapping(const struct agent_item *item, unsigned half, struct tenf_mapping *ret);

/* A runtime mapping. The same wish again gives the item that is there. */
TENF_CHECKED enum tenf_status agent_add(struct agent *agent, const struct record_wish *wish,
					struct agent_item **ret, struct tenf_error *reterr);
/* Another name, persistence or lifetime for an item; the ports stay what they are. */
TENF_CHECKED enum tenf_status agent_change(struct agent *agent, struct agent_item *item,
					   const struct record_wish *wish);
/* Declared ones may be removed too; they come back with the next reload. */
TENF_CHECKED enum tenf_status agent_remove(struct agent *agent, uint64_t number);

struct agent_item *agent_find(struct agent *agent, uint64_t number);
/* Items in the order of their numbers. */
size_t agent_count(const struct agent *agent);
struct agent_item *agent_item_at(struct agent *agent, size_t index);
struct sites *agent_sites(struct agent *agent);

/* Gives up everything that is not to persist. True when nothing is left to wait for. */
void agent_begin_end(struct agent *agent);
bool agent_has_ended(const struct agent *agent);

#endif
