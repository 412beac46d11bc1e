/* SPDX-License-Identifier: MIT */
#include "cli/hooks.h"

#include "base/text.h"
#include "cli/child.h"
#include "cli/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

void hooks_init(struct hooks *hooks, const char *command, const sigset_t *mask)
{
	*hooks = (struct hooks){ .command = command, .mask = mask };
}

static void free_job(struct hook_job *job)
{
	environment_done(&job->environment);
	free(job);
}

void hooks_done(struct hooks *hooks)
{
	while (hooks->first != NULL) {
		struct hook_job *job = hooks->first;

		hooks->first = job->next;
		free_job(job);
	}
}

/* The link at which a job of this mapping waits, or the end of the line. */
static struct hook_job **find_place(struct hooks *hooks, uint32_t id)
{
	struct hook_job **link = &hooks->first;

	while (*link != NULL && (*link)->id != id)
		link = &(*link)->next;
	return link;
}

void hooks_tell(struct cli *cli, struct hooks *hooks, enum tenf_event_kind kind,
		const struct tenf_mapping *mapping, const char *protocol, const char *name)
{
	struct hook_job **place;
	struct hook_job *job;

	if (hooks->command == NULL)
		return;
	job = calloc(1, sizeof(*job));
	if (job == NULL || environment_make(kind, mapping, protocol, name,
					    &job->environment) != TENF_OK) {
		free(job);
		cli_error(cli, "out of memory; %s is not told", hooks->command);
		return;
	}
	job->id = mapping->id;
	place = find_place(hooks, job->id);
	if (*place != NULL) {
		job->next = (*place)->next;
		free_job(*place);
	}
	*place = job;
	hooks_step(cli, hooks);
}

static void tell_end(struct cli *cli, const struct hooks *hooks, int wait_status)
{
	char clock[16];
	struct tenf_text t = tenf_text_of(clock, sizeof(clock));

	output_clock(&t, cli->now());
	if (WIFSIGNALED(wait_status))
		cli_error(cli, "%s: ended by signal %d", hooks->command, WTERMSIG(wait_status));
	else if (WEXITSTATUS(wait_status) != 0)
		cli_error(cli, "%s: failed with exit status %d", hooks->command,
			  WEXITSTATUS(wait_status));
	else
		cli_note(cli, "%s  %s: done", clock, hooks->command);
}

static void reap(struct cli *cli, struct hooks *hooks)
{
	int wait_status;

	if (hooks->running == 0)
		return;
	if (waitpid(hooks->running, &wait_status, WNOHANG) == hooks->running) {
		hooks->running = 0;
		tell_end(cli, hooks, wait_status);
	} else if (cli->steady_ms() >= hooks->ends_at_ms) {
		/* Its own process group: what it started ends with it. */
		(void)kill(-hooks->running, SIGKILL);
		hooks->ends_at_ms = INT64_MAX;
		cli_error(cli, "%s: takes longer than %d s; it is ended", hooks->command,
			  HOOKS_LIMIT_MS / 1000);
	}
}

static void start_next(struct cli *cli, struct hooks *hooks)
{
	char shell[] = "/bin/sh", option[] = "-c";
	struct hook_job *job = hooks->first;
	char *arguments[] = { shell, option, NULL, NULL };
	struct child child = { .arguments = arguments, .mask = hooks->mask, .apart = true };
	char *command = strdup(hooks->command);
	int error;

	hooks->first = job->next;
	arguments[2] = command;
	child.environment = job->environment.variables;
	error = command != NULL ? child_start(&child, &hooks->running) : ENOMEM;
	if (error != 0) {
		hooks->running = 0;
		cli_error(cli, "%s: cannot be started: %s", hooks->command, strerror(error));
	}
	hooks->ends_at_ms = cli->steady_ms() + HOOKS_LIMIT_MS;
	free(command);
	free_job(job);
}

void hooks_step(struct cli *cli, struct hooks *hooks)
{
	reap(cli, hooks);
	if (hooks->running == 0 && hooks->first != NULL)
		start_next(cli, hooks);
}

void hooks_leave(struct cli *cli, const struct hooks *hooks)
{
	if (hooks->running != 0 && hooks->first != NULL)
		cli_error(cli, "%s: still runs; it is left alone, and not told of the end",
			  hooks->command);
}

bool hooks_busy(const struct hooks *hooks)
{
	return hooks->running != 0 || hooks->first != NULL;
}

int hooks_timeout_ms(const struct cli *cli, const struct hooks *hooks)
{
	int64_t left;

	if (hooks->running == 0 || hooks->ends_at_ms == INT64_MAX)
		return -1;
	left = hooks->ends_at_ms - cli->steady_ms();
	return left > 0 ? (int)left : 0;
}
