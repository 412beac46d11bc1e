/* SPDX-License-Identifier: MIT */
#include "host/ask.h"

#include "host/host.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel fills an answer up to what the reader offered, at most 32 KiB. */
#define BUFFER_SIZE 32768

#define ONLY_LISTENING (1u << 10) /* TCP_LISTEN */
#define ONLY_UNTIED (1u << 7)     /* TCP_CLOSE */

struct answers {
	struct host_network *network; /* or */
	struct host_sockets *sockets;
	enum tenf_protocol protocol;
};

static int parse(const struct answers *to, const uint8_t *data, size_t len, bool *ret_done)
{
	if (to->network != NULL)
		return host_network_parse(to->network, data, len, ret_done);
	return host_sockets_parse(to->sockets, to->protocol, data, len, ret_done);
}

static int receive(int fd, const struct answers *to, bool single)
{
	uint8_t buffer[BUFFER_SIZE];
	bool done = false;
	int error = 0;

	while (error == 0 && !done) {
		ssize_t got = recv(fd, buffer, sizeof(buffer), 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? errno : EPROTO;
		error = parse(to, buffer, (size_t)got, &done);
		done = done || single;
	}
	return error;
}

static int ask(int protocol, const void *request, size_t len, const struct answers *to,
	       bool single)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	int error = 0;

	if (fd < 0)
		return errno;
	if (send(fd, request, len, 0) != (ssize_t)len)
		error = errno;
	else
		error = receive(fd, to, single);
	close(fd);
	return error;
}

int host_ask_network(uint16_t question, struct host_network *network)
{
	struct {
		struct nlmsghdr header;
		struct rtgenmsg family;
		uint8_t padding[3];
	} request = { .header = { .nlmsg_len = sizeof(request),
				  .nlmsg_type = question,
				  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP } };
	struct answers to = { .network = network };

	return ask(NETLINK_ROUTE, &request, sizeof(request), &to, false);
}

int host_ask_sockets(int family, enum tenf_protocol protocol, struct host_sockets *sockets)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 wanted;
	} request = { .header = { .nlmsg_len = sizeof(request),
				  .nlmsg_type = SOCK_DIAG_BY_FAMILY,
				  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		      .wanted = { .sdiag_family = (uint8_t)family,
				  .sdiag_protocol = (uint8_t)protocol,
				  .idiag_states = protocol == TENF_TCP ? ONLY_LISTENING :
									 ONLY_UNTIED } };
	struct answers to = { .sockets = sockets, .protocol = protocol };

	return ask(NETLINK_SOCK_DIAG, &request, sizeof(request), &to, false);
}

int host_route_to(const struct tenf_address *address, struct host_route *ret)
{
	struct {
		struct nlmsghdr header;
		struct rtmsg route;
		struct nlattr attribute;
		uint8_t octets[16];
	} request = { .header = { .nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST } };
	struct host_network network = { .every_route = true };
	struct answers to = { .network = &network };
	bool v4 = tenf_address_is_v4(address);
	size_t len = v4 ? 4 : 16;
	int error;

	request.route.rtm_family = v4 ? AF_INET : AF_INET6;
	request.route.rtm_dst_len = (uint8_t)(8 * len);
	request.attribute.nla_type = RTA_DST;
	request.attribute.nla_len = (uint16_t)(sizeof(request.attribute) + len);
	memcpy(request.octets, address->octets + 16 - len, len);
	request.header.nlmsg_len = (uint32_t)(sizeof(request) - sizeof(request.octets) + len);
	error = ask(NETLINK_ROUTE, &request, request.header.nlmsg_len, &to, true);
	if (error == 0 && network.route_count == 0)
		return ENETUNREACH;
	if (error == 0)
		*ret = network.routes[0];
	return error;
}
