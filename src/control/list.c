/* SPDX-License-Identifier: MIT */
#include "control/list.h"

#include "control/request-private.h"

#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_US 20000 /* until a slow client is looked at again */

struct listing {
	struct control_list list;
	struct control_request *request;
	struct event *turn;
	size_t at;
};

static void free_listing(struct listing *l)
{
	if (l->list.free_context != NULL)
		l->list.free_context(l->list.context);
	if (l->turn != NULL)
		event_free(l->turn);
	free(l);
}

static void cancelled(struct control_request *request, void *context)
{
	(void)request;
	free_listing(context);
}

static bool add_item(struct listing *l, struct evbuffer *slice)
{
	json_t *item = l->list.item(l->list.context, l->at);
	char *text = item != NULL ? json_dumps(item, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
	bool good = text != NULL && (l->at == 0 || evbuffer_add(slice, ",", 1) == 0) &&
		    evbuffer_add(slice, text, strlen(text)) == 0;

	free(text);
	json_decref(item);
	return good;
}

/* The next slice, and behind the last item the end of the list. */
static bool send_slice(struct listing *l)
{
	struct evbuffer *slice = evbuffer_new();
	size_t end = l->list.count - l->at > CONTROL_LIST_SLICE ? l->at + CONTROL_LIST_SLICE
								: l->list.count;
	bool good = slice != NULL;

	if (good && l->at == 0)
		good = evbuffer_add_printf(slice, "{\"%s\":[", l->list.key) > 0;
	for (; good && l->at < end; l->at++)
		good = add_item(l, slice);
	if (good && l->at == l->list.count)
		good = evbuffer_add(slice, "]}", 2) == 0;
	if (good) {
		size_t len = evbuffer_get_length(slice);
		const char *text = (const char *)evbuffer_pullup(slice, -1);

		good = text != NULL && control_answer_chunk(l->request, text, len);
	}
	if (slice != NULL)
		evbuffer_free(slice);
	return good;
}

static void on_turn(evutil_socket_t unused, short what, void *context)
{
	struct listing *l = context;
	struct control_request *request = l->request;
	struct timeval wait = { .tv_usec = 0 };

	(void)unused;
	(void)what;
	if (control_answer_unsent(request) > CONTROL_LIST_UNSENT_MAX) {
		wait.tv_usec = WAIT_US;
	} else if (!send_slice(l)) {
		control_request_drop(request); /* cancels, which frees */
		return;
	} else if (l->at == l->list.count) {
		free_listing(l);
		control_answer_end(request);
		return;
	}
	(void)event_add(l->turn, &wait);
}

void control_list_serve(struct control_request *request, const struct control_list *list)
{
	static const struct timeval at_once = { .tv_sec = 0 };
	struct listing *l = calloc(1, sizeof(*l));

	if (l != NULL) {
		l->list = *list;
		l->request = request;
		l->turn = event_new(control_server_base(request->server), -1, 0, on_turn, l);
	}
	if (l == NULL || l->turn == NULL) {
		if (l != NULL)
			free_listing(l);
		else if (list->free_context != NULL)
			list->free_context(list->context);
		control_answer_json(request, 500, NULL);
		return;
	}
	if (request->is_head) {
		free_listing(l);
		control_answer_text(request, 200, "application/json", "");
		return;
	}
	control_request_defer(request, cancelled, l);
	control_answer_start(request, "application/json");
	(void)event_add(l->turn, &at_once);
}
