/* SPDX-License-Identifier: MIT */
#include "net/poll.h"

#include "net/clock.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>

/* Asked for in one call; who has more members asks again, the kernel goes round. */
#define READY_MAX 64

enum tenf_status net_poll_open(int *ret_fd)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0)
		return errno == ENOMEM ? TENF_E_MEMORY : TENF_E_SYSTEM;
	*ret_fd = fd;
	return TENF_OK;
}

enum tenf_status net_poll_add(int poll_fd, int fd, uint64_t tag)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = tag };

	if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event) == 0)
		return TENF_OK;
	switch (errno) {
	case ENOMEM:
		return TENF_E_MEMORY;
	case ENOSPC:
		return TENF_E_LIMIT;
	case EEXIST:
		return TENF_E_ARGUMENT;
	default:
		return TENF_E_SYSTEM;
	}
}

void net_poll_remove(int poll_fd, int fd)
{
	struct epoll_event unused = { 0 };

	(void)epoll_ctl(poll_fd, EPOLL_CTL_DEL, fd, &unused);
}

size_t net_poll_ready(int poll_fd, uint64_t *ret_tags, size_t max)
{
	struct epoll_event events[READY_MAX];
	int count;

	if (max == 0)
		return 0;
	do {
		count = epoll_wait(poll_fd, events, max < READY_MAX ? (int)max : READY_MAX, 0);
	} while (count < 0 && errno == EINTR);
	for (int i = 0; i < count; i++)
		ret_tags[i] = events[i].data.u64;
	return count > 0 ? (size_t)count : 0;
}

/* Milliseconds until `end`, rounded up so that nobody wakes just too early. */
static int left_ms(tenf_time end)
{
	tenf_duration left = end - net_now();

	return left > 0 ? (int)((left + TENF_MILLISECOND - 1) / TENF_MILLISECOND) : 0;
}

bool net_wait(int fd, int timeout_ms)
{
	struct pollfd one = { .fd = fd, .events = POLLIN };
	tenf_time end = 0;
	int left = timeout_ms;
	int count;

	if (timeout_ms > 0)
		end = net_now() + timeout_ms * TENF_MILLISECOND;
	while ((count = poll(&one, 1, left)) < 0 && errno == EINTR)
		left = timeout_ms > 0 ? left_ms(end) : timeout_ms;
	return count > 0;
}
