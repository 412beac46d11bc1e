/* SPDX-License-Identifier: MIT */
/* Leases asked for once, and what is said of them: what add does where no agent runs. */
#ifndef TENF_CLI_ADD_LEASE_H
#define TENF_CLI_ADD_LEASE_H

#include "cli/batch.h"

/* Until there is a verdict on every half, or until then by the steady clock; INT64_MAX for
 * as long as it takes. */
TENF_CHECKED enum tenf_status add_ask(struct cli *cli, struct batch *batch, int64_t until_ms);

/* A line for each half that is held. */
void add_print_held(struct cli *cli, const struct batch *batch);
/* Behind the data: what was not granted, or otherwise than asked for, and advice. Exit
 * status. */
int add_print_rest(struct cli *cli, const struct batch *batch);

#endif
