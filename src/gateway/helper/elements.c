/* SPDX-License-Identifier: MIT */
#include "gateway/helper/elements.h"

#include <string.h>

/* nft's comments are user data of this type; types it does not know it passes over. */
#define TYPE_COMMENT 0
#define TYPE_RECORD 0x54
#define TYPE_DESCRIPTION 0x55
#define TYPE_EPOCH 0x56
#define TYPE_ASKER 0x57

#define PORT_MAX 65535
/* A mapping that outlived its filters for a moment would be open to all. */
#define FILTER_LONGER_MS 5000
/* The way out of mappings ends at multiples of this: a lease of 2 h that is renewed each
 * hour touches it every fourth time. */
#define SOURCE_GRID (4 * 3600 * TENF_SECOND)
/* What is read back after a restart is off by moments. */
#define SOURCE_LONGER (5 * TENF_SECOND)

const char *const element_set_names[SET_COUNT] = {
	[SET_DNAT4] = "dnat4_0",       [SET_DNAT4 + 1] = "dnat4_1",
	[SET_DNAT4 + 2] = "dnat4_2",   [SET_DNAT4 + 3] = "dnat4_3",
	[SET_DNAT4 + 4] = "dnat4_4",   [SET_DNAT4 + 5] = "dnat4_5",
	[SET_DNAT4 + 6] = "dnat4_6",   [SET_DNAT4 + 7] = "dnat4_7",
	[SET_SNAT4] = "snat4_0",       [SET_SNAT4 + 1] = "snat4_1",
	[SET_SNAT4 + 2] = "snat4_2",   [SET_SNAT4 + 3] = "snat4_3",
	[SET_SNAT4 + 4] = "snat4_4",   [SET_SNAT4 + 5] = "snat4_5",
	[SET_SNAT4 + 6] = "snat4_6",   [SET_SNAT4 + 7] = "snat4_7",
	[SET_PINHOLE6] = "pinhole6",   [SET_FILTERED4] = "filtered4",
	[SET_FILTERED6] = "filtered6", [SET_ALLOWED4] = "allowed4",
	[SET_ALLOWED6] = "allowed6",   [SET_DPEER4] = "dpeer4",
	[SET_SPEER4] = "speer4",       [SET_PEER6] = "peer6",
	[SET_STATE] = "state",
};
_Static_assert(ELEMENT_PARTS == 8, "each part has its name");

bool element_set_is_dnat4(unsigned set)
{
	return set < SET_DNAT4 + ELEMENT_PARTS;
}

bool element_set_is_snat4(unsigned set)
{
	return set >= SET_SNAT4 && set < SET_SNAT4 + ELEMENT_PARTS;
}

static uint8_t part_of(enum element_set first, uint16_t port)
{
	return (uint8_t)((unsigned)first + port % ELEMENT_PARTS);
}

uint64_t element_timeout(tenf_time ends_at, tenf_time now)
{
	if (ends_at == TENF_NEVER)
		return 0;
	return (uint64_t)tenf_time_max((ends_at - now) / TENF_MILLISECOND, 1);
}

tenf_time element_source_end(tenf_time ends_at)
{
	if (ends_at > TENF_NEVER - SOURCE_GRID)
		return TENF_NEVER;
	return tenf_time_add((ends_at / SOURCE_GRID + 1) * SOURCE_GRID, SOURCE_LONGER);
}

/* ---- Keys ------------------------------------------------------------------ */

static void write_protocol(struct tenf_writer *w, uint8_t protocol)
{
	tenf_writer_u8(w, protocol);
	tenf_writer_fill(w, 0, 3);
}

static void write_address(struct tenf_writer *w, const struct tenf_address *a)
{
	if (tenf_address_is_v4(a))
		tenf_writer_u32(w, tenf_address_to_v4(a));
	else
		tenf_writer_copy(w, a->octets, sizeof(a->octets));
}

static void write_port(struct tenf_writer *w, uint16_t port)
{
	tenf_writer_u16(w, port);
	tenf_writer_u16(w, 0);
}

static void write_endpoint(struct tenf_writer *w, const struct tenf_endpoint *e)
{
	write_address(w, &e->address);
	write_port(w, e->port);
}

/* `remote` is left out where it has no port. */
static uint8_t write_key(uint8_t *key, uint8_t protocol, const struct tenf_endpoint *e,
			 const struct tenf_endpoint *remote)
{
	struct tenf_writer w = tenf_writer_of(key, ELEMENT_KEY_MAX);

	write_protocol(&w, protocol);
	write_endpoint(&w, e);
	if (remote->port != 0)
		write_endpoint(&w, remote);
	return (uint8_t)w.used;
}

