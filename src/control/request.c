/* SPDX-License-Identifier: MIT */
#include "control/request.h"

#include "control/request-private.h"
#include "control/shapes.h"

#include <event2/bufferevent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTROL_STREAM_STALL_S 60 /* a client of a stream that takes nothing is let go */
#define JSON_TYPE "application/json"
#define JSON_FLAGS (JSON_COMPACT | JSON_REAL_PRECISION(6))
#define PLACE_TEXT_SIZE 256

/* ---- What was asked ------------------------------------------------------ */

enum control_method control_request_method(const struct control_request *request)
{
	return request->method;
}

const char *control_request_path(const struct control_request *request)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request->http);
	const char *path = uri != NULL ? evhttp_uri_get_path(uri) : NULL;

	return path != NULL ? path : "";
}

const char *control_request_part(const struct control_request *request, const char *name)
{
	return control_match_part(&request->match, name);
}

const char *control_request_query(const struct control_request *request, const char *key)
{
	return request->has_query ? evhttp_find_header(&request->query, key) : NULL;
}

const char *control_request_header(const struct control_request *request, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(request->http), name);
}

static struct bufferevent *connection_of(const struct control_request *request)
{
	return evhttp_connection_get_bufferevent(evhttp_request_get_connection(request->http));
}

const struct control_peer *control_request_peer(const struct control_request *request)
{
	return &request->peer;
}

/* Says where in the text it went wrong, for whoever wrote it by hand. */
static void answer_no_json(struct control_request *request, const json_error_t *error)
{
	char text[PLACE_TEXT_SIZE];

	(void)snprintf(text, sizeof(text), "the body is no JSON: line %d, column %d: %.160s",
		       error->line, error->column, error->text);
	control_answer_error(request, 400, "bad-request", text);
}

bool control_request_json(struct control_request *request, json_t **ret)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(request->http);
	size_t len = evbuffer_get_length(body);
	const char *text = (const char *)evbuffer_pullup(body, -1);
	json_error_t error;
	json_t *made;

	if (len == 0 || text == NULL) {
		control_answer_error(request, 400, "bad-request",
				     "a body is needed: a JSON object");
		return false;
	}
	made = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (made == NULL) {
		answer_no_json(request, &error);
		return false;
	}
	if (!json_is_object(made)) {
		json_decref(made);
		control_answer_error(request, 400, "bad-request", "the body is no JSON object");
		return false;
	}
	*ret = made;
	return true;
}

/* ---- Its life ------------------------------------------------------------ */

/* evhttp tells that the connection goes down, for whatever reason. */
static void on_close(struct evhttp_connection *connection, void *context)
{
	struct control_request *request = context;

	(void)connection;
	/* After an error on the connection the request is ours alone; when we
	 * closed it ourselves it is freed with its connection. */
	if (evhttp_request_get_connection(request->http) == NULL)
		evhttp_request_free(request->http);
	request->http = NULL;
	control_request_cancel(request);
}

struct control_request *control_request_new(struct control_server *server,
					    struct evhttp_request *http,
					    enum control_method method, bool is_head)
{
	struct control_request *request = calloc(1, sizeof(*request));
	const char *query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(http));

	if (request == NULL)
		return NULL;
	request->server = server;
	request->http = http;
	request->method = method;
	request->is_head = is_head;
	request->has_query = query != NULL;
	request->is_query_sound = !request->has_query ||
				  evhttp_parse_query_str(query, &request->query) == 0;
	control_server_enlist(server, request);
	evhttp_connection_set_closecb(evhttp_request_get_connection(http), on_close, request);
	return request;
}

void control_request_free(struct control_request *request)
{
	control_server_delist(request->server, request);
	if (request->has_query)
		evhttp_clear_headers(&request->query);
	if (request->gone != NULL)
		event_free(request->gone);
	free(request);
}

void control_request_cancel(struct control_request *request)
{
	if (request->cancel != NULL)
		request->cancel(request, request->context);
	control_request_free(request);
}

/* evhttp takes the request back: from here on it frees it. */
static struct evhttp_request *hand_back(struct control_request *request)
{
	struct evhttp_request *http = request->http;

