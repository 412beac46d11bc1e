/* SPDX-License-Identifier: MIT */
/*
 * An agent that answers by script: it stands for control/remote.h, so that a test
 * says what runs at the socket and reads what the command asked it. None runs
 * after fake_reset().
 */
#ifndef TENF_TESTS_CLI_FAKE_AGENT_H
#define TENF_TESTS_CLI_FAKE_AGENT_H

#include "control/remote.h"

#define FAKE_ANSWERS 16
#define FAKE_EVENTS 8
#define FAKE_ASKED 64
#define FAKE_ASKED_SIZE 512

/* What one request is answered. The first that fits and is not used up counts;
 * a request nothing fits gets 404. */
struct fake_answer {
	const char *request; /* "GET /v1/mappings" */
	int http;            /* 0: no answer, see `status` */
	const char *json;    /* NULL: none */
	unsigned times;      /* 0: for ever */
	enum tenf_status status;
};

struct fake_agent {
	/* script */
	bool runs;
	enum remote_daemon daemon;       /* that is looked for; the agent by default */
	enum tenf_status open_status; /* where none runs; TENF_OK: TENF_E_NOT_FOUND */
	struct fake_answer answers[FAKE_ANSWERS];
	const char *events[FAKE_EVENTS]; /* JSON; "" ends the stream */
	enum tenf_status stream_status;  /* of opening it */
	const char *page;   /* what any URL has; NULL: nobody is there */
	/* seen */
	unsigned looks; /* for an agent */
	unsigned open;  /* and not closed */
	unsigned streams;
	char where[64]; /* "" for the default place */
	char last_id[64];
	char fetched[256]; /* the last URL */
	uint32_t timeout_ms;
	char asked[FAKE_ASKED][FAKE_ASKED_SIZE]; /* "POST /v1/mappings {…}" */
	size_t asked_count;
	size_t event;
};

extern struct fake_agent fake_agent;

void fake_agent_reset(void);

#endif
