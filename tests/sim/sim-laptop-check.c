/* SPDX-License-Identifier: MIT */
/*
 * What must hold for the laptop, after every step while the agent runs:
 *
 *   table    each wish is there once, under the number it was given; nothing else is
 *   lease    no lease is shown past its end
 *   truth    settled, every wish is mapped, the gateway forwards it to the very
 *            port, and that port is what others were told
 *   leftover settled, the gateway renews nothing that nobody wants
 *   same     after a kill the same ports are held as before it
 *   end      after a clean end nothing is left but what is to persist
 *   progress time goes on
 */
#include "sim-laptop.h"

#include <stdlib.h>
#include <string.h>

#define SLACK_S 3

static unsigned halves_of(const struct record_wish *wish)
{
	return wish->protocol == TENF_BOTH ? 2 : 1;
}

/* ---- The table ----------------------------------------------------------------- */

static void check_wish(struct laptop *l, struct laptop_wish *w)
{
	unsigned found = 0;

	for (size_t i = 0; i < agent_count(l->agent); i++) {
		const struct agent_item *item = agent_item_at(l->agent, i);

		if (item->removing || !record_same_wish(&item->record.wish, &w->wish))
			continue;
		found++;
		if (w->number == 0)
			w->number = item->record.number;
		if (w->number != item->record.number)
			laptop_fail(l, "table", "port %u is m%llu and was m%llu",
				    w->wish.internal_port, (unsigned long long)item->record.number,
				    (unsigned long long)w->number);
	}
	if (found != 1)
		laptop_fail(l, "table", "port %u is there %u times", w->wish.internal_port, found);
}

static void check_table(struct laptop *l)
{
	size_t wanted = 0, there = 0;

	for (size_t i = 0; i < LAPTOP_WISHES; i++) {
		if (!l->wishes[i].wanted)
			continue;
		check_wish(l, &l->wishes[i]);
		wanted++;
	}
	for (size_t i = 0; i < agent_count(l->agent); i++)
		there += !agent_item_at(l->agent, i)->removing;
	if (there != wanted)
		laptop_fail(l, "table", "%zu mappings for %zu wishes", there, wanted);
}

/* ---- Leases ---------------------------------------------------------------------- */

static void check_truth(struct laptop *l, const struct agent_item *item, unsigned half,
			const struct tenf_mapping *m, enum laptop_place at)
{
	struct tenf_address own = laptop_net_address(at);
	const struct sim_held *held = sim_gateway_find(&laptop_net.gateways[at], &own, m->protocol,
						       m->internal_port, laptop_net.now);

	l->settled++;
	if (m->state != TENF_STATE_MAPPED && m->state != TENF_STATE_RENEWING)
		laptop_fail(l, "truth", "m%llu is not mapped: %s",
			    (unsigned long long)item->record.number, m->error.text);
	else if (held == NULL || held->external_port != m->external_port)
		laptop_fail(l, "truth", "m%llu: the gateway forwards %u, not %u",
			    (unsigned long long)item->record.number,
			    held != NULL ? held->external_port : 0, m->external_port);
	else if (item->told_port[half] != m->external_port)
		laptop_fail(l, "truth", "m%llu: others were told %u, not %u",
			    (unsigned long long)item->record.number, item->told_port[half],
			    m->external_port);
}

static void check_half(struct laptop *l, const struct agent_item *item, unsigned half)
{
	struct tenf_mapping m;
	enum laptop_place at;

	agent_mapping(item, half, &m);
	if (m.expires_at != 0 &&
	    m.expires_at + SLACK_S < LAPTOP_WALL_S + laptop_net.now / TENF_SECOND)
		laptop_fail(l, "lease", "m%llu is shown past its end",
			    (unsigned long long)item->record.number);
	if (laptop_is_settled(l) && laptop_place_of(&item->record.wish.place, &at))
		check_truth(l, item, half, &m, at);
}

static void check_leases(struct laptop *l)
{
	for (size_t i = 0; i < agent_count(l->agent); i++) {
		const struct agent_item *item = agent_item_at(l->agent, i);

		for (unsigned half = 0; half < halves_of(&item->record.wish); half++) {
			if (!item->removing)
				check_half(l, item, half);
		}
	}
}

/* ---- What nobody wants --------------------------------------------------------------- */

