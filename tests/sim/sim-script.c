/* SPDX-License-Identifier: MIT */
#include "sim-script.h"

#include "sim-trace.h"

#include <string.h>

#define POOL_FIRST 5000 /* internal ports */
#define POOL_SIZE 24
#define CONTENDED_FIRST 3000 /* external ports that several hosts want */
#define CONTENDED_SIZE 6
#define EXACT_FIRST 20000 /* external ports that one wish alone insists on */

static const struct tenf_endpoint nobody = {
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 168, 2, 1 } }, 5351
};

/* Between one and two means away from now, on average one. */
static tenf_duration gap(struct sim_world *w, uint32_t mean_s)
{
	return tenf_seconds(1) + (tenf_duration)sim_below(w, (uint64_t)tenf_seconds(mean_s) * 2);
}

static struct sim_host *some_host(struct sim_world *w)
{
	return &w->hosts[sim_below(w, w->host_count)];
}

/* Outages are short mostly, and sometimes longer than any lease. */
static tenf_duration outage(struct sim_world *w)
{
	static const uint32_t lengths_s[] = { 2, 20, 100, 600, 4000, 20000 };

	return (tenf_duration)sim_below(w, (uint64_t)tenf_seconds(lengths_s[sim_below(w, 6)])) + 1;
}

static void trouble(struct sim_world *w, struct sim_host *host)
{
	for (size_t i = 0; i < w->host_count; i++) {
		if (host == NULL || host == &w->hosts[i])
			w->hosts[i].trouble_at = w->now;
	}
}

/* ---- Users ----------------------------------------------------------------------- */

static uint16_t free_internal_port(struct sim_world *w, const struct sim_host *host)
{
	for (unsigned tries = 0; tries < POOL_SIZE; tries++) {
		uint16_t port = (uint16_t)(POOL_FIRST + sim_below(w, POOL_SIZE));

		if (!sim_host_uses(host, port))
			return port;
	}
	return 0;
}

static void choose_external(struct sim_world *w, struct keeper_wish *wish)
{
	switch (sim_below(w, 8)) {
	case 0:
	case 1:
		break; /* any */
	case 2:
	case 3:
		wish->external_port = wish->internal_port;
		break;
	case 4:
	case 5:
		wish->external_port = (uint16_t)(CONTENDED_FIRST + sim_below(w, CONTENDED_SIZE));
		break;
	case 6: /* not allowed */
		wish->external_port = (uint16_t)(80 + sim_below(w, 3));
		wish->exact = sim_chance(w, 3000);
		break;
	default:
		wish->external_port = (uint16_t)(EXACT_FIRST + w->exact_ports++ % 20000);
		wish->exact = true;
		break;
	}
}

static void add(struct sim_world *w)
{
	static const uint32_t lifetimes_s[] = { 60, 120, 600, 3600, 7200, 7200, 86400, 1000000 };
	struct sim_host *host = some_host(w);
	struct keeper_wish wish = {
		.protocol = sim_below(w, 2) == 0 ? TENF_TCP : TENF_UDP,
		.lifetime_s = lifetimes_s[sim_below(w, 8)],
		.keep = !sim_chance(w, 1500),
		.external_address = tenf_address_none4,
	};

	if (!sim_host_is_awake(host) || sim_host_count(host) >= w->profile->wishes)
		return;
	wish.internal_port = sim_chance(w, 500) ? SIM_DENIED_PORT : free_internal_port(w, host);
	if (wish.internal_port == 0 || sim_host_uses(host, wish.internal_port))
		return;
	choose_external(w, &wish);
	if (sim_chance(w, 3000))
		wish.description = "simulated";
	sim_trace(w, "host %u wants %u->%u%s, %u s%s", host->number, wish.external_port,
		  wish.internal_port, wish.exact ? " exactly" : "", wish.lifetime_s,
		  wish.keep ? "" : ", once");
	(void)sim_host_add(host, &wish, sim_chance(w, 3000), w->now);
}

/* A lease of an earlier run, that is there no more or never was. */
static void release(struct sim_world *w, struct sim_host *host)
{
	struct keeper_wish wish = {
		.protocol = TENF_TCP, .internal_port = POOL_FIRST + POOL_SIZE,
		.external_address = tenf_address_none4, .has_nonce = true,
	};

	if (sim_host_uses(host, wish.internal_port))
		return;
	sim_trace(w, "host %u releases an old lease", host->number);
	(void)sim_host_release(host, &wish, w->now);
}

