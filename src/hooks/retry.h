/* SPDX-License-Identifier: MIT */
/*
 * When to try again what failed: after a first wait, then twice as long each
 * time, up to 5 minutes. Up to a quarter of each wait is left out by chance, so that what
 * failed together does not come back together. No clock and no timer of its own.
 */
#ifndef TENF_HOOKS_RETRY_H
#define TENF_HOOKS_RETRY_H

#include "base/random.h"
#include "base/time.h"

#define RETRY_FIRST (1 * TENF_SECOND)
#define RETRY_MAX (300 * TENF_SECOND)

struct retry {
	tenf_duration first; /* 0: RETRY_FIRST */
	uint32_t tries;      /* failed in a row; 0 starts anew */
};

/* Counts one more failure and gives the time of the next try. */
tenf_time retry_failed(struct retry *retry, tenf_time now, const struct tenf_random *random);

#endif