static void read_address(struct tenf_reader *r, bool v4, struct tenf_address *ret)
{
	if (v4)
		*ret = tenf_address_v4(tenf_reader_u32(r));
	else
		tenf_reader_copy(r, ret->octets, sizeof(ret->octets));
}

static void read_endpoint(struct tenf_reader *r, bool v4, struct tenf_endpoint *ret)
{
	read_address(r, v4, &ret->address);
	ret->port = tenf_reader_u16(r);
	tenf_reader_skip(r, 2);
}

static uint8_t read_protocol(struct tenf_reader *r)
{
	uint8_t protocol = tenf_reader_u8(r);

	tenf_reader_skip(r, 3);
	return protocol;
}

/* ---- User data --------------------------------------------------------------- */

static void write_comment(struct tenf_writer *w, const struct helper_mapping *m)
{
	static const char *const makers[] = { [LEDGER_BY_NATPMP] = "NAT-PMP",
					      [LEDGER_BY_PCP] = "PCP",
					      [LEDGER_STATIC] = "static" };
	char text[ELEMENT_COMMENT_MAX];
	size_t len = strlen(makers[m->maker]);

	memcpy(text, makers[m->maker], len);
	if (m->description_len > 0)
		text[len++] = ' ';
	/* A client's words in an administrator's terminal: letters alone, no quotes. */
	for (uint8_t i = 0; i < m->description_len && len < sizeof(text) - 1; i++) {
		uint8_t c = m->description[i];

		text[len++] = c < 0x20 || c > 0x7e || c == '"' || c == '\\' ? '_' : (char)c;
	}
	text[len++] = '\0';
	tenf_writer_u8(w, TYPE_COMMENT);
	tenf_writer_u8(w, (uint8_t)len);
	tenf_writer_copy(w, text, len);
}

#define RECORD_SIZE (1 + 1 + PCP_NONCE + 8 + 4 + 4 + 4 + 2)

static void write_record(struct tenf_writer *w, const struct helper_mapping *m)
{
	tenf_writer_u8(w, TYPE_RECORD);
	tenf_writer_u8(w, RECORD_SIZE);
	tenf_writer_u8(w, ELEMENT_VERSION);
	tenf_writer_u8(w, m->maker);
	tenf_writer_copy(w, m->nonce, sizeof(m->nonce));
	helper_write_time(w, m->made_at);
	tenf_writer_u32(w, m->lifetime_s);
	tenf_writer_u32(w, m->renewals);
	tenf_writer_u32(w, m->id);
	tenf_writer_u16(w, (uint16_t)m->rule);
	if (m->description_len > 0) {
		tenf_writer_u8(w, TYPE_DESCRIPTION);
		tenf_writer_u8(w, m->description_len);
		tenf_writer_copy(w, m->description, m->description_len);
	}
	if (m->has_asker) {
		tenf_writer_u8(w, TYPE_ASKER);
		tenf_writer_u8(w, sizeof(m->asker.octets));
		tenf_writer_copy(w, m->asker.octets, sizeof(m->asker.octets));
	}
}
_Static_assert(2 + ELEMENT_COMMENT_MAX + 2 + RECORD_SIZE + 2 + LEDGER_DESCRIPTION_MAX + 2 + 16 <=
		       ELEMENT_USER_DATA_MAX,
	       "all that is said of a mapping fits its user data");

/* The part of one type; failed when there is none. */
static struct tenf_reader find_part(const struct element *e, uint8_t wanted)
{
	struct tenf_reader all = tenf_reader_of(e->user_data, e->user_data_len);

	while (all.left > 0 && !all.failed) {
		uint8_t type = tenf_reader_u8(&all);
		struct tenf_reader part = tenf_reader_sub(&all, tenf_reader_u8(&all));

		if (!all.failed && type == wanted)
			return part;
	}
	all.failed = true;
	return all;
}

