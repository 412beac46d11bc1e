/* SPDX-License-Identifier: MIT */
/* From a deadline of ours to a time-out for poll(). */
#ifndef TENF_LIB_WAIT_H
#define TENF_LIB_WAIT_H

#include "base/time.h"

#include <stdint.h>

/* Rounded up, so that whoever wakes up is not too early; -1 for never. */
static inline int timeout_until_ms(tenf_time deadline, tenf_time now)
{
	tenf_duration left_ms;

	if (deadline == TENF_NEVER)
		return -1;
	if (deadline <= now)
		return 0;
	left_ms = (deadline - now + TENF_MILLISECOND - 1) / TENF_MILLISECOND;
	return left_ms < INT32_MAX ? (int)left_ms : INT32_MAX;
}

#endif
