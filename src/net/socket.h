/* SPDX-License-Identifier: MIT */
/* What the sockets of this room share: addresses to and from the kernel's form. */
#ifndef TENF_NET_SOCKET_H
#define TENF_NET_SOCKET_H

#include "base/address.h"
#include "net/error.h"

#include <netinet/in.h>
#include <sys/socket.h>

union net_sockaddr {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* `scope` is used for IPv6 link-local addresses alone. Returns the length. */
socklen_t net_sockaddr_of(const struct tenf_endpoint *endpoint, unsigned scope,
			  union net_sockaddr *ret);
/* The zero endpoint of IPv6 when the family is another. */
struct tenf_endpoint net_endpoint_of(const union net_sockaddr *address);
/* False when it is neither IPv4 nor IPv6. `address` may be NULL. */
bool net_address_of(const struct sockaddr *address, struct tenf_address *ret);

/* What an errno of a socket call means to the caller. */
enum tenf_status net_status_of(int code);
/* The same, and notes errno and `call` in `reterr`, which may be NULL. */
enum tenf_status net_fail(struct net_error *reterr, const char *call);

#endif
