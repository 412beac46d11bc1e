/* SPDX-License-Identifier: MIT */
/* The kernel's word that links, routes or addresses changed. */
#ifndef TENF_NET_CHANGES_H
#define TENF_NET_CHANGES_H

#include "base/attributes.h"
#include "net/error.h"
#include "net/opener.h"

#include <tenforward/types.h>

/* A non-blocking netlink socket on the groups of link, route, rule and address, both
 * families. TENF_E_NOT_FOUND when built without netlink: the caller looks at
 * the routes from time to time instead. */
TENF_CHECKED enum tenf_status net_changes_open(const struct net_opener *opener, int *ret_fd,
					       struct net_error *reterr);

/* Reads all that waits; true when something that can move a gateway changed.
 * An overrun of the socket (ENOBUFS) counts as a change. */
bool net_changes_read(int fd);

#endif
