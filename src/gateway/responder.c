/* SPDX-License-Identifier: MIT */
#include "gateway/responder-private.h"

#include <string.h>

void responder_config_init(struct responder_config *ret)
{
	*ret = (struct responder_config){
		.natpmp = true, .pcp = true, .external_address = tenf_address_none4,
		.lifetime_min_s = RESPONDER_LIFETIME_MIN_S,
		.lifetime_max_s = RESPONDER_LIFETIME_MAX_S,
		.withhold_udp_s = RESPONDER_WITHHOLD_UDP_S,
		.withhold_tcp_s = RESPONDER_WITHHOLD_TCP_S,
		.mappings_max = RESPONDER_MAPPINGS_MAX,
		.filters_max = LEDGER_FILTERS_MAX,
	};
}

static enum tenf_status check(const struct responder_config *c)
{
	if (c->link_count > RESPONDER_LINKS_MAX || c->reserved_count > RESPONDER_RESERVED_MAX)
		return TENF_E_LIMIT;
	if (c->lifetime_max_s == 0 || c->lifetime_min_s > c->lifetime_max_s ||
	    c->filters_max > LEDGER_FILTERS_MAX || !tenf_address_is_v4(&c->external_address))
		return TENF_E_ARGUMENT;
	return TENF_OK;
}

static enum tenf_status fill(struct responder *r, const struct responder_config *c)
{
	const struct ledger_limits limits = { c->mappings_max, c->withhold_udp_s,
					      c->withhold_tcp_s };
	enum tenf_status status = policy_init(&r->policy, c->rules, c->rule_count, r->memory);

	if (status == TENF_OK)
		status = ledger_new(&limits, &r->random, r->memory, &r->ledger);
	if (status != TENF_OK)
		return status;
	for (size_t i = 0; i < c->reserved_count; i++)
		ledger_reserve(r->ledger, c->reserved[i].protocol, c->reserved[i].port);
	return responder_first_externals(r, c);
}

enum tenf_status responder_new(const struct responder_config *config,
			       const struct tenf_random *random, const struct tenf_memory *memory,
			       tenf_time now, struct responder **ret)
{
	enum tenf_status status = check(config);
	struct responder *r;

	if (status != TENF_OK)
		return status;
	r = tenf_memory_zero(memory, 1, sizeof(*r));
	if (r == NULL)
		return TENF_E_MEMORY;
	r->memory = memory;
	r->random = *random;
	r->config = *config;
	peers_init(&r->peers, memory);
	responder_drop_answers(r);
	status = fill(r, config);
	if (status != TENF_OK) {
		responder_free(r);
		return status;
	}
	if (config->link_count > 0)
		memcpy(r->links, config->links, config->link_count * sizeof(r->links[0]));
	r->link_count = config->link_count;
	r->announce_at = 2 * r->link_count;
	r->reapply_at = TENF_NEVER;
	r->updates.next = TENF_NEVER;
	r->epoch_start = now;
	r->epoch = true;
	r->retry_at = now;
	announcer_init(&r->announcer);
	announcer_start(&r->announcer, now);
	*ret = r;
	return TENF_OK;
}

void responder_free(struct responder *r)
{
	if (r == NULL)
		return;
	ledger_free(r->ledger);
	policy_done(&r->policy);
	peers_done(&r->peers);
	tenf_memory_free(r->memory, r);
}

uint32_t responder_epoch_s(const struct responder *r, tenf_time now)
{
	return (uint32_t)((now - r->epoch_start) / TENF_SECOND);
}

/* ---- Arrival ---------------------------------------------------------- */

/* Only what came in where it is served, to the address that serves it, from a
 * host of that network (RFC 6886 §3.3, RFC 6887 §8.2). */
static const struct responder_link *find_link(const struct responder *r,
					      const struct responder_datagram *in)
{
	for (size_t i = 0; i < r->link_count; i++) {
		const struct responder_link *link = &r->links[i];

		if (link->interface == in->interface &&
		    tenf_address_equal(&link->address.address, &in->to.address) &&
		    tenf_prefix_contains(&link->network, &in->from.address))
			return in->from.port != 0 ? link : NULL;
	}
	return NULL;
}

