/* SPDX-License-Identifier: MIT */
/* A notice on its way between two processes of the gateway. */
#include "gateway/notice.h"

#include "gateway/endpoint-bytes.h"

#include <string.h>

#define NO_RULE 0xffff

/* One octet of length, cut at `size` - 1. */
static void write_text(struct tenf_writer *w, const char *text, size_t size)
{
	size_t len = text != NULL ? strnlen(text, size - 1) : 0;

	tenf_writer_u8(w, (uint8_t)len);
	tenf_writer_copy(w, len > 0 ? text : "", len);
}

static void read_text(struct tenf_reader *r, char *ret, size_t size)
{
	size_t len = tenf_reader_u8(r);

	if (len >= size) {
		r->failed = true;
		len = 0;
	}
	tenf_reader_copy(r, ret, len);
	ret[len] = '\0';
	if (strlen(ret) != len)
		r->failed = true;
}

static void write_record(const struct responder_record *record, struct tenf_writer *w)
{
	tenf_writer_u8(w, (uint8_t)record->verdict);
	tenf_writer_u8(w, record->version);
	tenf_writer_u8(w, record->opcode);
	tenf_writer_u8(w, record->result);
	tenf_writer_u16(w, (uint16_t)record->protocol);
	tenf_writer_copy(w, record->client.octets, sizeof(record->client.octets));
	tenf_writer_u8(w, record->has_mac);
	tenf_writer_copy(w, record->mac, sizeof(record->mac));
	endpoint_write(w, &record->internal);
	endpoint_write(w, &record->external);
	endpoint_write(w, &record->remote);
	tenf_writer_u32(w, record->lifetime_s);
	tenf_writer_u32(w, record->count);
	tenf_writer_u32(w, record->id);
	tenf_writer_u32(w, record->renewals);
	tenf_writer_u8(w, (uint8_t)record->end);
	tenf_writer_u16(w, record->rule >= 0 ? (uint16_t)record->rule : NO_RULE);
	write_text(w, record->why, NOTICE_WHY_MAX);
}

static void read_record(struct tenf_reader *r, struct responder_record *ret,
			char why[NOTICE_WHY_MAX])
{
	uint16_t rule;

	ret->verdict = (enum responder_verdict)tenf_reader_u8(r);
	ret->version = tenf_reader_u8(r);
	ret->opcode = tenf_reader_u8(r);
	ret->result = tenf_reader_u8(r);
	ret->protocol = (enum tenf_protocol)tenf_reader_u16(r);
	tenf_reader_copy(r, ret->client.octets, sizeof(ret->client.octets));
	ret->has_mac = tenf_reader_u8(r) != 0;
	tenf_reader_copy(r, ret->mac, sizeof(ret->mac));
	endpoint_read(r, &ret->internal);
	endpoint_read(r, &ret->external);
	endpoint_read(r, &ret->remote);
	ret->lifetime_s = tenf_reader_u32(r);
	ret->count = tenf_reader_u32(r);
	ret->id = tenf_reader_u32(r);
	ret->renewals = tenf_reader_u32(r);
	ret->end = (enum ledger_end)tenf_reader_u8(r);
	rule = tenf_reader_u16(r);
	ret->rule = rule == NO_RULE ? POLICY_NO_RULE : rule;
	read_text(r, why, NOTICE_WHY_MAX);
	ret->why = why[0] != '\0' ? why : NULL;
}

void notice_write(const struct notice *n, struct tenf_writer *w)
{
	tenf_writer_u64(w, (uint64_t)n->at);
	tenf_writer_u64(w, (uint64_t)n->made_at);
	write_record(&n->record, w);
	tenf_writer_u8(w, (uint8_t)n->action);
	tenf_writer_u8(w, (uint8_t)n->word);
	tenf_writer_copy(w, n->gateway.octets, sizeof(n->gateway.octets));
	write_text(w, n->rule_name, sizeof(n->rule_name));
	write_text(w, n->who, sizeof(n->who));
}

bool notice_read(struct tenf_reader *r, struct notice *ret, char why[NOTICE_WHY_MAX])
{
	struct notice n = { .at = (int64_t)tenf_reader_u64(r),
			    .made_at = (int64_t)tenf_reader_u64(r) };

	read_record(r, &n.record, why);
	n.action = (enum policy_action)tenf_reader_u8(r);
	n.word = (enum pending_state)tenf_reader_u8(r);
	tenf_reader_copy(r, n.gateway.octets, sizeof(n.gateway.octets));
	read_text(r, n.rule_name, sizeof(n.rule_name));
	read_text(r, n.who, sizeof(n.who));
	if (r->failed || n.record.rule >= POLICY_RULES_MAX)
		return false;
	*ret = n;
	return true;
}
