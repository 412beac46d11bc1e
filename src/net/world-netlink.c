/* SPDX-License-Identifier: MIT */
#include "net/world.h"

#include "net/rtnl.h"
#include "net/socket.h"

#include <errno.h>
#include <net/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

/* How often routes may change under our reading before the last picture is
 * taken as it is: on a busy router they always change. */
#define TRIES 3

struct reading {
	struct net_world *world;
	unsigned only;  /* interface, 0: all */
	bool ipv6;      /* of what is being read */
	bool is_choice; /* it is the answer to a look-up */
	bool interrupted;
};

static struct tenf_address zero_of(bool ipv6)
{
	return ipv6 ? tenf_address_none6 : tenf_address_none4;
}

static uint32_t read_u32(const struct net_rtnl_attribute *attr)
{
	uint32_t value = 0;

	if (attr->len == sizeof(value))
		memcpy(&value, attr->data, sizeof(value));
	return value;
}

/* 4 or 16 octets; anything else leaves `ret` as it is. */
static void read_octets(const void *octets, size_t len, struct tenf_address *ret)
{
	if (len == 4)
		*ret = tenf_address_v4_octets(octets);
	else if (len == sizeof(ret->octets))
		memcpy(ret->octets, octets, len);
}

static void read_address(const struct net_rtnl_attribute *attr, struct tenf_address *ret)
{
	read_octets(attr->data, attr->len, ret);
}

/* ---- routes ---------------------------------------------------------------- */

/* Next hop of the other family: struct rtvia, a family and the octets. */
static void read_via(const struct net_rtnl_attribute *attr, struct tenf_address *ret)
{
	const struct rtvia *via = attr->data;

	if (attr->len > sizeof(*via))
		read_octets(via->rtvia_addr, attr->len - sizeof(*via), ret);
}

static void keep_route(struct reading *r, const struct net_route *route, unsigned flags)
{
	if (flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN) || route->ifindex == 0)
		return;
	if (r->only != 0 && route->ifindex != r->only)
		return;
	if (!r->is_choice)
		net_world_add_route(r->world, route);
	else if (r->world->chosen_count < TENF_ARRAY_SIZE(r->world->chosen))
		r->world->chosen[r->world->chosen_count++] = *route;
}

/* Each next hop is a route of its own that shares the rest with `whole`. */
static void keep_multipath(struct reading *r, const struct net_route *whole,
			   const struct net_rtnl_attribute *multipath)
{
	const char *at = multipath->data;
	size_t left = multipath->len;

	while (left >= sizeof(struct rtnexthop)) {
		const struct rtnexthop *hop = (const void *)at;
		struct net_route route = *whole;
		struct net_rtnl_attributes attributes;
		struct net_rtnl_attribute attr;
		size_t step = net_rtnl_align(hop->rtnh_len);

		if (hop->rtnh_len < sizeof(*hop) || hop->rtnh_len > left)
			return;
		route.ifindex = (unsigned)hop->rtnh_ifindex;
		attributes = (struct net_rtnl_attributes){ .at = at + sizeof(*hop),
							   .left = hop->rtnh_len - sizeof(*hop) };
		while (net_rtnl_next(&attributes, &attr)) {
			if (attr.type == RTA_GATEWAY)
				read_address(&attr, &route.gateway);
			else if (attr.type == RTA_VIA)
				read_via(&attr, &route.gateway);
		}
		keep_route(r, &route, hop->rtnh_flags);
		at += step < left ? step : left;
		left -= step < left ? step : left;
	}
}

