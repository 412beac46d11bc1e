/* SPDX-License-Identifier: MIT */
/*
 * The decision: may this mapping be had, on which port, for how long; and the
 * change of the ledger. Everything is looked at before anything is changed,
 * so an error leaves no trace (RFC 6887 §7.3).
 */
#include "gateway/responder-private.h"

#include <string.h>

#define MINUTE (60 * TENF_SECOND)

bool responder_over_rate(struct ledger_host *host, const struct policy_rule *rule, tenf_time now)
{
	if (rule == NULL || rule->requests_per_s == 0)
		return false;
	responder_refill(&host->requests_at, &host->requests_used, rule->requests_per_s,
			 TENF_SECOND, now);
	if (host->requests_used >= rule->requests_per_s)
		return true;
	host->requests_used++;
	return false;
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

uint32_t responder_granted_s(const struct responder *r, const struct policy_rule *rule,
			     const struct map_question *q)
{
	uint32_t max = r->config.lifetime_max_s;
	uint32_t lifetime_s = q->lifetime_s;

	if (rule != NULL && rule->lifetime_max_s > 0)
		max = least(max, rule->lifetime_max_s);
	if (r->quirks.lifetime_cap_s > 0)
		max = least(max, r->quirks.lifetime_cap_s);
	if (q->nonce != NULL && lifetime_s < r->config.lifetime_min_s)
		lifetime_s = r->config.lifetime_min_s;
	return least(lifetime_s, max);
}

/* ---- Filters and description ------------------------------------------ */

static enum tenf_status store_extras(struct responder *r, struct ledger_mapping *m,
				     const struct map_question *q,
				     const struct responder_filters *filters)
{
	const struct map_extras *extras = &q->extras;
	const struct tenf_address *asker = extras->third_party ? &q->client : NULL;
	struct ledger_extras after = ledger_extras_of(m);

	if (asker == NULL && after.asker == NULL && !extras->described && !extras->clear_filters &&
	    extras->filter_count == 0)
		return TENF_OK;
	after.asker = asker;
	after.filters = filters->at;
	after.filter_count = filters->count;
	if (extras->described) {
		after.description = extras->description;
		after.description_len = extras->description_len;
	}
	return ledger_set_cold(r->ledger, m, &after);
}

/* ---- A mapping that is there ------------------------------------------ */

/* Where a Mapping Update would go; who asks knows where its mapping is now. */
static void hear_client(struct ledger_mapping *m, const struct map_question *q)
{
	m->client_port = q->extras.third_party ? 0 : q->client_port;
	m->is_moved = false;
}

/* Static ones, and PCP's seen through NAT-PMP: told, not touched. True when decided. */
static bool tell_only(const struct responder *r, const struct map_question *q,
		      struct ledger_mapping *m, tenf_time now, struct map_outcome *out)
{
	uint32_t remaining_s = ledger_remaining_s(m, now);

	if (q->nonce != NULL && m->maker == LEDGER_BY_PCP &&
	    !ledger_nonce_equal(q->nonce, m->nonce)) {
		responder_refuse(out, MAP_NONCE, m->rule, "mapped with another nonce");
		out->lifetime_s = remaining_s;
		return true;
	}
	if (responder_is_not_exact(r, q, m->external_port)) {
		responder_refuse(out, MAP_NOT_EXACT, m->rule,
				 "already mapped to another external port");
		return true;
	}
	if (m->maker != LEDGER_STATIC && (q->nonce != NULL || m->maker == LEDGER_BY_NATPMP))
		return false;
	out->mapping = m;
	out->rule = m->rule;
	out->lifetime_s = q->nonce != NULL ? remaining_s
					   : least(responder_granted_s(r, NULL, q), remaining_s);
	out->why = m->maker == LEDGER_STATIC ? "a static mapping" : "made by PCP, not changed";
	return true;
}

static void renew(struct responder *r, const struct map_question *q, struct ledger_host *host,
		  struct ledger_mapping *m, tenf_time now, struct map_outcome *out)
{
	const struct policy_query query = responder_query(r, q, now);
	struct responder_filters filters;
	const struct policy_rule *rule;
	int number;

	out->verdict = RESPONDER_RENEWED;
	if (tell_only(r, q, m, now, out))
		return;
	/* What is open needs no second word of the administrator's. */
	if (policy_decide(&r->policy, &query, m->external_port, &number) == POLICY_DENY) {
		responder_refuse(out, MAP_DENIED, number, "no longer allowed");
		return;
	}
	rule = policy_rule(&r->policy, number);
	if (responder_over_rate(host, rule, now)) {
		responder_refuse(out, MAP_RATE, number, "over RequestRate");
		return;
	}
	if (!responder_filters_after(r, m, q, number, &filters, out))
		return;
	/* The extras first: after them the renewal cannot fail. */
	out->lifetime_s = responder_granted_s(r, rule, q);
	if (store_extras(r, m, q, &filters) != TENF_OK ||
	    ledger_renew(r->ledger, m, out->lifetime_s, q->nonce, now) != TENF_OK) {
		responder_refuse(out, MAP_RESOURCES, number, "out of memory");
		return;
	}
	hear_client(m, q);
	if (m->rule != number) {
		m->rule = (int16_t)number;
		m->is_rewritten = true;
	}
	out->mapping = m;
	out->rule = number;
}

/* ---- A new mapping ---------------------------------------------------- */

/* What PEER made counts as well: it holds a port like any other. */
bool responder_is_over_quota(struct responder *r, const struct tenf_address *host,
			     const struct policy_rule *rule)
{
	const struct ledger_host *holder = ledger_known_host(r->ledger, host);
	uint32_t held = holder != NULL ? holder->live_count : 0;

	return rule != NULL && rule->mappings_max > 0 &&
	       held + peers_count(&r->peers, host) >= rule->mappings_max;
}

/* The limits of the rule that allows it. */
static bool is_within_limits(struct responder *r, const struct map_question *q,
			     struct ledger_host *host, tenf_time now, struct map_outcome *out)
{
	const struct policy_rule *rule = policy_rule(&r->policy, out->rule);

	if (ledger_host(r->ledger, &q->internal) == NULL) {
		responder_refuse(out, MAP_RESOURCES, out->rule, "out of memory");
	} else if (responder_over_rate(host, rule, now)) {
		responder_refuse(out, MAP_RATE, out->rule, "over RequestRate");
	} else if (responder_is_over_quota(r, &q->internal, rule)) {
		responder_refuse(out, MAP_QUOTA, out->rule, "over MaxMappings of the rule");
	} else {
		return true;
	}
	return false;
}

/* Failed wishes for an exact port must not find out which ports are taken. */
static void count_failure(struct ledger_host *host, tenf_time now, struct map_outcome *out)
{
	responder_refill(&host->failures_at, &host->failures_used, RESPONDER_FAILURES_PER_MINUTE,
			 MINUTE, now);
	if (host->failures_used < RESPONDER_FAILURES_PER_MINUTE) {
		host->failures_used++;
		return;
	}
	responder_refuse(out, MAP_RATE, out->rule, "too many failed wishes for an exact port");
	out->lifetime_s = 0;
}

static void create(struct responder *r, const struct map_question *q, struct ledger_host *host,
		   tenf_time now, struct map_outcome *out)
{
	struct ledger_wish wish = {
		.internal_address = q->internal, .internal_port = q->internal_port,
		.protocol = q->protocol, .nonce = q->nonce,
		.maker = q->nonce != NULL ? LEDGER_BY_PCP : LEDGER_BY_NATPMP,
	};
	struct ledger_mapping *m;
	struct responder_filters filters;
	enum tenf_status status;

	out->verdict = RESPONDER_GRANTED;
	wish.external_port = responder_choose(
		r, q, responder_strikes(r, r->quirks.other_port) ? 0 : q->external_port, now, out);
	if (out->result == MAP_PENDING)
		responder_await(r, q, host, now, out);
	else if (out->result == MAP_NOT_EXACT)
		count_failure(host, now, out);
	if (wish.external_port == 0 || !is_within_limits(r, q, host, now, out))
		return;
	if (!responder_filters_after(r, NULL, q, out->rule, &filters, out))
		return;
	wish.rule = out->rule;
	wish.lifetime_s = responder_granted_s(r, policy_rule(&r->policy, out->rule), q);
	status = ledger_add(r->ledger, &wish, now, &m);
	if (status == TENF_OK && store_extras(r, m, q, &filters) != TENF_OK) {
		ledger_end(r->ledger, m, LEDGER_DELETED, now);
		status = TENF_E_MEMORY;
	}
	if (status != TENF_OK) {
		responder_refuse(out, MAP_RESOURCES, out->rule,
				 status == TENF_E_LIMIT ? "the table is full (MaxMappings)"
							: "out of memory");
		return;
	}
	hear_client(m, q);
	out->mapping = m;
	out->lifetime_s = wish.lifetime_s;
}

void responder_hear_mac(struct ledger_host *host, const struct map_question *q)
{
	if (host == NULL || q->mac == NULL)
		return;
	host->has_mac = true;
	memcpy(host->mac, q->mac, sizeof(host->mac));
}

void responder_map(struct responder *r, const struct map_question *q, tenf_time now,
		   struct map_outcome *ret)
{
	struct map_outcome out = { .rule = POLICY_NO_RULE };
	struct ledger_host *host = ledger_host(r->ledger, &q->client);
	struct ledger_mapping *m =
		ledger_find(r->ledger, &q->internal, q->protocol, q->internal_port);

	responder_hear_mac(host, q);
	if (responder_strikes(r, r->quirks.refuse))
		responder_refuse(&out, MAP_DENIED, POLICY_NO_RULE, "Refuse= of [Faults]");
	else if (tenf_address_is_v4(&q->internal) && !r->has_external)
		responder_refuse(&out, MAP_NO_NETWORK, POLICY_NO_RULE, "no external address");
	else if (host == NULL)
		responder_refuse(&out, MAP_RESOURCES, POLICY_NO_RULE, "out of memory");
	else if (m != NULL)
		renew(r, q, host, m, now, &out);
	else
		create(r, q, host, now, &out);
	*ret = out;
}
