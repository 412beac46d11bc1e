/* SPDX-License-Identifier: MIT */
/* A network namespace for a test program alone: what it does to the kernel's rules
 * nobody else sees, and is gone when it ends. */
#ifndef TENF_TESTS_GATEWAY_KERNEL_H
#define TENF_TESTS_GATEWAY_KERNEL_H

#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

static inline void kernel_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, text, __builtin_strlen(text)) < 0)
		(void)fprintf(stderr, "# cannot write %s\n", path);
	(void)close(fd);
}

/* False: this machine does not allow it. As root directly, else as the root of a
 * user namespace. */
static inline bool kernel_enter(void)
{
	char map[64];
	unsigned user = geteuid();
	unsigned group = getegid();

	if (unshare(CLONE_NEWNET) == 0)
		return true;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return false;
	(void)snprintf(map, sizeof(map), "0 %u 1", user);
	kernel_write("/proc/self/uid_map", map);
	kernel_write("/proc/self/setgroups", "deny");
	(void)snprintf(map, sizeof(map), "0 %u 1", group);
	kernel_write("/proc/self/gid_map", map);
	return true;
}

#endif