static void remove_one(struct sim_world *w)
{
	struct sim_host *host = some_host(w);
	size_t from = (size_t)sim_below(w, SIM_CLAIMS_MAX);

	if (!sim_host_is_awake(host))
		return;
	if (sim_chance(w, 500)) {
		release(w, host);
		return;
	}
	for (size_t i = 0; i < SIM_CLAIMS_MAX; i++) {
		struct sim_claim *claim = &host->claims[(from + i) % SIM_CLAIMS_MAX];

		if (claim->id == 0)
			continue;
		sim_trace(w, "host %u removes m%u", host->number, claim->id);
		sim_host_remove(host, claim, w->now);
		return;
	}
}

/* ---- The gateway ------------------------------------------------------------------- */

static void reboot(struct sim_world *w)
{
	sim_trace(w, "the gateway reboots");
	trouble(w, NULL);
	sim_gateway_reboot(&w->gateway, w->now);
}

/* Not while there is no address: that is known to the daemon that is there alone. */
static void restart(struct sim_world *w)
{
	if (w->address_ends != TENF_NEVER)
		return;
	sim_trace(w, "the gateway's daemon is killed and comes back");
	sim_gateway_restart(&w->gateway, w->now);
}

static void change_address(struct sim_world *w)
{
	struct tenf_address other = tenf_address_v4(0xcb007101 + (uint32_t)sim_below(w, 200));

	trouble(w, NULL);
	if (sim_chance(w, 4000)) {
		sim_trace(w, "the gateway has no external address");
		sim_gateway_set_external(&w->gateway, &tenf_address_none4, w->now);
		w->address_ends = w->now + outage(w);
	} else {
		sim_trace(w, "the gateway has another external address");
		sim_gateway_set_external(&w->gateway, &other, w->now);
	}
}

static void address_back(struct sim_world *w)
{
	w->address_ends = TENF_NEVER;
	trouble(w, NULL);
	sim_gateway_set_external(&w->gateway, &w->gateway.external, w->now);
}

static void silence(struct sim_world *w)
{
	sim_trace(w, "the gateway is silent");
	w->gateway.silent = true;
	w->silence_ends = w->now + outage(w);
	trouble(w, NULL);
}

static void silence_ends(struct sim_world *w)
{
	sim_trace(w, "the gateway is back");
	w->gateway.silent = false;
	w->silence_ends = TENF_NEVER;
	trouble(w, NULL);
}

static void unreachable(struct sim_world *w)
{
	sim_trace(w, "nobody listens at the gateway");
	w->gateway.unreachable = true;
	w->unreachable_ends = w->now + outage(w);
	trouble(w, NULL);
}

static void unreachable_ends(struct sim_world *w)
{
	sim_trace(w, "somebody listens at the gateway again");
	w->gateway.unreachable = false;
	w->unreachable_ends = TENF_NEVER;
	trouble(w, NULL);
}

static void quirk(struct sim_world *w)
{
	struct responder_quirks quirks = w->gateway.quirks;

	if (sim_below(w, 2) == 0)
		quirks.ignore_pcp = true;
	else
		quirks.ignore_natpmp = true;
	sim_trace(w, "the gateway ignores %s", quirks.ignore_pcp ? "PCP" : "NAT-PMP");
	responder_set_quirks(w->gateway.responder, &quirks);
	w->quirk_ends = w->now + outage(w);
	trouble(w, NULL);
}

static void quirk_ends(struct sim_world *w)
{
	sim_trace(w, "the gateway speaks as before");
	responder_set_quirks(w->gateway.responder, &w->gateway.quirks);
	w->quirk_ends = TENF_NEVER;
	trouble(w, NULL);
}

/* ---- Hosts ---------------------------------------------------------------------------- */

static void go_home(struct sim_world *w, struct sim_host *host, unsigned address)
{
	struct tenf_endpoint socket = sim_host_socket(host, address);

	host->away = false;
	sim_host_connect(host, &sim_gateway_address, &socket, w->now);
}

static void roam(struct sim_world *w)
{
	struct sim_host *host = some_host(w);
	struct tenf_endpoint there = { tenf_address_v4(0xc0a80214 + host->number), 40000 };

	if (!sim_host_is_awake(host))
		return;
	trouble(w, host);
	switch (sim_below(w, 6)) {
	case 0:
		sim_trace(w, "host %u is offline", host->number);
		sim_host_disconnect(host, w->now);
		break;
	case 1:
		sim_trace(w, "host %u is in a network where nobody answers", host->number);
		host->away = true;
		sim_host_connect(host, &nobody, &there, w->now);
		break;
	case 2:
		host->addresses++;
		sim_trace(w, "host %u gets another address", host->number);
		go_home(w, host, host->addresses);
		break;
	case 3:
		sim_trace(w, "host %u is home with its first address", host->number);
		go_home(w, host, 0);
		break;
	default:
		sim_trace(w, "host %u is home", host->number);
		go_home(w, host, host->addresses);
		break;
	}
}

