/* SPDX-License-Identifier: MIT */
#include "host/sockets.h"

#include "host/messages.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define STATE_LISTEN 10  /* TCP_LISTEN */
#define STATE_UNTIED 7   /* TCP_CLOSE: what an UDP socket without a peer is in */

bool host_sockets_add(struct host_sockets *list, const struct host_socket *socket)
{
	size_t size = list->size > 0 ? 2 * list->size : 64;
	struct host_socket *items;

	if (list->count >= HOST_SOCKETS_MAX) {
		list->cut = true;
		return false;
	}
	if (list->count == list->size) {
		items = reallocarray(list->items, size, sizeof(*items));
		if (items == NULL)
			return false;
		list->items = items;
		list->size = size;
	}
	list->items[list->count++] = *socket;
	return true;
}

void host_sockets_done(struct host_sockets *list)
{
	free(list->items);
	*list = (struct host_sockets){ NULL };
}

static bool read_address(const struct inet_diag_msg *m, struct tenf_address *ret)
{
	if (m->idiag_family == AF_INET) {
		*ret = tenf_address_v4_octets(m->id.idiag_src);
		return true;
	}
	memcpy(ret->octets, m->id.idiag_src, sizeof(ret->octets));
	return m->idiag_family == AF_INET6;
}

static bool read_socket(struct tenf_reader body, enum tenf_protocol protocol,
			struct host_socket *ret)
{
	struct host_attribute attribute;
	struct inet_diag_msg m;

	tenf_reader_copy(&body, &m, sizeof(m));
	if (body.failed || m.idiag_state != (protocol == TENF_TCP ? STATE_LISTEN : STATE_UNTIED))
		return false;
	*ret = (struct host_socket){ .protocol = protocol,
				     .port = ntohs(m.id.idiag_sport),
				     .interface = m.id.idiag_if,
				     .uid = m.idiag_uid,
				     .inode = m.idiag_inode };
	while (host_attribute_next(&body, &attribute)) {
		if (attribute.type == INET_DIAG_SKV6ONLY)
			ret->only_v6 = tenf_reader_u8(&attribute.value) != 0;
	}
	return ret->port != 0 && read_address(&m, &ret->address);
}

/* The error number in NLMSG_ERROR, and in NLMSG_DONE where a dump failed late. */
static int error_of(struct host_message *message)
{
	int code;

	tenf_reader_copy(&message->body, &code, sizeof(code));
	return !message->body.failed && code < 0 && code > -4096 ? -code : 0;
}

int host_sockets_parse(struct host_sockets *list, enum tenf_protocol protocol,
		       const uint8_t *data, size_t len, bool *ret_done)
{
	struct tenf_reader datagram = tenf_reader_of(data, len);
	struct host_message message;
	struct host_socket socket;

	while (host_message_next(&datagram, &message)) {
		if (message.type == NLMSG_DONE || message.type == NLMSG_ERROR) {
			*ret_done = true;
			return error_of(&message);
		}
		if (message.type != SOCK_DIAG_BY_FAMILY ||
		    !read_socket(message.body, protocol, &socket))
			continue;
		if (!host_sockets_add(list, &socket) && !list->cut)
			return ENOMEM;
	}
	return 0;
}

bool host_socket_hears(const struct host_socket *socket, enum tenf_protocol protocol,
		       const struct tenf_address *address, uint16_t port)
{
	bool v4;

	if (socket->protocol != protocol || socket->port != port)
		return false;
	if (address == NULL)
		return true;
	v4 = tenf_address_is_v4(address);
	if (!tenf_address_is_none(&socket->address))
		return tenf_address_equal(&socket->address, address);
	if (tenf_address_is_v4(&socket->address))
		return v4;
	return !v4 || !socket->only_v6;
}

bool host_socket_is_outward(const struct host_socket *socket)
{
	return !tenf_address_is_loopback(&socket->address);
}

const struct host_socket *host_sockets_find(const struct host_sockets *list,
					    enum tenf_protocol protocol,
					    const struct tenf_address *address, uint16_t port)
{
	const struct host_socket *best = NULL;

	for (size_t i = 0; i < list->count; i++) {
		const struct host_socket *one = &list->items[i];

		if (!host_socket_hears(one, protocol, address, port))
			continue;
		/* Bound to the very address is nearer than bound to all. */
		if (best == NULL || (tenf_address_is_none(&best->address) &&
				     !tenf_address_is_none(&one->address) &&
				     host_socket_is_outward(one)))
			best = one;
	}
	return best;
}
