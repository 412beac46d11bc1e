/* SPDX-License-Identifier: MIT */
/* How long a gateway is left alone after it did not grant something. */
#include "keeper/keeper-private.h"

#include "core/schedule.h"

/* Holds for errors whose answer names none: NAT-PMP has no error lifetimes,
 * and some PCP gateways send 0. The figures are PCP's (RFC 6887 §7.4). */
#define HOLD_SHORT (30 * TENF_SECOND)
#define HOLD_LONG (1800 * TENF_SECOND)
#define HOLD_OTHER_PORT (120 * TENF_SECOND)

#define BACKOFF_MIN RENEWAL_SPACING
#define BACKOFF_MAX (64 * TENF_SECOND) /* NAT-PMP's slowest spacing */

static tenf_duration backoff(const struct keeper_mapping *m)
{
	unsigned doublings = m->failures < 4 ? m->failures : 4;

	return tenf_time_min(BACKOFF_MIN << doublings, BACKOFF_MAX);
}

tenf_duration hold_of(const struct core_answer *answer)
{
	switch (answer->reason) {
	case TENF_REASON_RESOURCES:
	case TENF_REASON_NO_NETWORK:
		return answer->lifetime_s > 0 ? tenf_seconds(answer->lifetime_s) : HOLD_SHORT;
	case TENF_REASON_OTHER_PORT:
		return answer->external_port == 0 && answer->lifetime_s > 0 ?
			       tenf_seconds(answer->lifetime_s) :
			       HOLD_OTHER_PORT;
	case TENF_REASON_REFUSED:
	case TENF_REASON_MALFORMED:
	case TENF_REASON_NONE:
	case TENF_REASON_NO_GATEWAY:
	case TENF_REASON_SILENT:
	case TENF_REASON_NO_SERVICE:
	case TENF_REASON_SYSTEM:
		break;
	}
	return answer->lifetime_s > 0 && answer->external_port == 0 ?
		       tenf_seconds(answer->lifetime_s) :
		       HOLD_LONG;
}

tenf_duration hold_retry(const struct keeper_mapping *m)
{
	const struct core_answer *answer = &m->inquiry.answer;

	if (answer->reason == TENF_REASON_SILENT)
		return backoff(m);
	if (answer->reason == TENF_REASON_NO_SERVICE)
		return tenf_time_max(backoff(m), tenf_seconds(answer->lifetime_s));
	return hold_of(answer);
}
