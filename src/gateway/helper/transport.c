/* SPDX-License-Identifier: MIT */
#include "gateway/helper/transport.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

/* A transaction is one message, so this is what may be decided together. Asking for
 * more than net.core.wmem_max takes rights a user namespace has not. */
#define SEND_BUFFER (8 * 1024 * 1024)
#define SEND_SPARE 4096

static void widen(int fd, int forced, int asked)
{
	int size = SEND_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, forced, &size, sizeof(size)) != 0)
		(void)setsockopt(fd, SOL_SOCKET, asked, &size, sizeof(size));
}

/* The kernel keeps a few octets of the buffer for itself. */
static size_t send_max_of(int fd)
{
	socklen_t len = sizeof(int);
	int size = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &len) != 0 || size < SEND_SPARE)
		return 0;
	return (size_t)(size - SEND_SPARE);
}

int netlink_transport_open(struct netlink_transport *ret)
{
	struct sockaddr_nl own = { .nl_family = AF_NETLINK };
	struct timeval patience = { .tv_sec = TRANSPORT_WAIT_S };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	int on = 1;

	if (fd < 0)
		return errno;
	widen(fd, SO_SNDBUFFORCE, SO_SNDBUF);
	widen(fd, SO_RCVBUFFORCE, SO_RCVBUF);
	/* An error answer is to name the message, not to repeat it. */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0 ||
	    bind(fd, (const struct sockaddr *)&own, sizeof(own)) != 0) {
		int code = errno;

		(void)close(fd);
		return code;
	}
	*ret = (struct netlink_transport){ .fd = fd, .send_max = send_max_of(fd) };
	return 0;
}

void netlink_transport_close(struct netlink_transport *netlink)
{
	if (netlink->fd >= 0)
		(void)close(netlink->fd);
	netlink->fd = -1;
}

static int send_netlink(void *context, const void *data, size_t len)
{
	const struct netlink_transport *netlink = context;
	static const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	ssize_t sent;

	do {
		sent = sendto(netlink->fd, data, len, 0, (const struct sockaddr *)&kernel,
			      sizeof(kernel));
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return errno;
	return (size_t)sent == len ? 0 : EIO;
}

static int receive_netlink(void *context, void *buffer, size_t size, bool wait, size_t *ret_len)
{
	const struct netlink_transport *netlink = context;
	struct sockaddr_nl from = { 0 };
	socklen_t from_len = sizeof(from);
	ssize_t got;

	do {
		got = recvfrom(netlink->fd, buffer, size, MSG_TRUNC | (wait ? 0 : MSG_DONTWAIT),
			       (struct sockaddr *)&from, &from_len);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno;
	if ((size_t)got > size)
		return EMSGSIZE;
	if (from.nl_pid != 0)
		return EPROTO; /* another process, not the kernel */
	*ret_len = (size_t)got;
	return 0;
}

struct helper_transport netlink_transport_of(struct netlink_transport *netlink)
{
	return (struct helper_transport){ .context = netlink, .send_max = netlink->send_max,
					  .send = send_netlink, .receive = receive_netlink };
}

void transport_drain(const struct helper_transport *transport)
{
	uint64_t buffer[512];
	size_t len;
	int code;

	do {
		code = transport->receive(transport->context, buffer, sizeof(buffer), false, &len);
	} while (code == 0 || code == EMSGSIZE || code == ENOBUFS || code == EPROTO);
}
