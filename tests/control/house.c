/* SPDX-License-Identifier: MIT */
#include "house.h"

#include "control/list.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define TURNS_MAX 500 /* of the loop, until an answer must be there */
#define HOUSE_RECEIVED_MAX 2097152

/* ---- What is served ------------------------------------------------------ */

static void get_status(struct control_request *request, void *context)
{
	struct house *h = context;

	h->peer = *control_request_peer(request);
	control_answer_json(request, 200, json_pack("{si}", "mappings", 3));
}

static void get_mapping(struct control_request *request, void *context)
{
	struct house *h = context;
	const char *query = control_request_query(request, "since");

	(void)snprintf(h->seen, sizeof(h->seen), "%s|%s|%s", control_request_path(request),
		       control_request_part(request, "id"), query != NULL ? query : "-");
	control_answer_json(request, 200,
			    json_pack("{ss}", "id", control_request_part(request, "id")));
}

static void delete_mapping(struct control_request *request, void *context)
{
	(void)context;
	control_answer_done(request);
}

static void post_mapping(struct control_request *request, void *context)
{
	json_t *body;

	(void)context;
	if (control_request_json(request, &body))
		control_answer_json(request, 201, body);
}

static void on_cancel(struct control_request *request, void *context)
{
	struct house *h = context;

	assert_ptr_equal(request, h->held);
	h->held = NULL;
	h->cancelled++;
}

static void post_later(struct control_request *request, void *context)
{
	struct house *h = context;

	h->held = request;
	control_request_defer(request, on_cancel, h);
}

static void forget(struct control_request *request, void *context)
{
	(void)request;
	(void)context;
}

static void refuse(struct control_request *request, void *context)
{
	const struct house *h = context;

	control_answer_failure(request, &h->error);
}

static void out_of_memory(struct control_request *request, void *context)
{
	(void)context;
	control_answer_json(request, 200, NULL);
}

static void get_events(struct control_request *request, void *context)
{
	const struct house *h = context;

	control_stream_serve(h->stream, request);
}

static void get_large(struct control_request *request, void *context)
{
	json_t *list = json_array();

	(void)context;
	for (int i = 0; i < 200000; i++)
		(void)json_array_append_new(list, json_integer(i));
	control_answer_json(request, 200, list);
}

static json_t *nth(void *context, size_t index)
{
	(void)context;
	return index < 100000 ? json_pack("{sI}", "n", (json_int_t)index) : NULL;
}

static void let_go(void *context)
{
	struct house *h = context;

	h->cancelled++;
}

/* As many items as the path says; from 100 001 on the last ones cannot be made. */
static void get_long(struct control_request *request, void *context)
{
	control_list_serve(request, &(struct control_list){
		.key = "list", .item = nth, .free_context = let_go, .context = context,
		.count = (size_t)strtoul(control_request_part(request, "count"), NULL, 10) });
}

static void put_publish(struct control_request *request, void *context)
{
	struct house *h = context;
	json_t *body;

	if (!control_request_json(request, &body))
		return;
	assert_int_equal(control_stream_publish(h->stream, "mapped", body), TENF_OK);
	control_answer_done(request);
}

static const struct control_route routes[] = {
	{ CONTROL_PUT, "/v1/publish", put_publish },
	{ CONTROL_GET, "/v1/status", get_status },
	{ CONTROL_GET, "/v1/mappings/{id}", get_mapping },
	{ CONTROL_DELETE, "/v1/mappings/{id}", delete_mapping },
	{ CONTROL_POST, "/v1/mappings", post_mapping },
	{ CONTROL_POST, "/v1/later", post_later },
	{ CONTROL_GET, "/v1/forgotten", forget },
	{ CONTROL_GET, "/v1/failing", refuse },
	{ CONTROL_GET, "/v1/poor", out_of_memory },
	{ CONTROL_GET, "/v1/events", get_events },
	{ CONTROL_GET, "/v1/large", get_large },
	{ CONTROL_GET, "/v1/long/{count}", get_long },
};

/* ---- Its life ------------------------------------------------------------ */

int house_set_up(void **state)
{
	struct house *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return -1;
	(void)snprintf(h->folder, sizeof(h->folder), "/tmp/tenforward-control-XXXXXX");
	if (mkdtemp(h->folder) == NULL)
		return -1;
	(void)snprintf(h->path, sizeof(h->path), "%s/run/agent.sock", h->folder);
	h->base = event_base_new();
	control_server_options_init(&h->options);
	h->options.path = h->path;
	*state = h;
	return 0;
}

int house_tear_down(void **state)
{
	struct house *h = *state;
	char parent[96];

	control_stream_free(h->stream);
	control_server_free(h->server);
	event_base_free(h->base);
	libevent_global_shutdown();
	(void)unlink(h->path);
	(void)snprintf(parent, sizeof(parent), "%s/run", h->folder);
	(void)rmdir(parent);
	(void)rmdir(h->folder);
	free(h);
	return 0;
}

void house_open(struct house *h)
{
	struct tenf_error error = { 0 };
	enum tenf_status status =
		control_server_new(h->base, &h->options, routes,
				   sizeof(routes) / sizeof(routes[0]), h, &h->server, &error);

	assert_string_equal(error.text, "");
	assert_int_equal(status, TENF_OK);
	assert_int_equal(control_stream_new(h->base, 1, &h->stream), TENF_OK);
}

/* ---- A client ------------------------------------------------------------ */

