/* SPDX-License-Identifier: MIT */
#include "gateway/helper/conntrack.h"

#include "gateway/helper/attributes.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>
#include <sys/socket.h>

#define TYPE(type) ((uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | (type)))

/* ---- Reading ----------------------------------------------------------------------- */

static bool read_address(const struct nlattr *a, struct tenf_address *ret)
{
	size_t len = mnl_attr_get_payload_len(a);

	if (len == 4)
		*ret = tenf_address_v4_octets(mnl_attr_get_payload(a));
	else if (len == sizeof(ret->octets))
		memcpy(ret->octets, mnl_attr_get_payload(a), len);
	else
		return false;
	return true;
}

static bool read_addresses(const struct nlattr *nest, struct conntrack_tuple *ret)
{
	const struct nlattr *a;
	unsigned found = 0;

	ATTRIBUTES_FOR_EACH_NESTED(a, nest) {
		switch (mnl_attr_get_type(a)) {
		case CTA_IP_V4_SRC:
		case CTA_IP_V6_SRC:
			found += read_address(a, &ret->source.address);
			break;
		case CTA_IP_V4_DST:
		case CTA_IP_V6_DST:
			found += read_address(a, &ret->destination.address);
			break;
		default:
			break;
		}
	}
	return found == 2;
}

static bool read_port(const struct nlattr *a, uint16_t *ret)
{
	if (mnl_attr_get_payload_len(a) != sizeof(*ret))
		return false;
	*ret = ntohs(mnl_attr_get_u16(a));
	return true;
}

static bool read_ports(const struct nlattr *nest, struct conntrack_tuple *ret)
{
	const struct nlattr *a;
	unsigned found = 0;

	ATTRIBUTES_FOR_EACH_NESTED(a, nest) {
		switch (mnl_attr_get_type(a)) {
		case CTA_PROTO_NUM:
			ret->protocol = mnl_attr_get_payload_len(a) == 1 ? mnl_attr_get_u8(a) : 0;
			break;
		case CTA_PROTO_SRC_PORT:
			found += read_port(a, &ret->source.port);
			break;
		case CTA_PROTO_DST_PORT:
			found += read_port(a, &ret->destination.port);
			break;
		default:
			break;
		}
	}
	return found == 2;
}

static bool read_tuple(const struct nlattr *nest, struct conntrack_tuple *ret)
{
	const struct nlattr *a;
	bool addresses = false;
	bool ports = false;

	ATTRIBUTES_FOR_EACH_NESTED(a, nest) {
		if (mnl_attr_get_type(a) == CTA_TUPLE_IP)
			addresses = read_addresses(a, ret);
		else if (mnl_attr_get_type(a) == CTA_TUPLE_PROTO)
			ports = read_ports(a, ret);
	}
	return addresses && ports;
}

bool conntrack_read(const struct nlmsghdr *message, struct conntrack_entry *ret)
{
	struct conntrack_entry e = { .timeout_s = 0 };
	const struct nlattr *a;
	bool original = false;
	bool reply = false;

	if (message->nlmsg_type != TYPE(IPCTNL_MSG_CT_NEW) ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(struct nfgenmsg))
		return false;
	ATTRIBUTES_FOR_EACH(a, message) {
		switch (mnl_attr_get_type(a)) {
		case CTA_TUPLE_ORIG:
			original = read_tuple(a, &e.original);
			e.original_part = a;
			break;
		case CTA_TUPLE_REPLY:
			reply = read_tuple(a, &e.reply);
			break;
		case CTA_TIMEOUT:
			if (mnl_attr_get_payload_len(a) == 4)
				e.timeout_s = ntohl(mnl_attr_get_u32(a));
			break;
		case CTA_ID:
			e.id_part = a;
			break;
		case CTA_ZONE:
			e.zone_part = a;
			break;
		default:
			break;
		}
	}
	if (original && reply)
		*ret = e;
	return original && reply;
}

/* ---- Asking -------------------------------------------------------------------------- */

static struct nlmsghdr *begin(void *at, uint16_t type, uint16_t flags, uint32_t number,
			      uint8_t family)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(at);
	struct nfgenmsg *general = mnl_nlmsg_put_extra_header(message, sizeof(*general));

	message->nlmsg_type = type;
	message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	message->nlmsg_seq = number;
	general->nfgen_family = family;
	general->version = NFNETLINK_V0;
	return message;
}

struct nlmsghdr *conntrack_ask_all(void *at, uint32_t number)
{
	return begin(at, TYPE(IPCTNL_MSG_CT_GET), NLM_F_DUMP, number, AF_UNSPEC);
}

static uint8_t family_of(const struct conntrack_tuple *tuple)
{
	return tenf_address_is_v4(&tuple->source.address) ? AF_INET : AF_INET6;
}

static void put_address(struct nlmsghdr *message, bool is_source, const struct tenf_address *a)
{
	if (tenf_address_is_v4(a))
		mnl_attr_put(message, is_source ? CTA_IP_V4_SRC : CTA_IP_V4_DST, 4,
			     a->octets + 12);
	else
		mnl_attr_put(message, is_source ? CTA_IP_V6_SRC : CTA_IP_V6_DST, 16, a->octets);
}

struct nlmsghdr *conntrack_ask_one(void *at, uint32_t number, bool is_reply,
				   const struct conntrack_tuple *tuple)
{
	struct nlmsghdr *message = begin(at, TYPE(IPCTNL_MSG_CT_GET), 0, number,
					 family_of(tuple));
	struct nlattr *whole = mnl_attr_nest_start(message,
						   is_reply ? CTA_TUPLE_REPLY : CTA_TUPLE_ORIG);
	struct nlattr *part = mnl_attr_nest_start(message, CTA_TUPLE_IP);

	put_address(message, true, &tuple->source.address);
	put_address(message, false, &tuple->destination.address);
	mnl_attr_nest_end(message, part);
	part = mnl_attr_nest_start(message, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(message, CTA_PROTO_NUM, tuple->protocol);
	mnl_attr_put_u16(message, CTA_PROTO_SRC_PORT, htons(tuple->source.port));
	mnl_attr_put_u16(message, CTA_PROTO_DST_PORT, htons(tuple->destination.port));
	mnl_attr_nest_end(message, part);
	mnl_attr_nest_end(message, whole);
	return message;
}

static void put_part(struct nlmsghdr *message, const struct nlattr *part)
{
	if (part != NULL && mnl_attr_get_payload_len(part) <= CONNTRACK_REQUEST_MAX / 2)
		mnl_attr_put(message, part->nla_type, mnl_attr_get_payload_len(part),
			     mnl_attr_get_payload(part));
}

struct nlmsghdr *conntrack_ask_end(void *at, uint32_t number, const struct conntrack_entry *entry)
{
	struct nlmsghdr *message = begin(at, TYPE(IPCTNL_MSG_CT_DELETE), NLM_F_ACK, number,
					 family_of(&entry->original));

	put_part(message, entry->original_part);
	put_part(message, entry->id_part);
	put_part(message, entry->zone_part);
	return message;
}
