/* SPDX-License-Identifier: MIT */
#include "agent/api.h"

#include "agent/log.h"
#include "agent/outer.h"
#include "base/forward.h"
#include "base/span.h"
#include "control/metrics.h"
#include "control/shapes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_TEXT 32

/* ---- JSON ------------------------------------------------------------------- */

static void id_of(const struct agent_item *item, unsigned half, char ret[ID_TEXT])
{
	bool pair = item->record.wish.protocol == TENF_BOTH;

	snprintf(ret, ID_TEXT, "m%" PRIu64 "%s", item->record.number,
		 !pair ? "" : half == 0 ? "t" : "u");
}

static struct shape_label label_of(const struct agent_item *item, const char *id,
				   json_t *delivery)
{
	return (struct shape_label){
		.id = id,
		.name = item->record.wish.name,
		.source = "agent",
		.delivery = delivery,
		.through = outer_address(item),
		.namespace = item->record.wish.place.namespace,
	};
}

json_t *api_mapping(const struct daemon *daemon, const struct agent_item *item, unsigned half)
{
	struct tenf_mapping m;
	json_t *delivery = deliveries_state(daemon->deliveries, item->record.number);
	struct shape_label label;
	char id[ID_TEXT];
	json_t *json;

	id_of(item, half, id);
	label = label_of(item, id, delivery);
	agent_mapping(item, half, &m);
	json = shape_mapping(&m, &label);
	json_decref(delivery);
	return json;
}

json_t *api_event(const struct daemon *daemon, const struct agent_item *item, unsigned half,
		  const struct tenf_event *event)
{
	json_t *delivery;
	struct shape_label label;
	char id[ID_TEXT];
	json_t *json;

	if (item == NULL)
		return shape_event(event, NULL);
	delivery = deliveries_state(daemon->deliveries, item->record.number);
	id_of(item, half, id);
	label = label_of(item, id, delivery);
	json = shape_event(event, &label);
	json_decref(delivery);
	return json;
}

static json_t *item_list(const struct daemon *daemon, const struct agent_item *item)
{
	json_t *list = json_array();
	unsigned halves = item->record.wish.protocol == TENF_BOTH ? 2 : 1;

	for (unsigned half = 0; half < halves; half++)
		(void)shape_append(&list, api_mapping(daemon, item, half));
	return list;
}

/* ---- Reading ------------------------------------------------------------------ */

static void get_mappings(struct control_request *request, void *context)
{
	struct daemon *daemon = context;
	json_t *list = json_array();

	for (size_t i = 0; i < agent_count(daemon->agent); i++) {
		json_t *of_one = item_list(daemon, agent_item_at(daemon->agent, i));

		if (of_one == NULL || json_array_extend(list, of_one) != 0) {
			json_decref(of_one);
			json_decref(list);
			list = NULL;
			break;
		}
		json_decref(of_one);
	}
	control_answer_json(request, 200, shape_wrap("mappings", list));
}

/* "m7", and "m7t" or "m7u" for a half of a pair. */
static struct agent_item *named(struct daemon *daemon, struct control_request *request)
{
	const char *id = control_request_part(request, "id");
	size_t len = id != NULL ? strlen(id) : 0;
	struct agent_item *item = NULL;
	uint64_t number;

	if (len > 1 && (id[len - 1] == 't' || id[len - 1] == 'u'))
		len--;
	if (len > 1 && id[0] == 'm' && tenf_text_number(id + 1, len - 1, UINT64_MAX, &number))
		item = agent_find(daemon->agent, number);
	if (item == NULL)
		control_answer_error(request, 404, "not-found",
				     "there is no such mapping; see GET /v1/mappings");
	return item;
}

static void get_mapping(struct control_request *request, void *context)
{
	struct daemon *daemon = context;
	struct agent_item *item = named(daemon, request);

	if (item != NULL)
		control_answer_json(request, 200, shape_wrap("mappings", item_list(daemon, item)));
}

static json_t *agent_json(const struct daemon *daemon)
{
	return json_pack("{s:b, s:o, s:I}", "running", true, "since",
			 shape_time(daemon->started_at), "mappings",
			 (json_int_t)agent_count(daemon->agent));
}

