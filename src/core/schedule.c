/* SPDX-License-Identifier: MIT */
#include "core/schedule.h"

#define PCP_IRT (3 * TENF_SECOND)
#define PCP_MRT (1024 * TENF_SECOND)
#define PLANNED_MAX_S 86400u

tenf_duration schedule_natpmp_wait(unsigned attempt)
{
	unsigned doublings = attempt < 1 ? 0 : attempt - 1;

	if (doublings > NATPMP_ATTEMPTS - 1)
		doublings = NATPMP_ATTEMPTS - 1;
	return 250 * TENF_MILLISECOND << doublings;
}

/* (1 + RAND) * base, RAND uniform in [-0.1, +0.1]. */
static tenf_duration spread(tenf_duration base, const struct tenf_random *random)
{
	tenf_duration tenth = base / 10;

	return base - tenth + (tenf_duration)tenf_random_below(random, (uint64_t)tenth * 2 + 1);
}

tenf_duration schedule_pcp_wait(tenf_duration previous, const struct tenf_random *random)
{
	if (previous == 0)
		return spread(PCP_IRT, random);
	return spread(tenf_time_min(2 * previous, PCP_MRT), random);
}

uint32_t schedule_planned_s(uint32_t granted_s)
{
	return granted_s < PLANNED_MAX_S ? granted_s : PLANNED_MAX_S;
}

void schedule_renewal_window(uint32_t lifetime_s, unsigned k, tenf_duration *ret_from,
			     tenf_duration *ret_to)
{
	tenf_duration lifetime = tenf_seconds(lifetime_s);

	*ret_from = lifetime - (lifetime >> k);
	*ret_to = *ret_from + (lifetime >> (k + 2));
}

tenf_duration schedule_renewal(uint32_t lifetime_s, unsigned k, tenf_duration after,
			       const struct tenf_random *random)
{
	tenf_duration from, to, at;

	if (k > 30)
		return TENF_NEVER;
	schedule_renewal_window(lifetime_s, k, &from, &to);
	at = from + (tenf_duration)tenf_random_below(random, (uint64_t)(to - from) + 1);
	if (after != RENEWAL_NONE && at < after + RENEWAL_SPACING)
		at = after + RENEWAL_SPACING;
	/* A try that leaves no time for an answer is no try. */
	if (at >= tenf_seconds(lifetime_s))
		return TENF_NEVER;
	return at;
}
