/* SPDX-License-Identifier: MIT */
/* GET /v1/history: asked of the clerk, answered when he has answered. */
#include "gateway/api.h"

#include "gateway/observe-private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A request that waits for the clerk. */
struct waiting {
	struct control_request *request;
	struct clerk *clerk;
	uint32_t id;
};

static bool read_number(struct control_request *request, const char *key, uint64_t min,
			uint64_t max, uint64_t *ret)
{
	const char *text = control_request_query(request, key);

	return text == NULL ||
	       (tenf_text_number(text, strlen(text), max, ret) && *ret >= min);
}

/* NULL, or what is wrong with it. */
static const char *read_query(struct control_request *request, struct history_query *ret)
{
	const char *client = control_request_query(request, "client");
	uint64_t since = 0, port = 0, limit = HISTORY_ANSWER;

	if (!read_number(request, "since", 0, INT64_MAX, &since))
		return "since= is a time in seconds since 1970";
	if (!read_number(request, "port", 1, UINT16_MAX, &port))
		return "port= is a port from 1 to 65535";
	if (!read_number(request, "limit", 1, HISTORY_ANSWER_MAX, &limit))
		return "limit= is a number of events from 1 to 10000";
	if (client != NULL && !tenf_address_parse(client, &ret->client))
		return "client= is the address of a host";
	ret->has_client = client != NULL;
	ret->since = (int64_t)since;
	ret->port = (uint16_t)port;
	ret->limit = (uint32_t)limit;
	return NULL;
}

static void cancelled(struct control_request *request, void *context)
{
	struct waiting *w = context;

	(void)request;
	clerk_forget(w->clerk, w->id);
	free(w);
}

static void answered(void *context, const char *json)
{
	struct waiting *w = context;
	char *body = NULL;

	if (json != NULL && asprintf(&body, "{\"events\":%s}", json) < 0)
		body = NULL;
	if (body != NULL)
		control_answer_text(w->request, 200, "application/json", body);
	else
		control_answer_error(w->request, 503, "busy",
				     "the history cannot be read now; see the log");
	free(body);
	free(w);
}

static void ask(struct control_request *request, struct clerk *clerk,
		const struct history_query *query)
{
	struct waiting *w = calloc(1, sizeof(*w));
	enum tenf_status status = TENF_E_MEMORY;

	if (w != NULL) {
		w->request = request;
		w->clerk = clerk;
		status = clerk_ask(clerk, query, answered, w, &w->id);
	}
	if (status == TENF_OK) {
		control_request_defer(request, cancelled, w);
		return;
	}
	free(w);
	if (status == TENF_E_MEMORY)
		control_answer_json(request, 500, NULL);
	else
		control_answer_error(request, 503, "busy",
				     status == TENF_E_LIMIT
					     ? "too many ask for the history already"
					     : "the process that keeps the history has ended");
}

void api_get_history(struct control_request *request, void *context)
{
	const struct daemon *d = context;
	struct history_query query = { .since = 0 };
	const char *mistake = read_query(request, &query);

	if (mistake != NULL)
		control_answer_error(request, 400, "argument", mistake);
	else if (!clerk_keeps_history(d->observe->clerk))
		control_answer_error(request, 409, "conflict",
				     "no history is kept; name a directory in State=");
	else
		ask(request, d->observe->clerk, &query);
}
