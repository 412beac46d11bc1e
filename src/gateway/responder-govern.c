/* SPDX-License-Identifier: MIT */
#include "gateway/responder-private.h"

#include <string.h>

/* ---- Revoking --------------------------------------------------------- */

static struct ledger_mapping *find(const struct responder *r, uint32_t id)
{
	struct ledger_walk walk = { 0 };
	struct ledger_mapping *m;

	while ((m = ledger_walk(r->ledger, &walk)) != NULL && m->id != id)
		;
	return m;
}

const struct ledger_mapping *responder_find(const struct responder *r, uint32_t id)
{
	return find(r, id);
}

const struct responder_peer *responder_find_peer(const struct responder *r, uint32_t id)
{
	const struct peers_entry *e = peers_by_id(&r->peers, id);

	return e != NULL ? &e->peer : NULL;
}

const struct ledger_mapping *responder_find_internal(const struct responder *r,
						     enum tenf_protocol protocol,
						     const struct tenf_endpoint *internal)
{
	return ledger_find(r->ledger, &internal->address, protocol, internal->port);
}

enum tenf_status responder_describe(struct responder *r, uint32_t id, const char *text, size_t len)
{
	struct ledger_extras extras;
	struct ledger_mapping *m;

	if (r->committing)
		return TENF_E_AGAIN;
	m = find(r, id);
	if (m == NULL)
		return TENF_E_NOT_FOUND;
	if (len > LEDGER_DESCRIPTION_MAX)
		return TENF_E_LIMIT;
	extras = ledger_extras_of(m);
	extras.description = (const uint8_t *)text;
	extras.description_len = len;
	return ledger_set_cold(r->ledger, m, &extras);
}

enum tenf_status responder_revoke(struct responder *r, uint32_t id, tenf_time now)
{
	struct ledger_mapping *m;
	struct peers_entry *e;

	if (r->committing)
		return TENF_E_AGAIN;
	m = find(r, id);
	e = peers_by_id(&r->peers, id);
	if (m != NULL)
		responder_end(r, m, LEDGER_REVOKED, now);
	else if (e != NULL)
		peers_end(&r->peers, e, LEDGER_REVOKED);
	else
		return TENF_E_NOT_FOUND;
	return TENF_OK;
}

static void record_one(struct responder *r, const struct ledger_mapping *m, bool failed)
{
	struct responder_record record = {
		.verdict = RESPONDER_REVOKED, .client = *ledger_asker(m),
		.version = m->maker == LEDGER_BY_NATPMP ? NATPMP_VERSION : PCP_VERSION,
		.internal = { m->internal_address, m->internal_port },
		.protocol = (enum tenf_protocol)m->protocol, .rule = m->rule,
		.count = failed ? 0 : 1,
		.why = m->end == LEDGER_REVOKED ? "revoked by the administrator"
						: "no longer allowed",
	};
	const struct ledger_host *host = ledger_known_host(r->ledger, ledger_asker(m));

	record.has_mac = host != NULL && host->has_mac;
	if (record.has_mac)
		memcpy(record.mac, host->mac, sizeof(record.mac));
	responder_record_mapping(r, m, &record);
	if (failed) {
		record.end = LEDGER_NOT_ENDED;
		record.why = "the backend could not do it, it is still open";
	}
	responder_record(r, &record);
}

/* Before the ledger keeps the batch or takes it back. */
void responder_record_revoked(struct responder *r, bool failed, tenf_time now)
{
	struct ledger_cursor cursor = { 0 };
	enum ledger_change_kind kind;
	struct ledger_mapping *m;

	responder_record_revoked_peers(r, failed, now);
	while (ledger_next_change(r->ledger, &cursor, &kind, &m)) {
		if (kind != LEDGER_REMOVE)
			continue;
		if ((!failed || m->end == LEDGER_EXPIRED) && m->until > now)
			responder_remember_ended(r, m);
		if (m->end == LEDGER_REVOKED) {
			record_one(r, m, failed);
		} else if (m->end == LEDGER_DISALLOWED && !failed) {
			record_one(r, m, false);
		} else if (m->end == LEDGER_DISALLOWED) {
			r->reapply = (struct ledger_walk){ 0 }; /* all of it again, later */
			r->reapply_at = tenf_time_add(now, RESPONDER_RETRY);
		}
	}
}

/* ---- Rules ------------------------------------------------------------ */

