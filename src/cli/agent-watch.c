/* SPDX-License-Identifier: MIT */
#include "cli/agent-watch.h"

#include "base/text.h"

#define EVENTS_PATH "/v1/events"
#define PAUSE_FIRST_MS 1000
#define PAUSE_MAX_MS 30000

static enum tenf_status open_stream(struct agent_watch *watch, struct tenf_error *error)
{
	return remote_stream_open(watch->remote, EVENTS_PATH,
				  watch->last_id[0] != '\0' ? watch->last_id : NULL,
				  &watch->stream, error);
}

int agent_watch_start(struct cli *cli, struct agent_watch *ret)
{
	struct tenf_error error = { .result = -1 };
	int status;

	*ret = (struct agent_watch){ .pause_ms = PAUSE_FIRST_MS };
	status = agent_find(cli, &ret->remote);
	if (status != CLI_EXIT_DONE || ret->remote == NULL)
		return status;
	if (open_stream(ret, &error) == TENF_OK)
		return CLI_EXIT_DONE;
	cli_error(cli, "the agent at %s cannot be followed: %s; --direct does without it",
		  remote_where(ret->remote), error.text);
	return CLI_EXIT_NO_DAEMON;
}

int agent_watch_fd(const struct agent_watch *watch)
{
	return watch->stream != NULL ? remote_stream_fd(watch->stream) : -1;
}

int agent_watch_timeout_ms(const struct cli *cli, const struct agent_watch *watch)
{
	int64_t left;

	if (watch->remote == NULL)
		return -1;
	if (watch->stream != NULL)
		return remote_stream_timeout_ms(watch->stream);
	left = watch->again_ms - cli->steady_ms();
	return left > 0 ? (int)left : 0;
}

static void tell_one(json_t *shape, agent_watch_told *told, void *context)
{
	struct tenf_event event;
	struct shape_tag tag = { .id = "" };
	enum tenf_status status = shape_read_event(shape, &event, &tag, NULL);

	if (status == TENF_OK)
		told(context, shape, &event, &tag);
	else if (status == TENF_E_NOT_FOUND)
		told(context, shape, NULL, &tag);
	/* What makes no sense is nobody's event. */
}

static void tell(struct agent_watch *watch, agent_watch_told *told, void *context)
{
	json_t *shape;

	while (remote_stream_next(watch->stream, &shape)) {
		struct tenf_text t = tenf_text_of(watch->last_id, sizeof(watch->last_id));

		tenf_text_add(&t, remote_stream_last_id(watch->stream));
		tell_one(shape, told, context);
		json_decref(shape);
	}
}

static void went_away(struct cli *cli, struct agent_watch *watch)
{
	remote_stream_close(watch->stream);
	watch->stream = NULL;
	watch->pause_ms = PAUSE_FIRST_MS;
	watch->again_ms = cli->steady_ms() + watch->pause_ms;
	cli_note(cli, "The agent went away; looking for it again.");
}

static void look_again(struct cli *cli, struct agent_watch *watch)
{
	struct tenf_error error = { .result = -1 };

	if (cli->steady_ms() < watch->again_ms)
		return;
	if (open_stream(watch, &error) == TENF_OK) {
		cli_note(cli, "The agent is back.");
		return;
	}
	cli_detail(cli, "no agent yet: %s", error.text);
	watch->pause_ms = 2 * watch->pause_ms < PAUSE_MAX_MS ? 2 * watch->pause_ms : PAUSE_MAX_MS;
	watch->again_ms = cli->steady_ms() + watch->pause_ms;
}

void agent_watch_look(struct cli *cli, struct agent_watch *watch, agent_watch_told *told,
		      void *context)
{
	enum tenf_status status;

	if (watch->remote == NULL)
		return;
	if (watch->stream == NULL) {
		look_again(cli, watch);
		return;
	}
	status = remote_stream_process(watch->stream, NULL);
	tell(watch, told, context); /* what came before an end counts */
	if (status != TENF_OK)
		went_away(cli, watch);
}

void agent_watch_done(struct agent_watch *watch)
{
	remote_stream_close(watch->stream);
	remote_close(watch->remote);
	*watch = (struct agent_watch){ .remote = NULL };
}
