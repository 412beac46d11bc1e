/* SPDX-License-Identifier: MIT */
/*
 * Deluge, the JSON-RPC of its web part, which has to be signed in to and
 * connected to the daemon: auth.login, web.connected, and where that is false
 * web.get_hosts and web.connect to the first. "Not authenticated" (1) and "Unknown method" (2,
 * what core.* is without a daemon) both lead there.
 */
#include "agent/connector-private.h"

#include <string.h>

enum part { LOGIN, CONNECTED, HOSTS, CONNECT };

static json_t *parameters(struct connector *c, enum connector_step step, const char **ret_method)
{
	if (step == CONNECTOR_READ) {
		*ret_method = "core.get_config_values";
		return json_pack("[[ss]]", "listen_ports", "random_port");
	}
	if (step == CONNECTOR_SET) {
		*ret_method = "core.set_config";
		return json_pack("[{s[ii] sb}]", "listen_ports", (int)c->port, (int)c->port,
				 "random_port", 0);
	}
	switch ((enum part)c->part) {
	case LOGIN:
		*ret_method = "auth.login";
		return json_pack("[s]", c->config.password);
	case CONNECTED:
		*ret_method = "web.connected";
		break;
	case HOSTS:
		*ret_method = "web.get_hosts";
		break;
	case CONNECT:
		*ret_method = "web.connect";
		return json_pack("[s]", c->host);
	}
	return json_array();
}

static void make(struct connector *c, enum connector_step step, struct connector_request *r)
{
	const char *method = "";
	json_t *values = parameters(c, step, &method);

	tenf_text_add(&r->url, "/json");
	r->content_type = "application/json";
	connector_add_json(&r->body, json_pack("{ss so si}", "method", method, "params", values,
					       "id", (int)c->turns));
	if (c->session[0] != '\0') {
		tenf_text_add(&r->header, "Cookie: ");
		tenf_text_add(&r->header, c->session);
	}
}

static enum connector_verdict judge_read(struct connector *c, const json_t *result,
					 uint16_t *ret_port)
{
	const json_t *ports = json_object_get(result, "listen_ports");
	uint16_t first = connector_port(json_array_get(ports, 0));

	if (json_array_size(ports) == 0)
		return connector_bad(c, "does not tell its listen_ports");
	/* A range or a random port is not the one port we want. */
	if (!json_is_true(json_object_get(result, "random_port")) &&
	    connector_port(json_array_get(ports, 1)) == first)
		*ret_port = first;
	return CONNECTOR_GOOD;
}

static enum connector_verdict judge_hosts(struct connector *c, const json_t *hosts)
{
	const char *id = json_string_value(json_array_get(json_array_get(hosts, 0), 0));

	if (id == NULL || strlen(id) >= sizeof(c->host))
		return connector_bad(c, "its web part knows no daemon; add one there");
	memcpy(c->host, id, strlen(id) + 1);
	return CONNECTOR_ONWARD;
}

static enum connector_verdict judge_part(struct connector *c, const struct outgoing_answer *answer,
					 const json_t *result)
{
	enum part part = (enum part)c->part++;

	switch (part) {
	case LOGIN:
		if (!json_is_true(result) || !connector_take_cookie(c, answer))
			return connector_bad(c, "does not know this password");
		return CONNECTOR_ONWARD;
	case CONNECTED:
		return json_is_true(result) ? CONNECTOR_GOOD : CONNECTOR_ONWARD;
	case HOSTS:
		return judge_hosts(c, result);
	case CONNECT:
		return CONNECTOR_GOOD;
	}
	return CONNECTOR_BAD;
}

static enum connector_verdict judge_error(struct connector *c, enum connector_step step,
					  const json_t *error)
{
	json_int_t code = json_integer_value(json_object_get(error, "code"));
	const char *text = json_string_value(json_object_get(error, "message"));

	if (step != CONNECTOR_SIGN_IN && (code == 1 || code == 2))
		return CONNECTOR_SIGN;
	return connector_bad(c, "refused: %.100s", text != NULL ? text : "no reason");
}

static enum connector_verdict judge(struct connector *c, enum connector_step step,
				    const struct outgoing_answer *answer, uint16_t *ret_port)
{
	json_t *value = connector_json(c, answer);
	const json_t *result = json_object_get(value, "result");
	const json_t *error = json_object_get(value, "error");
	enum connector_verdict verdict = CONNECTOR_GOOD;

	if (value == NULL)
		return CONNECTOR_BAD;
	if (json_is_object(error))
		verdict = judge_error(c, step, error);
	else if (step == CONNECTOR_SIGN_IN)
		verdict = judge_part(c, answer, result);
	else if (step == CONNECTOR_READ)
		verdict = judge_read(c, result, ret_port);
	json_decref(value);
	return verdict;
}

const struct connector_kind connector_deluge = { make, judge };