static bool is_wanted(const struct laptop *l, enum laptop_place place, const struct sim_held *held)
{
	for (size_t i = 0; i < agent_count(l->agent); i++) {
		const struct agent_item *item = agent_item_at(l->agent, i);
		const struct record *r = &item->record;
		uint16_t internal = r->followed_port ? r->followed_port : r->wish.internal_port;
		enum laptop_place at;

		if (item->removing || !laptop_place_of(&r->wish.place, &at) || at != place)
			continue;
		if (internal == held->internal.port &&
		    (r->wish.protocol == TENF_BOTH || r->wish.protocol == held->protocol))
			return true;
	}
	return false;
}

/* A lease left behind (the laptop was elsewhere when it was given up) ends by
 * itself. It must not have been renewed since. */
static void check_leftovers(struct laptop *l, enum laptop_place place)
{
	static const tenf_duration longest[PLACES] = { 7200 * TENF_SECOND, 7200 * TENF_SECOND,
						       120 * TENF_SECOND };
	struct tenf_address own = laptop_net_address(place);
	const struct sim_gateway *g = &laptop_net.gateways[place];

	for (size_t i = 0; i < g->held_count; i++) {
		const struct sim_held *held = &g->held[i];

		if (held->until > l->trouble_at + LAPTOP_SETTLED + longest[place] &&
		    tenf_address_equal(&held->internal.address, &own) &&
		    !is_wanted(l, place, held))
			laptop_fail(l, "leftover", "port %u is open at place %d for nobody",
				    held->internal.port, (int)place);
	}
}

/* ---- A kill, and an end ------------------------------------------------------------------ */

void laptop_remember_leases(struct laptop *l)
{
	l->before_count = 0;
	l->before_at = laptop_net.wifi;
	for (size_t i = 0; i < agent_count(l->agent); i++) {
		const struct agent_item *item = agent_item_at(l->agent, i);

		for (unsigned half = 0; half < halves_of(&item->record.wish); half++) {
			struct tenf_mapping m;
			enum laptop_place at;

			agent_mapping(item, half, &m);
			if (item->removing || item->following || m.expires_at == 0 ||
			    m.state != TENF_STATE_MAPPED || !laptop_is_settled(l) ||
			    !laptop_place_of(&item->record.wish.place, &at))
				continue;
			l->before[l->before_count++] = (struct laptop_lease){
				item->record.number, half, m.external_port, m.expires_at };
		}
	}
}

static void check_same(struct laptop *l)
{
	int64_t started = LAPTOP_WALL_S + l->trouble_at / TENF_SECOND;

	for (size_t i = 0; i < l->before_count; i++) {
		const struct laptop_lease *lease = &l->before[i];
		const struct agent_item *item = agent_find(l->agent, lease->number);
		struct tenf_mapping m;
		enum laptop_place at;

		if (item == NULL || item->removing || lease->expires_at <= started + SLACK_S ||
		    !laptop_place_of(&item->record.wish.place, &at))
			continue;
		agent_mapping(item, lease->half, &m);
		if (m.external_port != lease->port)
			laptop_fail(l, "same", "m%llu had port %u before the kill and has %u",
				    (unsigned long long)lease->number, lease->port,
				    m.external_port);
	}
	l->before_count = 0;
}

static void check_half_after_end(struct laptop *l, const struct record *r, unsigned half,
				 enum laptop_place at)
{
	const struct record_wish *wish = &r->wish;
	struct tenf_address own = laptop_net_address(at);
	enum tenf_protocol protocol = wish->protocol != TENF_BOTH ? wish->protocol
				      : half == 0		  ? TENF_TCP
								  : TENF_UDP;
	uint16_t port = r->followed_port ? r->followed_port : wish->internal_port;
	bool open = sim_gateway_find(&laptop_net.gateways[at], &own, protocol, port,
				     laptop_net.now) != NULL;

	if (open != wish->persist)
		laptop_fail(l, "end", "m%llu is %s after a clean end",
			    (unsigned long long)r->number, open ? "open" : "not open");
}

void laptop_check_end(struct laptop *l)
{
	for (size_t i = 0; i < agent_count(l->agent); i++) {
		const struct record *r = &agent_item_at(l->agent, i)->record;
		enum laptop_place at;

		for (unsigned half = 0; half < halves_of(&r->wish); half++) {
			if (laptop_place_of(&r->wish.place, &at))
				check_half_after_end(l, r, half, at);
		}
	}
}

void laptop_check(struct laptop *l)
{
	l->checks++;
	check_table(l);
	check_leases(l);
	if (!laptop_is_settled(l))
		return;
	for (unsigned place = 0; place < PLACES; place++) {
		if (laptop_net_is_at((enum laptop_place)place))
			check_leftovers(l, (enum laptop_place)place);
	}
	if (l->before_count > 0)
		check_same(l);
}
