/* SPDX-License-Identifier: MIT */
#include "sim-world.h"

#include "sim-bounds.h"
#include "sim-crime.h"
#include "sim-invariants.h"
#include "sim-script.h"
#include "sim-strangers.h"
#include "sim-trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define HOUR (3600 * TENF_SECOND)

uint64_t sim_below(struct sim_world *w, uint64_t bound)
{
	return tenf_random_below(&w->random, bound);
}

bool sim_chance(struct sim_world *w, unsigned chance)
{
	return sim_below(w, SIM_CHANCE_ALL) < chance;
}

void sim_fail(struct sim_world *w, const char *invariant, const char *format, ...)
{
	va_list args;

	if (w->verdict.invariant != NULL)
		return;
	w->verdict.invariant = invariant;
	w->verdict.at = w->now;
	va_start(args, format);
	(void)vsnprintf(w->verdict.text, sizeof(w->verdict.text), format, args);
	va_end(args);
	sim_trace(w, "BROKEN %s: %s", invariant, w->verdict.text);
}

tenf_time sim_trouble(const struct sim_world *w, const struct sim_host *host)
{
	const struct sim_faults *f = &w->net.faults;

	if (f->loss > 0 || f->corrupt > 0 || f->truncate > 0 || w->gateway.silent ||
	    w->gateway.unreachable || w->quirk_ends != TENF_NEVER ||
	    w->address_ends != TENF_NEVER || host->away || !host->online ||
	    !sim_host_is_awake(host))
		return w->now;
	return tenf_time_max(host->trouble_at, w->gateway.failed_at);
}

/* ---- From here to there ----------------------------------------------------------- */

static void send_from_host(struct sim_world *w, struct sim_host *host, struct sim_packet *packet)
{
	sim_check_sent(w, host, packet);
	sim_trace_packet(w, "sent by", packet);
	if (host->away)
		return;
	if (sim_crime_eats(w, host, packet))
		return;
	sim_net_send(&w->net, packet, w->now);
	sim_strangers_send(w, host);
}

static void send_from_gateway(struct sim_world *w, const struct responder_datagram *out)
{
	struct sim_packet packet = { .from = out->from, .to = out->to, .len = out->len };
	bool all = tenf_address_is_multicast(&out->to.address);

	memcpy(packet.data, out->data, out->len);
	packet.way = all ? SIM_ANNOUNCED : SIM_TO_HOST;
	sim_crime_forge(w, &packet);
	for (size_t i = 0; i < w->host_count; i++) {
		struct sim_host *host = &w->hosts[i];

		if (!all && !tenf_endpoint_equal(&host->socket, &packet.to))
			continue;
		packet.host = host->number;
		sim_net_send(&w->net, &packet, w->now);
	}
	if (!all)
		w->last_answer = packet;
}

static void gateway_turn(struct sim_world *w)
{
	struct responder_datagram out;

	sim_gateway_turn(&w->gateway, w->now);
	while (sim_gateway_next_send(&w->gateway, w->now, &out)) {
		if (!w->gateway.silent && !w->gateway.unreachable)
			send_from_gateway(w, &out);
	}
	sim_crime_at_gateway(w);
}

static void arrive_at_gateway(struct sim_world *w, struct sim_packet *packet)
{
	if (w->gateway.silent)
		return;
	if (w->gateway.unreachable) {
		struct sim_packet icmp = { .way = SIM_ICMP, .host = packet->host,
					   .from = packet->to, .to = packet->from };

		sim_net_send(&w->net, &icmp, w->now);
		return;
	}
	sim_trace_packet(w, "at the gateway of", packet);
	if (packet->altered)
		w->hosts[packet->host].tainted = true;
	sim_gateway_receive(&w->gateway, &packet->from, packet->data, packet->len, w->now);
	gateway_turn(w);
}

