/* SPDX-License-Identifier: MIT */
#include "gateway/log.h"

#include "base/forward.h"
#include "wire/natpmp.h"
#include "wire/pcp.h"

static void add_address(struct tenf_text *t, const struct tenf_address *address)
{
	char text[TENF_ADDRESS_TEXT];

	tenf_text_add(t, tenf_address_text(address, text));
}

static void add_endpoint(struct tenf_text *t, const struct tenf_endpoint *endpoint)
{
	char text[TENF_ENDPOINT_TEXT];

	tenf_text_add(t, tenf_endpoint_text(endpoint, text));
}

/* "192.168.1.20:8080/tcp"; of a protocol nobody serves its number. */
static void add_internal(struct tenf_text *t, const struct responder_record *record)
{
	add_endpoint(t, &record->internal);
	tenf_text_add_char(t, '/');
	if (record->protocol == TENF_TCP || record->protocol == TENF_UDP)
		tenf_text_add(t, tenf_protocol_name(record->protocol));
	else
		tenf_text_add_number(t, (uint64_t)record->protocol);
}

static const char *version_name(const struct responder_record *record)
{
	return record->version == NATPMP_VERSION ? "NAT-PMP" : "PCP";
}

static void add_rule(struct tenf_text *t, const struct responder_record *record, const char *name)
{
	tenf_text_add(t, " (");
	tenf_text_add(t, version_name(record));
	if (record->rule != POLICY_NO_RULE) {
		tenf_text_add(t, ", rule ");
		tenf_text_add_number(t, (uint64_t)record->rule + 1);
		tenf_text_add(t, name[0] != '\0' ? " " : "");
		tenf_text_add(t, name);
	}
	tenf_text_add_char(t, ')');
}

static void add_lease(struct tenf_text *t, const char *verb, const struct responder_record *record,
		      const char *name)
{
	tenf_text_add(t, verb);
	add_internal(t, record);
	tenf_text_add(t, " as ");
	add_endpoint(t, &record->external);
	tenf_text_add(t, " for ");
	tenf_text_add_number(t, record->lifetime_s);
	tenf_text_add(t, " s");
	add_rule(t, record, name);
	if (record->why != NULL) {
		tenf_text_add(t, ": ");
		tenf_text_add(t, record->why);
	}
}

static void add_removal(struct tenf_text *t, const struct responder_record *record,
			const char *name)
{
	if (record->count == 0) {
		tenf_text_add(t, "nothing to remove at ");
		add_internal(t, record);
	} else if (record->internal.port != 0) {
		tenf_text_add(t, "removed ");
		add_internal(t, record);
		tenf_text_add(t, " at ");
		add_endpoint(t, &record->external);
	} else {
		tenf_text_add(t, "removed ");
		tenf_text_add_number(t, record->count);
		tenf_text_add(t, record->count == 1 ? " mapping of " : " mappings of ");
		add_internal(t, record);
	}
	add_rule(t, record, name);
}

static void add_refusal(struct tenf_text *t, const struct responder_record *record,
			const char *name)
{
	tenf_text_add(t, "refused ");
	add_address(t, &record->client);
	if (record->protocol != 0) {
		tenf_text_add_char(t, ' ');
		add_internal(t, record);
	}
	tenf_text_add(t, ": ");
	tenf_text_add(t, record->version == NATPMP_VERSION ? natpmp_result_name(record->result)
							   : pcp_result_name(record->result));
	if (record->why != NULL) {
		tenf_text_add(t, ", ");
		tenf_text_add(t, record->why);
	}
	if (record->protocol != 0 && record->rule == POLICY_NO_RULE)
		tenf_text_add(t, ", by no rule");
	add_rule(t, record, name);
}

static void add_answer(struct tenf_text *t, const struct responder_record *record,
		       const char *name)
{
	tenf_text_add(t, "told ");
	add_address(t, &record->client);
	if (record->version == NATPMP_VERSION) {
		tenf_text_add(t, " the external address ");
		add_address(t, &record->external.address);
	} else {
		tenf_text_add(t, " the epoch");
	}
	add_rule(t, record, name);
}

void log_record(const struct responder_record *record, const char *name, struct tenf_text *ret)
{
	switch (record->verdict) {
	case RESPONDER_GRANTED:
		add_lease(ret, "granted ", record, name);
		break;
	case RESPONDER_RENEWED:
		add_lease(ret, "renewed ", record, name);
		break;
	case RESPONDER_REMOVED:
		add_removal(ret, record, name);
		break;
	case RESPONDER_REFUSED:
		add_refusal(ret, record, name);
		break;
	case RESPONDER_ANSWERED:
		add_answer(ret, record, name);
		break;
	case RESPONDER_EXPIRED:
		tenf_text_add(ret, "ended ");
		add_internal(ret, record);
		tenf_text_add(ret, " at ");
		add_endpoint(ret, &record->external);
		tenf_text_add(ret, ", its lease is over");
		add_rule(ret, record, name);
		break;
	case RESPONDER_PENDING:
		tenf_text_add(ret, "waits for a word (");
		tenf_text_add_number(ret, record->id);
		tenf_text_add(ret, "): ");
		add_refusal(ret, record, name);
		break;
	case RESPONDER_REVOKED:
		tenf_text_add(ret, record->end == LEDGER_NOT_ENDED ? "could not revoke "
								   : "revoked ");
		add_internal(ret, record);
		tenf_text_add(ret, " at ");
		add_endpoint(ret, &record->external);
		tenf_text_add(ret, ", ");
		tenf_text_add(ret, record->why);
		add_rule(ret, record, name);
		break;
	case RESPONDER_RESTARTED:
		tenf_text_add(ret, "restarted with epoch 0: ");
		tenf_text_add(ret, record->why);
		break;
	}
}
