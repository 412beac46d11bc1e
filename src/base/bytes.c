/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"

#include <string.h>

static const uint8_t *reader_take(struct tenf_reader *r, size_t len)
{
	const uint8_t *at = r->at;

	if (r->failed || len > r->left) {
		r->failed = true;
		return NULL;
	}
	if (len > 0)
		r->at += len;
	r->left -= len;
	return at;
}

uint8_t tenf_reader_u8(struct tenf_reader *r)
{
	const uint8_t *p = reader_take(r, 1);

	return p != NULL ? p[0] : 0;
}

uint16_t tenf_reader_u16(struct tenf_reader *r)
{
	const uint8_t *p = reader_take(r, 2);

	return p != NULL ? (uint16_t)((unsigned)p[0] << 8 | p[1]) : 0;
}

uint32_t tenf_reader_u32(struct tenf_reader *r)
{
	const uint8_t *p = reader_take(r, 4);

	if (p == NULL)
		return 0;
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

uint64_t tenf_reader_u64(struct tenf_reader *r)
{
	uint64_t high = tenf_reader_u32(r);

	return high << 32 | tenf_reader_u32(r);
}

void tenf_reader_skip(struct tenf_reader *r, size_t len)
{
	(void)reader_take(r, len);
}

void tenf_reader_copy(struct tenf_reader *r, void *ret, size_t len)
{
	const uint8_t *p;

	if (len == 0)
		return;
	p = reader_take(r, len);
	if (p != NULL)
		memcpy(ret, p, len);
	else
		memset(ret, 0, len);
}

struct tenf_reader tenf_reader_sub(struct tenf_reader *r, size_t len)
{
	struct tenf_reader sub = { .at = reader_take(r, len), .left = len };

	if (r->failed)
		sub = (struct tenf_reader){ .failed = true };
	return sub;
}

static uint8_t *writer_take(struct tenf_writer *w, size_t len)
{
	uint8_t *at;

	if (w->failed || len > w->size - w->used) {
		w->failed = true;
		return NULL;
	}
	at = w->start + w->used;
	w->used += len;
	return at;
}

void tenf_writer_u8(struct tenf_writer *w, uint8_t value)
{
	uint8_t *p = writer_take(w, 1);

	if (p != NULL)
		p[0] = value;
}

void tenf_writer_u16(struct tenf_writer *w, uint16_t value)
{
	uint8_t *p = writer_take(w, 2);

	if (p != NULL) {
		p[0] = (uint8_t)(value >> 8);
		p[1] = (uint8_t)value;
	}
}

void tenf_writer_u32(struct tenf_writer *w, uint32_t value)
{
	uint8_t *p = writer_take(w, 4);

	if (p != NULL) {
		p[0] = (uint8_t)(value >> 24);
		p[1] = (uint8_t)(value >> 16);
		p[2] = (uint8_t)(value >> 8);
		p[3] = (uint8_t)value;
	}
}

/* Whole or not at all, as the others. */
void tenf_writer_u64(struct tenf_writer *w, uint64_t value)
{
	w->failed = w->failed || w->size - w->used < 8;
	tenf_writer_u32(w, (uint32_t)(value >> 32));
	tenf_writer_u32(w, (uint32_t)value);
}

void tenf_writer_copy(struct tenf_writer *w, const void *data, size_t len)
{
	uint8_t *p;

	if (len == 0)
		return;
	p = writer_take(w, len);
	if (p != NULL)
		memcpy(p, data, len);
}

void tenf_writer_fill(struct tenf_writer *w, uint8_t value, size_t len)
{
	uint8_t *p;

	if (len == 0)
		return;
	p = writer_take(w, len);
	if (p != NULL)
		memset(p, value, len);
}
