/* SPDX-License-Identifier: MIT */
#include "loop.h"

#include <event2/buffer.h>
#include <event2/keyvalq_struct.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define BODY_MAX 65536

static void on_limit(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	*(bool *)context = true;
}

bool loop_until(struct event_base *base, loop_condition condition, void *context)
{
	struct timeval limit = { .tv_sec = LOOP_LIMIT_S };
	bool over = false;
	struct event *timer = evtimer_new(base, on_limit, &over);

	evtimer_add(timer, &limit);
	while (!over && !condition(context))
		event_base_loop(base, EVLOOP_ONCE);
	event_free(timer);
	return !over;
}

static void on_request(struct evhttp_request *request, void *context)
{
	static char body[BODY_MAX];
	struct fake *fake = context;
	struct evbuffer *input = evhttp_request_get_input_buffer(request);
	int len = evbuffer_remove(input, body, sizeof(body) - 1);

	body[len > 0 ? len : 0] = '\0';
	fake->requests++;
	fake->handler(fake, request, evhttp_request_get_uri(request), body);
}

void fake_start(struct fake *fake, struct event_base *base, uint16_t port, fake_handler handler,
		void *context)
{
	struct evhttp_bound_socket *bound;
	struct sockaddr_in address;
	socklen_t len = sizeof(address);

	*fake = (struct fake){ .handler = handler, .context = context };
	fake->http = evhttp_new(base);
	bound = evhttp_bind_socket_with_handle(fake->http, "127.0.0.1", port);
	assert_non_null(bound);
	assert_int_equal(getsockname(evhttp_bound_socket_get_fd(bound),
				     (struct sockaddr *)&address, &len), 0);
	fake->port = ntohs(address.sin_port);
	snprintf(fake->url, sizeof(fake->url), "http://127.0.0.1:%u", fake->port);
	evhttp_set_gencb(fake->http, on_request, fake);
}

void fake_stop(struct fake *fake)
{
	if (fake->http != NULL)
		evhttp_free(fake->http);
	fake->http = NULL;
}

void fake_answer(struct evhttp_request *request, int status, const char *body)
{
	struct evbuffer *buffer = evbuffer_new();

	assert_int_equal(evbuffer_add(buffer, body, strlen(body)), 0);
	evhttp_send_reply(request, status, "answer", buffer);
	evbuffer_free(buffer);
}

const char *fake_header(struct evhttp_request *request, const char *name)
{
	const char *value =
		evhttp_find_header(evhttp_request_get_input_headers(request), name);

	return value != NULL ? value : "";
}

struct tenf_event event_of(enum tenf_event_kind kind, enum tenf_protocol protocol,
			   uint16_t internal_port, uint16_t external_port)
{
	struct tenf_event event = { .kind = kind, .at = 1700000000 };
	struct tenf_mapping *m = &event.mapping;

	m->id = 1;
	m->protocol = protocol;
	m->internal_port = internal_port;
	m->external_port = external_port;
	m->expires_at = 1700000060;
	snprintf(m->external_address, sizeof(m->external_address), "203.0.113.7");
	snprintf(m->gateway, sizeof(m->gateway), "10.2.0.1");
	return event;
}

static const char *field_of(struct deliveries *deliveries, uint64_t number, const char *label,
			    const char *key)
{
	static char text[256];
	json_t *state = deliveries_state(deliveries, number);
	const json_t *found = label == NULL ? state : NULL;
	const json_t *target;
	const char *value;
	size_t i;

	json_array_foreach(json_object_get(state, "targets"), i, target) {
		const char *name = json_string_value(json_object_get(target, "target"));

		if (label != NULL && strncmp(name, label, strlen(label)) == 0)
			found = target;
	}
	value = json_string_value(json_object_get(found, key));
	snprintf(text, sizeof(text), "%s", value != NULL ? value : "");
	json_decref(state);
	return text;
}

const char *state_of(struct deliveries *deliveries, uint64_t number, const char *label)
{
	return field_of(deliveries, number, label, "state");
}

const char *error_of(struct deliveries *deliveries, uint64_t number, const char *label)
{
	return field_of(deliveries, number, label, "error");
}
