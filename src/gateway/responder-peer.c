/* SPDX-License-Identifier: MIT */
/*
 * PEER (RFC 6887 §12): the external endpoint of a flow to one remote peer is told, and
 * kept for longer than the flow alone would. It never shortens and never ends what
 * is there. Ports come from the same rules as those of MAP: an endpoint that MAP or
 * another PEER gave to this internal endpoint is used again, so that its host has one.
 *
 * An IPv6 host's flow has the same endpoint on both sides.
 */
#include "gateway/responder-private.h"
#include "gateway/responder-restore.h"

#include <string.h>

static void say_no(struct map_outcome *out, enum map_result result, int rule, const char *why)
{
	responder_refuse(out, result, rule, why);
}

static uint32_t left_s(tenf_time until, tenf_time now)
{
	tenf_duration left = until - now;

	return left <= 0 ? 0 : (uint32_t)((left + TENF_SECOND - 1) / TENF_SECOND);
}

static void report(struct map_outcome *out, const struct tenf_endpoint *external,
		   uint32_t lifetime_s)
{
	out->external = *external;
	out->lifetime_s = lifetime_s;
}

/* ---- One that is there ------------------------------------------------ */

static void renew(struct responder *r, const struct map_question *q, struct ledger_host *host,
		  struct peers_entry *e, tenf_time now, struct map_outcome *out)
{
	const struct policy_query query = responder_query(r, q, now);
	const struct policy_rule *rule;
	tenf_time ends_at;

	out->verdict = RESPONDER_RENEWED;
	out->rule = e->peer.rule;
	out->peer = &e->peer;
	if (!ledger_nonce_equal(q->nonce, e->peer.nonce)) {
		say_no(out, MAP_NONCE, e->peer.rule, "asked for with another nonce");
		out->lifetime_s = left_s(e->peer.ends_at, now);
		return;
	}
	report(out, &e->peer.external, left_s(e->peer.ends_at, now));
	if (policy_decide(&r->policy, &query, e->peer.external.port, &out->rule) == POLICY_DENY) {
		say_no(out, MAP_DENIED, out->rule, "no longer allowed");
		return;
	}
	rule = policy_rule(&r->policy, out->rule);
	if (responder_over_rate(host, rule, now)) {
		say_no(out, MAP_RATE, out->rule, "over RequestRate");
		return;
	}
	if (q->lifetime_s == 0)
		return; /* cannot be ended: what is left is told (§12.1) */
	out->lifetime_s = responder_granted_s(r, rule, q);
	ends_at = tenf_time_add(now, tenf_seconds(out->lifetime_s));
	if (ends_at > e->peer.ends_at)
		peers_renew(&r->peers, e, ends_at, out->lifetime_s);
	out->lifetime_s = left_s(e->peer.ends_at, now);
}

/* ---- A new one -------------------------------------------------------- */

/* The external endpoint this internal one has already: by MAP, another PEER, or nature. */
static bool find_own(const struct responder *r, const struct map_question *q,
		     struct tenf_endpoint *ret)
{
	const struct tenf_endpoint internal = { q->internal, q->internal_port };
	const struct ledger_mapping *m =
		ledger_find(r->ledger, &q->internal, q->protocol, q->internal_port);
	const struct peers_entry *e = peers_of(&r->peers, q->protocol, &internal);

	if (!tenf_address_is_v4(&q->internal)) {
		*ret = internal;
		return true;
	}
	if (m != NULL)
		*ret = responder_external_of(r, m);
	else if (e != NULL)
		*ret = e->peer.external;
	return m != NULL || e != NULL;
}

/* What cannot be met is not replaced by something else (§12.3). */
static bool is_wished(const struct map_question *q, const struct tenf_endpoint *external)
{
	return (q->external_port == 0 || q->external_port == external->port) &&
	       (tenf_address_is_none(&q->external_address) ||
		tenf_address_equal(&q->external_address, &external->address));
}

/* False: refused. */
static bool choose(struct responder *r, const struct map_question *q, tenf_time now,
		   struct tenf_endpoint *ret, struct map_outcome *out)
{
	const struct policy_query query = responder_query(r, q, now);
	struct tenf_endpoint external = { responder_address_for(r, &q->internal), 0 };
	bool own = find_own(r, q, &external);

