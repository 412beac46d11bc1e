/* SPDX-License-Identifier: MIT */
#include "gateway/responder-memo.h"

#include "gateway/responder-private.h"

#include <string.h>

static void keep(const struct responder *r, const struct responder_memo *memo)
{
	if (r->memory_of.keep != NULL)
		r->memory_of.keep(r->memory_of.context, memo);
}

/* ---- To be kept --------------------------------------------------------- */

static void on_wish(void *context, const struct pending_wish *w, bool gone)
{
	struct responder_memo memo = {
		.kind = MEMO_WISH, .id = w->id, .until = gone ? 0 : w->until,
		.protocol = w->protocol, .internal = w->internal, .client = w->client,
		.external = { tenf_address_zero_of(&w->internal.address), w->external_port },
		.state = w->state, .has_mac = w->has_mac, .first_seen = w->first_seen,
		.tries = w->tries,
	};

	memcpy(memo.mac, w->mac, sizeof(memo.mac));
	keep(context, &memo);
	responder_remember_ids(context, false);
}

void responder_set_memory(struct responder *r, const struct responder_memory *memory)
{
	r->memory_of = *memory;
	pending_watch(&r->pending, on_wish, r);
}

void responder_remember_ended(struct responder *r, const struct ledger_mapping *m)
{
	struct responder_memo memo = {
		.kind = MEMO_ENDED, .id = m->id, .until = m->until,
		.protocol = (enum tenf_protocol)m->protocol,
		.internal = { m->internal_address, m->internal_port },
		.external = responder_external_of(r, m), .maker = (enum ledger_maker)m->maker,
		.end = (enum ledger_end)m->end,
	};

	memcpy(memo.nonce, m->nonce, sizeof(memo.nonce));
	keep(r, &memo);
}

void responder_remember_peer(struct responder *r, const struct responder_peer *peer,
			     tenf_time until)
{
	const struct responder_memo memo = {
		.kind = MEMO_PEER, .id = peer->id, .until = until, .protocol = peer->protocol,
		.internal = peer->internal, .external = peer->external, .remote = peer->remote,
		.end = LEDGER_REVOKED,
	};

	keep(r, &memo);
}

static bool is_near(uint32_t used, uint32_t kept)
{
	return used >= kept || kept - used <= RESPONDER_IDS_AHEAD / 2;
}

void responder_remember_ids(struct responder *r, bool exactly)
{
	const uint32_t next = ledger_last_id(r->ledger) + 1;
	const uint32_t next_wish = r->pending.last_id + 1;
	const uint32_t ahead = exactly ? 0 : RESPONDER_IDS_AHEAD;

	if (!exactly && !is_near(next, r->kept_id) && !is_near(next_wish, r->kept_wish))
		return;
	r->kept_id = next + ahead;
	r->kept_wish = next_wish + ahead;
	keep(r, &(struct responder_memo){ .kind = MEMO_IDS, .until = TENF_NEVER,
					  .next_id = r->kept_id, .next_wish = r->kept_wish });
}

/* ---- Taken in ------------------------------------------------------------- */

/* The clock of the wall may have been set meanwhile: nothing is kept for longer than it
 * could have been. */
static tenf_time until_of(const struct responder *r, const struct responder_memo *memo,
			  tenf_time now)
{
	uint32_t longest_s = memo->protocol == TENF_TCP ? r->config.withhold_tcp_s
							: r->config.withhold_udp_s;
	tenf_duration longest = tenf_seconds(longest_s);

	if (memo->kind == MEMO_WISH)
		longest = PENDING_APPROVED;
	else if (memo->end == LEDGER_REVOKED)
		longest = tenf_seconds(LEDGER_REVOKED_S);
	return tenf_time_min(memo->until, tenf_time_add(now, longest));
}

static bool is_host(const struct tenf_address *a)
{
	return !tenf_address_is_none(a) && !tenf_address_is_multicast(a);
}

static bool makes_sense(const struct responder_memo *m, tenf_time now)
{
	return (m->protocol == TENF_TCP || m->protocol == TENF_UDP) && m->until > now &&
	       m->internal.port != 0 && is_host(&m->internal.address) && m->id != 0 &&
	       m->id <= RESPONDER_ID_MAX;
}

/* Its port, which is withheld again; 0: nothing is. What was revoked stays so though its port
 * is another's by now: any that is free stands for it. */
static uint16_t port_for(struct responder *r, const struct responder_memo *memo)
{
	const struct tenf_address *host = &memo->internal.address;

	if (!tenf_address_is_v4(host) ||
	    ledger_port_is_free(r->ledger, memo->protocol, memo->external.port, host))
		return memo->external.port;
	if (memo->end != LEDGER_REVOKED ||
	    ledger_find(r->ledger, host, memo->protocol, memo->internal.port) != NULL ||
	    ledger_find_revoked(r->ledger, host, memo->protocol, memo->internal.port) != NULL)
		return 0;
	memset(r->painted, 0xff, sizeof(r->painted));
	r->painted[0] &= ~UINT64_C(1);
	return ledger_find_port(r->ledger, memo->protocol, host, r->painted, &r->random);
}

