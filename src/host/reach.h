/* SPDX-License-Identifier: MIT */
/*
 * Trying things on the network, one at a time and within a time limit: does a
 * connection come about, does anything answer a datagram, is a port free here.
 * Blocks, for `timeout_ms` at most.
 */
#ifndef TENF_HOST_REACH_H
#define TENF_HOST_REACH_H

#include "base/address.h"

#include <stddef.h>

enum host_reach {
	HOST_OPEN,    /* TCP: accepted; UDP: something answered */
	HOST_REFUSED, /* nobody listens there, and something said so */
	HOST_SILENT,  /* no word within the time */
	HOST_NO_WAY,  /* no route, or the system said no */
};

/* Connects and closes at once. */
enum host_reach host_reach_tcp(const struct tenf_endpoint *to, unsigned timeout_ms);
/* Sends one datagram and waits for one answer, which is put in `ret_answer`
 * (may be NULL); `*ret_len` is its room before and its length after. */
enum host_reach host_reach_udp(const struct tenf_endpoint *to, const void *data, size_t len,
			       unsigned timeout_ms, void *ret_answer, size_t *ret_len);

/* Asks a STUN server by what address it sees us. TENF_E_AGAIN when it does not
 * answer, TENF_E_UNREACHABLE, TENF_E_MALFORMED for an answer that makes no sense. */
TENF_CHECKED enum tenf_status host_stun(const struct tenf_endpoint *server, unsigned timeout_ms,
					struct tenf_endpoint *ret);

/* The router that is `hops` steps away on the way to the internet: a datagram that may
 * live for so many is sent to nobody (RFC 5737), and who buries it says so. */
bool host_hop(unsigned hops, unsigned timeout_ms, struct tenf_address *ret);

/* Whether the announcements of gateways can be heard beside others who do: another
 * program may have taken the port for itself alone (RFC 6886 §3.2.1). */
bool host_can_share_port(uint16_t port);

/* A port that nobody here uses now, as the kernel chooses one. */
bool host_free_port(enum tenf_protocol protocol, uint16_t *ret);

#endif