	if (!own)
		external.port = q->external_port;
	if (external.port == 0 && policy_paint(&r->policy, &query, r->painted))
		external.port = ledger_find_port(r->ledger, q->protocol, &q->internal, r->painted,
						 &r->random);
	if (!policy_allows(&r->policy, &query, external.port, &out->rule) ||
	    responder_is_pcp_port(q->protocol, external.port) ||
	    tenf_address_is_link_local(&q->internal) ||
	    tenf_address_is_unique_local(&q->internal)) {
		say_no(out, MAP_DENIED, out->rule, "not allowed");
		return false;
	}
	if (!is_wished(q, &external) ||
	    (!own && !ledger_port_is_free(r->ledger, q->protocol, external.port, &q->internal))) {
		say_no(out, MAP_NOT_EXACT, out->rule, "the suggested endpoint cannot be had");
		return false;
	}
	*ret = external;
	return true;
}

/* A flow whose port another host may claim, or that no rule allows, is told as
 * it is and not kept: nothing is promised beyond what it has. */
static bool may_be_kept(struct responder *r, const struct map_question *q,
			const struct tenf_endpoint *external, tenf_time now, int *ret_rule)
{
	const struct policy_query query = responder_query(r, q, now);
	const struct tenf_address address = responder_address_for(r, &q->internal);
	struct tenf_endpoint own;

	if (!policy_allows(&r->policy, &query, external->port, ret_rule))
		return false;
	if (find_own(r, q, &own))
		return tenf_endpoint_equal(&own, external);
	return tenf_address_equal(&address, &external->address) &&
	       ledger_port_is_free(r->ledger, q->protocol, external->port, &q->internal);
}

static bool find_flow(const struct responder *r, const struct map_question *q,
		      struct tenf_endpoint *ret_external, uint32_t *ret_lifetime_s)
{
	const struct responder_flows *flows = r->config.flows;
	const struct tenf_endpoint internal = { q->internal, q->internal_port };

	return flows != NULL && flows->find(flows->context, q->protocol, &internal, &q->remote,
					    ret_external, ret_lifetime_s);
}

static void keep(struct responder *r, const struct map_question *q,
		 const struct tenf_endpoint *external, uint32_t lifetime_s, tenf_time now,
		 struct map_outcome *out)
{
	struct responder_peer peer = {
		.protocol = q->protocol, .internal = { q->internal, q->internal_port },
		.external = *external, .remote = q->remote, .asker = q->client, .made_at = now,
		.ends_at = tenf_time_add(now, tenf_seconds(lifetime_s)), .lifetime_s = lifetime_s,
		.rule = out->rule,
	};
	enum tenf_status status;

	memcpy(peer.nonce, q->nonce, sizeof(peer.nonce));
	if (peers_count(&r->peers, &q->internal) >= PEERS_OF_HOST_MAX) {
		say_no(out, MAP_QUOTA, out->rule, "too many PEER mappings of this host");
		return;
	}
	if (responder_is_over_quota(r, &q->internal, policy_rule(&r->policy, out->rule))) {
		say_no(out, MAP_QUOTA, out->rule, "over MaxMappings of the rule");
		return;
	}
	peer.id = ledger_next_id(r->ledger);
	status = peers_add(&r->peers, &peer);
	if (status != TENF_OK) {
		say_no(out, MAP_RESOURCES, out->rule,
		       status == TENF_E_LIMIT ? "the table of PEER mappings is full"
					      : "out of memory");
		return;
	}
	if (tenf_address_is_v4(&q->internal))
		ledger_lend(r->ledger, &q->internal, q->protocol, external->port);
	out->peer = &r->peers.at[r->peers.count - 1].peer;
	report(out, external, lifetime_s);
}

/* What the administrator took away MAP does not give back for a while, nor does this. */
static bool is_revoked(struct responder *r, const struct map_question *q, tenf_time now,
		       struct map_outcome *out)
{
	const struct tenf_endpoint internal = { q->internal, q->internal_port };
	const struct ledger_mapping *revoked = ledger_find_revoked(
		r->ledger, &q->internal, q->protocol, q->internal_port);
	tenf_time until = peers_revoked_until(&r->peers, q->protocol, &internal, &q->remote);

	if (revoked != NULL)
		until = tenf_time_max(until, revoked->until);
	if (until <= now)
		return false;
	say_no(out, MAP_DENIED, revoked != NULL ? revoked->rule : POLICY_NO_RULE,
	       "revoked by the administrator");
	out->lifetime_s = left_s(until, now);
	return true;
}

