/* SPDX-License-Identifier: MIT */
/* time() of a computer whose clock is wrong, for a program that is started with this
 * preloaded: off by TENF_TEST_SHIFT_S seconds. */
#include <stdlib.h>
#include <time.h>

time_t time(time_t *ret)
{
	const char *shift = getenv("TENF_TEST_SHIFT_S");
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now) != 0)
		return (time_t)-1;
	now.tv_sec += shift != NULL ? (time_t)strtoll(shift, NULL, 10) : 0;
	if (ret != NULL)
		*ret = now.tv_sec;
	return now.tv_sec;
}
