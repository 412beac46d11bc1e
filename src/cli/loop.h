/* SPDX-License-Identifier: MIT */
/*
 * Waiting: for the session, and for what else a command listens to (signals,
 * the record of leases, hooks that end). Signals come as data through a
 * descriptor, so no handler runs between two lines of ours.
 */
#ifndef TENF_CLI_LOOP_H
#define TENF_CLI_LOOP_H

#include "cli/cli.h"

#include <signal.h>

#define LOOP_WATCHED 4

struct loop {
	struct tenf_session *session;
	int signals;                /* -1: signals kill, as usual */
	int watched[LOOP_WATCHED];  /* further descriptors; -1: free */
	bool ready[LOOP_WATCHED];   /* after loop_step(): readable */
	bool signalled;
	sigset_t before;            /* mask for children */
};

void loop_init(struct loop *loop, struct tenf_session *session);
/* From here on SIGINT, SIGTERM, SIGHUP and SIGCHLD arrive as data. */
TENF_CHECKED bool loop_take_signals(struct loop *loop);
void loop_done(struct loop *loop);

/* A signal that arrived: its number, 0 when there is none. *ret_typed: it came
 * from the terminal, which sent it to our children too. */
int loop_signal(struct loop *loop, bool *ret_typed);

/* Waits until there is something to do, at most `limit_ms` (-1: no limit), and
 * lets the session do it. */
enum tenf_status loop_step(struct loop *loop, int limit_ms);

/* Waits for what becomes of one mapping of the session, in a loop of its own:
 * TENF_E_AGAIN when nothing has within --timeout. */
TENF_CHECKED enum tenf_status loop_verdict(struct cli *cli, struct tenf_session *session,
					   uint32_t id, struct tenf_mapping *ret);

#endif
