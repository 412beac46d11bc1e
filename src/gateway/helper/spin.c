/* SPDX-License-Identifier: MIT */
#include "gateway/helper/spin.h"

#include "net/clock.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

void spin_init(struct spin *spin)
{
	bool is_possible = sysconf(_SC_NPROCESSORS_ONLN) > 1;

	*spin = (struct spin){ .is_possible = is_possible, .is_useful = is_possible };
}

static bool is_readable(int fd)
{
	char first;

	/* An error is for who reads. */
	return recv(fd, &first, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 ||
	       (errno != EAGAIN && errno != EINTR);
}

bool spin_wait(struct spin *spin, int fd, int patience_ms)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	tenf_time begun = net_now();
	bool ready;

	while (spin->is_useful && patience_ms != 0 && net_now() - begun < SPIN_TIME) {
		if (is_readable(fd))
			return true;
		(void)sched_yield(); /* whoever else has something to do goes first */
	}
	ready = poll(&wait, 1, patience_ms) > 0;
	spin->is_useful = spin->is_possible && ready && net_now() - begun < SPIN_TIME;
	return ready;
}
