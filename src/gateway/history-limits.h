/* SPDX-License-Identifier: MIT */
/*
 * How much of what happened is remembered: what the configuration may say, and
 * what it says when it says nothing. No history is needed to know it.
 */
#ifndef TENF_GATEWAY_HISTORY_LIMITS_H
#define TENF_GATEWAY_HISTORY_LIMITS_H

#define HISTORY_DAYS 90     /* defaults */
#define HISTORY_SIZE 100000 /* events */
#define HISTORY_SIZE_MAX 10000000

#endif
