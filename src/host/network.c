/* SPDX-License-Identifier: MIT */
#include "host/network.h"

#include "host/messages.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

static bool read_address(unsigned family, struct host_attribute *attribute,
			 struct tenf_address *ret)
{
	uint8_t octets[16];
	size_t len = family == AF_INET ? 4 : 16;

	if ((family != AF_INET && family != AF_INET6) || attribute->value.left != len)
		return false;
	tenf_reader_copy(&attribute->value, octets, len);
	if (family == AF_INET)
		*ret = tenf_address_v4_octets(octets);
	else
		memcpy(ret->octets, octets, sizeof(ret->octets));
	return true;
}

static void read_kind(struct tenf_reader info, struct host_link *ret)
{
	struct host_attribute attribute;

	while (host_attribute_next(&info, &attribute)) {
		if (attribute.type == IFLA_INFO_KIND)
			host_attribute_text(&attribute, ret->kind, sizeof(ret->kind));
	}
}

static void add_link(struct host_network *network, struct tenf_reader body)
{
	struct host_link link = { 0 };
	struct host_attribute attribute;
	struct ifinfomsg m;

	tenf_reader_copy(&body, &m, sizeof(m));
	if (body.failed || m.ifi_index <= 0)
		return;
	link.index = (uint32_t)m.ifi_index;
	link.is_up = (m.ifi_flags & IFF_UP) != 0;
	link.is_running = (m.ifi_flags & IFF_RUNNING) != 0;
	link.is_loopback = (m.ifi_flags & IFF_LOOPBACK) != 0;
	link.is_tunnel = (m.ifi_flags & IFF_POINTOPOINT) != 0;
	while (host_attribute_next(&body, &attribute)) {
		if (attribute.type == IFLA_IFNAME)
			host_attribute_text(&attribute, link.name, sizeof(link.name));
		else if (attribute.type == IFLA_LINKINFO)
			read_kind(attribute.value, &link);
	}
	if (network->link_count == HOST_LINKS_MAX)
		network->cut = true;
	else
		network->links[network->link_count++] = link;
}

/* A point-to-point link tells its peer in IFA_ADDRESS and us in IFA_LOCAL. */
static void add_address(struct host_network *network, struct tenf_reader body)
{
	const uint32_t useless = IFA_F_TENTATIVE | IFA_F_DEPRECATED | IFA_F_DADFAILED;
	struct host_attribute attribute;
	struct host_address address = { 0 };
	bool is_known = false, is_local = false;
	struct ifaddrmsg m;
	uint32_t flags;

	tenf_reader_copy(&body, &m, sizeof(m));
	if (body.failed)
		return;
	flags = m.ifa_flags;
	address.interface = m.ifa_index;
	address.length = m.ifa_prefixlen;
	while (host_attribute_next(&body, &attribute)) {
		if (attribute.type == IFA_FLAGS)
			flags = host_attribute_u32(&attribute);
		else if (attribute.type == IFA_LOCAL)
			is_local = read_address(m.ifa_family, &attribute, &address.address);
		else if (attribute.type == IFA_ADDRESS && !is_local)
			is_known = read_address(m.ifa_family, &attribute, &address.address);
	}
	address.is_usable = (flags & useless) == 0;
	address.is_temporary = m.ifa_family == AF_INET6 && (flags & IFA_F_TEMPORARY) != 0;
	if (!is_known && !is_local)
		return;
	if (network->address_count == HOST_ADDRESSES_MAX)
		network->cut = true;
	else
		network->addresses[network->address_count++] = address;
}

/* Of a route over several links the first link stands for all. */
static void read_hops(struct tenf_reader hops, const struct rtmsg *m, struct host_route *ret)
{
	struct host_attribute attribute;
	struct rtnexthop hop;

	tenf_reader_copy(&hops, &hop, sizeof(hop));
	if (hops.failed || hop.rtnh_ifindex <= 0)
		return;
	ret->interface = (uint32_t)hop.rtnh_ifindex;
	while (host_attribute_next(&hops, &attribute)) {
		if (attribute.type == RTA_GATEWAY)
			ret->has_gateway = read_address(m->rtm_family, &attribute, &ret->gateway);
	}
}

static void add_route(struct host_network *network, struct tenf_reader body)
{
	struct host_attribute attribute;
	struct host_route route = { 0 };
	struct rtmsg m;

	tenf_reader_copy(&body, &m, sizeof(m));
	if (body.failed || m.rtm_type != RTN_UNICAST ||
	    (m.rtm_family != AF_INET && m.rtm_family != AF_INET6))
		return;
	if (!network->every_route && (m.rtm_dst_len > 1 || (m.rtm_flags & RTM_F_CLONED) != 0))
		return;
	route.is_v4 = m.rtm_family == AF_INET;
	route.length = m.rtm_dst_len;
	route.table = m.rtm_table;
	while (host_attribute_next(&body, &attribute)) {
		if (attribute.type == RTA_TABLE)
			route.table = host_attribute_u32(&attribute);
		else if (attribute.type == RTA_PRIORITY)
			route.metric = host_attribute_u32(&attribute);
		else if (attribute.type == RTA_OIF)
			route.interface = host_attribute_u32(&attribute);
		else if (attribute.type == RTA_GATEWAY)
			route.has_gateway = read_address(m.rtm_family, &attribute, &route.gateway);
		else if (attribute.type == RTA_MULTIPATH)
			read_hops(attribute.value, &m, &route);
	}
	if (network->route_count == HOST_ROUTES_MAX)
		network->cut = true;
	else
		network->routes[network->route_count++] = route;
}

int host_network_parse(struct host_network *network, const uint8_t *data, size_t len,
		       bool *ret_done)
{
	struct tenf_reader datagram = tenf_reader_of(data, len);
	struct host_message message;

	while (host_message_next(&datagram, &message)) {
		int code = 0;

		if (message.type == NLMSG_DONE || message.type == NLMSG_ERROR) {
			tenf_reader_copy(&message.body, &code, sizeof(code));
			*ret_done = true;
			return code < 0 && code > -4096 ? -code : 0;
		}
		if (message.type == RTM_NEWLINK)
			add_link(network, message.body);
		else if (message.type == RTM_NEWADDR)
			add_address(network, message.body);
		else if (message.type == RTM_NEWROUTE)
			add_route(network, message.body);
	}
	return 0;
}

const struct host_link *host_network_link(const struct host_network *network, uint32_t index)
{
	for (size_t i = 0; i < network->link_count; i++) {
		if (network->links[i].index == index)
			return &network->links[i];
	}
	return NULL;
}

const struct host_link *host_network_link_named(const struct host_network *network,
						const char *name)
{
	for (size_t i = 0; i < network->link_count; i++) {
		if (strcmp(network->links[i].name, name) == 0)
			return &network->links[i];
	}
	return NULL;
}

const struct host_address *host_network_address(const struct host_network *network,
						const struct tenf_address *address)
{
	for (size_t i = 0; i < network->address_count; i++) {
		if (tenf_address_equal(&network->addresses[i].address, address))
			return &network->addresses[i];
	}
	return NULL;
}

bool host_address_is_global(const struct host_address *address)
{
	const struct tenf_address *a = &address->address;

	if (!address->is_usable || tenf_address_is_loopback(a))
		return false;
	/* 2000::/3 is all that is given out (RFC 4291 §2.4). */
	if (!tenf_address_is_v4(a) && (a->octets[0] & 0xe0) != 0x20)
		return false;
	return tenf_address_classify(a) == TENF_ADDRESS_PUBLIC;
}