static void create(struct responder *r, const struct map_question *q, struct ledger_host *host,
		   tenf_time now, struct map_outcome *out)
{
	struct tenf_endpoint external;
	const struct policy_rule *rule;
	struct map_question longest = *q;
	uint32_t lifetime_s = 0;
	bool flows = find_flow(r, q, &external, &lifetime_s);

	out->verdict = RESPONDER_GRANTED;
	if (flows && !may_be_kept(r, q, &external, now, &out->rule)) {
		report(out, &external, lifetime_s);
		out->why = "a flow that is there, not kept";
		return;
	}
	if (q->lifetime_s == 0) {
		out->verdict = RESPONDER_REMOVED; /* of nothing: as told below */
		if (flows)
			report(out, &external, lifetime_s);
		return;
	}
	if (is_revoked(r, q, now, out) || (!flows && !choose(r, q, now, &external, out)))
		return;
	rule = policy_rule(&r->policy, out->rule);
	if (responder_over_rate(host, rule, now)) {
		say_no(out, MAP_RATE, out->rule, "over RequestRate");
		return;
	}
	/* As long as the flow would live, but no longer than a lease may: a flow that ends
	 * earlier must not leave a way in behind that no rule allows. */
	longest.lifetime_s = lifetime_s > q->lifetime_s ? lifetime_s : q->lifetime_s;
	keep(r, q, &external, responder_granted_s(r, rule, &longest), now, out);
}

void responder_peer(struct responder *r, const struct map_question *q, tenf_time now,
		    struct map_outcome *ret)
{
	const struct tenf_endpoint internal = { q->internal, q->internal_port };
	struct map_outcome out = { .rule = POLICY_NO_RULE,
				   .external = { tenf_address_none4, 0 } };
	struct ledger_host *host = ledger_host(r->ledger, &q->client);
	struct peers_entry *e = peers_find(&r->peers, q->protocol, &internal, &q->remote);

	responder_hear_mac(host, q);
	if (!r->has_external && tenf_address_is_v4(&q->internal))
		say_no(&out, MAP_NO_NETWORK, POLICY_NO_RULE, "no external address");
	else if (host == NULL)
		say_no(&out, MAP_RESOURCES, POLICY_NO_RULE, "out of memory");
	else if (e != NULL)
		renew(r, q, host, e, now, &out);
	else
		create(r, q, host, now, &out);
	*ret = out;
}

/* ---- Beside the ledger ------------------------------------------------ */

const struct responder_peer *responder_peers(const struct responder *r,
					     const struct responder_peer *previous)
{
	return peers_each(&r->peers, previous);
}

uint32_t responder_peer_count(const struct responder *r)
{
	const struct responder_peer *peer = NULL;
	uint32_t count = 0;

	while ((peer = peers_each(&r->peers, peer)) != NULL)
		count++;
	return count;
}

static void give_back(struct responder *r, const struct responder_peer *peer)
{
	if (tenf_address_is_v4(&peer->internal.address))
		ledger_take_back(r->ledger, &peer->internal.address, peer->protocol,
				 peer->external.port);
}

/* The last one of an internal endpoint gives its port back. */
void responder_peer_gone(void *context, const struct responder_peer *peer)
{
	struct responder *r = context;

	if (peers_of(&r->peers, peer->protocol, &peer->internal) == NULL)
		give_back(r, peer);
}

void responder_record_peer(struct responder *r, const struct responder_peer *peer,
			   enum responder_verdict verdict, enum ledger_end end, const char *why)
{
	const struct responder_record record = {
		.verdict = verdict, .version = PCP_VERSION, .opcode = PCP_PEER,
		.protocol = peer->protocol, .client = peer->asker,
		.internal = peer->internal, .external = peer->external, .remote = peer->remote,
		.count = 1, .id = peer->id, .renewals = peer->renewals, .made_at = peer->made_at,
		.end = end, .rule = peer->rule, .why = why,
	};

	responder_record(r, &record);
}

void responder_expire_peers(struct responder *r, tenf_time now)
{
	const struct responder_peer *peer;

	while ((peer = peers_expire_one(&r->peers, now)) != NULL)
		responder_record_peer(r, peer, RESPONDER_EXPIRED, LEDGER_EXPIRED, NULL);
}

void responder_forget_peers(struct responder *r)
{
	const struct responder_peer *peer = NULL;

	while ((peer = peers_each(&r->peers, peer)) != NULL)
		give_back(r, peer);
	peers_clear(&r->peers);
}

