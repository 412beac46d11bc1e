/* SPDX-License-Identifier: MIT */
#include "sim-invariants.h"

#include "core/schedule.h"
#include "sim-bounds.h"
#include "wire/natpmp.h"
#include "wire/pcp.h"

#define MINUTE (60 * TENF_SECOND)
#define OVERDUE_MAX 4 /* turns in a row that end with a deadline in the past */
#define STEPS_HERE_MAX 200 /* steps at one instant */

static bool is_told_to_hold(const struct sim_claim *claim)
{
	return claim->held && claim->removing_at == TENF_NEVER;
}

/* ---- Packets: storm ------------------------------------------------------------ */

static bool is_storm(tenf_time *ring, size_t size, uint64_t *sent, size_t limit, tenf_time now)
{
	bool storm = *sent >= limit && ring[(*sent - limit) % size] > now - MINUTE;

	ring[(*sent)++ % size] = now;
	return storm;
}

struct asked { /* what a packet asks for */
	bool mapping;
	bool create;
	bool natpmp;
	enum tenf_protocol protocol;
	uint16_t internal_port;
};

static struct asked asked_by(const struct sim_packet *packet)
{
	struct asked ret = { 0 };
	struct natpmp_request natpmp;
	struct pcp_request pcp;
	enum pcp_result result;

	if (packet->data[0] == NATPMP_VERSION) {
		if (natpmp_decode_request(packet->data, packet->len, &natpmp) != TENF_OK)
			return ret;
		ret.natpmp = true;
		ret.mapping = natpmp.opcode != NATPMP_ADDRESS;
		ret.create = natpmp.lifetime_s > 0;
		ret.protocol = natpmp.opcode == NATPMP_MAP_TCP ? TENF_TCP : TENF_UDP;
		ret.internal_port = natpmp.internal_port;
		return ret;
	}
	if (pcp_parse_request(packet->data, packet->len, &pcp, &result) != PCP_PARSED)
		return ret;
	ret.mapping = pcp.opcode == PCP_MAP;
	ret.create = pcp.lifetime_s > 0;
	ret.protocol = (enum tenf_protocol)pcp.map.protocol;
	ret.internal_port = pcp.map.internal_port;
	return ret;
}

static struct sim_claim *claim_of(struct sim_host *host, const struct asked *asked)
{
	for (size_t i = 0; i < SIM_CLAIMS_MAX; i++) {
		struct sim_claim *claim = &host->claims[i];

		if (claim->id != 0 && claim->wish.protocol == asked->protocol &&
		    claim->wish.internal_port == asked->internal_port)
			return claim;
	}
	return NULL;
}

void sim_check_sent(struct sim_world *w, struct sim_host *host, const struct sim_packet *packet)
{
	const struct asked asked = asked_by(packet);
	struct sim_claim *claim = asked.mapping ? claim_of(host, &asked) : NULL;
	size_t limit;

	if (claim == NULL) {
		limit = SIM_STORM_HOST + SIM_STORM_BESIDE * host->most_claims;

		if (is_storm(host->others, SIM_OTHERS_MAX, &host->others_sent, limit, w->now))
			sim_fail(w, "storm", "host %u: more than %zu packets beside mappings",
				 host->number, limit);
		return;
	}
	if (asked.create) {
		claim->created_at = w->now;
	} else {
		claim->overtaken |= claim->created_at >= 0 &&
				    claim->created_at + sim_bound_flight(w) > w->now;
		if (asked.natpmp)
			claim->deleted_at = w->now;
	}
	limit = claim->pair != 0 ? SIM_STORM_PAIRED : SIM_STORM_MAPPING;
	if (is_storm(host->bursts[claim - host->claims], SIM_BURST_MAX, &claim->sent, limit,
		     w->now))
		sim_fail(w, "storm", "host %u m%u: more than %zu packets in a minute", host->number,
			 claim->id, limit);
}

/* ---- Events: renewal ------------------------------------------------------------- */

static void check_lost(struct sim_world *w, struct sim_host *host,
		       const struct engine_event *event)
{
	const struct sim_claim *claim = sim_host_claim(host, event->mapping.id);
	bool was_held = event->before.id != 0 && (event->before.state == TENF_STATE_MAPPED ||
						  event->before.state == TENF_STATE_RENEWING);

	if (claim == NULL || !was_held || !claim->wish.keep || claim->granted_at < 0 ||
	    claim->removing_at != TENF_NEVER || host->tainted)
		return;
	if (sim_trouble(w, host) < claim->granted_at - sim_bound_flight(w))
		sim_fail(w, "renewal", "host %u m%u was lost, and nothing had happened",
			 host->number, claim->id);
}

void sim_check_event(struct sim_world *w, struct sim_host *host, const struct engine_event *event)
{
	if (event->kind == TENF_EVENT_LOST)
		check_lost(w, host, event);
	/* Told by a gateway whose epoch never started again, in a network that
	 * lets no packet be older than the epoch's second. */
	if (event->kind == TENF_EVENT_GATEWAY_RESTART && w->gateway.resets == 1 &&
	    !host->tainted && sim_bound_flight(w) < TENF_SECOND)
		sim_fail(w, "restart", "host %u: the gateway never restarted", host->number);
}