static void get_status(struct control_request *request, void *context)
{
	struct daemon *daemon = context;
	json_t *gateways = json_array();

	for (struct site *site = agent_sites(daemon->agent)->first; site != NULL;
	     site = site_next(site)) {
		struct tenf_gateway gateway;

		const char *namespace = site_place(site)->namespace;
		json_t *shape;

		tenf_session_gateway(site_session(site), &gateway);
		shape = shape_gateway(&gateway);
		if (namespace[0] != '\0')
			json_object_set_new(shape, "namespace", json_string(namespace));
		(void)shape_append(&gateways, shape);
	}
	control_answer_json(request, 200,
			    shape_status(gateways, agent_json(daemon), agent_count(daemon->agent)));
}

static void get_events(struct control_request *request, void *context)
{
	struct daemon *daemon = context;

	control_stream_serve(daemon->stream, request);
}

static bool collect(void *context, const char *json)
{
	json_t **list = context;

	return shape_append(list, json_loads(json, 0, NULL));
}

static bool number_of(struct control_request *request, const char *key, uint64_t max,
		      uint64_t *ret)
{
	const char *text = control_request_query(request, key);

	*ret = 0;
	if (text == NULL || tenf_text_number(text, strlen(text), max, ret))
		return true;
	control_answer_error(request, 400, "argument",
			     "since= is a time in seconds since 1970, port= a port");
	return false;
}

static void get_history(struct control_request *request, void *context)
{
	struct daemon *daemon = context;
	json_t *list = json_array();
	uint64_t since, port;

	if (!number_of(request, "since", INT64_MAX, &since) ||
	    !number_of(request, "port", 65535, &port)) {
		json_decref(list);
		return;
	}
	if (store_history(daemon->store, (int64_t)since, (uint16_t)port, collect, &list) !=
	    TENF_OK) {
		json_decref(list);
		list = NULL;
	}
	control_answer_json(request, 200, shape_wrap("events", list));
}

/* What the port-forwarding scripts of other tools read: one number. */
static void get_portforward(struct control_request *request, void *context)
{
	struct daemon *daemon = context;
	json_int_t port = 0;

	for (size_t i = 0; i < agent_count(daemon->agent) && port == 0; i++) {
		struct tenf_mapping m;

		agent_mapping(agent_item_at(daemon->agent, i), 0, &m);
		if (m.expires_at != 0)
			port = m.external_port;
	}
	control_answer_json(request, 200, json_pack("{s:I}", "port", port));
}

static void get_health(struct control_request *request, void *context)
{
	(void)context;
	control_answer_text(request, 200, "text/plain", "ok\n");
}

/* ---- Changing ------------------------------------------------------------------- */

static const char *text_of(const json_t *body, const char *key)
{
	const char *text = json_string_value(json_object_get(body, key));

	return text != NULL ? text : "";
}

static bool copy(char *ret, size_t size, const char *text)
{
	if (strlen(text) >= size)
		return false;
	memcpy(ret, text, strlen(text) + 1);
	return true;
}

static bool read_lifetime(const json_t *body, uint32_t *ret)
{
	const json_t *value = json_object_get(body, "lifetime");

	*ret = TENF_DEFAULT_LIFETIME_S;
	if (value == NULL || json_is_null(value))
		return true;
	if (json_is_string(value))
		return tenf_span_parse(json_string_value(value), ret) && *ret > 0;
	if (!json_is_integer(value) || json_integer_value(value) < 1 ||
	    json_integer_value(value) > UINT32_MAX)
		return false;
	*ret = (uint32_t)json_integer_value(value);
	return true;
}

static unsigned methods_of(const char *name)
{
	if (strcmp(name, "pcp") == 0)
		return TENF_METHOD_PCP;
	if (strcmp(name, "natpmp") == 0)
		return TENF_METHOD_NATPMP;
	if (strcmp(name, "igd") == 0)
		return TENF_METHOD_IGD;
	return 0;
}

/* What the body wishes, without the ports; NULL, or what is wrong with it. */
static const char *read_wish(const struct daemon *daemon, const json_t *body,
			     struct record_wish *ret)
{
	struct record_wish wish = { .place = daemon->config.place };
	const char *method = text_of(body, "method");
	const char *interface = text_of(body, "interface");
	const char *gateway = text_of(body, "gateway");
	const char *namespace = text_of(body, "namespace");

