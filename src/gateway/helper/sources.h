/* SPDX-License-Identifier: MIT */
/*
 * The way out of a mapping (an element of a part of snat4) lasts longer than its lease and is
 * removed with it. Where a lease ended while no daemon ran it is still there, and
 * would give its host's packets a port that may be another mapping's by now. So
 * a start, which reads all mappings, removes what leads out for none of them.
 */
#ifndef TENF_GATEWAY_HELPER_SOURCES_H
#define TENF_GATEWAY_HELPER_SOURCES_H

#include "gateway/helper/transaction.h"

/* One way out, as the kernel has it. */
struct source {
	uint8_t key[12];
	uint8_t data[8];
};

/* Those of the mappings that are there; begins as all zero. */
struct sources {
	struct source *at;
	size_t count;
	size_t size;
};

void sources_done(struct sources *s);

/* Remembers that of a mapping; one without is passed over. ENOMEM. */
int sources_keep(struct sources *s, const struct helper_mapping *m);

/* When all are remembered. False: one is there twice. */
bool sources_sort(struct sources *s);

/* Puts the removal of every other one into the transaction, or of as many as fit: E2BIG.
 * 0 or another errno, of reading. */
int sources_put_others(const struct sources *s, const struct helper_transport *transport,
		       struct transaction *t);

#endif
