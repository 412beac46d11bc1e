/* SPDX-License-Identifier: MIT */
/* Which external port a request gets, if any: nothing is changed here. */
#include "gateway/responder-private.h"

#define CHANCE_ALL 10000
/* An ended port is withheld a while longer, RFC 6887 §13.2 and §15. */
#define CONFLICT_EXTRA_S 120

bool responder_strikes(struct responder *r, unsigned chance)
{
	return chance > 0 && tenf_random_below(&r->random, CHANCE_ALL) < chance;
}

void responder_refuse(struct map_outcome *out, enum map_result result, int rule, const char *why)
{
	out->result = result;
	out->rule = rule;
	out->verdict = RESPONDER_REFUSED;
	out->why = why;
}

/* A bucket that holds `burst` and empties once in `period`. */
void responder_refill(tenf_time *at, uint32_t *used, uint32_t burst, tenf_duration period,
		      tenf_time now)
{
	tenf_duration passed = now - *at;
	int64_t back;

	if (*used == 0 || passed < 0 || passed >= period) {
		*used = 0;
		*at = now;
		return;
	}
	back = passed * burst / period;
	if (back >= *used) {
		*used = 0;
		*at = now;
	} else {
		*used -= (uint32_t)back;
		*at += back * period / burst;
	}
}

struct policy_query responder_query(const struct responder *r, const struct map_question *q,
				    tenf_time now)
{
	const struct tenf_endpoint internal = { q->internal, q->internal_port };
	const struct pending_wish *wish =
		r->policy.asks ? pending_find(&r->pending, &q->client, &internal, q->protocol)
			       : NULL;
	struct policy_query query = {
		.client = q->client, .protocol = q->protocol,
		.internal_port = q->internal_port, .third_party = q->extras.third_party,
		.mac = q->mac,
	};

	if (wish != NULL && wish->state == PENDING_IS_APPROVED && wish->until > now) {
		query.approved = true;
		query.approved_port = wish->external_port;
	}
	return query;
}

/* PREFER_FAILURE: this endpoint and no other; a zero address is any (§13.2). */
bool responder_is_not_exact(const struct responder *r, const struct map_question *q,
			    uint16_t external_port)
{
	struct tenf_address external = q->internal;

	if (!q->extras.exact)
		return false;
	if (tenf_address_is_v4(&q->internal))
		external = responder_address_for(r, &q->internal);
	return q->external_port != external_port ||
	       (!tenf_address_is_none(&q->external_address) &&
		!tenf_address_equal(&q->external_address, &external));
}

/* How long the wished port stays taken, 0 when that is not known. */
static uint32_t conflict_s(const struct responder *r, const struct map_question *q, tenf_time now)
{
	const struct ledger_mapping *m =
		ledger_find_external(r->ledger, &q->internal, q->protocol, q->external_port);

	if (m == NULL || m->maker == LEDGER_STATIC)
		return 0;
	return ledger_remaining_s(m, now) + (m->state == LEDGER_LIVE ? CONFLICT_EXTRA_S : 0);
}

static void refuse_exact(struct responder *r, const struct map_question *q,
			 const struct policy_query *query, tenf_time now, struct map_outcome *out)
{
	int rule;
	bool allowed = policy_allows(&r->policy, query, q->external_port, &rule);

	responder_refuse(out, MAP_NOT_EXACT, rule,
			 allowed ? "this very port is taken" : "this very port is not allowed");
	out->lifetime_s = allowed ? conflict_s(r, q, now) : 0;
}

static void refuse_for_now(struct map_outcome *out, uint16_t port, int rule)
{
	responder_refuse(out, MAP_PENDING, rule, "waits for the administrator");
	out->asked_port = port;
}

/* Nothing is allowed without a word: is there something to ask about? */
static void refuse_or_ask(struct responder *r, const struct map_question *q,
			  const struct policy_query *query, struct map_outcome *out)
{
	int rule = policy_asking_rule(&r->policy, query);

	if (rule != POLICY_NO_RULE) {
		refuse_for_now(out, 0, rule);
		return;
	}
	(void)policy_allows(&r->policy, query,
			    q->external_port != 0 ? q->external_port : q->internal_port,
			    &out->rule);
	responder_refuse(out, MAP_DENIED, out->rule, "not allowed");
}

