/* SPDX-License-Identifier: MIT */
/*
 * How the helper talks to the kernel: messages out, messages in. A seam, so that
 * tests can lose, cut and forge what comes back; the real one is a netlink
 * socket. Errors are errno numbers, 0 is success.
 */
#ifndef TENF_GATEWAY_HELPER_TRANSPORT_H
#define TENF_GATEWAY_HELPER_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRANSPORT_MESSAGE_MAX 32768 /* octets the kernel answers with at once */
#define TRANSPORT_WAIT_S 2          /* an answer that takes longer counts as lost */

struct helper_transport {
	void *context;
	size_t send_max; /* octets of one message */
	/* All of it or an error. */
	int (*send)(void *context, const void *data, size_t len);
	/* EAGAIN: nothing there, after TRANSPORT_WAIT_S when `wait`. EMSGSIZE: it was
	 * larger than the buffer and is gone. ENOBUFS: something was lost. */
	int (*receive)(void *context, void *buffer, size_t size, bool wait, size_t *ret_len);
};

/* A netlink socket of the netfilter family. */
struct netlink_transport {
	int fd;
	size_t send_max;
};

int netlink_transport_open(struct netlink_transport *ret);
void netlink_transport_close(struct netlink_transport *netlink);
struct helper_transport netlink_transport_of(struct netlink_transport *netlink);

/* Throws away what waits to be received. */
void transport_drain(const struct helper_transport *transport);

#endif
