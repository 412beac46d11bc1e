/* SPDX-License-Identifier: MIT */
/*
 * A network namespace of the test's own, with the links it wants, without
 * root where the kernel allows user namespaces. The process moves into it; the
 * one it was in before, when the last test made it, is taken away by the
 * kernel. Where namespaces or `ip` are missing the tests skip.
 */
#ifndef TENF_TESTS_NETNS_H
#define TENF_TESTS_NETNS_H

#include <stdbool.h>

/* Into a fresh namespace with loopback up. False: the kernel says no. */
bool netns_enter(void);

/* Runs `ip`, or `ip -6`, with these lines as its batch; false when one failed. */
bool netns_ip(const char *lines);
bool netns_ip6(const char *lines);

/* Enters, and makes two Ethernets that are up: v0 with 10.0.0.2/24 and v1
 * with 10.1.0.2/24, whose other ends p0 and p1 are up without address. */
bool netns_enter_with_links(void);

/* A tun device that is up and has a carrier while the descriptor is open;
 * -1 where there is no such thing. */
int netns_tun(const char *name);

/* Writes one value below /proc/sys/net. */
bool netns_sysctl(const char *path, const char *value);

#endif
