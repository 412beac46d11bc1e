/* SPDX-License-Identifier: MIT */
/*
 * Follows the record of leases for `monitor`: what other runs of the command
 * open, renew and close, and what ends by itself, as events.
 */
#ifndef TENF_CLI_LEASE_WATCH_H
#define TENF_CLI_LEASE_WATCH_H

#include "cli/leases.h"

struct lease_watch {
	int fd; /* readable when the record may have changed; -1: none */
	struct leases known;
};

typedef void lease_watch_told(void *context, const struct tenf_event *event,
			      const struct lease *lease);

/* False, after a message, when the record cannot be followed. */
bool lease_watch_start(struct cli *cli, struct lease_watch *ret);
/* Compares with what was known, tells each difference once. */
void lease_watch_look(struct cli *cli, struct lease_watch *watch, lease_watch_told *told,
		      void *context);
/* Milliseconds until the next lease ends, -1 when none will. */
int lease_watch_timeout_ms(const struct cli *cli, const struct lease_watch *watch);
void lease_watch_done(struct lease_watch *watch);

#endif
