/* SPDX-License-Identifier: MIT */
#include "sim-bounds.h"

tenf_duration sim_bound_flight(const struct sim_world *w)
{
	return tenf_time_max(w->net.faults.latency, w->net.faults.delay_max);
}

/* A request for one mapping, and its word when nobody answers. For a pair each
 * round to find a common port deletes one half, asks again, and may hear nothing
 * both times. */
static tenf_duration one_request(const struct sim_host *host, const struct sim_claim *claim)
{
	tenf_duration once = host->config.verdict;

	if (claim->pair == 0)
		return once;
	return once + SIM_PAIR_ROUNDS * (SIM_RELEASE_MAX + host->config.verdict);
}

/* From the epoch's verdict on: the random delay, then one mapping after the
 * other, each of which may take a step before the next one's turn. */
static tenf_duration recovery(const struct sim_world *w, const struct sim_host *host,
			      const struct sim_claim *claim)
{
	return SIM_RESTART_DELAY + (tenf_duration)host->most_claims * SIM_RECOVER_STEP +
	       one_request(host, claim) + 2 * sim_bound_flight(w);
}

/* An epoch that restarts can be told from one that runs slow only when it had
 * run for a while: NAT-PMP forgives 1/8 of the time since the last packet and 2 s
 * (RFC 6886 §3.6), and between two packets lie two polls of the watch at most. */
static bool restart_shows(const struct sim_world *w)
{
	return w->gateway.epoch_before > (2 * SIM_WATCH_EVERY) / 8 + 25 * TENF_SECOND;
}

static tenf_time missing_after_loss(const struct sim_world *w, const struct sim_host *host,
				    const struct sim_claim *claim)
{
	tenf_time lost_at = w->gateway.lost_at;
	tenf_time heard = TENF_NEVER;

	if (host->restart_at >= lost_at)
		heard = host->restart_at;
	else if (host->config.watch && restart_shows(w) && sim_trouble(w, host) <= lost_at)
		heard = lost_at + SIM_WATCH_EVERY + 2 * sim_bound_flight(w);
	if (heard == TENF_NEVER)
		return claim->expires;
	return tenf_time_min(claim->expires, heard + recovery(w, host, claim));
}

/* Five reasons, and each has its end, the last one the end of the lease:
 *
 *   the gateway lost it      until the epoch shows, 0-5 s, and the verdict
 *   the gateway was lied to  by packets altered on the way: end of the lease
 *   a late delete            NAT-PMP knows no nonce, so a delete that was overtaken
 *                            by the next create takes that one away: end of the lease
 *   the pair came apart      one half got another port, perhaps when it was recreated, and
 *                            the other is given back and asked for anew, in a bounded
 *                            number of rounds
 *   the lease ended          there first: the answer's time on the way, and the
 *                            second to which remaining lifetimes are rounded up
 */
tenf_time sim_bound_missing(const struct sim_world *w, const struct sim_host *host,
			    const struct sim_claim *claim)
{
	tenf_duration flight = sim_bound_flight(w);
	tenf_time until = tenf_time_min(claim->expires,
					claim->missing_since + flight + TENF_SECOND);

	if (w->gateway.lost_at >= 0 && w->gateway.lost_at >= claim->granted_at - flight)
		until = tenf_time_max(until, missing_after_loss(w, host, claim));
	if (host->tainted)
		until = tenf_time_max(until, claim->expires);
	if (claim->deleted_at >= 0 && claim->deleted_at + 2 * flight >= claim->granted_at - flight)
		until = tenf_time_max(until, claim->expires);
	if (claim->pair != 0)
		until = tenf_time_max(until, tenf_time_max(claim->missing_since, host->restart_at) +
						     recovery(w, host, claim));
	return until;
}

tenf_time sim_bound_grave(const struct sim_world *w, const struct sim_grave *grave)
{
	return grave->at + 2 * sim_bound_flight(w) + TENF_MILLISECOND;
}

tenf_time sim_bound_verdict(const struct sim_host *host, const struct sim_claim *claim)
{
	tenf_time from = tenf_time_max(claim->added_at, host->woke_at);

	return from + 2 * one_request(host, claim) + TENF_SECOND;
}

tenf_time sim_bound_removed(const struct sim_world *w, const struct sim_host *host,
			    const struct sim_claim *claim)
{
	tenf_time from = tenf_time_max(claim->removing_at, host->woke_at);

	return from + SIM_RELEASE_MAX + sim_bound_flight(w);
}

/* The other half is held back by an error's hold, then asked for. */
tenf_duration sim_bound_uneven(const struct sim_host *host)
{
	return SIM_ERROR_HOLD + SIM_PAIR_ROUNDS * (SIM_RELEASE_MAX + host->config.verdict);
}

/* The longest chain: an old lease of the same port (another nonce, another
 * address of this host) ends and its port is withheld (240 s); the error that it
 * caused holds for 1800 s, twice when the next one is about the pair's half; PCP's
 * slowest retransmission (1024 s and a tenth). A seed whose packets lied needs the
 * time until the lie is renewed, a day at most. */
tenf_duration sim_bound_settled(const struct sim_world *w)
{
	tenf_duration lease = tenf_seconds(w->lifetime_max_s);
	tenf_duration lies = w->corrupts ? SIM_PLANNED_MAX : 0;

	return lies + lease + 240 * TENF_SECOND + 2 * SIM_ERROR_HOLD + 1127 * TENF_SECOND +
	       SIM_WATCH_EVERY;
}

tenf_duration sim_bound_farewell(const struct sim_world *w)
{
	return SIM_RELEASE_MAX + 4 * sim_bound_flight(w) + TENF_SECOND;
}

size_t sim_bound_host_memory(const struct sim_host *host)
{
	size_t most = host->most_claims + 8;

	/* arrays double; a mapping, its place in the set and in the heap */
	return most * (sizeof(struct keeper_mapping) + 2 * 2 * sizeof(void *));
}

/* The responder with its queues, tables and bitmaps, and a chunk or two of records. */
size_t sim_bound_gateway_memory(void)
{
	return 1024 * 1024;
}
