/* SPDX-License-Identifier: MIT */
#include "agent/agent.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

/* Moving the internal port after the external one ends here, should a gateway
 * never give the port that was asked for. */
#define FOLLOW_MAX 8

struct agent {
	struct sites sites;
	struct store *store;
	struct agent_hooks hooks;
	struct agent_item **items; /* by ascending number */
	size_t count;
	size_t size;
	bool ending;
};

/* ---- The table --------------------------------------------------------------- */

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

static enum tenf_status link_item(struct agent *agent, struct agent_item *item)
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

static void unlink_item(struct agent *agent, struct agent_item *item)
{
	size_t at = lower_bound(agent, item->record.number);

	memmove(agent->items + at, agent->items + at + 1,
		(agent->count - at - 1) * sizeof(*agent->items));
	agent->count--;
	free(item);
}

static struct agent_item *item_of(struct agent *agent, const struct site *site, uint32_t id,
				  unsigned *ret_half)
{
	for (size_t i = 0; i < agent->count; i++) {
		struct agent_item *item = agent->items[i];

		for (unsigned half = 0; item->site == site && half < 2; half++) {
			if (item->ids[half] == id) {
				*ret_half = half;
				return item;
			}
		}
	}
	return NULL;
}

static struct agent_item *same_wish(struct agent *agent, const struct record_wish *wish)
{
	for (size_t i = 0; i < agent->count; i++) {
		struct agent_item *item = agent->items[i];

		if (!item->removing && record_same_wish(&item->record.wish, wish))
			return item;
	}
	return NULL;
}

/* ---- Asking -------------------------------------------------------------------- */

static bool lease_is_worth_suggesting(const struct record_lease *lease)
{
	return lease->external_port != 0;
}

static void fill_request(const struct record *record, struct tenf_request *ret)
{
	const struct record_wish *wish = &record->wish;

	tenf_request_init(ret);
	ret->protocol = wish->protocol;
	ret->internal_port = record->followed_port ? record->followed_port : wish->internal_port;
	ret->external_port = record->followed_port ? record->followed_port : wish->external_port;
	ret->lifetime_s = wish->lifetime_s;
	ret->exact = wish->exact;
	ret->keep = true;
	ret->internal_address = wish->internal_address[0] != '\0' ? wish->internal_address : NULL;
	ret->description = wish->name[0] != '\0' ? wish->name : NULL;
	ret->nonce = record->lease[0].nonce;
	ret->pair_nonce = record->lease[1].nonce;
	if (lease_is_worth_suggesting(&record->lease[0]))
		ret->granted_port = record->lease[0].external_port;
}

/* Wants the item at its site. Without a site (no such interface yet) the item
 * stays in the table with the reason, and is tried again on reload. */
static enum tenf_status ask(struct agent *agent, struct agent_item *item)
{
	struct tenf_request request;
	struct tenf_mapping first;
	enum tenf_status status;

	item->error = (struct tenf_error){ .result = -1 };
	status = sites_at(&agent->sites, &item->record.wish.place, &item->site, &item->error);
	if (status != TENF_OK)
		return status;
	fill_request(&item->record, &request);
	status = tenf_session_add(site_session(item->site), &request, &item->ids[0]);
	if (status != TENF_OK)
		return status;
	item->ids[1] = 0;
	if (tenf_session_mapping(site_session(item->site), item->ids[0], &first)) {
		item->ids[1] = first.pair;
		item->now[0] = first;
	}
	if (item->ids[1] != 0)
		(void)tenf_session_mapping(site_session(item->site), item->ids[1], &item->now[1]);
	site_touch(item->site);
	return TENF_OK;
}

/* Nonces are made here and stored before the first packet goes out: killed at
 * any moment, the agent comes back as the owner of what it made. */
static bool make_nonces(struct record *record)
{
	for (unsigned half = 0; half < 2; half++) {
		uint8_t *nonce = record->lease[half].nonce;

		if (getrandom(nonce, TENF_NONCE_SIZE, 0) != TENF_NONCE_SIZE)
			return false;
	}
	return true;
}

static enum tenf_status hold(struct agent *agent, const struct record *record, bool stored,
			     struct agent_item **ret)
{
	struct agent_item *item = calloc(1, sizeof(*item));
	enum tenf_status status = TENF_OK;

	if (item == NULL)
		return TENF_E_MEMORY;
	item->record = *record;
	if (!stored)
		status = store_put(agent->store, record);
	if (status == TENF_OK)
		status = link_item(agent, item);
	if (status != TENF_OK) {
		free(item);
		return status;
	}
	status = ask(agent, item);
	if (status == TENF_E_ARGUMENT && item->site != NULL) {
		(void)!store_drop(agent->store, record->number);
		unlink_item(agent, item);
		return status;
	}
	*ret = item;
	return TENF_OK;
}

