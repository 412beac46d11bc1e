/* SPDX-License-Identifier: MIT */
#include "gateway/reserved.h"

#include <string.h>

#ifdef HAVE_NETLINK

#include "net/rtnl.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

struct reading {
	const struct tenf_address *externals;
	size_t external_count;
	enum tenf_protocol protocol;
	struct reserved *reserved;
};

static bool is_outside(const struct reading *r, const struct tenf_address *address)
{
	if (tenf_address_is_none(address))
		return true;
	for (size_t i = 0; i < r->external_count; i++) {
		if (tenf_address_equal(&r->externals[i], address))
			return true;
	}
	return false;
}

static void add(const struct reading *r, uint16_t port)
{
	struct reserved *all = r->reserved;

	for (size_t i = 0; i < all->count; i++) {
		if (all->at[i].port == port && all->at[i].protocol == r->protocol)
			return;
	}
	if (all->count == RESPONDER_RESERVED_MAX)
		all->truncated = true;
	else
		all->at[all->count++] = (struct responder_reserved){ r->protocol, port };
}

static void read_socket(const struct nlmsghdr *message, void *context)
{
	const struct reading *r = context;
	const struct inet_diag_msg *socket = net_rtnl_header(message, sizeof(*socket));
	struct tenf_address address;

	if (socket == NULL || socket->id.idiag_dport != 0 || socket->id.idiag_sport == 0)
		return; /* connected: it hears one peer alone */
	if (socket->idiag_family == AF_INET)
		address = tenf_address_v4_octets(socket->id.idiag_src);
	else
		memcpy(address.octets, socket->id.idiag_src, sizeof(address.octets));
	if (is_outside(r, &address))
		add(r, ntohs(socket->id.idiag_sport));
}

static bool dump(struct net_rtnl *rtnl, uint8_t family, struct reading *r)
{
	union net_rtnl_request request;
	struct inet_diag_req_v2 *question =
		net_rtnl_begin(&request, SOCK_DIAG_BY_FAMILY, sizeof(*question));
	bool tcp = r->protocol == TENF_TCP;

	question->sdiag_family = family;
	question->sdiag_protocol = tcp ? IPPROTO_TCP : IPPROTO_UDP;
	/* An unconnected UDP socket is "closed". */
	question->idiag_states = tcp ? 1u << TCP_LISTEN : 1u << TCP_CLOSE;
	return net_rtnl_dump(rtnl, &request, read_socket, r) == 0;
}

static bool read_all(const struct tenf_address *externals, size_t count, struct reserved *ret)
{
	static const enum tenf_protocol protocols[] = { TENF_TCP, TENF_UDP };
	struct net_rtnl rtnl = {
		.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)
	};
	bool good = rtnl.fd >= 0;

	for (size_t i = 0; good && i < TENF_ARRAY_SIZE(protocols); i++) {
		struct reading r = { externals, count, protocols[i], ret };

		good = dump(&rtnl, AF_INET, &r);
		/* Without IPv6 in the kernel there is nothing to tell. */
		(void)(good && dump(&rtnl, AF_INET6, &r));
	}
	if (rtnl.fd >= 0)
		net_rtnl_close(&rtnl);
	return good;
}

#else

static bool read_all(const struct tenf_address *externals, size_t count, struct reserved *ret)
{
	(void)externals;
	(void)count;
	(void)ret;
	return false;
}

#endif

bool reserved_find(const struct tenf_address *externals, size_t count, struct reserved *ret)
{
	*ret = (struct reserved){ .count = 0 };
	return read_all(externals, count, ret);
}
