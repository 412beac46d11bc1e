/* SPDX-License-Identifier: MIT */
/*
 * Reads routes, addresses and links from the kernel: by netlink
 * (world-netlink.c), or where that is not built by /proc and getifaddrs
 * (world-proc.c), which know the main table alone.
 */
#ifndef TENF_NET_WORLD_H
#define TENF_NET_WORLD_H

#include "base/attributes.h"
#include "net/candidates.h"
#include "net/error.h"
#include "net/opener.h"

/* A public address that hardly anybody routes on its own: 198.41.0.4 and
 * 2001:503:ba3e::2:30 (a root name server, for decades). The kernel is asked
 * for its way there; nothing is ever sent. */
extern const struct tenf_address net_public4;
extern const struct tenf_address net_public6;

/* `ifindex` limits to one interface, 0: all. IPv6 is read when `ipv6`. */
TENF_CHECKED enum tenf_status net_world_read(const struct net_opener *opener, bool ipv6,
					     unsigned ifindex, struct net_world *ret,
					     struct net_error *reterr);

#endif
