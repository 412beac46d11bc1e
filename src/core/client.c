/* SPDX-License-Identifier: MIT */
#include "core/client.h"

#include "core/client-private.h"
#include "core/schedule.h"

/* How long an external address told by NAT-PMP is good enough for a mapping
 * made by NAT-PMP, whose own answer does not carry it. */
#define ADDRESS_FRESH (60 * TENF_SECOND)

/* How long PCP may take longer than NAT-PMP before NAT-PMP is used. */
#define GRACE_MIN (100 * TENF_MILLISECOND)
#define GRACE_MAX (500 * TENF_MILLISECOND)

/* PCP retransmissions after which NAT-PMP is asked too (about 9 s). */
#define PCP_PATIENCE 3

void client_list_append(struct inquiry_list *list, struct inquiry *inquiry)
{
	inquiry->next = NULL;
	inquiry->previous = list->last;
	if (list->last != NULL)
		list->last->next = inquiry;
	else
		list->first = inquiry;
	list->last = inquiry;
}

void client_list_remove(struct inquiry_list *list, struct inquiry *inquiry)
{
	if (inquiry->previous != NULL)
		inquiry->previous->next = inquiry->next;
	else
		list->first = inquiry->next;
	if (inquiry->next != NULL)
		inquiry->next->previous = inquiry->previous;
	else
		list->last = inquiry->previous;
	inquiry->next = inquiry->previous = NULL;
}

void client_init(struct client *client, const struct tenf_endpoint *gateway,
		 const struct tenf_address *source, unsigned methods, bool forced,
		 const struct tenf_random *random)
{
	bool natpmp_is_meant = tenf_address_is_v4(&gateway->address) &&
			       (forced || tenf_address_is_rfc1918(source));

	*client = (struct client){
		.random = *random,
		.gateway = *gateway,
		.source = *source,
		.methods = methods & (TENF_METHOD_PCP | TENF_METHOD_NATPMP),
		.external = tenf_address_zero_of(source),
		.external_at = TENF_NEVER,
		.natpmp_sent_at = TENF_NEVER,
		.rtt = -1,
	};
	if (!natpmp_is_meant)
		client->methods &= ~(unsigned)TENF_METHOD_NATPMP;
}

/* ---- Verdicts ------------------------------------------------------------ */

static void drop_fresh(struct client *client, struct inquiry *inquiry)
{
	if (inquiry->fresh)
		client->fresh--;
	inquiry->fresh = false;
}

void client_slot_release(struct client *client)
{
	client->slot = (struct natpmp_slot){ .what = SLOT_FREE };
}

static void unlink_inquiry(struct client *client, struct inquiry *inquiry)
{
	switch (inquiry->place) {
	case INQUIRY_NOWHERE:
		break;
	case INQUIRY_WAITING:
		client_list_remove(&client->waiting, inquiry);
		break;
	case INQUIRY_ACTIVE:
		client_list_remove(&client->active, inquiry);
		break;
	case INQUIRY_DONE:
		client_list_remove(&client->done, inquiry);
		break;
	}
	inquiry->place = INQUIRY_NOWHERE;
	drop_fresh(client, inquiry);
	if (client->slot.what == SLOT_MAP && client->slot.owner == inquiry)
		client_slot_release(client);
}

static void conclude(struct client *client, struct inquiry *inquiry, enum tenf_reason reason)
{
	bool nothing_more = reason == TENF_REASON_SILENT || reason == TENF_REASON_NO_SERVICE;

	/* A discovery that heard one protocol succeeded, whatever the other did. */
	if (nothing_more && inquiry->answer.spoken != 0)
		reason = TENF_REASON_NONE;
	inquiry->answer.reason = reason;
	unlink_inquiry(client, inquiry);
	inquiry->place = INQUIRY_DONE;
	client_list_append(&client->done, inquiry);
}

void client_finish(struct client *client, struct inquiry *inquiry, enum tenf_reason reason,
		   tenf_time now)
{
	conclude(client, inquiry, reason);
	client_pump(client, now);
}

void client_settle(struct inquiry *inquiry, enum tenf_reason reason, tenf_time at)
{
	inquiry->answer.reason = reason;
	if (inquiry->settle_at > at)
		inquiry->settle_at = at;
}