static enum tenf_status recall_ended(struct responder *r, const struct responder_memo *memo,
				     tenf_time until)
{
	const struct ledger_wish wish = {
		.internal_address = memo->internal.address, .internal_port = memo->internal.port,
		.external_port = port_for(r, memo), .protocol = memo->protocol,
		.maker = memo->maker, .nonce = memo->maker == LEDGER_BY_PCP ? memo->nonce : NULL,
		.rule = POLICY_NO_RULE,
	};
	const bool v4 = tenf_address_is_v4(&memo->internal.address);
	const struct tenf_address here = responder_address_for(r, &memo->internal.address);

	if (memo->maker < LEDGER_BY_NATPMP || memo->maker > LEDGER_STATIC ||
	    memo->end <= LEDGER_NOT_ENDED || memo->end > LEDGER_CROWDED_OUT ||
	    memo->external.port == 0 ||
	    (!v4 && !tenf_endpoint_equal(&memo->internal, &memo->external)))
		return TENF_E_ARGUMENT;
	/* At another address it is withheld from nobody; what was revoked stays so. */
	if (v4 && memo->end != LEDGER_REVOKED &&
	    !tenf_address_equal(&here, &memo->external.address))
		return TENF_E_LIMIT;
	if (wish.external_port == 0)
		return TENF_E_LIMIT;
	return ledger_restore_ended(r->ledger, &wish, memo->id, memo->end, until);
}

static enum tenf_status recall_peer(struct responder *r, const struct responder_memo *memo,
				    tenf_time until)
{
	const struct responder_peer peer = {
		.protocol = memo->protocol, .internal = memo->internal, .remote = memo->remote,
		.external = memo->external, .id = memo->id, .end = LEDGER_REVOKED,
	};

	if (memo->remote.port == 0 || memo->end != LEDGER_REVOKED)
		return TENF_E_ARGUMENT;
	ledger_use_id(r->ledger, memo->id);
	peers_revoke(&r->peers, &peer, until);
	return TENF_OK;
}

/* The rules of now may have nothing to ask any more. */
static enum tenf_status recall_wish(struct responder *r, const struct responder_memo *memo,
				    tenf_time until, tenf_time now)
{
	struct pending_wish wish = {
		.id = memo->id, .state = memo->state, .client = memo->client,
		.internal = memo->internal, .protocol = memo->protocol,
		.external_port = memo->external.port, .has_mac = memo->has_mac,
		.first_seen = memo->first_seen <= now ? memo->first_seen : now, .until = until,
		.tries = memo->tries,
	};
	const struct policy_query query = {
		.client = memo->client, .protocol = memo->protocol,
		.internal_port = memo->internal.port, .mac = memo->has_mac ? memo->mac : NULL,
		.third_party = !tenf_address_equal(&memo->client, &memo->internal.address),
	};

	if (memo->state < PENDING_WAITING || memo->state > PENDING_IS_DENIED ||
	    !is_host(&memo->client))
		return TENF_E_ARGUMENT;
	memcpy(wish.mac, memo->mac, sizeof(wish.mac));
	wish.rule = policy_asking_rule(&r->policy, &query);
	if (wish.rule == POLICY_NO_RULE && wish.state == PENDING_WAITING)
		return TENF_E_LIMIT;
	return pending_restore(&r->pending, &wish);
}

static enum tenf_status recall_ids(struct responder *r, const struct responder_memo *memo)
{
	if (memo->next_id == 0 || memo->next_id > RESPONDER_ID_MAX || memo->next_wish == 0 ||
	    memo->next_wish > RESPONDER_ID_MAX)
		return TENF_E_ARGUMENT;
	ledger_use_id(r->ledger, memo->next_id - 1);
	if (memo->next_wish > r->pending.last_id)
		r->pending.last_id = memo->next_wish - 1;
	return TENF_OK;
}

enum tenf_status responder_recall(struct responder *r, const struct responder_memo *memo,
				  tenf_time now)
{
	const tenf_time until = until_of(r, memo, now);

	if (r->committing || ledger_batch_is_open(r->ledger) || peers_batch_is_open(&r->peers))
		return TENF_E_AGAIN;
	if (memo->kind == MEMO_IDS)
		return recall_ids(r, memo);
	if (!makes_sense(memo, now))
		return TENF_E_ARGUMENT;
	switch (memo->kind) {
	case MEMO_ENDED:
		return recall_ended(r, memo, until);
	case MEMO_PEER:
		return recall_peer(r, memo, until);
	case MEMO_WISH:
		return recall_wish(r, memo, until, now);
	case MEMO_IDS:
		break;
	}
	return TENF_E_ARGUMENT;
}
