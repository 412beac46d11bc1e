/* SPDX-License-Identifier: MIT */
/*
 * Hosts as people name them: an address, or a name that the resolver knows.
 * Names are looked up here, once, before anything is sent to a gateway, so
 * that the library sees addresses alone.
 */
#ifndef TENF_CLI_HOSTS_H
#define TENF_CLI_HOSTS_H

#include <stddef.h>

struct cli;

/* "ADDR", "ADDR:PORT", "[v6]:PORT", "NAME" or "NAME:PORT" to what the library
 * takes. Exit status; a message when it is none. */
int hosts_gateway(struct cli *cli, const char *text, char *ret, size_t size);

/* A host to its address. `option` is named in the message. */
int hosts_address(struct cli *cli, const char *option, const char *text, char *ret, size_t size);

#endif