enum policy_action responder_judge_as(const struct responder *r, const struct tenf_address *asker,
				      enum tenf_protocol protocol,
				      const struct tenf_endpoint *internal, uint16_t external_port,
				      int *ret_rule)
{
	const struct ledger_host *host = ledger_known_host(r->ledger, asker);
	struct policy_query query = {
		.client = *asker, .protocol = protocol, .internal_port = internal->port,
		.third_party = !tenf_address_equal(asker, &internal->address),
		.mac = host != NULL && host->has_mac ? host->mac : NULL,
	};
	enum policy_action action = policy_decide(&r->policy, &query, external_port, ret_rule);

	if (action != POLICY_DENY || query.mac != NULL)
		return action;
	query.may_be_any_mac = true;
	return policy_decide(&r->policy, &query, external_port, ret_rule);
}

enum policy_action responder_judge(const struct responder *r, const struct ledger_mapping *m,
				   int *ret_rule)
{
	const struct tenf_endpoint internal = { m->internal_address, m->internal_port };

	return responder_judge_as(r, ledger_asker(m), (enum tenf_protocol)m->protocol, &internal,
				  m->external_port, ret_rule);
}

void responder_reapply(struct responder *r, tenf_time now)
{
	unsigned ended = 0;
	struct ledger_mapping *m;
	int rule;

	while (ended < RESPONDER_REAPPLY_STEP) {
		m = ledger_walk(r->ledger, &r->reapply);
		if (m == NULL) {
			r->reapply_at = TENF_NEVER;
			return;
		}
		if (m->maker == LEDGER_STATIC || responder_judge(r, m, &rule) != POLICY_DENY)
			continue;
		m->rule = (int16_t)rule;
		responder_end(r, m, LEDGER_DISALLOWED, now);
		ended++;
	}
	r->reapply_at = now;
}

/* Numbers are those of the new rules from now on. */
static void number_anew(struct responder *r)
{
	struct ledger_walk walk = { 0 };
	struct ledger_mapping *m;
	int rule;

	while ((m = ledger_walk(r->ledger, &walk)) != NULL) {
		if (m->maker == LEDGER_STATIC)
			continue;
		m->rule = POLICY_NO_RULE;
		if (responder_judge(r, m, &rule) != POLICY_DENY)
			m->rule = (int16_t)rule;
	}
}

static bool make_sense(const struct responder_limits *l)
{
	return l->lifetime_max_s > 0 && l->lifetime_min_s <= l->lifetime_max_s;
}

static enum tenf_status set_limits(struct responder *r, const struct responder_limits *l)
{
	const struct ledger_limits limits = { l->mappings_max, l->withhold_udp_s,
					      l->withhold_tcp_s };
	enum tenf_status status = TENF_E_ARGUMENT;

	if (make_sense(l))
		status = ledger_set_limits(r->ledger, &limits);
	if (status != TENF_OK)
		return status;
	r->config.lifetime_min_s = l->lifetime_min_s;
	r->config.lifetime_max_s = l->lifetime_max_s;
	r->config.mappings_max = l->mappings_max;
	r->config.withhold_udp_s = l->withhold_udp_s;
	r->config.withhold_tcp_s = l->withhold_tcp_s;
	return TENF_OK;
}

enum tenf_status responder_set_policy(struct responder *r, const struct policy_rule *rules,
				      size_t count, const struct responder_limits *limits,
				      bool reapply, tenf_time now)
{
	struct policy policy;
	enum tenf_status status;

	if (r->committing)
		return TENF_E_AGAIN;
	status = policy_init(&policy, rules, count, r->memory);
	if (status != TENF_OK)
		return status;
	if (limits != NULL)
		status = set_limits(r, limits);
	if (status != TENF_OK) {
		policy_done(&policy);
		return status;
	}
	policy_done(&r->policy);
	r->policy = policy;
	number_anew(r);
	pending_clear_waiting(&r->pending);
	if (reapply) {
		responder_reapply_peers(r);
		r->reapply = (struct ledger_walk){ 0 };
		r->reapply_at = now;
	}
	return TENF_OK;
}

/* ---- Places ----------------------------------------------------------- */

enum tenf_status responder_set_links(struct responder *r, const struct responder_link *links,
				     size_t count)
{
	if (count > RESPONDER_LINKS_MAX)
		return TENF_E_LIMIT;
	if (count > 0)
		memcpy(r->links, links, count * sizeof(r->links[0]));
	r->link_count = count;
	r->announce_at = 2 * count; /* an announcement under way goes on with its next one */
	return TENF_OK;
}

enum tenf_status responder_set_reserved(struct responder *r,
					const struct responder_reserved *reserved, size_t count)
{
	if (count > RESPONDER_RESERVED_MAX)
		return TENF_E_LIMIT;
	ledger_unreserve(r->ledger);
	for (size_t i = 0; i < count; i++)
		ledger_reserve(r->ledger, reserved[i].protocol, reserved[i].port);
	return TENF_OK;
}
