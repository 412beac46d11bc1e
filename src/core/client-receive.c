/* SPDX-License-Identifier: MIT */
/*
 * Accepting packets: which are answers to what was asked, and what they mean.
 * The order of the tests is that of RFC 6887 §8.3 and, for NAT-PMP, of what the RFC's
 * §3.2, §3.3 and §3.5 ask for; a packet that fails one is counted, nothing else
 * happens, and the clock pair of the epoch is not touched.
 */
#include "core/client.h"

#include "core/client-private.h"
#include "wire/natpmp.h"
#include "wire/pcp-option.h"

#include <string.h>

/* How long a discovery waits for the other protocol once one has answered. */
#define DISCOVER_GRACE (1 * TENF_SECOND)

/* How long a success that does not fit (another port than the one insisted on, or
 * none) may be a late answer to an earlier request before it is the verdict. */
#define LATE_GRACE (1 * TENF_SECOND)

/* How long UNSUPP_VERSION may be a late answer to a NAT-PMP packet: a second one,
 * or the one to its repetition. */
#define LATE_VERSION (5 * TENF_SECOND)

/* How long "no NAT-PMP here" is believed (RFC 6886 §3.1 lets it be remembered). */
#define NEGATIVE_MAX (900 * TENF_SECOND)

#define ERROR_HOLD_MAX_S 1800u /* PCP-C-32 */

static enum client_receipt drop(uint64_t *counter)
{
	++*counter;
	return CLIENT_DROPPED;
}

static enum client_receipt took(struct client *client)
{
	client->counters.received++;
	return CLIENT_TOOK;
}

static void heard(struct client *client, struct inquiry *inquiry, enum tenf_method method,
		  unsigned sent, tenf_time sent_at, tenf_time now)
{
	if (sent == 1) {
		inquiry->answer.rtt = now - sent_at;
		client->rtt = now - sent_at;
	}
	inquiry->answer.method = method;
}

/* What an earlier answer said of a grant or a hold is no longer so. */
static void forget_answer(const struct client *client, struct inquiry *inquiry)
{
	inquiry->answer.lifetime_s = 0;
	inquiry->answer.external_port = 0;
	inquiry->answer.external_address = tenf_address_zero_of(&client->source);
}

/* ---- PCP ------------------------------------------------------------------ */

static enum tenf_reason pcp_reason(uint8_t result)
{
	switch (result) {
	case PCP_SUCCESS:
		return TENF_REASON_NONE;
	case PCP_UNSUPP_VERSION:
	case PCP_UNSUPP_OPCODE:
		return TENF_REASON_NO_SERVICE;
	case PCP_NETWORK_FAILURE:
		return TENF_REASON_NO_NETWORK;
	case PCP_NO_RESOURCES:
	case PCP_USER_EX_QUOTA:
	case PCP_EXCESSIVE_REMOTE_PEERS:
		return TENF_REASON_RESOURCES;
	case PCP_CANNOT_PROVIDE_EXTERNAL:
		return TENF_REASON_OTHER_PORT;
	default: /* codes from the wire; an unknown one is a failure (PCP-C-34) */
		return TENF_REASON_REFUSED;
	}
}

static bool third_party_matches(const struct core_question *q, const struct pcp_answer *answer)
{
	struct tenf_reader options = answer->options;
	struct tenf_address internal;
	struct pcp_option option;

	if (!q->for_other)
		return true;
	while (pcp_option_next(&options, &option)) {
		if (option.code == PCP_OPTION_THIRD_PARTY &&
		    pcp_option_third_party(&option, &internal) == TENF_OK)
			return tenf_address_equal(&internal, &q->other);
	}
	return false;
}

static bool is_echoed(const struct pcp_filter *wanted, struct tenf_reader options)
{
	struct pcp_option option;
	struct pcp_filter f;

	while (pcp_option_next(&options, &option)) {
		if (option.code == PCP_OPTION_FILTER && pcp_option_filter(&option, &f) == TENF_OK &&
		    f.prefix_length == wanted->prefix_length && f.port == wanted->port &&
		    tenf_address_equal(&f.address, &wanted->address))
			return true;
	}
	return false;
}

