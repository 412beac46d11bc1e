/* SPDX-License-Identifier: MIT */
#include "control/server.h"

#include "control/connections.h"
#include "control/listen.h"
#include "control/request-private.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct control_server {
	struct event_base *base;
	struct evhttp *http;
	struct control_connections *connections;
	const struct control_route *routes;
	size_t route_count;
	void *context;
	char *token;
	char *path; /* of the socket file we made, NULL: none */
	uint16_t tcp_port;
	struct control_request *requests;
	struct control_request *current; /* the handler that runs has not answered it */
};

void control_server_options_init(struct control_server_options *options)
{
	*options = (struct control_server_options){ .mode = CONTROL_MODE_DEFAULT, .fd = -1,
						    .idle_s = CONTROL_IDLE_S };
}

void control_server_enlist(struct control_server *server, struct control_request *request)
{
	request->next = server->requests;
	if (request->next != NULL)
		request->next->before = request;
	server->requests = request;
}

void control_server_delist(struct control_server *server, struct control_request *request)
{
	if (request->next != NULL)
		request->next->before = request->before;
	if (request->before != NULL)
		request->before->next = request->next;
	else
		server->requests = request->next;
	if (server->current == request)
		server->current = NULL;
}

struct event_base *control_server_base(const struct control_server *server)
{
	return server->base;
}

/* ---- A request ----------------------------------------------------------- */

/* 0 for what no route can have. */
static enum control_method method_of(enum evhttp_cmd_type type)
{
	switch (type) {
	case EVHTTP_REQ_GET:
	case EVHTTP_REQ_HEAD:
		return CONTROL_GET;
	case EVHTTP_REQ_POST:
		return CONTROL_POST;
	case EVHTTP_REQ_PUT:
		return CONTROL_PUT;
	case EVHTTP_REQ_PATCH:
		return CONTROL_PATCH;
	case EVHTTP_REQ_DELETE:
		return CONTROL_DELETE;
	case EVHTTP_REQ_OPTIONS:
	case EVHTTP_REQ_TRACE:
	case EVHTTP_REQ_CONNECT:
		break;
	}
	return (enum control_method)0;
}

static int descriptor_of(struct evhttp_request *http)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(http);

	return (int)bufferevent_getfd(evhttp_connection_get_bufferevent(connection));
}

/* Takes as long for a token that is nearly right as for one that is not. */
static bool is_token(const char *given, const char *right)
{
	size_t given_len = strlen(given);
	size_t right_len = strlen(right);
	unsigned char difference = given_len != right_len;

	for (size_t i = 0; i < given_len; i++)
		difference |= (unsigned char)(given[i] ^ right[i % (right_len + 1)]);
	return difference == 0;
}

static bool is_allowed(const struct control_request *request)
{
	static const char scheme[] = "Bearer ";
	const char *given = control_request_header(request, "Authorization");

	if (request->peer.local)
		return true;
	if (request->server->token == NULL || given == NULL ||
	    strncasecmp(given, scheme, sizeof(scheme) - 1) != 0)
		return false;
	return is_token(given + sizeof(scheme) - 1, request->server->token);
}

static void answer_no_method(struct control_request *request)
{
	char allow[CONTROL_ALLOW_SIZE];
	struct tenf_text text = tenf_text_of(allow, sizeof(allow));

	control_allow_text(request->match.methods, &text);
	control_answer_header(request, "Allow", allow);
	control_answer_error(request, 405, "method-not-allowed",
			     "this path takes other methods; see the header Allow");
}

/* What is refused before any handler sees it; true when it was. */
static bool refuse(struct control_request *request)
{
	const struct control_server *server = request->server;
	size_t body = evbuffer_get_length(evhttp_request_get_input_buffer(request->http));

	if (control_connections_is_turned_away(server->connections,
					       descriptor_of(request->http))) {
		control_answer_header(request, "Connection", "close");
		control_answer_header(request, "Retry-After", "1");
		control_answer_error(request, 503, "busy", "too many clients at once; try again");
	} else if (!is_allowed(request)) {
		control_answer_header(request, "WWW-Authenticate", "Bearer");
		control_answer_error(request, 401, "unauthorized",
				     "a right bearer token is needed over TCP");
	} else if (body > CONTROL_BODY_MAX) {
		control_answer_header(request, "Connection", "close");
		control_answer_error(request, 413, "too-large", "the body is above 64 KiB");
	} else if (request->match.methods == 0) {
		control_answer_error(request, 404, "not-found", "there is nothing at this path");
	} else if (request->match.route == NULL) {
		answer_no_method(request);
	} else if (!request->is_query_sound) {
		control_answer_error(request, 400, "bad-request",
				     "the query is not of the form key=value&key=value");
	} else {
		return false;
	}
	return true;
}

static void dispatch(struct evhttp_request *http, void *context)
{
	struct control_server *server = context;
	enum evhttp_cmd_type type = evhttp_request_get_command(http);
	struct control_request *request =
		control_request_new(server, http, method_of(type), type == EVHTTP_REQ_HEAD);

	if (request == NULL) {
		evhttp_send_reply(http, 500, NULL, NULL);
		return;
	}
	control_peer_of(descriptor_of(http), &request->peer);
	control_match_routes(server->routes, server->route_count, request->method,
			     control_request_path(request), &request->match);
	if (refuse(request))
		return;
	server->current = request;
	request->match.route->handle(request, server->context);
	/* A handler that forgot to answer must not leave its client waiting. */
	if (server->current != NULL && !server->current->is_deferred)
		control_answer_error(server->current, 500, "system", "no answer was given");
	server->current = NULL;
}

