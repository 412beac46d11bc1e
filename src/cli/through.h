/* SPDX-License-Identifier: MIT */
/*
 * Two routers in a row (double NAT): a mapping at the first leads to its outside
 * address, which is a private one of the second. The second is asked too, for that
 * port at that address, and the two hops are one mapping: added, listed and removed
 * together.
 *
 *   internet → 203.0.113.7:80 second → 10.20.0.14:80 first → 192.168.1.20:8080
 *
 * By NAT-PMP alone: a request for the second passes the first, which translates it,
 * and so comes from the very address the port must lead to. PCP takes that for an
 * error (RFC 6887 §8.1).
 */
#ifndef TENF_CLI_THROUGH_H
#define TENF_CLI_THROUGH_H

#include "cli/batch.h"

/* Opens the second hop of every half that is held behind a private address, records
 * it, and has the half tell the outside of both. Exit status, after a message. */
int through_open(struct cli *cli, struct batch *batch);

/* The recorded second hop of a lease; NULL when it has none. Pure. */
const struct lease *through_hop(const struct leases *leases, const struct lease *lease);
/* Whether a lease is the second hop of another one. Pure. */
bool through_is_hop(const struct leases *leases, const struct lease *lease);

#endif