/* What an inquiry ends with when it may not wait any longer. */
static enum tenf_reason last_word(const struct inquiry *inquiry)
{
	return inquiry->settle_at != TENF_NEVER ? inquiry->answer.reason : TENF_REASON_SILENT;
}

/* ---- NAT-PMP beside PCP --------------------------------------------------- */

static bool address_is_fresh(const struct client *client, tenf_time now)
{
	return client->external_at != TENF_NEVER && client->external_by == TENF_METHOD_NATPMP &&
	       now - client->external_at <= ADDRESS_FRESH;
}

static tenf_duration grace(const struct client *client)
{
	if (client->rtt < 0)
		return GRACE_MIN;
	return tenf_time_min(tenf_time_max(4 * client->rtt, GRACE_MIN), GRACE_MAX);
}

/* The gateway speaks NAT-PMP; PCP gets the grace, unless it is known not to use it. */
static void natpmp_ready(struct client *client, struct inquiry *inquiry, tenf_time now)
{
	bool pcp_may_answer = inquiry->pcp.on && client->pcp != CLIENT_SILENT;

	inquiry->natpmp = NATPMP_READY;
	inquiry->natpmp_from = pcp_may_answer ? now + grace(client) : now;
}

static void slot_take(struct client *client, struct inquiry *owner)
{
	client->slot = (struct natpmp_slot){
		.what = owner != NULL ? SLOT_MAP : SLOT_ADDRESS,
		.owner = owner,
		.due = true,
		.next = TENF_NEVER,
	};
	if (owner != NULL)
		owner->natpmp = NATPMP_ASKED;
}

static void natpmp_start(struct client *client, struct inquiry *inquiry, tenf_time now)
{
	bool probe = inquiry->pcp.on && client->pcp != CLIENT_SILENT;

	if (inquiry->question.op == CORE_DISCOVER)
		probe = true;
	else if (inquiry->question.op == CORE_MAP)
		probe = !address_is_fresh(client, now);
	if (!probe) {
		natpmp_ready(client, inquiry, now);
		return;
	}
	inquiry->natpmp = NATPMP_PROBING;
	/* It must not wait for the end of a pause that an earlier question is in:
	 * its own verdict may be due before. */
	if (client->slot.what == SLOT_ADDRESS && client->slot.sent > 1)
		slot_take(client, NULL);
}

static bool natpmp_is_allowed(const struct client *client, const struct inquiry *inquiry)
{
	return (inquiry->question.methods & client->methods & TENF_METHOD_NATPMP) != 0 &&
	       !inquiry->question.for_other && inquiry->question.filter_count == 0;
}

static bool natpmp_starts_at_once(const struct client *client, const struct inquiry *inquiry,
				  tenf_time now)
{
	bool lacks = client->natpmp == CLIENT_LACKS && now < client->natpmp_lacks_until;

	if (!inquiry->pcp.on || inquiry->question.op == CORE_DISCOVER)
		return true;
	if (client->pcp != CLIENT_SPEAKS)
		return true;
	return inquiry->question.race && !lacks;
}

void client_end_pcp(struct client *client, struct inquiry *inquiry, enum tenf_reason reason,
		    tenf_time now)
{
	inquiry->pcp.on = false;
	inquiry->pcp.due = false;
	switch (inquiry->natpmp) {
	case NATPMP_IDLE:
		natpmp_start(client, inquiry, now);
		break;
	case NATPMP_PROBING:
	case NATPMP_ASKED:
		break;
	case NATPMP_READY:
		inquiry->natpmp_from = now;
		break;
	case NATPMP_ENDED:
		client_finish(client, inquiry, reason, now);
		return;
	}
	client_pump(client, now);
}

void client_end_natpmp(struct client *client, struct inquiry *inquiry, enum tenf_reason reason,
		       tenf_time now)
{
	if (client->slot.what == SLOT_MAP && client->slot.owner == inquiry)
		client_slot_release(client);
	inquiry->natpmp = NATPMP_ENDED;
	if (!inquiry->pcp.on)
		client_finish(client, inquiry, reason, now);
}

/* A sign of life after a silence: the PCP packets that fell into it are sent
 * again, long before the 3 s of RFC 6887 §8.1.1, which are for servers of which
 * nothing is heard. PCP then has the grace to answer before NAT-PMP maps. */
