/* SPDX-License-Identifier: MIT */
/*
 * One request as its handler sees it. A handler answers once, with one of the
 * control_answer… functions, at once or later: then it calls
 * control_request_defer() before it returns, and is told when the client went
 * away. The request, and every string got from it, is gone after the answer or
 * after the cancellation.
 */
#ifndef TENF_CONTROL_REQUEST_H
#define TENF_CONTROL_REQUEST_H

#include "base/attributes.h"

#include <jansson.h>
#include <sys/types.h>
#include <tenforward/tenforward.h>

struct control_request;

enum control_method {
	CONTROL_GET = 1,
	CONTROL_POST = 2,
	CONTROL_PUT = 4,
	CONTROL_PATCH = 8,
	CONTROL_DELETE = 16,
};

typedef void (*control_handler)(struct control_request *request, void *context);

/* `pattern` is a path whose parts are literal or {name}: one part, not empty. */
struct control_route {
	enum control_method method;
	const char *pattern;
	control_handler handle;
};

#define CONTROL_USER_SIZE 64

/* Who asks: the process at the other end of a Unix socket (SO_PEERCRED). */
struct control_peer {
	bool local;  /* by Unix socket; else by TCP, and the rest is -1 and "" */
	pid_t pid;
	uid_t uid;
	gid_t gid;
	char user[CONTROL_USER_SIZE]; /* name, or the uid in digits */
};

enum control_method control_request_method(const struct control_request *request);
const char *control_request_path(const struct control_request *request);
/* What stands for {name} in the path, percent-decoded; NULL: no such name. */
const char *control_request_part(const struct control_request *request, const char *name);
/* `?key=value`, decoded, the first one; NULL when it is not there. */
const char *control_request_query(const struct control_request *request, const char *key);
const char *control_request_header(const struct control_request *request, const char *name);
const struct control_peer *control_request_peer(const struct control_request *request);

/* The body as a JSON object, a new reference in *ret. When it is none, false, and
 * the request has been answered with 400 that says where and what. */
TENF_CHECKED bool control_request_json(struct control_request *request, json_t **ret);

/* The answer comes later. `cancel` is called once if the client goes away
 * before, or when the server is freed; it must not answer. */
void control_request_defer(struct control_request *request,
			   void (*cancel)(struct control_request *request, void *context),
			   void *context);

/* Adds a header to the answer to come. */
void control_answer_header(struct control_request *request, const char *name, const char *value);

/* Takes `body` over; NULL, which is what a maker gives without memory, is answered 500. */
void control_answer_json(struct control_request *request, int status, json_t *body);
/* {"error": {"code", "text"}}. */
void control_answer_error(struct control_request *request, int status, const char *code,
			  const char *text);
/* Error of a call of ours: status and code follow from error->status and reason. */
void control_answer_failure(struct control_request *request, const struct tenf_error *error);
void control_answer_text(struct control_request *request, int status, const char *content_type,
			 const char *text);
/* 204, without a body. */
void control_answer_done(struct control_request *request);

#endif
