/* SPDX-License-Identifier: MIT */
#include "cli/agent-remove.h"

#include "base/span.h"
#include "base/text.h"

#include <string.h>

#define POLL_FIRST_MS 2
#define POLL_MAX_MS 250

/* One removal gives both halves of a pair up; they are neighbours. */
static bool is_second_half(const struct targets *targets, size_t at)
{
	const char *id = targets->items[at].held;
	size_t stem = agent_id_stem(id);

	return at > 0 && id[stem] != '\0' && agent_id_stem(targets->items[at - 1].held) == stem &&
	       strncmp(targets->items[at - 1].held, id, stem) == 0;
}

/* That it is gone already, or on its way, is as good. */
static int give_up(struct cli *cli, struct remote *remote, const struct target *target)
{
	char path[AGENT_PATH_SIZE];
	json_t *answer = NULL;
	int http = 0, status;

	agent_mapping_path(path, target->held);
	status = agent_ask(cli, remote, "DELETE", path, NULL, &http, &answer);
	if (status == CLI_EXIT_DONE && http / 100 != 2 && http != 404 && http != 409)
		status = agent_refusal(cli, http, answer);
	json_decref(answer);
	return status;
}

static int give_all_up(struct cli *cli, struct remote *remote, struct targets *targets)
{
	int worst = CLI_EXIT_DONE, status = CLI_EXIT_DONE;

	for (size_t i = 0; status != CLI_EXIT_NO_DAEMON && i < targets->count; i++) {
		if (targets->items[i].held[0] == '\0')
			continue;
		if (!is_second_half(targets, i))
			status = give_up(cli, remote, &targets->items[i]);
		targets->items[i].tried = status == CLI_EXIT_DONE;
		worst = cli_exit_worse(worst, status);
	}
	return worst;
}

/* The agent forgets a mapping when the gateway has. */
static int is_forgotten(struct cli *cli, struct remote *remote, const char *id, bool *ret)
{
	char path[AGENT_PATH_SIZE];
	json_t *answer = NULL;
	int http = 0, status;

	agent_mapping_path(path, id);
	status = agent_ask(cli, remote, "GET", path, NULL, &http, &answer);
	if (status == CLI_EXIT_DONE && http != 200 && http != 404)
		status = agent_refusal(cli, http, answer);
	*ret = http == 404;
	json_decref(answer);
	return status;
}

static int wait_for_one(struct cli *cli, struct remote *remote, const char *id, int64_t end,
			bool *ret)
{
	int pause_ms = POLL_FIRST_MS;

	for (;;) {
		int64_t left = end - cli->steady_ms();
		int status;

		remote_set_timeout(remote, left > POLL_MAX_MS ? (uint32_t)left : POLL_MAX_MS);
		status = is_forgotten(cli, remote, id, ret);
		if (status != CLI_EXIT_DONE || *ret || left <= 0)
			return status;
		cli->pause_ms(pause_ms < left ? pause_ms : (int)left);
		pause_ms = 2 * pause_ms < POLL_MAX_MS ? 2 * pause_ms : POLL_MAX_MS;
	}
}

static void note(const struct cli *cli, struct target *target, bool is_gone)
{
	struct tenf_mapping *m = &target->lease.mapping;
	struct tenf_text t = tenf_text_of(m->error.text, sizeof(m->error.text));

	m->error = (struct tenf_error){ .result = -1 };
	if (is_gone) {
		m->state = TENF_STATE_REMOVED;
		return;
	}
	m->error.reason = TENF_REASON_SILENT;
	tenf_text_add(&t, "The gateway did not confirm within ");
	tenf_span_add(&t, cli->global.ask.timeout_ms / 1000);
	tenf_text_add(&t, ". The agent goes on removing it.");
}

int agent_remove(struct cli *cli, struct remote *remote, struct targets *targets)
{
	int64_t end = cli->steady_ms() + cli->global.ask.timeout_ms;
	int status = CLI_EXIT_DONE, worst;
	bool is_gone = false;

	if (remote == NULL)
		return CLI_EXIT_DONE;
	worst = give_all_up(cli, remote, targets);
	for (size_t i = 0; worst != CLI_EXIT_NO_DAEMON && i < targets->count; i++) {
		struct target *target = &targets->items[i];

		if (target->held[0] == '\0' || !target->tried)
			continue;
		if (!is_second_half(targets, i))
			status = wait_for_one(cli, remote, target->held, end, &is_gone);
		worst = cli_exit_worse(worst, status);
		if (status == CLI_EXIT_DONE)
			note(cli, target, is_gone);
		else
			target->tried = false; /* why is told already */
	}
	return worst;
}
