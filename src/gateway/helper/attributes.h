/* SPDX-License-Identifier: MIT */
/*
 * Walking over the attributes of a netlink message: libmnl's own loops convert
 * lengths in a way our compilers warn of. `a` is a const struct nlattr *.
 */
#ifndef TENF_GATEWAY_HELPER_ATTRIBUTES_H
#define TENF_GATEWAY_HELPER_ATTRIBUTES_H

#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>

/* Octets from `a` to `end`. */
static inline int attributes_left(const struct nlattr *a, const void *end)
{
	return (int)((const char *)end - (const char *)a);
}

/* Those behind the header all netfilter messages have, which must be there. */
#define ATTRIBUTES_FOR_EACH(a, message)                                                            \
	for ((a) = mnl_nlmsg_get_payload_offset((message), sizeof(struct nfgenmsg));               \
	     mnl_attr_ok((a), attributes_left((a), mnl_nlmsg_get_payload_tail(message)));          \
	     (a) = mnl_attr_next(a))

#define ATTRIBUTES_FOR_EACH_NESTED(a, nest)                                                        \
	for ((a) = mnl_attr_get_payload(nest);                                                     \
	     mnl_attr_ok((a), attributes_left((a), (const char *)mnl_attr_get_payload(nest) +      \
							   mnl_attr_get_payload_len(nest)));       \
	     (a) = mnl_attr_next(a))

#endif