/* Which protocol answers: octet 0 selects (RFC 6886 §1.1, RFC 6887 §9). */
static void dispatch(struct responder *r, const struct responder_link *link,
		     const struct responder_datagram *in, tenf_time now)
{
	bool v4 = tenf_address_is_v4(&in->from.address);
	bool natpmp = r->config.natpmp && v4;
	bool version0 = in->data[0] == NATPMP_VERSION;

	if (version0 ? r->quirks.ignore_natpmp : r->quirks.ignore_pcp)
		r->counts.dropped_quirk++;
	else if (natpmp && version0)
		responder_natpmp(r, link, in, now);
	else if (r->config.pcp)
		responder_pcp(r, link, in, now);
	else if (natpmp && in->data[1] < NATPMP_ANSWER)
		responder_natpmp_unsupp_version(r, in, now);
	else
		r->counts.dropped_bytes++;
}

static void record_expiry(struct responder *r, const struct ledger_mapping *m)
{
	struct responder_record record = {
		.verdict = RESPONDER_EXPIRED, .client = *ledger_asker(m), .count = 1,
		.version = m->maker == LEDGER_BY_PCP ? PCP_VERSION : NATPMP_VERSION,
		.internal = { m->internal_address, m->internal_port },
		.protocol = (enum tenf_protocol)m->protocol, .rule = m->rule,
	};

	responder_record_mapping(r, m, &record);
	responder_record(r, &record);
}

static void end_leases(struct responder *r, tenf_time now)
{
	struct ledger_mapping *m;

	while ((m = ledger_expire_one(r->ledger, now)) != NULL) {
		const struct tenf_endpoint internal = { m->internal_address, m->internal_port };

		pending_forget(&r->pending, &internal, (enum tenf_protocol)m->protocol);
		record_expiry(r, m);
	}
	responder_expire_peers(r, now);
	ledger_sweep(r->ledger, now);
}

#define NATPMP_MAP_OCTETS 12 /* of a request, RFC 6886 §3.3 */

/* What most requests are about, without a judgement of them. */
static void expect(const struct responder *r, const struct responder_datagram *in, bool is_near)
{
	static const uint8_t protocols[] = { [NATPMP_MAP_UDP] = TENF_UDP,
					     [NATPMP_MAP_TCP] = TENF_TCP };
	const uint8_t *at = in->data;

	if (in->len >= NATPMP_MAP_OCTETS && at[0] == NATPMP_VERSION &&
	    (at[1] == NATPMP_MAP_UDP || at[1] == NATPMP_MAP_TCP))
		ledger_expect(r->ledger, &in->from.address, protocols[at[1]],
			      (uint16_t)(at[4] << 8 | at[5]), is_near);
	else if (in->len >= PCP_MAP_SIZE && at[0] == PCP_VERSION && at[1] == PCP_MAP)
		ledger_expect(r->ledger, &in->from.address, at[PCP_HEADER + PCP_NONCE],
			      (uint16_t)(at[PCP_HEADER + 16] << 8 | at[PCP_HEADER + 17]), is_near);
}

void responder_expect(const struct responder *r, const struct responder_datagram *in, size_t count)
{
	for (size_t i = 0; i < count; i++)
		expect(r, &in[i], false);
	for (size_t i = 0; i < count; i++)
		expect(r, &in[i], true);
}

enum tenf_status responder_receive(struct responder *r, const struct responder_datagram *in,
				   tenf_time now)
{
	const struct responder_link *link;

	responder_recycle(r);
	if (r->committing || !responder_has_room(r))
		return TENF_E_AGAIN;
	r->counts.received++;
	link = find_link(r, in);
	if (link == NULL) {
		r->counts.dropped_place++;
		return TENF_OK;
	}
	if (in->len < 2) {
		r->counts.dropped_bytes++;
		return TENF_OK;
	}
	end_leases(r, now);
	dispatch(r, link, in, now);
	if (!ledger_batch_is_open(r->ledger) && !peers_batch_is_open(&r->peers))
		responder_release(r, false);
	return TENF_OK;
}

