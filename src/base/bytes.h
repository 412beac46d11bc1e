/* SPDX-License-Identifier: MIT */
/*
 * Bounds-checked reading and writing of octets in network order.
 *
 * Both fail once and stay failed: after the first step over the end every read
 * gives zero and every write is dropped, so a codec runs straight through and
 * looks at `failed` once. Neither owns the memory it points at.
 */
#ifndef TENF_BASE_BYTES_H
#define TENF_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tenf_reader {
	const uint8_t *at;
	size_t left;
	bool failed;
};

static inline struct tenf_reader tenf_reader_of(const uint8_t *data, size_t len)
{
	return (struct tenf_reader){ .at = data, .left = len };
}

uint8_t tenf_reader_u8(struct tenf_reader *r);
uint16_t tenf_reader_u16(struct tenf_reader *r);
uint32_t tenf_reader_u32(struct tenf_reader *r);
uint64_t tenf_reader_u64(struct tenf_reader *r);
void tenf_reader_skip(struct tenf_reader *r, size_t len);

/* Copies `len` octets to `ret`; zeroes them there when the input ends before. */
void tenf_reader_copy(struct tenf_reader *r, void *ret, size_t len);

/* A reader over the next `len` octets that cannot leave them; `r` moves on. */
struct tenf_reader tenf_reader_sub(struct tenf_reader *r, size_t len);

struct tenf_writer {
	uint8_t *start;
	size_t used;
	size_t size;
	bool failed;
};

static inline struct tenf_writer tenf_writer_of(uint8_t *data, size_t size)
{
	return (struct tenf_writer){ .start = data, .size = size };
}

void tenf_writer_u8(struct tenf_writer *w, uint8_t value);
void tenf_writer_u16(struct tenf_writer *w, uint16_t value);
void tenf_writer_u32(struct tenf_writer *w, uint32_t value);
void tenf_writer_u64(struct tenf_writer *w, uint64_t value);
void tenf_writer_copy(struct tenf_writer *w, const void *data, size_t len);
void tenf_writer_fill(struct tenf_writer *w, uint8_t value, size_t len);

#endif