static enum tenf_status add(struct agent *agent, const struct record_wish *wish,
			    enum record_origin origin, struct agent_item **ret)
{
	struct record record = { .origin = origin, .wish = *wish };
	enum tenf_status status;

	if (agent->count >= AGENT_RECORDS_MAX)
		return TENF_E_LIMIT;
	if (!make_nonces(&record))
		return TENF_E_SYSTEM;
	status = store_next_number(agent->store, &record.number);
	if (status != TENF_OK)
		return status;
	return hold(agent, &record, false, ret);
}

enum tenf_status agent_add(struct agent *agent, const struct record_wish *wish,
			   struct agent_item **ret, struct tenf_error *reterr)
{
	struct agent_item *item = same_wish(agent, wish);
	enum tenf_status status = TENF_OK;

	if (item == NULL)
		status = add(agent, wish, RECORD_RUNTIME, &item);
	if (status == TENF_OK)
		*ret = item;
	else if (reterr != NULL)
		*reterr = (struct tenf_error){ .status = status, .reason = TENF_REASON_SYSTEM,
					       .result = -1 };
	return status;
}

enum tenf_status agent_change(struct agent *agent, struct agent_item *item,
			      const struct record_wish *wish)
{
	struct record changed = item->record;
	enum tenf_status status;

	memcpy(changed.wish.name, wish->name, sizeof(changed.wish.name));
	changed.wish.persist = wish->persist;
	changed.wish.lifetime_s = wish->lifetime_s;
	status = store_put(agent->store, &changed);
	if (status != TENF_OK)
		return status;
	for (unsigned half = 0; half < 2 && item->site != NULL; half++) {
		if (item->ids[half] != 0 &&
		    wish->lifetime_s != item->record.wish.lifetime_s)
			(void)!tenf_session_set_lifetime(site_session(item->site),
							 item->ids[half], wish->lifetime_s);
	}
	item->record = changed;
	if (item->site != NULL)
		site_touch(item->site);
	return TENF_OK;
}

/* ---- Giving up ------------------------------------------------------------------- */

static void forget(struct agent *agent, struct agent_item *item)
{
	(void)!store_drop(agent->store, item->record.number);
	unlink_item(agent, item);
}

static void remove_item(struct agent *agent, struct agent_item *item)
{
	if (item->removing)
		return;
	item->removing = true;
	if (item->site == NULL ||
	    tenf_session_remove(site_session(item->site), item->ids[0]) != TENF_OK)
		forget(agent, item);
	else
		site_touch(item->site);
}

enum tenf_status agent_remove(struct agent *agent, uint64_t number)
{
	struct agent_item *item = agent_find(agent, number);

	if (item == NULL || item->removing)
		return TENF_E_NOT_FOUND;
	remove_item(agent, item);
	return TENF_OK;
}

void agent_begin_end(struct agent *agent)
{
	agent->ending = true;
	for (size_t i = agent->count; i > 0; i--) {
		struct agent_item *item = agent->items[i - 1];

		if (item->record.wish.persist || item->removing)
			continue;
		item->removing = true;
		if (item->site == NULL)
			continue;
		(void)!tenf_session_remove(site_session(item->site), item->ids[0]);
		site_touch(item->site);
	}
}

bool agent_has_ended(const struct agent *agent)
{
	for (size_t i = 0; i < agent->count; i++) {
		const struct agent_item *item = agent->items[i];

		if (item->removing && (item->ids[0] != 0 || item->ids[1] != 0))
			return false;
	}
	return true;
}

/* ---- News -------------------------------------------------------------------------- */

static void remember(struct agent *agent, struct agent_item *item, unsigned half,
		     const struct tenf_mapping *m)
{
	struct record_lease *lease = &item->record.lease[half];

	memcpy(lease->nonce, m->nonce, sizeof(lease->nonce));
	lease->external_port = m->external_port;
	lease->expires_at = m->expires_at;
	memcpy(lease->external_address, m->external_address, sizeof(lease->external_address));
	memcpy(lease->gateway, m->gateway, sizeof(lease->gateway));
	(void)!store_put(agent->store, &item->record);
}

/* Some applications announce the port they listen on: the mapping is made
 * again with the internal port the gateway chose outside (Follow=yes). */
