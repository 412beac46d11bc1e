/* SPDX-License-Identifier: MIT */
#include "agent/agent-private.h"
#include "agent/outer.h"

#include <stdlib.h>
#include <string.h>

static size_t lower_bound(const struct agent *agent, uint64_t number)
{
	size_t low = 0;
	size_t high = agent->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (agent->items[middle]->record.number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct agent_item *agent_find(struct agent *agent, uint64_t number)
{
	size_t at = lower_bound(agent, number);

	if (at == agent->count || agent->items[at]->record.number != number)
		return NULL;
	return agent->items[at];
}

size_t agent_count(const struct agent *agent)
{
	return agent->count;
}

struct agent_item *agent_item_at(struct agent *agent, size_t index)
{
	return index < agent->count ? agent->items[index] : NULL;
}

struct sites *agent_sites(struct agent *agent)
{
	return &agent->sites;
}

enum tenf_status table_link(struct agent *agent, struct agent_item *item)
{
	size_t at = lower_bound(agent, item->record.number);

	if (agent->count >= AGENT_RECORDS_MAX)
		return TENF_E_LIMIT;
	if (agent->count == agent->size) {
		size_t size = agent->size > 0 ? agent->size * 2 : 16;
		struct agent_item **grown = realloc(agent->items, size * sizeof(*grown));

		if (grown == NULL)
			return TENF_E_MEMORY;
		agent->items = grown;
		agent->size = size;
	}
	memmove(agent->items + at + 1, agent->items + at,
		(agent->count - at) * sizeof(*agent->items));
	agent->items[at] = item;
	agent->count++;
	return TENF_OK;
}

/* An id is part of its item: ten thousand pointers less. */
static struct agent_item *item_of(struct agent_id *id)
{
	char *first = (char *)(id - id->half);

	return (struct agent_item *)(void *)(first - offsetof(struct agent_item, ids));
}

static struct agent_id **bucket_of(struct agent *agent, uint32_t id)
{
	return &agent->buckets[id % AGENT_BUCKETS];
}

/* Ids are of a site: those of two sites can be equal. */
struct agent_item *table_of_id(struct agent *agent, const struct site *site, uint32_t id,
				  unsigned *ret_half)
{
	struct agent_id *at = *bucket_of(agent, id);

	while (at != NULL && (at->id != id || item_of(at)->site != site))
		at = at->next;
	if (at == NULL)
		return NULL;
	*ret_half = at->half;
	return item_of(at);
}

void table_set_id(struct agent *agent, struct agent_item *item, unsigned half, uint32_t id)
{
	struct agent_id *own = &item->ids[half];
	struct agent_id **at = bucket_of(agent, own->id);

	if (own->id != 0) {
		while (*at != own)
			at = &(*at)->next;
		*at = own->next;
	}
	own->half = half;
	own->id = id;
	if (id != 0) {
		own->next = *bucket_of(agent, id);
		*bucket_of(agent, id) = own;
	}
}

bool table_has_ids(const struct agent_item *item)
{
	return item->ids[0].id != 0 || item->ids[1].id != 0 || outer_has_ids(item);
}

static void unlink_item(struct agent *agent, struct agent_item *item)
{
	size_t at = lower_bound(agent, item->record.number);

	table_set_id(agent, item, 0, 0);
	table_set_id(agent, item, 1, 0);
	memmove(agent->items + at, agent->items + at + 1,
		(agent->count - at - 1) * sizeof(*agent->items));
	agent->count--;
	outer_detach(agent, item);
	free(item->error);
	free(item);
}

void table_forget(struct agent *agent, struct agent_item *item)
{
	(void)!store_drop(agent->store, item->record.number);
	unlink_item(agent, item);
}

struct agent_item *table_of_wish(struct agent *agent, const struct record_wish *wish)
{
	for (size_t i = 0; i < agent->count; i++) {
		struct agent_item *item = agent->items[i];

		if (!item->removing && record_same_wish(&item->record.wish, wish))
			return item;
	}
	return NULL;
}
