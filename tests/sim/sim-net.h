/* SPDX-License-Identifier: MIT */
/*
 * The network between the hosts and the gateway: it loses, repeats, delays,
 * reorders, cuts and corrupts what is given to it, and hands out what arrives in the
 * order of its time. It knows nothing of who sends what to whom, and everything it does
 * comes from one random source.
 */
#ifndef TENF_SIM_NET_H
#define TENF_SIM_NET_H

#include "base/address.h"
#include "base/random.h"
#include "base/time.h"

#define SIM_PACKET_MAX 1104
#define SIM_FLIGHT_MAX 1024 /* packets under way at once; more would be a storm */

enum sim_way {
	SIM_TO_GATEWAY,
	SIM_TO_HOST,
	SIM_ANNOUNCED,      /* multicast, as it comes to one host */
	SIM_ICMP,           /* port unreachable, to one host */
};

struct sim_packet {
	tenf_time at;
	uint64_t order; /* of those that arrive together */
	enum sim_way way;
	unsigned host; /* whom it concerns */
	struct tenf_endpoint from;
	struct tenf_endpoint to;
	bool altered; /* not as it was sent: cut, corrupted or invented */
	size_t len;
	uint8_t data[SIM_PACKET_MAX];
};

/* Chances are parts of SIM_CHANCE_ALL, for each packet. */
struct sim_faults {
	unsigned loss;
	unsigned duplicate;
	unsigned reorder; /* a delay of its own instead of the common latency */
	unsigned truncate;
	unsigned corrupt;
	tenf_duration latency;
	tenf_duration delay_max;
};

struct sim_net {
	struct sim_faults faults;
	struct tenf_random random;
	uint64_t order;
	uint64_t carried;
	bool overrun; /* SIM_FLIGHT_MAX was reached */
	size_t count;
	struct sim_packet *heap[SIM_FLIGHT_MAX];
	struct sim_packet packets[SIM_FLIGHT_MAX];
};

void sim_net_init(struct sim_net *net, const struct sim_faults *faults,
		  const struct tenf_random *random);
/* Copies the packet; `at` and `order` are the network's. */
void sim_net_send(struct sim_net *net, const struct sim_packet *packet, tenf_time now);
tenf_time sim_net_deadline(const struct sim_net *net);
/* The next packet that has arrived; false when there is none. */
bool sim_net_arrive(struct sim_net *net, tenf_time now, struct sim_packet *ret);

#endif
