/* SPDX-License-Identifier: MIT */
/*
 * Server-sent events: what happens, to everyone who listens. The last events
 * are kept in a ring, so that a client that comes back with Last-Event-ID (or
 * ?since=ID) misses nothing it could still get. Ids are numbers that rise by
 * one; the daemon chooses the first, and wall-clock seconds times a thousand
 * make them rise over a restart too.
 *
 * Without either a client gets what happens from now on. A client that does not
 * read is dropped, and comes back by its id.
 */
#ifndef TENF_CONTROL_STREAM_H
#define TENF_CONTROL_STREAM_H

#include "control/request.h"

#include <event2/event.h>

#define CONTROL_RING_MAX 256        /* events kept */
#define CONTROL_LISTENERS_MAX 32    /* clients at once: 503 above */
#define CONTROL_UNSENT_MAX 1048576  /* octets a client lets lie: it is dropped above */
#define CONTROL_HEARTBEAT_S 15      /* a comment when nothing happens */

struct control_stream;

TENF_CHECKED enum tenf_status control_stream_new(struct event_base *base, uint64_t first_id,
						 struct control_stream **ret);
/* Ends every listener's answer. NULL is fine. Before the server is freed. */
void control_stream_free(struct control_stream *stream);

/* Tells all listeners. Takes `data` over: the JSON of the event; `event` is its
 * name. TENF_E_MEMORY (also for `data` NULL): nobody was told, no id was used. */
TENF_CHECKED enum tenf_status control_stream_publish(struct control_stream *stream,
						     const char *event, json_t *data);

/* As if `count` events had been told and forgotten: the gap in the ids tells
 * those who come back that they missed something. */
void control_stream_skip(struct control_stream *stream, uint64_t count);

/* Answers a request with the stream; called by the handler of its route. */
void control_stream_serve(struct control_stream *stream, struct control_request *request);

/* A comment to every listener, which shows that both ends are there; a timer of
 * the stream's sends one each CONTROL_HEARTBEAT_S. */
void control_stream_beat(struct control_stream *stream);

size_t control_stream_listeners(const struct control_stream *stream);
uint64_t control_stream_dropped(const struct control_stream *stream); /* slow readers so far */

#endif
