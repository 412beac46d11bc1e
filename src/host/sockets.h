/* SPDX-License-Identifier: MIT */
/*
 * Which programs wait for somebody from outside: listening TCP sockets and UDP
 * sockets that are not tied to one peer. Parsed here from what the kernel's
 * socket diagnosis tells (sock_diag(7)); whose they are is programs.h's. The
 * list owns its memory.
 */
#ifndef TENF_HOST_SOCKETS_H
#define TENF_HOST_SOCKETS_H

#include "base/address.h"
#include "host/programs.h"

/* More are not looked at, and `cut` says so. */
#define HOST_SOCKETS_MAX 65536

struct host_socket {
	enum tenf_protocol protocol;
	struct tenf_address address; /* none of IPv4 or IPv6: every one */
	uint16_t port;
	bool only_v6;       /* bound to ::, and deaf to IPv4 all the same */
	uint32_t interface; /* 0: any */
	uint32_t uid;
	uint64_t inode;
	struct host_program program;
};

struct host_sockets {
	struct host_socket *items;
	size_t count;
	size_t size;
	bool cut;
};

/* Appends the sockets of one datagram of answers; `*ret_done` is set when the
 * kernel says that these were all. An errno of the kernel's, ENOMEM, or 0. */
int host_sockets_parse(struct host_sockets *list, enum tenf_protocol protocol,
		       const uint8_t *data, size_t len, bool *ret_done);
/* False when memory is out or the list is full. */
bool host_sockets_add(struct host_sockets *list, const struct host_socket *socket);
void host_sockets_done(struct host_sockets *list);

/* Whether packets for this address and port get there. `address` NULL: any. */
bool host_socket_hears(const struct host_socket *socket, enum tenf_protocol protocol,
		       const struct tenf_address *address, uint16_t port);
/* Whether other computers can send to it at all: not bound to loopback. */
bool host_socket_is_outward(const struct host_socket *socket);
/* The most fitting of those that hear; NULL when none does. */
const struct host_socket *host_sockets_find(const struct host_sockets *list,
					    enum tenf_protocol protocol,
					    const struct tenf_address *address, uint16_t port);

#endif
