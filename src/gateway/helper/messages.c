/* SPDX-License-Identifier: MIT */
#include "gateway/helper/messages.h"

#include "gateway/endpoint-bytes.h"

#include <string.h>

#define FLAG_CONTENT 1u
#define FLAG_CUT 2u

/* ---- Small parts ---------------------------------------------------------- */

static enum tenf_status judge(const struct tenf_reader *r, bool makes_sense)
{
	if (r->failed)
		return TENF_E_TRUNCATED;
	return makes_sense ? TENF_OK : TENF_E_MALFORMED;
}

void helper_write_time(struct tenf_writer *w, tenf_time at)
{
	tenf_writer_u64(w, (uint64_t)at);
}

tenf_time helper_read_time(struct tenf_reader *r)
{
	return (tenf_time)tenf_reader_u64(r);
}

static bool is_protocol(uint8_t protocol)
{
	return protocol == TENF_TCP || protocol == TENF_UDP;
}

/* ---- The header ------------------------------------------------------------- */

void helper_write_head(struct tenf_writer *w, const struct helper_head *head)
{
	tenf_writer_u8(w, (uint8_t)head->kind);
	tenf_writer_u8(w, head->more ? HELPER_MORE : 0);
	tenf_writer_u16(w, head->count);
	tenf_writer_u32(w, head->number);
}

enum tenf_status helper_read_head(struct tenf_reader *r, struct helper_head *ret)
{
	uint8_t kind = tenf_reader_u8(r);
	uint8_t flags = tenf_reader_u8(r);
	struct helper_head head = { .kind = (enum helper_kind)kind,
				    .more = (flags & HELPER_MORE) != 0,
				    .count = tenf_reader_u16(r),
				    .number = tenf_reader_u32(r) };
	enum tenf_status status = judge(r, kind >= HELPER_SETUP && kind <= HELPER_NEWS &&
						   (flags & ~HELPER_MORE) == 0);

	if (status == TENF_OK)
		*ret = head;
	return status;
}

/* ---- Mappings and changes ---------------------------------------------------- */

static void write_filter(struct tenf_writer *w, const struct pcp_filter *f)
{
	tenf_writer_u8(w, f->prefix_length);
	tenf_writer_u16(w, f->port);
	tenf_writer_copy(w, f->address.octets, sizeof(f->address.octets));
}

static bool read_filter(struct tenf_reader *r, bool v4, struct pcp_filter *ret)
{
	ret->prefix_length = tenf_reader_u8(r);
	ret->port = tenf_reader_u16(r);
	tenf_reader_copy(r, ret->address.octets, sizeof(ret->address.octets));
	return ret->prefix_length <= 128 && ret->prefix_length >= (v4 ? 96 : 1) &&
	       tenf_address_is_v4(&ret->address) == v4;
}

void helper_write_mapping(struct tenf_writer *w, const struct helper_mapping *m)
{
	tenf_writer_u8(w, m->protocol);
	tenf_writer_u8(w, m->maker);
	endpoint_write(w, &m->external);
	endpoint_write(w, &m->internal);
	tenf_writer_u8(w, m->remote.port != 0 ? 1 : 0);
	if (m->remote.port != 0)
		endpoint_write(w, &m->remote);
	helper_write_time(w, m->made_at);
	helper_write_time(w, m->ends_at);
	tenf_writer_copy(w, m->nonce, sizeof(m->nonce));
	tenf_writer_u32(w, m->lifetime_s);
	tenf_writer_u32(w, m->renewals);
	tenf_writer_u32(w, m->id);
	tenf_writer_u16(w, (uint16_t)m->rule);
	tenf_writer_u8(w, m->description_len);
	tenf_writer_u8(w, m->filter_count);
	tenf_writer_u8(w, m->has_asker ? 1 : 0);
	if (m->has_asker)
		tenf_writer_copy(w, m->asker.octets, sizeof(m->asker.octets));
	tenf_writer_copy(w, m->description, m->description_len);
	for (uint8_t i = 0; i < m->filter_count; i++)
		write_filter(w, &m->filters[i]);
}

