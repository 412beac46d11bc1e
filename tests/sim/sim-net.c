/* SPDX-License-Identifier: MIT */
#include "sim-net.h"

#include "sim-profile.h"

#include <string.h>

void sim_net_init(struct sim_net *net, const struct sim_faults *faults,
		  const struct tenf_random *random)
{
	net->faults = *faults;
	net->random = *random;
	net->order = 0;
	net->carried = 0;
	net->overrun = false;
	net->count = 0;
	for (size_t i = 0; i < SIM_FLIGHT_MAX; i++)
		net->heap[i] = &net->packets[i];
}

/* ---- The heap: those under way first, the unused packets behind them -------- */

static bool before(const struct sim_packet *a, const struct sim_packet *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void swap(struct sim_net *net, size_t a, size_t b)
{
	struct sim_packet *packet = net->heap[a];

	net->heap[a] = net->heap[b];
	net->heap[b] = packet;
}

static void sift_up(struct sim_net *net, size_t at)
{
	while (at > 0 && before(net->heap[at], net->heap[(at - 1) / 2])) {
		swap(net, at, (at - 1) / 2);
		at = (at - 1) / 2;
	}
}

static void sift_down(struct sim_net *net, size_t at)
{
	for (;;) {
		size_t least = at;

		for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++) {
			if (child < net->count && before(net->heap[child], net->heap[least]))
				least = child;
		}
		if (least == at)
			return;
		swap(net, at, least);
		at = least;
	}
}

/* ---- What happens to a packet ------------------------------------------------- */

static bool strikes(const struct sim_net *net, unsigned chance)
{
	return chance > 0 && tenf_random_below(&net->random, SIM_CHANCE_ALL) < chance;
}

static tenf_duration delay(const struct sim_net *net, bool repeated)
{
	const struct sim_faults *f = &net->faults;
	tenf_duration spread = f->delay_max - f->latency;

	if (spread <= 0 || (!repeated && !strikes(net, f->reorder)))
		return f->latency;
	return f->latency +
	       (tenf_duration)tenf_random_below(&net->random, (uint64_t)spread + 1);
}

static void damage(const struct sim_net *net, struct sim_packet *packet)
{
	if (packet->len == 0)
		return;
	if (strikes(net, net->faults.truncate)) {
		packet->len = (size_t)tenf_random_below(&net->random, packet->len);
		packet->altered = true;
	}
	if (packet->len > 0 && strikes(net, net->faults.corrupt)) {
		uint64_t bits = 1 + tenf_random_below(&net->random, 3);

		while (bits-- > 0) {
			uint64_t bit = tenf_random_below(&net->random, packet->len * 8);

			packet->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		packet->altered = true;
	}
}

static void post(struct sim_net *net, const struct sim_packet *packet, bool repeated, tenf_time now)
{
	struct sim_packet *slot;

	if (net->count == SIM_FLIGHT_MAX) {
		net->overrun = true;
		return;
	}
	slot = net->heap[net->count];
	memcpy(slot, packet, offsetof(struct sim_packet, data) + packet->len);
	damage(net, slot);
	slot->at = now + delay(net, repeated);
	slot->order = net->order++;
	sift_up(net, net->count++);
}

void sim_net_send(struct sim_net *net, const struct sim_packet *packet, tenf_time now)
{
	net->carried++;
	if (strikes(net, net->faults.loss))
		return;
	post(net, packet, false, now);
	if (strikes(net, net->faults.duplicate))
		post(net, packet, true, now);
}

tenf_time sim_net_deadline(const struct sim_net *net)
{
	return net->count > 0 ? net->heap[0]->at : TENF_NEVER;
}

bool sim_net_arrive(struct sim_net *net, tenf_time now, struct sim_packet *ret)
{
	struct sim_packet *first = net->heap[0];

	if (net->count == 0 || first->at > now)
		return false;
	memcpy(ret, first, offsetof(struct sim_packet, data) + first->len);
	net->count--;
	swap(net, 0, net->count);
	sift_down(net, 0);
	return true;
}
