/* SPDX-License-Identifier: MIT */
#include "fake-agent.h"

#include "fake-lib.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct fake_agent fake_agent;

struct remote {
	char where[64];
};

struct remote_stream {
	int fd;       /* readable while there are events in the script */
	bool fetched; /* the event at hand waits to be taken */
	char last_id[24];
};

void fake_agent_reset(void)
{
	static const struct fake_agent none;

	fake_agent = none;
}

static enum tenf_status fail(struct tenf_error *reterr, enum tenf_status status, const char *text)
{
	if (reterr == NULL)
		return status;
	*reterr = (struct tenf_error){ .status = status, .result = -1 };
	snprintf(reterr->text, sizeof(reterr->text), "%s", text);
	return status;
}

enum tenf_status remote_open(enum remote_daemon daemon, const char *where, struct remote **ret,
			     struct tenf_error *reterr)
{
	struct remote *remote;

	if (daemon != fake_agent.daemon)
		return fail(reterr, TENF_E_NOT_FOUND, "no such daemon");
	fake_agent.looks++;
	snprintf(fake_agent.where, sizeof(fake_agent.where), "%s", where != NULL ? where : "");
	if (!fake_agent.runs)
		return fail(reterr, fake_agent.open_status != TENF_OK ? fake_agent.open_status :
								       TENF_E_NOT_FOUND,
			    "you may not use the socket");
	remote = calloc(1, sizeof(*remote));
	snprintf(remote->where, sizeof(remote->where), "%s",
		 where != NULL ? where : "/run/tenforward/agent.sock");
	fake_agent.open++;
	*ret = remote;
	return TENF_OK;
}

void remote_close(struct remote *remote)
{
	fake_agent.open -= remote != NULL;
	free(remote);
}

const char *remote_where(const struct remote *remote)
{
	return remote->where;
}

void remote_set_timeout(struct remote *remote, uint32_t timeout_ms)
{
	(void)remote;
	fake_agent.timeout_ms = timeout_ms;
}

static void note(const char *request, const json_t *body)
{
	char *text = body != NULL ? json_dumps(body, JSON_SORT_KEYS) : NULL;

	if (fake_agent.asked_count < FAKE_ASKED)
		snprintf(fake_agent.asked[fake_agent.asked_count++], FAKE_ASKED_SIZE, "%s%s%s",
			 request, text != NULL ? " " : "", text != NULL ? text : "");
	free(text);
}

static struct fake_answer *find(const char *request)
{
	for (size_t i = 0; i < FAKE_ANSWERS; i++) {
		struct fake_answer *a = &fake_agent.answers[i];

		if (a->request == NULL || strcmp(a->request, request) != 0 || a->times == 1000)
			continue;
		if (a->times > 0 && --a->times == 0)
			a->times = 1000; /* used up */
		return a;
	}
	return NULL;
}

enum tenf_status remote_request(struct remote *remote, const char *method, const char *path,
				const json_t *body, int *ret_status, json_t **ret_body,
				struct tenf_error *reterr)
{
	static const struct fake_answer unknown = {
		.http = 404,
		.json = "{\"error\": {\"code\": \"not-found\", \"text\": \"there is none\"}}",
	};
	char request[128];
	const struct fake_answer *a;

	(void)remote;
	snprintf(request, sizeof(request), "%s %s", method, path);
	note(request, body);
	a = find(request);
	if (a == NULL)
		a = &unknown;
	if (a->http == 0) {
		fake.steady_ms += fake_agent.timeout_ms;
		return fail(reterr, a->status, "the daemon did not answer in time");
	}
	*ret_status = a->http;
	*ret_body = a->json != NULL ? json_loads(a->json, JSON_DECODE_ANY, NULL) : json_null();
	if (*ret_body == NULL)
		abort(); /* the script is wrong */
	return TENF_OK;
}

enum tenf_status remote_stream_open(struct remote *remote, const char *path, const char *last_id,
				    struct remote_stream **ret, struct tenf_error *reterr)
{
	(void)remote;
	if (strcmp(path, "/v1/events") != 0)
		abort();
	if (fake_agent.stream_status != TENF_OK)
		return fail(reterr, fake_agent.stream_status, "no events");
	snprintf(fake_agent.last_id, sizeof(fake_agent.last_id), "%s",
		 last_id != NULL ? last_id : "");
	*ret = calloc(1, sizeof(**ret));
	(*ret)->fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	fake_agent.streams++;
	fake_agent.open++;
	return TENF_OK;
}

void remote_stream_close(struct remote_stream *stream)
{
	if (stream == NULL)
		return;
	fake_agent.open--;
	close(stream->fd);
	free(stream);
}

int remote_stream_fd(const struct remote_stream *stream)
{
	return stream->fd;
}

int remote_stream_timeout_ms(const struct remote_stream *stream)
{
	(void)stream;
	return -1;
}

enum tenf_status remote_stream_process(struct remote_stream *stream, struct tenf_error *reterr)
{
	const char *event = fake_agent.event < FAKE_EVENTS ? fake_agent.events[fake_agent.event] :
							     NULL;
	uint64_t ignored;

	if (event == NULL) {
		(void)!read(stream->fd, &ignored, sizeof(ignored));
		return TENF_OK;
	}
	if (event[0] == '\0') {
		fake_agent.event++;
		return fail(reterr, TENF_E_NOT_FOUND, "the daemon closed the connection");
	}
	stream->fetched = true;
	return TENF_OK;
}

bool remote_stream_next(struct remote_stream *stream, json_t **ret)
{
	if (!stream->fetched)
		return false;
	stream->fetched = false;
	*ret = json_loads(fake_agent.events[fake_agent.event++], 0, NULL);
	snprintf(stream->last_id, sizeof(stream->last_id), "%zu", fake_agent.event);
	return true;
}

const char *remote_stream_last_id(const struct remote_stream *stream)
{
	return stream->last_id;
}

enum tenf_status remote_fetch(const char *url, uint32_t timeout_ms, int *ret_status,
			      char **ret_text, struct tenf_error *reterr)
{
	(void)timeout_ms;
	snprintf(fake_agent.fetched, sizeof(fake_agent.fetched), "%s", url);
	if (fake_agent.page == NULL)
		return fail(reterr, TENF_E_SYSTEM, "nobody there");
	*ret_status = 200;
	*ret_text = strdup(fake_agent.page);
	return TENF_OK;
}
