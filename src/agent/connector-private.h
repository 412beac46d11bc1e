/* SPDX-License-Identifier: MIT */
/*
 * What connector.c, which walks the steps, and the kinds of applications, which
 * know the words, have between them.
 */
#ifndef TENF_AGENT_CONNECTOR_PRIVATE_H
#define TENF_AGENT_CONNECTOR_PRIVATE_H

#include "agent/connector.h"
#include "base/text.h"

#include <jansson.h>

#define CONNECTOR_BODY 8192
#define CONNECTOR_HEADER 1024
#define CONNECTOR_ID 128

enum connector_step { CONNECTOR_READ, CONNECTOR_SET, CONNECTOR_SIGN_IN };

enum connector_verdict {
	CONNECTOR_GOOD,    /* the step is done */
	CONNECTOR_ONWARD,  /* the next part of signing in */
	CONNECTOR_SIGN,    /* sign in first, then the step again */
	CONNECTOR_AGAIN,   /* the step again, with what the answer told */
	CONNECTOR_BAD,     /* it does not work; why is said */
};

struct connector_request {
	struct tenf_text url;    /* begins with Url= without "/" at its end */
	struct tenf_text body;   /* empty: GET */
	const char *content_type;
	struct tenf_text header; /* one more, "Name: value"; empty: none */
	bool basic;              /* send user and password with it */
};

struct connector_kind {
	void (*make)(struct connector *connector, enum connector_step step,
		     struct connector_request *ret);
	/* After CONNECTOR_READ, `ret_port` is what the application has, 0 for
	 * something that is never right. */
	enum connector_verdict (*judge)(struct connector *connector, enum connector_step step,
					const struct outgoing_answer *answer, uint16_t *ret_port);
};

struct connector {
	struct outgoing *outgoing;
	struct namespaces *namespaces;
	struct config_connector config;
	const struct connector_kind *kind;
	struct outgoing_call *call;
	connector_done_fn done;
	void *context;
	uint16_t port;
	enum connector_step step, after_sign_in;
	bool was_set;     /* in this sync */
	unsigned turns;   /* requests of this sync */
	unsigned part;    /* of signing in, counted by the kind */
	bool signed_in;   /* tried in this sync */
	char session[CONNECTOR_HEADER]; /* cookie or session id, kept between syncs */
	char host[CONNECTOR_ID];        /* Deluge's daemon */
	char error[CONNECTOR_ERROR];
};

/* CONNECTOR_BAD, with one sentence. */
enum connector_verdict connector_bad(struct connector *connector, const char *format, ...)
	TENF_PRINTF(2, 3);
/* The answer's JSON when it has status 200 and is an object; else NULL with the sentence. */
json_t *connector_json(struct connector *connector, const struct outgoing_answer *answer);
/* An integer that is a port; 0 when it is none. */
uint16_t connector_port(const json_t *value);
/* The "name=value" of Set-Cookie into connector->session. */
bool connector_take_cookie(struct connector *connector, const struct outgoing_answer *answer);
/* As application/x-www-form-urlencoded has it. */
void connector_add_form(struct tenf_text *t, const char *value);
/* JSON text of the value, which is given up. */
void connector_add_json(struct tenf_text *t, json_t *value);

extern const struct connector_kind connector_qbittorrent;
extern const struct connector_kind connector_transmission;
extern const struct connector_kind connector_deluge;

#endif
