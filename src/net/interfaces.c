/* SPDX-License-Identifier: MIT */
/* Names, numbers and addresses of interfaces, by the C library. */
#include "net/gateways.h"

#include "net/socket.h"

#include <ifaddrs.h>
#include <net/if.h>

_Static_assert(NET_INTERFACE_NAME >= IF_NAMESIZE, "an interface name must fit");

unsigned net_interface_index(const char *name)
{
	return if_nametoindex(name);
}

bool net_interface_name(unsigned ifindex, char ret[NET_INTERFACE_NAME])
{
	return if_indextoname(ifindex, ret) != NULL;
}

unsigned net_interface_of(const struct tenf_address *address)
{
	struct ifaddrs *all;
	struct tenf_address own;
	unsigned ifindex = 0;

	if (getifaddrs(&all) != 0)
		return 0;
	for (const struct ifaddrs *i = all; i != NULL && ifindex == 0; i = i->ifa_next) {
		if (net_address_of(i->ifa_addr, &own) && tenf_address_equal(&own, address))
			ifindex = if_nametoindex(i->ifa_name);
	}
	freeifaddrs(all);
	return ifindex;
}
