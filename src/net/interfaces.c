/* SPDX-License-Identifier: MIT */
/* Names and numbers of interfaces, as if_nametoindex(3) does it, but of the
 * namespace that the opener's sockets belong to. */
#include "net/gateways.h"

#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

_Static_assert(NET_INTERFACE_NAME >= IF_NAMESIZE, "an interface name must fit");

static bool ask(const struct net_opener *opener, bool by_name, struct ifreq *about)
{
	int fd = net_open(opener, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool good;

	if (fd < 0)
		return false;
	good = ioctl(fd, by_name ? SIOCGIFINDEX : SIOCGIFNAME, about) == 0;
	(void)close(fd);
	return good;
}

unsigned net_interface_index(const struct net_opener *opener, const char *name)
{
	struct ifreq about = { .ifr_ifindex = 0 };
	size_t len = strlen(name);

	if (len >= sizeof(about.ifr_name))
		return 0;
	memcpy(about.ifr_name, name, len);
	return ask(opener, true, &about) ? (unsigned)about.ifr_ifindex : 0;
}

bool net_interface_name(const struct net_opener *opener, unsigned ifindex,
			char ret[NET_INTERFACE_NAME])
{
	struct ifreq about = { .ifr_ifindex = (int)ifindex };

	if (ifindex == 0 || !ask(opener, false, &about))
		return false;
	memcpy(ret, about.ifr_name, IF_NAMESIZE);
	ret[IF_NAMESIZE - 1] = '\0';
	return true;
}