	if (!read_lifetime(body, &wish.lifetime_s))
		return "\"lifetime\" is seconds from 1, or a text like \"2h\"";
	if (!copy(wish.name, sizeof(wish.name), text_of(body, "name")))
		return "\"name\" is longer than 63 octets";
	if (!copy(wish.internal_address, sizeof(wish.internal_address), text_of(body, "for")))
		return "\"for\" is not an address";
	/* As for declared ones: who names a place takes nothing of [Agent]'s. */
	if (interface[0] != '\0' || gateway[0] != '\0' || namespace[0] != '\0')
		wish.place = (struct record_place){ .methods = wish.place.methods };
	if (!copy(wish.place.namespace, sizeof(wish.place.namespace), namespace))
		return "\"namespace\" is longer than 31 octets";
	if (interface[0] != '\0' &&
	    !copy(wish.place.interface, sizeof(wish.place.interface), interface))
		return "\"interface\" is not the name of one";
	if (gateway[0] != '\0' && !copy(wish.place.gateway, sizeof(wish.place.gateway), gateway))
		return "\"gateway\" is not an address";
	if (method[0] != '\0' && strcmp(method, "auto") != 0 && methods_of(method) == 0)
		return "\"method\" is auto, pcp, natpmp or igd";
	if (method[0] != '\0')
		wish.place.methods = methods_of(method);
	if (wish.place.methods == TENF_METHOD_IGD && wish.place.namespace[0] != '\0')
		return "UPnP (\"igd\") is spoken in the agent's own network namespace alone";
	wish.exact = json_is_true(json_object_get(body, "exact"));
	wish.persist = json_is_true(json_object_get(body, "persist"));
	wish.follow = json_is_true(json_object_get(body, "follow"));
	wish.through = json_is_true(json_object_get(body, "through"));
	if (wish.follow && wish.through)
		return "\"through\" and \"follow\" do not go together";
	/* As for declared ones: another host or namespace is not behind our firewall. */
	wish.open_firewall = daemon->config.firewall != FIREWALL_NONE &&
			     wish.internal_address[0] == '\0' && wish.place.namespace[0] == '\0' &&
			     !json_is_false(json_object_get(body, "firewall"));
	*ret = wish;
	return NULL;
}

static enum tenf_status add_range(struct daemon *daemon, const struct tenf_forward *forward,
				  struct record_wish *wish, json_t **list)
{
	for (unsigned i = 0; i < tenf_forward_count(forward); i++) {
		struct agent_item *item;
		enum tenf_status status;
		json_t *of_one;

		wish->protocol = forward->protocol;
		wish->internal_port = (uint16_t)(forward->internal_first + i);
		wish->external_port =
			forward->external_first != 0 ? (uint16_t)(forward->external_first + i) : 0;
		status = agent_add(daemon->agent, wish, &item, NULL);
		if (status != TENF_OK)
			return status;
		of_one = item_list(daemon, item);
		if (of_one == NULL || json_array_extend(*list, of_one) != 0) {
			json_decref(of_one);
			return TENF_E_MEMORY;
		}
		json_decref(of_one);
	}
	return TENF_OK;
}

static void log_change(const struct control_request *request, const char *what, const char *of)
{
	const struct control_peer *peer = control_request_peer(request);

	log_note("%s %s, asked by %s (pid %d)", what, of,
		   peer->user[0] != '\0' ? peer->user : "a client over TCP", (int)peer->pid);
}