static bool follows(struct agent *agent, struct agent_item *item, const struct tenf_mapping *m)
{
	if (!item->record.wish.follow || m->external_port == 0 ||
	    m->external_port == m->internal_port || item->followed >= FOLLOW_MAX)
		return false;
	item->followed++;
	(void)!tenf_session_remove(site_session(item->site), item->ids[0]);
	item->record.followed_port = m->external_port;
	item->ids[0] = item->ids[1] = 0;
	if (!make_nonces(&item->record))
		return false;
	item->record.lease[0].external_port = item->record.lease[1].external_port = 0;
	(void)!store_put(agent->store, &item->record);
	return ask(agent, item) == TENF_OK;
}

static void removed(struct agent *agent, struct agent_item *item, unsigned half)
{
	item->ids[half] = 0;
	if (item->ids[0] != 0 || item->ids[1] != 0)
		return;
	/* At the end runtime mappings are remembered: the next run holds them again. */
	if (!agent->ending)
		forget(agent, item);
}

static void tell(void *context, struct site *site, const struct tenf_event *event)
{
	struct agent *agent = context;
	struct agent_item *item;
	unsigned half = 0;
	bool grant = event->kind == TENF_EVENT_MAPPED || event->kind == TENF_EVENT_CHANGED ||
		     event->kind == TENF_EVENT_RENEWED;

	if (event->mapping.id == 0) {
		agent->hooks.tell(agent->hooks.context, NULL, 0, event);
		return;
	}
	item = item_of(agent, site, event->mapping.id, &half);
	if (item == NULL)
		return; /* left behind by Follow= */
	item->now[half] = event->mapping;
	if (grant && !item->removing && half == 0 && follows(agent, item, &event->mapping))
		return;
	if (grant)
		remember(agent, item, half, &event->mapping);
	agent->hooks.tell(agent->hooks.context, item, half, event);
	if (event->kind == TENF_EVENT_REMOVED)
		removed(agent, item, half);
}

/* ---- Configuration ------------------------------------------------------------------- */

static bool is_declared(const struct agent_config *config, const struct record_wish *wish)
{
	for (size_t i = 0; i < config->mapping_count; i++) {
		if (record_same_wish(&config->mappings[i], wish))
			return true;
	}
	return false;
}

enum tenf_status agent_configure(struct agent *agent, const struct agent_config *config,
				 struct tenf_error *reterr)
{
	enum tenf_status status = TENF_OK;

	for (size_t i = agent->count; i > 0; i--) {
		struct agent_item *item = agent->items[i - 1];

		if (item->record.origin == RECORD_DECLARED &&
		    !is_declared(config, &item->record.wish))
			remove_item(agent, item);
		else if (item->site == NULL)
			(void)!ask(agent, item);
	}
	for (size_t i = 0; i < config->mapping_count && status == TENF_OK; i++) {
		struct agent_item *item = same_wish(agent, &config->mappings[i]);

		if (item == NULL) {
			status = add(agent, &config->mappings[i], RECORD_DECLARED, &item);
			continue;
		}
		item->record.origin = RECORD_DECLARED;
		memcpy(item->record.wish.name, config->mappings[i].name,
		       sizeof(item->record.wish.name));
	}
	if (status != TENF_OK && reterr != NULL)
		*reterr = (struct tenf_error){ .status = status, .reason = TENF_REASON_SYSTEM,
					       .result = -1 };
	return status;
}

enum tenf_status agent_new(struct event_base *base, struct store *store,
			   const struct agent_hooks *hooks, struct agent **ret,
			   struct tenf_error *reterr)
{
	struct agent *agent = calloc(1, sizeof(*agent));
	struct record *records = NULL;
	size_t count = 0;
	enum tenf_status status;

	if (agent == NULL)
		return TENF_E_MEMORY;
	agent->store = store;
	agent->hooks = *hooks;
	sites_init(&agent->sites, base, tell, agent);
	status = store_load(store, &records, &count);
	for (size_t i = 0; i < count && status == TENF_OK; i++) {
		struct agent_item *item;

		/* One that makes no sense any more must not keep the others away. */
		if (hold(agent, &records[i], true, &item) == TENF_E_MEMORY)
			status = TENF_E_MEMORY;
	}
	free(records);
	if (status != TENF_OK) {
		if (reterr != NULL)
			*reterr = (struct tenf_error){ .status = status, .result = -1,
						       .reason = TENF_REASON_SYSTEM };
		agent->store = NULL;
		agent_free(agent);
		return status;
	}
	*ret = agent;
	return TENF_OK;
}

void agent_free(struct agent *agent)
{
	if (agent == NULL)
		return;
	sites_done(&agent->sites);
	for (size_t i = 0; i < agent->count; i++)
		free(agent->items[i]);
	free(agent->items);
	store_close(agent->store);
	free(agent);
}
