/* SPDX-License-Identifier: MIT */
/*
 * Whose a socket is: the process that has it open, by the links of
 * /proc/PID/fd, and the systemd unit and the container that process is in, by
 * /proc/PID/cgroup. The two readers are pure; programs_find() walks /proc. What
 * belongs to other users is seen by root alone.
 */
#ifndef TENF_HOST_PROGRAMS_H
#define TENF_HOST_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOST_WORD_SIZE 96 /* name of a unit or a container, with terminator */

struct host_program {
	int32_t pid;                    /* 0: not known */
	char name[32];                  /* "": not known */
	char unit[HOST_WORD_SIZE];      /* "sshd.service"; "": none */
	char container[HOST_WORD_SIZE]; /* "docker 0123456789ab"; "": none */
};

/* "socket:[4711]"; false when it is another thing. */
bool host_link_inode(const char *link, uint64_t *ret);

/* Unit and container from a cgroup file, of either version of control groups;
 * what is not in it becomes "". */
void host_cgroup_read(const char *text, size_t len, struct host_program *ret);

struct host_sockets;
/* Fills in the program of each socket that can be told; gives how many cannot. */
size_t host_programs_find(struct host_sockets *sockets);

#endif