/* A mapping leads to a host of the same family; an IPv6 one translates nothing. */
static bool endpoints_fit(const struct helper_mapping *m)
{
	bool v4 = tenf_address_is_v4(&m->internal.address);

	return m->external.port != 0 && m->internal.port != 0 &&
	       tenf_address_is_host(&m->internal.address) &&
	       tenf_address_is_host(&m->external.address) &&
	       tenf_address_is_v4(&m->external.address) == v4 &&
	       (v4 || tenf_endpoint_equal(&m->external, &m->internal));
}

/* A remote peer is of the same family, and has nothing that a mapping alone can have. */
static bool remote_fits(const struct helper_mapping *m, uint8_t has_remote)
{
	if (has_remote == 0)
		return true;
	return has_remote == 1 && m->remote.port != 0 && tenf_address_is_host(&m->remote.address) &&
	       tenf_address_is_v4(&m->remote.address) ==
		       tenf_address_is_v4(&m->internal.address) &&
	       m->maker == LEDGER_BY_PCP && m->description_len == 0 && m->filter_count == 0;
}

enum tenf_status helper_read_mapping(struct tenf_reader *r, struct helper_mapping *ret)
{
	struct helper_mapping m = { .remote = { .port = 0 } };
	uint8_t has_remote, has_asker;
	bool good;

	m.protocol = tenf_reader_u8(r);
	m.maker = tenf_reader_u8(r);
	endpoint_read(r, &m.external);
	endpoint_read(r, &m.internal);
	has_remote = tenf_reader_u8(r);
	if (has_remote == 1)
		endpoint_read(r, &m.remote);
	m.made_at = helper_read_time(r);
	m.ends_at = helper_read_time(r);
	tenf_reader_copy(r, m.nonce, sizeof(m.nonce));
	m.lifetime_s = tenf_reader_u32(r);
	m.renewals = tenf_reader_u32(r);
	m.id = tenf_reader_u32(r);
	m.rule = (int16_t)tenf_reader_u16(r);
	m.description_len = tenf_reader_u8(r);
	m.filter_count = tenf_reader_u8(r);
	has_asker = tenf_reader_u8(r);
	m.has_asker = has_asker == 1;
	if (m.has_asker)
		tenf_reader_copy(r, m.asker.octets, sizeof(m.asker.octets));
	good = has_asker <= 1 && (!m.has_asker || !tenf_address_is_none(&m.asker)) &&
	       is_protocol(m.protocol) && m.maker >= LEDGER_BY_NATPMP && m.maker <= LEDGER_STATIC &&
	       endpoints_fit(&m) && m.ends_at > 0 && m.description_len <= LEDGER_DESCRIPTION_MAX &&
	       m.filter_count <= LEDGER_FILTERS_MAX && remote_fits(&m, has_remote);
	if (r->failed || !good)
		return judge(r, good);
	tenf_reader_copy(r, m.description, m.description_len);
	for (uint8_t i = 0; i < m.filter_count; i++)
		good &= read_filter(r, tenf_address_is_v4(&m.internal.address), &m.filters[i]);
	if (r->failed || !good)
		return judge(r, good);
	memcpy(ret, &m, offsetof(struct helper_mapping, description));
	memcpy(ret->description, m.description, m.description_len);
	memcpy(ret->filters, m.filters, m.filter_count * sizeof(m.filters[0]));
	return TENF_OK;
}

void helper_write_change(struct tenf_writer *w, const struct helper_change *change)
{
	tenf_writer_u8(w, (uint8_t)change->kind);
	tenf_writer_u8(w, (uint8_t)((change->content ? FLAG_CONTENT : 0) |
				    (change->cut ? FLAG_CUT : 0)));
	switch (change->kind) {
	case HELPER_RENEW:
		helper_write_time(w, change->held_until);
		helper_write_mapping(w, &change->mapping);
		break;
	case HELPER_INSTALL:
	case HELPER_REMOVE:
		helper_write_mapping(w, &change->mapping);
		break;
	case HELPER_EPOCH:
		helper_write_time(w, change->epoch_start);
		break;
	case HELPER_FLUSH:
		break;
	}
}

enum tenf_status helper_read_change(struct tenf_reader *r, struct helper_change *ret)
{
	uint8_t kind = tenf_reader_u8(r);
	uint8_t flags = tenf_reader_u8(r);
	enum tenf_status status = judge(r, kind >= HELPER_INSTALL && kind <= HELPER_EPOCH &&
						   flags <= (FLAG_CONTENT | FLAG_CUT));
	tenf_time epoch_start = 0;
	tenf_time held_until = 0;