bool client_is_filtered(const struct core_question *question, const struct pcp_answer *answer)
{
	unsigned i = 0;

	while (i < question->filter_count && is_echoed(&question->filters[i], answer->options))
		i++;
	return i == question->filter_count;
}

/* Compares without stopping at the first difference. */
static bool same_nonce(const uint8_t *a, const uint8_t *b)
{
	unsigned difference = 0;

	for (size_t i = 0; i < PCP_NONCE; i++)
		difference |= (unsigned)(a[i] ^ b[i]);
	return difference == 0;
}

/* An answer to a delete says external port 0, as it was asked (the lifetime may be
 * the idle time that is left, §15); that tells a late answer to the create
 * before apart, where the rest is the same. */
static bool is_answer_to(const struct inquiry *inquiry, const struct pcp_answer *answer)
{
	const struct core_question *q = &inquiry->question;

	if (q->op == CORE_DISCOVER)
		return answer->opcode == PCP_ANNOUNCE && inquiry->pcp.sent > 0;
	if (answer->opcode != PCP_MAP || inquiry->pcp.sent == 0)
		return false;
	if (answer->map.protocol != (uint8_t)q->protocol ||
	    answer->map.internal_port != q->internal_port ||
	    !same_nonce(answer->map.nonce, q->nonce))
		return false;
	if (answer->result == PCP_SUCCESS && q->op == CORE_UNMAP && answer->lifetime_s != 0 &&
	    answer->map.external_port != 0)
		return false;
	return answer->result != PCP_SUCCESS || third_party_matches(q, answer);
}

/* Both epochs began again, and one restart is one piece of news: the other
 * protocol's, heard a moment later, is learned as if for the first time. */
static void feed_pcp_epoch(struct client *client, uint32_t epoch_s, tenf_time now)
{
	if (!epoch_check_pcp(&client->pcp_epoch, epoch_s, now)) {
		client->restarted = true;
		client->natpmp_epoch.known = false;
	}
}

static void take_granted(struct client *client, struct inquiry *inquiry,
			 const struct pcp_answer *answer, tenf_time now)
{
	const struct core_question *q = &inquiry->question;
	bool other_port = answer->map.external_port != q->external_port;
	bool other_address = !tenf_address_is_none(&q->external_address) &&
			     !tenf_address_equal(&q->external_address,
						 &answer->map.external_address);

	inquiry->answer.lifetime_s = answer->lifetime_s;
	inquiry->answer.external_port = answer->map.external_port;
	inquiry->answer.external_address = answer->map.external_address;
	inquiry->answer.unfiltered = !client_is_filtered(q, answer);
	if (answer->lifetime_s == 0 || answer->map.external_port == 0 ||
	    tenf_address_is_none(&answer->map.external_address)) {
		client_finish(client, inquiry, TENF_REASON_MALFORMED, now);
		return;
	}
	/* §13.2: not what was insisted on is a stale update, unless it is repeated
	 * by a gateway that does not know the option. */
	if (q->prefer_failure && (other_port || other_address)) {
		client_settle(inquiry, TENF_REASON_OTHER_PORT, now + LATE_GRACE);
		return;
	}
	client_learn_address(client, &answer->map.external_address, TENF_METHOD_PCP, now);
	client_finish(client, inquiry, TENF_REASON_NONE, now);
}

static void discovered(struct client *client, struct inquiry *inquiry, enum tenf_method method,
		       tenf_time now)
{
	inquiry->answer.spoken |= method;
	if (method == TENF_METHOD_PCP)
		inquiry->pcp.on = inquiry->pcp.due = false;
	else
		inquiry->natpmp = NATPMP_ENDED;
	if (!inquiry->pcp.on && inquiry->natpmp == NATPMP_ENDED)
		client_finish(client, inquiry, TENF_REASON_NONE, now);
	else
		client_settle(inquiry, TENF_REASON_NONE, now + DISCOVER_GRACE);
}

