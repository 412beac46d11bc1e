/* SPDX-License-Identifier: MIT */
/*
 * Ends the running flows of mappings that were deleted or revoked: without their entry
 * in the kernel's connection tracking their packets meet the rules again, and
 * nothing leads to the host any more. It is told of mappings, and then reads the
 * whole connection table once for all of them, a piece at a time, so that requests
 * are answered meanwhile.
 */
#ifndef TENF_GATEWAY_HELPER_CUT_H
#define TENF_GATEWAY_HELPER_CUT_H

#include "gateway/helper/messages.h"
#include "gateway/helper/transport.h"

#define CUT_WAITING_MAX 65536 /* mappings whose flows wait to be ended */

struct cut;

/* NULL when memory is out. `list` and `kill` are netlink sockets of its own. */
struct cut *cut_new(const struct helper_transport *list, const struct helper_transport *kill);
void cut_free(struct cut *cut);

/* Remembers a mapping whose removal is being committed; ENOMEM, or ENOSPC: first
 * cut_all. */
int cut_put(struct cut *cut, const struct helper_mapping *m);
/* Whether those remembered since the last call are to be cut. */
void cut_settle(struct cut *cut, bool holds);

/* Is there something to do? */
bool cut_is_due(const struct cut *cut);
/* A step: asks for the table, or reads a piece of it. */
void cut_step(struct cut *cut);
/* All steps. */
void cut_all(struct cut *cut);

/* Flows ended so far. */
uint64_t cut_count(const struct cut *cut);

/* Looks one flow up, as seen from inside. 0, ENOENT or another errno. */
int cut_find_flow(const struct helper_transport *transport, const struct helper_flow *flow,
		  struct helper_found *ret);

#endif