/* Any port that is allowed and free. */
static uint16_t find_port(struct responder *r, const struct map_question *q,
			  const struct policy_query *query, struct map_outcome *out)
{
	uint16_t port = ledger_find_port(r->ledger, q->protocol, &q->internal, r->painted,
					 &r->random);

	if (port == 0)
		responder_refuse(out, MAP_RESOURCES, POLICY_NO_RULE,
				 "no allowed external port is left");
	else
		(void)policy_allows(&r->policy, query, port, &out->rule);
	return port;
}

/* The port that PEER gave to this endpoint already, 0: none (§12: one for both). */
static uint16_t lent_port(const struct responder *r, const struct map_question *q)
{
	const struct tenf_endpoint internal = { q->internal, q->internal_port };
	const struct peers_entry *e = peers_of(&r->peers, q->protocol, &internal);
	uint16_t port = e != NULL ? e->peer.external.port : 0;

	if (port != 0 && ledger_find_external(r->ledger, &q->internal, q->protocol, port) != NULL)
		return 0;
	return port;
}

static bool can_have(const struct responder *r, const struct map_question *q, uint16_t port,
		     const struct ledger_mapping *ended)
{
	return !responder_is_not_exact(r, q, port) &&
	       (port == lent_port(r, q) || (ended != NULL && ended->external_port == port) ||
		ledger_port_is_free(r->ledger, q->protocol, port, &q->internal));
}

static uint16_t choose_port(struct responder *r, const struct map_question *q, uint16_t wish,
			    tenf_time now, struct map_outcome *out)
{
	const struct policy_query query = responder_query(r, q, now);
	const struct ledger_mapping *ended = ledger_find_ended(
		r->ledger, &q->internal, q->protocol, q->internal_port, q->nonce);
	enum policy_action action = POLICY_DENY;
	uint16_t lent;

	if (wish != 0)
		action = policy_decide(&r->policy, &query, wish, &out->rule);
	else if (q->external_port != 0)
		ended = NULL; /* a wish that is not to be followed */
	if (action == POLICY_ASK) {
		refuse_for_now(out, wish, out->rule);
		return 0;
	}
	if (action == POLICY_ALLOW && can_have(r, q, wish, ended))
		return wish;
	if (!policy_paint(&r->policy, &query, r->painted)) {
		refuse_or_ask(r, q, &query, out);
		return 0;
	}
	if (q->extras.exact) {
		refuse_exact(r, q, &query, now, out);
		return 0;
	}
	lent = lent_port(r, q);
	if (lent != 0 && policy_allows(&r->policy, &query, lent, &out->rule))
		return lent;
	if (ended != NULL && policy_allows(&r->policy, &query, ended->external_port, &out->rule))
		return ended->external_port;
	return find_port(r, q, &query, out);
}

bool responder_is_pcp_port(enum tenf_protocol protocol, uint16_t port)
{
	return protocol == TENF_UDP && (port == PCP_PORT || port == PCP_ANNOUNCE_PORT);
}

static uint16_t choose_pinhole(struct responder *r, const struct map_question *q, tenf_time now,
			       struct map_outcome *out)
{
	const struct policy_query query = responder_query(r, q, now);
	uint16_t port = q->internal_port;
	bool ours = responder_is_pcp_port(q->protocol, port);
	enum policy_action action = policy_decide(&r->policy, &query, port, &out->rule);

	if (tenf_address_is_link_local(&q->internal) ||
	    tenf_address_is_unique_local(&q->internal))
		responder_refuse(out, MAP_DENIED, POLICY_NO_RULE,
				 "nothing outside could reach this address");
	else if (action == POLICY_DENY || ours)
		responder_refuse(out, MAP_DENIED, out->rule, "not allowed");
	else if (responder_is_not_exact(r, q, port))
		responder_refuse(out, MAP_NOT_EXACT, out->rule, "a pinhole has the internal port");
	else if (action == POLICY_ASK)
		refuse_for_now(out, port, out->rule);
	else
		return port;
	return 0;
}

uint16_t responder_choose(struct responder *r, const struct map_question *q, uint16_t wish,
			  tenf_time now, struct map_outcome *out)
{
	const struct ledger_mapping *revoked = ledger_find_revoked(
		r->ledger, &q->internal, q->protocol, q->internal_port);

	if (revoked != NULL && revoked->until > now) {
		responder_refuse(out, MAP_DENIED, revoked->rule, "revoked by the administrator");
		out->lifetime_s = ledger_remaining_s(revoked, now);
		return 0;
	}
	return tenf_address_is_v4(&q->internal) ? choose_port(r, q, wish, now, out)
						: choose_pinhole(r, q, now, out);
}
