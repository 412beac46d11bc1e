/* SPDX-License-Identifier: MIT */
#include "agent/connector-private.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Read, sign in with its parts, read, set, read; more is an application that
 * keeps us busy. */
#define TURNS_MAX 12

static void step(struct connector *c);

const char *connector_type_name(enum connector_type type)
{
	switch (type) {
	case CONNECTOR_QBITTORRENT:
		return "qbittorrent";
	case CONNECTOR_TRANSMISSION:
		return "transmission";
	case CONNECTOR_DELUGE:
		return "deluge";
	}
	return "unknown";
}

static const struct connector_kind *kind_of(enum connector_type type)
{
	switch (type) {
	case CONNECTOR_QBITTORRENT:
		return &connector_qbittorrent;
	case CONNECTOR_TRANSMISSION:
		return &connector_transmission;
	case CONNECTOR_DELUGE:
		return &connector_deluge;
	}
	return &connector_qbittorrent;
}

/* ---- For the kinds ------------------------------------------------------ */

enum connector_verdict connector_bad(struct connector *connector, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(connector->error, sizeof(connector->error), format, arguments);
	va_end(arguments);
	return CONNECTOR_BAD;
}

json_t *connector_json(struct connector *connector, const struct outgoing_answer *answer)
{
	json_t *value = NULL;

	if (answer->status == 200)
		value = json_loadb(answer->body, answer->body_len, 0, NULL);
	if (answer->status != 200)
		(void)connector_bad(connector, "answered with status %ld", answer->status);
	else if (!json_is_object(value))
		(void)connector_bad(connector, "answered with no JSON; is Url= right?");
	if (json_is_object(value))
		return value;
	json_decref(value);
	return NULL;
}

uint16_t connector_port(const json_t *value)
{
	json_int_t port = json_integer_value(value);

	return port > 0 && port <= UINT16_MAX ? (uint16_t)port : 0;
}

bool connector_take_cookie(struct connector *connector, const struct outgoing_answer *answer)
{
	char cookie[CONNECTOR_HEADER];

	if (!outgoing_header(answer, "Set-Cookie", cookie, sizeof(cookie)))
		return false;
	cookie[strcspn(cookie, ";")] = '\0';
	memcpy(connector->session, cookie, sizeof(cookie));
	return strchr(cookie, '=') != NULL;
}

void connector_add_form(struct tenf_text *t, const char *value)
{
	for (const char *at = value; *at != '\0'; at++) {
		if (isalnum((unsigned char)*at)) {
			tenf_text_add_char(t, *at);
		} else {
			tenf_text_add_char(t, '%');
			tenf_text_add_hex(t, at, 1);
		}
	}
}

void connector_add_json(struct tenf_text *t, json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT);

	if (text != NULL)
		tenf_text_add(t, text);
	free(text);
	json_decref(value);
}

/* ---- Steps -------------------------------------------------------------- */

static void finish(struct connector *c, bool good)
{
	char error[CONNECTOR_ERROR];

	snprintf(error, sizeof(error), "%s", c->error);
	c->done(c->context, good ? NULL : error, good && c->was_set);
}

static void after_good(struct connector *c, uint16_t port)
{
	switch (c->step) {
	case CONNECTOR_SIGN_IN:
		c->step = c->after_sign_in;
		break;
	case CONNECTOR_SET:
		c->was_set = true;
		c->step = CONNECTOR_READ;
		break;
	case CONNECTOR_READ:
		if (port == c->port) {
			finish(c, true);
			return;
		}
		if (c->was_set) {
			(void)connector_bad(c, "was told port %u and still has %u", c->port, port);
			finish(c, false);
			return;
		}
		c->step = CONNECTOR_SET;
		break;
	}
	step(c);
}

static void sign_in(struct connector *c)
{
	if (c->signed_in) {
		(void)connector_bad(c, "asks to sign in again and again");
		finish(c, false);
		return;
	}
	c->signed_in = true;
	c->part = 0;
	c->session[0] = '\0';
	c->after_sign_in = c->step;
	c->step = CONNECTOR_SIGN_IN;
	step(c);
}

