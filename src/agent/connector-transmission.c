/* SPDX-License-Identifier: MIT */
/*
 * Transmission, its RPC. The first answer is 409 with a session id, which has
 * to come with every request; so is one after a restart.
 */
#include "agent/connector-private.h"

#include <string.h>

#define SESSION_ID "X-Transmission-Session-Id"

/* The path of the RPC, unless Url= has one of its own. */
static bool has_path(const char *url)
{
	const char *host = strstr(url, "://");

	return host != NULL && strchr(host + 3, '/') != NULL;
}

static void make(struct connector *c, enum connector_step step, struct connector_request *r)
{
	json_t *body;

	if (!has_path(r->url.start))
		tenf_text_add(&r->url, "/transmission/rpc");
	if (step == CONNECTOR_SET)
		body = json_pack("{ss s{si sb}}", "method", "session-set", "arguments",
				 "peer-port", (int)c->port, "peer-port-random-on-start", 0);
	else
		body = json_pack("{ss s{s[ss]}}", "method", "session-get", "arguments", "fields",
				 "peer-port", "peer-port-random-on-start");
	connector_add_json(&r->body, body);
	r->content_type = "application/json";
	r->basic = true;
	if (c->session[0] != '\0') {
		tenf_text_add(&r->header, SESSION_ID ": ");
		tenf_text_add(&r->header, c->session);
	}
}

static enum connector_verdict judge_result(struct connector *c, enum connector_step step,
					   const json_t *answer, uint16_t *ret_port)
{
	const char *result = json_string_value(json_object_get(answer, "result"));
	const json_t *values = json_object_get(answer, "arguments");

	if (result == NULL || strcmp(result, "success") != 0)
		return connector_bad(c, "refused: %.80s", result != NULL ? result : "no result");
	if (step == CONNECTOR_SET)
		return CONNECTOR_GOOD;
	if (!json_is_integer(json_object_get(values, "peer-port")))
		return connector_bad(c, "does not tell its peer-port");
	if (!json_is_true(json_object_get(values, "peer-port-random-on-start")))
		*ret_port = connector_port(json_object_get(values, "peer-port"));
	return CONNECTOR_GOOD;
}

static enum connector_verdict judge(struct connector *c, enum connector_step step,
				    const struct outgoing_answer *answer, uint16_t *ret_port)
{
	enum connector_verdict verdict;
	json_t *value;

	if (answer->status == 409) {
		if (!outgoing_header(answer, SESSION_ID, c->session, sizeof(c->session)))
			return connector_bad(c, "wants a session id and does not tell it");
		return CONNECTOR_AGAIN;
	}
	if (answer->status == 401)
		return connector_bad(c, "does not take this user and password");
	if (answer->status == 403 || answer->status == 421)
		return connector_bad(c, "does not let us in (status %ld): see its rpc-whitelist "
					"and rpc-host-whitelist", answer->status);
	value = connector_json(c, answer);
	if (value == NULL)
		return CONNECTOR_BAD;
	verdict = judge_result(c, step, value, ret_port);
	json_decref(value);
	return verdict;
}

const struct connector_kind connector_transmission = { make, judge };
