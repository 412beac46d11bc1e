/* SPDX-License-Identifier: MIT */
#include "netns.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 5000 /* for what takes a moment; being over is a failure */

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done;

	if (fd < 0)
		return false;
	done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	(void)close(fd);
	return done;
}

/* Becomes root of a user namespace, which may then make network namespaces. */
static bool enter_user_namespace(void)
{
	char uid[32];
	char gid[32];

	(void)snprintf(uid, sizeof(uid), "0 %u 1", (unsigned)getuid());
	(void)snprintf(gid, sizeof(gid), "0 %u 1", (unsigned)getgid());
	return unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 &&
	       write_file("/proc/self/setgroups", "deny") &&
	       write_file("/proc/self/uid_map", uid) && write_file("/proc/self/gid_map", gid);
}

bool netns_enter(void)
{
	if (unshare(CLONE_NEWNET) != 0 && !enter_user_namespace())
		return false;
	return netns_ip("link set lo up\n");
}

static bool run_batch(const char *command, const char *lines)
{
	FILE *ip = popen(command, "w");
	bool written;

	if (ip == NULL)
		return false;
	written = fputs(lines, ip) >= 0;
	return pclose(ip) == 0 && written;
}

bool netns_ip(const char *lines)
{
	return run_batch("PATH=$PATH:/usr/sbin:/sbin exec ip -batch -", lines);
}

bool netns_ip6(const char *lines)
{
	return run_batch("PATH=$PATH:/usr/sbin:/sbin exec ip -6 -batch -", lines);
}

static bool is_running(int fd, const char *name)
{
	struct ifreq request = { 0 };

	strncpy(request.ifr_name, name, sizeof(request.ifr_name) - 1);
	return ioctl(fd, SIOCGIFFLAGS, &request) == 0 && request.ifr_flags & IFF_RUNNING;
}

static bool are_running(int fd)
{
	return is_running(fd, "v0") && is_running(fd, "p0") && is_running(fd, "v1") &&
	       is_running(fd, "p1");
}

/* The kernel notices a carrier a moment later, on a thread of its own, and
 * drops what is sent before; `events` hears of links. */
static bool wait_for_carriers(int events)
{
	struct pollfd one = { .fd = events, .events = POLLIN };
	char buffer[4096];
	bool running = false;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	while (fd >= 0 && !(running = are_running(fd)) && poll(&one, 1, PATIENCE_MS) > 0)
		(void)recv(events, buffer, sizeof(buffer), 0);
	if (fd >= 0)
		(void)close(fd);
	return running;
}

static bool set_links_up(void)
{
	struct sockaddr_nl links = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	int events = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	bool done;

	if (events < 0)
		return false;
	done = bind(events, (struct sockaddr *)&links, sizeof(links)) == 0 &&
	       netns_ip("link set p0 up\n"
			"link set p1 up\n"
			"link set v0 up\n"
			"link set v1 up\n") &&
	       wait_for_carriers(events);
	(void)close(events);
	return done;
}

bool netns_enter_with_links(void)
{
	if (!netns_enter() || !netns_ip("link add v0 type veth peer name p0\n"
					"link add v1 type veth peer name p1\n"))
		return false;
	/* No addresses but ours; fails where the kernel has no IPv6, which is fine. */
	(void)netns_ip("link set v0 addrgenmode none\n"
		       "link set p0 addrgenmode none\n"
		       "link set v1 addrgenmode none\n"
		       "link set p1 addrgenmode none\n");
	return set_links_up() && netns_ip("address add 10.0.0.2/24 dev v0\n"
					  "address add 10.1.0.2/24 dev v1\n");
}

int netns_tun(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	char lines[64];
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -1;
	strncpy(request.ifr_name, name, sizeof(request.ifr_name) - 1);
	(void)snprintf(lines, sizeof(lines), "link set %s addrgenmode none up\n", name);
	if (ioctl(fd, TUNSETIFF, &request) != 0 || !netns_ip(lines)) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

bool netns_sysctl(const char *path, const char *value)
{
	char full[128];

	(void)snprintf(full, sizeof(full), "/proc/sys/net/%s", path);
	return write_file(full, value);
}
