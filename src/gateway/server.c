/* SPDX-License-Identifier: MIT */
#include "gateway/server.h"

#include "net/socket.h"
#include "wire/pcp.h"

#include <errno.h>
#include <linux/udp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RECEIVE_BUFFER (1024 * 1024) /* a burst waits here while a batch is committed */
/* Answers to hosts that are not there wait here until the kernel gives their
 * link-layer address up, three seconds; with the usual 208 KiB some 280 requests
 * with made-up sources would keep all others from being answered. */
#define SEND_BUFFER (32 * 1024 * 1024)

struct control { /* the larger of both families */
	_Alignas(struct cmsghdr) uint8_t octets[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct out_control { /* and the size of joined datagrams */
	_Alignas(struct cmsghdr) uint8_t octets[CMSG_SPACE(sizeof(struct in6_pktinfo)) +
						CMSG_SPACE(sizeof(uint16_t))];
};

static bool set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

/* Beyond what the system allows everybody, as long as we have the right to it. */
static void set_buffers(int fd)
{
	if (!set(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER))
		(void)set(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER); /* a smaller one does */
	if (!set(fd, SOL_SOCKET, SO_SNDBUFFORCE, SEND_BUFFER))
		(void)set(fd, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER);
}

/* Announcements must not leave the link: RFC 6887 §14.1.3 by hop limits. */
static bool set_options(int fd, bool v4)
{
	set_buffers(fd);
	if (v4)
		return set(fd, IPPROTO_IP, IP_PKTINFO, 1) &&
		       set(fd, IPPROTO_IP, IP_MULTICAST_TTL, 1);
	return set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) &&
	       set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) &&
	       set(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 255);
}

static enum tenf_status bind_to(int fd, const struct tenf_endpoint *listen,
				struct tenf_endpoint *ret_bound, struct net_error *reterr)
{
	union net_sockaddr address;
	socklen_t len = net_sockaddr_of(listen, 0, &address);

	if (bind(fd, &address.any, len) != 0)
		return net_fail(reterr, "bind");
	len = sizeof(address);
	if (getsockname(fd, &address.any, &len) != 0)
		return net_fail(reterr, "getsockname");
	*ret_bound = net_endpoint_of(&address);
	return TENF_OK;
}

enum tenf_status server_open(const struct tenf_endpoint *listen, int *ret_fd,
			     struct tenf_endpoint *ret_bound, struct net_error *reterr)
{
	bool v4 = tenf_address_is_v4(&listen->address);
	int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	enum tenf_status status;

	if (fd < 0)
		return net_fail(reterr, "socket");
	status = set_options(fd, v4) ? bind_to(fd, listen, ret_bound, reterr)
				     : net_fail(reterr, "setsockopt");
	if (status != TENF_OK)
		(void)close(fd);
	else
		*ret_fd = fd;
	return status;
}

/* ---- In --------------------------------------------------------------- */

struct server_in {
	struct mmsghdr messages[SERVER_BATCH];
	struct iovec parts[SERVER_BATCH];
	union net_sockaddr from[SERVER_BATCH];
	struct control control[SERVER_BATCH];
	uint8_t octets[SERVER_BATCH][RESPONDER_RECEIVE_MAX];
	struct responder_datagram datagrams[SERVER_BATCH];
};

struct server_in *server_in_new(void)
{
	return calloc(1, sizeof(struct server_in));
}

void server_in_free(struct server_in *in)
{
	free(in);
}

/* Where it arrived: the address asked for and the interface. */
static void read_control(struct msghdr *message, struct responder_datagram *d)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
		struct in_pktinfo v4;
		struct in6_pktinfo v6;

		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&v4, CMSG_DATA(c), sizeof(v4));
			d->to.address = tenf_address_v4_octets(&v4.ipi_addr);
			d->interface = (unsigned)v4.ipi_ifindex;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&v6, CMSG_DATA(c), sizeof(v6));
			memcpy(d->to.address.octets, &v6.ipi6_addr, 16);
			d->interface = v6.ipi6_ifindex;
		}
	}
}

size_t server_receive(int fd, const struct tenf_endpoint *bound, struct server_in *in,
		      const struct responder_datagram **ret)
{
	int count;

	for (size_t i = 0; i < SERVER_BATCH; i++) {
		in->parts[i] = (struct iovec){ in->octets[i], sizeof(in->octets[i]) };
		in->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &in->from[i], .msg_namelen = sizeof(in->from[i]),
			.msg_iov = &in->parts[i], .msg_iovlen = 1,
			.msg_control = &in->control[i], .msg_controllen = sizeof(in->control[i]),
		};
	}
	count = recvmmsg(fd, in->messages, SERVER_BATCH, 0, NULL);
	for (int i = 0; i < count; i++) {
		struct responder_datagram *d = &in->datagrams[i];

		*d = (struct responder_datagram){
			.from = net_endpoint_of(&in->from[i]), .to = *bound,
			.data = in->octets[i], .len = in->messages[i].msg_len,
		};
		read_control(&in->messages[i].msg_hdr, d);
	}
	*ret = in->datagrams;
	return count > 0 ? (size_t)count : 0;
}

/* ---- Out -------------------------------------------------------------- */

/* Datagrams of the same size for the same receiver are one message: the way through the
 * kernel, most of what an answer costs, is gone once for all of them. */
#define JOINED_OCTETS_MAX 60000