static void refresh_pcp(struct inquiry *inquiry, bool was_silent, tenf_time now)
{
	if (!inquiry->pcp.on || inquiry->pcp.sent == 0 || inquiry->question.single)
		return;
	if (!was_silent && inquiry->pcp.sent < 2)
		return;
	inquiry->pcp.wait = 0;
	inquiry->pcp.next = now;
}

void client_address_answered(struct client *client, tenf_time now)
{
	struct inquiry *next;
	bool was_silent = client->slot.sent > 1; /* else the first answered at once */

	client_slot_release(client);
	for (struct inquiry *at = client->active.first; at != NULL; at = next) {
		next = at->next;
		if (at->natpmp != NATPMP_PROBING || at->question.op == CORE_DISCOVER)
			continue;
		refresh_pcp(at, was_silent, now);
		natpmp_ready(client, at, now);
	}
	client_pump(client, now);
}

void client_learn_address(struct client *client, const struct tenf_address *external,
			  enum tenf_method method, tenf_time now)
{
	if (!tenf_address_equal(&client->external, external)) {
		client->address_changed = true;
		client->natpmp_moved |= method == TENF_METHOD_NATPMP;
	}
	client->external = *external;
	client->external_at = now;
	client->external_by = method;
}

/* ---- Places --------------------------------------------------------------- */

static void activate(struct client *client, struct inquiry *inquiry, tenf_time now)
{
	bool pcp = (inquiry->question.methods & client->methods & TENF_METHOD_PCP) != 0;

	client_list_remove(&client->waiting, inquiry);
	client_list_append(&client->active, inquiry);
	inquiry->place = INQUIRY_ACTIVE;
	inquiry->fresh = true;
	client->fresh++;
	inquiry->pcp.on = pcp;
	inquiry->pcp.due = pcp;
	if (!natpmp_is_allowed(client, inquiry))
		inquiry->natpmp = NATPMP_ENDED;
	else if (natpmp_starts_at_once(client, inquiry, now))
		natpmp_start(client, inquiry, now);
	if (!pcp && inquiry->natpmp == NATPMP_ENDED)
		conclude(client, inquiry, TENF_REASON_NO_SERVICE);
}

static bool address_is_wanted(const struct client *client)
{
	for (const struct inquiry *at = client->active.first; at != NULL; at = at->next) {
		if (at->natpmp == NATPMP_PROBING)
			return true;
	}
	return false;
}

static void fill_slot(struct client *client, tenf_time now)
{
	struct inquiry *ready = NULL;

	/* Who wanted to know was answered, or gave up, before a packet left. */
	if (client->slot.what == SLOT_ADDRESS && client->slot.sent == 0 &&
	    !address_is_wanted(client))
		client_slot_release(client);
	if (client->slot.what != SLOT_FREE)
		return;
	for (struct inquiry *at = client->active.first; at != NULL; at = at->next) {
		if (at->natpmp == NATPMP_PROBING) {
			slot_take(client, NULL);
			return;
		}
		if (ready == NULL && at->natpmp == NATPMP_READY && at->natpmp_from <= now)
			ready = at;
	}
	if (ready != NULL)
		slot_take(client, ready);
}

void client_pump(struct client *client, tenf_time now)
{
	while (client->waiting.first != NULL && client->fresh < CLIENT_FRESH_MAX)
		activate(client, client->waiting.first, now);
	fill_slot(client, now);
}

void client_ask(struct client *client, struct inquiry *inquiry, tenf_time now)
{
	struct core_question question = inquiry->question;

	/* THIRD_PARTY must not name the sender (RFC 6887 §13.1). */
	if (question.for_other && tenf_address_equal(&question.other, &client->source))
		question.for_other = false;
	*inquiry = (struct inquiry){
		.question = question,
		.answer = { .result = -1,
			    .external_address = tenf_address_zero_of(&client->source),
			    .rtt = -1 },
		.place = INQUIRY_WAITING,
		.pcp = { .next = TENF_NEVER },
		.settle_at = TENF_NEVER,
	};
	client_list_append(&client->waiting, inquiry);
	client_pump(client, now);
}

void client_cancel(struct client *client, struct inquiry *inquiry, tenf_time now)
{
	unlink_inquiry(client, inquiry);
	client_pump(client, now);
}

struct inquiry *client_next_answer(struct client *client)
{
	struct inquiry *inquiry = client->done.first;

