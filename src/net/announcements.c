/* SPDX-License-Identifier: MIT */
/* The shared listener for announcements: RFC 6886 §3.2.1, RFC 6887 §14.1.3. */
#include "net/udp.h"

#include "net/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define ANNOUNCEMENT_PORT 5350
#define ANNOUNCEMENT_GROUP4 0xe0000001u /* 224.0.0.1 */

#ifndef IP_MULTICAST_ALL
#define IP_MULTICAST_ALL 49
#endif
#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29 /* Linux 4.20 */
#endif

/* ff02::1 */
static const struct tenf_address group6 = { { 0xff, 0x02, [15] = 1 } };

static bool set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

/*
 * Other programs of this host listen there too, some with SO_REUSEADDR, some
 * with SO_REUSEPORT alone. Both are set, but the second one after binding:
 * sockets that are bound with it form a group, and recent kernels give a
 * datagram for an interface that one member joined to any member of the group
 * (seen with 6.18). Set later it lets others in just as well.
 */
static bool bind_shared(int fd, const struct tenf_endpoint *own)
{
	union net_sockaddr address;
	socklen_t len = net_sockaddr_of(own, 0, &address);
	bool bound;

	if (!set(fd, SOL_SOCKET, SO_REUSEADDR, 1))
		return false;
	bound = bind(fd, &address.any, len) == 0;
	if (!bound && errno != EADDRINUSE)
		return false;
	if (!set(fd, SOL_SOCKET, SO_REUSEPORT, 1))
		return false;
	return bound || bind(fd, &address.any, len) == 0;
}

/* Without IP_MULTICAST_ALL off, a group that any program joined on any
 * interface would come in here. */
static const char *prepare4(int fd)
{
	struct tenf_endpoint group = { .address = tenf_address_v4(ANNOUNCEMENT_GROUP4),
				       .port = ANNOUNCEMENT_PORT };

	if (!set(fd, IPPROTO_IP, IP_PKTINFO, 1))
		return "ask for the arrival interface";
	if (!set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0))
		return "restrict to joined groups";
	return bind_shared(fd, &group) ? NULL : "bind to 224.0.0.1:5350";
}

/* A link-local group can be bound for one interface only (it needs a scope);
 * one socket for all of them takes the wildcard, and net_udp_receive drops
 * what was not sent to a group. */
static const char *prepare6(int fd)
{
	struct tenf_endpoint any = { .address = tenf_address_none6, .port = ANNOUNCEMENT_PORT };

	if (!set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1))
		return "restrict to IPv6";
	if (!set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1))
		return "ask for the arrival interface";
	if (!set(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0) && errno != ENOPROTOOPT)
		return "restrict to joined groups";
	return bind_shared(fd, &any) ? NULL : "bind to [::]:5350";
}

enum tenf_status net_announcements_open(const struct net_opener *opener, bool ipv6, int *ret_fd,
					struct net_error *reterr)
{
	int fd = net_open(opener, ipv6 ? AF_INET6 : AF_INET,
			  SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
	const char *failed;

	if (fd < 0) {
		(void)net_fail(reterr, "socket");
		return TENF_E_SYSTEM;
	}
	failed = ipv6 ? prepare6(fd) : prepare4(fd);
	if (failed != NULL) {
		(void)net_fail(reterr, failed);
		(void)close(fd);
		return TENF_E_SYSTEM;
	}
	*ret_fd = fd;
	return TENF_OK;
}

enum tenf_status net_announcements_join(int fd, bool ipv6, unsigned ifindex)
{
	struct ip_mreqn v4 = { .imr_ifindex = (int)ifindex,
			       .imr_multiaddr.s_addr = htonl(ANNOUNCEMENT_GROUP4) };
	struct ipv6_mreq v6 = { .ipv6mr_interface = ifindex };
	int failed;

	if (ifindex == 0)
		return TENF_E_ARGUMENT;
	memcpy(&v6.ipv6mr_multiaddr, group6.octets, sizeof(v6.ipv6mr_multiaddr));
	if (ipv6)
		failed = setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &v6, sizeof(v6));
	else
		failed = setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &v4, sizeof(v4));
	if (failed == 0 || errno == EADDRINUSE)
		return TENF_OK;
	return net_status_of(errno) == TENF_E_UNREACHABLE ? TENF_E_UNREACHABLE : TENF_E_SYSTEM;
}
