/* SPDX-License-Identifier: MIT */
/*
 * Answers wait here from the decision to the commit, with the failure that
 * takes their place when the commit does not come true. Their octets lie in
 * one arena, which starts again from the front when everything has left.
 */
#include "gateway/responder-private.h"

#include <string.h>

bool responder_has_room(const struct responder *r)
{
	return r->filling->count < RESPONDER_BATCH_MAX &&
	       r->filling->octets_used + 2 * PCP_MAX <= RESPONDER_BATCH_OCTETS;
}

static void empty(struct responder_answers *answers)
{
	answers->count = 0;
	answers->released = 0;
	answers->sent = 0;
	answers->octets_used = 0;
}

void responder_drop_answers(struct responder *r)
{
	r->filling = &r->answers[0];
	r->leaving = &r->answers[1];
	empty(r->filling);
	empty(r->leaving);
}

void responder_recycle(struct responder *r)
{
	struct responder_answers *gone = r->leaving;

	if (gone->sent < gone->count || r->filling->released < r->filling->count)
		return;
	r->leaving = r->filling;
	r->filling = gone;
	empty(gone);
}

struct tenf_writer responder_writer(struct responder *r)
{
	return tenf_writer_of(r->filling->octets + r->filling->octets_used, PCP_MAX);
}

const uint8_t *responder_keep(struct responder *r, const struct tenf_writer *w)
{
	if (w->failed)
		return NULL;
	r->filling->octets_used += w->used;
	return w->start;
}

struct responder_answer *responder_answer(struct responder *r, const struct responder_datagram *in,
					  const struct tenf_writer *w,
					  const struct responder_record *record)
{
	const uint8_t *data = responder_keep(r, w);
	struct responder_answer *a;

	if (data == NULL)
		return NULL;
	a = &r->filling->at[r->filling->count++];
	*a = (struct responder_answer){
		.datagram = { .from = in->to, .to = in->from, .interface = in->interface,
			      .data = data, .len = w->used },
		.record = *record,
	};
	return a;
}

void responder_record(struct responder *r, const struct responder_record *record)
{
	if (r->record_count == RESPONDER_RECORDS_MAX) {
		r->counts.records_lost++;
		return;
	}
	r->records[(r->record_first + r->record_count) % RESPONDER_RECORDS_MAX] = *record;
	r->record_count++;
}

bool responder_next_record(struct responder *r, struct responder_record *ret)
{
	if (r->record_count == 0)
		return false;
	*ret = r->records[r->record_first];
	r->record_first = (r->record_first + 1) % RESPONDER_RECORDS_MAX;
	r->record_count--;
	return true;
}

static void fail(struct responder *r, struct responder_answer *a)
{
	a->datagram.data = a->failure;
	a->datagram.len = a->failure_len;
	a->record.verdict = RESPONDER_REFUSED;
	a->record.result = a->failure_result;
	a->record.lifetime_s = 0;
	a->record.external.port = 0;
	a->record.count = 0;
	a->record.id = 0;
	a->record.renewals = 0;
	a->record.made_at = 0;
	a->record.end = LEDGER_NOT_ENDED;
	a->record.why = "the backend could not do it";
	r->counts.rolled_back++;
}

void responder_release(struct responder *r, bool failed)
{
	struct responder_answers *answers = r->filling;

	for (; answers->released < answers->count; answers->released++) {
		struct responder_answer *a = &answers->at[answers->released];

		if (failed && a->failure != NULL)
			fail(r, a);
		r->counts.answered++;
		if (a->record.verdict == RESPONDER_REFUSED ||
		    a->record.verdict == RESPONDER_PENDING)
			r->counts.refused++;
		responder_record(r, &a->record);
	}
}

/* ---- Announcements ---------------------------------------------------- */

static void write_natpmp(struct responder *r, struct tenf_writer *w, tenf_time now)
{
	const struct natpmp_answer answer = {
		.opcode = NATPMP_ANSWER + NATPMP_ADDRESS, .result = NATPMP_SUCCESS,
		.epoch_s = responder_epoch_s(r, now), .external_address = responder_only_address(r),
	};

	natpmp_write_answer(w, &answer);
}

static void write_pcp(struct responder *r, struct tenf_writer *w, tenf_time now)
{
	const struct pcp_answer answer = {
		.opcode = PCP_ANNOUNCE, .result = PCP_SUCCESS,
		.epoch_s = responder_epoch_s(r, now),
	};

	pcp_write_answer(w, &answer);
}

/* 224.0.0.1 and ff02::1, RFC 6886 §3.2.1 and RFC 6887 §14.1.3. */
static struct tenf_endpoint group_of(const struct responder_link *link)
{
	static const struct tenf_address all_nodes = { { 0xff, 0x02, [15] = 1 } };
	bool v4 = tenf_address_is_v4(&link->address.address);

	return (struct tenf_endpoint){ v4 ? tenf_address_v4(0xe0000001) : all_nodes,
				       PCP_ANNOUNCE_PORT };
}

/* NAT-PMP tells the external address: without one it has nothing to say, and with
 * several nothing that is true for every host. */
static bool is_announced(const struct responder *r, const struct responder_link *link, bool pcp)
{
	struct tenf_address only = responder_only_address(r);

	if (pcp)
		return r->config.pcp && !r->quirks.ignore_pcp;
	return r->config.natpmp && !r->quirks.ignore_natpmp &&
	       tenf_address_is_v4(&link->address.address) && !tenf_address_is_none(&only);
}

/* Each link gets one of each protocol; even places are NAT-PMP, odd ones PCP. */
static bool next_announcement(struct responder *r, tenf_time now, struct responder_datagram *ret)
{
	while (r->announce_at < 2 * r->link_count) {
		const struct responder_link *link = &r->links[r->announce_at / 2];
		bool pcp = r->announce_at % 2 == 1;
		struct tenf_writer w = tenf_writer_of(r->announcement, sizeof(r->announcement));

		r->announce_at++;
		if (!is_announced(r, link, pcp))
			continue;
		if (pcp)
			write_pcp(r, &w, now);
		else
			write_natpmp(r, &w, now);
		*ret = (struct responder_datagram){
			.from = link->address, .to = group_of(link),
			.interface = link->interface, .data = r->announcement, .len = w.used,
		};
		return true;
	}
	return false;
}

static bool next_answer(struct responder_answers *answers, struct responder_datagram *ret)
{
	if (answers->sent == answers->released)
		return false;
	*ret = answers->at[answers->sent++].datagram;
	return true;
}

bool responder_next_send(struct responder *r, tenf_time now, struct responder_datagram *ret)
{
	if (next_answer(r->leaving, ret) || next_answer(r->filling, ret))
		return true;
	/* The others speak of what is being committed. */
	if (r->committing)
		return false;
	if (responder_next_update(r, now, ret))
		return true;
	if (announcer_take(&r->announcer, now))
		r->announce_at = 0;
	return next_announcement(r, now, ret);
}