	if (status == TENF_OK && kind == HELPER_EPOCH)
		epoch_start = helper_read_time(r);
	if (status == TENF_OK && kind == HELPER_RENEW)
		held_until = helper_read_time(r);
	if (status == TENF_OK)
		status = judge(r, held_until >= 0);
	if (status == TENF_OK && kind != HELPER_EPOCH && kind != HELPER_FLUSH)
		status = helper_read_mapping(r, &ret->mapping);
	if (status != TENF_OK)
		return status;
	ret->kind = (enum helper_change_kind)kind;
	ret->content = (flags & FLAG_CONTENT) != 0;
	ret->cut = (flags & FLAG_CUT) != 0;
	ret->epoch_start = epoch_start;
	ret->held_until = held_until;
	return TENF_OK;
}

/* ---- Answers ------------------------------------------------------------------ */

void helper_write_done(struct tenf_writer *w, const struct helper_done *done)
{
	size_t len = strnlen(done->text, HELPER_TEXT_MAX - 1);

	tenf_writer_u8(w, (uint8_t)done->outcome);
	tenf_writer_u8(w, done->fresh ? 1 : 0);
	tenf_writer_u32(w, (uint32_t)done->code);
	tenf_writer_u16(w, (uint16_t)len);
	tenf_writer_copy(w, done->text, len);
}

enum tenf_status helper_read_done(struct tenf_reader *r, struct helper_done *ret)
{
	uint8_t outcome = tenf_reader_u8(r);
	uint8_t fresh = tenf_reader_u8(r);
	int32_t code = (int32_t)tenf_reader_u32(r);
	uint16_t len = tenf_reader_u16(r);
	enum tenf_status status = judge(r, outcome <= HELPER_UNSURE && fresh <= 1 &&
						   len < HELPER_TEXT_MAX && r->left >= len);

	if (status != TENF_OK)
		return status;
	ret->outcome = (enum helper_outcome)outcome;
	ret->fresh = fresh == 1;
	ret->code = code;
	tenf_reader_copy(r, ret->text, len);
	ret->text[len] = '\0';
	return TENF_OK;
}

void helper_write_news(struct tenf_writer *w, enum helper_news news)
{
	tenf_writer_u8(w, (uint8_t)news);
}

enum tenf_status helper_read_news(struct tenf_reader *r, enum helper_news *ret)
{
	uint8_t news = tenf_reader_u8(r);
	enum tenf_status status = judge(r, news == HELPER_LOST);

	if (status == TENF_OK)
		*ret = (enum helper_news)news;
	return status;
}

void helper_write_flow(struct tenf_writer *w, const struct helper_flow *flow)
{
	tenf_writer_u8(w, flow->protocol);
	endpoint_write(w, &flow->internal);
	endpoint_write(w, &flow->remote);
}

enum tenf_status helper_read_flow(struct tenf_reader *r, struct helper_flow *ret)
{
	struct helper_flow flow = { .protocol = tenf_reader_u8(r) };
	enum tenf_status status;

	endpoint_read(r, &flow.internal);
	endpoint_read(r, &flow.remote);
	status = judge(r, is_protocol(flow.protocol) &&
				  tenf_address_is_v4(&flow.internal.address) ==
					  tenf_address_is_v4(&flow.remote.address));
	if (status == TENF_OK)
		*ret = flow;
	return status;
}

void helper_write_found(struct tenf_writer *w, const struct helper_found *found)
{
	tenf_writer_u8(w, found->found ? 1 : 0);
	endpoint_write(w, &found->external);
	tenf_writer_u32(w, found->lifetime_s);
}

enum tenf_status helper_read_found(struct tenf_reader *r, struct helper_found *ret)
{
	uint8_t is_found = tenf_reader_u8(r);
	struct helper_found found = { .found = is_found == 1 };
	enum tenf_status status;

	endpoint_read(r, &found.external);
	found.lifetime_s = tenf_reader_u32(r);
	status = judge(r, is_found <= 1);
	if (status == TENF_OK)
		*ret = found;
	return status;
}
