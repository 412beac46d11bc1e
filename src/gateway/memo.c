/* SPDX-License-Identifier: MIT */
#include "gateway/memo.h"

#include "gateway/endpoint-bytes.h"
#include "net/clock.h"

#include <string.h>

#define VERSION 1
#define FAR_S (10 * 365 * INT64_C(86400)) /* so far away is never, or nonsense */

/* ---- Times ---------------------------------------------------------------- */

static int64_t wall_of(tenf_time at)
{
	return at == TENF_NEVER ? MEMO_NEVER : net_wall_of_s(at);
}

static tenf_time boot_of(int64_t wall)
{
	const int64_t now = net_wall_s();

	if (wall > now && wall - now > FAR_S)
		return TENF_NEVER;
	if (wall < now - FAR_S)
		return 0;
	return net_now() + (wall - now) * TENF_SECOND;
}

/* ---- Octets --------------------------------------------------------------- */

void memo_to_row(const struct responder_memo *m, struct memo_row *ret)
{
	struct tenf_writer w = tenf_writer_of(ret->data, sizeof(ret->data));

	ret->kind = (uint8_t)m->kind;
	ret->id = m->id;
	ret->until = m->until == 0 ? 0 : wall_of(m->until);
	tenf_writer_u8(&w, VERSION);
	tenf_writer_u8(&w, (uint8_t)m->protocol);
	endpoint_write(&w, &m->internal);
	endpoint_write(&w, &m->external);
	endpoint_write(&w, &m->remote);
	tenf_writer_u8(&w, (uint8_t)m->maker);
	tenf_writer_u8(&w, (uint8_t)m->end);
	tenf_writer_copy(&w, m->nonce, sizeof(m->nonce));
	tenf_writer_copy(&w, m->client.octets, sizeof(m->client.octets));
	tenf_writer_u8(&w, (uint8_t)m->state);
	tenf_writer_u8(&w, m->has_mac);
	tenf_writer_copy(&w, m->mac, sizeof(m->mac));
	tenf_writer_u64(&w, (uint64_t)net_wall_of_s(m->first_seen));
	tenf_writer_u32(&w, m->tries);
	tenf_writer_u32(&w, m->next_id);
	tenf_writer_u32(&w, m->next_wish);
	ret->len = w.used;
}

bool memo_of_row(const struct memo_row *row, struct responder_memo *ret)
{
	struct tenf_reader r = tenf_reader_of(row->data, row->len);
	struct responder_memo m = { .kind = (enum memo_kind)row->kind, .id = row->id };
	uint8_t version = tenf_reader_u8(&r);

	m.until = row->until == 0 ? 0 : boot_of(row->until);
	m.protocol = (enum tenf_protocol)tenf_reader_u8(&r);
	endpoint_read(&r, &m.internal);
	endpoint_read(&r, &m.external);
	endpoint_read(&r, &m.remote);
	m.maker = (enum ledger_maker)tenf_reader_u8(&r);
	m.end = (enum ledger_end)tenf_reader_u8(&r);
	tenf_reader_copy(&r, m.nonce, sizeof(m.nonce));
	tenf_reader_copy(&r, m.client.octets, sizeof(m.client.octets));
	m.state = (enum pending_state)tenf_reader_u8(&r);
	m.has_mac = tenf_reader_u8(&r) != 0;
	tenf_reader_copy(&r, m.mac, sizeof(m.mac));
	m.first_seen = boot_of((int64_t)tenf_reader_u64(&r));
	m.tries = tenf_reader_u32(&r);
	m.next_id = tenf_reader_u32(&r);
	m.next_wish = tenf_reader_u32(&r);
	if (r.failed || r.left > 0 || version != VERSION)
		return false;
	*ret = m;
	return true;
}

void memo_write(const struct memo_row *row, struct tenf_writer *w)
{
	tenf_writer_u8(w, row->kind);
	tenf_writer_u32(w, row->id);
	tenf_writer_u64(w, (uint64_t)row->until);
	tenf_writer_copy(w, row->data, row->len);
}

bool memo_read(struct tenf_reader *r, struct memo_row *ret)
{
	struct memo_row row = { .kind = tenf_reader_u8(r), .id = tenf_reader_u32(r) };

	row.until = (int64_t)tenf_reader_u64(r);
	if (r->failed || r->left > sizeof(row.data) || row.until < 0)
		return false;
	row.len = r->left;
	tenf_reader_copy(r, row.data, row.len);
	*ret = row;
	return true;
}
