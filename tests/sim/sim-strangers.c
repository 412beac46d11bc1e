/* SPDX-License-Identifier: MIT */
#include "sim-strangers.h"

#include "wire/natpmp.h"
#include "wire/pcp.h"

#include <string.h>

#define PCP_EPOCH_AT 8
#define PCP_NONCE_AT 24
#define NATPMP_EPOCH_AT 4
#define NONCE_IS_WRONG 0x55

static const struct tenf_endpoint stranger = {
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 168, 1, 250 } }, 5351
};

static struct sim_packet answer_to(const struct sim_world *w, const struct sim_host *host)
{
	struct sim_packet packet = w->last_answer;

	packet.way = SIM_TO_HOST;
	packet.host = host->number;
	packet.to = host->socket;
	return packet;
}

/* A true answer of the gateway's, from somebody else, with a false epoch. */
static void from_elsewhere(struct sim_world *w, const struct sim_host *host)
{
	struct sim_packet packet = answer_to(w, host);
	size_t epoch_at = packet.data[0] == NATPMP_VERSION ? NATPMP_EPOCH_AT : PCP_EPOCH_AT;

	packet.from = stranger;
	if (sim_below(w, 2) == 0)
		packet.from = (struct tenf_endpoint){ sim_gateway_address.address, 5353 };
	if (packet.len > epoch_at + 4)
		packet.data[epoch_at + 2] ^= 0xff;
	sim_net_send(&w->net, &packet, w->now);
}

/* In the gateway's name, but without knowing the nonce. */
static void wrong_nonce(struct sim_world *w, const struct sim_host *host)
{
	struct sim_packet packet = answer_to(w, host);

	if (packet.len < PCP_MAP_SIZE || packet.data[0] != PCP_VERSION)
		return;
	for (size_t i = 0; i < PCP_NONCE; i++)
		packet.data[PCP_NONCE_AT + i] ^= NONCE_IS_WRONG;
	packet.data[PCP_EPOCH_AT + 2] ^= 0xff;
	sim_net_send(&w->net, &packet, w->now);
}

static void noise(struct sim_world *w, const struct sim_host *host)
{
	struct sim_packet packet = { .way = SIM_TO_HOST, .host = host->number, .from = stranger,
				     .to = host->socket };

	packet.len = (size_t)sim_below(w, 64);
	tenf_random_fill(&w->random, packet.data, packet.len);
	sim_net_send(&w->net, &packet, w->now);
}

static void false_announcement(struct sim_world *w, const struct sim_host *host)
{
	struct sim_packet packet = { .way = SIM_ANNOUNCED, .host = host->number, .from = stranger };
	struct tenf_writer writer = tenf_writer_of(packet.data, sizeof(packet.data));

	pcp_write_answer(&writer, &(struct pcp_answer){ .opcode = PCP_ANNOUNCE, .epoch_s = 1 });
	packet.len = writer.used;
	sim_net_send(&w->net, &packet, w->now);
}

/* It asks for a port that one of the hosts may have, and to delete all of it. */
static void asks_the_gateway(struct sim_world *w, const struct sim_host *host)
{
	struct sim_packet packet = { .way = SIM_TO_GATEWAY, .host = host->number,
				     .from = stranger, .to = sim_gateway_address };
	struct tenf_writer writer = tenf_writer_of(packet.data, sizeof(packet.data));

	natpmp_write_request(&writer, &(struct natpmp_request){
					      .opcode = NATPMP_MAP_TCP,
					      .internal_port = (uint16_t)(5000 + sim_below(w, 24)),
					      .external_port = (uint16_t)(3000 + sim_below(w, 6)),
					      .lifetime_s = (uint32_t)sim_below(w, 2) * 120 });
	packet.len = writer.used;
	sim_net_send(&w->net, &packet, w->now);
}

void sim_strangers_send(struct sim_world *w, const struct sim_host *host)
{
	if (w->phase != SIM_WEATHER || w->profile->foreign == 0 ||
	    !sim_chance(w, w->profile->foreign))
		return;
	switch (sim_below(w, 5)) {
	case 0:
		from_elsewhere(w, host);
		break;
	case 1:
		wrong_nonce(w, host);
		break;
	case 2:
		noise(w, host);
		break;
	case 3:
		false_announcement(w, host);
		break;
	default:
		asks_the_gateway(w, host);
		break;
	}
}
