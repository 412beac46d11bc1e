/* SPDX-License-Identifier: MIT */
/* Help, made from the tables of verbs and options. */
#ifndef TENF_CLI_USAGE_H
#define TENF_CLI_USAGE_H

#include "cli/verbs.h"

void usage_print(struct cli *cli, FILE *to);
void usage_print_verb(struct cli *cli, const struct cli_verb *verb);

#endif
