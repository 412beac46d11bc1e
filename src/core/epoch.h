/* SPDX-License-Identifier: MIT */
/*
 * Did the gateway lose its state? Both protocols put "seconds since the
 * mapping table was initialised" into every answer; a client that keeps the last
 * value and its own clock can tell a restart (RFC 6886 §3.6, RFC 6887 §8.5).
 * The two protocols have rules of their own and are kept apart.
 */
#ifndef TENF_CORE_EPOCH_H
#define TENF_CORE_EPOCH_H

#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

struct epoch {
	bool known;
	int64_t server_s; /* as in the last packet */
	tenf_time at;     /* own clock when it came */
};

/* Each stores the new pair, whatever the verdict, and returns false when the
 * gateway must have restarted. The first packet ever is always valid. */
bool epoch_check_natpmp(struct epoch *epoch, uint32_t server_s, tenf_time now);
bool epoch_check_pcp(struct epoch *epoch, uint32_t server_s, tenf_time now);

#endif