static void read_route(const struct nlmsghdr *message, void *context)
{
	struct reading *r = context;
	const struct rtmsg *header = net_rtnl_header(message, sizeof(*header));
	struct net_rtnl_attribute multipath = { .data = NULL };
	struct net_rtnl_attributes attributes = net_rtnl_attributes_of(message, sizeof(*header));
	struct net_rtnl_attribute attr;
	struct net_route route = { .gateway = zero_of(r->ipv6), .source = zero_of(r->ipv6),
				   .ipv6 = r->ipv6 };

	if (header == NULL || message->nlmsg_type != RTM_NEWROUTE ||
	    header->rtm_type != RTN_UNICAST)
		return;
	if (!r->is_choice && (!net_is_default(r->ipv6, header->rtm_dst_len) ||
			      header->rtm_flags & RTM_F_CLONED))
		return;
	route.table = header->rtm_table;
	while (net_rtnl_next(&attributes, &attr)) {
		switch (attr.type) {
		case RTA_TABLE:
			route.table = read_u32(&attr);
			break;
		case RTA_OIF:
			route.ifindex = read_u32(&attr);
			break;
		case RTA_PRIORITY:
			route.metric = read_u32(&attr);
			break;
		case RTA_GATEWAY:
			read_address(&attr, &route.gateway);
			break;
		case RTA_VIA:
			read_via(&attr, &route.gateway);
			break;
		case RTA_PREFSRC:
			read_address(&attr, &route.source);
			break;
		case RTA_MULTIPATH:
			multipath = attr;
			break;
		}
	}
	if (multipath.data != NULL)
		keep_multipath(r, &route, &multipath);
	else
		keep_route(r, &route, header->rtm_flags);
}

/* What the kernel itself would do, policy rules included. It refuses where
 * there is no way, so that no error here is one of ours. */
static void ask_choice(struct net_rtnl *rtnl, struct reading *r)
{
	const struct tenf_address *to = r->ipv6 ? &net_public6 : &net_public4;
	union net_rtnl_request request;
	struct rtmsg *header = net_rtnl_begin(&request, RTM_GETROUTE, sizeof(*header));
	unsigned len = r->ipv6 ? 16 : 4;

	header->rtm_family = r->ipv6 ? AF_INET6 : AF_INET;
	header->rtm_dst_len = (unsigned char)(len * 8);
	if (!r->ipv6) /* IPv6 names the table anyway, and refuses the flag */
		header->rtm_flags = RTM_F_LOOKUP_TABLE;
	net_rtnl_put(&request, RTA_DST, to->octets + 16 - len, len);
	r->is_choice = true;
	(void)net_rtnl_get(rtnl, &request, read_route, r);
}

static int ask_routes(struct net_rtnl *rtnl, struct reading *r)
{
	union net_rtnl_request request;
	struct rtmsg *header = net_rtnl_begin(&request, RTM_GETROUTE, sizeof(*header));

	header->rtm_family = r->ipv6 ? AF_INET6 : AF_INET;
	header->rtm_type = RTN_UNICAST; /* a filter: spares us the local table */
	r->is_choice = false;
	return net_rtnl_dump(rtnl, &request, read_route, r);
}

/* ---- addresses -------------------------------------------------------------- */

static void read_local(const struct nlmsghdr *message, void *context)
{
	struct reading *r = context;
	const struct ifaddrmsg *header = net_rtnl_header(message, sizeof(*header));
	struct net_local local = { .address = zero_of(r->ipv6), .peer = zero_of(r->ipv6) };
	struct net_rtnl_attributes attributes = net_rtnl_attributes_of(message, sizeof(*header));
	struct net_rtnl_attribute attr;
	uint32_t flags;

	if (header == NULL || message->nlmsg_type != RTM_NEWADDR)
		return;
	local.ifindex = header->ifa_index;
	local.length = header->ifa_prefixlen;
	flags = header->ifa_flags;
	while (net_rtnl_next(&attributes, &attr)) {
		switch (attr.type) {
		case IFA_LOCAL:
			read_address(&attr, &local.address);
			break;
		case IFA_ADDRESS: /* the other end; our own when there is none */
			read_address(&attr, &local.peer);
			break;
		case IFA_FLAGS:
			flags = read_u32(&attr);
			break;
		}
	}
	if (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED))
		return;
	if (tenf_address_is_none(&local.address)) /* IPv6 tells it once */
		local.address = local.peer;
	/* With an other end the prefix is its, and we have a lone address. */
	if (!tenf_address_equal(&local.address, &local.peer))
		local.length = r->ipv6 ? 128 : 32;
	net_world_add_local(r->world, &local);
}

static int ask_locals(struct net_rtnl *rtnl, struct reading *r)
{
	union net_rtnl_request request;
	struct ifaddrmsg *header = net_rtnl_begin(&request, RTM_GETADDR, sizeof(*header));

	header->ifa_family = r->ipv6 ? AF_INET6 : AF_INET;
	return net_rtnl_dump(rtnl, &request, read_local, r);
}

/* ---- links ------------------------------------------------------------------ */