/* ---- The gateway: owner, ledger, memory ---------------------------------------------- */

static void check_owner(struct sim_world *w)
{
	const struct sim_gateway *g = &w->gateway;

	for (size_t i = 0; i < g->held_count; i++) {
		const struct sim_held *a = &g->held[i];

		for (size_t k = i + 1; k < g->held_count; k++) {
			const struct sim_held *b = &g->held[k];

			if (a->external_port != b->external_port || a->until <= w->now ||
			    b->until <= w->now)
				continue;
			if (a->protocol == b->protocol ||
			    !tenf_address_equal(&a->internal.address, &b->internal.address))
				sim_fail(w, "owner", "external port %u has two owners",
					 a->external_port);
		}
	}
}

static void check_gateway(struct sim_world *w)
{
	if (w->gateway.changed)
		check_owner(w);
	w->gateway.changed = false;
	if (w->gateway.inconsistent)
		sim_fail(w, "ledger", "the ledger and the kernel disagree");
	if (w->gateway.memory.octets > sim_bound_gateway_memory())
		sim_fail(w, "memory", "the gateway uses %zu octets", w->gateway.memory.octets);
}

/* ---- One mapping ------------------------------------------------------------------------ */

static void note_grant(const struct sim_world *w, struct sim_claim *claim,
		       const struct keeper_mapping *m)
{
	if (m->grant.expires == TENF_NEVER || m->grant.expires == claim->expires)
		return;
	claim->expires = m->grant.expires;
	if (m->state == TENF_STATE_MAPPED)
		claim->granted_at = w->now;
}

static void check_truth(struct sim_world *w, const struct sim_host *host, struct sim_claim *claim)
{
	const struct sim_held *held = sim_gateway_find(&w->gateway, &host->socket.address,
						       claim->wish.protocol,
						       claim->wish.internal_port, w->now);

	if (!is_told_to_hold(claim) || (held != NULL && held->external_port == claim->port)) {
		claim->missing_since = TENF_NEVER;
		return;
	}
	if (claim->missing_since == TENF_NEVER)
		claim->missing_since = w->now;
	if (w->now > sim_bound_missing(w, host, claim))
		sim_fail(w, "truth", "host %u m%u: port %u is told and not there, for %lld s",
			 host->number, claim->id, claim->port,
			 (long long)((w->now - claim->missing_since) / TENF_SECOND));
}

/* Held, or refused with a lease that goes on: the gateway has it. */
static bool is_leased(const struct sim_host *host, const struct sim_claim *claim)
{
	const struct keeper_mapping *m = keeper_find(&host->engine.keeper, claim->id);

	return is_told_to_hold(claim) || (m != NULL && m->grant.expires != TENF_NEVER);
}

static void check_pair(struct sim_world *w, struct sim_host *host, struct sim_claim *claim)
{
	const struct sim_claim *other = sim_host_pair(host, claim);
	tenf_time quiet_since;

	if (other == NULL || !claim->wish.keep)
		return;
	if (is_told_to_hold(claim) && is_told_to_hold(other) && claim->port != other->port)
		sim_fail(w, "pair", "host %u m%u and m%u: ports %u and %u", host->number,
			 claim->id, other->id, claim->port, other->port);
	if (is_leased(host, claim) == is_leased(host, other)) {
		claim->uneven_since = TENF_NEVER;
		return;
	}
	if (claim->uneven_since == TENF_NEVER)
		claim->uneven_since = w->now;
	quiet_since = tenf_time_max(claim->uneven_since, sim_trouble(w, host));
	if (!host->tainted && w->now > quiet_since + sim_bound_uneven(host))
		sim_fail(w, "pair", "host %u m%u and m%u: one half is held alone", host->number,
			 claim->id, other->id);
}

static void check_spacing(struct sim_world *w, const struct sim_host *host,
			  struct sim_claim *claim, const struct keeper_mapping *m)
{
	if (m->last_try == claim->last_try)
		return;
	if (m->phase == PHASE_RENEWING && !m->recreate && claim->last_try != INT64_MIN &&
	    m->last_try < claim->last_try + SIM_RENEWAL_SPACING)
		sim_fail(w, "spacing", "host %u m%u renews after %lld ms", host->number, claim->id,
			 (long long)((m->last_try - claim->last_try) / TENF_MILLISECOND));
	claim->last_try = m->last_try;
}

static void check_verdict(struct sim_world *w, struct sim_host *host,
			  const struct sim_claim *claim)
{
	const struct sim_claim *other = sim_host_pair(host, claim);
	bool verdict = claim->verdict || (other != NULL && other->verdict);

	if (!verdict && claim->removing_at == TENF_NEVER &&
	    w->now > sim_bound_verdict(host, claim))
		sim_fail(w, "verdict", "host %u m%u was told nothing", host->number, claim->id);
	if (claim->removing_at != TENF_NEVER && w->now > sim_bound_removed(w, host, claim))
		sim_fail(w, "verdict", "host %u m%u is still being removed", host->number,
			 claim->id);
}

