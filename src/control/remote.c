/* SPDX-License-Identifier: MIT */
#include "control/remote.h"

#include "control/remote-find.h"
#include "control/remote-load.h"
#include "control/shapes-read.h"
#include "control/sse.h"

#include <stdlib.h>
#include <string.h>

#define UNIX_BASE "http://localhost" /* where the path goes by the socket */

struct remote {
	const struct remote_module *module;
	struct remote_link *link;
	char *where;
	char *token;
	long timeout_ms;
	bool is_unix;
};

struct remote_stream {
	const struct remote *remote;
	struct remote_flow *flow;
	struct sse sse;
	int status;
};

static bool is_url(const char *where)
{
	return strncmp(where, "http://", strlen("http://")) == 0;
}

static struct remote_target target_of(const struct remote *remote)
{
	return (struct remote_target){ .socket = remote->is_unix ? remote->where : NULL,
				       .base = remote->is_unix ? UNIX_BASE : remote->where,
				       .token = remote->token };
}

static enum tenf_status out_of_memory(struct tenf_error *reterr)
{
	return remote_fail(reterr, TENF_E_MEMORY, 0, "out of memory");
}

static enum tenf_status find(enum remote_daemon daemon, const char *where, char *ret,
			     struct tenf_error *reterr)
{
	if (where == NULL)
		return remote_find(daemon, ret, reterr);
	if (strlen(where) >= REMOTE_PATH_SIZE)
		return remote_fail(reterr, TENF_E_ARGUMENT, 0, "too long for a socket: %s", where);
	memcpy(ret, where, strlen(where) + 1);
	return is_url(where) ? TENF_OK : remote_probe(where, reterr);
}

static enum tenf_status connect_to(struct remote *remote, const char *where,
				   struct tenf_error *reterr)
{
	const char *token = secure_getenv("TENFORWARD_TOKEN");
	struct remote_target target;
	enum tenf_status status;

	remote->is_unix = !is_url(where);
	remote->where = strdup(where);
	if (remote->where == NULL)
		return out_of_memory(reterr);
	if (!remote->is_unix && token != NULL) {
		remote->token = strdup(token);
		if (remote->token == NULL)
			return out_of_memory(reterr);
	}
	status = remote_load(&remote->module, reterr);
	if (status != TENF_OK)
		return status;
	target = target_of(remote);
	return remote->module->open(&target, &remote->link, reterr);
}

enum tenf_status remote_open(enum remote_daemon daemon, const char *where, struct remote **ret,
			     struct tenf_error *reterr)
{
	char found[REMOTE_PATH_SIZE];
	enum tenf_status status = find(daemon, where, found, reterr);
	struct remote *remote;

	if (status != TENF_OK)
		return status;
	remote = calloc(1, sizeof(*remote));
	if (remote == NULL)
		return out_of_memory(reterr);
	remote->timeout_ms = REMOTE_TIMEOUT_MS;
	status = connect_to(remote, found, reterr);
	if (status != TENF_OK) {
		remote_close(remote);
		return status;
	}
	*ret = remote;
	return TENF_OK;
}

void remote_close(struct remote *remote)
{
	if (remote == NULL)
		return;
	if (remote->link != NULL)
		remote->module->close(remote->link);
	free(remote->where);
	free(remote->token);
	free(remote);
}

const char *remote_where(const struct remote *remote)
{
	return remote->where;
}

void remote_set_timeout(struct remote *remote, uint32_t timeout_ms)
{
	remote->timeout_ms = timeout_ms < INT32_MAX ? (long)timeout_ms : INT32_MAX;
}

/* An answer without a body is null. */
static enum tenf_status parse(const struct remote_reply *reply, json_t **ret,
			      struct tenf_error *reterr)
{
	json_error_t error;
	json_t *made = reply->len == 0 ? json_null() :
					 json_loadb(reply->data, reply->len, JSON_DECODE_ANY,
						    &error);

	if (made == NULL)
		return remote_fail(reterr, TENF_E_MALFORMED, 0,
				   "the daemon's answer (status %d) is no JSON: %.100s",
				   reply->status, error.text);
	*ret = made;
	return TENF_OK;
}

