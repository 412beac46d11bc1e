/* SPDX-License-Identifier: MIT */
/*
 * From what the kernel knows (routes, own addresses, links) to the list of
 * candidate gateways: order, duplicates, and the guess on links without a next
 * hop. Plain arrays in, plain array out: nothing here talks to a kernel, so
 * every layout of routes can be tried in a test.
 */
#ifndef TENF_NET_CANDIDATES_H
#define TENF_NET_CANDIDATES_H

#include "base/address.h"
#include "net/gateways.h"

#define NET_ROUTES_MAX 128 /* default-like routes kept; the rest is dropped */
#define NET_LOCALS_MAX 128 /* own addresses kept, of the interfaces of those routes */
#define NET_LINKS_MAX 64   /* interfaces kept, of those routes */

#define NET_TABLE_MAIN 254

/* One next hop of a route that leads to the internet. */
struct net_route {
	struct tenf_address gateway; /* none4/none6: the link itself is the way */
	struct tenf_address source;  /* preferred source, none4/none6 when not said */
	unsigned ifindex;
	uint32_t table;
	uint32_t metric;
	bool ipv6; /* family of the destination; the next hop may have the other one */
};

/* An address of our own. */
struct net_local {
	struct tenf_address address;
	struct tenf_address peer; /* the other end when it was named, else `address` */
	unsigned ifindex;
	unsigned length; /* of the prefix, in bits of its own family */
};

struct net_link {
	unsigned ifindex;
	char name[NET_INTERFACE_NAME];
	bool usable; /* up, with a carrier, and not loopback */
};

struct net_world {
	/* What the kernel answered when asked for a way to a public address,
	 * once a family; `metric` need not be known. */
	struct net_route chosen[2];
	size_t chosen_count;
	struct net_route routes[NET_ROUTES_MAX];
	size_t route_count;
	struct net_local locals[NET_LOCALS_MAX];
	size_t local_count;
	struct net_link links[NET_LINKS_MAX];
	size_t link_count;
	bool truncated; /* one of the limits was reached */
};

/* Empty; leaves the arrays as they are. */
void net_world_init(struct net_world *world);
void net_world_add_route(struct net_world *world, const struct net_route *route);
/* Drops addresses of interfaces that no route uses. */
void net_world_add_local(struct net_world *world, const struct net_local *local);
void net_world_add_link(struct net_world *world, const struct net_link *link);
/* True when a route, or the kernel's choice, leaves by this interface. */
bool net_world_uses(const struct net_world *world, unsigned ifindex);

/* A default route or a large part of one: IPv4 prefixes of 0 and 1 bit (VPN
 * clients override the default by 0.0.0.0/1 and 128.0.0.0/1), IPv6 up to 4
 * bits (2000::/3 is all of the internet, some cut it in two). */
bool net_is_default(bool ipv6, unsigned prefix_length);

/* `ifindex` limits to one interface, 0: all. See net_gateways_find. */
void net_candidates(const struct net_world *world, const struct net_gateway_query *query,
		    unsigned ifindex, struct net_gateways *ret);

#endif
