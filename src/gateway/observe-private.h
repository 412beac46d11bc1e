/* SPDX-License-Identifier: MIT */
/* The inside of observe.h, for it and the handlers of the API. */
#ifndef TENF_GATEWAY_OBSERVE_PRIVATE_H
#define TENF_GATEWAY_OBSERVE_PRIVATE_H

#include "control/server.h"
#include "control/stream.h"
#include "gateway/clerk.h"
#include "gateway/notice.h"
#include "gateway/observe.h"

#define OBSERVE_RING_MAX CONTROL_RING_MAX /* the stream keeps no more events either */

struct observe {
	struct daemon *daemon;
	struct control_server *server;
	struct control_stream *stream; /* NULL without a control socket */
	struct clerk *clerk;           /* NULL without a history */
	bool is_kept; /* something that has not been handed over yet */
	int64_t started_at; /* wall clock */
	/* Decisions that nobody has listened to yet; the oldest give way. */
	struct notice ring[OBSERVE_RING_MAX];
	size_t ring_first;
	size_t ring_count;
	uint64_t ring_lost; /* since the last that was told */
	tenf_time told_at;  /* the turn of which `wall` is the time */
	int64_t wall;
	char who[NOTICE_WHO_MAX]; /* whose will this turn is; empty: nobody's */
};

/* Hands what waits to the stream. */
void observe_tell(struct observe *o);

/* Of this wish the administrator has just said yes or no. */
void observe_word(struct observe *o, uint32_t id);
/* This mapping he has just made. */
void observe_made(struct observe *o, const struct ledger_mapping *m);

#endif
