/* SPDX-License-Identifier: MIT */
/*
 * The exit statuses of the command. They are part of its contract with
 * scripts: numbers are only ever added. With several mappings the highest
 * counts.
 */
#ifndef TENF_CLI_EXIT_STATUS_H
#define TENF_CLI_EXIT_STATUS_H

#include <tenforward/types.h>

enum cli_exit {
	CLI_EXIT_DONE = 0,
	CLI_EXIT_FAILURE = 1,    /* inside, or of the system */
	CLI_EXIT_USAGE = 2,
	CLI_EXIT_NO_GATEWAY = 3, /* no route, none found */
	CLI_EXIT_SILENT = 4,     /* no answer in time */
	CLI_EXIT_NO_SERVICE = 5, /* port unreachable, or no version in common */
	CLI_EXIT_REFUSED = 6,    /* by policy */
	CLI_EXIT_RESOURCES = 7,  /* out of resources or over quota */
	CLI_EXIT_NO_NETWORK = 8, /* the gateway has no external address or network */
	CLI_EXIT_OTHER_PORT = 9, /* than --exact */
	CLI_EXIT_NO_DAEMON = 10, /* at the control socket */
	CLI_EXIT_CLOSED = 11,    /* found by `check` */
	CLI_EXIT_EXPOSED = 12,   /* found by `exposure --fail-on` */
};

int cli_exit_of_reason(enum tenf_reason reason);
/* `reason` speaks when the status is TENF_E_FAILED. */
int cli_exit_of_status(enum tenf_status status, enum tenf_reason reason);

static inline int cli_exit_worse(int a, int b)
{
	return a > b ? a : b;
}

#endif
