/* SPDX-License-Identifier: MIT */
/* The agent's table of items: by number, by id within a site, by wish. What
 * agent.c decides is not known here; the store follows when an item is forgotten. */
#ifndef TENF_AGENT_AGENT_PRIVATE_H
#define TENF_AGENT_AGENT_PRIVATE_H

#include "agent/agent.h"
#include "agent/router.h"

#define AGENT_BUCKETS 4096 /* of the table of ids: a few in each, at the limit */

struct agent {
	struct agent_id *buckets[AGENT_BUCKETS];
	struct sites sites;
	struct store *store;
	struct agent_hooks hooks;
	struct agent_item **items; /* by ascending number */
	size_t count;
	size_t size;
	struct outer_hops *through; /* of all items that have them */
	struct routers routers;     /* behind the sites */
	bool ending;
};

/* For outer.c: what is to be told of an item, its record after a change, and that it may
 * have lost its last id. */
void agent_tell_owner(struct agent *agent, struct agent_item *item, unsigned half,
		      const struct tenf_event *event);
void agent_remember(struct agent *agent, struct agent_item *item);
void agent_ended(struct agent *agent, struct agent_item *item);

/* Takes over the item. TENF_E_LIMIT, TENF_E_MEMORY. */
TENF_CHECKED enum tenf_status table_link(struct agent *agent, struct agent_item *item);
/* Frees the item; the store forgets it too. */
void table_forget(struct agent *agent, struct agent_item *item);

struct agent_item *table_of_id(struct agent *agent, const struct site *site, uint32_t id,
			       unsigned *ret_half);
/* 0 takes away the id it has. */
void table_set_id(struct agent *agent, struct agent_item *item, unsigned half, uint32_t id);
bool table_has_ids(const struct agent_item *item);

/* An item that is not being removed; NULL when there is none. */
struct agent_item *table_of_wish(struct agent *agent, const struct record_wish *wish);

#endif