	if (inquiry != NULL) {
		client_list_remove(&client->done, inquiry);
		inquiry->place = INQUIRY_NOWHERE;
	}
	return inquiry;
}

/* ---- Time ----------------------------------------------------------------- */

static void expire_pcp(struct client *client, struct inquiry *inquiry, tenf_time now)
{
	if (!inquiry->pcp.on || inquiry->pcp.next > now)
		return;
	drop_fresh(client, inquiry); /* its first round is over */
	inquiry->pcp.next = TENF_NEVER;
	if (inquiry->question.single)
		return;
	inquiry->pcp.due = true;
	if (inquiry->pcp.sent + 1 >= PCP_PATIENCE && inquiry->natpmp == NATPMP_IDLE)
		natpmp_start(client, inquiry, now);
}

static void expire_inquiry(struct client *client, struct inquiry *inquiry, tenf_time now)
{
	if (inquiry->question.give_up <= now || inquiry->settle_at <= now)
		client_finish(client, inquiry, last_word(inquiry), now);
	else
		expire_pcp(client, inquiry, now);
}

static bool asks_for_ever(const struct inquiry *inquiry)
{
	return inquiry->question.give_up == TENF_NEVER;
}

/* The ninth attempt at the address stayed without an answer. Whoever asks for
 * ever goes on at the slowest spacing, for the others NAT-PMP is not there. */
static void address_is_silent(struct client *client, tenf_time now)
{
	struct inquiry *next;
	bool go_on = false;

	for (struct inquiry *at = client->active.first; at != NULL; at = next) {
		next = at->next;
		if (at->natpmp != NATPMP_PROBING)
			continue;
		if (asks_for_ever(at))
			go_on = true;
		else
			client_end_natpmp(client, at, TENF_REASON_SILENT, now);
	}
	if (go_on)
		client->slot.due = true;
	else
		client_slot_release(client);
}

/* An owner that asks for ever goes to the end of the queue and gives its place
 * away, so that mappings the gateway never answers do not block the others. */
static void map_is_silent(struct client *client, tenf_time now)
{
	struct inquiry *owner = client->slot.owner;

	client_slot_release(client);
	if (!asks_for_ever(owner)) {
		client_end_natpmp(client, owner, TENF_REASON_SILENT, now);
		return;
	}
	client_list_remove(&client->active, owner);
	client_list_append(&client->active, owner);
	drop_fresh(client, owner);
	owner->natpmp = NATPMP_READY;
	owner->natpmp_from = now;
}

static void expire_slot(struct client *client, tenf_time now)
{
	struct natpmp_slot *slot = &client->slot;

	if (slot->what == SLOT_FREE || slot->next > now)
		return;
	slot->next = TENF_NEVER;
	if (slot->what == SLOT_ADDRESS && !address_is_wanted(client))
		client_slot_release(client);
	else if (slot->sent < NATPMP_ATTEMPTS)
		slot->due = true;
	else if (slot->what == SLOT_ADDRESS)
		address_is_silent(client, now);
	else
		map_is_silent(client, now);
}

void client_expire(struct client *client, tenf_time now)
{
	struct inquiry *next;

	for (struct inquiry *at = client->waiting.first; at != NULL; at = next) {
		next = at->next;
		if (at->question.give_up <= now)
			client_finish(client, at, TENF_REASON_SILENT, now);
	}
	for (struct inquiry *at = client->active.first; at != NULL; at = next) {
		next = at->next;
		expire_inquiry(client, at, now);
	}
	expire_slot(client, now);
	client_pump(client, now);
}

tenf_time client_deadline(const struct client *client)
{
	tenf_time first = client->slot.what != SLOT_FREE ? client->slot.next : TENF_NEVER;
	bool slot_is_free = client->slot.what == SLOT_FREE;

	for (const struct inquiry *at = client->waiting.first; at != NULL; at = at->next)
		first = tenf_time_min(first, at->question.give_up);
	for (const struct inquiry *at = client->active.first; at != NULL; at = at->next) {
		first = tenf_time_min(first, at->question.give_up);
		first = tenf_time_min(first, at->settle_at);
		if (at->pcp.on)
			first = tenf_time_min(first, at->pcp.next);
		if (slot_is_free && at->natpmp == NATPMP_READY)
			first = tenf_time_min(first, at->natpmp_from);
	}
	return first;
}
