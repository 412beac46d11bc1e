/* SPDX-License-Identifier: MIT */
#include "igd/sockets.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62 /* Linux 5.1 */
#endif

socklen_t igd_sockaddr_of(const struct igd_way *way, const struct tenf_endpoint *endpoint,
			  union igd_sockaddr *ret)
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
	if (tenf_address_is_link_local(a) || tenf_address_is_multicast(a))
		ret->v6.sin6_scope_id = way->ifindex;
	return sizeof(ret->v6);
}

bool igd_address_of(const union igd_sockaddr *from, struct tenf_address *ret)
{
	if (from->any.sa_family == AF_INET)
		*ret = tenf_address_v4_octets(&from->v4.sin_addr);
	else if (from->any.sa_family == AF_INET6)
		memcpy(ret->octets, &from->v6.sin6_addr, sizeof(ret->octets));
	else
		return false;
	return true;
}

enum tenf_status igd_status_of(int code)
{
	switch (code) {
	case EAGAIN:
	case EINPROGRESS:
	case EINTR:
		return TENF_E_AGAIN;
	case ECONNREFUSED:
	case ECONNRESET:
	case EPIPE:
		return TENF_E_REFUSED;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
	case EHOSTDOWN:
	case EADDRNOTAVAIL:
	case ENODEV:
	case ETIMEDOUT:
	case EACCES:
	case EPERM:
		return TENF_E_UNREACHABLE;
	case ENOMEM:
	case ENOBUFS:
		return TENF_E_MEMORY;
	default:
		return TENF_E_SYSTEM;
	}
}

/* The own address decides the way; the interface is bound too where the kernel
 * lets everybody do so (5.7), which keeps foreign answers out. */
static bool bind_to_way(int fd, const struct igd_way *way)
{
	struct tenf_endpoint source = { .address = way->source };
	union igd_sockaddr address;
	socklen_t len = igd_sockaddr_of(way, &source, &address);
	int index = (int)way->ifindex;

	if (index != 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &index, sizeof(index)) != 0 &&
	    errno != EPERM && errno != ENOPROTOOPT)
		return false;
	return tenf_address_is_none(&way->source) || bind(fd, &address.any, len) == 0;
}

int igd_socket_open(const struct igd_way *way, int type)
{
	int family = tenf_address_is_v4(&way->gateway) ? AF_INET : AF_INET6;
	int fd, code;

	type |= SOCK_NONBLOCK | SOCK_CLOEXEC;
	fd = way->open != NULL ? way->open(way->open_context, family, type, 0)
			       : socket(family, type, 0);
	if (fd < 0 || bind_to_way(fd, way))
		return fd;
	code = errno;
	(void)close(fd);
	errno = code;
	return -1;
}
