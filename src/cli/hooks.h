/* SPDX-License-Identifier: MIT */
/*
 * The command of --on-change: run by /bin/sh for one event after the other,
 * beside the renewals, never in their way. While one runs, a newer event of a
 * mapping takes the place of an older one that waits.
 */
#ifndef TENF_CLI_HOOKS_H
#define TENF_CLI_HOOKS_H

#include "cli/cli.h"
#include "cli/environment.h"

#include <signal.h>

#define HOOKS_LIMIT_MS 60000 /* a hook that runs longer is ended */

struct hook_job {
	struct hook_job *next;
	uint32_t id; /* of the mapping */
	struct environment environment;
};

struct hooks {
	const char *command;   /* NULL: there are no hooks */
	const sigset_t *mask;  /* signals blocked in the command */
	struct hook_job *first;
	pid_t running;         /* 0: none */
	int64_t ends_at_ms;    /* of the one that runs */
};

void hooks_init(struct hooks *hooks, const char *command, const sigset_t *mask);
/* Frees what waits; one that runs goes on by itself. */
void hooks_done(struct hooks *hooks);

/* Hands an event to the command, as soon as it is free. */
void hooks_tell(struct cli *cli, struct hooks *hooks, enum tenf_event_kind kind,
		const struct tenf_mapping *mapping, const char *protocol, const char *name);

/* Starts, ends, reports. Call it when a child may have ended or time passed. */
void hooks_step(struct cli *cli, struct hooks *hooks);
bool hooks_busy(const struct hooks *hooks);
/* Says so where we end before a hook does that still has to be told something. */
void hooks_leave(struct cli *cli, const struct hooks *hooks);
/* Milliseconds until hooks_step() is needed; -1: none. */
int hooks_timeout_ms(const struct cli *cli, const struct hooks *hooks);

#endif
