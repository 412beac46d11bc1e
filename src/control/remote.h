/* SPDX-License-Identifier: MIT */
/*
 * The client side of the control API, for the command: requests that block,
 * and the stream of events beside other things in a poll loop.
 *
 * libcurl does the work, in a module that is loaded when a daemon was found to
 * listen and not before: a command without an agent pays for one access() and no
 * more. An object belongs to one thread.
 */
#ifndef TENF_CONTROL_REMOTE_H
#define TENF_CONTROL_REMOTE_H

#include "base/attributes.h"
#include "control/remote-find.h"

#include <jansson.h>
#include <tenforward/tenforward.h>

#define REMOTE_TIMEOUT_MS 10000      /* for a whole request, unless it is set */
#define REMOTE_ANSWER_MAX 67108864   /* octets of an answer: a list of 100 000 mappings */

struct remote;

/* Finds the daemon and connects to it. `where` is the path of a Unix socket, or
 * "http://HOST:PORT" with the token in $TENFORWARD_TOKEN; NULL: the agent's
 * $XDG_RUNTIME_DIR/tenforward/agent.sock, then /run/tenforward/agent.sock; the
 * gateway's /run/tenforward/gateway.sock. TENF_E_NOT_FOUND when nobody is
 * there, a socket file without a listener included; TENF_E_SYSTEM when there is
 * something and it cannot be used (no permission; the module is missing).
 * `reterr` may be NULL everywhere here. */
TENF_CHECKED enum tenf_status remote_open(enum remote_daemon daemon, const char *where,
					  struct remote **ret, struct tenf_error *reterr);
void remote_close(struct remote *remote);
/* Where it was found, for messages. */
const char *remote_where(const struct remote *remote);

/* How long a request may take from now on, and the opening of a stream. */
void remote_set_timeout(struct remote *remote, uint32_t timeout_ms);

/* One request; blocks, for the time-out at most. `method` is "GET" …; `body`
 * is borrowed, NULL for none. TENF_OK whenever an HTTP answer came: look at
 * *ret_status. *ret_body is a new reference, JSON null for an answer without
 * one; both may be NULL. TENF_E_NOT_FOUND when the daemon is gone,
 * TENF_E_MALFORMED when the answer is no JSON, TENF_E_SYSTEM otherwise. */
TENF_CHECKED enum tenf_status remote_request(struct remote *remote, const char *method,
					     const char *path, const json_t *body,
					     int *ret_status, json_t **ret_body,
					     struct tenf_error *reterr);

/* GET of any URL a user named, which has nothing to do with a daemon of ours; blocks.
 * At most REMOTE_FETCH_MAX octets are taken. The caller frees *ret_text, which is
 * terminated. Errors as above. */
#define REMOTE_FETCH_MAX 65536
TENF_CHECKED enum tenf_status remote_fetch(const char *url, uint32_t timeout_ms, int *ret_status,
					   char **ret_text, struct tenf_error *reterr);

/* The stream of events. Wait until the descriptor is readable or the time-out is
 * over, call process, then take events until there are none. */
struct remote_stream;

/* `last_id` resumes behind that event; NULL: from now on. Blocks until the
 * daemon agreed, for the time-out at most. A stream is closed before its remote. */
TENF_CHECKED enum tenf_status remote_stream_open(struct remote *remote, const char *path,
						 const char *last_id, struct remote_stream **ret,
						 struct tenf_error *reterr);
void remote_stream_close(struct remote_stream *stream);
int remote_stream_fd(const struct remote_stream *stream);
int remote_stream_timeout_ms(const struct remote_stream *stream); /* -1: never */
/* TENF_E_NOT_FOUND when the daemon ended the stream: what was received before
 * can still be taken; open it again with the last id. */
TENF_CHECKED enum tenf_status remote_stream_process(struct remote_stream *stream,
						    struct tenf_error *reterr);
/* The oldest event's JSON as a new reference; false when there is none. */
TENF_CHECKED bool remote_stream_next(struct remote_stream *stream, json_t **ret);
/* Id of the event taken last, "" before the first. */
const char *remote_stream_last_id(const struct remote_stream *stream);

#endif
