/* SPDX-License-Identifier: MIT */
#include "hooks/news.h"

#include "base/forward.h"
#include "base/names.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PREFIX "TENFORWARD_"
#define OWN_SIZE 1024 /* ten names, four addresses, two names, a time */

/* ---- Fields ------------------------------------------------------------ */

static void add_event(const struct news *n, struct tenf_text *t)
{
	tenf_text_add(t, n->event != NULL ? n->event : tenf_event_code(n->kind));
}

static void add_name(const struct news *n, struct tenf_text *t)
{
	tenf_text_add(t, n->name);
}

static void add_protocol(const struct news *n, struct tenf_text *t)
{
	if (n->internal_port != 0)
		tenf_text_add(t, tenf_protocol_name(n->protocol));
}

static void add_port(uint16_t port, struct tenf_text *t)
{
	if (port != 0)
		tenf_text_add_number(t, port);
}

static void add_internal_port(const struct news *n, struct tenf_text *t)
{
	add_port(n->internal_port, t);
}

static void add_external_port(const struct news *n, struct tenf_text *t)
{
	add_port(n->external_port, t);
}

static void add_external_address(const struct news *n, struct tenf_text *t)
{
	tenf_text_add(t, n->external_address);
}

static void add_gateway(const struct news *n, struct tenf_text *t)
{
	tenf_text_add(t, n->gateway);
}

static void add_expires_at(const struct news *n, struct tenf_text *t)
{
	time_t when = (time_t)n->expires_at;
	char text[32];
	struct tm utc;

	if (n->expires_at > 0 && gmtime_r(&when, &utc) != NULL &&
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc) > 0)
		tenf_text_add(t, text);
}

static const struct field {
	const char *name;     /* in a format */
	const char *variable; /* in an environment */
	void (*add)(const struct news *n, struct tenf_text *t);
} fields[] = {
	{ "event", PREFIX "EVENT", add_event },
	{ "name", PREFIX "NAME", add_name },
	{ "protocol", PREFIX "PROTOCOL", add_protocol },
	{ "internal_port", PREFIX "INTERNAL_PORT", add_internal_port },
	{ "external_port", PREFIX "EXTERNAL_PORT", add_external_port },
	{ "external_address", PREFIX "EXTERNAL_ADDRESS", add_external_address },
	{ "gateway", PREFIX "GATEWAY", add_gateway },
	{ "expires_at", PREFIX "EXPIRES_AT", add_expires_at },
};

/* In an environment alone, and where they are said. */
static void add_client(const struct news *n, struct tenf_text *t)
{
	tenf_text_add(t, n->client);
}

static void add_rule(const struct news *n, struct tenf_text *t)
{
	tenf_text_add(t, n->rule);
}

static const struct field more_fields[] = {
	{ "client", PREFIX "CLIENT", add_client },
	{ "rule", PREFIX "RULE", add_rule },
};

/* ---- Format ------------------------------------------------------------ */

/* The field of "{name}" at `at`; NULL when there is none of that name. */
static const struct field *field_at(const char *at, size_t *ret_len)
{
	size_t len = strcspn(at + 1, "}");

	for (size_t i = 0; at[1 + len] == '}' && i < TENF_ARRAY_SIZE(fields); i++) {
		if (strlen(fields[i].name) == len && memcmp(at + 1, fields[i].name, len) == 0) {
			*ret_len = len + 2;
			return &fields[i];
		}
	}
	return NULL;
}

bool news_format_is_good(const char *format)
{
	for (const char *at = format; (at = strchr(at, '{')) != NULL;) {
		size_t len = 2;

		if (at[1] != '{' && field_at(at, &len) == NULL)
			return false;
		at += len;
	}
	return true;
}