static void read_link(const struct nlmsghdr *message, void *context)
{
	const unsigned up = IFF_UP | IFF_RUNNING;
	struct reading *r = context;
	const struct ifinfomsg *header = net_rtnl_header(message, sizeof(*header));
	struct net_rtnl_attributes attributes = net_rtnl_attributes_of(message, sizeof(*header));
	struct net_rtnl_attribute attr;
	struct net_link link = { 0 };

	if (header == NULL || message->nlmsg_type != RTM_NEWLINK)
		return;
	link.ifindex = (unsigned)header->ifi_index;
	link.usable = (header->ifi_flags & up) == up && !(header->ifi_flags & IFF_LOOPBACK);
	while (net_rtnl_next(&attributes, &attr)) {
		if (attr.type != IFLA_IFNAME)
			continue;
		if (attr.len < sizeof(link.name))
			memcpy(link.name, attr.data, attr.len);
		break;
	}
	net_world_add_link(r->world, &link);
}

static bool has_link(const struct net_world *world, unsigned ifindex)
{
	for (size_t i = 0; i < world->link_count; i++) {
		if (world->links[i].ifindex == ifindex)
			return true;
	}
	return false;
}

/* One at a time and only those in use: hosts of containers have thousands, and
 * the kernel writes a kilobyte about each. One that is gone meanwhile stays out. */
static void ask_link(struct net_rtnl *rtnl, struct reading *r, unsigned ifindex)
{
	const uint32_t without = RTEXT_FILTER_SKIP_STATS;
	union net_rtnl_request request;
	struct ifinfomsg *header;

	if (ifindex == 0 || has_link(r->world, ifindex) || r->world->link_count == NET_LINKS_MAX)
		return;
	header = net_rtnl_begin(&request, RTM_GETLINK, sizeof(*header));
	header->ifi_index = (int)ifindex;
	net_rtnl_put(&request, IFLA_EXT_MASK, &without, sizeof(without));
	(void)net_rtnl_get(rtnl, &request, read_link, r);
}

static void ask_links(struct net_rtnl *rtnl, struct reading *r)
{
	for (size_t i = 0; i < r->world->chosen_count; i++)
		ask_link(rtnl, r, r->world->chosen[i].ifindex);
	for (size_t i = 0; i < r->world->route_count; i++)
		ask_link(rtnl, r, r->world->routes[i].ifindex);
	ask_link(rtnl, r, r->only);
}

/* ---- all of it ---------------------------------------------------------------- */

/* Where IPv6 is not there at all its dumps fail: that family is then empty. */
static int ask_family(struct net_rtnl *rtnl, struct reading *r, bool ipv6)
{
	int code;

	r->ipv6 = ipv6;
	ask_choice(rtnl, r);
	code = ask_routes(rtnl, r);
	if (code == 0 || code == EINTR) {
		r->interrupted |= code == EINTR;
		code = ask_locals(rtnl, r);
	}
	if (code == EINTR) {
		r->interrupted = true;
		code = 0;
	}
	return ipv6 && code != ENOBUFS ? 0 : code;
}

static int read_once(const struct net_opener *opener, bool ipv6, unsigned ifindex,
		     struct net_world *world)
{
	struct reading r = { .world = world, .only = ifindex };
	struct net_rtnl rtnl;
	int code = net_rtnl_open(opener, &rtnl);

	if (code != 0)
		return code;
	net_world_init(world);
	code = ask_family(&rtnl, &r, false);
	if (code == 0 && ipv6)
		code = ask_family(&rtnl, &r, true);
	if (code == 0)
		ask_links(&rtnl, &r);
	net_rtnl_close(&rtnl);
	return code == 0 && r.interrupted ? EINTR : code;
}

enum tenf_status net_world_read(const struct net_opener *opener, bool ipv6, unsigned ifindex,
				struct net_world *ret, struct net_error *reterr)
{
	int code = EINTR;

	for (int i = 0; i < TRIES && (code == EINTR || code == ENOBUFS); i++)
		code = read_once(opener, ipv6, ifindex, ret);
	if (code == 0 || code == EINTR)
		return TENF_OK;
	errno = code;
	(void)net_fail(reterr, "read the routes");
	return code == ENOMEM ? TENF_E_MEMORY : TENF_E_SYSTEM;
}
