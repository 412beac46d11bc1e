/* SPDX-License-Identifier: MIT */
/* GET /v1/explain: would this client get this port, and by which rule? */
#include "gateway/api.h"

#include "base/forward.h"
#include "gateway/api-shapes.h"
#include "gateway/responder-govern.h"
#include "net/clock.h"

#include <string.h>

/* What is asked, with the room its MAC needs. */
struct question {
	struct responder_ask ask;
	uint8_t mac[NEIGHBOURS_MAC];
};

static bool read_port(struct control_request *request, const char *key, bool needed,
		      uint16_t *ret)
{
	const char *text = control_request_query(request, key);
	uint64_t port = 0;

	if (text == NULL)
		return !needed;
	if (!tenf_text_number(text, strlen(text), UINT16_MAX, &port) || (needed && port == 0))
		return false;
	*ret = (uint16_t)port;
	return true;
}

static bool read_protocol(struct control_request *request, enum tenf_protocol *ret)
{
	const char *text = control_request_query(request, "protocol");

	if (text == NULL || strcmp(text, "tcp") == 0)
		*ret = TENF_TCP;
	else if (strcmp(text, "udp") == 0)
		*ret = TENF_UDP;
	else
		return false;
	return true;
}

static bool read_for(struct control_request *request, struct responder_ask *ask)
{
	const char *text = control_request_query(request, "for");

	if (text == NULL)
		return true;
	ask->third_party = true;
	return tenf_address_parse(text, &ask->internal);
}

/* The MAC that is named, else the one the client is known by. */
static bool read_mac(struct daemon *d, struct control_request *request, struct question *q)
{
	const char *text = control_request_query(request, "mac");

	if (text != NULL ? neighbours_parse(text, q->mac)
			 : daemon_mac_of(d, &q->ask.client, net_now(), q->mac))
		q->ask.mac = q->mac;
	return text == NULL || q->ask.mac != NULL;
}

/* NULL, or what is wrong with it. */
static const char *read_question(struct daemon *d, struct control_request *request,
				 struct question *ret)
{
	const char *client = control_request_query(request, "client");

	if (client == NULL || !tenf_address_parse(client, &ret->ask.client))
		return "client= is the address of a host";
	if (!read_port(request, "internal_port", true, &ret->ask.internal_port))
		return "internal_port= is a port of the host, from 1 to 65535";
	if (!read_port(request, "external_port", false, &ret->ask.external_port))
		return "external_port= is a port, or 0 for any";
	if (!read_protocol(request, &ret->ask.protocol))
		return "protocol= is tcp or udp";
	if (!read_for(request, &ret->ask))
		return "for= is the address of another host";
	if (!read_mac(d, request, ret))
		return "mac= is six pairs of hexadecimal digits, such as 00:11:22:33:44:55";
	return NULL;
}

static json_t *answer_of(const struct daemon *d, const struct responder_explanation *e)
{
	const struct policy_rule *rule = responder_rule(d->responder, e->rule);

	return json_pack("{sb ss so so so}", "granted", (int)e->granted, "action",
			 api_action_name(e->action), "rule",
			 rule != NULL ? shape_rule((unsigned)e->rule + 1, rule->name,
						   api_action_name(rule->action))
				      : json_null(),
			 "external_port", shape_some(e->external_port), "text",
			 shape_text(e->why));
}

void api_get_explain(struct control_request *request, void *context)
{
	struct daemon *d = context;
	struct question q = { .ask = { .external_port = 0 } };
	const char *mistake = read_question(d, request, &q);
	struct responder_explanation e;

	if (mistake != NULL) {
		control_answer_error(request, 400, "argument", mistake);
		return;
	}
	responder_explain(d->responder, &q.ask, net_now(), &e);
	control_answer_json(request, 200, answer_of(d, &e));
}
