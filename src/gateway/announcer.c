/* SPDX-License-Identifier: MIT */
#include "gateway/announcer.h"

void announcer_init(struct announcer *a)
{
	*a = (struct announcer){ .next = TENF_NEVER };
}

void announcer_start(struct announcer *a, tenf_time now)
{
	*a = (struct announcer){ .next = now };
}

void announcer_stop(struct announcer *a)
{
	announcer_init(a);
}

bool announcer_take(struct announcer *a, tenf_time now)
{
	if (a->next > now)
		return false;
	a->next = tenf_time_add(now, ANNOUNCER_FIRST_GAP << a->sent);
	a->sent++;
	if (a->sent == ANNOUNCER_COUNT)
		a->next = TENF_NEVER;
	return true;
}

tenf_time announcer_deadline(const struct announcer *a)
{
	return a->next;
}
