/* SPDX-License-Identifier: MIT */
/* The client's packets: what is due, written as RFC 6886 and RFC 6887 draw it. */
#include "core/client.h"

#include "core/client-private.h"
#include "core/schedule.h"
#include "wire/natpmp.h"
#include "wire/pcp-option.h"

#include <string.h>

/* A discovery that gets no PCP answer at once asks a second time soon: it ends
 * long before the 3 s of RFC 6887 §8.1.1, and it changes nothing at the gateway. */
#define DISCOVER_SECOND (500 * TENF_MILLISECOND)

/* Gateways that do not understand the padding of options see none to pad
 * (PCP-C-47); the text is cut to whole characters before it gets here. */
static void write_padded_description(struct tenf_writer *w, const char *text)
{
	uint8_t padded[PCP_DESCRIPTION_MAX];
	size_t len = strlen(text);

	if (len > sizeof(padded) || !pcp_is_utf8((const uint8_t *)text, len))
		return;
	memset(padded, ' ', sizeof(padded));
	memcpy(padded, text, len);
	pcp_write_description(w, padded, (len + 3) / 4 * 4);
}

static void write_pcp(const struct client *client, const struct inquiry *inquiry,
		      struct tenf_writer *w)
{
	const struct core_question *q = &inquiry->question;
	struct pcp_request request = {
		.version = PCP_VERSION,
		.opcode = q->op == CORE_DISCOVER ? PCP_ANNOUNCE : PCP_MAP,
		.client = client->source,
	};

	if (q->op != CORE_DISCOVER) {
		request.lifetime_s = q->op == CORE_UNMAP ? 0 : q->lifetime_s;
		memcpy(request.map.nonce, q->nonce, sizeof(request.map.nonce));
		request.map.protocol = (uint8_t)q->protocol;
		request.map.internal_port = q->internal_port;
		request.map.external_address = tenf_address_zero_of(&client->source);
	}
	if (q->op == CORE_MAP) {
		request.map.external_port = q->external_port;
		if (!tenf_address_is_none(&q->external_address))
			request.map.external_address = q->external_address;
	}
	pcp_write_request(w, &request);
	if (q->op == CORE_DISCOVER)
		return;
	if (q->for_other)
		pcp_write_third_party(w, &q->other);
	if (q->op != CORE_MAP)
		return;
	if (q->prefer_failure)
		pcp_write_prefer_failure(w);
	if (q->clear_filters) /* erratum 3891: all zero but for the family */
		pcp_write_filter(w, &(struct pcp_filter){
					    .address = tenf_address_zero_of(&client->source) });
	for (unsigned i = 0; i < q->filter_count; i++)
		pcp_write_filter(w, &q->filters[i]);
	if (q->description != NULL && !inquiry->pcp.without_options)
		write_padded_description(w, q->description);
}

static void sent_pcp(struct client *client, struct inquiry *inquiry, tenf_time now)
{
	bool first_discovery = inquiry->question.op == CORE_DISCOVER && inquiry->pcp.sent == 0;

	inquiry->pcp.due = false;
	inquiry->pcp.sent++;
	inquiry->pcp.sent_at = now;
	if (first_discovery) {
		inquiry->pcp.next = now + DISCOVER_SECOND;
		return;
	}
	inquiry->pcp.wait = schedule_pcp_wait(inquiry->pcp.wait, &client->random);
	inquiry->pcp.next = now + inquiry->pcp.wait;
}

static void write_natpmp(const struct natpmp_slot *slot, struct tenf_writer *w)
{
	struct natpmp_request request = { .version = NATPMP_VERSION, .opcode = NATPMP_ADDRESS };

	if (slot->what == SLOT_MAP) {
		const struct core_question *q = &slot->owner->question;
		bool create = q->op == CORE_MAP;

		request.opcode = natpmp_opcode_of(q->protocol);
		request.internal_port = q->internal_port;
		request.external_port = create ? q->external_port : 0;
		request.lifetime_s = create ? q->lifetime_s : 0;
	}
	natpmp_write_request(w, &request);
}

static struct inquiry *due_for_pcp(const struct client *client)
{
	for (struct inquiry *at = client->active.first; at != NULL; at = at->next) {
		if (at->pcp.on && at->pcp.due)
			return at;
	}
	return NULL;
}

static bool slot_is_due(const struct client *client)
{
	return client->slot.what != SLOT_FREE && client->slot.due;
}

bool client_has_due(const struct client *client)
{
	return slot_is_due(client) || due_for_pcp(client) != NULL;
}

bool client_next_send(struct client *client, tenf_time now, struct tenf_writer *w)
{
	struct inquiry *inquiry = due_for_pcp(client);

	if (inquiry != NULL) {
		write_pcp(client, inquiry, w);
		sent_pcp(client, inquiry, now);
		client->counters.sent++;
		return true;
	}
	if (!slot_is_due(client))
		return false;
	write_natpmp(&client->slot, w);
	client->slot.due = false;
	client->slot.sent++;
	client->slot.sent_at = now;
	client->natpmp_sent_at = now;
	client->slot.next = now + schedule_natpmp_wait(client->slot.sent);
	client->counters.sent++;
	return true;
}
