/* SPDX-License-Identifier: MIT */
#include "agent/namespace-child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- Rights --------------------------------------------------------------- */

/* By the system calls themselves: two of them are all that is needed of libcap. */
int namespace_drop_rights(bool all)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct have[_LINUX_CAPABILITY_U32S_3];
	bool any = false;

	if (syscall(SYS_capget, &header, have) != 0)
		return errno;
	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		uint32_t drop = all	 ? UINT32_MAX
				: i == 0 ? (uint32_t)1 << CAP_SYS_ADMIN
					 : 0;

		any = any || ((have[i].effective | have[i].permitted | have[i].inheritable) & drop);
		have[i].effective &= ~drop;
		have[i].permitted &= ~drop;
		have[i].inheritable &= ~drop; /* the ambient set goes with it */
	}
	/* A sandbox may forbid the call to those who have nothing to drop. */
	return any && syscall(SYS_capset, &header, have) != 0 ? errno : 0;
}

/* ---- Serving -------------------------------------------------------------- */

bool namespace_child_makes(const struct namespace_request *request)
{
	int32_t kind = request->type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);

	switch (request->domain) {
	case AF_INET:
	case AF_INET6:
		return kind == SOCK_DGRAM || kind == SOCK_STREAM;
	case AF_NETLINK:
		return kind == SOCK_RAW && request->protocol == NETLINK_ROUTE;
	default:
		return false;
	}
}

static bool answer(int to, const struct namespace_answer *words, int fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct namespace_answer copy = *words;
	struct iovec part = { .iov_base = &copy, .iov_len = sizeof(copy) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	struct cmsghdr *header;

	if (fd >= 0) {
		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		header = CMSG_FIRSTHDR(&message);
		*header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
					    .cmsg_len = CMSG_LEN(sizeof(fd)) };
		memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	}
	return sendmsg(to, &message, MSG_NOSIGNAL) == (ssize_t)sizeof(copy);
}

static bool serve(int fd, const struct namespace_request *request)
{
	struct namespace_answer words = { .code = EACCES };
	bool good;
	int made = -1;

	if (namespace_child_makes(request)) {
		made = socket(request->domain, request->type, request->protocol);
		words.code = made < 0 ? errno : 0;
	}
	good = answer(fd, &words, made);
	if (made >= 0)
		(void)close(made);
	return good;
}

/* ---- Life ----------------------------------------------------------------- */

static struct namespace_answer enter(const char *path)
{
	int there = open(path, O_RDONLY | O_CLOEXEC);
	int code;

	if (there < 0)
		return (struct namespace_answer){ errno, NAMESPACE_NOT_OPENED };
	if (setns(there, CLONE_NEWNET) != 0)
		return (struct namespace_answer){ errno, NAMESPACE_NOT_ENTERED };
	(void)close(there);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	code = namespace_drop_rights(true);
	return (struct namespace_answer){ code,
					  code != 0 ? NAMESPACE_KEEPS_RIGHTS : NAMESPACE_SERVED };
}

/* The store, the control socket and the others' children are not ours. */
static void keep_alone(int fd)
{
	if (fd > 0)
		(void)close_range(0, (unsigned)fd - 1, 0);
	(void)close_range((unsigned)fd + 1, ~0u, 0);
}

void namespace_child(int fd, const char *path)
{
	struct namespace_request request;
	struct namespace_answer entered;
	ssize_t got;

	/* Whoever ends us ends the agent, which still needs us to give up its mappings. */
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	keep_alone(fd);
	entered = enter(path);
	if (!answer(fd, &entered, -1) || entered.code != 0)
		_exit(1);
	do {
		got = recv(fd, &request, sizeof(request), 0);
	} while ((got < 0 && errno == EINTR) ||
		 (got == (ssize_t)sizeof(request) && serve(fd, &request)));
	_exit(0);
}
