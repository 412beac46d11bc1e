/* SPDX-License-Identifier: MIT */
/*
 * What `remove` is to delete: the words of the command line looked up among the
 * agent's mappings and in the record of leases. What was named but is in neither
 * becomes a target without a number, of this host, at the gateway a session
 * would choose.
 */
#ifndef TENF_CLI_TARGETS_H
#define TENF_CLI_TARGETS_H

#include "cli/agent-link.h"
#include "cli/leases.h"
#include "cli/wishes.h"

#define TARGETS_MAX (AGENT_MAPPINGS_MAX + LEASES_MAX + 2 * CLI_MAX_MAPPINGS)

struct target {
	struct lease lease; /* number 0: not on record */
	uint32_t id;        /* in the session of its gateway; 0 outside it */
	bool tried;
	char held[SHAPE_ID_SIZE]; /* its id at the agent; "": not the agent's */
};

struct targets {
	struct target *items;
	size_t count;
	size_t size;          /* places there are */
	const struct agent_mappings *agent;
	struct leases leases; /* as read; not locked */
	struct wishes wishes; /* of the words alone, for their checks */
};

/* Exit status, with a message. Done with targets_done(), after a failure too.
 * `agent` is borrowed; empty where none is asked. */
int targets_find(struct cli *cli, const struct agent_mappings *agent, struct targets *ret);
void targets_done(struct targets *targets);

#endif
