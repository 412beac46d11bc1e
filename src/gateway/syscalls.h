/* SPDX-License-Identifier: MIT */
/*
 * The lists of system calls that are left to the processes of the gateway. A
 * call that is not on the list fails with "not permitted", so that a library which
 * tries something new does without it, and an intruder gets no further.
 */
#ifndef TENF_GATEWAY_SYSCALLS_H
#define TENF_GATEWAY_SYSCALLS_H

#include <stdbool.h>

enum syscalls_of {
	SYSCALLS_DAEMON = 1, /* sockets, files, threads */
	SYSCALLS_HELPER,     /* netlink and its pair of sockets; files to read */
};

/* For this process and all its threads, for ever. 0, or an errno: ENOSYS when
 * this build has no filter, what the kernel said otherwise. */
int syscalls_limit(enum syscalls_of whose);

#endif
