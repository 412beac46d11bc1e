/* SPDX-License-Identifier: MIT */
/*
 * One piece of news as hooks get it: the fields of an event by the names that
 * are the same everywhere, {external_port} in a Format= and
 * TENFORWARD_EXTERNAL_PORT in an environment, and the event as JSON.
 */
#ifndef TENF_HOOKS_NEWS_H
#define TENF_HOOKS_NEWS_H

#include "base/text.h"

#include <jansson.h>
#include <tenforward/tenforward.h>

#define NEWS_NAME 64   /* octets with the terminator */
#define NEWS_CLIENT 48
#define NEWS_RULE 32

struct news {
	enum tenf_event_kind kind;
	const char *event; /* its name, a constant; NULL: that of `kind` */
	enum tenf_protocol protocol;
	char name[NEWS_NAME];
	uint16_t internal_port;
	uint16_t external_port; /* 0 while there is none */
	bool held;              /* the external port is open */
	char external_address[TENF_ADDRESS_SIZE];
	char gateway[TENF_ADDRESS_SIZE];
	char client[NEWS_CLIENT]; /* the last two are of a gateway's own news; empty: not said */
	char rule[NEWS_RULE];
	int64_t expires_at;
	char *json;
};

/* NULL when memory is short. Caller frees with news_free(). */
struct news *news_new(const char *name, const struct tenf_event *event, const json_t *event_json);
void news_free(struct news *news);

/* GATEWAY, GATEWAY_RESTART, ADDRESS: not of one mapping. */
bool news_is_about_gateway(enum tenf_event_kind kind);

/* Whether each "{…}" is a field; a brace of its own is written "{{". */
bool news_format_is_good(const char *format);
void news_format(const struct news *news, const char *format, struct tenf_text *ret);

/* Our environment without TENFORWARD_*, and the fields; ends with NULL. Free
 * with one free(); NULL when memory is short. */
char **news_environment(const struct news *news);

#endif
