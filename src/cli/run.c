/* SPDX-License-Identifier: MIT */
/*
 * run: holds mappings for the life of a command. Standard output belongs to
 * that command; what we tell goes to the error stream.
 */
#include "cli/child.h"
#include "cli/environment.h"
#include "cli/holder.h"
#include "cli/report.h"
#include "cli/verbs.h"

#include "base/forward.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define NOT_FOUND 127     /* as shells say it */
#define NOT_STARTED 126
#define VERDICT_GRACE_MS 1000

struct argument {
	char *text;
	size_t len;
};

/* Appends to a text that grows; false when memory is out. */
static bool append(struct argument *a, const char *text, size_t len)
{
	char *larger = realloc(a->text, a->len + len + 1);

	if (larger == NULL)
		return false;
	memcpy(larger + a->len, text, len);
	a->text = larger;
	a->len += len;
	a->text[a->len] = '\0';
	return true;
}

/* A copy of `text` with {external_port} and {external_address} filled in; the
 * caller frees it. */
static char *fill_in(const char *text, const struct tenf_mapping *m)
{
	char port[8];
	struct tenf_text t = tenf_text_of(port, sizeof(port));
	const struct {
		const char *mark;
		const char *value;
	} marks[] = { { "{external_port}", port }, { "{external_address}", m->external_address } };
	struct argument made = { NULL, 0 };
	bool fine = append(&made, "", 0);

	tenf_text_add_number(&t, m->external_port);
	while (fine && *text != '\0') {
		size_t step = strcspn(text + 1, "{") + 1;
		const char *value = NULL;

		for (size_t i = 0; i < TENF_ARRAY_SIZE(marks); i++) {
			if (strncmp(text, marks[i].mark, strlen(marks[i].mark)) == 0) {
				step = strlen(marks[i].mark);
				value = marks[i].value;
			}
		}
		fine = value != NULL ? append(&made, value, strlen(value))
				     : append(&made, text, step);
		text += step;
	}
	if (!fine) {
		free(made.text);
		return NULL;
	}
	return made.text;
}

static void free_arguments(char **arguments)
{
	for (size_t i = 0; arguments != NULL && arguments[i] != NULL; i++)
		free(arguments[i]);
	free(arguments);
}

static char **make_arguments(char *const *command, const struct tenf_mapping *m)
{
	size_t count = 0;
	char **made;

	while (command[count] != NULL)
		count++;
	made = calloc(count + 1, sizeof(*made));
	for (size_t i = 0; made != NULL && i < count; i++) {
		made[i] = fill_in(command[i], m);
		if (made[i] == NULL) {
			free_arguments(made);
			return NULL;
		}
	}
	return made;
}

static int start(struct cli *cli, struct holder *h, pid_t *ret)
{
	const struct half *first = &h->batch.halves[0];
	const char *protocol =
		tenf_protocol_name(first->pair != 0 ? TENF_BOTH : first->mapping.protocol);
	struct environment environment = { NULL, NULL };
	char **arguments = make_arguments(cli->arguments.command, &first->mapping);
	struct child child = { .arguments = arguments, .mask = &h->loop.before };
	int error = ENOMEM;

	if (arguments != NULL && environment_make(TENF_EVENT_MAPPED, &first->mapping, protocol,
						  h->wishes.name, &environment) == TENF_OK) {
		child.environment = environment.variables;
		error = child_start(&child, ret);
	}
	environment_done(&environment);
	free_arguments(arguments);
	if (error == 0)
		return CLI_EXIT_DONE;
	cli_error(cli, "%s: %s", cli->arguments.command[0], strerror(error));
	return error == ENOENT ? NOT_FOUND : NOT_STARTED;
}

/* Waits for the first verdict on every mapping. A signal ends the wait: its
 * number, 0 when there was none. */
static int wait_for_verdicts(struct cli *cli, struct holder *h)
{
	int64_t end = cli->steady_ms() + cli->global.ask.timeout_ms + VERDICT_GRACE_MS;
	bool typed;

	while (!batch_answered(&h->batch) && cli->steady_ms() < end) {
		int sig;

		(void)holder_step(cli, h, (int)(end - cli->steady_ms()));
		sig = loop_signal(&h->loop, &typed);
		if (sig != 0 && sig != SIGCHLD)
			return sig;
	}
	return 0;
}

/* Holds until the command ended; signals for us are handed on to it. */
static int hold(struct cli *cli, struct holder *h, pid_t pid)
{
	for (;;) {
		int wait_status, sig;
		bool typed;

		if (waitpid(pid, &wait_status, WNOHANG) == pid)
			return child_exit(wait_status);
		(void)holder_step(cli, h, -1);
		while ((sig = loop_signal(&h->loop, &typed)) != 0) {
			/* The terminal sent what was typed to the command too. */
			if (sig != SIGCHLD && !typed)
				(void)kill(pid, sig);
		}
	}
}

static int run(struct cli *cli, struct holder *h)
{
	int sig = wait_for_verdicts(cli, h);
	int status = batch_exit(&h->batch);
	pid_t pid;

	if (sig != 0)
		return 128 + sig;
	if (status != CLI_EXIT_DONE) {
		if (!batch_answered(&h->batch)) /* else the events told it */
			report_failures(cli, &h->batch);
		return status;
	}
	status = start(cli, h, &pid);
	return status == CLI_EXIT_DONE ? hold(cli, h, pid) : status;
}

int verb_run(struct cli *cli)
{
	struct holder h;
	FILE *out = cli->out;
	int status;

	cli->out = cli->err;
	status = holder_start(cli, &h);
	if (status == CLI_EXIT_DONE) {
		status = run(cli, &h);
		(void)holder_leave(cli, &h);
	}
	holder_done(&h);
	cli->out = out;
	return status;
}
