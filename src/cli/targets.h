/* SPDX-License-Identifier: MIT */
/*
 * What `remove` is to delete: the words of the command line looked up in the
 * record of leases. What was named but is not on record becomes a target
 * without a number, of this host, at the gateway a session would choose.
 */
#ifndef TENF_CLI_TARGETS_H
#define TENF_CLI_TARGETS_H

#include "cli/leases.h"
#include "cli/wishes.h"

#define TARGETS_MAX (LEASES_MAX + 2 * CLI_MAX_MAPPINGS)

struct target {
	struct lease lease; /* number 0: not on record */
	uint32_t id;        /* in the session of its gateway; 0 outside it */
	bool tried;
};

struct targets {
	struct target *items;
	size_t count;
	struct leases leases; /* as read; not locked */
	struct wishes wishes; /* of the words alone, for their checks */
};

/* Exit status, with a message. Done with targets_done(), after a failure too. */
int targets_find(struct cli *cli, struct targets *ret);
void targets_done(struct targets *targets);

#endif
