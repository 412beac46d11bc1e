/* SPDX-License-Identifier: MIT */
#include "gateway/responder-private.h"
#include "gateway/responder-restore.h"

static bool is_unicast(const struct tenf_address *a)
{
	return !tenf_address_is_none(a) && !tenf_address_is_multicast(a) &&
	       !tenf_address_is_loopback(a);
}

/* The internal and the external side fit each other, and this gateway. */
static bool are_possible(const struct tenf_endpoint *internal,
			 const struct tenf_endpoint *external)
{
	bool v4 = tenf_address_is_v4(&internal->address);

	if (internal->port == 0 || external->port == 0 || !is_unicast(&internal->address) ||
	    !is_unicast(&external->address))
		return false;
	return v4 ? tenf_address_is_v4(&external->address)
		  : tenf_endpoint_equal(internal, external);
}

static bool is_in_time(const struct responder_kept *k, tenf_time now)
{
	if (k->maker == LEDGER_STATIC)
		return k->ends_at == TENF_NEVER;
	return k->ends_at > now && k->lifetime_s > 0 &&
	       k->ends_at <= tenf_time_add(now, tenf_seconds(UINT32_MAX));
}

static bool makes_sense(const struct responder_kept *k, tenf_time now)
{
	return (k->protocol == TENF_TCP || k->protocol == TENF_UDP) &&
	       (k->maker == LEDGER_BY_NATPMP || k->maker == LEDGER_BY_PCP ||
		k->maker == LEDGER_STATIC) &&
	       k->description_len <= LEDGER_DESCRIPTION_MAX &&
	       k->filter_count <= LEDGER_FILTERS_MAX && are_possible(&k->internal, &k->external) &&
	       is_in_time(k, now) && k->made_at <= now &&
	       (!k->has_asker || !tenf_address_is_none(&k->asker));
}

static bool is_free(const struct responder *r, const struct responder_kept *k)
{
	if (ledger_find(r->ledger, &k->internal.address, k->protocol, k->internal.port) != NULL)
		return false;
	return !tenf_address_is_v4(&k->internal.address) ||
	       ledger_port_is_free(r->ledger, k->protocol, k->external.port, &k->internal.address);
}

/* The number of the rule that allows it now. Whether one that looks at a link-layer address
 * does is not known before the host is heard again: it did. */
static void number(struct responder *r, struct ledger_mapping *m, int kept)
{
	const struct policy_rule *rule = policy_rule(&r->policy, kept);
	int now;

	if (m->maker == LEDGER_STATIC)
		m->rule = POLICY_NO_RULE;
	else if (rule != NULL && rule->has_mac && rule->action != POLICY_DENY)
		m->rule = (int16_t)kept;
	else if (responder_judge(r, m, &now) != POLICY_DENY)
		m->rule = (int16_t)now;
	else
		m->rule = POLICY_NO_RULE;
}

/* Before any address is known, the first one kept is the last one known. */
static void learn_address(struct responder *r, const struct tenf_address *external)
{
	const struct tenf_address *pool;

	(void)ledger_pool(r->ledger, &pool);
	if (!tenf_address_is_v4(external) || !tenf_address_is_none(&pool[0]))
		return;
	if (ledger_set_pool(r->ledger, external, 1, NULL, NULL) != TENF_OK)
		return; /* not so: one for one cannot fail */
}

enum tenf_status responder_restore(struct responder *r, const struct responder_kept *kept,
				   tenf_time now)
{
	const struct ledger_wish wish = {
		.internal_address = kept->internal.address, .internal_port = kept->internal.port,
		.external_port = kept->external.port, .protocol = kept->protocol,
		.maker = kept->maker, .lifetime_s = kept->lifetime_s, .rule = POLICY_NO_RULE,
		.nonce = kept->maker == LEDGER_BY_PCP ? kept->nonce : NULL,
	};
	const struct ledger_past past = {
		.made_at = kept->made_at, .ends_at = kept->ends_at, .id = kept->id,
		.renewals = kept->renewals,
		.extras = { .description = kept->description,
			    .description_len = kept->description_len, .filters = kept->filters,
			    .filter_count = kept->filter_count,
			    .asker = kept->has_asker ? &kept->asker : NULL },
	};
	struct tenf_endpoint external;
	struct ledger_mapping *m;
	enum tenf_status status;

	if (r->committing || ledger_batch_is_open(r->ledger))
		return TENF_E_AGAIN;
	if (!makes_sense(kept, now))
		return TENF_E_ARGUMENT;
	if (!is_free(r, kept))
		return TENF_E_LIMIT;
	status = ledger_restore(r->ledger, &wish, &past, &m);
	if (status != TENF_OK)
		return status;
	number(r, m, kept->rule);
	learn_address(r, &kept->external.address);
	external = responder_external_of(r, m);
	r->flush |= !tenf_address_equal(&external.address, &kept->external.address);
	return TENF_OK;
}

void responder_resume(struct responder *r, tenf_time epoch_start)
{
	if (r->flush || epoch_start > r->epoch_start)
		return;
	r->epoch_start = epoch_start;
	r->epoch = false;
	announcer_stop(&r->announcer);
}

void responder_rebuild(struct responder *r, tenf_time now, const char *why)
{
	responder_flush(r, now);
	responder_restart_epoch(r, now, why);
}