static void arrive_at_host(struct sim_world *w, const struct sim_packet *packet)
{
	struct sim_host *host = &w->hosts[packet->host];
	uint8_t exact[SIM_PACKET_MAX];

	if (!sim_host_is_awake(host) || host->away || !host->online)
		return;
	if (packet->way != SIM_ANNOUNCED && !tenf_endpoint_equal(&packet->to, &host->socket))
		return; /* to an address that it had */
	sim_trace_packet(w, "arrived at", packet);
	if (packet->altered && tenf_address_equal(&packet->from.address, &host->gateway.address) &&
	    packet->from.port == host->gateway.port)
		host->tainted = true;
	memcpy(exact, packet->data, packet->len);
	switch (packet->way) {
	case SIM_TO_HOST:
		engine_receive(&host->engine, &packet->from, exact, packet->len, w->now);
		break;
	case SIM_ANNOUNCED:
		engine_announced(&host->engine, &packet->from, exact, packet->len, w->now);
		break;
	case SIM_ICMP:
		host->trouble_at = w->now;
		engine_unreachable(&host->engine, w->now);
		break;
	case SIM_TO_GATEWAY:
		break;
	}
}

/* ---- Turns --------------------------------------------------------------------------- */

static bool host_sends(struct sim_world *w, struct sim_host *host)
{
	struct sim_packet packet = {
		.way = SIM_TO_GATEWAY, .host = host->number, .from = host->socket,
		.to = host->gateway,
	};
	struct tenf_writer writer = tenf_writer_of(packet.data, sizeof(packet.data));

	if (!engine_next_send(&host->engine, w->now, &writer))
		return false;
	if (writer.failed)
		sim_fail(w, "storm", "host %u: a packet did not fit", host->number);
	packet.len = writer.used;
	send_from_host(w, host, &packet);
	return true;
}

static bool host_tells(struct sim_world *w, struct sim_host *host)
{
	struct engine_event event;

	if (!sim_host_event(host, w->now, &event))
		return false;
	w->events++;
	sim_trace_event(w, host, &event);
	sim_crime_at_host(w, host, &event);
	sim_check_event(w, host, &event);
	return true;
}

static tenf_time host_deadline(const struct sim_world *w, const struct sim_host *host)
{
	if (!sim_host_is_awake(host))
		return TENF_NEVER;
	if (w->crime == SIM_STUCK_CLOCK && w->now > HOUR)
		return w->now;
	return engine_deadline(&host->engine);
}

static void host_turn(struct sim_world *w, struct sim_host *host)
{
	unsigned rounds = 0;
	bool busy = true;

	if (!sim_host_is_awake(host))
		return;
	engine_expire(&host->engine, w->now);
	while (busy) {
		busy = false;
		while (host_sends(w, host) && rounds++ < SIM_FLIGHT_MAX)
			busy = true;
		while (host_tells(w, host) && rounds++ < SIM_FLIGHT_MAX)
			busy = true;
	}
	if (rounds >= SIM_FLIGHT_MAX)
		sim_fail(w, "progress", "host %u never stops to send or to tell", host->number);
	host->overdue = host_deadline(w, host) <= w->now ? host->overdue + 1 : 0;
}

/* ---- Phases ---------------------------------------------------------------------------- */

static void next_phase(struct sim_world *w)
{
	switch (w->phase) {
	case SIM_WEATHER:
		w->phase = SIM_SETTLING;
		w->phase_ends = w->now + sim_bound_settled(w);
		sim_script_calm(w);
		if (w->crime == SIM_NEVER_WELL)
			w->gateway.silent = true;
		break;
	case SIM_SETTLING:
		sim_check_settled(w);
		w->phase = SIM_FAREWELL;
		w->phase_ends = w->now + sim_bound_farewell(w);
		sim_script_farewell(w);
		break;
	case SIM_FAREWELL:
		sim_check_farewell(w);
		w->phase = SIM_OVER;
		break;
	case SIM_OVER:
		break;
	}
}

static tenf_time deadline(const struct sim_world *w)
{
	tenf_time first = tenf_time_min(sim_net_deadline(&w->net),
					responder_deadline(w->gateway.responder));

	first = tenf_time_min(first, tenf_time_min(sim_script_deadline(w), w->phase_ends));
	for (size_t i = 0; i < w->host_count; i++)
		first = tenf_time_min(first, host_deadline(w, &w->hosts[i]));
	return first;
}

