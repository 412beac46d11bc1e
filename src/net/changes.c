/* SPDX-License-Identifier: MIT */
#include "net/changes.h"

#include "net/candidates.h"
#include "net/rtnl.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_SIZE 8192
#define GROUP(number) (1u << ((number) - 1))

enum tenf_status net_changes_open(const struct net_opener *opener, int *ret_fd,
				  struct net_error *reterr)
{
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK,
		.nl_groups = GROUP(RTNLGRP_LINK) | GROUP(RTNLGRP_IPV4_IFADDR) |
			     GROUP(RTNLGRP_IPV6_IFADDR) | GROUP(RTNLGRP_IPV4_ROUTE) |
			     GROUP(RTNLGRP_IPV6_ROUTE) | GROUP(RTNLGRP_IPV4_RULE) |
			     GROUP(RTNLGRP_IPV6_RULE),
	};
	int fd = net_open(opener, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			  NETLINK_ROUTE);

	if (fd < 0) {
		if (reterr != NULL)
			*reterr = (struct net_error){ .call = "socket", .code = errno };
		return TENF_E_SYSTEM;
	}
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		if (reterr != NULL)
			*reterr = (struct net_error){ .call = "bind", .code = errno };
		(void)close(fd);
		return TENF_E_SYSTEM;
	}
	*ret_fd = fd;
	return TENF_OK;
}

/* Routes come and go by the thousand on a router; those that can move a
 * gateway are few. Wireless drivers tell every scan as a change of the link. */
static bool matters(const struct nlmsghdr *message)
{
	struct net_rtnl_attributes attributes;
	const struct rtmsg *route;
	struct net_rtnl_attribute attr;

	switch (message->nlmsg_type) {
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		route = net_rtnl_header(message, sizeof(*route));
		return route != NULL &&
		       net_is_default(route->rtm_family == AF_INET6, route->rtm_dst_len) &&
		       !(route->rtm_flags & RTM_F_CLONED);
	case RTM_NEWLINK:
		attributes = net_rtnl_attributes_of(message, sizeof(struct ifinfomsg));
		while (net_rtnl_next(&attributes, &attr)) {
			if (attr.type == IFLA_WIRELESS)
				return false;
		}
		return true;
	case RTM_DELLINK:
	case RTM_NEWADDR:
	case RTM_DELADDR:
	case RTM_NEWRULE:
	case RTM_DELRULE:
		return true;
	default:
		return false;
	}
}

static bool any_matters(const char *buffer, size_t len)
{
	struct net_rtnl_messages messages = { .at = buffer, .left = len };
	const struct nlmsghdr *message;

	while ((message = net_rtnl_next_message(&messages)) != NULL) {
		if (matters(message))
			return true;
	}
	return false;
}

bool net_changes_read(int fd)
{
	_Alignas(struct nlmsghdr) char buffer[BUFFER_SIZE];
	bool changed = false;

	for (;;) {
		struct sockaddr_nl from = { 0 };
		socklen_t from_len = sizeof(from);
		ssize_t got = recvfrom(fd, buffer, sizeof(buffer), MSG_TRUNC,
				       (struct sockaddr *)&from, &from_len);

		if (got < 0 && errno == ENOBUFS)
			changed = true; /* what was lost may have mattered */
		else if (got < 0 && errno != EINTR)
			return changed;
		else if (got > (ssize_t)sizeof(buffer))
			changed = true; /* cut off: nobody can say what it was */
		else if (got > 0 && from.nl_pid == 0 && any_matters(buffer, (size_t)got))
			changed = true;
	}
}
