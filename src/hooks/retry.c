/* SPDX-License-Identifier: MIT */
#include "hooks/retry.h"

tenf_time retry_failed(struct retry *retry, tenf_time now, const struct tenf_random *random)
{
	tenf_duration wait = retry->first > 0 ? retry->first : RETRY_FIRST;

	for (uint32_t i = 0; i < retry->tries && wait < RETRY_MAX; i++)
		wait *= 2;
	wait = wait < RETRY_MAX ? wait : RETRY_MAX;
	if (retry->tries < UINT32_MAX)
		retry->tries++;
	wait -= (tenf_duration)tenf_random_below(random, (uint64_t)wait / 4 + 1);
	return tenf_time_add(now, wait);
}
