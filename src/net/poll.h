/* SPDX-License-Identifier: MIT */
/*
 * Several descriptors as one: an epoll set whose own descriptor is readable
 * when any member is. Members are told apart by a number of the caller's.
 */
#ifndef TENF_NET_POLL_H
#define TENF_NET_POLL_H

#include "base/attributes.h"

#include <stddef.h>
#include <stdint.h>
#include <tenforward/types.h>

TENF_CHECKED enum tenf_status net_poll_open(int *ret_fd);
TENF_CHECKED enum tenf_status net_poll_add(int poll_fd, int fd, uint64_t tag);
void net_poll_remove(int poll_fd, int fd);
/* Tags of the members that are readable, without waiting; at most `max`. */
size_t net_poll_ready(int poll_fd, uint64_t *ret_tags, size_t max);

/* Waits until `fd` is readable or `timeout_ms` is over (-1: for ever); true
 * when readable. For the blocking calls alone. */
bool net_wait(int fd, int timeout_ms);

#endif
