/* SPDX-License-Identifier: MIT */
/* Hiding in a text what would tell strangers who and where somebody is. Pure. */
#ifndef TENF_CLI_MASK_H
#define TENF_CLI_MASK_H

#include <stddef.h>

/* Addresses of the internet, carrier addresses, and every IPv6 address but loopback
 * (the others are often made of the hardware's) become "x.x.x.x" and "x:x".
 * Private IPv4 addresses stay: they say nothing, and are what a fault is found by.
 * `size` is the room at `text`; what does not fit is cut. */
void mask_addresses(char *text, size_t size);

#endif