static bool repeats_without_options(struct inquiry *inquiry, const struct pcp_answer *answer)
{
	bool options_were_the_matter = answer->result == PCP_UNSUPP_OPTION ||
				       answer->result == PCP_MALFORMED_OPTION;

	if (!options_were_the_matter || inquiry->question.description == NULL ||
	    inquiry->pcp.without_options)
		return false;
	inquiry->pcp.without_options = true;
	inquiry->pcp.due = true;
	inquiry->pcp.wait = 0;
	return true;
}

static uint32_t capped_hold_s(const struct pcp_answer *answer)
{
	return answer->lifetime_s < ERROR_HOLD_MAX_S ? answer->lifetime_s : ERROR_HOLD_MAX_S;
}

static void take_pcp(struct client *client, struct inquiry *inquiry,
		     const struct pcp_answer *answer, tenf_time now)
{
	heard(client, inquiry, TENF_METHOD_PCP, inquiry->pcp.sent, inquiry->pcp.sent_at, now);
	client->pcp = CLIENT_SPEAKS;
	inquiry->answer.result = answer->result;
	inquiry->answer.epoch_s = answer->epoch_s;
	if (inquiry->question.op == CORE_DISCOVER) {
		discovered(client, inquiry, TENF_METHOD_PCP, now);
		return;
	}
	if (answer->result == PCP_SUCCESS && inquiry->question.op == CORE_MAP) {
		take_granted(client, inquiry, answer, now);
		return;
	}
	if (repeats_without_options(inquiry, answer))
		return;
	forget_answer(client, inquiry);
	inquiry->answer.lifetime_s = capped_hold_s(answer);
	if (answer->result == PCP_UNSUPP_OPCODE)
		client_end_pcp(client, inquiry, TENF_REASON_NO_SERVICE, now);
	else
		client_finish(client, inquiry, pcp_reason(answer->result), now);
}

/* Ends one protocol for every question under way or waiting. */
static void lacks(struct client *client, enum tenf_method method, tenf_time now)
{
	struct inquiry *next;

	for (struct inquiry *at = client->waiting.first; at != NULL; at = at->next)
		at->question.methods &= ~(unsigned)method;
	for (struct inquiry *at = client->active.first; at != NULL; at = next) {
		next = at->next;
		if (method == TENF_METHOD_PCP && at->pcp.on)
			client_end_pcp(client, at, TENF_REASON_NO_SERVICE, now);
		else if (method == TENF_METHOD_NATPMP && at->natpmp != NATPMP_ENDED)
			client_end_natpmp(client, at, TENF_REASON_NO_SERVICE, now);
	}
}

static void lacks_natpmp(struct client *client, tenf_time now)
{
	client->natpmp = CLIENT_LACKS;
	client->natpmp_lacks_until = now + NEGATIVE_MAX;
	client_slot_release(client);
	lacks(client, TENF_METHOD_NATPMP, now);
	client_pump(client, now);
}

static bool pcp_is_outstanding(const struct client *client)
{
	for (const struct inquiry *at = client->active.first; at != NULL; at = at->next) {
		if (at->pcp.on && at->pcp.sent > 0)
			return true;
	}
	return false;
}

/* An error brings the request back (§8.2), so one long enough says whose it is. */
static bool is_echo_of_pcp(const struct client *client, const struct pcp_answer *answer)
{
	for (const struct inquiry *at = client->active.first; at != NULL; at = at->next) {
		if (at->pcp.on && at->question.op != CORE_DISCOVER && is_answer_to(at, answer))
			return true;
	}
	return false;
}

static void lacks_pcp(struct client *client, const struct pcp_answer *answer, tenf_time now)
{
	client->pcp = CLIENT_LACKS;
	for (struct inquiry *at = client->active.first; at != NULL; at = at->next) {
		if (!at->pcp.on)
			continue;
		at->answer.result = PCP_UNSUPP_VERSION;
		at->answer.lifetime_s = capped_hold_s(answer);
	}
	lacks(client, TENF_METHOD_PCP, now);
}

/* UNSUPP_VERSION in PCP's format (§9). Naming version 2 it most likely answers our
 * version 0: a gateway that speaks PCP alone. It answers our version 2 when it
 * names another one, when it echoes our packet, or when nothing else was asked. The octets
 * where NAT-PMP has its epoch are not one here (NP-C-36). */
