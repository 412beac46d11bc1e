/* SPDX-License-Identifier: MIT */
/*
 * Finding the router behind the router: a datagram that may live for so many hops is
 * sent to nobody, and who buries it says so (RFC 792), without any right of ours.
 * Works on a datagram socket of the caller's and does not wait.
 */
#ifndef TENF_HOPS_SEARCH_H
#define TENF_HOPS_SEARCH_H

#include "base/address.h"

/* Sends it from an IPv4 datagram socket, by this interface ("": any). False when the
 * system says no. */
TENF_CHECKED bool hop_search_send(int fd, const char *interface, unsigned hops);
/* Once the socket has an error waiting (POLLERR): the address of who buried it. False
 * where another word came, or none yet. */
TENF_CHECKED bool hop_search_read(int fd, struct tenf_address *ret);

#endif
