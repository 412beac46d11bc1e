/* SPDX-License-Identifier: MIT */
/* The module behind remote-module.h: requests and flows by libcurl. */
#include "control/remote-module.h"

#include "base/attributes.h"

#include <curl/curl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <time.h>

#define URL_SIZE 2048
#define HEADER_SIZE 512
#define NO_SOCKET_MS 100

extern TENF_PUBLIC const struct remote_module tenforward_remote_module;

struct remote_link {
	CURL *easy;
	char *socket;
	char *base;
	char *token;
};

struct remote_flow {
	CURLM *multi;
	CURL *easy;
	struct curl_slist *headers;
	remote_sink sink;
	void *context;
	long status; /* 0 until the headers are complete */
	bool has_ended;
	CURLcode result;
};

TENF_PRINTF(3, 4)
static enum tenf_status fail(struct tenf_error *reterr, enum tenf_status status,
			     const char *format, ...)
{
	va_list arguments;

	if (reterr == NULL)
		return status;
	*reterr = (struct tenf_error){ .status = status, .result = -1 };
	va_start(arguments, format);
	(void)vsnprintf(reterr->text, sizeof(reterr->text), format, arguments);
	va_end(arguments);
	return status;
}

static enum tenf_status fail_curl(struct tenf_error *reterr, CURLcode code)
{
	if (code == CURLE_OUT_OF_MEMORY)
		return fail(reterr, TENF_E_MEMORY, "out of memory");
	if (code == CURLE_COULDNT_CONNECT || code == CURLE_GOT_NOTHING ||
	    code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR || code == CURLE_PARTIAL_FILE ||
	    code == CURLE_OK)
		return fail(reterr, TENF_E_NOT_FOUND, "the daemon closed the connection");
	if (code == CURLE_WRITE_ERROR)
		return fail(reterr, TENF_E_LIMIT, "the daemon's answer is too long");
	if (code == CURLE_OPERATION_TIMEDOUT)
		return fail(reterr, TENF_E_SYSTEM, "the daemon did not answer in time");
	return fail(reterr, TENF_E_SYSTEM, "request to the daemon: %s", curl_easy_strerror(code));
}

/* Of a server that somebody else runs; `detail` is what libcurl says beside, or "". */
static enum tenf_status fail_foreign(struct tenf_error *reterr, CURLcode code, const char *detail)
{
	const char *text = detail[0] != '\0' ? detail : curl_easy_strerror(code);

	if (code == CURLE_OUT_OF_MEMORY)
		return fail(reterr, TENF_E_MEMORY, "out of memory");
	if (code == CURLE_COULDNT_RESOLVE_HOST)
		return fail(reterr, TENF_E_SYSTEM, "its name is not known");
	if (code == CURLE_COULDNT_CONNECT)
		return fail(reterr, TENF_E_SYSTEM, "it cannot be reached");
	if (code == CURLE_OPERATION_TIMEDOUT)
		return fail(reterr, TENF_E_SYSTEM, "it did not answer in time");
	if (code == CURLE_WRITE_ERROR)
		return fail(reterr, TENF_E_LIMIT, "its answer is too long");
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		return fail(reterr, TENF_E_SYSTEM, "its certificate is not trusted (%s)", text);
	if (code == CURLE_SSL_CONNECT_ERROR)
		return fail(reterr, TENF_E_SYSTEM, "it does not speak TLS as it should (%s)", text);
	return fail(reterr, TENF_E_SYSTEM, "%s", text);
}

/* Where, and nothing else that libcurl could take from the environment. */
static CURLcode set_target(CURL *easy, const struct remote_target *target, const char *path)
{
	char url[URL_SIZE];
	int len = snprintf(url, sizeof(url), "%s%s", target->base, path);
	CURLcode code;

	if (len < 0 || (size_t)len >= sizeof(url))
		return CURLE_URL_MALFORMAT;
	code = curl_easy_setopt(easy, CURLOPT_URL, url);
	if (code == CURLE_OK && target->socket != NULL)
		code = curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, target->socket);
	if (code == CURLE_OK)
		code = curl_easy_setopt(easy, CURLOPT_PROXY, "");
	if (code == CURLE_OK)
		code = curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	return code;
}

