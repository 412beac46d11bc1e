/* SPDX-License-Identifier: MIT */
/* What would be decided, and the wishes that wait for the administrator's word. */
#include "gateway/responder-private.h"

#include <string.h>

/* A client is told to come back soon: the word may be given meanwhile. */
#define PENDING_RETRY_S 30

/* ---- Wishes that wait ------------------------------------------------- */

void responder_await(struct responder *r, const struct map_question *q, struct ledger_host *host,
		     tenf_time now, struct map_outcome *out)
{
	struct pending_wish wish = {
		.client = q->client, .internal = { q->internal, q->internal_port },
		.protocol = q->protocol, .external_port = out->asked_port,
		.has_mac = q->mac != NULL, .rule = out->rule,
	};
	const struct pending_wish *noted;
	bool is_new;

	if (responder_over_rate(host, policy_rule(&r->policy, out->rule), now)) {
		responder_refuse(out, MAP_RATE, out->rule, "over RequestRate");
		return;
	}
	if (q->mac != NULL)
		memcpy(wish.mac, q->mac, sizeof(wish.mac));
	out->lifetime_s = PENDING_RETRY_S;
	noted = pending_note(&r->pending, &wish, now, &is_new);
	if (noted == NULL) {
		out->why = "too many wishes wait for the administrator already";
		return;
	}
	out->pending_id = noted->id;
	if (is_new) {
		out->verdict = RESPONDER_PENDING;
	} else if (noted->state == PENDING_IS_DENIED) {
		out->result = MAP_DENIED;
		out->lifetime_s = 0;
		out->why = "denied by the administrator";
	}
}

const struct pending_wish *responder_pending(const struct responder *r,
					     const struct pending_wish *previous)
{
	return pending_each(&r->pending, previous);
}

enum tenf_status responder_approve(struct responder *r, uint32_t id, tenf_time now)
{
	return pending_approve(&r->pending, id, now);
}

enum tenf_status responder_deny(struct responder *r, uint32_t id, tenf_time now)
{
	return pending_deny(&r->pending, id, now);
}

/* ---- What would be decided -------------------------------------------- */

static bool is_served(const struct responder *r, const struct tenf_address *client)
{
	for (size_t i = 0; i < r->link_count; i++) {
		if (tenf_prefix_contains(&r->links[i].network, client))
			return true;
	}
	return false;
}

static void say(struct responder_explanation *ret, enum policy_action action, int rule,
		const char *why)
{
	*ret = (struct responder_explanation){ .action = action, .rule = rule, .why = why };
}

static void explain_held(struct responder *r, const struct map_question *q,
			 const struct ledger_mapping *m, tenf_time now,
			 struct responder_explanation *ret)
{
	const struct policy_query query = responder_query(r, q, now);
	int rule;
	enum policy_action action = policy_decide(&r->policy, &query, m->external_port, &rule);

	if (m->maker == LEDGER_STATIC)
		say(ret, POLICY_ALLOW, POLICY_NO_RULE, "a static mapping");
	else if (action == POLICY_DENY)
		say(ret, action, rule, "open, but no longer allowed: it cannot be renewed");
	else
		say(ret, action, rule, "open already, it would be renewed");
	ret->granted = m->maker == LEDGER_STATIC || action != POLICY_DENY;
	ret->external_port = m->external_port;
}

/* The limits behind the rules. NULL: within them. */
static const char *limit_reached(struct responder *r, const struct map_question *q, int number)
{
	if (ledger_count(r->ledger) >= r->config.mappings_max)
		return "the table is full (MaxMappings)";
	if (responder_is_over_quota(r, &q->internal, policy_rule(&r->policy, number)))
		return "over MaxMappings of the rule";
	return NULL;
}

static void explain_new(struct responder *r, const struct map_question *q, tenf_time now,
			struct responder_explanation *ret)
{
	struct map_outcome out = { .rule = POLICY_NO_RULE };
	uint16_t port = responder_choose(r, q, q->external_port, now, &out);
	const struct tenf_endpoint internal = { q->internal, q->internal_port };
	const struct pending_wish *wish =
		pending_find(&r->pending, &q->client, &internal, q->protocol);
	const char *limit;

	if (port == 0) {
		bool denied = wish != NULL && wish->state == PENDING_IS_DENIED &&
			      wish->until > now;

		say(ret, out.result == MAP_PENDING ? POLICY_ASK : POLICY_DENY, out.rule, out.why);
		if (out.result == MAP_PENDING && denied)
			ret->why = "denied by the administrator";
		return;
	}
	limit = limit_reached(r, q, out.rule);
	say(ret, POLICY_ALLOW, out.rule, limit != NULL ? limit : "allowed");
	ret->granted = limit == NULL;
	if (ret->granted && (port == q->external_port || !tenf_address_is_v4(&q->internal)))
		ret->external_port = port;
	else if (ret->granted)
		ret->why = "allowed, on a port that is free then";
}

void responder_explain(struct responder *r, const struct responder_ask *ask, tenf_time now,
		       struct responder_explanation *ret)
{
	const struct map_question q = {
		.client = ask->client, .mac = ask->mac, .protocol = ask->protocol,
		.internal = ask->third_party ? ask->internal : ask->client,
		.internal_port = ask->internal_port, .external_port = ask->external_port,
		.external_address = tenf_address_none4, .extras.third_party = ask->third_party,
	};
	const struct ledger_mapping *m =
		ledger_find(r->ledger, &q.internal, q.protocol, q.internal_port);

	if (!is_served(r, &q.client) || !is_served(r, &q.internal))
		say(ret, POLICY_DENY, POLICY_NO_RULE, "not a host of a network that is served");
	else if (q.internal_port == 0 || (q.protocol != TENF_TCP && q.protocol != TENF_UDP))
		say(ret, POLICY_DENY, POLICY_NO_RULE, "only single TCP and UDP ports are mapped");
	else if (tenf_address_is_v4(&q.internal) && !r->has_external)
		say(ret, POLICY_DENY, POLICY_NO_RULE, "no external address");
	else if (m != NULL)
		explain_held(r, &q, m, now, ret);
	else
		explain_new(r, &q, now, ret);
}
