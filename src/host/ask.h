/* SPDX-License-Identifier: MIT */
/*
 * Questions to the kernel over netlink: one socket a question, its answers handed to
 * the parsers of this room. All return an errno, or 0.
 */
#ifndef TENF_HOST_ASK_H
#define TENF_HOST_ASK_H

#include "host/network.h"
#include "host/sockets.h"

/* RTM_GETLINK, RTM_GETADDR or RTM_GETROUTE: all there are. */
int host_ask_network(uint16_t question, struct host_network *network);
/* Everything that listens in this family (AF_INET, AF_INET6) and protocol. */
int host_ask_sockets(int family, enum tenf_protocol protocol, struct host_sockets *sockets);

#endif
