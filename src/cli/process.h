/* SPDX-License-Identifier: MIT */
/* A run of the command as a process: the real streams and the real clock. */
#ifndef TENF_CLI_PROCESS_H
#define TENF_CLI_PROCESS_H

#include "cli/cli.h"

/* Once, first of all in main(). */
void process_begin(struct cli *ret);

#endif
