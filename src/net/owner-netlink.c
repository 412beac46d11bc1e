/* SPDX-License-Identifier: MIT */
/* Which interface holds an address: the kernel is asked for all of them. */
#include "net/gateways.h"
#include "net/rtnl.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

struct search {
	const uint8_t *octets;
	size_t len;
	unsigned ifindex;
};

/* IFA_LOCAL is our end; without one (IPv6) it is IFA_ADDRESS. */
static void look(const struct nlmsghdr *message, void *context)
{
	struct search *search = context;
	const struct ifaddrmsg *header = net_rtnl_header(message, sizeof(*header));
	struct net_rtnl_attributes attributes = net_rtnl_attributes_of(message, sizeof(*header));
	struct net_rtnl_attribute attr, own = { .len = 0 };

	if (header == NULL || message->nlmsg_type != RTM_NEWADDR)
		return;
	while (net_rtnl_next(&attributes, &attr)) {
		if (attr.type == IFA_LOCAL || (attr.type == IFA_ADDRESS && own.type != IFA_LOCAL))
			own = attr;
	}
	if (search->ifindex == 0 && own.len == search->len &&
	    memcmp(own.data, search->octets, own.len) == 0)
		search->ifindex = header->ifa_index;
}

unsigned net_interface_of(const struct net_opener *opener, const struct tenf_address *address)
{
	bool v4 = tenf_address_is_v4(address);
	struct search search = { .octets = address->octets + (v4 ? 12 : 0), .len = v4 ? 4 : 16 };
	union net_rtnl_request request;
	struct net_rtnl rtnl;
	struct ifaddrmsg *header;

	if (net_rtnl_open(opener, &rtnl) != 0)
		return 0;
	header = net_rtnl_begin(&request, RTM_GETADDR, sizeof(*header));
	header->ifa_family = v4 ? AF_INET : AF_INET6;
	(void)net_rtnl_dump(&rtnl, &request, look, &search);
	net_rtnl_close(&rtnl);
	return search.ifindex;
}
