/* SPDX-License-Identifier: MIT */
/*
 * A memo (responder-memo.h) as it is kept from one start to the next: a row with the
 * time of the wall and octets of fixed form. A row is plain data, and what lies in the
 * octets is looked at when they are read, whoever wrote them.
 */
#ifndef TENF_GATEWAY_MEMO_H
#define TENF_GATEWAY_MEMO_H

#include "base/bytes.h"
#include "gateway/responder-memo.h"

#define MEMO_OCTETS 160 /* of a memo's data, at most */
#define MEMO_NEVER INT64_MAX

struct memo_row {
	uint8_t kind; /* enum memo_kind */
	uint32_t id;
	int64_t until; /* wall clock, seconds; 0: it is to be forgotten */
	size_t len;
	uint8_t data[MEMO_OCTETS];
};

void memo_to_row(const struct responder_memo *memo, struct memo_row *ret);
/* False for a row that is none; what it says may still make no sense. */
bool memo_of_row(const struct memo_row *row, struct responder_memo *ret);

/* The same between two processes. */
void memo_write(const struct memo_row *row, struct tenf_writer *w);
bool memo_read(struct tenf_reader *r, struct memo_row *ret);

#endif