static void post_mappings(struct control_request *request, void *context)
{
	struct daemon *daemon = context;
	char reason[256];
	struct tenf_text why = tenf_text_of(reason, sizeof(reason));
	struct tenf_forward forward;
	struct record_wish wish;
	const char *mistake;
	json_t *body, *list;
	enum tenf_status status;

	if (!control_request_json(request, &body))
		return;
	mistake = read_wish(daemon, body, &wish);
	if (mistake == NULL && !tenf_forward_parse(text_of(body, "forward"), &forward, &why))
		mistake = reason;
	if (mistake == NULL && tenf_forward_count(&forward) > 256)
		mistake = "a range has 256 ports at most";
	if (mistake != NULL) {
		control_answer_error(request, 400, "argument", mistake);
		json_decref(body);
		return;
	}
	list = json_array();
	status = add_range(daemon, &forward, &wish, &list);
	if (status == TENF_OK) {
		log_change(request, "holding", text_of(body, "forward"));
		control_answer_json(request, 201, shape_wrap("mappings", list));
	} else {
		struct tenf_error error = { .status = status, .reason = TENF_REASON_SYSTEM };

		json_decref(list);
		snprintf(error.text, sizeof(error.text), "%s",
			 status == TENF_E_LIMIT ? "the agent holds as many mappings as it may" :
						  "the wish makes no sense");
		control_answer_failure(request, &error);
	}
	json_decref(body);
}

static void delete_mapping(struct control_request *request, void *context)
{
	struct daemon *daemon = context;
	struct agent_item *item = named(daemon, request);
	json_t *list;

	if (item == NULL)
		return;
	list = item_list(daemon, item);
	if (agent_remove(daemon->agent, item->record.number) != TENF_OK) {
		json_decref(list);
		control_answer_error(request, 409, "conflict", "it is being removed already");
		return;
	}
	log_change(request, "giving up", control_request_part(request, "id"));
	control_answer_json(request, 200, shape_wrap("mappings", list));
}

/* Name, persistence and lifetime; another port is another mapping. */
static void patch_mapping(struct control_request *request, void *context)
{
	struct daemon *daemon = context;
	struct agent_item *item = named(daemon, request);
	struct record_wish wish;
	json_t *body;

	if (item == NULL || !control_request_json(request, &body))
		return;
	wish = item->record.wish;
	if (json_object_get(body, "lifetime") != NULL && !read_lifetime(body, &wish.lifetime_s)) {
		control_answer_error(request, 400, "argument",
				     "\"lifetime\" is seconds from 1, or a text like \"2h\"");
		json_decref(body);
		return;
	}
	if (json_is_boolean(json_object_get(body, "persist")))
		wish.persist = json_is_true(json_object_get(body, "persist"));
	if (json_is_string(json_object_get(body, "name")) &&
	    !copy(wish.name, sizeof(wish.name), text_of(body, "name"))) {
		control_answer_error(request, 400, "argument", "\"name\" is longer than 63 octets");
		json_decref(body);
		return;
	}
	json_decref(body);
	if (agent_change(daemon->agent, item, &wish) != TENF_OK) {
		control_answer_error(request, 500, "system", "the change could not be remembered");
		return;
	}
	log_change(request, "changed", control_request_part(request, "id"));
	control_answer_json(request, 200, shape_wrap("mappings", item_list(daemon, item)));
}

static void post_reload(struct control_request *request, void *context)
{
	struct daemon *daemon = context;
	struct config_mistake mistake;
	char text[CONFIG_MISTAKE_SIZE];

	if (daemon_reload(daemon, &mistake)) {
		control_answer_done(request);
		return;
	}
	config_mistake_text(&mistake, text, sizeof(text));
	control_answer_error(request, 422, "configuration", text);
}

const struct control_route api_routes[] = {
	{ CONTROL_GET, "/v1/status", get_status },
	{ CONTROL_GET, "/v1/mappings", get_mappings },
	{ CONTROL_POST, "/v1/mappings", post_mappings },
	{ CONTROL_GET, "/v1/mappings/{id}", get_mapping },
	{ CONTROL_PATCH, "/v1/mappings/{id}", patch_mapping },
	{ CONTROL_DELETE, "/v1/mappings/{id}", delete_mapping },
	{ CONTROL_GET, "/v1/events", get_events },
	{ CONTROL_GET, "/v1/history", get_history },
	{ CONTROL_GET, "/v1/portforward", get_portforward },
	{ CONTROL_POST, "/v1/reload", post_reload },
	{ CONTROL_GET, "/metrics", api_get_metrics },
	{ CONTROL_GET, "/healthz", get_health },
};
const size_t api_route_count = TENF_ARRAY_SIZE(api_routes);
