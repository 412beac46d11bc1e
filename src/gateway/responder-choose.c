/* SPDX-License-Identifier: MIT */
/*
 * Which external port a request gets, if any: nothing is changed here but what
 * counts against a rate.
 */
#include "gateway/responder-private.h"

#define CHANCE_ALL 10000
#define MINUTE (60 * TENF_SECOND)
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

struct policy_query responder_query(const struct map_question *q)
{
	return (struct policy_query){
		.client = q->client, .protocol = q->protocol,
		.internal_port = q->internal_port, .third_party = q->extras.third_party,
		.mac = q->mac,
	};
}

/* PREFER_FAILURE: this endpoint and no other; a zero address is any (§13.2). */
bool responder_is_not_exact(const struct responder *r, const struct map_question *q,
			    uint16_t external_port)
{
	bool v4 = tenf_address_is_v4(&q->internal);

	if (!q->extras.exact)
		return false;
	return q->external_port != external_port ||
	       (!tenf_address_is_none(&q->external_address) &&
		!tenf_address_equal(&q->external_address, v4 ? &r->external : &q->internal));
}

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
	const struct policy_query query = responder_query(q);
	bool allowed = policy_allows(&r->policy, &query, q->external_port, &rule);

	responder_refill(&host->failures_at, &host->failures_used, RESPONDER_FAILURES_PER_MINUTE,
			 MINUTE, now);
	if (host->failures_used >= RESPONDER_FAILURES_PER_MINUTE) {
		responder_refuse(out, MAP_RATE, rule, "too many failed wishes for an exact port");
		return;
	}
	host->failures_used++;
	responder_refuse(out, MAP_NOT_EXACT, rule,
			 allowed ? "this very port is taken" : "this very port is not allowed");
	out->lifetime_s = allowed ? conflict_s(r, q, now) : 0;
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

/* The suggestion, else the port this endpoint had before, else any. 0: refused. */
uint16_t responder_choose_port(struct responder *r, const struct map_question *q,
			       struct ledger_host *host, tenf_time now, struct map_outcome *out)
{
	const struct policy_query query = responder_query(q);
	const struct ledger_mapping *ended = ledger_find_ended(
		r->ledger, &q->internal, q->protocol, q->internal_port, q->nonce);
	uint16_t wish = q->external_port;

	if (responder_strikes(r, r->quirks.other_port)) {
		ended = NULL;
		wish = 0;
	}
	if (wish != 0 && !responder_is_not_exact(r, q, wish) &&
	    ((ended != NULL && ended->external_port == wish) ||
	     ledger_port_is_free(r->ledger, q->protocol, wish, &q->internal)) &&
	    policy_allows(&r->policy, &query, wish, &out->rule))
		return wish;
	if (!policy_paint(&r->policy, &query, r->painted)) {
		(void)policy_allows(&r->policy, &query, q->external_port != 0 ? q->external_port
									      : q->internal_port,
				    &out->rule);
		responder_refuse(out, MAP_DENIED, out->rule, "not allowed");
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
uint16_t responder_choose_pinhole(struct responder *r, const struct map_question *q,
			       struct map_outcome *out)
{
	const struct policy_query query = responder_query(q);
	uint16_t port = q->internal_port;
	bool ours = q->protocol == TENF_UDP && (port == PCP_PORT || port == PCP_ANNOUNCE_PORT);

	if (tenf_address_is_link_local(&q->internal) ||
	    tenf_address_is_unique_local(&q->internal)) {
		responder_refuse(out, MAP_DENIED, POLICY_NO_RULE, "nothing outside could reach this address");
		return 0;
	}
	if (!policy_allows(&r->policy, &query, port, &out->rule) || ours) {
		responder_refuse(out, MAP_DENIED, out->rule, "not allowed");
		return 0;
	}
	if (responder_is_not_exact(r, q, port)) {
		responder_refuse(out, MAP_NOT_EXACT, out->rule, "a pinhole has the internal port");
		return 0;
	}
	return port;
}
