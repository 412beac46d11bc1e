/* SPDX-License-Identifier: MIT */
/* Sockets that leave by one way alone: from the own address towards the gateway,
 * through its interface, whatever the routes say to others. */
#ifndef TENF_IGD_SOCKETS_H
#define TENF_IGD_SOCKETS_H

#include "base/address.h"

#include <netinet/in.h>
#include <sys/socket.h>

/* The way to the gateway: connections and searches leave by it alone. */
struct igd_way {
	struct tenf_address gateway;
	struct tenf_address source;
	unsigned ifindex; /* 0: the kernel's choice */
	/* Makes the sockets, as socket(2); NULL: socket(2). */
	int (*open)(void *context, int domain, int type, int protocol);
	void *open_context;
};

union igd_sockaddr {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* SOCK_STREAM or SOCK_DGRAM, its source bound; -1 and errno on failure. Not
 * blocking, closed on exec. */
TENF_CHECKED int igd_socket_open(const struct igd_way *way, int type);
/* For connect() and sendto(); the scope of a link-local address is the way's. */
socklen_t igd_sockaddr_of(const struct igd_way *way, const struct tenf_endpoint *endpoint,
			  union igd_sockaddr *ret);
/* The address in a socket's address, false when it is of no known family. */
bool igd_address_of(const union igd_sockaddr *from, struct tenf_address *ret);
/* What an errno of a socket means; TENF_E_AGAIN when there is only to wait. */
enum tenf_status igd_status_of(int code);

#endif