static void step(struct sim_world *w)
{
	tenf_time next = deadline(w);
	struct sim_packet packet;

	w->steps++;
	w->steps_here = next > w->now ? 0 : w->steps_here + 1;
	w->now = tenf_time_max(w->now, next);
	while (sim_net_arrive(&w->net, w->now, &packet)) {
		if (packet.way == SIM_TO_GATEWAY)
			arrive_at_gateway(w, &packet);
		else
			arrive_at_host(w, &packet);
	}
	if (sim_script_deadline(w) <= w->now)
		sim_script_act(w);
	if (w->phase_ends <= w->now)
		next_phase(w);
	gateway_turn(w);
	for (size_t i = 0; i < w->host_count; i++)
		host_turn(w, &w->hosts[i]);
	sim_check_step(w);
}

/* ---- Birth ------------------------------------------------------------------------------ */

static void create_network(struct sim_world *w)
{
	const struct sim_profile *p = w->profile;
	tenf_duration slow = tenf_time_min(p->delay_max, 150 * TENF_MILLISECOND);
	struct sim_faults faults = {
		.loss = (unsigned)sim_below(w, p->loss_max + 1), .duplicate = p->duplicate,
		.reorder = p->reorder, .delay_max = p->delay_max,
		.latency = 200 + (tenf_duration)sim_below(w, (uint64_t)slow),
	};
	struct tenf_random random;

	if (sim_below(w, 2) == 0) {
		faults.truncate = p->truncate;
		faults.corrupt = p->corrupt;
	}
	w->corrupts = faults.corrupt > 0 || faults.truncate > 0;
	tenf_seeded_init(&w->net_seeded, sim_below(w, UINT64_MAX));
	random = tenf_seeded_random(&w->net_seeded);
	sim_net_init(&w->net, &faults, &random);
}

static void create_hosts(struct sim_world *w)
{
	static const tenf_duration verdicts[] = { 4, 5, 5, 30 }; /* a round trip at least */

	w->host_count = 1 + (size_t)sim_below(w, SIM_HOSTS_MAX);
	for (size_t i = 0; i < w->host_count; i++) {
		struct engine_config config = {
			.methods = TENF_METHOD_PCP | TENF_METHOD_NATPMP,
			.watch = sim_below(w, 4) > 0,
			.verdict = verdicts[sim_below(w, 4)] * TENF_SECOND,
		};

		sim_host_init(&w->hosts[i], (unsigned)i, &config, sim_below(w, UINT64_MAX));
	}
}

static void create(struct sim_world *w, const struct sim_profile *profile, uint64_t seed,
		   enum sim_crime crime, bool trace)
{
	static const uint32_t lifetimes_max_s[] = { 120, 600, 3600, 7200, 86400 };

	memset(w, 0, offsetof(struct sim_world, net));
	memset(&w->host_count, 0, sizeof(*w) - offsetof(struct sim_world, host_count));
	w->profile = profile;
	w->seed = seed;
	w->crime = crime;
	w->trace = trace;
	w->now = TENF_SECOND;
	tenf_seeded_init(&w->seeded, seed);
	w->random = tenf_seeded_random(&w->seeded);
	w->lifetime_max_s = lifetimes_max_s[sim_below(w, 5)];
	w->phase_ends = w->now + tenf_seconds((int64_t)profile->hours * 3600);
	create_network(w);
	create_hosts(w);
	sim_gateway_init(&w->gateway, profile, w->lifetime_max_s, &w->random, w->now);
	sim_script_start(w);
}

bool sim_world_run(struct sim_world *w, const struct sim_profile *profile, uint64_t seed,
		   enum sim_crime crime, bool trace)
{
	create(w, profile, seed, crime, trace);
	while (w->phase != SIM_OVER && w->verdict.invariant == NULL)
		step(w);
	for (size_t i = 0; i < w->host_count; i++)
		sim_host_done(&w->hosts[i]);
	sim_gateway_done(&w->gateway);
	return w->verdict.invariant == NULL;
}
