/* SPDX-License-Identifier: MIT */
/*
 * Reads a stream of server-sent events as octets arrive. Needs no connection.
 * What is fed is kept until it is taken; the limit is on what waits.
 */
#ifndef TENF_CONTROL_SSE_H
#define TENF_CONTROL_SSE_H

#include "base/attributes.h"

#include <tenforward/types.h>

#define SSE_WAITING_MAX 8388608 /* octets fed and not taken */
#define SSE_ID_SIZE 64          /* with terminator; longer ones are as if not there */

struct sse {
	char *data;
	size_t len;  /* fed */
	size_t used; /* taken from the front */
	size_t size;
	char id[SSE_ID_SIZE]; /* of the event taken last */
};

struct sse_event {
	const char *event; /* "message" when it was not named */
	const char *data;
};

void sse_init(struct sse *sse);
void sse_done(struct sse *sse);

/* TENF_E_LIMIT, TENF_E_MEMORY: the octets were not taken in. */
TENF_CHECKED enum tenf_status sse_feed(struct sse *sse, const char *data, size_t len);

/* The oldest whole event that has data; its strings live until the next call.
 * sse->id is its id, or an earlier one's when it has none. */
TENF_CHECKED bool sse_next(struct sse *sse, struct sse_event *ret);

#endif
