/* SPDX-License-Identifier: MIT */
/*
 * Candidate gateways: the next hops of the default routes of every interface
 * and every routing table, in order of preference; for point-to-point links
 * without a next hop the first address of the link's network, where VPN
 * providers answer; and the anycast address of RFC 7723.
 */
#ifndef TENF_NET_GATEWAYS_H
#define TENF_NET_GATEWAYS_H

#include "base/address.h"
#include "net/error.h"
#include "net/opener.h"

#define NET_GATEWAYS_MAX 64       /* candidates kept; the rest is dropped */
#define NET_INTERFACE_NAME 16

enum net_origin {
	NET_ORIGIN_ROUTE,   /* next hop of a default route */
	NET_ORIGIN_PEER,    /* guessed on a point-to-point link */
	NET_ORIGIN_ANYCAST, /* 192.0.0.9, 2001:1::1 */
};

struct net_gateway {
	struct tenf_address address;
	/* The kernel's choice towards it; of IPv6 a global address where there is
	 * one (a pinhole is for who asks, RFC 6887 §8.4); none4/none6 when unknown. */
	struct tenf_address source;
	unsigned ifindex;
	char interface[NET_INTERFACE_NAME];
	uint32_t table;    /* routing table, 254 is main */
	uint32_t metric;
	bool main_route;   /* what the kernel itself would use for the internet */
	enum net_origin origin;
};

struct net_gateway_query {
	const char *interface; /* NULL: every one */
	bool ipv6;             /* IPv6 routers too, behind the IPv4 ones */
	bool anycast;          /* append the anycast address, once a family, behind all else */
	const struct net_opener *opener; /* NULL: socket(2) */
};

struct net_gateways {
	size_t count;
	struct net_gateway at[NET_GATEWAYS_MAX]; /* best first, each address and interface once */
	bool truncated;
};

/* Order: the route the kernel uses for the internet first (policy rules
 * included), then main table by metric, then other tables, then guessed peers,
 * then anycast. Interfaces that are down are left out. No candidate is
 * TENF_OK with count 0. TENF_E_NOT_FOUND when query->interface does not exist. */
TENF_CHECKED enum tenf_status net_gateways_find(const struct net_gateway_query *query,
						struct net_gateways *ret,
						struct net_error *reterr);

/* Index of a named interface, 0 when there is none; and its name. */
unsigned net_interface_index(const struct net_opener *opener, const char *name);
bool net_interface_name(const struct net_opener *opener, unsigned ifindex,
			char ret[NET_INTERFACE_NAME]);
/* The interface that holds this address of ours, 0 when none does. */
unsigned net_interface_of(const struct net_opener *opener, const struct tenf_address *address);

#endif
