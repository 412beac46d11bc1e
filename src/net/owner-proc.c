/* SPDX-License-Identifier: MIT */
/* Which interface holds an address, by the C library: of the namespace of the process. */
#include "net/gateways.h"
#include "net/socket.h"

#include <ifaddrs.h>

unsigned net_interface_of(const struct net_opener *opener, const struct tenf_address *address)
{
	struct ifaddrs *all;
	struct tenf_address own;
	unsigned ifindex = 0;

	if (getifaddrs(&all) != 0)
		return 0;
	for (const struct ifaddrs *i = all; i != NULL && ifindex == 0; i = i->ifa_next) {
		if (net_address_of(i->ifa_addr, &own) && tenf_address_equal(&own, address))
			ifindex = net_interface_index(opener, i->ifa_name);
	}
	freeifaddrs(all);
	return ifindex;
}
