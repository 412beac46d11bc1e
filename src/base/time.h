/* SPDX-License-Identifier: MIT */
/*
 * Time as every room below the edge sees it: a number that comes in as an
 * argument. Microseconds of a clock that never goes back and counts sleep
 * (CLOCK_BOOTTIME at the edge, anything in a test). Nothing here reads a clock.
 */
#ifndef TENF_BASE_TIME_H
#define TENF_BASE_TIME_H

#include <stdint.h>

typedef int64_t tenf_time;     /* a point in time */
typedef int64_t tenf_duration; /* a length of time */

#define TENF_MILLISECOND ((tenf_duration)1000)
#define TENF_SECOND ((tenf_duration)1000000)
#define TENF_NEVER INT64_MAX

static inline tenf_time tenf_time_min(tenf_time a, tenf_time b)
{
	return a < b ? a : b;
}

static inline tenf_time tenf_time_max(tenf_time a, tenf_time b)
{
	return a > b ? a : b;
}

/* `at + by`, where TENF_NEVER stays TENF_NEVER and nothing overflows. */
static inline tenf_time tenf_time_add(tenf_time at, tenf_duration by)
{
	tenf_time sum;

	if (at == TENF_NEVER || __builtin_add_overflow(at, by, &sum))
		return TENF_NEVER;
	return sum;
}

static inline tenf_duration tenf_seconds(int64_t seconds)
{
	return seconds * TENF_SECOND;
}

#endif
