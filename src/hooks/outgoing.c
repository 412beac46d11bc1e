/* SPDX-License-Identifier: MIT */
#include "hooks/outgoing.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct outgoing {
	struct event_base *base;
	CURLM *multi;
	struct event *timer;
	struct outgoing_call *first;
};

struct outgoing_call {
	struct outgoing *owner;
	struct outgoing_call *next;
	CURL *easy;
	struct curl_slist *headers;
	int (*open_socket)(void *place, int domain, int type, int protocol);
	void *place;
	outgoing_done_fn done;
	void *context;
	char *body;
	size_t body_len;
	char *head;
	size_t head_len;
	bool too_large;
	char error[CURL_ERROR_SIZE];
};

/* ---- One call ----------------------------------------------------------- */

static void unlink_call(struct outgoing_call *call)
{
	struct outgoing_call **link = &call->owner->first;

	while (*link != call)
		link = &(*link)->next;
	*link = call->next;
}

static void free_call(struct outgoing_call *call)
{
	curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->headers);
	free(call->body);
	free(call->head);
	free(call);
}

static size_t append(struct outgoing_call *call, char **text, size_t *text_len, size_t max,
		     const char *data, size_t len)
{
	char *larger;

	if (len > max - *text_len) {
		call->too_large = true;
		return 0; /* libcurl gives up then */
	}
	larger = realloc(*text, *text_len + len + 1);
	if (larger == NULL)
		return 0;
	memcpy(larger + *text_len, data, len);
	*text_len += len;
	larger[*text_len] = '\0';
	*text = larger;
	return len;
}

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
	struct outgoing_call *call = context;

	return append(call, &call->body, &call->body_len, OUTGOING_BODY_MAX, data, size * count);
}

static size_t take_header(char *data, size_t size, size_t count, void *context)
{
	struct outgoing_call *call = context;
	size_t len = size * count;

	if (len > 5 && strncasecmp(data, "HTTP/", 5) == 0)
		call->head_len = 0; /* another answer: that before was 100 Continue */
	return append(call, &call->head, &call->head_len, OUTGOING_HEADERS_MAX, data, len);
}

static void finish(struct outgoing_call *call, CURLcode code)
{
	struct outgoing_answer answer = {
		.body = call->body != NULL ? call->body : "",
		.body_len = call->body_len,
		.headers = call->head != NULL ? call->head : "",
	};

	if (code == CURLE_OK)
		curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &answer.status);
	else if (call->too_large)
		answer.error = "the answer is too large";
	else
		answer.error = call->error[0] != '\0' ? call->error : curl_easy_strerror(code);
	unlink_call(call);
	curl_multi_remove_handle(call->owner->multi, call->easy);
	call->done(call->context, &answer);
	free_call(call);
}

static bool add_header(struct outgoing_call *call, const char *text)
{
	struct curl_slist *longer = curl_slist_append(call->headers, text);

	if (longer == NULL)
		return false;
	call->headers = longer;
	return true;
}

static bool add_headers(struct outgoing_call *call, const struct outgoing_request *request)
{
	char type[128];
	bool good = add_header(call, "Expect:"); /* no wait for 100 Continue */

	if (request->body != NULL) {
		snprintf(type, sizeof(type), "Content-Type: %s", request->content_type);
		good = good && add_header(call, type);
	}
	for (size_t i = 0; i < OUTGOING_OWN_HEADERS && request->headers[i] != NULL; i++)
		good = good && add_header(call, request->headers[i]);
	return good;
}

static curl_socket_t open_there(void *context, curlsocktype purpose, struct curl_sockaddr *to)
{
	const struct outgoing_call *call = context;

	(void)purpose;
	return call->open_socket(call->place, to->family, to->socktype, to->protocol);
}

#define SET(option, value) \
	(good = good && curl_easy_setopt(call->easy, (option), (value)) == CURLE_OK)

static bool set_options(struct outgoing_call *call, const struct outgoing_request *request)
{
	bool good = add_headers(call, request);

	SET(CURLOPT_URL, request->url);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_HTTPHEADER, call->headers);
	SET(CURLOPT_TIMEOUT_MS, (long)request->timeout_s * 1000);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_USERAGENT, "tenforward/" TENF_VERSION);
	SET(CURLOPT_WRITEFUNCTION, take_body);
	SET(CURLOPT_WRITEDATA, call);
	SET(CURLOPT_HEADERFUNCTION, take_header);
	SET(CURLOPT_HEADERDATA, call);
	SET(CURLOPT_ERRORBUFFER, call->error);
	SET(CURLOPT_PRIVATE, call);
	if (request->body != NULL) {
		SET(CURLOPT_POSTFIELDSIZE, (long)strlen(request->body));
		SET(CURLOPT_COPYPOSTFIELDS, request->body);
	}
	if (request->user != NULL) {
		SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		SET(CURLOPT_USERNAME, request->user);
		SET(CURLOPT_PASSWORD, request->password);
	}
	if (request->direct)
		SET(CURLOPT_PROXY, "");
	if (request->open_socket != NULL) {
		SET(CURLOPT_OPENSOCKETFUNCTION, open_there);
		SET(CURLOPT_OPENSOCKETDATA, call);
		/* The same address is somebody else in another namespace. */
		SET(CURLOPT_FRESH_CONNECT, 1L);
		SET(CURLOPT_FORBID_REUSE, 1L);
	}
	return good;
}

