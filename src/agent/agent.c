/* SPDX-License-Identifier: MIT */
#include "agent/agent-private.h"
#include "agent/outer.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Moving the internal port after the external one ends here, should a gateway
 * never give the port that was asked for. */
#define FOLLOW_MAX 8

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
	struct tenf_error error = { .result = -1 };
	struct tenf_request request;
	struct tenf_mapping first;
	enum tenf_status status;
	uint32_t id;

	free(item->error);
	item->error = NULL;
	status = sites_at(&agent->sites, &item->record.wish.place, &item->site, &error);
	if (status != TENF_OK) {
		item->error = malloc(sizeof(error)); /* rare, and long */
		if (item->error != NULL)
			*item->error = error;
		return status;
	}
	fill_request(&item->record, &request);
	status = tenf_session_add(site_session(item->site), &request, &id);
	if (status != TENF_OK)
		return status;
	table_set_id(agent, item, 0, id);
	if (tenf_session_mapping(site_session(item->site), id, &first))
		table_set_id(agent, item, 1, first.pair);
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

/* Takes the record into the table, without asking for it. */
static enum tenf_status take(struct agent *agent, const struct record *record,
			     struct agent_item **ret)
{
	struct agent_item *item = calloc(1, sizeof(*item));
	enum tenf_status status;

	if (item == NULL)
		return TENF_E_MEMORY;
	item->record = *record;
	status = outer_attach(agent, item);
	if (status == TENF_OK)
		status = table_link(agent, item);
	if (status != TENF_OK) {
		outer_detach(agent, item);
		free(item);
		return status;
	}
	*ret = item;
	return TENF_OK;
}

static enum tenf_status hold(struct agent *agent, const struct record *record,
			     struct agent_item **ret)
{
	struct agent_item *item;
	enum tenf_status status = store_put(agent->store, record);

	if (status == TENF_OK)
		status = take(agent, record, &item);
	if (status != TENF_OK)
		return status;
	status = ask(agent, item);
	if (status == TENF_E_ARGUMENT && item->site != NULL) {
		table_forget(agent, item);
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

	if (agent->count >= AGENT_RECORDS_MAX || (wish->through && outer_is_full(agent)))
		return TENF_E_LIMIT;
	if (!make_nonces(&record))
		return TENF_E_SYSTEM;
	status = store_next_number(agent->store, &record.number);
	if (status != TENF_OK)
		return status;
	return hold(agent, &record, ret);
}

enum tenf_status agent_add(struct agent *agent, const struct record_wish *wish,
			   struct agent_item **ret, struct tenf_error *reterr)
{
	struct agent_item *item = table_of_wish(agent, wish);
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
		if (item->ids[half].id != 0 &&
		    wish->lifetime_s != item->record.wish.lifetime_s)
			(void)!tenf_session_set_lifetime(site_session(item->site),
							 item->ids[half].id, wish->lifetime_s);
	}
	if (wish->lifetime_s != item->record.wish.lifetime_s)
		outer_set_lifetime(item, wish->lifetime_s);
	item->record = changed;
	if (item->site != NULL)
		site_touch(item->site);
	return TENF_OK;
}

void agent_mapping(const struct agent_item *item, unsigned half, struct tenf_mapping *ret)
{
	const struct record_wish *wish = &item->record.wish;

	if (item->ids[half].id != 0 &&
	    tenf_session_mapping(site_session(item->site), item->ids[half].id, ret)) {
		if (item->outer != NULL)
			outer_mapping(item, half, ret, ret);
		return;
	}
	*ret = (struct tenf_mapping){ .state = TENF_STATE_ASKING, .error.result = -1 };
	if (item->error != NULL)
		ret->error = *item->error;
	ret->protocol = wish->protocol != TENF_BOTH ? wish->protocol :
			half == 0		    ? TENF_TCP :
						      TENF_UDP;
	ret->internal_port = wish->internal_port;
	ret->requested_external_port = wish->external_port;
}

/* ---- Giving up ------------------------------------------------------------------- */

/* Whoever is killed before the gateway confirmed goes on with the removal when
 * started again: what is declared by no configuration is given up then. */
static void disown(struct agent *agent, struct agent_item *item)
{
	item->for_good = true;
	if (item->record.origin == RECORD_DECLARED)
		return;
	item->record.origin = RECORD_DECLARED;
	(void)!store_put(agent->store, &item->record);
}

static void remove_item(struct agent *agent, struct agent_item *item)
{
	if (item->removing)
		return;
	item->removing = true;
	disown(agent, item);
	outer_remove(item);
	if (item->site == NULL ||
	    tenf_session_remove(site_session(item->site), item->ids[0].id) != TENF_OK)
		table_forget(agent, item);
	else
		site_touch(item->site);
}