static enum client_receipt receive_other_version(struct client *client,
						 const struct pcp_answer *answer, tenf_time now)
{
	bool natpmp_asked = client->slot.what != SLOT_FREE && client->slot.sent > 0;
	bool nothing_else = !natpmp_asked &&
			    (client->natpmp_sent_at == TENF_NEVER ||
			     now - client->natpmp_sent_at > LATE_VERSION);
	bool for_pcp = answer->version != PCP_VERSION || nothing_else ||
		       is_echo_of_pcp(client, answer);

	if (for_pcp && pcp_is_outstanding(client))
		lacks_pcp(client, answer, now);
	else if (natpmp_asked)
		lacks_natpmp(client, now);
	else
		return drop(&client->counters.dropped_unasked);
	return took(client);
}

static enum client_receipt receive_pcp(struct client *client, const uint8_t *data, size_t len,
				       tenf_time now, struct pcp_answer *ret_update)
{
	struct pcp_answer answer;
	struct inquiry *at = client->active.first;

	if (pcp_decode_answer(data, len, &answer) != TENF_OK)
		return drop(&client->counters.dropped_malformed);
	if (answer.result == PCP_UNSUPP_VERSION)
		return receive_other_version(client, &answer, now);
	if (!pcp_options_are_sound(answer.options))
		return drop(&client->counters.dropped_malformed);
	while (at != NULL && !is_answer_to(at, &answer))
		at = at->next;
	if (at == NULL && answer.opcode == PCP_MAP) {
		*ret_update = answer;
		return CLIENT_UPDATE;
	}
	if (at == NULL)
		return drop(&client->counters.dropped_unasked);
	feed_pcp_epoch(client, answer.epoch_s, now);
	take_pcp(client, at, &answer, now);
	return took(client);
}

void client_update(struct client *client, const struct pcp_answer *update, bool wanted,
		   tenf_time now)
{
	if (!wanted) {
		(void)drop(&client->counters.dropped_unasked);
		return;
	}
	feed_pcp_epoch(client, update->epoch_s, now);
	(void)took(client);
}

/* ---- NAT-PMP -------------------------------------------------------------- */

static enum tenf_reason natpmp_reason(uint16_t result)
{
	switch (result) {
	case NATPMP_SUCCESS:
		return TENF_REASON_NONE;
	case NATPMP_UNSUPP_VERSION:
	case NATPMP_UNSUPP_OPCODE:
		return TENF_REASON_NO_SERVICE;
	case NATPMP_NETWORK_FAILURE:
		return TENF_REASON_NO_NETWORK;
	case NATPMP_OUT_OF_RESOURCES:
		return TENF_REASON_RESOURCES;
	default: /* codes from the wire; an unknown one is permanent (NP-C-14) */
		return TENF_REASON_REFUSED;
	}
}

/* An echo of an unknown opcode does not carry an epoch in every gateway. */
static void feed_natpmp_epoch(struct client *client, const struct natpmp_answer *answer,
			      tenf_time now)
{
	if (answer->has == NATPMP_HAS_RESULT || answer->result == NATPMP_UNSUPP_OPCODE)
		return;
	if (!epoch_check_natpmp(&client->natpmp_epoch, answer->epoch_s, now)) {
		client->restarted = true;
		client->pcp_epoch.known = false;
	}
}

/* Our PCP packet met a gateway that knows NAT-PMP alone (RFC 6886 §1.1). */
static enum client_receipt receive_no_pcp(struct client *client,
					  const struct natpmp_answer *answer, tenf_time now)
{
	if (pcp_is_outstanding(client)) {
		feed_natpmp_epoch(client, answer, now);
		client->pcp = CLIENT_LACKS;
		client->natpmp = CLIENT_SPEAKS;
		lacks(client, TENF_METHOD_PCP, now);
		return took(client);
	}
	return drop(&client->counters.dropped_unasked);
}

