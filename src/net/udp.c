/* SPDX-License-Identifier: MIT */
#include "net/udp.h"

#include "net/socket.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62 /* Linux 5.1; SO_BINDTODEVICE without the name */
#endif
#ifndef IP_UNICAST_IF
#define IP_UNICAST_IF 50
#endif
#ifndef IPV6_UNICAST_IF
#define IPV6_UNICAST_IF 76
#endif

/* Binding to the device also keeps answers of other interfaces out, so it is
 * tried first. Before Linux 5.7 it needs CAP_NET_RAW and before 5.1 it is
 * unknown by index; IP_UNICAST_IF then steers at least what we send. */
static bool bind_to_interface(int fd, bool v4, unsigned ifindex)
{
	int index = (int)ifindex;
	uint32_t network_order = htonl(ifindex);

	if (setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &index, sizeof(index)) == 0)
		return true;
	if (errno != EPERM && errno != ENOPROTOOPT)
		return false;
	if (v4)
		return setsockopt(fd, IPPROTO_IP, IP_UNICAST_IF, &network_order,
				  sizeof(network_order)) == 0;
	return setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_IF, &network_order,
			  sizeof(network_order)) == 0;
}

static const char *prepare(int fd, const struct net_udp_options *options)
{
	bool v4 = tenf_address_is_v4(&options->remote.address);
	union net_sockaddr address;
	socklen_t len;

	if (options->ifindex != 0 && !bind_to_interface(fd, v4, options->ifindex))
		return "bind to interface";
	if (options->source != NULL) {
		struct tenf_endpoint source = { .address = *options->source };

		len = net_sockaddr_of(&source, options->ifindex, &address);
		if (bind(fd, &address.any, len) != 0)
			return "bind";
	}
	len = net_sockaddr_of(&options->remote, options->ifindex, &address);
	if (connect(fd, &address.any, len) != 0)
		return "connect";
	return NULL;
}

static bool make_sense(const struct net_udp_options *options)
{
	const struct tenf_address *remote = &options->remote.address;
	bool v4 = tenf_address_is_v4(remote);

	if (options->source != NULL && tenf_address_is_v4(options->source) != v4)
		return false;
	return v4 || !tenf_address_is_link_local(remote) || options->ifindex != 0;
}

/* Refused and full are words of sending; a socket that cannot be made failed. */
static enum tenf_status status_of_connect(enum tenf_status status)
{
	return status == TENF_E_AGAIN || status == TENF_E_REFUSED ? TENF_E_SYSTEM : status;
}

enum tenf_status net_udp_connect(const struct net_udp_options *options, int *ret_fd,
				 struct tenf_endpoint *ret_local, struct net_error *reterr)
{
	int family = tenf_address_is_v4(&options->remote.address) ? AF_INET : AF_INET6;
	union net_sockaddr local = { .any.sa_family = AF_UNSPEC };
	socklen_t len = sizeof(local);
	const char *failed;
	int fd;

	if (!make_sense(options))
		return TENF_E_ARGUMENT;
	fd = net_open(options->opener, family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		      IPPROTO_UDP);
	if (fd < 0)
		return status_of_connect(net_fail(reterr, "socket"));
	failed = prepare(fd, options);
	if (failed == NULL && getsockname(fd, &local.any, &len) != 0)
		failed = "getsockname";
	if (failed != NULL) {
		enum tenf_status status = status_of_connect(net_fail(reterr, failed));

		(void)close(fd);
		return status;
	}
	*ret_fd = fd;
	*ret_local = net_endpoint_of(&local);
	return TENF_OK;
}

static int send_once(int fd, const uint8_t *data, size_t len)
{
	ssize_t sent;

	do {
		sent = send(fd, data, len, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? errno : 0;
}

/* A port unreachable that waits on the socket is told by the next call, which
 * then sends nothing: hence the second try. */
enum tenf_status net_udp_send(int fd, const uint8_t *data, size_t len)
{
	int code = send_once(fd, data, len);
	enum tenf_status status = code == 0 ? TENF_OK : net_status_of(code);

	if (status == TENF_E_REFUSED)
		(void)send_once(fd, data, len);
	return status;
}

/* Tells arrival interface and destination of sockets that ask for them, which
 * only the announcement listeners do; they ask for nothing else. */
static bool read_arrival(struct msghdr *message, unsigned *ret_ifindex,
			 struct tenf_address *ret_destination)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(message);
	struct in6_pktinfo v6;
	struct in_pktinfo v4;

	if (c == NULL)
		return false;
	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		memcpy(&v4, CMSG_DATA(c), sizeof(v4));
		*ret_ifindex = (unsigned)v4.ipi_ifindex;
		*ret_destination = tenf_address_v4_octets(&v4.ipi_addr);
		return true;
	}
	if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		memcpy(&v6, CMSG_DATA(c), sizeof(v6));
		*ret_ifindex = v6.ipi6_ifindex;
		memcpy(ret_destination->octets, &v6.ipi6_addr, sizeof(ret_destination->octets));
		return true;
	}
	return false;
}

enum tenf_status net_udp_receive(int fd, uint8_t *data, size_t size, size_t *ret_len,
				 struct tenf_endpoint *ret_from, unsigned *ret_ifindex)
{
	_Alignas(struct cmsghdr) uint8_t control[128];
	struct tenf_address destination = tenf_address_none6;
	union net_sockaddr from = { .any.sa_family = AF_UNSPEC };
	struct iovec part = { .iov_base = data, .iov_len = size };
	struct msghdr message;
	unsigned ifindex = 0;
	ssize_t got;

	do {
		message = (struct msghdr){
			.msg_name = &from, .msg_namelen = sizeof(from),
			.msg_iov = &part, .msg_iovlen = 1,
			.msg_control = control, .msg_controllen = sizeof(control),
		};
		got = recvmsg(fd, &message, MSG_TRUNC);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return net_status_of(errno);
	/* The IPv6 listener cannot be bound to its group, so what was sent to an
	 * address of ours arrives too: not an announcement. */
	if (read_arrival(&message, &ifindex, &destination) &&
	    !tenf_address_is_multicast(&destination))
		return TENF_E_AGAIN;
	if (ifindex == 0 && from.any.sa_family == AF_INET6)
		ifindex = from.v6.sin6_scope_id;
	*ret_len = (size_t)got;
	*ret_from = net_endpoint_of(&from);
	*ret_ifindex = ifindex;
	return TENF_OK;
}
