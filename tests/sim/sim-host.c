/* SPDX-License-Identifier: MIT */
#include "sim-host.h"

#include <string.h>

void sim_host_init(struct sim_host *host, unsigned number, const struct engine_config *config,
		   uint64_t seed)
{
	struct tenf_random random;

	memset(host, 0, sizeof(*host));
	host->number = number;
	host->config = *config;
	host->trouble_at = host->restart_at = -1;
	for (size_t i = 0; i < SIM_GRAVES_MAX; i++)
		host->graves[i].at = TENF_NEVER;
	sim_memory_init(&host->memory);
	tenf_seeded_init(&host->seeded, seed);
	random = tenf_seeded_random(&host->seeded);
	engine_init(&host->engine, config, &random, &host->memory.memory);
}

void sim_host_done(struct sim_host *host)
{
	engine_done(&host->engine);
}

bool sim_host_is_awake(const struct sim_host *host)
{
	return host->sleeps_until == 0;
}

struct tenf_endpoint sim_host_socket(const struct sim_host *host, unsigned number)
{
	/* 192.168.1.20 to .89, .90 to .159, .160 to .229 */
	return (struct tenf_endpoint){
		tenf_address_v4(0xc0a80114 + host->number * 70 + number % 70),
		(uint16_t)(40000 + host->number),
	};
}

void sim_host_connect(struct sim_host *host, const struct tenf_endpoint *gateway,
		      const struct tenf_endpoint *socket, tenf_time now)
{
	host->online = true;
	host->gateway = *gateway;
	host->socket = *socket;
	engine_set_gateway(&host->engine, gateway, &socket->address, now);
}

void sim_host_disconnect(struct sim_host *host, tenf_time now)
{
	host->online = false;
	engine_set_gateway(&host->engine, NULL, NULL, now);
}

/* ---- Claims ------------------------------------------------------------------ */

struct sim_claim *sim_host_claim(struct sim_host *host, uint32_t id)
{
	for (size_t i = 0; i < SIM_CLAIMS_MAX; i++) {
		if (host->claims[i].id == id)
			return &host->claims[i];
	}
	return NULL;
}

struct sim_claim *sim_host_pair(struct sim_host *host, const struct sim_claim *claim)
{
	return claim->pair != 0 ? sim_host_claim(host, claim->pair) : NULL;
}

size_t sim_host_count(const struct sim_host *host)
{
	size_t count = 0;

	for (size_t i = 0; i < SIM_CLAIMS_MAX; i++)
		count += host->claims[i].id != 0;
	return count;
}

bool sim_host_uses(const struct sim_host *host, uint16_t internal_port)
{
	for (size_t i = 0; i < SIM_CLAIMS_MAX; i++) {
		if (host->claims[i].id != 0 && host->claims[i].wish.internal_port == internal_port)
			return true;
	}
	return false;
}

static void new_claim(struct sim_host *host, uint32_t id, bool released, tenf_time now)
{
	const struct keeper_mapping *m = keeper_find(&host->engine.keeper, id);
	struct sim_claim *claim = sim_host_claim(host, 0);
	tenf_time deleted_at = -1;

	for (size_t i = 0; i < SIM_GRAVES_MAX; i++) {
		const struct sim_grave *grave = &host->graves[i];

		if (grave->at != TENF_NEVER && grave->internal_port == m->wish.internal_port)
			deleted_at = tenf_time_max(deleted_at, grave->at);
	}
	*claim = (struct sim_claim){
		.id = id, .pair = m->pair != NULL ? m->pair->id : 0, .wish = m->wish,
		.released = released, .added_at = now,
		.removing_at = released ? now : TENF_NEVER, .expires = TENF_NEVER,
		.granted_at = -1, .missing_since = TENF_NEVER, .uneven_since = TENF_NEVER,
		.last_try = INT64_MIN, .created_at = -1, .deleted_at = deleted_at,
	};
	if (sim_host_count(host) > host->most_claims)
		host->most_claims = sim_host_count(host);
}

bool sim_host_add(struct sim_host *host, const struct keeper_wish *wish, bool both, tenf_time now)
{
	uint32_t id;

	if (sim_host_count(host) + 2 > SIM_CLAIMS_MAX ||
	    engine_add(&host->engine, wish, both, now, &id) != TENF_OK)
		return false;
	new_claim(host, id, false, now);
	if (both)
		new_claim(host, sim_host_claim(host, id)->pair, false, now);
	return true;
}

bool sim_host_release(struct sim_host *host, const struct keeper_wish *wish, tenf_time now)
{
	uint32_t id;

	if (sim_host_count(host) == SIM_CLAIMS_MAX ||
	    engine_release(&host->engine, wish, now, &id) != TENF_OK)
		return false;
	new_claim(host, id, true, now);
	return true;
}

void sim_host_remove(struct sim_host *host, struct sim_claim *claim, tenf_time now)
{
	struct sim_claim *pair = sim_host_pair(host, claim);

	if (claim->removing_at != TENF_NEVER)
		return;
	claim->removing_at = now;
	if (pair != NULL && pair->removing_at == TENF_NEVER)
		pair->removing_at = now;
	if (engine_remove(&host->engine, claim->id, now) != TENF_OK)
		__builtin_trap(); /* a claim without a mapping: the events lied */
}

/* ---- Belief --------------------------------------------------------------------- */

static void bury(struct sim_host *host, const struct sim_claim *claim, tenf_time now)
{
	host->graves[host->next_grave] = (struct sim_grave){
		.at = now, .source = host->socket.address, .protocol = claim->wish.protocol,
		.internal_port = claim->wish.internal_port,
		.overtaken = claim->overtaken,
	};
	host->next_grave = (host->next_grave + 1) % SIM_GRAVES_MAX;
}

static void believe(struct sim_host *host, const struct engine_event *event, tenf_time now)
{
	struct sim_claim *claim = sim_host_claim(host, event->mapping.id);

	if (claim == NULL || event->mapping.id == 0)
		return;
	claim->verdict = true;
	claim->last = event->kind;
	switch (event->kind) {
	case TENF_EVENT_MAPPED:
	case TENF_EVENT_CHANGED:
	case TENF_EVENT_RENEWED:
		claim->held = true;
		claim->port = event->mapping.grant.external_port;
		claim->address = event->mapping.grant.external_address;
		break;
	case TENF_EVENT_LOST:
	case TENF_EVENT_REFUSED:
		claim->held = false;
		break;
	case TENF_EVENT_REMOVED:
		if (event->mapping.error.reason == TENF_REASON_NONE && claim->created_at >= 0)
			bury(host, claim, now);
		claim->id = 0;
		break;
	case TENF_EVENT_GATEWAY:
	case TENF_EVENT_GATEWAY_RESTART:
	case TENF_EVENT_ADDRESS:
		break;
	}
}

bool sim_host_event(struct sim_host *host, tenf_time now, struct engine_event *ret)
{
	if (!engine_next_event(&host->engine, now, ret))
		return false;
	if (ret->kind == TENF_EVENT_GATEWAY_RESTART) {
		host->restart_at = now;
		host->restarts++;
	}
	believe(host, ret, now);
	return true;
}
