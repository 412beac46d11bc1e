/* SPDX-License-Identifier: MIT */
/* The value of --filter: who may come in by a mapping. Owns its texts; the filters point
 * into them, so it is not to be copied. */
#ifndef TENF_CLI_FILTERS_H
#define TENF_CLI_FILTERS_H

#include "cli/cli.h"

struct filters {
	struct tenf_filter items[TENF_FILTERS_MAX];
	char addresses[TENF_FILTERS_MAX][TENF_ADDRESS_SIZE];
	size_t count;
};

/* Reads --filter, when it is given; exit status, with a message. */
int filters_read(struct cli *cli, struct filters *ret);

#endif