static void client_of(int fd, const void *address, socklen_t len, struct client *ret)
{
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, address, len), 0);
	*ret = (struct client){ .fd = fd, .data = calloc(1, HOUSE_RECEIVED_MAX) };
	assert_non_null(ret->data);
}

void house_connect(const struct house *h, struct client *ret)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memcpy(address.sun_path, h->path, strlen(h->path) + 1);
	client_of(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), &address, sizeof(address), ret);
}

void house_connect_tcp(const struct house *h, struct client *ret)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(control_server_tcp_port(h->server)),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	client_of(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), &address, sizeof(address), ret);
}

void client_done(struct client *c)
{
	(void)close(c->fd);
	free(c->data);
}

void client_send(struct client *c, const char *text)
{
	size_t len = strlen(text);

	assert_int_equal(send(c->fd, text, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void take_in(struct client *c)
{
	ssize_t got;

	do {
		got = recv(c->fd, c->data + c->len, HOUSE_RECEIVED_MAX - 1 - c->len, MSG_DONTWAIT);
		if (got > 0)
			c->len += (size_t)got;
	} while (got > 0);
	c->data[c->len] = '\0';
	if (got == 0 || errno != EAGAIN)
		c->closed = true;
}

void house_turn(struct house *h, struct client *c)
{
	for (int i = 0; i < 16; i++) {
		(void)event_base_loop(h->base, EVLOOP_NONBLOCK);
		if (c != NULL && !c->closed)
			take_in(c);
	}
}

void house_wait(struct house *h)
{
	(void)event_base_loop(h->base, EVLOOP_ONCE);
}

void answer_done(struct answer *a)
{
	free(a->head);
	free(a->body);
	*a = (struct answer){ 0 };
}

const char *answer_header(const struct answer *a, const char *name)
{
	static char value[256];
	char wanted[64];
	const char *at;

	(void)snprintf(wanted, sizeof(wanted), "\r\n%s: ", name);
	at = strcasestr(a->head, wanted);
	if (at == NULL)
		return NULL;
	at += strlen(wanted);
	(void)snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\r"), at);
	return value;
}

/* Puts chunks together; octets used, 0 while the last one is missing. */
static size_t unchunk(const char *from, size_t len, struct answer *ret)
{
	const char *at = from;

	for (;;) {
		const char *end = memmem(at, len - (size_t)(at - from), "\r\n", 2);
		size_t size = strtoul(at, NULL, 16);

		if (end == NULL || (size_t)(end - from) + size + 4 > len)
			return 0;
		memcpy(ret->body + ret->len, end + 2, size);
		ret->len += size;
		at = end + 2 + size + 2;
		if (size == 0)
			return (size_t)(at - from);
	}
}

/* Octets of the body, SIZE_MAX while it is not whole. */
static size_t take_body(const char *from, size_t len, bool is_head, bool closed,
			struct answer *ret)
{
	const char *length = answer_header(ret, "Content-Length");
	size_t wanted = length != NULL && !is_head ? strtoul(length, NULL, 10) : 0;

	if (answer_header(ret, "Transfer-Encoding") != NULL) {
		size_t used = unchunk(from, len, ret);

		return used > 0 ? used : SIZE_MAX;
	}
	if (length == NULL && !is_head && ret->status != 204) { /* HTTP/1.0: up to the end */
		wanted = len;
		if (!closed)
			return SIZE_MAX;
	}
	if (len < wanted)
		return SIZE_MAX;
	memcpy(ret->body, from, wanted);
	ret->len = wanted;
	return wanted;
}

static bool take_answer(struct client *c, bool is_head, struct answer *ret)
{
	const char *end = strstr(c->data, "\r\n\r\n");
	size_t head, body;

	if (end == NULL)
		return false;
	head = (size_t)(end - c->data) + 4;
	ret->head = strndup(c->data, head);
	ret->body = calloc(1, c->len + 1);
	assert_int_equal(sscanf(ret->head, "HTTP/1.%*c %d ", &ret->status), 1);
	body = take_body(end + 4, c->len - head, is_head, c->closed, ret);
	if (body == SIZE_MAX) {
		answer_done(ret);
		return false;
	}
	c->len -= head + body;
	memmove(c->data, end + 4 + body, c->len + 1);
	return true;
}

void house_receive(struct house *h, struct client *c, bool is_head, struct answer *ret)
{
	*ret = (struct answer){ 0 };
	for (int i = 0; i < TURNS_MAX; i++) {
		house_turn(h, c);
		if (take_answer(c, is_head, ret) || c->closed)
			return;
	}
	fail_msg("no answer: %s", c->data);
}

static void check_code(const struct answer *a, const char *code)
{
	json_t *body = json_loadb(a->body, a->len, 0, NULL);
	const json_t *error = json_object_get(body, "error");

	assert_non_null(body);
	assert_string_equal(answer_header(a, "Content-Type"), "application/json");
	assert_string_equal(json_string_value(json_object_get(error, "code")), code);
	assert_non_null(json_string_value(json_object_get(error, "text")));
	json_decref(body);
}

void house_expect(struct house *h, const char *request, int status, const char *code)
{
	struct client c;
	struct answer a;

	house_connect(h, &c);
	client_send(&c, request);
	house_receive(h, &c, strncmp(request, "HEAD", 4) == 0, &a);
	assert_int_equal(a.status, status);
	if (code != NULL)
		check_code(&a, code);
	answer_done(&a);
	client_done(&c);
}
