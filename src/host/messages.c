/* SPDX-License-Identifier: MIT */
#include "host/messages.h"

#include <linux/netlink.h>
#include <string.h>

/* Everything in a message begins at a multiple of four octets; the padding of
 * the last may be missing. */
static struct tenf_reader take(struct tenf_reader *r, size_t len)
{
	struct tenf_reader part = tenf_reader_sub(r, len);
	size_t padding = (4u - len % 4u) % 4u;

	tenf_reader_skip(r, padding < r->left ? padding : r->left);
	return part;
}

bool host_message_next(struct tenf_reader *datagram, struct host_message *ret)
{
	struct tenf_reader ahead = *datagram, message;
	struct nlmsghdr header;

	tenf_reader_copy(&ahead, &header, sizeof(header));
	if (ahead.failed || header.nlmsg_len < sizeof(header) ||
	    header.nlmsg_len > datagram->left)
		return false;
	message = take(datagram, header.nlmsg_len);
	tenf_reader_skip(&message, sizeof(header));
	*ret = (struct host_message){ .type = header.nlmsg_type,
				      .flags = header.nlmsg_flags,
				      .sequence = header.nlmsg_seq,
				      .body = message };
	return true;
}

bool host_attribute_next(struct tenf_reader *attributes, struct host_attribute *ret)
{
	struct tenf_reader ahead = *attributes, value;
	struct nlattr header;

	tenf_reader_copy(&ahead, &header, sizeof(header));
	if (ahead.failed || header.nla_len < sizeof(header) ||
	    header.nla_len > attributes->left)
		return false;
	value = take(attributes, header.nla_len);
	tenf_reader_skip(&value, sizeof(header));
	ret->type = (uint16_t)(header.nla_type & (unsigned)NLA_TYPE_MASK);
	ret->value = value;
	return true;
}

uint32_t host_attribute_u32(const struct host_attribute *attribute)
{
	struct tenf_reader value = attribute->value;
	uint32_t number;

	tenf_reader_copy(&value, &number, sizeof(number));
	return value.failed ? 0 : number;
}

void host_attribute_text(const struct host_attribute *attribute, char *ret, size_t size)
{
	struct tenf_reader value = attribute->value;
	size_t len = value.left < size - 1 ? value.left : size - 1;

	memset(ret, 0, size);
	tenf_reader_copy(&value, ret, len);
}