static void on_answer(void *context, const struct outgoing_answer *answer)
{
	struct connector *c = context;
	enum connector_verdict verdict;
	uint16_t port = 0;

	c->call = NULL;
	if (answer->error != NULL)
		verdict = connector_bad(c, "%s", answer->error);
	else
		verdict = c->kind->judge(c, c->step, answer, &port);
	switch (verdict) {
	case CONNECTOR_GOOD:
		after_good(c, port);
		break;
	case CONNECTOR_ONWARD:
	case CONNECTOR_AGAIN:
		step(c);
		break;
	case CONNECTOR_SIGN:
		sign_in(c);
		break;
	case CONNECTOR_BAD:
		finish(c, false);
		break;
	}
}

static bool find_namespace(struct connector *c, struct outgoing_request *request)
{
	struct namespace *there = NULL;
	struct tenf_error error = { .text = "no other network namespaces here" };

	if (c->config.namespace[0] == '\0')
		return true;
	if (c->namespaces != NULL &&
	    namespaces_at(c->namespaces, c->config.namespace, &there, &error) == TENF_OK) {
		request->open_socket = namespace_socket;
		request->place = there;
		return true;
	}
	(void)connector_bad(c, "%s", error.text);
	return false;
}

static bool send_step(struct connector *c)
{
	char url[CONFIG_VALUE + 64], body[CONNECTOR_BODY], header[CONNECTOR_HEADER + 64];
	struct connector_request request = { .url = tenf_text_of(url, sizeof(url)),
					     .body = tenf_text_of(body, sizeof(body)),
					     .header = tenf_text_of(header, sizeof(header)) };
	struct outgoing_request http = { .url = url,
					 .timeout_s = CONNECTOR_TIMEOUT_S,
					 .direct = true };
	enum tenf_status status;

	if (!find_namespace(c, &http))
		return false;
	tenf_text_add(&request.url, c->config.url);
	while (request.url.used > 0 && url[request.url.used - 1] == '/')
		url[--request.url.used] = '\0';
	c->kind->make(c, c->step, &request);
	if (request.url.cut || request.body.cut || request.header.cut) {
		(void)connector_bad(c, "the request is too long");
		return false;
	}
	http.body = request.body.used > 0 ? body : NULL;
	http.content_type = request.content_type;
	http.headers[0] = request.header.used > 0 ? header : NULL;
	if (request.basic && c->config.user[0] != '\0') {
		http.user = c->config.user;
		http.password = c->config.password;
	}
	status = outgoing_start(c->outgoing, &http, on_answer, c, &c->call);
	explicit_bzero(body, sizeof(body)); /* it may hold the password */
	if (status != TENF_OK)
		(void)connector_bad(c, "out of memory");
	return status == TENF_OK;
}

static void step(struct connector *c)
{
	if (++c->turns > TURNS_MAX) {
		(void)connector_bad(c, "never comes to an end");
		finish(c, false);
	} else if (!send_step(c)) {
		finish(c, false);
	}
}

enum tenf_status connector_sync(struct connector *connector, uint16_t port, connector_done_fn done,
				void *context)
{
	connector->done = done;
	connector->context = context;
	connector->port = port;
	connector->step = CONNECTOR_READ;
	connector->was_set = false;
	connector->signed_in = false;
	connector->turns = 1;
	connector->part = 0;
	return send_step(connector) ? TENF_OK : TENF_E_MEMORY;
}

void connector_cancel(struct connector *connector)
{
	outgoing_cancel(connector->call);
	connector->call = NULL;
}

enum tenf_status connector_new(struct outgoing *outgoing, struct namespaces *namespaces,
			       const struct config_connector *config, struct connector **ret)
{
	struct connector *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return TENF_E_MEMORY;
	c->outgoing = outgoing;
	c->namespaces = namespaces;
	c->config = *config;
	c->kind = kind_of(config->type);
	*ret = c;
	return TENF_OK;
}

void connector_free(struct connector *connector)
{
	if (connector == NULL)
		return;
	connector_cancel(connector);
	explicit_bzero(connector, sizeof(*connector));
	free(connector);
}
