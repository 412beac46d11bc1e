/* SPDX-License-Identifier: MIT */
/*
 * add with an agent: each mapping becomes one that the agent keeps. Waits for
 * the gateway's verdict on all of them until --timeout is over, and prints them.
 */
#ifndef TENF_CLI_AGENT_ADD_H
#define TENF_CLI_AGENT_ADD_H

#include "cli/wishes.h"
#include "control/remote.h"

/* The wishes are those of the words of cli->arguments. Exit status. */
int agent_add(struct cli *cli, struct remote *remote, const struct wishes *wishes);

#endif