enum tenf_status outgoing_start(struct outgoing *outgoing, const struct outgoing_request *request,
				outgoing_done_fn done, void *context, struct outgoing_call **ret)
{
	struct outgoing_call *call = calloc(1, sizeof(*call));

	if (call == NULL)
		return TENF_E_MEMORY;
	*call = (struct outgoing_call){ .owner = outgoing, .done = done, .context = context,
					.open_socket = request->open_socket,
					.place = request->place };
	call->easy = curl_easy_init();
	if (call->easy == NULL || !set_options(call, request)) {
		free_call(call);
		return TENF_E_MEMORY;
	}
	call->next = outgoing->first;
	outgoing->first = call;
	if (curl_multi_add_handle(outgoing->multi, call->easy) != CURLM_OK) {
		unlink_call(call);
		free_call(call);
		return TENF_E_MEMORY;
	}
	*ret = call;
	return TENF_OK;
}

void outgoing_cancel(struct outgoing_call *call)
{
	if (call == NULL)
		return;
	unlink_call(call);
	curl_multi_remove_handle(call->owner->multi, call->easy);
	free_call(call);
}

bool outgoing_header(const struct outgoing_answer *answer, const char *name, char *ret,
		     size_t size)
{
	size_t name_len = strlen(name);

	for (const char *line = answer->headers; *line != '\0';) {
		size_t len = strcspn(line, "\r\n");

		if (len > name_len && line[name_len] == ':' &&
		    strncasecmp(line, name, name_len) == 0) {
			const char *value = line + name_len + 1;

			value += strspn(value, " \t");
			len -= (size_t)(value - line);
			if (len >= size)
				return false;
			memcpy(ret, value, len);
			ret[len] = '\0';
			return true;
		}
		line += len + strspn(line + len, "\r\n");
	}
	return false;
}

/* ---- libcurl on libevent ------------------------------------------------ */

static void collect(struct outgoing *o)
{
	struct outgoing_call *call;
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(o->multi, &left)) != NULL) {
		CURLcode code = message->data.result;

		if (message->msg == CURLMSG_DONE &&
		    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call) == CURLE_OK)
			finish(call, code);
	}
}

static void on_socket(evutil_socket_t fd, short what, void *context)
{
	struct outgoing *o = context;
	int actions = (what & EV_READ ? CURL_CSELECT_IN : 0) |
		      (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
	int running;

	curl_multi_socket_action(o->multi, fd, actions, &running);
	collect(o);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct outgoing *o = context;
	int running;

	(void)fd;
	(void)what;
	curl_multi_socket_action(o->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect(o);
}

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *of_socket)
{
	struct outgoing *o = context;
	struct event *event = of_socket;
	short wanted = EV_PERSIST;

	(void)easy;
	if (event != NULL) {
		event_free(event);
		curl_multi_assign(o->multi, fd, NULL);
	}
	if (what == CURL_POLL_REMOVE)
		return 0;
	if (what & CURL_POLL_IN)
		wanted |= EV_READ;
	if (what & CURL_POLL_OUT)
		wanted |= EV_WRITE;
	event = event_new(o->base, fd, wanted, on_socket, o);
	if (event == NULL || event_add(event, NULL) != 0)
		return -1;
	curl_multi_assign(o->multi, fd, event);
	return 0;
}

static int want_timer(CURLM *multi, long ms, void *context)
{
	struct outgoing *o = context;
	struct timeval wait = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	(void)multi;
	if (ms < 0)
		event_del(o->timer);
	else
		evtimer_add(o->timer, &wait);
	return 0;
}

enum tenf_status outgoing_new(struct event_base *base, struct outgoing **ret)
{
	struct outgoing *o;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return TENF_E_MEMORY;
	o = calloc(1, sizeof(*o));
	if (o == NULL) {
		curl_global_cleanup();
		return TENF_E_MEMORY;
	}
	o->base = base;
	o->multi = curl_multi_init();
	o->timer = evtimer_new(base, on_timer, o);
	if (o->multi == NULL || o->timer == NULL) {
		outgoing_free(o);
		return TENF_E_MEMORY;
	}
	curl_multi_setopt(o->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(o->multi, CURLMOPT_SOCKETDATA, o);
	curl_multi_setopt(o->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(o->multi, CURLMOPT_TIMERDATA, o);
	*ret = o;
	return TENF_OK;
}

void outgoing_free(struct outgoing *outgoing)
{
	if (outgoing == NULL)
		return;
	while (outgoing->first != NULL)
		outgoing_cancel(outgoing->first);
	curl_multi_cleanup(outgoing->multi); /* its sockets' events go with it */
	if (outgoing->timer != NULL)
		event_free(outgoing->timer);
	free(outgoing);
	curl_global_cleanup();
}
