/* SPDX-License-Identifier: MIT */
/*
 * Mapping Updates (RFC 6887 §14.2): a client whose mapping was kept but moved to
 * another external address is told as if it had just asked: three times, unless it
 * asks itself meanwhile. Only its own host is told, where it asked from last; what was
 * mapped for others, by NAT-PMP, or before a restart hears the new epoch.
 */
#include "gateway/responder-private.h"

#include <string.h>

#define ROUNDS 3

/* 250 and 500 ms apart. */
static const tenf_duration gaps[ROUNDS] = { 250 * TENF_MILLISECOND, 500 * TENF_MILLISECOND,
					    TENF_NEVER };

void responder_start_updates(struct responder *r, tenf_time now)
{
	r->updates.wanted = false;
	r->updates.round = 0;
	r->updates.walking = false;
	r->updates.next = now;
}

static const struct responder_link *link_of(const struct responder *r,
					    const struct tenf_address *host)
{
	for (size_t i = 0; i < r->link_count; i++) {
		if (tenf_prefix_contains(&r->links[i].network, host))
			return &r->links[i];
	}
	return NULL;
}

static size_t write_update(struct responder *r, const struct ledger_mapping *m, tenf_time now)
{
	const struct tenf_endpoint external = responder_external_of(r, m);
	struct pcp_answer answer = {
		.opcode = PCP_MAP, .result = PCP_SUCCESS, .lifetime_s = ledger_remaining_s(m, now),
		.epoch_s = responder_epoch_s(r, now),
		.map = { .protocol = m->protocol, .internal_port = m->internal_port,
			 .external_port = external.port, .external_address = external.address },
	};
	struct tenf_writer w = tenf_writer_of(r->updates.octets, sizeof(r->updates.octets));

	memcpy(answer.map.nonce, m->nonce, sizeof(answer.map.nonce));
	pcp_write_answer(&w, &answer);
	for (size_t i = 0; m->cold != NULL && i < m->cold->filter_count; i++)
		pcp_write_filter(&w, &m->cold->filters[i]);
	return w.failed ? 0 : w.used;
}

static bool tell(struct responder *r, struct ledger_mapping *m, tenf_time now,
		 struct responder_datagram *ret)
{
	const struct responder_link *link = link_of(r, &m->internal_address);
	size_t len;

	if (!m->is_moved || m->client_port == 0 || m->maker != LEDGER_BY_PCP || link == NULL)
		return false;
	len = write_update(r, m, now);
	*ret = (struct responder_datagram){
		.from = link->address, .to = { m->internal_address, m->client_port },
		.interface = link->interface, .data = r->updates.octets, .len = len,
	};
	return len > 0;
}

static void begin_round(struct responder_updates *u, tenf_time now)
{
	u->walking = true;
	u->walk = (struct ledger_walk){ 0 };
	u->told = 0;
	u->next = tenf_time_add(gaps[u->round], now);
	u->round++;
}

bool responder_next_update(struct responder *r, tenf_time now, struct responder_datagram *ret)
{
	struct responder_updates *u = &r->updates;
	struct ledger_mapping *m;

	if (!r->config.pcp || r->quirks.ignore_pcp)
		u->next = TENF_NEVER;
	if (u->next <= now)
		begin_round(u, now);
	while (u->walking && u->told < RESPONDER_UPDATES_MAX &&
	       (m = ledger_walk(r->ledger, &u->walk)) != NULL) {
		bool is_told = tell(r, m, now, ret);

		m->is_moved &= u->round < ROUNDS;
		u->told += is_told;
		if (is_told)
			return true;
	}
	u->walking = false;
	return false;
}
