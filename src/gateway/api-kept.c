/* SPDX-License-Identifier: MIT */
/*
 * What an administrator has decided is answered when it is on the disk, so that nothing
 * he was told is lost even when all processes of the gateway are killed at once. Where
 * nothing is kept, or the clerk is gone or has too much to do, it is answered at once: it
 * holds all the same.
 */
#include "gateway/api.h"

#include "control/shapes.h"
#include "gateway/observe-private.h"

#include <stdlib.h>

struct waiting {
	struct control_request *request;
	struct clerk *clerk;
	json_t *body; /* NULL: an answer without */
	uint32_t id;
};

static void answer(struct control_request *request, json_t *body)
{
	if (body != NULL)
		control_answer_json(request, 200, body);
	else
		control_answer_done(request);
}

static void on_cancel(struct control_request *request, void *context)
{
	struct waiting *w = context;

	(void)request;
	clerk_forget(w->clerk, w->id);
	json_decref(w->body);
	free(w);
}

/* Whether it could be written is the log's to say. */
static void on_kept(void *context, const char *json)
{
	struct waiting *w = context;

	(void)json;
	answer(w->request, w->body);
	free(w);
}

void api_answer_when_kept(const struct daemon *d, struct control_request *request, json_t *body)
{
	/* Asked for no event, the clerk writes what it has, and says that it has. */
	const struct history_query nothing = { .since = INT64_MAX, .limit = 0 };
	struct clerk *clerk = d->observe->clerk;
	struct waiting *w = clerk_keeps_history(clerk) ? calloc(1, sizeof(*w)) : NULL;

	if (w == NULL) {
		answer(request, body);
		return;
	}
	*w = (struct waiting){ .request = request, .clerk = clerk, .body = body };
	if (clerk_ask(clerk, &nothing, on_kept, w, &w->id) == TENF_OK) {
		control_request_defer(request, on_cancel, w);
		return;
	}
	free(w);
	answer(request, body);
}
