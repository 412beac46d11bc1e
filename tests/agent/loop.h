/* SPDX-License-Identifier: MIT */
/*
 * An event loop that is run until something has happened, and a web server on
 * it that answers as a test wants. All in one process: a test never waits
 * longer than what it waits for takes, and fails after a limit.
 */
#ifndef TENF_TESTS_AGENT_LOOP_H
#define TENF_TESTS_AGENT_LOOP_H

#include "agent/delivery.h"

#include <event2/event.h>
#include <event2/http.h>

#define LOOP_LIMIT_S 20

typedef bool (*loop_condition)(void *context);

/* Runs the loop until the condition holds; false after LOOP_LIMIT_S. */
bool loop_until(struct event_base *base, loop_condition condition, void *context);

struct fake;
/* Answers with evhttp_send_reply(), or fake_answer(). */
typedef void (*fake_handler)(struct fake *fake, struct evhttp_request *request, const char *path,
			     const char *body);

struct fake {
	struct evhttp *http;
	fake_handler handler;
	void *context;
	char url[64];
	uint16_t port;
	unsigned requests;
};

/* `port` 0: any free one. */
void fake_start(struct fake *fake, struct event_base *base, uint16_t port, fake_handler handler,
		void *context);
void fake_stop(struct fake *fake);
void fake_answer(struct evhttp_request *request, int status, const char *body);
/* A header of the request; "" when there is none. */
const char *fake_header(struct evhttp_request *request, const char *name);

/* An event of a mapping, as the library gives it. */
struct tenf_event event_of(enum tenf_event_kind kind, enum tenf_protocol protocol,
			   uint16_t internal_port, uint16_t external_port);
/* The `state` of mapping `number`, or of its target that begins with `label`; ""
 * when there is none. */
const char *state_of(struct deliveries *deliveries, uint64_t number, const char *label);
/* The error of that target. */
const char *error_of(struct deliveries *deliveries, uint64_t number, const char *label);

#endif
