/* SPDX-License-Identifier: MIT */
#include "gateway/notice.h"

#include "base/names.h"
#include "control/shapes.h"
#include "gateway/api-shapes.h"
#include "wire/natpmp.h"
#include "wire/pcp.h"

#include <stdio.h>

/* ---- What it is --------------------------------------------------------- */

/* False: not of a mapping or the gateway. */
static bool kind_of(const struct responder_record *record, enum tenf_event_kind *ret)
{
	switch (record->verdict) {
	case RESPONDER_GRANTED:
		*ret = TENF_EVENT_MAPPED;
		return true;
	case RESPONDER_RENEWED:
		*ret = TENF_EVENT_RENEWED;
		return true;
	case RESPONDER_REMOVED:
		*ret = TENF_EVENT_REMOVED;
		return record->count > 0;
	case RESPONDER_REFUSED:
		*ret = TENF_EVENT_REFUSED;
		return record->protocol == TENF_TCP || record->protocol == TENF_UDP;
	case RESPONDER_EXPIRED:
		*ret = TENF_EVENT_LOST;
		return true;
	case RESPONDER_RESTARTED:
		*ret = TENF_EVENT_GATEWAY_RESTART;
		return true;
	case RESPONDER_REVOKED:
		*ret = TENF_EVENT_REMOVED;
		return record->end != LEDGER_NOT_ENDED;
	case RESPONDER_PENDING:
	case RESPONDER_ANSWERED:
		break;
	}
	return false;
}

const char *notice_event(const struct notice *n)
{
	enum tenf_event_kind kind;

	if (n->record.verdict == RESPONDER_PENDING)
		return "pending";
	return kind_of(&n->record, &kind) ? tenf_event_code(kind) : NULL;
}

/* ---- Its mapping ---------------------------------------------------------- */

static enum tenf_reason reason_of_natpmp(uint8_t result)
{
	switch (result) {
	case NATPMP_NOT_AUTHORIZED:
		return TENF_REASON_REFUSED;
	case NATPMP_NETWORK_FAILURE:
		return TENF_REASON_NO_NETWORK;
	case NATPMP_OUT_OF_RESOURCES:
		return TENF_REASON_RESOURCES;
	default:
		return TENF_REASON_NO_SERVICE;
	}
}

static enum tenf_reason reason_of_pcp(uint8_t result)
{
	switch (result) {
	case PCP_NOT_AUTHORIZED:
	case PCP_ADDRESS_MISMATCH:
		return TENF_REASON_REFUSED;
	case PCP_NETWORK_FAILURE:
		return TENF_REASON_NO_NETWORK;
	case PCP_NO_RESOURCES:
	case PCP_USER_EX_QUOTA:
	case PCP_EXCESSIVE_REMOTE_PEERS:
		return TENF_REASON_RESOURCES;
	case PCP_CANNOT_PROVIDE_EXTERNAL:
		return TENF_REASON_OTHER_PORT;
	case PCP_MALFORMED_REQUEST:
	case PCP_MALFORMED_OPTION:
		return TENF_REASON_MALFORMED;
	default:
		return TENF_REASON_NO_SERVICE;
	}
}

static void add_refusal(const struct responder_record *record, struct tenf_error *ret)
{
	bool natpmp = record->version == NATPMP_VERSION;
	struct tenf_text text = tenf_text_of(ret->text, sizeof(ret->text));

	ret->reason = natpmp ? reason_of_natpmp(record->result) : reason_of_pcp(record->result);
	ret->result = record->result;
	tenf_text_add(&text, natpmp ? natpmp_result_name(record->result)
				    : pcp_result_name(record->result));
	if (record->why != NULL) {
		tenf_text_add(&text, ": ");
		tenf_text_add(&text, record->why);
	}
}

static enum tenf_state state_of(enum tenf_event_kind kind)
{
	switch (kind) {
	case TENF_EVENT_REFUSED:
		return TENF_STATE_REFUSED;
	case TENF_EVENT_REMOVED:
		return TENF_STATE_REMOVED;
	case TENF_EVENT_LOST:
		return TENF_STATE_LOST;
	case TENF_EVENT_GATEWAY:
	case TENF_EVENT_GATEWAY_RESTART:
	case TENF_EVENT_ADDRESS:
	case TENF_EVENT_MAPPED:
	case TENF_EVENT_CHANGED:
	case TENF_EVENT_RENEWED:
		break;
	}
	return TENF_STATE_MAPPED;
}

static void fill_mapping(const struct notice *n, enum tenf_event_kind kind,
			 struct tenf_mapping *ret)
{
	const struct responder_record *record = &n->record;

	ret->protocol = record->protocol;
	ret->state = state_of(kind);
	if (record->version != NOTICE_BY_HAND)
		ret->method = record->version == NATPMP_VERSION ? TENF_METHOD_NATPMP
								: TENF_METHOD_PCP;
	ret->lifetime_s = record->lifetime_s;
	if (ret->state == TENF_STATE_MAPPED && record->lifetime_s > 0)
		ret->expires_at = n->at + record->lifetime_s;
	api_fill_endpoints(&record->internal, &record->external, ret);
	if (!tenf_address_is_none(&n->gateway))
		(void)tenf_address_text(&n->gateway, ret->gateway);
	if (kind == TENF_EVENT_REFUSED)
		add_refusal(record, &ret->error);
}

