/* SPDX-License-Identifier: MIT */
/*
 * The network of the simulated laptop, in the place of src/net: what
 * net/clock.h, udp.h, poll.h, changes.h and gateways.h declare is defined here
 * in virtual time, so that the library's session runs unchanged above it. There
 * is a wireless link, which is at one place or at none, and a tunnel that is up
 * or down. Behind each a gateway of its own answers, all of them at the same
 * address, as in life. A descriptor is a number and nothing more: no socket is made.
 */
#ifndef TENF_SIM_LAPTOP_NET_H
#define TENF_SIM_LAPTOP_NET_H

#include "sim-gateway.h"
#include "sim-net.h"

#define LAPTOP_WIFI "wlan0"
#define LAPTOP_TUNNEL "wg0"
#define LAPTOP_WALL_S 1795000000 /* wall clock of virtual time 0 */

enum laptop_place { PLACE_HOME, PLACE_OFFICE, PLACE_VPN, PLACES, PLACE_CAFE = PLACES, PLACE_NONE };

struct laptop_net {
	tenf_time now;
	bool awake;
	enum laptop_place wifi; /* HOME, OFFICE, CAFE (nobody answers), NONE */
	bool tunnel;
	bool silent; /* every gateway, for a while */
	uint64_t attached; /* times the wireless link came to a place */
	struct sim_gateway gateways[PLACES];
	struct sim_net air;
	struct tenf_seeded seeded;
	uint64_t sent;
};

/* The one network of this process: src/net has no object to hang it on. */
extern struct laptop_net laptop_net;

/* From a seed; the laptop is awake, without any network, nothing is open. */
void laptop_net_begin(uint64_t seed);
void laptop_net_end(void);

/* Links, addresses or routes changed: whoever listens hears it. */
void laptop_net_changed(void);
/* Own address at a place. */
struct tenf_address laptop_net_address(enum laptop_place place);
/* Whether a gateway is reached now: the place of the default route, of the tunnel. */
bool laptop_net_is_at(enum laptop_place place);

/* Carries what has arrived by now, and lets the gateways have their turn. */
void laptop_net_turn(void);
/* When the air or a gateway has something to do. */
tenf_time laptop_net_deadline(void);
/* Whether a descriptor of net_poll_open() has something to read. */
bool laptop_net_readable(int poll_fd);

#endif
