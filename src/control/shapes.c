/* SPDX-License-Identifier: MIT */
#include "control/shapes.h"

#include "base/attributes.h"
#include "base/forward.h"
#include "base/names.h"

#include <time.h>

#define YEAR_10000 INT64_C(253402300800) /* from here on a year has five digits */

json_t *shape_text(const char *text)
{
	json_t *value;

	if (text == NULL || text[0] == '\0')
		return json_null();
	value = json_string(text);
	/* A name in another encoding than UTF-8 is a fact we cannot tell. */
	return value != NULL ? value : json_null();
}

json_t *shape_time(int64_t at)
{
	time_t when = (time_t)at;
	char text[32];
	struct tm utc;

	if (at <= 0 || at >= YEAR_10000 || gmtime_r(&when, &utc) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
		return json_null();
	return json_string(text);
}

json_t *shape_some(int64_t number)
{
	return number > 0 ? json_integer(number) : json_null();
}

json_t *shape_known(int64_t number)
{
	return number >= 0 ? json_integer(number) : json_null();
}

json_t *shape_error(const struct tenf_error *error)
{
	if (error->reason == TENF_REASON_NONE)
		return json_null();
	return json_pack("{ss so so}", "code", tenf_reason_code(error->reason), "result",
			 shape_known(error->result), "text", shape_text(error->text));
}

json_t *shape_delivery(const char *state, int64_t at)
{
	return json_pack("{so so}", "state", shape_text(state), "at", shape_time(at));
}

static json_t *make_method(enum tenf_method method)
{
	return method != TENF_METHOD_NONE ? json_string(tenf_method_code(method)) : json_null();
}

static json_t *make_filtering(enum tenf_filtering filtering)
{
	return json_string(filtering == TENF_FILTERING_ECHOED ? "echoed" : "unfiltered");
}

json_t *shape_mapping(const struct tenf_mapping *m, const struct shape_label *label)
{
	static const struct shape_label unknown = { 0 };
	json_t *made;

	if (label == NULL)
		label = &unknown;
	made = json_pack("{so so ss so si so so so so so so ss so so so so}",
			 "id", shape_text(label->id),
			 "name", shape_text(label->name),
			 "protocol", tenf_protocol_name(m->protocol),
			 "internal_address", shape_text(m->internal_address),
			 "internal_port", (int)m->internal_port,
			 "external_address", shape_text(m->external_address),
			 "external_port", shape_some(m->external_port),
			 "requested_external_port", shape_some(m->requested_external_port),
			 "lifetime", shape_some(m->lifetime_s),
			 "expires_at", shape_time(m->expires_at),
			 "renews_at", shape_time(m->renews_at),
			 "state", tenf_state_code(m->state),
			 "method", make_method(m->method),
			 "gateway", shape_text(m->gateway),
			 "source", shape_text(label->source),
			 "error", shape_error(&m->error));
	if (made != NULL &&
	    ((m->filtering != TENF_FILTERING_NONE &&
	      json_object_set_new(made, "filter", make_filtering(m->filtering)) != 0) ||
	     (label->delivery != NULL && json_object_set(made, "delivery", label->delivery) != 0) ||
	     (label->through != NULL && label->through[0] != '\0' &&
	      json_object_set_new(made, "through", shape_text(label->through)) != 0) ||
	     (label->namespace != NULL && label->namespace[0] != '\0' &&
	      json_object_set_new(made, "namespace", shape_text(label->namespace)) != 0))) {
		json_decref(made);
		return NULL;
	}
	return made;
}

bool shape_append(json_t **list, json_t *value)
{
	/* json_array_append_new releases the value when the list is NULL. */
	if (json_array_append_new(*list, value) == 0)
		return true;
	json_decref(*list);
	*list = NULL;
	return false;
}

static json_t *make_methods(const struct tenf_gateway *g)
{
	json_t *list = json_array();

	for (size_t i = 0; i < g->spoken_count && i < TENF_ARRAY_SIZE(g->spoken); i++) {
		const struct tenf_spoken *s = &g->spoken[i];

		if (!shape_append(&list, json_pack("{ss si}", "name", tenf_method_code(s->method),
						   "version", (int)s->version)))
			return NULL;
	}
	return list;
}

/* Printed with six digits, which leaves the noise of binary fractions out. */
static json_t *make_rtt(int64_t rtt_us)
{
	if (rtt_us < 0)
		return json_null();
	return json_real((double)rtt_us / 1000.0);
}

/* PCP tells the address only with a mapping, so without one nobody knows; NAT-PMP
 * was asked, and where it told none there is none. */
static json_t *make_class(const struct tenf_gateway *g)
{
	bool asked = false;

	for (size_t i = 0; i < g->spoken_count; i++)
		asked = asked || g->spoken[i].method == TENF_METHOD_NATPMP;
	if (g->external_address[0] == '\0' && !asked)
		return json_null();
	return json_string(tenf_class_code(g->address_class));
}

json_t *shape_gateway(const struct tenf_gateway *g)
{
	return json_pack("{so so so so so so so so so so so}",
			 "address", shape_text(g->address),
			 "port", shape_some(g->port),
			 "interface", shape_text(g->interface),
			 "source", shape_text(g->source),
			 "methods", make_methods(g),
			 "external_address", shape_text(g->external_address),
			 "address_class", make_class(g),
			 "epoch", shape_known(g->epoch_s),
			 "up_since", shape_time(g->up_since),
			 "rtt_ms", make_rtt(g->rtt_us),
			 "error", shape_error(&g->error));
}

static json_t *event_of_gateway(const struct tenf_event *event)
{
	json_t *made = json_pack("{ss so so sn sn}", "event", tenf_event_code(event->kind), "at",
				 shape_time(event->at), "gateway", shape_gateway(&event->gateway),
				 "mapping", "before");

	if (made == NULL || event->kind != TENF_EVENT_ADDRESS)
		return made;
	if (json_object_set_new(made, "external_address",
				shape_text(event->gateway.external_address)) != 0 ||
	    json_object_set_new(made, "external_address_before",
				shape_text(event->address_before)) != 0) {
		json_decref(made);
		return NULL;
	}
	return made;
}

json_t *shape_event(const struct tenf_event *event, const struct shape_label *label)
{
	switch (event->kind) {
	case TENF_EVENT_GATEWAY:
	case TENF_EVENT_GATEWAY_RESTART:
	case TENF_EVENT_ADDRESS:
		return event_of_gateway(event);
	case TENF_EVENT_MAPPED:
	case TENF_EVENT_CHANGED:
	case TENF_EVENT_RENEWED:
	case TENF_EVENT_LOST:
	case TENF_EVENT_REFUSED:
	case TENF_EVENT_REMOVED:
		break;
	}
	return json_pack("{ss so so so}", "event", tenf_event_code(event->kind), "at",
			 shape_time(event->at), "mapping", shape_mapping(&event->mapping, label),
			 "before",
			 event->before.id != 0 ? shape_mapping(&event->before, label) :
						 json_null());
}

json_t *shape_pending(const struct shape_pending *p)
{
	return json_pack("{so so so ss si so so sI so}",
			 "id", shape_text(p->id),
			 "client", shape_text(p->client),
			 "mac", shape_text(p->mac),
			 "protocol", tenf_protocol_name(p->protocol),
			 "internal_port", (int)p->internal_port,
			 "external_port", shape_some(p->external_port),
			 "first_seen", shape_time(p->first_seen),
			 "tries", (json_int_t)p->tries,
			 "state", shape_text(p->state));
}

json_t *shape_rule(unsigned number, const char *name, const char *action)
{
	if (number == 0)
		return json_null();
	return json_pack("{sI so so}", "number", (json_int_t)number, "name", shape_text(name),
			 "action", shape_text(action));
}

json_t *shape_governed(json_t *mapping, const struct shape_governed *known)
{
	json_t *more = json_pack("{so so so so so so so so}",
				 "client", shape_text(known->client),
				 "mac", shape_text(known->mac),
				 "rule", shape_rule(known->rule, known->rule_name,
						    known->rule_action),
				 "made_at", shape_time(known->made_at),
				 "renewals", shape_known(known->renewals),
				 "opcode", shape_text(known->opcode),
				 "remote_address", shape_text(known->remote_address),
				 "remote_port", shape_some(known->remote_port));

	if (mapping == NULL || more == NULL || json_object_update(mapping, more) != 0) {
		json_decref(mapping);
		mapping = NULL;
	}
	json_decref(more);
	return mapping;
}

json_t *shape_status(json_t *gateways, json_t *agent, size_t mappings)
{
	return json_pack("{so so sI}", "gateways", gateways, "agent", agent, "mappings",
			 (json_int_t)mappings);
}

json_t *shape_failure(const char *code, const char *text)
{
	return json_pack("{s{ss so}}", "error", "code", code, "text", shape_text(text));
}

json_t *shape_wrap(const char *key, json_t *value)
{
	return json_pack("{so}", key, value);
}
