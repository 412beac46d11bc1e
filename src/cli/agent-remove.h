/* SPDX-License-Identifier: MIT */
/*
 * remove for what the agent keeps: it is told to give the mappings up, and
 * waited for until the gateway has, or --timeout is over.
 */
#ifndef TENF_CLI_AGENT_REMOVE_H
#define TENF_CLI_AGENT_REMOVE_H

#include "cli/targets.h"

/* Every target of the agent's. Exit status, after a message; what came of each
 * stands in its mapping, as with leases. `remote` may be NULL when there is none. */
int agent_remove(struct cli *cli, struct remote *remote, struct targets *targets);

#endif
