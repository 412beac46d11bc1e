/* SPDX-License-Identifier: MIT */
/*
 * When to send again, and when to renew: the tables and formulas of RFC 6886
 * §3.1 and RFC 6887 §8.1.1, §11.2.1. Pure arithmetic; chance is an argument.
 */
#ifndef TENF_CORE_SCHEDULE_H
#define TENF_CORE_SCHEDULE_H

#include "base/random.h"
#include "base/time.h"

#define NATPMP_ATTEMPTS 9 /* RFC 6886 §3.1: the ninth is the last */

/* Wait after the attempt-th transmission (from 1): 250 ms, doubling; from the
 * ninth on 64 s, which is also the slowest spacing for ever. */
tenf_duration schedule_natpmp_wait(unsigned attempt);

/* RFC 6887 §8.1.1: IRT 3 s, MRT 1024 s, each with a fresh RAND of +-10 %.
 * `previous` is 0 for the first wait. */
tenf_duration schedule_pcp_wait(tenf_duration previous, const struct tenf_random *random);

/* Lifetimes over a day are planned as a day (RFC 6887 §15, NP-C-42). */
uint32_t schedule_planned_s(uint32_t granted_s);

#define RENEWAL_SPACING (4 * TENF_SECOND) /* RFC 6887 §11.2.1: never two within it */

/* Try k (from 1) lies in [1 - 2^-k, 1 - 2^-k + 2^-(k+2)] of the lifetime. */
void schedule_renewal_window(uint32_t lifetime_s, unsigned k, tenf_duration *ret_from,
			     tenf_duration *ret_to);

/* A random point of the k-th window, counted from the grant, but not within 4 s
 * of `after` (the try before, counted the same way, so negative when it came
 * before the grant; RENEWAL_NONE when there was none). TENF_NEVER when no such
 * point is left before the lease ends. */
#define RENEWAL_NONE INT64_MIN
tenf_duration schedule_renewal(uint32_t lifetime_s, unsigned k, tenf_duration after,
			       const struct tenf_random *random);

#define RESTART_DELAY_MAX (5 * TENF_SECOND) /* RFC 6886 §3.7, RFC 6887 §14.1.3 */

#endif
