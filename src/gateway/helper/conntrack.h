/* SPDX-License-Identifier: MIT */
/*
 * Entries of the kernel's connection tracking as its messages tell them, and the
 * messages that ask for them, written and read with libmnl. No sockets here.
 */
#ifndef TENF_GATEWAY_HELPER_CONNTRACK_H
#define TENF_GATEWAY_HELPER_CONNTRACK_H

#include "base/address.h"

#include <libmnl/libmnl.h>

#define CONNTRACK_REQUEST_MAX 512

/* One direction of a flow. */
struct conntrack_tuple {
	uint8_t protocol;
	struct tenf_endpoint source;
	struct tenf_endpoint destination;
};

struct conntrack_entry {
	struct conntrack_tuple original; /* as it came in */
	struct conntrack_tuple reply;    /* what answers look like before they are translated */
	uint32_t timeout_s;
	/* Raw parts of the message, which name the entry. */
	const struct nlattr *original_part;
	const struct nlattr *id_part;
	const struct nlattr *zone_part;
};

/* False: another message, or one that makes no sense, or without ports. */
bool conntrack_read(const struct nlmsghdr *message, struct conntrack_entry *ret);

/* Each writes a whole request of at most CONNTRACK_REQUEST_MAX octets at `at`. */
struct nlmsghdr *conntrack_ask_all(void *at, uint32_t number);
struct nlmsghdr *conntrack_ask_one(void *at, uint32_t number, bool is_reply,
				   const struct conntrack_tuple *tuple);
struct nlmsghdr *conntrack_ask_end(void *at, uint32_t number, const struct conntrack_entry *entry);

#endif
