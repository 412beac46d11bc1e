/* SPDX-License-Identifier: MIT */
/*
 * Holding mappings in the foreground, for keep and run: takes the events of
 * the session, tells people, scripts, hooks and the port file, keeps the
 * record up to date, and gives everything up at the end.
 */
#ifndef TENF_CLI_HOLDER_H
#define TENF_CLI_HOLDER_H

#include "cli/batch.h"
#include "cli/hooks.h"
#include "cli/through-keep.h"

/* How long giving up may take when the gateway is silent. */
#define HOLDER_GOODBYE_MS 1800

struct holder {
	struct wishes wishes;
	struct batch batch;
	struct through_keep through;
	struct loop loop;
	struct hooks hooks;
	const char *port_file;   /* NULL: none */
	bool port_file_failed;   /* told once */
	bool gateway_seen;
	bool leaving;
};

/* Reads the command line, takes the signals, asks. Exit status. Done with
 * holder_done(), after a failure too. */
int holder_start(struct cli *cli, struct holder *ret);
/* One turn: waits at most `limit_ms`, takes what happened in. False when it
 * cannot go on, after a message. */
bool holder_step(struct cli *cli, struct holder *holder, int limit_ms);
/* Gives all mappings up, in HOLDER_GOODBYE_MS or at the next signal. Exit
 * status: of those the gateway did not give up. */
int holder_leave(struct cli *cli, struct holder *holder);
void holder_done(struct holder *holder);

#endif