/* False when no memory was left; the list stays the caller's. */
static bool add_header(struct curl_slist **list, const char *name, const char *value)
{
	char header[HEADER_SIZE];
	struct curl_slist *longer;
	int len = snprintf(header, sizeof(header), "%s: %s", name, value);

	if (len < 0 || (size_t)len >= sizeof(header))
		return false;
	longer = curl_slist_append(*list, header);
	if (longer == NULL)
		return false;
	*list = longer;
	return true;
}

static bool add_token(struct curl_slist **list, const char *token)
{
	char value[HEADER_SIZE - 32];
	int len;

	if (token == NULL)
		return true;
	len = snprintf(value, sizeof(value), "Bearer %s", token);
	return len > 0 && (size_t)len < sizeof(value) && add_header(list, "Authorization", value);
}

/* ---- Requests ------------------------------------------------------------ */

static char *copy(const char *text)
{
	return text != NULL ? strdup(text) : NULL;
}

static void link_close(struct remote_link *link)
{
	if (link == NULL)
		return;
	if (link->easy != NULL)
		curl_easy_cleanup(link->easy);
	free(link->socket);
	free(link->base);
	free(link->token);
	free(link);
}

static enum tenf_status link_open(const struct remote_target *target, struct remote_link **ret,
				  struct tenf_error *reterr)
{
	struct remote_link *link = calloc(1, sizeof(*link));

	if (link == NULL)
		return fail(reterr, TENF_E_MEMORY, "out of memory");
	/* Nothing of TLS is needed, and setting it up is what takes time. */
	(void)curl_global_init(CURL_GLOBAL_NOTHING);
	link->easy = curl_easy_init();
	link->socket = copy(target->socket);
	link->base = copy(target->base);
	link->token = copy(target->token);
	if (link->easy == NULL || link->base == NULL ||
	    (target->socket != NULL && link->socket == NULL) ||
	    (target->token != NULL && link->token == NULL)) {
		link_close(link);
		return fail(reterr, TENF_E_MEMORY, "out of memory");
	}
	*ret = link;
	return TENF_OK;
}

struct answer {
	char *data;
	size_t len;
	size_t size;
	size_t max;
};

/* libcurl takes less than everything for "stop". */
static size_t take_answer(char *data, size_t one, size_t len, void *context)
{
	struct answer *answer = context;

	(void)one;
	if (len > answer->max - answer->len)
		return 0;
	if (answer->len + len + 1 > answer->size) {
		size_t size = 2 * (answer->len + len + 1);
		char *grown = realloc(answer->data, size);

		if (grown == NULL)
			return 0;
		answer->data = grown;
		answer->size = size;
	}
	memcpy(answer->data + answer->len, data, len);
	answer->len += len;
	answer->data[answer->len] = '\0';
	return len;
}

static CURLcode set_call(CURL *easy, const struct remote_call *call, struct curl_slist *headers)
{
	CURLcode code = curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);

	if (code == CURLE_OK && strcmp(call->method, "HEAD") == 0)
		code = curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	if (code == CURLE_OK && call->body != NULL)
		code = curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)strlen(call->body));
	if (code == CURLE_OK && call->body != NULL)
		code = curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body);
	if (code == CURLE_OK)
		code = curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	if (code == CURLE_OK)
		code = curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, call->timeout_ms);
	if (code == CURLE_OK)
		code = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_answer);
	return code;
}

static CURLcode perform(struct remote_link *link, const struct remote_call *call,
			struct curl_slist *headers, struct answer *answer, char *detail)
{
	const struct remote_target target = { link->socket, link->base, link->token };
	CURLcode code;

	curl_easy_reset(link->easy); /* keeps the connection */
	code = set_target(link->easy, &target, call->path);
	if (code == CURLE_OK)
		code = set_call(link->easy, call, headers);
	if (code == CURLE_OK)
		code = curl_easy_setopt(link->easy, CURLOPT_WRITEDATA, answer);
	if (code == CURLE_OK)
		code = curl_easy_setopt(link->easy, CURLOPT_ERRORBUFFER, detail);
	if (code == CURLE_OK)
		code = curl_easy_perform(link->easy);
	(void)curl_easy_setopt(link->easy, CURLOPT_ERRORBUFFER, NULL); /* it is the caller's */
	return code;
}

