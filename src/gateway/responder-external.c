/* SPDX-License-Identifier: MIT */
/* The gateway's own addresses: which there are, who is at which, and what a change costs. */
#include "gateway/responder-private.h"

struct tenf_endpoint responder_external_of(const struct responder *r,
					   const struct ledger_mapping *m)
{
	const struct tenf_address *address = &m->internal_address;

	if (tenf_address_is_v4(address))
		address = ledger_pool_address(r->ledger, address);
	return (struct tenf_endpoint){ *address, m->external_port };
}

struct tenf_address responder_address_for(const struct responder *r,
					  const struct tenf_address *host)
{
	return r->has_external ? *ledger_pool_address(r->ledger, host) : tenf_address_none4;
}

struct tenf_address responder_only_address(const struct responder *r)
{
	const struct tenf_address *pool;
	size_t count = ledger_pool(r->ledger, &pool);

	return r->has_external && count == 1 ? pool[0] : tenf_address_none4;
}

static bool is_in(const struct tenf_address *list, size_t count, const struct tenf_address *a)
{
	for (size_t i = 0; i < count; i++) {
		if (tenf_address_equal(&list[i], a))
			return true;
	}
	return false;
}

static enum tenf_status check(const struct tenf_address *list, size_t count)
{
	if (count > RESPONDER_EXTERNALS_MAX)
		return TENF_E_LIMIT;
	for (size_t i = 0; i < count; i++) {
		if (!tenf_address_is_v4(&list[i]) || tenf_address_is_none(&list[i]) ||
		    is_in(list, i, &list[i]))
			return TENF_E_ARGUMENT;
	}
	return TENF_OK;
}

/* In whatever order. */
static bool is_same(const struct responder *r, const struct tenf_address *list, size_t count)
{
	const struct tenf_address *pool;

	if (ledger_pool(r->ledger, &pool) != count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!is_in(pool, count, &list[i]))
			return false;
	}
	return true;
}

enum tenf_status responder_first_externals(struct responder *r, const struct responder_config *c)
{
	const struct tenf_address *list = c->externals;
	size_t count = c->external_count;
	enum tenf_status status;

	if (count == 0 && !tenf_address_is_none(&c->external_address)) {
		list = &c->external_address;
		count = 1;
	}
	if (count == 0)
		return TENF_OK;
	status = check(list, count);
	if (status == TENF_OK)
		status = ledger_set_pool(r->ledger, list, count, NULL, NULL);
	r->has_external = status == TENF_OK;
	return status;
}

static void record_crowded_out(void *context, const struct ledger_mapping *m)
{
	struct responder *r = context;
	struct responder_record record = {
		.verdict = RESPONDER_REVOKED, .client = m->internal_address, .count = 1,
		.version = m->maker == LEDGER_BY_NATPMP ? NATPMP_VERSION : PCP_VERSION,
		.internal = { m->internal_address, m->internal_port }, .rule = m->rule,
		.protocol = (enum tenf_protocol)m->protocol,
		.why = "its port is another host's at the external address it moves to",
	};

	responder_record_mapping(r, m, &record);
	record.end = LEDGER_CROWDED_OUT;
	responder_record(r, &record);
}

enum tenf_status responder_set_externals(struct responder *r, const struct tenf_address *list,
					 size_t count, tenf_time now)
{
	const struct tenf_address *pool;
	size_t old_count = ledger_pool(r->ledger, &pool);
	bool was_known = !tenf_address_is_none(&pool[0]);
	enum tenf_status status = check(list, count);

	if (status != TENF_OK)
		return status;
	if (count == 0) {
		r->has_external = false;
		return TENF_OK;
	}
	if (is_same(r, list, count)) {
		/* The same again takes nothing from anybody. */
		if (!r->has_external)
			announcer_start(&r->announcer, now);
		r->has_external = true;
		return TENF_OK;
	}
	if (r->committing && (count > 1 || old_count > 1))
		return TENF_E_AGAIN;
	status = ledger_set_pool(r->ledger, list, count, record_crowded_out, r);
	if (status != TENF_OK)
		return status;
	r->has_external = true;
	if (!was_known) {
		announcer_start(&r->announcer, now);
		return TENF_OK;
	}
	/* Also for what is being removed: its place is known by the old address. */
	if (ledger_count(r->ledger) > 0 || ledger_batch_is_open(r->ledger) || old_count > 1 ||
	    r->peers.count > 0)
		responder_flush(r, now);
	responder_forget_moved_peers(r);
	r->updates.wanted = true;
	responder_restart_epoch(r, now, "another external address");
	return TENF_OK;
}

void responder_set_external(struct responder *r, const struct tenf_address *address, tenf_time now)
{
	size_t count = tenf_address_is_none(address) ? 0 : 1;

	if (responder_set_externals(r, address, count, now) != TENF_OK)
		return; /* only where there were several: one for one cannot fail */
}
