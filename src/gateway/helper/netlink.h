/* SPDX-License-Identifier: MIT */
/*
 * Messages of nf_tables, written and read with libmnl: the header that all share,
 * and elements. No sockets here.
 */
#ifndef TENF_GATEWAY_HELPER_NETLINK_H
#define TENF_GATEWAY_HELPER_NETLINK_H

#include "gateway/helper/elements.h"

#include <libmnl/libmnl.h>

/* Of one element, and of everything around elements in a message. */
#define NETLINK_ELEMENT_MAX 640
#define NETLINK_HEAD_MAX 128

/* Kernel 6.3; not in the headers of 6.1. */
#define NETLINK_DESTROY_ELEMENTS 30

/* A message of nf_tables at `at`, which has room for NETLINK_HEAD_MAX. */
struct nlmsghdr *netlink_begin(void *at, uint16_t type, uint16_t flags, uint32_t number);
/* NFNL_MSG_BATCH_BEGIN and _END; `generation` 0: any. */
struct nlmsghdr *netlink_batch(void *at, uint16_t type, uint32_t generation, uint32_t number);
/* Names a set of our table. */
void netlink_put_set(struct nlmsghdr *message, enum element_set set);
/* How much of an element is said. */
enum netlink_part {
	NETLINK_KEY,    /* to remove it, or to ask for it */
	NETLINK_WHOLE,  /* to add it */
	NETLINK_EXTEND, /* to give one that is there its time-out from now on: where that has
			 * the same length as before the kernel does nothing unless told */
};

/* An element, in the nest of elements. */
void netlink_put_element(struct nlmsghdr *message, const struct element *e,
			 enum netlink_part part);

typedef void (*netlink_each)(const struct element *e, uint64_t left_ms, void *context);
/* Calls `each` for the elements of an answer to a request about `set`. The element
 * and its user data live for the call alone; `left_ms` 0: for ever. */
void netlink_read_elements(const struct nlmsghdr *message, enum element_set set,
			   netlink_each each, void *context);

#endif