static bool has_ended(const struct agent *agent, const struct record_lease *lease)
{
	return lease->expires_at != 0 &&
	       lease->expires_at <= agent->hooks.wall(agent->hooks.context);
}

static void release_half(struct agent *agent, struct agent_item *item, unsigned half)
{
	const struct record *record = &item->record;
	const struct record_wish *wish = &record->wish;
	struct tenf_mapping lease = { .external_port = record->lease[half].external_port };
	uint32_t id;

	if (has_ended(agent, &record->lease[half]))
		return;
	lease.protocol = wish->protocol != TENF_BOTH ? wish->protocol :
			 half == 0		      ? TENF_TCP :
							TENF_UDP;
	lease.internal_port = record->followed_port ? record->followed_port : wish->internal_port;
	memcpy(lease.internal_address, wish->internal_address, sizeof(wish->internal_address));
	memcpy(lease.nonce, record->lease[half].nonce, sizeof(lease.nonce));
	if (tenf_session_release(site_session(item->site), &lease, &id) != TENF_OK)
		return;
	table_set_id(agent, item, half, id);
}

/* Of an earlier run, and wanted by nobody any more: its lease is deleted
 * without asking for it again. */
static void release_item(struct agent *agent, struct agent_item *item)
{
	unsigned halves = item->record.wish.protocol == TENF_BOTH ? 2 : 1;

	item->removing = item->for_good = true;
	if (sites_at(&agent->sites, &item->record.wish.place, &item->site, NULL) == TENF_OK) {
		for (unsigned half = 0; half < halves; half++)
			release_half(agent, item, half);
		site_touch(item->site);
		outer_release(agent, item);
	}
	if (!table_has_ids(item))
		table_forget(agent, item);
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
		outer_remove(item);
		(void)!tenf_session_remove(site_session(item->site), item->ids[0].id);
		site_touch(item->site);
	}
}

bool agent_has_ended(const struct agent *agent)
{
	for (size_t i = 0; i < agent->count; i++) {
		const struct agent_item *item = agent->items[i];

		if (item->removing && table_has_ids(item))
			return false;
	}
	return true;
}

/* ---- News -------------------------------------------------------------------------- */

void agent_remember(struct agent *agent, struct agent_item *item)
{
	(void)!store_put(agent->store, &item->record);
}

static void remember(struct agent *agent, struct agent_item *item, unsigned half,
		     const struct tenf_mapping *m)
{
	struct record_lease *lease = &item->record.lease[half];

	memcpy(lease->nonce, m->nonce, sizeof(lease->nonce));
	lease->external_port = m->external_port;
	lease->expires_at = m->expires_at;
	agent_remember(agent, item);
}

/* A gateway that keeps a port from others for a while after its mapping ended
 * (RFC 6887 §15) keeps it from our next one too, whose port inside is another. Every
 * second step therefore asks for the neighbour, which was nobody's. */
static uint16_t where_to_follow(const struct agent_item *item, uint16_t granted)
{
	if (item->followed % 2 == 0)
		return granted;
	return (uint16_t)(granted < UINT16_MAX ? granted + 1 : granted - 1);
}

/* Some applications announce the port they listen on: the mapping is made
 * again with the internal port the gateway chose outside (Follow=yes). The old
 * one is given up first, else its port would be taken. */
static bool follows(struct agent_item *item, const struct tenf_mapping *m)
{
	if (!item->record.wish.follow || m->external_port == 0)
		return false;
	if (m->external_port == m->internal_port) {
		item->followed = 0;
		return false;
	}
	if (item->followed >= FOLLOW_MAX ||
	    tenf_session_remove(site_session(item->site), item->ids[0].id) != TENF_OK)
		return false;
	item->follow_to = where_to_follow(item, m->external_port);
	item->followed++;
	item->following = true;
	return true;
}

static void ask_where_it_goes(struct agent *agent, struct agent_item *item)
{
	struct record moved = item->record;

	item->following = false;
	moved.followed_port = item->follow_to;
	moved.lease[0] = moved.lease[1] = (struct record_lease){ .external_port = 0 };
	if (!make_nonces(&moved))
		moved = item->record;
	if (store_put(agent->store, &moved) == TENF_OK)
		item->record = moved;
	(void)!ask(agent, item);
}

void agent_ended(struct agent *agent, struct agent_item *item)
{
	if (table_has_ids(item))
		return;
	if (item->following && !item->removing)
		ask_where_it_goes(agent, item);
	else if (item->for_good || !agent->ending)
		table_forget(agent, item);
	/* At the end the others are remembered: the next run holds them again. */
}

static void removed(struct agent *agent, struct agent_item *item, unsigned half)
{
	table_set_id(agent, item, half, 0);
	agent_ended(agent, item);
}