static enum tenf_status link_request(struct remote_link *link, const struct remote_call *call,
				     struct remote_reply *ret, struct tenf_error *reterr)
{
	struct answer answer = { .max = call->answer_max };
	char detail[CURL_ERROR_SIZE] = "";
	struct curl_slist *headers = NULL;
	CURLcode code = CURLE_OUT_OF_MEMORY;
	long status = 0;

	if (add_token(&headers, link->token) &&
	    add_header(&headers, "Content-Type", "application/json"))
		code = perform(link, call, headers, &answer, detail);
	curl_slist_free_all(headers);
	if (code != CURLE_OK) {
		free(answer.data);
		return call->is_foreign ? fail_foreign(reterr, code, detail) :
					  fail_curl(reterr, code);
	}
	(void)curl_easy_getinfo(link->easy, CURLINFO_RESPONSE_CODE, &status);
	*ret = (struct remote_reply){ .status = (int)status, .data = answer.data,
				      .len = answer.len };
	return TENF_OK;
}

/* ---- Flows --------------------------------------------------------------- */

static void flow_close(struct remote_flow *flow)
{
	if (flow == NULL)
		return;
	if (flow->multi != NULL && flow->easy != NULL)
		(void)curl_multi_remove_handle(flow->multi, flow->easy);
	if (flow->easy != NULL)
		curl_easy_cleanup(flow->easy);
	if (flow->multi != NULL)
		(void)curl_multi_cleanup(flow->multi);
	curl_slist_free_all(flow->headers);
	free(flow);
}

static size_t take_flow(char *data, size_t one, size_t len, void *context)
{
	struct remote_flow *flow = context;

	(void)one;
	return flow->sink(flow->context, data, len) ? len : 0;
}

/* The empty line behind the headers; those of a 100 are not the last ones. */
static size_t take_header(char *data, size_t one, size_t len, void *context)
{
	struct remote_flow *flow = context;
	long status = 0;

	(void)one;
	if (len == 2 && data[0] == '\r') {
		(void)curl_easy_getinfo(flow->easy, CURLINFO_RESPONSE_CODE, &status);
		flow->status = status >= 200 ? status : 0;
	}
	return len;
}

/* Lets libcurl work, and notes the end. */
static CURLcode step(struct remote_flow *flow)
{
	int running = 0, left;
	const CURLMsg *message;

	if (curl_multi_perform(flow->multi, &running) != CURLM_OK)
		return CURLE_OUT_OF_MEMORY;
	if (running == 0 && !flow->has_ended) {
		flow->has_ended = true;
		message = curl_multi_info_read(flow->multi, &left);
		flow->result = message != NULL ? message->data.result : CURLE_GOT_NOTHING;
	}
	return CURLE_OK;
}

