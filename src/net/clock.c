/* SPDX-License-Identifier: MIT */
#include "net/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static int64_t read_us(clockid_t clock)
{
	struct timespec t = { 0 };

	(void)clock_gettime(clock, &t); /* neither clock can fail on Linux */
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t floor_s(int64_t us)
{
	return us / 1000000 - (us % 1000000 < 0);
}

tenf_time net_now(void)
{
	return read_us(CLOCK_BOOTTIME);
}

int64_t net_wall_s(void)
{
	return floor_s(read_us(CLOCK_REALTIME));
}

int64_t net_wall_of_s(tenf_time at)
{
	int64_t ahead;
	int64_t wall;

	if (__builtin_sub_overflow(at, net_now(), &ahead) ||
	    __builtin_add_overflow(read_us(CLOCK_REALTIME), ahead, &wall))
		return floor_s(at > 0 ? INT64_MAX : INT64_MIN);
	return floor_s(wall);
}

/* A nonce that can be guessed would hand our mappings to others, and there is
 * no way to go on without one: so a kernel without a generator ends us here. */
static void kernel_fill(void *context, void *data, size_t len)
{
	uint8_t *at = data;

	(void)context;
	while (len > 0) {
		ssize_t got = getrandom(at, len, 0);

		if (got < 0 && errno != EINTR)
			abort();
		if (got > 0) {
			at += got;
			len -= (size_t)got;
		}
	}
}

struct tenf_random net_random(void)
{
	return (struct tenf_random){ .fill = kernel_fill };
}
