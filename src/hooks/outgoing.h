/* SPDX-License-Identifier: MIT */
/*
 * Outgoing HTTP: libcurl on the event loop. Each call has one time-out for all of it
 * and a limit on the answer, TLS is verified, redirects are not followed (an answer
 * of 3xx is an answer), and only http and https are spoken.
 */
#ifndef TENF_HOOKS_OUTGOING_H
#define TENF_HOOKS_OUTGOING_H

#include "base/attributes.h"

#include <event2/event.h>
#include <stddef.h>
#include <stdint.h>
#include <tenforward/types.h>

#define OUTGOING_BODY_MAX 262144  /* octets of an answer */
#define OUTGOING_HEADERS_MAX 16384 /* octets of its headers, all together */
#define OUTGOING_OWN_HEADERS 4

struct outgoing;
struct outgoing_call;

struct outgoing_request {
	const char *url;
	const char *body;         /* NULL: GET, else POST */
	const char *content_type; /* of the body */
	const char *headers[OUTGOING_OWN_HEADERS]; /* "Name: value", up to the first NULL */
	const char *user;         /* HTTP basic authentication; NULL: none */
	const char *password;
	uint32_t timeout_s;
	bool direct; /* never through a proxy of the environment */
	/* As socket(2), where it is connected from; NULL: here. */
	int (*open_socket)(void *place, int domain, int type, int protocol);
	void *place;
};

struct outgoing_answer {
	long status;       /* 0: no answer, see error */
	const char *body;  /* terminated; "" when there is none */
	size_t body_len;
	const char *headers; /* for outgoing_header() */
	const char *error; /* one sentence; NULL when an answer came */
};

/* Called once for each call that is not cancelled, never from within
 * outgoing_start(). May start and cancel calls; may not free the outgoing. */
typedef void (*outgoing_done_fn)(void *context, const struct outgoing_answer *answer);

TENF_CHECKED enum tenf_status outgoing_new(struct event_base *base, struct outgoing **ret);
/* Cancels what is under way. */
void outgoing_free(struct outgoing *outgoing);

/* The request is copied. *ret is valid until `done` is called or it is
 * cancelled. Errors: TENF_E_MEMORY, TENF_E_ARGUMENT (a URL that is none). */
TENF_CHECKED enum tenf_status outgoing_start(struct outgoing *outgoing,
					     const struct outgoing_request *request,
					     outgoing_done_fn done, void *context,
					     struct outgoing_call **ret);
/* `done` is not called any more. NULL is fine. */
void outgoing_cancel(struct outgoing_call *call);

/* The value of the first header of this name; false when there is none, or it
 * does not fit. */
bool outgoing_header(const struct outgoing_answer *answer, const char *name, char *ret,
		     size_t size);

#endif
