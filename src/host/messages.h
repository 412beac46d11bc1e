/* SPDX-License-Identifier: MIT */
/*
 * What the kernel tells over netlink, taken apart: messages of a datagram and
 * attributes of a message, each within its bounds, whatever lengths it claims.
 * Numbers are in the order of this machine. Nothing is allocated; what is given
 * out points into the datagram.
 *
 *   | length | type | flags | sequence | port | fixed header | attributes … |
 *   |          struct nlmsghdr                | of its type  | len type data |
 */
#ifndef TENF_HOST_MESSAGES_H
#define TENF_HOST_MESSAGES_H

#include "base/bytes.h"

struct host_message {
	uint16_t type;
	uint16_t flags;
	uint32_t sequence;
	struct tenf_reader body; /* the fixed header and what follows */
};

/* False at the end, or where the rest is no message. */
bool host_message_next(struct tenf_reader *datagram, struct host_message *ret);

struct host_attribute {
	uint16_t type; /* without the flags of nesting and order */
	struct tenf_reader value;
};

bool host_attribute_next(struct tenf_reader *attributes, struct host_attribute *ret);
/* A number of 4 octets; 0 when the value is shorter. */
uint32_t host_attribute_u32(const struct host_attribute *attribute);
/* A text; cut, and always terminated. */
void host_attribute_text(const struct host_attribute *attribute, char *ret, size_t size);

#endif