static void take_address(struct client *client, const struct natpmp_answer *answer, tenf_time now)
{
	unsigned sent = client->slot.sent;
	tenf_time sent_at = client->slot.sent_at;
	struct inquiry *next;
	bool told = answer->result == NATPMP_SUCCESS;
	bool sane = !told || !tenf_address_is_none(&answer->external_address);

	client->natpmp = CLIENT_SPEAKS;
	client_learn_address(client, &answer->external_address, TENF_METHOD_NATPMP, now);
	for (struct inquiry *at = client->active.first; at != NULL; at = next) {
		next = at->next;
		if (at->natpmp != NATPMP_PROBING || at->question.op != CORE_DISCOVER)
			continue;
		heard(client, at, TENF_METHOD_NATPMP, sent, sent_at, now);
		at->answer.result = answer->result;
		at->answer.external_address = answer->external_address;
		discovered(client, at, TENF_METHOD_NATPMP, now);
		if (!sane && (at->answer.spoken & TENF_METHOD_PCP) == 0)
			at->answer.reason = TENF_REASON_MALFORMED;
	}
	if (sent == 1)
		client->rtt = now - sent_at;
	client_address_answered(client, now);
}

static void take_map(struct client *client, const struct natpmp_answer *answer, tenf_time now)
{
	struct inquiry *owner = client->slot.owner;
	bool create = owner->question.op == CORE_MAP;
	enum tenf_reason reason = natpmp_reason(answer->result);

	heard(client, owner, TENF_METHOD_NATPMP, client->slot.sent, client->slot.sent_at, now);
	client->natpmp = CLIENT_SPEAKS;
	if (owner->pcp.on && client->pcp == CLIENT_UNKNOWN)
		client->pcp = CLIENT_SILENT;
	forget_answer(client, owner);
	owner->answer.result = answer->result;
	owner->answer.epoch_s = answer->epoch_s;
	if (reason == TENF_REASON_NONE && create && answer->lifetime_s == 0 &&
	    answer->external_port == 0) {
		/* The second answer to a delete that was sent twice looks like this. */
		client_settle(owner, TENF_REASON_MALFORMED, now + LATE_GRACE);
		return;
	}
	if (reason == TENF_REASON_NONE && create) {
		owner->answer.lifetime_s = answer->lifetime_s;
		owner->answer.external_port = answer->external_port;
		owner->answer.external_address = client->external;
		if (answer->lifetime_s == 0 || answer->external_port == 0)
			reason = TENF_REASON_MALFORMED;
		else if (owner->question.prefer_failure &&
			 answer->external_port != owner->question.external_port)
			reason = TENF_REASON_OTHER_PORT;
	}
	client_finish(client, owner, reason, now);
}

/* The only map request outstanding is the slot's, so an error that does not
 * echo the port, or is too short to, still belongs to it. */
static bool is_slot_answer(const struct natpmp_slot *slot, const struct natpmp_answer *answer)
{
	const struct core_question *q;
	bool success = answer->result == NATPMP_SUCCESS;

	if (slot->what == SLOT_FREE || slot->sent == 0)
		return false;
	if (success && answer->has != NATPMP_HAS_ALL)
		return false;
	if (slot->what == SLOT_ADDRESS)
		return answer->opcode == NATPMP_ADDRESS + NATPMP_ANSWER;
	q = &slot->owner->question;
	if (answer->opcode != natpmp_opcode_of(q->protocol) + NATPMP_ANSWER)
		return false;
	if (success && q->op == CORE_UNMAP && answer->lifetime_s != 0)
		return false; /* late, of the create before */
	if (answer->internal_port == q->internal_port)
		return true;
	return !success && answer->internal_port == 0;
}

static enum client_receipt receive_natpmp(struct client *client, const uint8_t *data, size_t len,
					  tenf_time now)
{
	struct natpmp_answer answer;

	if (natpmp_decode_answer(data, len, &answer) != TENF_OK)
		return drop(&client->counters.dropped_malformed);
	if (answer.result == NATPMP_UNSUPP_VERSION)
		return receive_no_pcp(client, &answer, now);
	if (answer.has == NATPMP_HAS_RESULT ||
	    (answer.has != NATPMP_HAS_ALL && answer.result == NATPMP_SUCCESS))
		return drop(&client->counters.dropped_malformed);
	if (!is_slot_answer(&client->slot, &answer))
		return drop(&client->counters.dropped_unasked);
	feed_natpmp_epoch(client, &answer, now);
	if (client->slot.what == SLOT_ADDRESS)
		take_address(client, &answer, now);
	else
		take_map(client, &answer, now);
	return took(client);
}