static enum tenf_status exchange(struct remote *remote, const struct remote_call *call,
				 int *ret_status, json_t **ret_body, struct tenf_error *reterr)
{
	struct remote_reply reply = { 0 };
	enum tenf_status status = remote->module->request(remote->link, call, &reply, reterr);
	json_t *body = NULL;

	if (status != TENF_OK)
		return status;
	if (ret_body != NULL)
		status = parse(&reply, &body, reterr);
	free(reply.data);
	if (status != TENF_OK)
		return status;
	if (ret_body != NULL)
		*ret_body = body;
	if (ret_status != NULL)
		*ret_status = reply.status;
	return TENF_OK;
}

enum tenf_status remote_request(struct remote *remote, const char *method, const char *path,
				const json_t *body, int *ret_status, json_t **ret_body,
				struct tenf_error *reterr)
{
	struct remote_call call = { .method = method, .path = path,
				    .timeout_ms = remote->timeout_ms,
				    .answer_max = REMOTE_ANSWER_MAX };
	enum tenf_status status;
	char *text = NULL;

	if (body != NULL) {
		text = json_dumps(body, JSON_COMPACT);
		if (text == NULL)
			return out_of_memory(reterr);
	}
	call.body = text;
	status = exchange(remote, &call, ret_status, ret_body, reterr);
	free(text);
	return status;
}

/* ---- Events -------------------------------------------------------------- */

static bool take_in(void *context, const char *data, size_t len)
{
	struct remote_stream *stream = context;

	return sse_feed(&stream->sse, data, len) == TENF_OK;
}

/* The daemon's own words on why there is no stream. */
static enum tenf_status refused(const struct remote_stream *stream, struct tenf_error *reterr)
{
	json_t *body = json_loadb(stream->sse.data != NULL ? stream->sse.data : "",
				  stream->sse.len, 0, NULL);
	enum tenf_status status = stream->status == 404 ? TENF_E_NOT_FOUND : TENF_E_SYSTEM;

	(void)remote_fail(reterr, status, 0, "no events (status %d): %.180s", stream->status,
			  shape_read_failure(body, "the daemon gave no reason"));
	json_decref(body);
	return status;
}

enum tenf_status remote_stream_open(struct remote *remote, const char *path, const char *last_id,
				    struct remote_stream **ret, struct tenf_error *reterr)
{
	struct remote_target target = target_of(remote);
	struct remote_stream *stream = calloc(1, sizeof(*stream));
	enum tenf_status status;

	if (stream == NULL)
		return out_of_memory(reterr);
	stream->remote = remote;
	sse_init(&stream->sse);
	status = remote->module->flow_open(&target, path, last_id, remote->timeout_ms, take_in,
					   stream, &stream->flow, &stream->status, reterr);
	if (status == TENF_OK && stream->status != 200)
		status = refused(stream, reterr);
	if (status != TENF_OK) {
		remote_stream_close(stream);
		return status;
	}
	*ret = stream;
	return TENF_OK;
}

void remote_stream_close(struct remote_stream *stream)
{
	if (stream == NULL)
		return;
	if (stream->flow != NULL)
		stream->remote->module->flow_close(stream->flow);
	sse_done(&stream->sse);
	free(stream);
}

int remote_stream_fd(const struct remote_stream *stream)
{
	return stream->remote->module->flow_fd(stream->flow);
}

int remote_stream_timeout_ms(const struct remote_stream *stream)
{
	return stream->remote->module->flow_timeout_ms(stream->flow);
}

enum tenf_status remote_stream_process(struct remote_stream *stream, struct tenf_error *reterr)
{
	return stream->remote->module->flow_process(stream->flow, reterr);
}

bool remote_stream_next(struct remote_stream *stream, json_t **ret)
{
	struct sse_event event;

	while (sse_next(&stream->sse, &event)) {
		json_t *made = json_loads(event.data, 0, NULL);

		if (made != NULL) { /* what is no JSON is no event of ours */
			*ret = made;
			return true;
		}
	}
	return false;
}

const char *remote_stream_last_id(const struct remote_stream *stream)
{
	return stream->sse.id;
}
