/* SPDX-License-Identifier: MIT */
#include "net/socket.h"

#include "net/opener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

int net_open(const struct net_opener *opener, int domain, int type, int protocol)
{
	if (opener == NULL || opener->open == NULL)
		return socket(domain, type, protocol);
	return opener->open(opener->context, domain, type, protocol);
}

socklen_t net_sockaddr_of(const struct tenf_endpoint *endpoint, unsigned scope,
			  union net_sockaddr *ret)
{
	const struct tenf_address *a = &endpoint->address;

	memset(ret, 0, sizeof(*ret));
	if (tenf_address_is_v4(a)) {
		ret->v4.sin_family = AF_INET;
		ret->v4.sin_port = htons(endpoint->port);
		memcpy(&ret->v4.sin_addr, a->octets + 12, sizeof(ret->v4.sin_addr));
		return sizeof(ret->v4);
	}
	ret->v6.sin6_family = AF_INET6;
	ret->v6.sin6_port = htons(endpoint->port);
	memcpy(&ret->v6.sin6_addr, a->octets, sizeof(ret->v6.sin6_addr));
	if (tenf_address_is_link_local(a))
		ret->v6.sin6_scope_id = scope;
	return sizeof(ret->v6);
}

bool net_address_of(const struct sockaddr *address, struct tenf_address *ret)
{
	union net_sockaddr copy;

	if (address == NULL)
		return false;
	if (address->sa_family == AF_INET) {
		memcpy(&copy.v4, address, sizeof(copy.v4));
		*ret = tenf_address_v4_octets(&copy.v4.sin_addr);
		return true;
	}
	if (address->sa_family == AF_INET6) {
		memcpy(&copy.v6, address, sizeof(copy.v6));
		memcpy(ret->octets, &copy.v6.sin6_addr, sizeof(ret->octets));
		return true;
	}
	return false;
}

struct tenf_endpoint net_endpoint_of(const union net_sockaddr *address)
{
	struct tenf_endpoint e = { .address = tenf_address_none6 };

	if (!net_address_of(&address->any, &e.address))
		return e;
	if (address->any.sa_family == AF_INET)
		e.port = ntohs(address->v4.sin_port);
	else
		e.port = ntohs(address->v6.sin6_port);
	return e;
}

enum tenf_status net_status_of(int code)
{
	switch (code) {
	case EAGAIN:
	case ENOBUFS: /* a full device queue; the datagram can be sent later */
		return TENF_E_AGAIN;
	case ECONNREFUSED: /* ICMP port unreachable */
	case ENOPROTOOPT:  /* ICMP protocol unreachable: no UDP at all */
		return TENF_E_REFUSED;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
	case EHOSTDOWN:
	case ENONET:
	case EADDRNOTAVAIL:
	case ENODEV:
	case ENXIO:
	case EACCES: /* a prohibit route, ICMPv6 administratively prohibited */
	case EPERM:  /* dropped by a firewall of this host */
		return TENF_E_UNREACHABLE;
	case ENOMEM:
		return TENF_E_MEMORY;
	default:
		return TENF_E_SYSTEM;
	}
}

enum tenf_status net_fail(struct net_error *reterr, const char *call)
{
	int code = errno;

	if (reterr != NULL)
		*reterr = (struct net_error){ .call = call, .code = code };
	return net_status_of(code);
}
