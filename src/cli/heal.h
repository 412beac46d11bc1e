/* SPDX-License-Identifier: MIT */
/*
 * Bringing a mapping back to life that is recorded and yet dead: it is removed at
 * the gateway and asked for again, with the same port outside if it can be had. The
 * agent is told to renew what it keeps, which does the same.
 */
#ifndef TENF_CLI_HEAL_H
#define TENF_CLI_HEAL_H

#include "cli/diagnose.h"

/* What is held was found dead by the steps so far. */
bool heal_is_needed(const struct diagnosis *d);
/* Adds a step "mapping" that says what came of it; `d->held` is read again. Exit
 * status of our own failures alone. */
int heal(struct diagnosis *d);

#endif
