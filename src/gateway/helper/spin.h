/* SPDX-License-Identifier: MIT */
/*
 * Waiting for the other process without sleeping, for some microseconds. Daemon
 * and helper answer each other within about as long as it takes to put a
 * processor to sleep and to wake it again, several times that on a virtual machine:
 * with requests one after the other most of the time went there. Who waits
 * therefore looks again and again for a moment before it sleeps, as long as the last
 * wait was as short: not in large bursts, which leave enough to do, and
 * not on a machine of one processor.
 */
#ifndef TENF_GATEWAY_HELPER_SPIN_H
#define TENF_GATEWAY_HELPER_SPIN_H

#include "base/time.h"

#include <stdbool.h>

#define SPIN_TIME (200 * (TENF_MILLISECOND / 1000))

struct spin {
	bool is_possible; /* more than one processor */
	bool is_useful;   /* the last wait was short */
};

void spin_init(struct spin *spin);
/* Waits for something to read, at most `patience_ms`, at least for SPIN_TIME where that is
 * useful. True when there is something, also an end or an error. */
bool spin_wait(struct spin *spin, int fd, int patience_ms);

#endif
