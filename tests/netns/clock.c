/* SPDX-License-Identifier: MIT */
/* The time of day of a computer whose clock is wrong, for a program that is started with
 * this preloaded: off by TENF_TEST_SHIFT_S seconds. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	const char *shift = getenv("TENF_TEST_SHIFT_S");

	if (syscall(SYS_clock_gettime, clock, ret) != 0)
		return -1;
	if (clock == CLOCK_REALTIME && shift != NULL)
		ret->tv_sec += (time_t)strtoll(shift, NULL, 10);
	return 0;
}
