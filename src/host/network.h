/* SPDX-License-Identifier: MIT */
/*
 * Links, addresses and default routes of this computer, as far as somebody who
 * looks for a fault needs them. Parsed here from the answers of the kernel's
 * routing part (rtnetlink(7)). The lists are of fixed size: what is beyond is
 * left out, and `cut` says so.
 */
#ifndef TENF_HOST_NETWORK_H
#define TENF_HOST_NETWORK_H

#include "base/address.h"

#define HOST_LINKS_MAX 256
#define HOST_ADDRESSES_MAX 512
#define HOST_ROUTES_MAX 256
#define HOST_NAME_SIZE 16 /* IF_NAMESIZE */

struct host_link {
	uint32_t index;
	char name[HOST_NAME_SIZE];
	char kind[HOST_NAME_SIZE]; /* "wireguard", "tun", "bridge" …; "": hardware */
	bool is_up;                /* switched on */
	bool is_running;           /* and has a carrier */
	bool is_loopback;
	bool is_tunnel;            /* point to point */
};

struct host_address {
	uint32_t interface;
	struct tenf_address address;
	unsigned length;   /* of its prefix, in its own family */
	bool is_usable;    /* neither tentative, nor deprecated, nor a duplicate */
	bool is_temporary; /* changes by itself (RFC 8981) */
};

/* A way to the internet: a default route, or one of the two halves of the
 * address space by which VPNs overrule it. */
struct host_route {
	bool is_v4;
	unsigned length; /* 0, or 1 for a half */
	uint32_t table;
	uint32_t metric;
	uint32_t interface;
	bool has_gateway;
	struct tenf_address gateway;
};

struct host_network {
	struct host_link links[HOST_LINKS_MAX];
	size_t link_count;
	struct host_address addresses[HOST_ADDRESSES_MAX];
	size_t address_count;
	struct host_route routes[HOST_ROUTES_MAX];
	size_t route_count;
	bool every_route; /* set by the caller: take in those to single addresses too */
	bool cut;
};

/* Takes in one datagram of answers to RTM_GETLINK, RTM_GETADDR or RTM_GETROUTE;
 * `*ret_done` is set at the end of all. An errno of the kernel's, or 0. */
int host_network_parse(struct host_network *network, const uint8_t *data, size_t len,
		       bool *ret_done);

const struct host_link *host_network_link(const struct host_network *network, uint32_t index);
const struct host_link *host_network_link_named(const struct host_network *network,
						const char *name);
/* The entry of one of our own addresses; NULL when it is another's. */
const struct host_address *host_network_address(const struct host_network *network,
						const struct tenf_address *address);

/* Whether the internet can send to it without translation: of global scope, of
 * either family (RFC 4291 §2.4, RFC 6890). */
bool host_address_is_global(const struct host_address *address);

#endif