	evhttp_connection_set_closecb(evhttp_request_get_connection(http), NULL, NULL);
	control_request_free(request);
	return http;
}

void control_request_drop(struct control_request *request)
{
	evhttp_connection_free(evhttp_request_get_connection(request->http));
}

static void on_gone(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	control_request_drop(context);
}

/* evhttp does not read while a request is being worked on (and stops the process
 * when its read callback runs then), so the closing is watched for beside it. */
static void watch_for_close(struct control_request *request)
{
	struct event_base *base = control_server_base(request->server);
	evutil_socket_t fd = bufferevent_getfd(connection_of(request));

	if ((event_base_get_features(base) & EV_FEATURE_EARLY_CLOSE) == 0)
		return;
	request->gone = event_new(base, fd, EV_CLOSED, on_gone, request);
	if (request->gone != NULL)
		(void)event_add(request->gone, NULL);
}

void control_request_defer(struct control_request *request,
			   void (*cancel)(struct control_request *request, void *context),
			   void *context)
{
	request->is_deferred = true;
	request->cancel = cancel;
	request->context = context;
	if (request->gone == NULL)
		watch_for_close(request);
}

/* ---- The answer ---------------------------------------------------------- */

void control_answer_header(struct control_request *request, const char *name, const char *value)
{
	(void)evhttp_add_header(evhttp_request_get_output_headers(request->http), name, value);
}

/* A HEAD gets the length the GET would have, and no body. */
static void send_answer(struct control_request *request, int status, const char *content_type,
			const char *text, size_t len)
{
	struct evbuffer *body = evhttp_request_get_output_buffer(request->http);
	char length[24];

	if (content_type != NULL)
		control_answer_header(request, "Content-Type", content_type);
	control_answer_header(request, "Cache-Control", "no-store");
	if (request->is_head) {
		(void)snprintf(length, sizeof(length), "%zu", len);
		control_answer_header(request, "Content-Length", length);
	} else if (len > 0 && evbuffer_add(body, text, len) != 0) {
		status = 500; /* no memory for any words */
	}
	evhttp_send_reply(hand_back(request), status, NULL, NULL);
}

void control_answer_text(struct control_request *request, int status, const char *content_type,
			 const char *text)
{
	send_answer(request, status, content_type, text, strlen(text));
}

void control_answer_done(struct control_request *request)
{
	send_answer(request, 204, NULL, NULL, 0);
}

void control_answer_json(struct control_request *request, int status, json_t *body)
{
	static const char out_of_memory[] =
		"{\"error\":{\"code\":\"system\",\"text\":\"out of memory\"}}";
	char *text = body != NULL ? json_dumps(body, JSON_FLAGS) : NULL;

	json_decref(body);
	if (text == NULL)
		control_answer_text(request, 500, JSON_TYPE, out_of_memory);
	else
		control_answer_text(request, status, JSON_TYPE, text);
	free(text);
}

void control_answer_error(struct control_request *request, int status, const char *code,
			  const char *text)
{
	control_answer_json(request, status, shape_failure(code, text));
}

void control_answer_start(struct control_request *request, const char *content_type)
{
	static const struct timeval unhurried = { .tv_sec = CONTROL_STREAM_STALL_S };

	control_answer_header(request, "Content-Type", content_type);
	control_answer_header(request, "Cache-Control", "no-store");
	evhttp_send_reply_start(request->http, 200, NULL);
	/* A stream's client has nothing to say: its silence is no reason to end it. */
	bufferevent_set_timeouts(connection_of(request), NULL, &unhurried);
}

bool control_answer_chunk(struct control_request *request, const char *data, size_t len)
{
	struct evbuffer *chunk = evbuffer_new();
	bool done = chunk != NULL && evbuffer_add(chunk, data, len) == 0;

	if (done)
		evhttp_send_reply_chunk(request->http, chunk);
	if (chunk != NULL)
		evbuffer_free(chunk);
	return done;
}

size_t control_answer_unsent(const struct control_request *request)
{
	return evbuffer_get_length(bufferevent_get_output(connection_of(request)));
}

void control_answer_end(struct control_request *request)
{
	evhttp_send_reply_end(hand_back(request));
}