struct server_out {
	int fd;
	bool can_join;
	unsigned count; /* datagrams, a part each */
	unsigned message_count;
	struct responder_datagram last; /* in the last message; without its octets */
	struct mmsghdr messages[SERVER_BATCH];
	struct iovec parts[SERVER_BATCH];
	union net_sockaddr to[SERVER_BATCH];
	struct out_control control[SERVER_BATCH];
	uint8_t octets[SERVER_BATCH][PCP_MAX];
};

/* Linux 4.18 can. One that cannot would send them as one large datagram. */
static bool kernel_can_join(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(int);
	int size;
	bool can = fd >= 0 && getsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, &len) == 0;

	if (fd >= 0)
		(void)close(fd);
	return can;
}

struct server_out *server_out_new(void)
{
	struct server_out *out = calloc(1, sizeof(*out));

	if (out != NULL)
		out->can_join = kernel_can_join();
	return out;
}

void server_out_free(struct server_out *out)
{
	free(out);
}

/* From the address asked, by the interface asked. */
static void write_control(struct msghdr *message, struct out_control *control,
			  const struct responder_datagram *d)
{
	struct cmsghdr *c;

	message->msg_control = control;
	memset(control, 0, sizeof(*control));
	if (tenf_address_is_v4(&d->to.address)) {
		struct in_pktinfo v4 = { .ipi_ifindex = (int)d->interface };

		memcpy(&v4.ipi_spec_dst, d->from.address.octets + 12, 4);
		message->msg_controllen = CMSG_SPACE(sizeof(v4));
		c = CMSG_FIRSTHDR(message);
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(v4));
		memcpy(CMSG_DATA(c), &v4, sizeof(v4));
	} else {
		struct in6_pktinfo v6 = { .ipi6_ifindex = d->interface };

		memcpy(&v6.ipi6_addr, d->from.address.octets, 16);
		message->msg_controllen = CMSG_SPACE(sizeof(v6));
		c = CMSG_FIRSTHDR(message);
		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(v6));
		memcpy(CMSG_DATA(c), &v6, sizeof(v6));
	}
}

/* Of what size each datagram of the message is. */
static void write_size(struct msghdr *message, uint16_t size)
{
	struct cmsghdr *c = (void *)((uint8_t *)message->msg_control + message->msg_controllen);

	message->msg_controllen += CMSG_SPACE(sizeof(size));
	c->cmsg_level = IPPROTO_UDP;
	c->cmsg_type = UDP_SEGMENT;
	c->cmsg_len = CMSG_LEN(sizeof(size));
	memcpy(CMSG_DATA(c), &size, sizeof(size));
}

static bool joins(const struct server_out *out, const struct responder_datagram *d)
{
	const struct responder_datagram *last = &out->last;

	return out->can_join && out->message_count > 0 && d->len == last->len &&
	       (out->messages[out->message_count - 1].msg_hdr.msg_iovlen + 1) * d->len <=
		       JOINED_OCTETS_MAX &&
	       d->interface == last->interface && tenf_endpoint_equal(&d->to, &last->to) &&
	       tenf_endpoint_equal(&d->from, &last->from);
}

static void begin_message(struct server_out *out, const struct responder_datagram *d)
{
	unsigned i = out->message_count++;
	struct msghdr *message = &out->messages[i].msg_hdr;

	*message = (struct msghdr){
		.msg_name = &out->to[i], .msg_iov = &out->parts[out->count],
		.msg_namelen = net_sockaddr_of(&d->to, d->interface, &out->to[i]),
	};
	write_control(message, &out->control[i], d);
	out->last = *d;
}

void server_send(struct server_out *out, int fd, const struct responder_datagram *d)
{
	if (out->count == SERVER_BATCH || (out->count > 0 && out->fd != fd))
		server_flush(out);
	if (d->len > sizeof(out->octets[0]))
		return;
	out->fd = fd;
	if (!joins(out, d))
		begin_message(out, d);
	out->messages[out->message_count - 1].msg_hdr.msg_iovlen++;
	memcpy(out->octets[out->count], d->data, d->len);
	out->parts[out->count] = (struct iovec){ out->octets[out->count], d->len };
	out->count++;
}

/* What was not taken joined, by a route through a tunnel for example, goes one by one. */
static void send_apart(int fd, const struct msghdr *joined)
{
	for (size_t i = 0; joined->msg_iovlen > 1 && i < joined->msg_iovlen; i++) {
		struct msghdr one = *joined;

		one.msg_iov = &joined->msg_iov[i];
		one.msg_iovlen = 1;
		one.msg_controllen -= CMSG_SPACE(sizeof(uint16_t));
		while (sendmsg(fd, &one, 0) < 0 && errno == EINTR)
			continue;
	}
}

/* A datagram the kernel does not take is passed over; the others go. */
void server_flush(struct server_out *out)
{
	unsigned sent = 0;

	for (unsigned i = 0; i < out->message_count; i++) {
		struct msghdr *message = &out->messages[i].msg_hdr;

		if (message->msg_iovlen > 1)
			write_size(message, (uint16_t)message->msg_iov->iov_len);
	}
	while (sent < out->message_count) {
		int count = sendmmsg(out->fd, out->messages + sent, out->message_count - sent, 0);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			send_apart(out->fd, &out->messages[sent].msg_hdr);
		sent += count > 0 ? (unsigned)count : 1;
	}
	out->count = 0;
	out->message_count = 0;
}