/* From the last one, whose place nobody takes who was not looked at. */
void responder_forget_moved_peers(struct responder *r)
{
	for (size_t i = r->peers.count; i-- > 0;) {
		const struct responder_peer *peer = &r->peers.at[i].peer;

		if (!tenf_address_is_v4(&peer->internal.address))
			continue;
		if (peer->end == LEDGER_NOT_ENDED)
			responder_record_peer(r, peer, RESPONDER_REVOKED, LEDGER_CROWDED_OUT,
					      "its flow's external address is gone");
		give_back(r, peer);
		peers_remove(&r->peers, &r->peers.at[i]);
	}
}

void responder_reapply_peers(struct responder *r)
{
	const struct responder_peer *next = NULL;

	while ((next = peers_each(&r->peers, next)) != NULL) {
		struct peers_entry *e = peers_by_id(&r->peers, next->id);
		int rule;

		if (responder_judge_as(r, &next->asker, next->protocol, &next->internal,
				       next->external.port, &rule) != POLICY_DENY)
			continue;
		e->peer.rule = rule;
		peers_end(&r->peers, e, LEDGER_DISALLOWED);
	}
}

/* For as long as MAP does not give back what was revoked. */
static void keep_from_all(struct responder *r, const struct responder_peer *peer, tenf_time now)
{
	const tenf_time until = tenf_time_add(now, tenf_seconds(LEDGER_REVOKED_S));

	peers_revoke(&r->peers, peer, until);
	responder_remember_peer(r, peer, until);
}

void responder_record_revoked_peers(struct responder *r, bool failed, tenf_time now)
{
	const struct responder_peer *peer;
	enum peers_change kind;
	size_t at = 0;

	while (peers_next_change(&r->peers, &at, &kind, &peer)) {
		if (kind != PEERS_REMOVE || peer->end == LEDGER_EXPIRED)
			continue;
		if (!failed && peer->end == LEDGER_REVOKED)
			keep_from_all(r, peer, now);
		responder_record_peer(r, peer, RESPONDER_REVOKED,
				      failed ? LEDGER_NOT_ENDED : peer->end,
				      failed ? "the backend could not do it, it is still open"
				      : peer->end == LEDGER_REVOKED ? "revoked by the administrator"
								    : "no longer allowed");
	}
}

static bool makes_sense(const struct responder_peer *p, tenf_time now)
{
	bool v4 = tenf_address_is_v4(&p->internal.address);

	return (p->protocol == TENF_TCP || p->protocol == TENF_UDP) && p->ends_at > now &&
	       p->internal.port != 0 && p->external.port != 0 && p->remote.port != 0 &&
	       v4 == tenf_address_is_v4(&p->remote.address) && !tenf_address_is_none(&p->asker) &&
	       (v4 || tenf_endpoint_equal(&p->internal, &p->external));
}

static bool has_a_place(const struct responder *r, const struct responder_peer *p)
{
	const struct map_question q = { .internal = p->internal.address, .protocol = p->protocol,
					.internal_port = p->internal.port };
	const struct tenf_address address = responder_address_for(r, &q.internal);
	struct tenf_endpoint own;

	if (peers_find(&r->peers, p->protocol, &p->internal, &p->remote) != NULL ||
	    peers_count(&r->peers, &q.internal) >= PEERS_OF_HOST_MAX)
		return false;
	if (find_own(r, &q, &own))
		return tenf_endpoint_equal(&own, &p->external);
	return tenf_address_equal(&address, &p->external.address) &&
	       ledger_port_is_free(r->ledger, p->protocol, p->external.port, &q.internal);
}

enum tenf_status responder_restore_peer(struct responder *r, const struct responder_peer *kept,
					tenf_time now)
{
	struct responder_peer peer = *kept;
	enum tenf_status status;

	if (r->committing || ledger_batch_is_open(r->ledger) || peers_batch_is_open(&r->peers))
		return TENF_E_AGAIN;
	if (!makes_sense(kept, now))
		return TENF_E_ARGUMENT;
	if (!has_a_place(r, kept))
		return TENF_E_LIMIT;
	peer.id = kept->id != 0 ? kept->id : ledger_next_id(r->ledger);
	ledger_use_id(r->ledger, peer.id);
	peer.end = LEDGER_NOT_ENDED;
	status = peers_restore(&r->peers, &peer);
	if (status == TENF_OK && tenf_address_is_v4(&peer.internal.address))
		ledger_lend(r->ledger, &peer.internal.address, peer.protocol, peer.external.port);
	return status;
}
