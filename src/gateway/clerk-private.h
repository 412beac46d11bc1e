/* SPDX-License-Identifier: MIT */
/*
 * What goes between the daemon and its clerk: frames of a length, a kind and a
 * payload, in network order. Both sides check size, kind and every value; octets that
 * are no frame end the connection.
 */
#ifndef TENF_GATEWAY_CLERK_PRIVATE_H
#define TENF_GATEWAY_CLERK_PRIVATE_H

#include "gateway/clerk.h"

#include <event2/buffer.h>

#define CLERK_HEAD 5       /* u32 length of the payload, u8 kind */
#define CLERK_FRAME_MAX 16384
#define CLERK_HOOKS_OCTETS (1 + CONFIG_HOOKS_MAX * (8 + CONFIG_HOOK_TARGET_MAX))

enum clerk_kind {
	CLERK_NOTICE = 1, /* a notice (notice.h) */
	CLERK_ASK,        /* u32 id, the query */
	CLERK_ROW,        /* u32 id, one event as JSON */
	CLERK_END,        /* u32 id, u8: 1 when the answer is whole */
	CLERK_HOOKS,      /* three u64: told, failed, dropped */
	CLERK_MEMO,       /* a row (memo.h), both ways: what outlives the daemon */
	CLERK_HOOK_LIST,  /* hooks from now on, as clerk_write_hooks() has them */
	CLERK_READY,      /* u8: 1 when it can work; and what is to be said, as text */
};

struct clerk_frame {
	enum clerk_kind kind;
	size_t len;
	uint8_t payload[CLERK_FRAME_MAX];
};

/* The next whole frame of `in`: 1 and it is taken out, 0 when there is none yet,
 * -1 when this is no frame. */
int clerk_next_frame(struct evbuffer *in, struct clerk_frame *ret);
/* Appends one; false without memory, or when it is too large. */
bool clerk_add_frame(struct evbuffer *out, enum clerk_kind kind, const void *payload, size_t len);

void clerk_write_query(const struct history_query *query, uint32_t id, struct tenf_writer *w);
bool clerk_read_query(struct tenf_reader *r, struct history_query *ret, uint32_t *ret_id);

void clerk_write_hooks(const struct config_hook *list, size_t count, struct tenf_writer *w);
/* `ret` has CONFIG_HOOKS_MAX places. */
bool clerk_read_hooks(struct tenf_reader *r, struct config_hook *ret, size_t *ret_count);

/* False when it is no such payload; `ret` is untouched then. */
bool clerk_read_counts(struct tenf_reader *r, struct hooks_counts *ret);
void clerk_write_counts(const struct hooks_counts *counts, struct tenf_writer *w);

/* The clerk's own life on `fd`; gives the exit status. */
int clerk_serve(int fd, const struct gateway_config *config);

#endif
