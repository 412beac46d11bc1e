/* SPDX-License-Identifier: MIT */
/*
 * --port-file: the external ports that are held, one a line in the order of
 * the command line, a pair once, 0 for one that is not held. Written whole or
 * not at all; there is no file while nothing is held.
 */
#ifndef TENF_CLI_PORT_FILE_H
#define TENF_CLI_PORT_FILE_H

#include "cli/batch.h"

/* A file is replaced and in the end deleted, which must not happen to a device or
 * a pipe: gives CLI_EXIT_USAGE, after a message, where one is named. */
int port_file_check(struct cli *cli, const char *path);

/* Errors: TENF_E_MEMORY, TENF_E_SYSTEM with errno set. */
TENF_CHECKED enum tenf_status port_file_write(const char *path, const struct batch *batch);

#endif
