/* SPDX-License-Identifier: MIT */
/*
 * The list a router keeps of what every host opened, by UPnP, added to what the
 * agent and the record know.
 */
#ifndef TENF_CLI_OPENED_ROUTER_H
#define TENF_CLI_OPENED_ROUTER_H

#include "cli/opened-sources.h"

/* Asks the gateway the options name and adds its list; sets `router_was_asked`. What
 * stood in the way is told on the error stream, and its exit status given; beside a
 * ledger, which has what was asked for, it is a note. */
int opened_router_add(struct cli *cli, struct opened_sources *sources);
/* The same where the gateway is known to speak UPnP, and without a word: nothing is
 * added when that fails, or when it does not. */
void opened_router_try(struct cli *cli, const struct tenf_gateway *gateway,
		       struct opened_sources *sources);

#endif
