/* SPDX-License-Identifier: MIT */
/*
 * Asking those who know what is open: the agent, the record of leases, and the
 * gateway. One that cannot be asked is told on the error stream and left out.
 */
#ifndef TENF_CLI_OPENED_SOURCES_H
#define TENF_CLI_OPENED_SOURCES_H

#include "cli/agent-link.h"
#include "cli/opened.h"

/* What was asked, and lives as long as the list that borrows from it. */
struct opened_sources {
	struct opened_list list;
	struct agent_mappings agent;
	bool is_read;          /* the record at least */
	bool router_was_asked; /* and its list is in it */
	bool has_ledger;       /* of a gateway of ours on this computer */
};

/* The agent, where one runs, and the record, which is read when the agent does
 * not answer too. Exit status of the agent. Done with opened_sources_done(), after
 * a failure too. */
int opened_sources_read(struct cli *cli, struct opened_sources *ret);
void opened_sources_done(struct opened_sources *sources);

#endif
