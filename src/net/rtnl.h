/* SPDX-License-Identifier: MIT */
/*
 * One question after the other to the routing part of the kernel. The socket
 * belongs to the struct; messages are built and read with libmnl.
 */
#ifndef TENF_NET_RTNL_H
#define TENF_NET_RTNL_H

#include <libmnl/libmnl.h>
#include <stdint.h>

struct net_rtnl {
	int fd;
	uint32_t sequence;
};

/* Room for any question asked here. */
union net_rtnl_request {
	struct nlmsghdr header;
	char room[128];
};

typedef void (*net_rtnl_each)(const struct nlmsghdr *message, void *context);

/* These return 0 or an errno. */
int net_rtnl_open(struct net_rtnl *ret);
void net_rtnl_close(struct net_rtnl *rtnl);

/* Begins a message of `type` in `request`; returns the zeroed header of
 * `size` octets that follows the netlink one. */
void *net_rtnl_begin(union net_rtnl_request *request, uint16_t type, size_t size);

/* Asks for one object. */
int net_rtnl_get(struct net_rtnl *rtnl, union net_rtnl_request *request, net_rtnl_each each,
		 void *context);
/* Asks for all objects. EINTR: they changed meanwhile, so what `each` was told
 * may be inconsistent. ENOBUFS: something was lost, perhaps the end, so the
 * socket is of no use any more. */
int net_rtnl_dump(struct net_rtnl *rtnl, union net_rtnl_request *request, net_rtnl_each each,
		  void *context);

/* Everything in a message begins at a multiple of four octets. */
static inline size_t net_rtnl_align(size_t size)
{
	return (size + 3) & ~(size_t)3;
}

/* The attributes of a message, one after the other; libmnl's loop macros drop
 * const and mix signs. */
struct net_rtnl_attributes {
	const char *at;
	size_t left;
};

/* Those behind a header of `size` octets. */
struct net_rtnl_attributes net_rtnl_attributes_of(const struct nlmsghdr *message, size_t size);
/* NULL at the end. */
const struct nlattr *net_rtnl_next(struct net_rtnl_attributes *attributes);

#endif