static bool read_record(const struct element *e, struct helper_mapping *ret)
{
	struct tenf_reader record = find_part(e, TYPE_RECORD);
	struct tenf_reader description = find_part(e, TYPE_DESCRIPTION);
	struct tenf_reader asker = find_part(e, TYPE_ASKER);
	uint8_t version = tenf_reader_u8(&record);

	ret->maker = tenf_reader_u8(&record);
	tenf_reader_copy(&record, ret->nonce, sizeof(ret->nonce));
	ret->made_at = helper_read_time(&record);
	ret->lifetime_s = tenf_reader_u32(&record);
	ret->renewals = tenf_reader_u32(&record);
	ret->id = tenf_reader_u32(&record);
	ret->rule = (int16_t)tenf_reader_u16(&record);
	ret->description_len = 0;
	if (!description.failed && description.left <= LEDGER_DESCRIPTION_MAX) {
		ret->description_len = (uint8_t)description.left;
		tenf_reader_copy(&description, ret->description, description.left);
	}
	ret->has_asker = !asker.failed && asker.left == sizeof(ret->asker.octets);
	if (ret->has_asker)
		tenf_reader_copy(&asker, ret->asker.octets, sizeof(ret->asker.octets));
	return !record.failed && version == ELEMENT_VERSION && ret->maker >= LEDGER_BY_NATPMP &&
	       ret->maker <= LEDGER_STATIC;
}

/* ---- Mappings ------------------------------------------------------------------ */

void element_of_mapping(const struct helper_mapping *m, tenf_time now, uint8_t *user_data,
			struct element *ret)
{
	struct tenf_writer data = tenf_writer_of(ret->data, sizeof(ret->data));
	struct tenf_writer w = tenf_writer_of(user_data, ELEMENT_USER_DATA_MAX);
	bool v4 = tenf_address_is_v4(&m->internal.address);

	if (m->remote.port != 0)
		ret->set = v4 ? SET_DPEER4 : SET_PEER6;
	else
		ret->set = v4 ? part_of(SET_DNAT4, m->external.port) : SET_PINHOLE6;
	ret->key_len = write_key(ret->key, m->protocol, &m->external, &m->remote);
	ret->has_end = false;
	if (v4)
		write_endpoint(&data, &m->internal);
	ret->data_len = (uint8_t)data.used;
	ret->timeout_ms = element_timeout(m->ends_at, now);
	write_comment(&w, m);
	write_record(&w, m);
	ret->user_data = user_data;
	ret->user_data_len = (uint16_t)w.used;
}

void element_of_source(const struct helper_mapping *m, tenf_time now, struct element *ret)
{
	struct tenf_writer data = tenf_writer_of(ret->data, sizeof(ret->data));
	bool is_peer = m->remote.port != 0;
	tenf_time ends_at = is_peer ? m->ends_at : element_source_end(m->ends_at);

	ret->set = is_peer ? SET_SPEER4 : part_of(SET_SNAT4, m->internal.port);
	ret->key_len = write_key(ret->key, m->protocol, &m->internal, &m->remote);
	ret->has_end = false;
	write_endpoint(&data, &m->external);
	ret->data_len = (uint8_t)data.used;
	ret->timeout_ms = element_timeout(ends_at, now);
	ret->user_data = NULL;
	ret->user_data_len = 0;
}

enum tenf_status element_to_mapping(const struct element *e, uint64_t left_ms, tenf_time now,
				    struct helper_mapping *ret)
{
	struct tenf_reader key = tenf_reader_of(e->key, e->key_len);
	struct tenf_reader data = tenf_reader_of(e->data, e->data_len);
	bool v4 = element_set_is_dnat4(e->set) || e->set == SET_DPEER4;

	memset(ret, 0, offsetof(struct helper_mapping, description));
	ret->protocol = read_protocol(&key);
	read_endpoint(&key, v4, &ret->external);
	if (e->set == SET_DPEER4 || e->set == SET_PEER6)
		read_endpoint(&key, v4, &ret->remote);
	ret->internal = ret->external;
	if (v4)
		read_endpoint(&data, v4, &ret->internal);
	ret->ends_at = left_ms == 0 ? TENF_NEVER
				    : tenf_time_add(now, (tenf_time)left_ms * TENF_MILLISECOND);
	if (key.failed || data.failed || !read_record(e, ret))
		return TENF_E_MALFORMED;
	return TENF_OK;
}

/* ---- Filters ---------------------------------------------------------------------- */

static uint64_t filter_timeout(const struct helper_mapping *m, tenf_time now)
{
	uint64_t timeout_ms = element_timeout(m->ends_at, now);

	return timeout_ms == 0 ? 0 : timeout_ms + FILTER_LONGER_MS;
}

static void init_filter(struct element *e, enum element_set set, const struct helper_mapping *m,
			tenf_time now)
{
	e->set = (uint8_t)set;
	e->data_len = 0;
	e->has_end = false;
	e->timeout_ms = filter_timeout(m, now);
	e->user_data = NULL;
	e->user_data_len = 0;
}

