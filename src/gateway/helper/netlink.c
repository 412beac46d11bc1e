/* SPDX-License-Identifier: MIT */
#include "gateway/helper/netlink.h"

#include "gateway/helper/attributes.h"
#include "gateway/helper/transaction.h"

#include <arpa/inet.h>
#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

static struct nlmsghdr *begin(void *at, uint16_t type, uint16_t flags, uint32_t number,
			      uint8_t family, uint16_t resource)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(at);
	struct nfgenmsg *general = mnl_nlmsg_put_extra_header(message, sizeof(*general));

	message->nlmsg_type = type;
	message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	message->nlmsg_seq = number;
	general->nfgen_family = family;
	general->version = NFNETLINK_V0;
	general->res_id = htons(resource);
	return message;
}

struct nlmsghdr *netlink_begin(void *at, uint16_t type, uint16_t flags, uint32_t number)
{
	return begin(at, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, number, NFPROTO_INET,
		     0);
}

struct nlmsghdr *netlink_batch(void *at, uint16_t type, uint32_t generation, uint32_t number)
{
	struct nlmsghdr *message = begin(at, type, 0, number, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);

	if (generation != 0)
		mnl_attr_put_u32(message, NFNL_BATCH_GENID, htonl(generation));
	return message;
}

void netlink_put_set(struct nlmsghdr *message, enum element_set set)
{
	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, TRANSACTION_TABLE);
	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, element_set_names[set]);
}

static void put_value(struct nlmsghdr *message, uint16_t type, const uint8_t *value, size_t len)
{
	struct nlattr *nest = mnl_attr_nest_start(message, type);

	mnl_attr_put(message, NFTA_DATA_VALUE, len, value);
	mnl_attr_nest_end(message, nest);
}

void netlink_put_element(struct nlmsghdr *message, const struct element *e,
			 enum netlink_part part)
{
	struct nlattr *nest = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
	bool bare = part == NETLINK_KEY;

	put_value(message, NFTA_SET_ELEM_KEY, e->key, e->key_len);
	if (e->has_end)
		put_value(message, NFTA_SET_ELEM_KEY_END, e->end, e->key_len);
	if (!bare && e->data_len > 0)
		put_value(message, NFTA_SET_ELEM_DATA, e->data, e->data_len);
	if (!bare && e->timeout_ms > 0)
		mnl_attr_put_u64(message, NFTA_SET_ELEM_TIMEOUT, htobe64(e->timeout_ms));
	if (part == NETLINK_EXTEND && e->timeout_ms > 0)
		mnl_attr_put_u64(message, NFTA_SET_ELEM_EXPIRATION, htobe64(e->timeout_ms));
	if (!bare && e->user_data_len > 0)
		mnl_attr_put(message, NFTA_SET_ELEM_USERDATA, e->user_data_len, e->user_data);
	mnl_attr_nest_end(message, nest);
}

/* ---- Reading ------------------------------------------------------------------- */

static uint64_t read_u64(const struct nlattr *a)
{
	uint64_t value = 0;

	if (mnl_attr_get_payload_len(a) == sizeof(value))
		memcpy(&value, mnl_attr_get_payload(a), sizeof(value));
	return be64toh(value);
}

/* Copies a value of at most `size` octets; its length, 0 for what is none. */
static uint8_t read_value(const struct nlattr *nest, uint8_t *ret, size_t size)
{
	const struct nlattr *a;

	ATTRIBUTES_FOR_EACH_NESTED(a, nest) {
		size_t len = mnl_attr_get_payload_len(a);

		if (mnl_attr_get_type(a) == NFTA_DATA_VALUE && len <= size) {
			memcpy(ret, mnl_attr_get_payload(a), len);
			return (uint8_t)len;
		}
	}
	return 0;
}

static void read_element(const struct nlattr *nest, enum element_set set, netlink_each each,
			 void *context)
{
	struct element e = { .set = (uint8_t)set };
	const struct nlattr *a;
	uint64_t left_ms = 0;

	ATTRIBUTES_FOR_EACH_NESTED(a, nest) {
		switch (mnl_attr_get_type(a)) {
		case NFTA_SET_ELEM_KEY:
			e.key_len = read_value(a, e.key, sizeof(e.key));
			break;
		case NFTA_SET_ELEM_KEY_END:
			e.has_end = read_value(a, e.end, sizeof(e.end)) > 0;
			break;
		case NFTA_SET_ELEM_DATA:
			e.data_len = read_value(a, e.data, sizeof(e.data));
			break;
		case NFTA_SET_ELEM_TIMEOUT:
			e.timeout_ms = read_u64(a);
			break;
		case NFTA_SET_ELEM_EXPIRATION:
			left_ms = read_u64(a);
			break;
		case NFTA_SET_ELEM_USERDATA:
			e.user_data = mnl_attr_get_payload(a);
			e.user_data_len = mnl_attr_get_payload_len(a);
			break;
		default:
			break;
		}
	}
	/* One that has a time-out but no time left is as good as over. */
	if (e.key_len > 0)
		each(&e, e.timeout_ms > 0 && left_ms == 0 ? 1 : left_ms, context);
}

void netlink_read_elements(const struct nlmsghdr *message, enum element_set set,
			   netlink_each each, void *context)
{
	const struct nlattr *list;
	const struct nlattr *one;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(struct nfgenmsg))
		return;
	ATTRIBUTES_FOR_EACH(list, message) {
		if (mnl_attr_get_type(list) != NFTA_SET_ELEM_LIST_ELEMENTS)
			continue;
		ATTRIBUTES_FOR_EACH_NESTED(one, list)
			read_element(one, set, each, context);
	}
}
