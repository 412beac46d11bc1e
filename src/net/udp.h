/* SPDX-License-Identifier: MIT */
/*
 * UDP sockets of the client: a connected one for each gateway, so that ICMP
 * port unreachable is seen and foreign datagrams never arrive, and the shared
 * listener for announcements on 5350 (RFC 6886 §3.2.1, RFC 6887 §14.1.3).
 */
#ifndef TENF_NET_UDP_H
#define TENF_NET_UDP_H

#include "base/address.h"
#include "net/error.h"
#include "net/opener.h"

struct net_udp_options {
	struct tenf_endpoint remote;
	const struct tenf_address *source; /* NULL: the kernel's choice */
	unsigned ifindex;                  /* 0: any; bound by SO_BINDTODEVICE or IP_UNICAST_IF */
	const struct net_opener *opener;   /* NULL: socket(2) */
};

/* Non-blocking, close-on-exec, IPv4 or IPv6 by the remote's family; the kernel
 * gives the random source port. *ret_local is what getsockname says (§16.4).
 * For a link-local remote the ifindex is the scope. Binding to a device needs
 * no rights on Linux 5.7 and later; when it is refused the unicast-interface
 * option is used. Errors: TENF_E_UNREACHABLE (no route, no such source),
 * TENF_E_SYSTEM. */
TENF_CHECKED enum tenf_status net_udp_connect(const struct net_udp_options *options, int *ret_fd,
					      struct tenf_endpoint *ret_local,
					      struct net_error *reterr);

/* TENF_E_REFUSED for a port-unreachable that was waiting (the datagram is then
 * sent again once by the call itself), TENF_E_UNREACHABLE for host or network,
 * TENF_E_AGAIN when the queue is full, TENF_E_SYSTEM. */
TENF_CHECKED enum tenf_status net_udp_send(int fd, const uint8_t *data, size_t len);

/* One datagram; a longer one than `size` is reported with its true length and
 * must be dropped by the caller. TENF_E_AGAIN when there is none,
 * TENF_E_REFUSED after a port unreachable, TENF_E_UNREACHABLE, TENF_E_SYSTEM. */
TENF_CHECKED enum tenf_status net_udp_receive(int fd, uint8_t *data, size_t size, size_t *ret_len,
					      struct tenf_endpoint *ret_from,
					      unsigned *ret_ifindex);

/* Bound to 224.0.0.1:5350 with SO_REUSEADDR and SO_REUSEPORT, not joined yet;
 * for ff02::1 to [::]:5350, because a link-local group can be bound on one
 * interface only. When the address is taken by a program that does not share:
 * TENF_E_SYSTEM, and the caller goes on without announcements. net_udp_receive
 * reads it, tells the arrival interface, and drops what was not sent to a group
 * (TENF_E_AGAIN). */
TENF_CHECKED enum tenf_status net_announcements_open(const struct net_opener *opener, bool ipv6,
						     int *ret_fd, struct net_error *reterr);
/* Joins the group on one interface; joining twice is fine. Of IPv6, Linux also
 * delivers what arrives on other interfaces: the caller looks at the arrival
 * interface, as it does at the source (NP-C-29). */
TENF_CHECKED enum tenf_status net_announcements_join(int fd, bool ipv6, unsigned ifindex);

#endif
