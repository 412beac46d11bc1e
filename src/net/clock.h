/* SPDX-License-Identifier: MIT */
/* The clocks, read here and nowhere below. */
#ifndef TENF_NET_CLOCK_H
#define TENF_NET_CLOCK_H

#include "base/random.h"
#include "base/time.h"

/* CLOCK_BOOTTIME in microseconds: monotonic, and sleep counts (NP-C-27, PCP-C-22). */
tenf_time net_now(void);

/* Wall clock, seconds since 1970. */
int64_t net_wall_s(void);
/* Wall clock that belongs to a boot-time point `at`, seen from now. */
int64_t net_wall_of_s(tenf_time at);

/* The kernel's generator (getrandom), for nonces (RFC 6887 §11.2). */
struct tenf_random net_random(void);

#endif
