/* SPDX-License-Identifier: MIT */
/* Giving mappings back, and what the records say. */
#include "gateway/responder-private.h"

#include <string.h>

void responder_end(struct responder *r, struct ledger_mapping *m, enum ledger_end why,
		   tenf_time now)
{
	const struct tenf_endpoint internal = { m->internal_address, m->internal_port };

	pending_forget(&r->pending, &internal, (enum tenf_protocol)m->protocol);
	ledger_end(r->ledger, m, why, now);
}

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
			responder_refuse(out, MAP_DENIED, m->rule, "static mappings stay");
		} else {
			responder_end(r, m, LEDGER_DELETED, now);
			out->removed++;
		}
	}
}

static void unmap_one(struct responder *r, const struct map_question *q, struct ledger_mapping *m,
		      tenf_time now, struct map_outcome *out)
{
	out->rule = m->rule;
	if (m->maker == LEDGER_STATIC) {
		responder_refuse(out, MAP_DENIED, m->rule, "a static mapping");
	} else if (m->maker == LEDGER_BY_PCP && q->nonce == NULL) {
		responder_refuse(out, MAP_DENIED, m->rule,
				 "made by PCP, not to be removed by NAT-PMP");
	} else if (m->maker == LEDGER_BY_PCP && !ledger_nonce_equal(q->nonce, m->nonce)) {
		responder_refuse(out, MAP_NONCE, m->rule, "mapped with another nonce");
		out->lifetime_s = ledger_remaining_s(m, now);
	} else {
		responder_end(r, m, LEDGER_DELETED, now);
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

	record.id = out->pending_id;
	if (q->mac != NULL)
		memcpy(record.mac, q->mac, sizeof(record.mac));
	if (out->result == MAP_DONE && out->mapping != NULL)
		responder_record_mapping(r, out->mapping, &record);
	if (out->result == MAP_DONE && out->verdict != RESPONDER_REMOVED)
		record.lifetime_s = out->lifetime_s;
	return record;
}