/* ---- The clock and the batch ------------------------------------------ */

void responder_expire(struct responder *r, tenf_time now)
{
	if (r->committing)
		return;
	end_leases(r, now);
	pending_expire(&r->pending, now);
	if (r->reapply_at <= now)
		responder_reapply(r, now);
}

tenf_time responder_deadline(const struct responder *r)
{
	if (r->committing)
		return TENF_NEVER;
	return tenf_time_min(tenf_time_min(tenf_time_min(r->reapply_at, peers_deadline(&r->peers)),
					   r->flush || r->epoch ? r->retry_at : TENF_NEVER),
			     tenf_time_min(ledger_deadline(r->ledger),
					   tenf_time_min(r->updates.next,
							 announcer_deadline(&r->announcer))));
}

static bool next_peer(struct responder *r, struct responder_change *ret)
{
	static const enum responder_change_kind kinds[] = {
		[PEERS_INSTALL] = RESPONDER_PEER_INSTALL, [PEERS_RENEW] = RESPONDER_PEER_RENEW,
		[PEERS_REMOVE] = RESPONDER_PEER_REMOVE,
	};
	const struct responder_peer *peer;
	enum peers_change kind;

	if (!peers_next_change(&r->peers, &r->peer_cursor, &kind, &peer))
		return false;
	*ret = (struct responder_change){ .kind = kinds[kind], .peer = peer,
					  .external = peer->external };
	return true;
}

static bool next_difference(struct responder *r, struct responder_change *ret)
{
	enum ledger_change_kind kind;
	struct ledger_mapping *m;

	if (!ledger_next_change(r->ledger, &r->cursor, &kind, &m))
		return next_peer(r, ret);
	*ret = (struct responder_change){ .mapping = m, .external = responder_external_of(r, m) };
	switch (kind) {
	case LEDGER_INSTALL:
		ret->kind = RESPONDER_INSTALL;
		break;
	case LEDGER_RENEW:
		ret->kind = RESPONDER_RENEW;
		ret->content = m->is_rewritten;
		break;
	case LEDGER_REMOVE:
		ret->kind = RESPONDER_REMOVE;
		break;
	}
	return true;
}

/* After a flush: of what is different only that whose flows somebody has ended. */
static bool next_cut(struct responder *r, struct responder_change *ret)
{
	while (next_difference(r, ret)) {
		ret->is_flushed = true;
		if ((ret->kind == RESPONDER_REMOVE && ret->mapping->end != LEDGER_EXPIRED) ||
		    (ret->kind == RESPONDER_PEER_REMOVE && ret->peer->end != LEDGER_EXPIRED))
			return true;
	}
	return false;
}

/* Then whatever lives. */
static bool next_live(struct responder *r, struct responder_change *ret)
{
	struct ledger_mapping *m = ledger_walk(r->ledger, &r->installing);

	if (m == NULL) {
		r->peer_installing = peers_each(&r->peers, r->peer_installing);
		if (r->peer_installing == NULL)
			return false;
		*ret = (struct responder_change){ .kind = RESPONDER_PEER_INSTALL,
						  .peer = r->peer_installing,
						  .external = r->peer_installing->external };
		return true;
	}
	*ret = (struct responder_change){ .kind = RESPONDER_INSTALL, .mapping = m,
					  .external = responder_external_of(r, m) };
	return true;
}

bool responder_next_change(struct responder *r, struct responder_change *ret)
{
	if (!r->committing) {
		r->committing = true;
		r->flushing = r->flush;
		r->epoch_telling = r->epoch;
		r->flush = r->epoch = r->flush_told = r->epoch_told = false;
		r->cursor = (struct ledger_cursor){ 0 };
		r->installing = (struct ledger_walk){ 0 };
		r->peer_cursor = 0;
		r->peer_installing = NULL;
	}
	if (r->flushing && !r->flush_told) {
		r->flush_told = true;
		*ret = (struct responder_change){ .kind = RESPONDER_FLUSH };
		return true;
	}
	if (r->epoch_telling && !r->epoch_told) {
		r->epoch_told = true;
		*ret = (struct responder_change){ .kind = RESPONDER_EPOCH,
						  .epoch_start = r->epoch_start };
		return true;
	}
	if (r->flushing)
		return next_cut(r, ret) || next_live(r, ret);
	return next_difference(r, ret);
}