static void check_claim(struct sim_world *w, struct sim_host *host, struct sim_claim *claim)
{
	const struct keeper_mapping *m = keeper_find(&host->engine.keeper, claim->id);

	if (m == NULL) {
		sim_fail(w, "verdict", "host %u m%u is gone, and nobody was told", host->number,
			 claim->id);
		return;
	}
	note_grant(w, claim, m);
	check_truth(w, host, claim);
	check_pair(w, host, claim);
	check_spacing(w, host, claim, m);
	check_verdict(w, host, claim);
}

/* ---- Hosts ---------------------------------------------------------------------------------- */

static void check_graves(struct sim_world *w, const struct sim_host *host)
{
	for (size_t i = 0; i < SIM_GRAVES_MAX; i++) {
		const struct sim_grave *grave = &host->graves[i];
		tenf_time from;

		if (grave->at == TENF_NEVER || grave->overtaken || host->tainted)
			continue;
		from = sim_bound_grave(w, grave);
		if (w->now <= from || w->now > from + SIM_GRAVE_WATCHED ||
		    sim_host_uses(host, grave->internal_port))
			continue;
		if (sim_gateway_find(&w->gateway, &grave->source, grave->protocol,
				     grave->internal_port, w->now) != NULL)
			sim_fail(w, "grave", "host %u: port %u was removed and is still there",
				 host->number, grave->internal_port);
	}
}

static void check_host(struct sim_world *w, struct sim_host *host)
{
	for (size_t i = 0; i < SIM_CLAIMS_MAX; i++) {
		if (host->claims[i].id != 0)
			check_claim(w, host, &host->claims[i]);
	}
	check_graves(w, host);
	if (host->memory.octets > sim_bound_host_memory(host))
		sim_fail(w, "memory", "host %u uses %zu octets", host->number,
			 host->memory.octets);
	if (host->overdue > OVERDUE_MAX)
		sim_fail(w, "progress", "host %u has a deadline that does not pass", host->number);
}

void sim_check_step(struct sim_world *w)
{
	check_gateway(w);
	for (size_t i = 0; i < w->host_count; i++) {
		if (sim_host_is_awake(&w->hosts[i]))
			check_host(w, &w->hosts[i]);
	}
	if (w->net.overrun)
		sim_fail(w, "storm", "%d packets under way", SIM_FLIGHT_MAX);
	if (w->steps_here > STEPS_HERE_MAX)
		sim_fail(w, "progress", "%u steps at one instant", w->steps_here);
}

/* ---- The end -------------------------------------------------------------------------------- */

static bool is_allowed(const struct sim_world *w, const struct sim_claim *claim)
{
	(void)w;
	if (claim->wish.internal_port == SIM_DENIED_PORT)
		return false;
	return !claim->wish.exact || claim->wish.external_port >= SIM_ALLOWED_FROM;
}

static void check_outcome(struct sim_world *w, struct sim_host *host,
			  const struct sim_claim *claim)
{
	bool held = is_told_to_hold(claim);

	if (!claim->wish.keep)
		return;
	if (!is_allowed(w, claim)) {
		if (held || claim->last != TENF_EVENT_REFUSED)
			sim_fail(w, "liveness", "host %u m%u is not allowed and not refused",
				 host->number, claim->id);
		return;
	}
	if (!held)
		sim_fail(w, "liveness", "host %u m%u (port %u) is not mapped", host->number,
			 claim->id, claim->wish.internal_port);
	else if (claim->wish.exact && claim->port != claim->wish.external_port)
		sim_fail(w, "liveness", "host %u m%u has port %u, and not exactly %u",
			 host->number, claim->id, claim->port, claim->wish.external_port);
	else if (!tenf_address_equal(&claim->address, &w->gateway.external))
		sim_fail(w, "liveness", "host %u m%u has an old external address", host->number,
			 claim->id);
	else if (claim->missing_since != TENF_NEVER)
		sim_fail(w, "liveness", "host %u m%u is told and not there", host->number,
			 claim->id);
}

void sim_check_settled(struct sim_world *w)
{
	for (size_t i = 0; i < w->host_count; i++) {
		for (size_t k = 0; k < SIM_CLAIMS_MAX; k++) {
			if (w->hosts[i].claims[k].id != 0)
				check_outcome(w, &w->hosts[i], &w->hosts[i].claims[k]);
		}
	}
}

void sim_check_farewell(struct sim_world *w)
{
	for (size_t i = 0; i < w->host_count; i++) {
		struct sim_host *host = &w->hosts[i];

		if (sim_host_count(host) > 0 || host->engine.keeper.count > 0)
			sim_fail(w, "farewell", "host %u still has mappings", host->number);
	}
	for (size_t i = 0; i < w->gateway.held_count; i++) {
		if (w->gateway.held[i].until > w->now)
			sim_fail(w, "farewell", "external port %u is still forwarded",
				 w->gateway.held[i].external_port);
	}
}
