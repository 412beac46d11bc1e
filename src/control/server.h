/* SPDX-License-Identifier: MIT */
/*
 * The server side of the control API: HTTP/1.1 with JSON bodies on a Unix
 * socket, by evhttp, on the event base of the daemon. This file owns sockets
 * and connections; request.h is what a handler works with; what is served is
 * the daemon's table of routes.
 *
 *   static const struct control_route routes[] = {
 *           { CONTROL_GET, "/v1/mappings/{id}", get_mapping },
 *           …
 *   };
 *
 * A path that no route knows is 404, a known one with another method 405 with
 * Allow; GET answers HEAD too. Who may connect is a matter of the socket's mode and
 * group. TCP is off by default, and wants a bearer token in each request.
 *
 * The process must ignore SIGPIPE; control_server_new() sees to it when it
 * stands at its default.
 */
#ifndef TENF_CONTROL_SERVER_H
#define TENF_CONTROL_SERVER_H

#include "control/request.h"

#include <event2/event.h>

/* What a client can make grow. */
#define CONTROL_BODY_MAX 65536     /* octets of a request's body: 413 above */
#define CONTROL_BODY_READ_MAX 262144 /* … which libevent says by itself, in HTML, above this */
#define CONTROL_HEADERS_MAX 16384  /* octets of request line and headers: 400 above */
#define CONTROL_CONNECTIONS_MAX 64 /* served at once: the next are told 503 … */
#define CONTROL_TURNED_AWAY_MAX 16 /* … and when so many wait for that, none is accepted */
#define CONTROL_IDLE_S 30          /* without an octet: the connection is closed */

#define CONTROL_MODE_DEFAULT 0660

/* Filled by control_server_options_init(). Strings are copied. */
struct control_server_options {
	const char *path;  /* of the Unix socket; NULL: none */
	unsigned mode;     /* of the socket, CONTROL_MODE_DEFAULT */
	const char *group; /* of the socket, name or number; NULL: the process's */
	int fd;            /* listens already (socket activation), taken over; -1: none */
	const char *tcp;   /* "ADDR:PORT", "ADDR" for any port; NULL: off */
	const char *token; /* that a client by TCP must bring; needed for `tcp` */
	unsigned idle_s;   /* CONTROL_IDLE_S */
};

void control_server_options_init(struct control_server_options *options);

struct control_server;

/* Listens. A stale socket file is replaced; where somebody answers, it is
 * TENF_E_SYSTEM with EADDRINUSE and a text that says so. The parent directory
 * is made, 0755, when it is missing. `routes` must live as long as the server;
 * `context` is handed to each handler. Errors: TENF_E_ARGUMENT, TENF_E_SYSTEM,
 * TENF_E_MEMORY; `reterr` may be NULL. */
TENF_CHECKED enum tenf_status control_server_new(struct event_base *base,
						 const struct control_server_options *options,
						 const struct control_route *routes, size_t count,
						 void *context, struct control_server **ret,
						 struct tenf_error *reterr);

/* Stops, cancels every deferred request, and removes the socket file it made.
 * Streams (stream.h) are freed before it. NULL is fine. */
void control_server_free(struct control_server *server);

/* The port of `tcp`; 0 without TCP. */
uint16_t control_server_tcp_port(const struct control_server *server);

#endif