/* ---- Both ----------------------------------------------------------------- */

enum client_receipt client_receive(struct client *client, const struct tenf_endpoint *from,
				   const uint8_t *data, size_t len, tenf_time now,
				   struct pcp_answer *ret_update)
{
	if (!tenf_endpoint_equal(from, &client->gateway))
		return drop(&client->counters.dropped_foreign);
	if (len < 4)
		return drop(&client->counters.dropped_malformed);
	if (data[0] == NATPMP_VERSION)
		return receive_natpmp(client, data, len, now);
	return receive_pcp(client, data, len, now, ret_update);
}

/* The RFC names no source port, so any will do of a gateway at the common port. A
 * gateway elsewhere shares its address with others, whose news are not its own. */
static enum client_receipt announced_natpmp(struct client *client,
					    const struct tenf_endpoint *from, const uint8_t *data,
					    size_t len, tenf_time now)
{
	struct natpmp_answer answer;

	if (client->gateway.port != NATPMP_PORT && from->port != client->gateway.port)
		return drop(&client->counters.dropped_foreign);
	if (natpmp_decode_answer(data, len, &answer) != TENF_OK ||
	    answer.opcode != NATPMP_ADDRESS + NATPMP_ANSWER || answer.has != NATPMP_HAS_ALL)
		return drop(&client->counters.dropped_malformed);
	feed_natpmp_epoch(client, &answer, now);
	if (answer.result == NATPMP_SUCCESS && answer.has == NATPMP_HAS_ALL &&
	    !tenf_address_is_none(&answer.external_address))
		client_learn_address(client, &answer.external_address, TENF_METHOD_NATPMP, now);
	return took(client);
}

/* §14.1.3: it comes from where requests go to, the port included. */
static enum client_receipt announced_pcp(struct client *client, const struct tenf_endpoint *from,
					 const uint8_t *data, size_t len, tenf_time now)
{
	struct pcp_answer answer;

	if (from->port != client->gateway.port)
		return drop(&client->counters.dropped_foreign);
	if (pcp_decode_answer(data, len, &answer) != TENF_OK || answer.opcode != PCP_ANNOUNCE ||
	    answer.result != PCP_SUCCESS || answer.version != PCP_VERSION)
		return drop(&client->counters.dropped_malformed);
	feed_pcp_epoch(client, answer.epoch_s, now);
	return took(client);
}

/* A gateway that announces itself may not be the one it was (RFC 6886 §3.1). */
static void forget_negatives(struct client *client)
{
	if (client->natpmp == CLIENT_LACKS)
		client->natpmp = CLIENT_UNKNOWN;
	if (client->pcp == CLIENT_LACKS || client->pcp == CLIENT_SILENT)
		client->pcp = CLIENT_UNKNOWN;
}

enum client_receipt client_announced(struct client *client, const struct tenf_endpoint *from,
				     const uint8_t *data, size_t len, tenf_time now)
{
	enum client_receipt receipt;

	if (!tenf_address_equal(&from->address, &client->gateway.address))
		return drop(&client->counters.dropped_foreign);
	if (len < 4)
		return drop(&client->counters.dropped_malformed);
	if (data[0] == NATPMP_VERSION)
		receipt = announced_natpmp(client, from, data, len, now);
	else
		receipt = announced_pcp(client, from, data, len, now);
	if (receipt == CLIENT_TOOK) {
		client->alive = true;
		forget_negatives(client);
	}
	return receipt;
}

void client_unreachable(struct client *client, tenf_time now)
{
	client_slot_release(client);
	while (client->waiting.first != NULL)
		client_finish(client, client->waiting.first, TENF_REASON_NO_SERVICE, now);
	while (client->active.first != NULL)
		client_finish(client, client->active.first, TENF_REASON_NO_SERVICE, now);
}