static void fall_asleep(struct sim_world *w)
{
	struct sim_host *host = some_host(w);

	if (!sim_host_is_awake(host))
		return;
	host->sleeps_until = w->now + outage(w);
	trouble(w, host);
	sim_trace(w, "host %u sleeps", host->number);
}

static void wake(struct sim_world *w, struct sim_host *host)
{
	host->sleeps_until = 0;
	host->woke_at = w->now;
	trouble(w, host);
	sim_trace(w, "host %u wakes up", host->number);
	/* Some edges notice that links went away and came back, others do not. */
	if (host->online && !host->away && sim_below(w, 2) == 0)
		sim_host_connect(host, &sim_gateway_address, &host->socket, w->now);
}

/* ---- The script -------------------------------------------------------------------------- */

static void (*const actions[SIM_ACTIONS])(struct sim_world *w) = {
	[SIM_ADD] = add, [SIM_REMOVE] = remove_one, [SIM_REBOOT] = reboot,
	[SIM_RESTART] = restart,
	[SIM_ADDRESS] = change_address, [SIM_SILENCE] = silence, [SIM_UNREACHABLE] = unreachable,
	[SIM_QUIRK] = quirk, [SIM_ROAM] = roam, [SIM_SLEEP] = fall_asleep,
};

void sim_script_start(struct sim_world *w)
{
	for (size_t i = 0; i < SIM_ACTIONS; i++) {
		uint32_t mean_s = w->profile->mean_s[i];

		w->next[i] = mean_s > 0 ? w->now + gap(w, mean_s) : TENF_NEVER;
	}
	w->silence_ends = w->unreachable_ends = w->quirk_ends = w->address_ends = TENF_NEVER;
	for (size_t i = 0; i < w->host_count; i++)
		go_home(w, &w->hosts[i], 0);
	for (unsigned i = 0; i < w->profile->wishes; i++)
		add(w);
}

tenf_time sim_script_deadline(const struct sim_world *w)
{
	tenf_time first = tenf_time_min(tenf_time_min(w->silence_ends, w->unreachable_ends),
					tenf_time_min(w->quirk_ends, w->address_ends));

	for (size_t i = 0; i < SIM_ACTIONS; i++)
		first = tenf_time_min(first, w->next[i]);
	for (size_t i = 0; i < w->host_count; i++) {
		if (!sim_host_is_awake(&w->hosts[i]))
			first = tenf_time_min(first, w->hosts[i].sleeps_until);
	}
	return first;
}

static void end_what_is_over(struct sim_world *w, tenf_time by)
{
	if (w->silence_ends <= by)
		silence_ends(w);
	if (w->unreachable_ends <= by)
		unreachable_ends(w);
	if (w->quirk_ends <= by)
		quirk_ends(w);
	if (w->address_ends <= by)
		address_back(w);
	for (size_t i = 0; i < w->host_count; i++) {
		if (!sim_host_is_awake(&w->hosts[i]) && w->hosts[i].sleeps_until <= by)
			wake(w, &w->hosts[i]);
	}
}

void sim_script_act(struct sim_world *w)
{
	end_what_is_over(w, w->now);
	for (size_t i = 0; i < SIM_ACTIONS; i++) {
		if (w->next[i] > w->now)
			continue;
		w->next[i] = w->now + gap(w, w->profile->mean_s[i]);
		actions[i](w);
	}
}

void sim_script_calm(struct sim_world *w)
{
	sim_trace(w, "the weather is over");
	for (size_t i = 0; i < SIM_ACTIONS; i++)
		w->next[i] = TENF_NEVER;
	end_what_is_over(w, TENF_NEVER - 1);
	w->net.faults.loss = w->net.faults.duplicate = w->net.faults.corrupt = 0;
	w->net.faults.truncate = w->net.faults.reorder = 0;
	w->gateway.commit_fails = 0;
	for (size_t i = 0; i < w->host_count; i++) {
		struct sim_host *host = &w->hosts[i];

		trouble(w, host);
		if (host->away || !host->online)
			go_home(w, host, host->addresses);
	}
}

void sim_script_farewell(struct sim_world *w)
{
	sim_trace(w, "everybody gives up what he holds");
	for (size_t i = 0; i < w->host_count; i++) {
		for (size_t k = 0; k < SIM_CLAIMS_MAX; k++) {
			if (w->hosts[i].claims[k].id != 0)
				sim_host_remove(&w->hosts[i], &w->hosts[i].claims[k], w->now);
		}
	}
}
