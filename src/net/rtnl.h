/* SPDX-License-Identifier: MIT */
/*
 * One question after the other to the routing part of the kernel, and the
 * attributes of its answers. The socket belongs to the struct.
 *
 *   | length | type | flags | sequence | port |  fixed header  | attributes … |
 *   |          struct nlmsghdr                |  struct rtmsg… | len type data |
 *
 * By hand and not by libmnl: of that library six functions of a few lines each
 * would be used, and loading it costs 47 000 instructions, as many as natpmpc
 * needs for all it does.
 */
#ifndef TENF_NET_RTNL_H
#define TENF_NET_RTNL_H

#include "net/opener.h"

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
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
int net_rtnl_open(const struct net_opener *opener, struct net_rtnl *ret);
void net_rtnl_close(struct net_rtnl *rtnl);

/* Begins a message of `type`; returns the zeroed header of `size` octets that
 * follows the netlink one. */
void *net_rtnl_begin(union net_rtnl_request *request, uint16_t type, size_t size);
/* Appends an attribute; there must be room for it. */
void net_rtnl_put(union net_rtnl_request *request, uint16_t type, const void *data, size_t len);

/* Asks for one object. */
int net_rtnl_get(struct net_rtnl *rtnl, union net_rtnl_request *request, net_rtnl_each each,
		 void *context);
/* Asks for all objects. EINTR: they changed meanwhile, so what `each` was told
 * may be inconsistent. ENOBUFS: something was lost, perhaps the end, so the
 * socket is of no use any more. */
int net_rtnl_dump(struct net_rtnl *rtnl, union net_rtnl_request *request, net_rtnl_each each,
		  void *context);

/* Messages of a datagram, one after the other. */
struct net_rtnl_messages {
	const char *at;
	size_t left;
};

/* NULL at the end. */
const struct nlmsghdr *net_rtnl_next_message(struct net_rtnl_messages *messages);

/* The fixed header behind the netlink one; NULL when the message is shorter. */
const void *net_rtnl_header(const struct nlmsghdr *message, size_t size);

struct net_rtnl_attribute {
	uint16_t type;
	const void *data;
	size_t len;
};

struct net_rtnl_attributes {
	const char *at;
	size_t left;
};

/* Those behind a fixed header of `size` octets. */
struct net_rtnl_attributes net_rtnl_attributes_of(const struct nlmsghdr *message, size_t size);
/* False at the end. */
bool net_rtnl_next(struct net_rtnl_attributes *attributes, struct net_rtnl_attribute *ret);

/* Everything in a message begins at a multiple of four octets. */
static inline size_t net_rtnl_align(size_t size)
{
	return (size + 3) & ~(size_t)3;
}

#endif
