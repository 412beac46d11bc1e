/* SPDX-License-Identifier: MIT */
/*
 * What server, request and stream share: the inside of a request, and answers
 * that go on for ever.
 *
 *               dispatch
 *                  │ handler
 *       ┌──────────┼──────────────┐
 *   answered    deferred       streaming
 *       │        │     │ client │     │
 *       └────────┘     └──gone──┘     │ control_answer_end, _drop
 *          freed      cancel, freed   freed
 */
#ifndef TENF_CONTROL_REQUEST_PRIVATE_H
#define TENF_CONTROL_REQUEST_PRIVATE_H

#include "control/request.h"
#include "control/routes.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

struct control_server;

struct control_request {
	struct control_server *server;
	struct control_request *next; /* in the server's list of all */
	struct control_request *before;
	struct evhttp_request *http;  /* evhttp's; NULL once its connection is gone */
	struct event *gone;           /* the client closed; only while deferred */
	enum control_method method;
	bool is_head;
	bool has_query;
	bool is_query_sound;
	bool is_deferred;
	struct control_match match;
	struct evkeyvalq query;
	struct control_peer peer;
	void (*cancel)(struct control_request *request, void *context);
	void *context;
};

/* A request that evhttp handed over, in the server's list; NULL without memory. */
struct control_request *control_request_new(struct control_server *server,
					    struct evhttp_request *http,
					    enum control_method method, bool is_head);
/* Drops ours alone: evhttp's part is answered, or gone with its connection. */
void control_request_free(struct control_request *request);

/* Tells whoever deferred it, and frees. */
void control_request_cancel(struct control_request *request);

/* Of server.c: the list, and the request that is being dispatched. */
void control_server_enlist(struct control_server *server, struct control_request *request);
void control_server_delist(struct control_server *server, struct control_request *request);
struct event_base *control_server_base(const struct control_server *server);

/* Fills *ret from the socket. */
void control_peer_of(int fd, struct control_peer *ret);

/* An answer in pieces. A deferred request, after _start, takes chunks until
 * _end, _drop, or its cancellation. False when no memory was left. */
void control_answer_start(struct control_request *request, const char *content_type);
TENF_CHECKED bool control_answer_chunk(struct control_request *request, const char *data,
				       size_t len);
/* Octets the client has not taken yet. */
size_t control_answer_unsent(const struct control_request *request);
void control_answer_end(struct control_request *request);
/* Closes the connection; the request is cancelled. */
void control_request_drop(struct control_request *request);

#endif
