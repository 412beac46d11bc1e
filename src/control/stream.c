/* SPDX-License-Identifier: MIT */
#include "control/stream.h"

#include "base/text.h"
#include "control/request-private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_MS 2000 /* how long a browser waits before it comes back */

struct line {
	uint64_t id;
	char *text; /* the whole event as it is sent */
	size_t len;
};

struct listener {
	struct control_stream *stream;
	struct control_request *request;
	struct listener *next;
};

struct control_stream {
	struct event *heartbeat;
	uint64_t next_id;
	uint64_t dropped;
	size_t count;                         /* of the ring */
	struct line ring[CONTROL_RING_MAX];   /* event ID stands at ID % CONTROL_RING_MAX */
	struct listener *listeners;
	size_t listener_count;
};

static void remove_listener(struct listener *listener)
{
	struct control_stream *stream = listener->stream;

	for (struct listener **at = &stream->listeners; *at != NULL; at = &(*at)->next) {
		if (*at == listener) {
			*at = listener->next;
			stream->listener_count--;
			break;
		}
	}
	free(listener);
}

static void cancelled(struct control_request *request, void *context)
{
	(void)request;
	remove_listener(context);
}

/* False when the listener is gone now: too slow, or no memory for it. */
static bool tell(struct listener *listener, const char *text, size_t len)
{
	if (control_answer_unsent(listener->request) <= CONTROL_UNSENT_MAX &&
	    control_answer_chunk(listener->request, text, len))
		return true;
	listener->stream->dropped++;
	control_request_drop(listener->request);
	return false;
}

static void tell_all(struct control_stream *stream, const char *text, size_t len)
{
	struct listener *next;

	for (struct listener *l = stream->listeners; l != NULL; l = next) {
		next = l->next; /* dropping one frees that one alone */
		(void)tell(l, text, len);
	}
}

void control_stream_beat(struct control_stream *stream)
{
	static const char comment[] = ":\n\n";

	tell_all(stream, comment, sizeof(comment) - 1);
}

static void on_heartbeat(evutil_socket_t unused, short what, void *context)
{
	(void)unused;
	(void)what;
	control_stream_beat(context);
}

enum tenf_status control_stream_new(struct event_base *base, uint64_t first_id,
				    struct control_stream **ret)
{
	static const struct timeval interval = { .tv_sec = CONTROL_HEARTBEAT_S };
	struct control_stream *stream = calloc(1, sizeof(*stream));

	if (stream == NULL)
		return TENF_E_MEMORY;
	stream->next_id = first_id;
	stream->heartbeat = event_new(base, -1, EV_PERSIST, on_heartbeat, stream);
	if (stream->heartbeat == NULL || event_add(stream->heartbeat, &interval) != 0) {
		control_stream_free(stream);
		return TENF_E_MEMORY;
	}
	*ret = stream;
	return TENF_OK;
}

void control_stream_free(struct control_stream *stream)
{
	if (stream == NULL)
		return;
	while (stream->listeners != NULL) {
		struct control_request *request = stream->listeners->request;

		remove_listener(stream->listeners);
		control_answer_end(request);
	}
	if (stream->heartbeat != NULL)
		event_free(stream->heartbeat);
	for (size_t i = 0; i < CONTROL_RING_MAX; i++)
		free(stream->ring[i].text);
	free(stream);
}

/* One event in the form of the HTML standard, §9.2.5: JSON has no line breaks,
 * so one data line is enough. */
static char *make_text(uint64_t id, const char *event, const json_t *data)
{
	char *json = json_dumps(data, JSON_COMPACT | JSON_REAL_PRECISION(6));
	char *made = NULL;

	if (json != NULL && asprintf(&made, "id: %llu\nevent: %s\ndata: %s\n\n",
				     (unsigned long long)id, event, json) < 0)
		made = NULL;
	free(json);
	return made;
}

enum tenf_status control_stream_publish(struct control_stream *stream, const char *event,
					json_t *data)
{
	struct line *line = &stream->ring[stream->next_id % CONTROL_RING_MAX];
	char *text = data != NULL ? make_text(stream->next_id, event, data) : NULL;

	json_decref(data);
	if (text == NULL)
		return TENF_E_MEMORY;
	free(line->text);
	*line = (struct line){ .id = stream->next_id, .text = text, .len = strlen(text) };
	stream->next_id++;
	if (stream->count < CONTROL_RING_MAX)
		stream->count++;
	tell_all(stream, line->text, line->len);
	return TENF_OK;
}

void control_stream_skip(struct control_stream *stream, uint64_t count)
{
	if (count == 0)
		return;
	/* The ring has no holes; what stands in front of one is as good as forgotten. */
	for (size_t i = 0; i < CONTROL_RING_MAX; i++) {
		free(stream->ring[i].text);
		stream->ring[i].text = NULL;
	}
	stream->count = 0;
	stream->next_id += count;
}

/* Events behind `last`; all there are when it is of another time. */
static void tell_missed(struct listener *listener, uint64_t last)
{
	const struct control_stream *stream = listener->stream;
	uint64_t id = stream->next_id - stream->count;

	if (last >= id && last < stream->next_id)
		id = last + 1;
	for (; id < stream->next_id; id++) {
		const struct line *line = &stream->ring[id % CONTROL_RING_MAX];

		if (!tell(listener, line->text, line->len))
			return;
	}
}

/* True when the request names an event to go on from. False in *ret_sound when
 * what it names is no number. */
static bool wants_missed(const struct control_request *request, uint64_t *ret, bool *ret_sound)
{
	const char *text = control_request_header(request, "Last-Event-ID");

	if (text == NULL || text[0] == '\0')
		text = control_request_query(request, "since");
	*ret_sound = true;
	if (text == NULL || text[0] == '\0')
		return false;
	*ret_sound = tenf_text_number(text, strlen(text), UINT64_MAX - 1, ret);
	return true;
}

static struct listener *add_listener(struct control_stream *stream,
				     struct control_request *request)
{
	struct listener *listener = calloc(1, sizeof(*listener));

	if (listener == NULL)
		return NULL;
	listener->stream = stream;
	listener->request = request;
	listener->next = stream->listeners;
	stream->listeners = listener;
	stream->listener_count++;
	return listener;
}

static void begin(struct control_stream *stream, struct control_request *request, bool missed,
		  uint64_t last)
{
	char hello[48];
	struct listener *listener = add_listener(stream, request);

	if (listener == NULL) {
		control_answer_error(request, 500, "system", "out of memory");
		return;
	}
	control_request_defer(request, cancelled, listener);
	control_answer_start(request, "text/event-stream");
	(void)snprintf(hello, sizeof(hello), "retry: %d\n\n", RETRY_MS);
	if (tell(listener, hello, strlen(hello)) && missed)
		tell_missed(listener, last);
}

void control_stream_serve(struct control_stream *stream, struct control_request *request)
{
	uint64_t last = 0;
	bool sound;
	bool missed = wants_missed(request, &last, &sound);

	if (!sound)
		control_answer_error(request, 400, "bad-request",
				     "the event to go on from is named by its number");
	else if (stream->listener_count == CONTROL_LISTENERS_MAX)
		control_answer_error(request, 503, "busy", "too many listen to events already");
	else if (request->is_head)
		control_answer_text(request, 200, "text/event-stream", "");
	else
		begin(stream, request, missed, last);
}

size_t control_stream_listeners(const struct control_stream *stream)
{
	return stream->listener_count;
}

uint64_t control_stream_dropped(const struct control_stream *stream)
{
	return stream->dropped;
}
