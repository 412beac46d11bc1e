/* SPDX-License-Identifier: MIT */
/*
 * The ledger of a gateway of ours that runs on this very computer, added to what is
 * known to be open: it has every host's mappings, whatever protocol made them.
 */
#ifndef TENF_CLI_OPENED_LEDGER_H
#define TENF_CLI_OPENED_LEDGER_H

#include "cli/opened-sources.h"

/* Sets `has_ledger`. Where none runs nothing is said; one that cannot be asked is told
 * and left out. */
void opened_ledger_try(struct cli *cli, struct opened_sources *sources);

#endif
