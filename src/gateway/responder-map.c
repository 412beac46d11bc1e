/* SPDX-License-Identifier: MIT */
/*
 * The decision: may this mapping be had, on which port, for how long; and the
 * change of the ledger. Everything is looked at before anything is changed,
 * so an error leaves no trace (RFC 6887 §7.3).
 */
#include "gateway/responder-private.h"

#include <string.h>

#define CHANCE_ALL 10000
#define MINUTE (60 * TENF_SECOND)
/* An ended port is withheld a while longer, RFC 6887 §13.2 and §15. */
#define CONFLICT_EXTRA_S 120

static bool strikes(struct responder *r, unsigned chance)
{
	return chance > 0 && tenf_random_below(&r->random, CHANCE_ALL) < chance;
}

static void refuse(struct map_outcome *out, enum map_result result, int rule, const char *why)
{
	out->result = result;
	out->rule = rule;
	out->verdict = RESPONDER_REFUSED;
	out->why = why;
}

/* A bucket that holds `burst` and empties once in `period`. */
static void refill(tenf_time *at, uint32_t *used, uint32_t burst, tenf_duration period,
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

static bool over_rate(struct ledger_host *host, const struct policy_rule *rule, tenf_time now)
{
	if (rule == NULL || rule->requests_per_s == 0)
		return false;
	refill(&host->requests_at, &host->requests_used, rule->requests_per_s, TENF_SECOND, now);
	if (host->requests_used >= rule->requests_per_s)
		return true;
	host->requests_used++;
	return false;
}

static struct policy_query query_of(const struct map_question *q)
{
	return (struct policy_query){
		.client = q->client, .protocol = q->protocol,
		.internal_port = q->internal_port, .third_party = q->extras.third_party,
		.mac = q->mac,
	};
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* RFC 6887 §15: within the limits; RFC 6886 §3.3: not more than asked. */
static uint32_t granted_s(const struct responder *r, const struct policy_rule *rule,
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

static bool filter_equal(const struct pcp_filter *a, const struct pcp_filter *b)
{
	return a->prefix_length == b->prefix_length && a->port == b->port &&
	       tenf_address_equal(&a->address, &b->address);
}

struct filters {
	struct pcp_filter at[LEDGER_FILTERS_MAX];
	size_t count;
};

/* What holds after the request: those there, unless cleared, and the new ones;
 * a renewal repeats its own, which are not added twice. False: too many. */
static bool filters_after(const struct responder *r, const struct ledger_mapping *m,
			  const struct map_extras *extras, struct filters *ret)
{
	size_t max = r->config.filters_max < LEDGER_FILTERS_MAX ? r->config.filters_max
								: LEDGER_FILTERS_MAX;

	ret->count = 0;
	if (m != NULL && m->cold != NULL && !extras->clear_filters) {
		ret->count = m->cold->filter_count;
		memcpy(ret->at, m->cold->filters, ret->count * sizeof(ret->at[0]));
	}
	for (size_t i = 0; i < extras->filter_count; i++) {
		size_t k = 0;

		while (k < ret->count && !filter_equal(&ret->at[k], &extras->filters[i]))
			k++;
		if (k < ret->count)
			continue;
		if (ret->count >= max)
			return false;
		ret->at[ret->count++] = extras->filters[i];
	}
	return true;
}

static enum tenf_status store_extras(struct responder *r, struct ledger_mapping *m,
				     const struct map_extras *extras,
				     const struct filters *filters)
{
	uint8_t kept[LEDGER_DESCRIPTION_MAX];
	const uint8_t *description = extras->description;
	size_t len = extras->description_len;

	if (!extras->described && !extras->clear_filters && extras->filter_count == 0)
		return TENF_OK;
	if (!extras->described && m->cold != NULL) {
		len = m->cold->description_len;
		memcpy(kept, m->cold->description, len);
		description = kept;
	}
	return ledger_set_cold(r->ledger, m, description, len, filters->at, filters->count);
}

/* ---- A mapping that is there ------------------------------------------ */

/* PREFER_FAILURE: this endpoint and no other; a zero address is any (§13.2). */
static bool is_other_than_wished(const struct responder *r, const struct map_question *q,
				 uint16_t external_port)
{
	bool v4 = tenf_address_is_v4(&q->internal);

	if (!q->extras.exact)
		return false;
	return q->external_port != external_port ||
	       (!tenf_address_is_none(&q->external_address) &&
		!tenf_address_equal(&q->external_address, v4 ? &r->external : &q->internal));
}

/* Static ones, and PCP's seen through NAT-PMP: told, not touched. True when decided. */
static bool tell_only(const struct responder *r, const struct map_question *q,
		      struct ledger_mapping *m, tenf_time now, struct map_outcome *out)
{
	uint32_t remaining_s = ledger_remaining_s(m, now);

	if (q->nonce != NULL && m->maker == LEDGER_BY_PCP &&
	    !ledger_nonce_equal(q->nonce, m->nonce)) {
		refuse(out, MAP_NONCE, m->rule, "mapped with another nonce");
		out->lifetime_s = remaining_s;
		return true;
	}
	if (is_other_than_wished(r, q, m->external_port)) {
		refuse(out, MAP_NOT_EXACT, m->rule, "already mapped to another external port");
		return true;
	}
	if (m->maker != LEDGER_STATIC && (q->nonce != NULL || m->maker == LEDGER_BY_NATPMP))
		return false;
	out->mapping = m;
	out->rule = m->rule;
	out->lifetime_s = q->nonce != NULL ? remaining_s
					   : least(granted_s(r, NULL, q), remaining_s);
	out->why = m->maker == LEDGER_STATIC ? "a static mapping" : "made by PCP, not changed";
	return true;
}

static void renew(struct responder *r, const struct map_question *q, struct ledger_host *host,
		  struct ledger_mapping *m, tenf_time now, struct map_outcome *out)
{
	const struct policy_query query = query_of(q);
	struct filters filters;
	const struct policy_rule *rule;
	int number;

	out->verdict = RESPONDER_RENEWED;
	if (tell_only(r, q, m, now, out))
		return;
	if (!policy_allows(&r->policy, &query, m->external_port, &number)) {
		refuse(out, MAP_DENIED, number, "no longer allowed");
		return;
	}
	rule = policy_rule(&r->policy, number);
	if (over_rate(host, rule, now)) {
		refuse(out, MAP_RATE, number, "over RequestRate");
		return;
	}
	if (!filters_after(r, m, &q->extras, &filters)) {
		refuse(out, MAP_PEERS, number, "too many filters");
		return;
	}
	/* The extras first: after them the renewal cannot fail. */
	out->lifetime_s = granted_s(r, rule, q);
	if (store_extras(r, m, &q->extras, &filters) != TENF_OK ||
	    ledger_renew(r->ledger, m, out->lifetime_s, q->nonce, now) != TENF_OK) {
		refuse(out, MAP_RESOURCES, number, "out of memory");
		return;
	}
	if (m->rule != number) {
		m->rule = (int16_t)number;
		m->is_rewritten = true;
	}
	out->mapping = m;
	out->rule = number;
}

/* ---- A new mapping ---------------------------------------------------- */

/* How long the wished port stays taken, 0 when that is not known. */
static uint32_t conflict_s(const struct responder *r, const struct map_question *q, tenf_time now)
{
	const struct ledger_mapping *m =
		ledger_find_external(r->ledger, q->protocol, q->external_port);

	if (m == NULL || m->maker == LEDGER_STATIC)
		return 0;
	return ledger_remaining_s(m, now) + (m->state == LEDGER_LIVE ? CONFLICT_EXTRA_S : 0);
}

static void refuse_exact(struct responder *r, const struct map_question *q,
			 struct ledger_host *host, tenf_time now, struct map_outcome *out)
{
	int rule;
	const struct policy_query query = query_of(q);
	bool allowed = policy_allows(&r->policy, &query, q->external_port, &rule);

	refill(&host->failures_at, &host->failures_used, RESPONDER_FAILURES_PER_MINUTE, MINUTE,
	       now);
	if (host->failures_used >= RESPONDER_FAILURES_PER_MINUTE) {
		refuse(out, MAP_RATE, rule, "too many failed wishes for an exact port");
		return;
	}
	host->failures_used++;
	refuse(out, MAP_NOT_EXACT, rule, allowed ? "this very port is taken"
						 : "this very port is not allowed");
	out->lifetime_s = allowed ? conflict_s(r, q, now) : 0;
}

/* Any port that is allowed and free. */
static uint16_t find_port(struct responder *r, const struct map_question *q,
			  const struct policy_query *query, struct map_outcome *out)
{
	uint16_t port = ledger_find_port(r->ledger, q->protocol, &q->internal, r->painted,
					 &r->random);

	if (port == 0)
		refuse(out, MAP_RESOURCES, POLICY_NO_RULE, "no allowed external port is left");
	else
		(void)policy_allows(&r->policy, query, port, &out->rule);
	return port;
}

/* The suggestion, else the port this endpoint had before, else any. 0: refused. */
static uint16_t choose_port(struct responder *r, const struct map_question *q,
			    struct ledger_host *host, tenf_time now, struct map_outcome *out)
{
	const struct policy_query query = query_of(q);
	const struct ledger_mapping *ended = ledger_find_ended(
		r->ledger, &q->internal, q->protocol, q->internal_port, q->nonce);
	uint16_t wish = q->external_port;

	if (strikes(r, r->quirks.other_port)) {
		ended = NULL;
		wish = 0;
	}
	if (wish != 0 && !is_other_than_wished(r, q, wish) &&
	    ((ended != NULL && ended->external_port == wish) ||
	     ledger_port_is_free(r->ledger, q->protocol, wish, &q->internal)) &&
	    policy_allows(&r->policy, &query, wish, &out->rule))
		return wish;
	if (!policy_paint(&r->policy, &query, r->painted)) {
		(void)policy_allows(&r->policy, &query, q->external_port != 0 ? q->external_port
									      : q->internal_port,
				    &out->rule);
		refuse(out, MAP_DENIED, out->rule, "not allowed");
		return 0;
	}
	if (q->extras.exact) {
		refuse_exact(r, q, host, now, out);
		return 0;
	}
	if (ended != NULL && policy_allows(&r->policy, &query, ended->external_port, &out->rule))
		return ended->external_port;
	return find_port(r, q, &query, out);
}

/* An IPv6 pinhole: the internal port is the external one. 0: refused. */
static uint16_t choose_pinhole(struct responder *r, const struct map_question *q,
			       struct map_outcome *out)
{
	const struct policy_query query = query_of(q);
	uint16_t port = q->internal_port;
	bool ours = q->protocol == TENF_UDP && (port == PCP_PORT || port == PCP_ANNOUNCE_PORT);

	if (tenf_address_is_link_local(&q->internal) ||
	    tenf_address_is_unique_local(&q->internal)) {
		refuse(out, MAP_DENIED, POLICY_NO_RULE, "nothing outside could reach this address");
		return 0;
	}
	if (!policy_allows(&r->policy, &query, port, &out->rule) || ours) {
		refuse(out, MAP_DENIED, out->rule, "not allowed");
		return 0;
	}
	if (is_other_than_wished(r, q, port)) {
		refuse(out, MAP_NOT_EXACT, out->rule, "a pinhole has the internal port");
		return 0;
	}
	return port;
}

/* The limits of the rule that allows it. */
static bool is_within_limits(struct responder *r, const struct map_question *q,
			     struct ledger_host *host, tenf_time now, struct map_outcome *out)
{
	const struct policy_rule *rule = policy_rule(&r->policy, out->rule);
	const struct ledger_host *holder = ledger_host(r->ledger, &q->internal);

	if (holder == NULL) {
		refuse(out, MAP_RESOURCES, out->rule, "out of memory");
	} else if (over_rate(host, rule, now)) {
		refuse(out, MAP_RATE, out->rule, "over RequestRate");
	} else if (rule != NULL && rule->mappings_max > 0 &&
		   holder->live_count >= rule->mappings_max) {
		refuse(out, MAP_QUOTA, out->rule, "over MaxMappings of the rule");
	} else {
		return true;
	}
	return false;
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
	struct filters filters;
	enum tenf_status status;

	out->verdict = RESPONDER_GRANTED;
	wish.external_port = tenf_address_is_v4(&q->internal) ? choose_port(r, q, host, now, out)
							      : choose_pinhole(r, q, out);
	if (wish.external_port == 0 || !is_within_limits(r, q, host, now, out))
		return;
	if (!filters_after(r, NULL, &q->extras, &filters)) {
		refuse(out, MAP_PEERS, out->rule, "too many filters");
		return;
	}
	wish.rule = out->rule;
	wish.lifetime_s = granted_s(r, policy_rule(&r->policy, out->rule), q);
	status = ledger_add(r->ledger, &wish, now, &m);
	if (status == TENF_OK && store_extras(r, m, &q->extras, &filters) != TENF_OK) {
		ledger_end(r->ledger, m, LEDGER_DELETED, now);
		status = TENF_E_MEMORY;
	}
	if (status != TENF_OK) {
		refuse(out, MAP_RESOURCES, out->rule,
		       status == TENF_E_LIMIT ? "the table is full (MaxMappings)"
					      : "out of memory");
		return;
	}
	out->mapping = m;
	out->lifetime_s = wish.lifetime_s;
}

void responder_map(struct responder *r, const struct map_question *q, tenf_time now,
		   struct map_outcome *ret)
{
	struct map_outcome out = { .rule = POLICY_NO_RULE };
	struct ledger_host *host = ledger_host(r->ledger, &q->client);
	struct ledger_mapping *m =
		ledger_find(r->ledger, &q->internal, q->protocol, q->internal_port);

	if (strikes(r, r->quirks.refuse))
		refuse(&out, MAP_DENIED, POLICY_NO_RULE, "Refuse= of [Faults]");
	else if (tenf_address_is_v4(&q->internal) && tenf_address_is_none(&r->external))
		refuse(&out, MAP_NO_NETWORK, POLICY_NO_RULE, "no external address");
	else if (host == NULL)
		refuse(&out, MAP_RESOURCES, POLICY_NO_RULE, "out of memory");
	else if (m != NULL)
		renew(r, q, host, m, now, &out);
	else
		create(r, q, host, now, &out);
	*ret = out;
}

/* ---- Giving back ------------------------------------------------------ */

/* RFC 6886 §3.4: every one of this protocol. PCP-made ones stay, their nonce
 * was not shown; static ones stay and are told. */
static void unmap_all(struct responder *r, const struct map_question *q, tenf_time now,
		      struct map_outcome *out)
{
	struct ledger_host *host = ledger_host(r->ledger, &q->internal);
	struct ledger_mapping *next = host != NULL ? host->live : NULL;

	while (next != NULL) {
		struct ledger_mapping *m = next;

		next = m->host_next;
		if (m->protocol != (uint8_t)q->protocol || m->maker == LEDGER_BY_PCP)
			continue;
		if (m->maker == LEDGER_STATIC) {
			refuse(out, MAP_DENIED, m->rule, "static mappings stay");
		} else {
			ledger_end(r->ledger, m, LEDGER_DELETED, now);
			out->removed++;
		}
	}
}

static void unmap_one(struct responder *r, const struct map_question *q, struct ledger_mapping *m,
		      tenf_time now, struct map_outcome *out)
{
	out->rule = m->rule;
	if (m->maker == LEDGER_STATIC) {
		refuse(out, MAP_DENIED, m->rule, "a static mapping");
	} else if (m->maker == LEDGER_BY_PCP && q->nonce == NULL) {
		refuse(out, MAP_DENIED, m->rule, "made by PCP, not to be removed by NAT-PMP");
	} else if (m->maker == LEDGER_BY_PCP && !ledger_nonce_equal(q->nonce, m->nonce)) {
		refuse(out, MAP_NONCE, m->rule, "mapped with another nonce");
		out->lifetime_s = ledger_remaining_s(m, now);
	} else {
		ledger_end(r->ledger, m, LEDGER_DELETED, now);
		out->mapping = m;
		out->removed = 1;
	}
}

void responder_unmap(struct responder *r, const struct map_question *q, tenf_time now,
		     struct map_outcome *ret)
{
	struct map_outcome out = { .rule = POLICY_NO_RULE, .verdict = RESPONDER_REMOVED };
	struct ledger_mapping *m;

	if (q->internal_port == 0) {
		unmap_all(r, q, now, &out);
	} else {
		m = ledger_find(r->ledger, &q->internal, q->protocol, q->internal_port);
		if (m != NULL)
			unmap_one(r, q, m, now, &out);
	}
	*ret = out;
}

void responder_record_mapping(const struct responder *r, const struct ledger_mapping *m,
			      struct responder_record *record)
{
	record->external = responder_external_of(r, m);
	record->id = m->id;
	record->renewals = m->renewals;
	record->made_at = m->made_at;
	record->end = (enum ledger_end)m->end;
}

struct responder_record responder_record_of(const struct responder *r,
					    const struct map_question *q,
					    const struct map_outcome *out)
{
	struct responder_record record = {
		.verdict = out->verdict, .protocol = q->protocol, .client = q->client,
		.has_mac = q->mac != NULL,
		.internal = { q->internal, q->internal_port }, .count = out->removed,
		.external = { tenf_address_zero_of(&q->internal), 0 },
		.rule = out->rule, .why = out->why,
	};

	if (q->mac != NULL)
		memcpy(record.mac, q->mac, sizeof(record.mac));
	if (out->result == MAP_DONE && out->mapping != NULL)
		responder_record_mapping(r, out->mapping, &record);
	if (out->result == MAP_DONE && out->verdict != RESPONDER_REMOVED)
		record.lifetime_s = out->lifetime_s;
	return record;
}
