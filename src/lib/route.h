/* SPDX-License-Identifier: MIT */
/*
 * The way to a gateway: which candidates there are for given settings, and a
 * socket connected to one of them.
 */
#ifndef TENF_LIB_ROUTE_H
#define TENF_LIB_ROUTE_H

#include "lib/settings.h"
#include "net/gateways.h"

struct route {
	struct tenf_endpoint gateway;
	struct tenf_address source; /* asked for, or the kernel's choice once open */
	bool has_source;
	unsigned ifindex;           /* 0 when unknown; of the kernel's choice once open */
	bool bound;                 /* to that interface: it was known before */
	char interface[TENF_INTERFACE_SIZE];
	enum tenf_origin origin;
};

#define ROUTES_MAX NET_GATEWAYS_MAX

/* Candidates in order of preference; a gateway named in the settings is the
 * only one. *ret_count may be 0. At most `max`. */
TENF_CHECKED enum tenf_status route_find(const struct settings *settings, struct route *ret,
					 size_t max, size_t *ret_count, struct net_error *reterr);

/* Reduces the candidates to the first and those that may stand in for it; gives
 * their number. A next hop stands alone, a guess on a link without one has the
 * others of that link, and behind both comes the anycast address where it was
 * asked for (RFC 7723 §2.1). All of one family: a pinhole is no answer to who
 * wants a mapping. */
size_t route_contenders(struct route *routes, size_t count);

/* True when routes[0] has to answer something harmless before it is told of ports. */
bool route_is_uncertain(const struct route *routes, size_t count);

/* Opens the socket and fills in source and interface as they really are. */
TENF_CHECKED enum tenf_status route_open(const struct settings *settings, struct route *route,
					 int *ret_fd, struct net_error *reterr);

bool route_equal(const struct route *a, const struct route *b);

#endif
