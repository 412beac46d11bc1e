/* SPDX-License-Identifier: MIT */
#include "hops/search.h"

#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define NOBODY 0xc6336401 /* 198.51.100.1, of a network for documents (RFC 5737) */
#define HOP_PORT 33434    /* that traceroute(8) uses */
#define TIME_EXCEEDED 11  /* RFC 792 */

bool hop_search_send(int fd, const char *interface, unsigned hops)
{
	struct sockaddr_in nobody = { .sin_family = AF_INET,
				      .sin_port = htons(HOP_PORT),
				      .sin_addr.s_addr = htonl(NOBODY) };
	int on = 1, ttl = (int)hops;

	if (interface[0] != '\0' &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
		       (socklen_t)strlen(interface)) != 0)
		return false;
	return setsockopt(fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl)) == 0 &&
	       setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)) == 0 &&
	       connect(fd, (struct sockaddr *)&nobody, sizeof(nobody)) == 0 &&
	       send(fd, "", 0, MSG_NOSIGNAL) == 0;
}

/* The sender of the ICMP message in a socket's queue of errors (ip(7), IP_RECVERR). */
bool hop_search_read(int fd, struct tenf_address *ret)
{
	union {
		struct cmsghdr header;
		char room[512];
	} control;
	char data[64];
	struct iovec part = { data, sizeof(data) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
				  .msg_controllen = sizeof(control) };

	if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return false;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c != NULL; c = CMSG_NXTHDR(&message, c)) {
		struct {
			struct sock_extended_err error;
			struct sockaddr_in offender;
		} told;

		if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_RECVERR ||
		    c->cmsg_len < CMSG_LEN(sizeof(told)))
			continue;
		memcpy(&told, CMSG_DATA(c), sizeof(told));
		if (told.error.ee_origin != SO_EE_ORIGIN_ICMP ||
		    told.error.ee_type != TIME_EXCEEDED || told.offender.sin_family != AF_INET)
			continue;
		*ret = tenf_address_v4_octets(&told.offender.sin_addr);
		return true;
	}
	return false;
}
