/* SPDX-License-Identifier: MIT */
/*
 * A control server and its clients in one process and one thread. Clients are
 * plain sockets that never block; the server's loop is turned until the answer
 * is there, so that nothing waits for a clock.
 */
#ifndef TEST_CONTROL_HOUSE_H
#define TEST_CONTROL_HOUSE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "control/server.h"
#include "control/stream.h"

struct house {
	struct event_base *base;
	struct control_server *server;
	struct control_stream *stream;
	struct control_server_options options;
	char folder[64];
	char path[96];
	/* What the handlers saw and hold. */
	struct control_request *held; /* deferred by POST /v1/later */
	unsigned cancelled;
	struct tenf_error error; /* what GET /v1/failing answers */
	struct control_peer peer;
	char seen[256];
};

/* A folder of its own and an event base; nothing listens yet. */
int house_set_up(void **state);
int house_tear_down(void **state);
/* Starts with h->options. */
void house_open(struct house *h);

struct client {
	int fd;      /* does not block */
	bool closed; /* by the server */
	char *data;  /* received and not taken yet, with a terminator */
	size_t len;
};

void house_connect(const struct house *h, struct client *ret);
void house_connect_tcp(const struct house *h, struct client *ret);
void client_done(struct client *c);

void client_send(struct client *c, const char *text);
/* Turns the loop until it has nothing to do at once, and takes in what came. */
void house_turn(struct house *h, struct client *c);
/* Waits in the loop for one thing: a timer of the server's own. */
void house_wait(struct house *h);

struct answer {
	int status; /* 0: the server closed without any */
	char *head;
	char *body; /* whole; chunks are put together */
	size_t len;
};

/* Takes one answer off what the client received; the next one stays. */
void house_receive(struct house *h, struct client *c, bool is_head, struct answer *ret);
void answer_done(struct answer *a);
/* Value of a header in a static buffer, NULL when it is not there. */
const char *answer_header(const struct answer *a, const char *name);

/* Sends on a new connection and expects status and error.code (NULL: none). */
void house_expect(struct house *h, const char *request, int status, const char *code);

#endif