/* Between the first grant and the port inside that goes with it nobody is told. */
static bool is_on_its_way(const struct agent_item *item, bool grant, const struct tenf_mapping *m)
{
	return item->following ||
	       (grant && item->record.wish.follow && m->external_port != m->internal_port &&
		item->followed < FOLLOW_MAX);
}

/* What was given up only to follow the port is, for those who are told, a
 * mapping that changed. */
void agent_tell_owner(struct agent *agent, struct agent_item *item, unsigned half,
		      const struct tenf_event *event)
{
	struct tenf_event shown = *event;
	uint16_t *told = &item->told_port[half];

	if (event->kind == TENF_EVENT_MAPPED && item->record.wish.follow && *told != 0 &&
	    *told != event->mapping.external_port) {
		shown.kind = TENF_EVENT_CHANGED;
		shown.before = event->mapping;
		shown.before.external_port = shown.before.internal_port = *told;
	}
	*told = event->mapping.expires_at != 0 ? event->mapping.external_port : 0;
	agent->hooks.tell(agent->hooks.context, item, half, &shown);
}

static void tell(void *context, struct site *site, const struct tenf_event *event)
{
	struct agent *agent = context;
	struct agent_item *item;
	struct tenf_event both;
	unsigned half = 0;
	bool grant = event->kind == TENF_EVENT_MAPPED || event->kind == TENF_EVENT_CHANGED ||
		     event->kind == TENF_EVENT_RENEWED;

	if (event->mapping.id == 0) {
		agent->hooks.tell(agent->hooks.context, NULL, 0, event);
		return;
	}
	item = table_of_id(agent, site, event->mapping.id, &half);
	if (item == NULL) {
		outer_take(agent, site, event);
		return;
	}
	if (grant && !item->removing && half == 0 && !item->following)
		(void)follows(item, &event->mapping);
	if (grant)
		remember(agent, item, half, &event->mapping);
	if (item->outer != NULL) {
		if (outer_take_inner(agent, item, half, event, &both))
			agent_tell_owner(agent, item, half, &both);
	} else if (item->removing || !is_on_its_way(item, grant, &event->mapping)) {
		agent_tell_owner(agent, item, half, event);
	}
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

/* A mapping that is held already is now in the configuration, by this name. */
static enum tenf_status declare(struct agent *agent, struct agent_item *item,
				const char name[AGENT_NAME])
{
	if (item->record.origin == RECORD_DECLARED &&
	    strcmp(item->record.wish.name, name) == 0)
		return TENF_OK;
	item->record.origin = RECORD_DECLARED;
	memcpy(item->record.wish.name, name, AGENT_NAME);
	return store_put(agent->store, &item->record);
}

enum tenf_status agent_configure(struct agent *agent, const struct agent_config *config,
				 struct tenf_error *reterr)
{
	enum tenf_status status = TENF_OK;

	agent->sites.anycast = config->anycast;
	for (size_t i = agent->count; i > 0; i--) {
		struct agent_item *item = agent->items[i - 1];

		bool wanted = item->record.origin == RECORD_RUNTIME ||
			      is_declared(config, &item->record.wish);

		if (item->removing)
			continue;
		if (!wanted && item->site == NULL)
			release_item(agent, item);
		else if (!wanted)
			remove_item(agent, item);
		else if (item->site == NULL)
			(void)!ask(agent, item);
	}
	for (size_t i = 0; i < config->mapping_count && status == TENF_OK; i++) {
		struct agent_item *item = table_of_wish(agent, &config->mappings[i]);

		if (item == NULL) {
			status = add(agent, &config->mappings[i], RECORD_DECLARED, &item);
			continue;
		}
		status = declare(agent, item, config->mappings[i].name);
	}
	if (status != TENF_OK && reterr != NULL)
		*reterr = (struct tenf_error){ .status = status, .reason = TENF_REASON_SYSTEM,
					       .result = -1 };
	return status;
}

enum tenf_status agent_new(struct event_base *base, struct namespaces *namespaces,
			   struct store *store,
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
	sites_init(&agent->sites, base, namespaces, tell, agent);
	routers_init(&agent->routers, &agent->sites, outer_take_router, agent);
	status = store_load(store, &records, &count);
	for (size_t i = 0; i < count && status == TENF_OK; i++) {
		struct agent_item *item;

		/* More than may be held must not keep the others away. */
		if (take(agent, &records[i], &item) == TENF_E_MEMORY)
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
	routers_done(&agent->routers);
	sites_done(&agent->sites);
	for (size_t i = 0; i < agent->count; i++) {
		free(agent->items[i]->outer);
		free(agent->items[i]->error);
		free(agent->items[i]);
	}
	free(agent->items);
	store_close(agent->store);
	free(agent);
}