static json_t *mapping_of(const struct notice *n, enum tenf_event_kind kind)
{
	const struct responder_record *record = &n->record;
	struct tenf_mapping m = { .error.reason = TENF_REASON_NONE };
	struct shape_label label = { .source = "gateway" };
	char client[TENF_ADDRESS_TEXT], mac[NEIGHBOURS_TEXT], id[16], remote[TENF_ADDRESS_TEXT];
	const bool peer = record->version == PCP_VERSION && record->opcode == PCP_PEER;
	struct shape_governed governed = {
		.client = tenf_address_text(&record->client, client),
		.rule = record->rule == POLICY_NO_RULE ? 0 : (unsigned)record->rule + 1,
		.rule_name = n->rule_name,
		.rule_action = api_action_name(n->action),
		.made_at = n->made_at,
		.renewals = record->id != 0 ? (int64_t)record->renewals : -1,
		.opcode = peer ? "peer" : "map",
	};

	if (record->id != 0) {
		(void)snprintf(id, sizeof(id), "m%u", record->id);
		label.id = id;
	}
	if (record->has_mac)
		governed.mac = neighbours_text(record->mac, mac);
	if (peer && record->remote.port != 0) {
		governed.remote_address = tenf_address_text(&record->remote.address, remote);
		governed.remote_port = record->remote.port;
	}
	fill_mapping(n, kind, &m);
	return shape_governed(shape_mapping(&m, &label), &governed);
}

/* ---- The event ------------------------------------------------------------ */

/* Every mapping of a protocol that a host gave up at once is one event. */
static json_t *removal_of_many(const struct notice *n)
{
	const struct responder_record *record = &n->record;
	char client[TENF_ADDRESS_TEXT];

	return json_pack("{ss so sn sn ss sI}", "event", tenf_event_code(TENF_EVENT_REMOVED), "at",
			 shape_time(n->at), "mapping", "before", "client",
			 tenf_address_text(&record->client, client), "count",
			 (json_int_t)record->count);
}

static json_t *restart_of(const struct notice *n)
{
	struct tenf_event event = { .kind = TENF_EVENT_GATEWAY_RESTART, .at = n->at };
	const struct tenf_address *external = &n->record.external.address;

	event.gateway.rtt_us = -1;
	event.gateway.epoch_s = 0;
	event.gateway.up_since = n->at;
	if (!tenf_address_is_none(external))
		(void)tenf_address_text(external, event.gateway.external_address);
	event.gateway.address_class = tenf_address_classify(external);
	return shape_event(&event, NULL);
}

/* The administrator's name, where it was his will. */
static json_t *with_who(const struct notice *n, json_t *event)
{
	if (event != NULL && n->who[0] != '\0' &&
	    json_object_set_new(event, "by", shape_text(n->who)) != 0) {
		json_decref(event);
		return NULL;
	}
	return event;
}

static json_t *pending_of(const struct notice *n)
{
	const struct responder_record *record = &n->record;
	char client[TENF_ADDRESS_TEXT], mac[NEIGHBOURS_TEXT], id[16];
	struct shape_pending wish = {
		.id = id,
		.client = tenf_address_text(&record->client, client),
		.protocol = record->protocol,
		.internal_port = record->internal.port,
		.external_port = record->external.port,
		.first_seen = n->made_at != 0 ? n->made_at : n->at,
		.tries = record->count > 0 ? record->count : 1,
		.state = api_word_name(n->word),
	};

	(void)snprintf(id, sizeof(id), "p%u", record->id);
	if (record->has_mac)
		wish.mac = neighbours_text(record->mac, mac);
	return with_who(n, json_pack("{ss so sn sn so}", "event", "pending", "at",
				     shape_time(n->at), "mapping", "before", "pending",
				     shape_pending(&wish)));
}

/* "expired", "deleted" …: why a mapping ended. */
static const char *end_name(enum ledger_end end)
{
	switch (end) {
	case LEDGER_EXPIRED:
		return "expired";
	case LEDGER_DELETED:
		return "deleted";
	case LEDGER_REVOKED:
		return "revoked";
	case LEDGER_DISALLOWED:
		return "disallowed";
	case LEDGER_CROWDED_OUT:
		return "crowded-out";
	case LEDGER_NOT_ENDED:
		break;
	}
	return NULL;
}

static json_t *event_of_mapping(const struct notice *n, enum tenf_event_kind kind)
{
	const char *end = end_name(n->record.end);
	json_t *event = json_pack("{ss so so sn}", "event", tenf_event_code(kind), "at",
				  shape_time(n->at), "mapping", mapping_of(n, kind), "before");

	if (event != NULL && end != NULL && json_object_set_new(event, "end",
								json_string(end)) != 0) {
		json_decref(event);
		return NULL;
	}
	return with_who(n, event);
}

json_t *notice_json(const struct notice *n)
{
	enum tenf_event_kind kind;

	if (n->record.verdict == RESPONDER_PENDING)
		return pending_of(n);
	if (!kind_of(&n->record, &kind))
		return NULL;
	if (kind == TENF_EVENT_GATEWAY_RESTART)
		return restart_of(n);
	if (kind == TENF_EVENT_REMOVED && n->record.internal.port == 0)
		return removal_of_many(n);
	return event_of_mapping(n, kind);
}
