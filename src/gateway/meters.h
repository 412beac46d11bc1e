/* SPDX-License-Identifier: MIT */
/*
 * What the running gateway counts: requests by method and result, decisions,
 * and how long answers took. Counting is an addition; the page that is made of it
 * is metrics.c. It reads no clock.
 */
#ifndef TENF_GATEWAY_METERS_H
#define TENF_GATEWAY_METERS_H

#include "gateway/responder.h"

#define METERS_RESULTS 16 /* result codes of either protocol that are told apart */
#define METERS_VERDICTS 16
#define METERS_BUCKETS 12
#define METERS_ERRORS 134 /* those of Linux end at 133; others count as 0 */

enum meters_method {
	METERS_NATPMP,
	METERS_PCP,
	METERS_METHODS,
};

struct meters {
	uint64_t requests[METERS_METHODS][METERS_RESULTS];
	uint64_t decisions[METERS_VERDICTS]; /* by enum responder_verdict */
	uint64_t latency[METERS_BUCKETS + 1]; /* answers, by meters_bounds */
	tenf_duration latency_sum;
	uint64_t errors[METERS_ERRORS]; /* commits that failed, by errno; 0: not known */
	uint64_t turns; /* of the loop in which answers left */
};

extern const tenf_duration meters_bounds[METERS_BUCKETS];

void meters_record(struct meters *m, const struct responder_record *record);
/* So many answers left together, `took` after the first of their requests was read. */
void meters_answers(struct meters *m, uint64_t answers, tenf_duration took);

/* A commit failed, and the kernel said this errno. */
void meters_error(struct meters *m, int code);

#endif
