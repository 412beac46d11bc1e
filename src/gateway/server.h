/* SPDX-License-Identifier: MIT */
/*
 * The daemon's UDP sockets: one for each address it listens on. A datagram
 * comes with the address and the interface it arrived at, and an answer leaves from
 * the address that was asked (RFC 6887 §8.2). Both go in batches.
 */
#ifndef TENF_GATEWAY_SERVER_H
#define TENF_GATEWAY_SERVER_H

#include "gateway/responder.h"
#include "net/error.h"

#define SERVER_BATCH 64 /* datagrams of one system call */

/* Bound, non-blocking, close-on-exec; port 0 takes any, *ret_bound tells it. */
TENF_CHECKED enum tenf_status server_open(const struct tenf_endpoint *listen, int *ret_fd,
					  struct tenf_endpoint *ret_bound,
					  struct net_error *reterr);

struct server_in;
struct server_in *server_in_new(void);
void server_in_free(struct server_in *in);
/* What waits, at most SERVER_BATCH; *ret lives until the next call. */
size_t server_receive(int fd, const struct tenf_endpoint *bound, struct server_in *in,
		      const struct responder_datagram **ret);

struct server_out;
struct server_out *server_out_new(void);
void server_out_free(struct server_out *out);
/* Copies the datagram; sends when the batch is full or was for another socket.
 * What the kernel does not take is lost, as on any network. */
void server_send(struct server_out *out, int fd, const struct responder_datagram *datagram);
void server_flush(struct server_out *out);

#endif