void element_of_filtered(const struct helper_mapping *m, tenf_time now, struct element *ret)
{
	bool v4 = tenf_address_is_v4(&m->internal.address);

	init_filter(ret, v4 ? SET_FILTERED4 : SET_FILTERED6, m, now);
	ret->key_len = write_key(ret->key, m->protocol, &m->external, &m->remote);
}

/* All bits behind the prefix become `bit`. */
static struct tenf_address fill_behind(const struct tenf_address *a, unsigned length, unsigned bit)
{
	struct tenf_address filled = *a;

	for (unsigned i = length; i < 128; i++) {
		uint8_t mask = (uint8_t)(0x80u >> i % 8);

		if (bit == 1)
			filled.octets[i / 8] |= mask;
		else
			filled.octets[i / 8] &= (uint8_t)~mask;
	}
	return filled;
}

void element_of_filter(const struct helper_mapping *m, const struct pcp_filter *filter,
		       tenf_time now, struct element *ret)
{
	bool v4 = tenf_address_is_v4(&m->internal.address);
	struct tenf_endpoint first = { fill_behind(&filter->address, filter->prefix_length, 0),
				       filter->port };
	struct tenf_endpoint last = { fill_behind(&filter->address, filter->prefix_length, 1),
				      filter->port != 0 ? filter->port : PORT_MAX };
	struct tenf_writer key = tenf_writer_of(ret->key, sizeof(ret->key));
	struct tenf_writer end = tenf_writer_of(ret->end, sizeof(ret->end));

	init_filter(ret, v4 ? SET_ALLOWED4 : SET_ALLOWED6, m, now);
	write_protocol(&key, m->protocol);
	write_endpoint(&key, &m->external);
	write_endpoint(&key, &first);
	write_protocol(&end, m->protocol);
	write_endpoint(&end, &m->external);
	write_endpoint(&end, &last);
	ret->key_len = (uint8_t)key.used;
	ret->has_end = true;
}

static unsigned common_bits(const struct tenf_address *a, const struct tenf_address *b)
{
	unsigned bits = 0;

	while (bits < 128 && ((a->octets[bits / 8] ^ b->octets[bits / 8]) & 0x80u >> bits % 8) == 0)
		bits++;
	return bits;
}

enum tenf_status element_to_filter(const struct element *e, struct element_filter *ret)
{
	struct tenf_reader key = tenf_reader_of(e->key, e->key_len);
	struct tenf_reader end = tenf_reader_of(e->end, e->has_end ? e->key_len : 0);
	bool v4 = e->set == SET_ALLOWED4;
	struct element_filter found;
	struct tenf_endpoint first;
	struct tenf_endpoint last;

	found.protocol = read_protocol(&key);
	read_endpoint(&key, v4, &found.external);
	read_endpoint(&key, v4, &first);
	(void)read_protocol(&end);
	read_endpoint(&end, v4, &last);
	read_endpoint(&end, v4, &last);
	if (key.failed || end.failed)
		return TENF_E_MALFORMED;
	found.filter.address = first.address;
	found.filter.port = first.port == last.port ? first.port : 0;
	found.filter.prefix_length = (uint8_t)common_bits(&first.address, &last.address);
	*ret = found;
	return TENF_OK;
}

/* ---- State --------------------------------------------------------------------------- */

void element_of_state(tenf_time epoch_start, uint8_t *user_data, struct element *ret)
{
	static const uint32_t version = ELEMENT_VERSION; /* a mark: in the host's order */
	struct tenf_writer w = tenf_writer_of(user_data, ELEMENT_USER_DATA_MAX);

	*ret = (struct element){ .set = SET_STATE, .key_len = sizeof(version),
				 .user_data = user_data };
	memcpy(ret->key, &version, sizeof(version));
	tenf_writer_u8(&w, TYPE_EPOCH);
	tenf_writer_u8(&w, 8);
	helper_write_time(&w, epoch_start);
	ret->user_data_len = (uint16_t)w.used;
}

enum tenf_status element_to_state(const struct element *e, tenf_time *ret_epoch_start)
{
	struct tenf_reader part = find_part(e, TYPE_EPOCH);
	tenf_time epoch_start = helper_read_time(&part);
	uint32_t version = 0;

	memcpy(&version, e->key, e->key_len < sizeof(version) ? e->key_len : sizeof(version));
	if (part.failed || version != ELEMENT_VERSION)
		return TENF_E_MALFORMED;
	*ret_epoch_start = epoch_start;
	return TENF_OK;
}
