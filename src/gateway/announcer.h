/* SPDX-License-Identifier: MIT */
/*
 * When to announce that the gateway has a new epoch or another address: ten
 * times, 250 ms after the first and then at doubling gaps (RFC 6886 §3.2.1;
 * RFC 6887 §14.1.3 allows the same). It knows times alone; what is sent, and
 * to whom, is the responder's.
 */
#ifndef TENF_GATEWAY_ANNOUNCER_H
#define TENF_GATEWAY_ANNOUNCER_H

#include "base/time.h"

#include <stdbool.h>

#define ANNOUNCER_COUNT 10
#define ANNOUNCER_FIRST_GAP (250 * TENF_MILLISECOND)

struct announcer {
	tenf_time next; /* TENF_NEVER: nothing to announce */
	unsigned sent;
};

void announcer_init(struct announcer *a);
/* A new series, the first one now; a series under way is given up. */
void announcer_start(struct announcer *a, tenf_time now);
void announcer_stop(struct announcer *a);

/* Is one due? Then it counts as sent. A late one moves those behind it, so
 * that no gap is ever shorter than planned. */
bool announcer_take(struct announcer *a, tenf_time now);
tenf_time announcer_deadline(const struct announcer *a);

#endif