/* ---- Its life ------------------------------------------------------------ */

static enum tenf_status out_of_memory(struct tenf_error *reterr)
{
	return control_fail(reterr, TENF_E_MEMORY, 0, "out of memory");
}

/* Takes `fd` over. */
static enum tenf_status serve(struct control_server *server, int fd, struct tenf_error *reterr)
{
	struct evconnlistener *listener;

	if (evutil_make_socket_nonblocking(fd) != 0 || evutil_make_socket_closeonexec(fd) != 0) {
		int error = errno;

		(void)close(fd);
		return control_fail(reterr, TENF_E_SYSTEM, error, "cannot use the socket: %s",
				    strerror(error));
	}
	listener = evconnlistener_new(server->base, NULL, NULL,
				      LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (listener == NULL) {
		(void)close(fd);
		return out_of_memory(reterr);
	}
	if (evhttp_bind_listener(server->http, listener) == NULL) {
		evconnlistener_free(listener);
		return out_of_memory(reterr);
	}
	if (!control_connections_watch(server->connections, listener))
		return out_of_memory(reterr);
	return TENF_OK;
}

static enum tenf_status serve_tcp(struct control_server *server,
				  const struct control_server_options *options,
				  struct tenf_error *reterr)
{
	enum tenf_status status;
	int fd;

	if (options->token == NULL || options->token[0] == '\0')
		return control_fail(reterr, TENF_E_ARGUMENT, 0,
				    "listening on %s needs a token", options->tcp);
	server->token = strdup(options->token);
	if (server->token == NULL)
		return out_of_memory(reterr);
	status = control_listen_tcp(options->tcp, &fd, &server->tcp_port, reterr);
	return status == TENF_OK ? serve(server, fd, reterr) : status;
}

static enum tenf_status serve_unix(struct control_server *server,
				   const struct control_server_options *options,
				   struct tenf_error *reterr)
{
	enum tenf_status status;
	int fd;

	status = control_listen_unix(options->path, options->mode, options->group, &fd, reterr);
	if (status != TENF_OK)
		return status;
	server->path = strdup(options->path);
	if (server->path == NULL) {
		(void)close(fd);
		(void)unlink(options->path);
		return out_of_memory(reterr);
	}
	return serve(server, fd, reterr);
}

static enum tenf_status set_up_http(struct control_server *server, unsigned idle_s,
				    struct tenf_error *reterr)
{
	if (control_connections_new(server->base, &server->connections) != TENF_OK)
		return out_of_memory(reterr);
	server->http = evhttp_new(server->base);
	if (server->http == NULL)
		return out_of_memory(reterr);
	evhttp_set_bevcb(server->http, control_connections_accept, server->connections);
	evhttp_set_gencb(server->http, dispatch, server);
	evhttp_set_max_headers_size(server->http, CONTROL_HEADERS_MAX);
	evhttp_set_max_body_size(server->http, CONTROL_BODY_READ_MAX);
	evhttp_set_timeout(server->http, (int)idle_s);
	evhttp_set_default_content_type(server->http, NULL);
	/* All that evhttp can read: what a path takes is told by the routes. */
	evhttp_set_allowed_methods(server->http, UINT16_MAX);
	return TENF_OK;
}

static enum tenf_status set_up(struct control_server *server,
			       const struct control_server_options *options,
			       struct tenf_error *reterr)
{
	enum tenf_status status = set_up_http(server, options->idle_s, reterr);

	if (status == TENF_OK && options->path != NULL)
		status = serve_unix(server, options, reterr);
	if (status == TENF_OK && options->fd >= 0)
		status = serve(server, options->fd, reterr);
	if (status == TENF_OK && options->tcp != NULL)
		status = serve_tcp(server, options, reterr);
	return status;
}

/* A client that leaves in the middle of its answer must not end the daemon. */
static void ignore_broken_pipes(void)
{
	struct sigaction now;

	if (sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
		(void)signal(SIGPIPE, SIG_IGN);
}

enum tenf_status control_server_new(struct event_base *base,
				    const struct control_server_options *options,
				    const struct control_route *routes, size_t count,
				    void *context, struct control_server **ret,
				    struct tenf_error *reterr)
{
	struct control_server *server;
	enum tenf_status status;

	if (options->path == NULL && options->fd < 0 && options->tcp == NULL)
		return control_fail(reterr, TENF_E_ARGUMENT, 0, "nowhere to listen");
	server = calloc(1, sizeof(*server));
	if (server == NULL)
		return out_of_memory(reterr);
	server->base = base;
	server->routes = routes;
	server->route_count = count;
	server->context = context;
	ignore_broken_pipes();
	status = set_up(server, options, reterr);
	if (status != TENF_OK) {
		control_server_free(server);
		return status;
	}
	*ret = server;
	return TENF_OK;
}

void control_server_free(struct control_server *server)
{
	if (server == NULL)
		return;
	while (server->requests != NULL)
		control_request_drop(server->requests);
	if (server->http != NULL)
		evhttp_free(server->http);
	control_connections_free(server->connections);
	if (server->path != NULL)
		(void)unlink(server->path);
	free(server->path);
	free(server->token);
	free(server);
}

uint16_t control_server_tcp_port(const struct control_server *server)
{
	return server->tcp_port;
}
