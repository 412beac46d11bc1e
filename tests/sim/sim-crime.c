/* SPDX-License-Identifier: MIT */
#include "sim-crime.h"

#include "sim-invariants.h"
#include "wire/natpmp.h"
#include "wire/pcp.h"

#define HOUR (3600 * TENF_SECOND)

static const struct {
	const char *name;
	const char *invariant;
	const char *profile;
} crimes[SIM_CRIMES] = {
	[SIM_NO_CRIME] = { "none", NULL, "calm" },
	[SIM_HALF_LEASES] = { "half-leases", "truth", "busy" },
	[SIM_NO_RENEWALS] = { "no-renewals", "renewal", "busy" },
	[SIM_UNDEAD] = { "undead", "grave", "busy" },
	[SIM_STORM] = { "storm", "storm", "busy" },
	[SIM_UNEVEN_PAIR] = { "uneven-pair", "pair", "busy" },
	[SIM_TWO_OWNERS] = { "two-owners", "owner", "busy" },
	[SIM_FORGETFUL] = { "forgetful", "truth", "busy" },
	[SIM_STUCK_CLOCK] = { "stuck-clock", "progress", "busy" },
	[SIM_LEAK] = { "leak", "memory", "busy" },
	[SIM_INVENTED_RESTART] = { "invented-restart", "restart", "busy" },
	[SIM_NEVER_WELL] = { "never-well", "liveness", "busy" },
	[SIM_HASTY] = { "hasty", "spacing", "busy" },
	[SIM_DRIFT] = { "drift", "ledger", "busy" },
	[SIM_DEAF] = { "deaf", "verdict", "busy" },
	[SIM_LEFTOVER] = { "leftover", "farewell", "busy" },
};

const char *sim_crime_name(enum sim_crime crime)
{
	return crimes[crime].name;
}

const char *sim_crime_invariant(enum sim_crime crime)
{
	return crimes[crime].invariant;
}

const char *sim_crime_profile(enum sim_crime crime)
{
	return crimes[crime].profile;
}

static bool is_create(const struct sim_packet *packet)
{
	struct pcp_request request;
	enum pcp_result result;

	return packet->data[0] == PCP_VERSION &&
	       pcp_parse_request(packet->data, packet->len, &request, &result) == PCP_PARSED &&
	       request.opcode == PCP_MAP && request.lifetime_s > 0;
}

bool sim_crime_eats(struct sim_world *w, struct sim_host *host, const struct sim_packet *packet)
{
	if (w->crime == SIM_STORM) {
		for (unsigned i = 0; i < 40; i++)
			sim_check_sent(w, host, packet);
	}
	if (w->crime == SIM_UNDEAD && is_create(packet))
		w->first_create = *packet;
	return w->crime == SIM_NO_RENEWALS && w->now > HOUR && w->phase == SIM_WEATHER;
}

static void double_u32(uint8_t *at)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < 4; i++)
		value = value << 8 | at[i];
	value *= 2;
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* Where the fields of a successful answer are: RFC 6886 §3.3, RFC 6887 §7.2. */
void sim_crime_forge(struct sim_world *w, struct sim_packet *answer)
{
	bool natpmp = answer->data[0] == NATPMP_VERSION;
	bool natpmp_map = natpmp && answer->len == 16 && answer->data[3] == NATPMP_SUCCESS;
	bool pcp_map = !natpmp && answer->len >= PCP_MAP_SIZE && answer->data[3] == PCP_SUCCESS;

	if (w->crime == SIM_HALF_LEASES && natpmp_map)
		double_u32(answer->data + 12);
	if (w->crime == SIM_HALF_LEASES && pcp_map)
		double_u32(answer->data + 4);
	if (w->crime == SIM_INVENTED_RESTART && w->now > HOUR)
		answer->data[natpmp ? 5 : 9] = answer->data[natpmp ? 6 : 10] = 0;
}

static bool all_have_left(const struct sim_world *w)
{
	for (size_t i = 0; i < w->host_count; i++) {
		if (sim_host_count(&w->hosts[i]) > 0)
			return false;
	}
	return w->phase == SIM_FAREWELL && w->gateway.held_count == 0;
}

/* An element for an address that no host ever had. */
static void leave_something(struct sim_world *w)
{
	w->gateway.held[w->gateway.held_count++] = (struct sim_held){
		.protocol = TENF_TCP,
		.internal = { tenf_address_v4(0xc0a801fa), 8080 },
		.external_port = 8080,
		.until = w->now + 24 * HOUR,
	};
}

void sim_crime_at_gateway(struct sim_world *w)
{
	struct sim_gateway *g = &w->gateway;

	g->changed |= w->crime != SIM_NO_CRIME;
	if (w->crime == SIM_DRIFT && w->now > HOUR && g->held_count > 0)
		g->held[0].until += TENF_SECOND;
	if (w->crime == SIM_LEFTOVER && all_have_left(w))
		leave_something(w);
	if (w->crime == SIM_FORGETFUL && w->now > HOUR && g->held_count > 0)
		g->held[0].until = w->now;
	for (size_t i = 1; w->crime == SIM_TWO_OWNERS && i < g->held_count; i++) {
		if (!tenf_address_equal(&g->held[0].internal.address,
					&g->held[i].internal.address))
			g->held[i].external_port = g->held[0].external_port;
	}
}

/* The keeper's own plan is later than the four seconds. */
static void renew_soon(const struct sim_world *w, struct sim_host *host, uint32_t id)
{
	struct keeper_mapping *m = keeper_find(&host->engine.keeper, id);

	if (m != NULL && m->phase == PHASE_HELD && m->wish.keep)
		tenf_heap_set(&host->engine.keeper.timers, &m->timer, w->now + TENF_SECOND);
}

void sim_crime_at_host(struct sim_world *w, struct sim_host *host,
		       const struct engine_event *event)
{
	struct sim_claim *claim = sim_host_claim(host, event->mapping.id);

	if (w->crime == SIM_DEAF && claim != NULL)
		claim->verdict = false;
	if (w->crime == SIM_HASTY && event->kind == TENF_EVENT_MAPPED)
		renew_soon(w, host, event->mapping.id);
	if (w->crime == SIM_LEAK)
		host->memory.octets += 500;
	if (w->crime == SIM_UNEVEN_PAIR && event->mapping.id != 0 && claim != NULL &&
	    claim->pair != 0 && claim->wish.protocol == TENF_UDP)
		claim->port ^= 1;
	if (w->crime == SIM_UNDEAD && event->kind == TENF_EVENT_REMOVED) {
		w->first_create.from = host->socket;
		sim_net_send(&w->net, &w->first_create, w->now);
	}
}
