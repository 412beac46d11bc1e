/* SPDX-License-Identifier: MIT */
#include "cli/json.h"

#include "base/forward.h"
#include "base/names.h"

#include <time.h>

json_t *json_text(const char *text)
{
	json_t *value;

	if (text == NULL || text[0] == '\0')
		return json_null();
	value = json_string(text);
	/* A name in another encoding than UTF-8 is a fact we cannot tell. */
	return value != NULL ? value : json_null();
}

json_t *json_time(int64_t at)
{
	time_t when = (time_t)at;
	char text[32];
	struct tm utc;

	if (at <= 0 || gmtime_r(&when, &utc) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
		return json_null();
	return json_string(text);
}

/* Ports and lifetimes: 0 says that there is none. */
static json_t *some(json_int_t number)
{
	return number > 0 ? json_integer(number) : json_null();
}

/* Numbers for which -1 says unknown. */
static json_t *known(json_int_t number)
{
	return number >= 0 ? json_integer(number) : json_null();
}

json_t *json_error(const struct tenf_error *error)
{
	if (error->reason == TENF_REASON_NONE)
		return json_null();
	return json_pack("{ss so so}", "code", tenf_reason_code(error->reason), "result",
			 known(error->result), "text", json_text(error->text));
}

static json_t *make_id(const struct json_label *label)
{
	if (label == NULL || label->number == 0)
		return json_null();
	return json_sprintf("m%llu", (unsigned long long)label->number);
}

static json_t *make_method(enum tenf_method method)
{
	return method != TENF_METHOD_NONE ? json_string(tenf_method_code(method)) : json_null();
}

json_t *json_mapping(const struct tenf_mapping *m, const struct json_label *label)
{
	return json_pack("{so so ss so si so so so so so so ss so so ss so}",
			 "id", make_id(label),
			 "name", json_text(label != NULL ? label->name : NULL),
			 "protocol", tenf_protocol_name(m->protocol),
			 "internal_address", json_text(m->internal_address),
			 "internal_port", (int)m->internal_port,
			 "external_address", json_text(m->external_address),
			 "external_port", some(m->external_port),
			 "requested_external_port", some(m->requested_external_port),
			 "lifetime", some(m->lifetime_s),
			 "expires_at", json_time(m->expires_at),
			 "renews_at", json_time(m->renews_at),
			 "state", tenf_state_code(m->state),
			 "method", make_method(m->method),
			 "gateway", json_text(m->gateway),
			 "source", "lease",
			 "error", json_error(&m->error));
}

static json_t *make_methods(const struct tenf_gateway *g)
{
	json_t *list = json_array();

	for (size_t i = 0; i < g->spoken_count && i < TENF_ARRAY_SIZE(g->spoken); i++) {
		const struct tenf_spoken *s = &g->spoken[i];
		json_t *one = json_pack("{ss si}", "name", tenf_method_code(s->method), "version",
					(int)s->version);

		if (json_array_append_new(list, one) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* Six digits are printed, which leaves the noise of binary fractions out. */
static json_t *make_rtt(int64_t rtt_us)
{
	if (rtt_us < 0)
		return json_null();
	return json_real((double)rtt_us / 1000.0);
}

json_t *json_gateway(const struct tenf_gateway *g)
{
	return json_pack("{so so so so so so ss so so so so}",
			 "address", json_text(g->address),
			 "port", some(g->port),
			 "interface", json_text(g->interface),
			 "source", json_text(g->source),
			 "methods", make_methods(g),
			 "external_address", json_text(g->external_address),
			 "address_class", tenf_class_code(g->address_class),
			 "epoch", known(g->epoch_s),
			 "up_since", json_time(g->up_since),
			 "rtt_ms", make_rtt(g->rtt_us),
			 "error", json_error(&g->error));
}

static json_t *event_of_gateway(const struct tenf_event *event)
{
	json_t *made = json_pack("{ss so so sn sn}", "event", tenf_event_code(event->kind), "at",
				 json_time(event->at), "gateway", json_gateway(&event->gateway),
				 "mapping", "before");

	if (made != NULL && event->kind == TENF_EVENT_ADDRESS) {
		json_object_set_new(made, "external_address",
				    json_text(event->gateway.external_address));
		json_object_set_new(made, "external_address_before",
				    json_text(event->address_before));
	}
	return made;
}

json_t *json_event(const struct tenf_event *event, const struct json_label *label)
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
			 json_time(event->at), "mapping", json_mapping(&event->mapping, label),
			 "before",
			 event->before.id != 0 ? json_mapping(&event->before, label) : json_null());
}

json_t *json_wrap(const char *key, json_t *value)
{
	return json_pack("{so}", key, value);
}

static int print(struct cli *cli, json_t *value, size_t flags)
{
	if (value == NULL) {
		cli_error(cli, "out of memory");
		return CLI_EXIT_FAILURE;
	}
	/* What goes wrong in writing is found, once, by cli_flush(). */
	(void)json_dumpf(value, cli->out, flags | JSON_REAL_PRECISION(6));
	putc('\n', cli->out);
	json_decref(value);
	return CLI_EXIT_DONE;
}

int json_print(struct cli *cli, json_t *value)
{
	return print(cli, value, JSON_INDENT(2));
}

int json_print_line(struct cli *cli, json_t *value)
{
	return print(cli, value, 0);
}