void news_format(const struct news *news, const char *format, struct tenf_text *ret)
{
	while (*format != '\0') {
		size_t len = 1;
		const struct field *field = *format == '{' ? field_at(format, &len) : NULL;

		if (field != NULL)
			field->add(news, ret);
		else
			tenf_text_add_char(ret, *format);
		if (field == NULL && format[0] == '{' && format[1] == '{')
			len = 2;
		format += len;
	}
}

/* ---- Environment ------------------------------------------------------- */

/* Writes "VARIABLE=value" to *own and goes behind it. */
static char *add_variable(const struct news *news, const struct field *field, char **own,
			  size_t *left)
{
	char *start = *own;
	struct tenf_text t = tenf_text_of(start, *left);

	tenf_text_add(&t, field->variable);
	tenf_text_add_char(&t, '=');
	field->add(news, &t);
	*own += t.used + 1;
	*left -= t.used + 1;
	return start;
}

/* Pointers first, then the texts of our own variables, in one piece. */
char **news_environment(const struct news *news)
{
	const size_t mine = TENF_ARRAY_SIZE(fields) + TENF_ARRAY_SIZE(more_fields);
	size_t count = 0, used = 0, left = OWN_SIZE;
	char **variables, *own;

	while (environ != NULL && environ[count] != NULL)
		count++;
	variables = calloc(1, (count + mine + 1) * sizeof(*variables) + OWN_SIZE);
	if (variables == NULL)
		return NULL;
	own = (char *)(variables + count + mine + 1);
	for (size_t i = 0; i < TENF_ARRAY_SIZE(fields); i++)
		variables[used++] = add_variable(news, &fields[i], &own, &left);
	if (news->client[0] != '\0')
		variables[used++] = add_variable(news, &more_fields[0], &own, &left);
	if (news->rule[0] != '\0')
		variables[used++] = add_variable(news, &more_fields[1], &own, &left);
	for (size_t i = 0; i < count; i++) {
		if (strncmp(environ[i], PREFIX, strlen(PREFIX)) != 0)
			variables[used++] = environ[i];
	}
	return variables;
}

/* ---- The whole --------------------------------------------------------- */

static bool is_held(const struct tenf_event *event)
{
	return event->mapping.external_port != 0 &&
	       (event->kind == TENF_EVENT_MAPPED || event->kind == TENF_EVENT_CHANGED ||
		event->kind == TENF_EVENT_RENEWED);
}

static void copy(char *ret, size_t size, const char *text)
{
	struct tenf_text t = tenf_text_of(ret, size);

	tenf_text_add(&t, text);
}

static void take_mapping(struct news *n, const struct tenf_event *event)
{
	const struct tenf_mapping *m = &event->mapping;

	n->protocol = m->protocol;
	n->internal_port = m->internal_port;
	n->external_port = m->external_port;
	n->held = is_held(event);
	n->expires_at = m->expires_at;
	copy(n->external_address, sizeof(n->external_address), m->external_address);
	copy(n->gateway, sizeof(n->gateway), m->gateway);
}

bool news_is_about_gateway(enum tenf_event_kind kind)
{
	return kind == TENF_EVENT_GATEWAY || kind == TENF_EVENT_GATEWAY_RESTART ||
	       kind == TENF_EVENT_ADDRESS;
}

struct news *news_new(const char *name, const struct tenf_event *event, const json_t *event_json)
{
	struct news *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return NULL;
	n->kind = event->kind;
	copy(n->name, sizeof(n->name), name != NULL ? name : "");
	if (news_is_about_gateway(event->kind)) {
		copy(n->external_address, sizeof(n->external_address),
		     event->gateway.external_address);
		copy(n->gateway, sizeof(n->gateway), event->gateway.address);
	} else {
		take_mapping(n, event);
	}
	n->json = event_json != NULL ? json_dumps(event_json, JSON_COMPACT) : strdup("{}");
	if (n->json == NULL) {
		news_free(n);
		return NULL;
	}
	return n;
}

void news_free(struct news *news)
{
	if (news == NULL)
		return;
	free(news->json);
	free(news);
}
