/* SPDX-License-Identifier: MIT */
/*
 * Who else is in the network: strangers who answer in place of the gateway from another
 * address or port, guess nonces, announce restarts, and ask the gateway for ports.
 * None of it may do any harm. Lies in the gateway's own name, which nothing in
 * NAT-PMP could tell from the truth, are the network's (corrupt) instead.
 */
#ifndef TENF_SIM_STRANGERS_H
#define TENF_SIM_STRANGERS_H

#include "sim-world.h"

/* Beside each packet of a host, by the profile's chance. */
void sim_strangers_send(struct sim_world *world, const struct sim_host *host);

#endif
