/* SPDX-License-Identifier: MIT */
#include "gateway/clerk-private.h"

#include <string.h>

int clerk_next_frame(struct evbuffer *in, struct clerk_frame *ret)
{
	uint8_t head[CLERK_HEAD];
	struct tenf_reader r = tenf_reader_of(head, sizeof(head));
	uint32_t len;

	if (evbuffer_copyout(in, head, sizeof(head)) < (ssize_t)sizeof(head))
		return 0;
	len = tenf_reader_u32(&r);
	if (len > CLERK_FRAME_MAX)
		return -1;
	if (evbuffer_get_length(in) < CLERK_HEAD + len)
		return 0;
	ret->kind = (enum clerk_kind)tenf_reader_u8(&r);
	ret->len = len;
	(void)evbuffer_drain(in, CLERK_HEAD);
	return evbuffer_remove(in, ret->payload, len) == (int)len ? 1 : -1;
}

bool clerk_add_frame(struct evbuffer *out, enum clerk_kind kind, const void *payload, size_t len)
{
	uint8_t head[CLERK_HEAD];
	struct tenf_writer w = tenf_writer_of(head, sizeof(head));

	if (len > CLERK_FRAME_MAX)
		return false;
	tenf_writer_u32(&w, (uint32_t)len);
	tenf_writer_u8(&w, (uint8_t)kind);
	/* Both or neither: half a frame would be the end. */
	return evbuffer_expand(out, CLERK_HEAD + len) == 0 &&
	       evbuffer_add(out, head, sizeof(head)) == 0 && evbuffer_add(out, payload, len) == 0;
}

void clerk_write_query(const struct history_query *query, uint32_t id, struct tenf_writer *w)
{
	tenf_writer_u32(w, id);
	tenf_writer_u32(w, (uint32_t)((uint64_t)query->since >> 32));
	tenf_writer_u32(w, (uint32_t)query->since);
	tenf_writer_u8(w, query->has_client);
	tenf_writer_copy(w, query->client.octets, sizeof(query->client.octets));
	tenf_writer_u16(w, query->port);
	tenf_writer_u32(w, query->limit);
}

bool clerk_read_query(struct tenf_reader *r, struct history_query *ret, uint32_t *ret_id)
{
	struct history_query query = { .since = 0 };
	uint32_t id = tenf_reader_u32(r);
	uint64_t since = (uint64_t)tenf_reader_u32(r) << 32;

	query.since = (int64_t)(since | tenf_reader_u32(r));
	query.has_client = tenf_reader_u8(r) != 0;
	tenf_reader_copy(r, query.client.octets, sizeof(query.client.octets));
	query.port = tenf_reader_u16(r);
	query.limit = tenf_reader_u32(r);
	if (r->failed || r->left > 0 || query.limit > HISTORY_ANSWER_MAX)
		return false;
	*ret = query;
	*ret_id = id;
	return true;
}

static void write_u64(struct tenf_writer *w, uint64_t value)
{
	tenf_writer_u32(w, (uint32_t)(value >> 32));
	tenf_writer_u32(w, (uint32_t)value);
}

static uint64_t read_u64(struct tenf_reader *r)
{
	uint64_t high = tenf_reader_u32(r);

	return high << 32 | tenf_reader_u32(r);
}

void clerk_write_counts(const struct hooks_counts *counts, struct tenf_writer *w)
{
	write_u64(w, counts->told);
	write_u64(w, counts->failed);
	write_u64(w, counts->dropped);
}

bool clerk_read_counts(struct tenf_reader *r, struct hooks_counts *ret)
{
	struct hooks_counts counts;

	counts.told = read_u64(r);
	counts.failed = read_u64(r);
	counts.dropped = read_u64(r);
	if (r->failed || r->left > 0)
		return false;
	*ret = counts;
	return true;
}

void clerk_write_hooks(const struct config_hook *list, size_t count, struct tenf_writer *w)
{
	tenf_writer_u8(w, (uint8_t)count);
	for (size_t i = 0; i < count; i++) {
		const size_t len = strlen(list[i].target);

		tenf_writer_u8(w, (uint8_t)list[i].events);
		tenf_writer_u8(w, (uint8_t)list[i].kind);
		tenf_writer_u32(w, list[i].timeout_s);
		tenf_writer_u16(w, (uint16_t)len);
		tenf_writer_copy(w, list[i].target, len);
	}
}

static bool read_hook(struct tenf_reader *r, struct config_hook *ret)
{
	size_t len;

	*ret = (struct config_hook){ .events = tenf_reader_u8(r) };
	ret->kind = (enum config_hook_kind)tenf_reader_u8(r);
	ret->timeout_s = tenf_reader_u32(r);
	len = tenf_reader_u16(r);
	if (len == 0 || len >= sizeof(ret->target))
		return false;
	tenf_reader_copy(r, ret->target, len);
	return !r->failed && strlen(ret->target) == len && ret->events <= CONFIG_ON_ALL &&
	       (ret->kind == CONFIG_RUN || ret->kind == CONFIG_WEBHOOK) && ret->timeout_s > 0 &&
	       ret->timeout_s <= CONFIG_HOOK_TIMEOUT_MAX_S;
}

bool clerk_read_hooks(struct tenf_reader *r, struct config_hook *ret, size_t *ret_count)
{
	size_t count = tenf_reader_u8(r);
	bool good = count <= CONFIG_HOOKS_MAX;

	for (size_t i = 0; good && i < count; i++)
		good = read_hook(r, &ret[i]);
	if (!good || r->failed || r->left > 0)
		return false;
	*ret_count = count;
	return true;
}