void responder_committed(struct responder *r, enum tenf_status status, tenf_time now)
{
	bool failed = status != TENF_OK;

	if (!r->committing)
		return;
	r->committing = false;
	responder_record_revoked(r, failed, now);
	if (failed) {
		ledger_rollback(r->ledger);
		peers_rollback(&r->peers, responder_peer_gone, r);
		r->flush |= r->flushing;
		r->epoch |= r->epoch_telling;
		r->retry_at = tenf_time_add(now, RESPONDER_RETRY);
	} else {
		ledger_commit(r->ledger);
		peers_commit(&r->peers, responder_peer_gone, r);
		if (r->flushing && r->updates.wanted)
			responder_start_updates(r, now);
	}
	responder_remember_ids(r, false);
	responder_release(r, failed);
}

/* ---- What happens to the gateway -------------------------------------- */

void responder_restart_epoch(struct responder *r, tenf_time now, const char *why)
{
	const struct responder_record record = {
		.verdict = RESPONDER_RESTARTED, .rule = POLICY_NO_RULE,
		.external = { responder_only_address(r), 0 }, .why = why,
	};

	r->epoch_start = now;
	r->epoch = true;
	r->retry_at = now;
	announcer_start(&r->announcer, now);
	responder_record(r, &record);
}

void responder_flush(struct responder *r, tenf_time now)
{
	r->flush = true;
	r->retry_at = now;
}

void responder_reboot(struct responder *r, tenf_time now)
{
	responder_forget_peers(r);
	ledger_clear(r->ledger);
	responder_drop_answers(r);
	r->committing = false;
	responder_flush(r, now);
	responder_restart_epoch(r, now, "every mapping is lost");
}

/* The withheld port of this very endpoint is given back to the administrator too. */
static bool may_be_static(const struct responder *r, enum tenf_protocol protocol,
			  const struct tenf_endpoint *internal, uint16_t external_port)
{
	const struct ledger_mapping *m;

	if (!tenf_address_is_v4(&internal->address))
		return true;
	m = ledger_find_external(r->ledger, &internal->address, protocol, external_port);
	if (m != NULL && m->state == LEDGER_ENDED && m->internal_port == internal->port &&
	    tenf_address_equal(&m->internal_address, &internal->address))
		return true;
	return ledger_port_is_free(r->ledger, protocol, external_port, &internal->address);
}

enum tenf_status responder_add_static(struct responder *r, enum tenf_protocol protocol,
				      const struct tenf_endpoint *internal, uint16_t external_port,
				      tenf_time now)
{
	const struct ledger_wish wish = {
		.internal_address = internal->address, .internal_port = internal->port,
		.external_port = external_port, .protocol = protocol, .maker = LEDGER_STATIC,
		.rule = POLICY_NO_RULE,
	};
	struct ledger_mapping *m;

	if (r->committing)
		return TENF_E_AGAIN;
	if (ledger_find(r->ledger, &internal->address, protocol, internal->port) != NULL ||
	    !may_be_static(r, protocol, internal, external_port))
		return TENF_E_LIMIT;
	return ledger_add(r->ledger, &wish, now, &m);
}

void responder_set_quirks(struct responder *r, const struct responder_quirks *quirks)
{
	r->quirks = *quirks;
}

void responder_count(const struct responder *r, struct responder_counts *ret)
{
	*ret = r->counts;
}

const struct policy_rule *responder_rule(const struct responder *r, int rule)
{
	return policy_rule(&r->policy, rule);
}

const struct ledger_mapping *responder_mappings(const struct responder *r,
						const struct ledger_mapping *previous)
{
	return ledger_each(r->ledger, previous);
}

uint32_t responder_mapping_count(const struct responder *r)
{
	return ledger_count(r->ledger);
}
