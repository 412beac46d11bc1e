/* SPDX-License-Identifier: MIT */
/*
 * Counts what is allocated through it, so that growth shows: the simulator
 * gives each engine and the gateway one of its own.
 */
#ifndef TENF_SIM_MEMORY_H
#define TENF_SIM_MEMORY_H

#include "base/memory.h"

#include <stddef.h>

struct sim_memory {
	struct tenf_memory memory; /* hand this out */
	size_t octets;             /* allocated now */
};

void sim_memory_init(struct sim_memory *counted);

#endif
