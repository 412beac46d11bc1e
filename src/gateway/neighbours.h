/* SPDX-License-Identifier: MIT */
/*
 * The link-layer address of a host that asks, from the kernel's table of
 * neighbours. The kernel has it, since the host's packet came over that link; when it
 * has forgotten, the answer is "unknown", and the next request finds it.
 *
 * Answers are remembered for a while, in a table of fixed size in which a host may
 * take the place of another, so no number of hosts makes it grow. Asked only
 * where a rule names a MAC, or where people look.
 */
#ifndef TENF_GATEWAY_NEIGHBOURS_H
#define TENF_GATEWAY_NEIGHBOURS_H

#include "base/address.h"
#include "base/attributes.h"
#include "base/time.h"

#define NEIGHBOURS_MAX 1024 /* hosts remembered */
#define NEIGHBOURS_MAC 6
#define NEIGHBOURS_TEXT 18  /* "00:11:22:33:44:55" */
#define NEIGHBOURS_KEEP (10 * TENF_SECOND) /* a known one; an unknown one: */
#define NEIGHBOURS_KEEP_UNKNOWN TENF_SECOND

/* Whom to ask: false when it is not known. */
typedef bool (*neighbours_ask)(void *context, unsigned interface,
			       const struct tenf_address *address, uint8_t ret[NEIGHBOURS_MAC]);

struct neighbours;

/* With NULL the kernel is asked. TENF_E_MEMORY; without a socket to the kernel
 * every host is unknown. */
TENF_CHECKED enum tenf_status neighbours_new(neighbours_ask ask, void *context,
					     struct neighbours **ret);
void neighbours_free(struct neighbours *n);

/* False: unknown, `ret` is untouched. */
bool neighbours_find(struct neighbours *n, unsigned interface, const struct tenf_address *address,
		     tenf_time now, uint8_t ret[NEIGHBOURS_MAC]);

/* Six pairs of hexadecimal digits with ":" or "-" between. */
bool neighbours_parse(const char *text, uint8_t ret[NEIGHBOURS_MAC]);
/* Lower case with ":"; `buffer` holds NEIGHBOURS_TEXT octets and is returned. */
char *neighbours_text(const uint8_t mac[NEIGHBOURS_MAC], char *buffer);

#endif