static int64_t steady_ms(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
		return 0;
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until the status is known, and everything of an answer that is an error. A
 * daemon that hangs still has a kernel that accepts connections for it, and a
 * flow has no time-out of its own, hence the one here. */
static CURLcode wait_for_status(struct remote_flow *flow, long timeout_ms)
{
	int64_t end = steady_ms() + timeout_ms;
	CURLcode code = step(flow);

	while (code == CURLE_OK && !flow->has_ended && flow->status != 200) {
		int64_t left = end - steady_ms();

		if (left <= 0)
			return CURLE_OPERATION_TIMEDOUT;
		if (curl_multi_poll(flow->multi, NULL, 0, (int)left, NULL) != CURLM_OK)
			return CURLE_OUT_OF_MEMORY;
		code = step(flow);
	}
	if (code == CURLE_OK && flow->status == 0)
		return flow->result != CURLE_OK ? flow->result : CURLE_GOT_NOTHING;
	return code;
}

static CURLcode set_flow(struct remote_flow *flow, const struct remote_target *target,
			 const char *path, const char *last_id, long timeout_ms)
{
	CURLcode code = set_target(flow->easy, target, path);

	if (code != CURLE_OK)
		return code;
	if (!add_token(&flow->headers, target->token) ||
	    !add_header(&flow->headers, "Accept", "text/event-stream") ||
	    (last_id != NULL && !add_header(&flow->headers, "Last-Event-ID", last_id)))
		return CURLE_OUT_OF_MEMORY;
	code = curl_easy_setopt(flow->easy, CURLOPT_HTTPHEADER, flow->headers);
	if (code == CURLE_OK)
		code = curl_easy_setopt(flow->easy, CURLOPT_WRITEFUNCTION, take_flow);
	if (code == CURLE_OK)
		code = curl_easy_setopt(flow->easy, CURLOPT_WRITEDATA, flow);
	if (code == CURLE_OK)
		code = curl_easy_setopt(flow->easy, CURLOPT_HEADERFUNCTION, take_header);
	if (code == CURLE_OK)
		code = curl_easy_setopt(flow->easy, CURLOPT_HEADERDATA, flow);
	/* Below a heartbeat's length of silence the daemon is there. */
	if (code == CURLE_OK)
		code = curl_easy_setopt(flow->easy, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
	return code;
}

static enum tenf_status flow_open(const struct remote_target *target, const char *path,
				  const char *last_id, long timeout_ms, remote_sink sink,
				  void *context, struct remote_flow **ret, int *ret_status,
				  struct tenf_error *reterr)
{
	struct remote_flow *flow = calloc(1, sizeof(*flow));
	CURLcode code = CURLE_OUT_OF_MEMORY;

	if (flow == NULL)
		return fail(reterr, TENF_E_MEMORY, "out of memory");
	flow->sink = sink;
	flow->context = context;
	flow->multi = curl_multi_init();
	flow->easy = curl_easy_init();
	if (flow->multi != NULL && flow->easy != NULL)
		code = set_flow(flow, target, path, last_id, timeout_ms);
	if (code == CURLE_OK && curl_multi_add_handle(flow->multi, flow->easy) != CURLM_OK)
		code = CURLE_OUT_OF_MEMORY;
	if (code == CURLE_OK)
		code = wait_for_status(flow, timeout_ms);
	if (code != CURLE_OK) {
		flow_close(flow);
		return fail_curl(reterr, code);
	}
	*ret = flow;
	*ret_status = (int)flow->status;
	return TENF_OK;
}

/* What libcurl waits for, which is one socket. CURLINFO_ACTIVESOCKET would name it
 * too, but not in every state of a transfer: when the headers and the first of the
 * body came at once it may say that there is none. */
static int flow_fd(const struct remote_flow *flow)
{
	fd_set reading, writing, failing;
	int highest = -1;

	FD_ZERO(&reading);
	FD_ZERO(&writing);
	FD_ZERO(&failing);
	if (curl_multi_fdset(flow->multi, &reading, &writing, &failing, &highest) != CURLM_OK)
		return -1;
	return highest;
}

static int flow_timeout_ms(const struct remote_flow *flow)
{
	long timeout_ms = -1;

	if (flow->has_ended)
		return 0;
	if (curl_multi_timeout(flow->multi, &timeout_ms) != CURLM_OK)
		timeout_ms = -1;
	/* Without a socket to wait for libcurl wants to be called now and then. */
	if (flow_fd(flow) < 0 && (timeout_ms < 0 || timeout_ms > NO_SOCKET_MS))
		timeout_ms = NO_SOCKET_MS;
	return timeout_ms > INT32_MAX ? INT32_MAX : (int)timeout_ms;
}

static enum tenf_status flow_process(struct remote_flow *flow, struct tenf_error *reterr)
{
	CURLcode code = step(flow);

	if (code != CURLE_OK)
		return fail_curl(reterr, code);
	return flow->has_ended ? fail_curl(reterr, flow->result) : TENF_OK;
}

const struct remote_module tenforward_remote_module = {
	.version = TENF_VERSION,
	.open = link_open,
	.close = link_close,
	.request = link_request,
	.flow_open = flow_open,
	.flow_close = flow_close,
	.flow_fd = flow_fd,
	.flow_timeout_ms = flow_timeout_ms,
	.flow_process = flow_process,
};
