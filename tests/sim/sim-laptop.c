/* SPDX-License-Identifier: MIT */
#include "sim-laptop.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR 3600u
#define DAY (24 * HOUR)
#define END_PATIENCE (1700 * TENF_MILLISECOND) /* of the daemon, at its end */

static const uint32_t means_s[ACTS] = {
	[ACT_ADD] = 2 * DAY,	[ACT_REMOVE] = 3 * DAY, [ACT_RELOAD] = 6 * DAY,
	[ACT_SLEEP] = 14 * HOUR, [ACT_ROAM] = 9 * HOUR,	 [ACT_TUNNEL] = 3 * DAY,
	[ACT_KILL] = 2 * DAY,	[ACT_OFF] = 3 * DAY,	 [ACT_REBOOT] = 5 * DAY,
	[ACT_SILENCE] = 15 * DAY,
};

void laptop_say(const struct laptop *l, const char *format, ...)
{
	va_list arguments;

	if (!l->trace)
		return;
	printf("# %9.2f h  ", (double)laptop_net.now / TENF_SECOND / HOUR);
	va_start(arguments, format);
	(void)vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
}

void laptop_fail(struct laptop *l, const char *invariant, const char *format, ...)
{
	va_list arguments;

	if (l->broken != NULL)
		return;
	l->broken = invariant;
	va_start(arguments, format);
	(void)vsnprintf(l->text, sizeof(l->text), format, arguments);
	va_end(arguments);
	laptop_say(l, "BROKEN %s: %s", invariant, l->text);
}

static uint64_t below(struct laptop *l, uint64_t bound)
{
	return tenf_random_below(&l->random, bound);
}

static tenf_time after(struct laptop *l, uint32_t mean_s)
{
	return laptop_net.now + 1 + (tenf_time)below(l, (uint64_t)2 * mean_s * TENF_SECOND);
}

static void trouble(struct laptop *l)
{
	l->trouble_at = laptop_net.now;
	l->before_count = 0;
}

bool laptop_is_settled(const struct laptop *l)
{
	return l->agent != NULL && laptop_net.awake && !laptop_net.silent &&
	       laptop_net.now - l->trouble_at > LAPTOP_SETTLED;
}

bool laptop_place_of(const struct record_place *place, enum laptop_place *ret)
{
	*ret = place->interface[0] != '\0' ? PLACE_VPN : laptop_net.wifi;
	return *ret < PLACES && laptop_net_is_at(*ret);
}

/* ---- The agent ------------------------------------------------------------------ */

static void tell(void *context, const struct agent_item *item, unsigned half,
		 const struct tenf_event *event)
{
	struct laptop *l = context;

	l->told[event->kind]++;
	laptop_say(l, "%s m%llu.%u port %u to %u", tenf_event_name(event->kind),
		   item != NULL ? (unsigned long long)item->record.number : 0, half,
		   event->mapping.external_port, event->mapping.internal_port);
}

static int64_t wall(void *context)
{
	(void)context;
	return LAPTOP_WALL_S + laptop_net.now / TENF_SECOND;
}

/* Somebody was at the file while the agent was away, and at the gateway. */
static void tamper(struct laptop *l)
{
	struct record *records;
	size_t count;

	if (l->crime != CRIME_LOST_RECORD && l->crime != CRIME_NEW_NONCES &&
	    l->crime != CRIME_NEW_PORTS)
		return;
	if (l->crime == CRIME_NEW_PORTS)
		sim_gateway_reboot(&laptop_net.gateways[PLACE_HOME], laptop_net.now);
	if (store_load(l->store, &records, &count) != TENF_OK)
		abort();
	for (size_t i = 0; i < count; i++) {
		if (l->crime == CRIME_NEW_NONCES)
			memset(records[i].lease, 0x5a, sizeof(records[i].lease));
		records[i].lease[0].external_port = records[i].lease[1].external_port = 0;
		if ((l->crime == CRIME_LOST_RECORD &&
		     store_drop(l->store, records[i].number) != TENF_OK) ||
		    (l->crime != CRIME_LOST_RECORD &&
		     store_put(l->store, &records[i]) != TENF_OK))
			abort();
	}
	free(records);
}

static void start_agent(struct laptop *l)
{
	struct agent_hooks hooks = { .tell = tell, .wall = wall, .context = l };
	struct tenf_error error = { .text = "" };

	l->starts = TENF_NEVER;
	if (store_open(l->folder, &l->store, &error) != TENF_OK)
		laptop_fail(l, "table", "the store: %s", error.text);
	else
		tamper(l);
	if (l->broken == NULL &&
	    (agent_new(NULL, NULL, l->store, &hooks, &l->agent, &error) != TENF_OK ||
	     agent_configure(l->agent, &l->config, &error) != TENF_OK))
		laptop_fail(l, "table", "the agent does not start: %s", error.text);
	l->trouble_at = laptop_net.now;
}

static void stop_agent(struct laptop *l)
{
	agent_free(l->agent); /* and the store */
	l->agent = NULL;
	l->store = NULL;
}

/* ---- Wishes --------------------------------------------------------------------- */

static struct record_wish invent(struct laptop *l, size_t slot)
{
	static const enum tenf_protocol protocols[] = { TENF_TCP, TENF_UDP, TENF_BOTH };
	struct record_wish wish = {
		.protocol = protocols[below(l, 3)],
		.internal_port = (uint16_t)(2000 + slot),
		.external_port = (uint16_t)(below(l, 2) == 0 ? 0 : 3000 + slot),
		.lifetime_s = TENF_DEFAULT_LIFETIME_S,
		.persist = below(l, 4) == 0,
		.follow = below(l, 4) == 0,
	};

	snprintf(wish.name, sizeof(wish.name), "w%zu", slot);
	if (below(l, 3) == 0)
		memcpy(wish.place.interface, LAPTOP_TUNNEL, sizeof(LAPTOP_TUNNEL));
	return wish;
}

static void add(struct laptop *l)
{
	size_t slot = (size_t)below(l, LAPTOP_WISHES);
	struct laptop_wish *w = &l->wishes[slot];
	struct agent_item *item, *again;

	if (w->wanted)
		return;
	*w = (struct laptop_wish){ .wanted = true, .wish = invent(l, slot) };
	if (agent_add(l->agent, &w->wish, &item, NULL) != TENF_OK ||
	    agent_add(l->agent, &w->wish, &again, NULL) != TENF_OK || item != again) {
		laptop_fail(l, "table", "a wish is not taken");
		return;
	}
	w->number = item->record.number;
	if (w->number <= l->last_number)
		laptop_fail(l, "table", "m%llu was given before", (unsigned long long)w->number);
	l->last_number = w->number;
	laptop_say(l, "wanted: m%llu port %u%s", (unsigned long long)w->number,
		   w->wish.internal_port, w->wish.follow ? ", follows" : "");
}

static void take_back(struct laptop *l)
{
	struct laptop_wish *w = &l->wishes[below(l, LAPTOP_WISHES)];

	if (!w->wanted || w->declared)
		return;
	laptop_say(l, "not wanted: m%llu", (unsigned long long)w->number);
	w->wanted = false;
	if (agent_remove(l->agent, w->number) != TENF_OK)
		laptop_fail(l, "table", "m%llu cannot be removed", (unsigned long long)w->number);
}

static void declare_all(struct laptop *l)
{
	l->config.mappings = l->declared;
	l->config.mapping_count = 0;
	for (size_t i = 0; i < LAPTOP_WISHES; i++) {
		if (l->wishes[i].wanted && l->wishes[i].declared)
			l->declared[l->config.mapping_count++] = l->wishes[i].wish;
	}
}

static void change_configuration(struct laptop *l)
{
	size_t slot = (size_t)below(l, LAPTOP_WISHES);
	struct laptop_wish *w = &l->wishes[slot];

	if (w->wanted && !w->declared)
		return;
	if (w->wanted)
		w->wanted = false;
	else
		*w = (struct laptop_wish){ .wanted = true, .declared = true,
					   .wish = invent(l, slot) };
	laptop_say(l, "port %u is %s", w->wish.internal_port,
		   w->wanted ? "declared" : "declared no more");
	declare_all(l);
}

static void note_numbers(struct laptop *l)
{
	for (size_t i = 0; i < agent_count(l->agent); i++) {
		uint64_t number = agent_item_at(l->agent, i)->record.number;

		l->last_number = number > l->last_number ? number : l->last_number;
	}
}

static void reload(struct laptop *l)
{
	change_configuration(l);
	if (agent_configure(l->agent, &l->config, NULL) != TENF_OK)
		laptop_fail(l, "table", "the configuration is not taken");
	note_numbers(l);
}

/* ---- What happens ------------------------------------------------------------------ */

static void run_until(struct laptop *l, tenf_time end);

/* With a network that loses nothing the promise of two seconds can be held to. */
static void end_cleanly(struct laptop *l)
{
	bool checked = laptop_is_settled(l) && below(l, 2) == 0;
	unsigned loss = laptop_net.air.faults.loss;

	laptop_say(l, "a clean end%s", checked ? ", checked" : "");
	if (checked)
		laptop_net.air.faults.loss = 0;
	agent_begin_end(l->agent);
	l->before_count = 0;
	run_until(l, laptop_net.now + END_PATIENCE);
	if (checked)
		laptop_check_end(l);
	laptop_net.air.faults.loss = loss;
	stop_agent(l);
	if (below(l, 3) == 0) /* while it is away */
		change_configuration(l);
	l->starts = after(l, 2 * HOUR);
}

static void kill_agent(struct laptop *l)
{
	laptop_say(l, "killed");
	l->kills++;
	laptop_remember_leases(l);
	stop_agent(l);
	l->starts = laptop_net.now + 1 + (tenf_time)below(l, 60 * TENF_SECOND);
}

static void roam(struct laptop *l)
{
	static const enum laptop_place places[] = { PLACE_HOME, PLACE_HOME, PLACE_OFFICE,
						    PLACE_CAFE, PLACE_NONE };

	laptop_net.wifi = places[below(l, TENF_ARRAY_SIZE(places))];
	laptop_net.attached++;
	laptop_say(l, "at place %d", (int)laptop_net.wifi);
	laptop_net_changed();
}

static void raise_tunnel(struct laptop *l, bool up)
{
	laptop_net.tunnel = up;
	l->tunnel_ends = up ? after(l, HOUR) : TENF_NEVER;
	laptop_say(l, "the tunnel is %s", up ? "up" : "down");
	laptop_net_changed();
}

static void fall_asleep(struct laptop *l)
{
	laptop_say(l, "asleep");
	laptop_net.awake = false;
	l->wakes = after(l, 5 * HOUR);
}

static void wake_up(struct laptop *l)
{
	laptop_say(l, "awake");
	laptop_net.awake = true;
	l->wakes = TENF_NEVER;
	if (below(l, 2) == 0)
		roam(l);
	laptop_net_changed();
}

/* A user at work, so the machine is awake and the agent is there. */
static void do_by_hand(struct laptop *l, enum laptop_act act)
{
	if (!laptop_net.awake || l->agent == NULL)
		return;
	if (act == ACT_ADD)
		add(l);
	else if (act == ACT_REMOVE)
		take_back(l);
	else if (act == ACT_RELOAD)
		reload(l);
	else if (act == ACT_OFF)
		end_cleanly(l);
}

static void act_on(struct laptop *l, enum laptop_act act)
{
	l->acts++;
	if (act == ACT_KILL) { /* which is no trouble to what is held */
		if (laptop_net.awake && l->agent != NULL)
			kill_agent(l);
		return;
	}
	trouble(l);
	switch (act) {
	case ACT_ADD:
	case ACT_REMOVE:
	case ACT_RELOAD:
	case ACT_OFF:
		do_by_hand(l, act);
		break;
	case ACT_SLEEP:
		if (laptop_net.awake)
			fall_asleep(l);
		break;
	case ACT_ROAM:
		if (laptop_net.awake)
			roam(l);
		break;
	case ACT_TUNNEL:
		if (laptop_net.awake && !laptop_net.tunnel)
			raise_tunnel(l, true);
		break;
	case ACT_REBOOT:
		sim_gateway_reboot(&laptop_net.gateways[below(l, PLACES)], laptop_net.now);
		laptop_say(l, "a gateway was started again");
		break;
	case ACT_SILENCE:
		laptop_net.silent = true;
		l->silence_ends = after(l, HOUR / 2);
		laptop_say(l, "silence");
		break;
	case ACT_KILL:
	case ACTS:
		break;
	}
}

static void end_what_ends(struct laptop *l)
{
	if (l->wakes <= laptop_net.now) {
		trouble(l);
		wake_up(l);
	}
	if (l->tunnel_ends <= laptop_net.now && laptop_net.awake) {
		trouble(l);
		raise_tunnel(l, false);
	}
	if (l->silence_ends <= laptop_net.now) {
		trouble(l);
		laptop_net.silent = false;
		l->silence_ends = TENF_NEVER;
	}
	if (l->starts <= laptop_net.now && laptop_net.awake) {
		laptop_say(l, "started");
		start_agent(l);
		if (l->agent != NULL)
			note_numbers(l);
	}
}

/* ---- Crimes ----------------------------------------------------------------------------- */

/* One that the agent knows nothing of, with our address and for ever. */
static void commit_crime(struct laptop *l)
{
	struct sim_gateway *g = &laptop_net.gateways[PLACE_HOME];

	if (!laptop_is_settled(l) || laptop_net.wifi != PLACE_HOME)
		return;
	if (l->crime == CRIME_FORGETFUL_GATEWAY)
		g->held_count = 0;
	if (l->crime == CRIME_SECOND_MAPPING && g->held_count < SIM_HELD_MAX)
		g->held[g->held_count++] = (struct sim_held){
			.protocol = TENF_TCP, .internal = { laptop_net_address(PLACE_HOME), 9 },
			.external_port = 9999, .until = TENF_NEVER };
}

/* ---- Time ----------------------------------------------------------------------------------- */

static tenf_time script_deadline(const struct laptop *l)
{
	tenf_time first = tenf_time_min(l->wakes, l->silence_ends);

	for (unsigned i = 0; i < ACTS; i++)
		first = tenf_time_min(first, l->next[i]);
	if (laptop_net.awake)
		first = tenf_time_min(first, tenf_time_min(l->starts, l->tunnel_ends));
	return first;
}

static void pass_time(struct laptop *l, tenf_time end)
{
	tenf_time next = tenf_time_min(laptop_net_deadline(), end);

	if (l->agent != NULL && laptop_net.awake)
		next = tenf_time_min(next, laptop_sites_deadline(agent_sites(l->agent)));
	l->steps++;
	l->steps_here = next > laptop_net.now ? 0 : l->steps_here + 1;
	if (l->steps_here > 5000)
		laptop_fail(l, "progress", "the time stands still");
	laptop_net.now = tenf_time_max(laptop_net.now, next);
	laptop_net_turn();
	if (l->agent != NULL && laptop_net.awake)
		laptop_sites_turn(agent_sites(l->agent));
}

/* Nothing is asked of the agent meanwhile. */
static void run_until(struct laptop *l, tenf_time end)
{
	while (laptop_net.now < end && l->broken == NULL)
		pass_time(l, end);
}

static void step(struct laptop *l, tenf_time end)
{
	pass_time(l, tenf_time_min(script_deadline(l), end));
	end_what_ends(l);
	for (unsigned i = 0; i < ACTS; i++) {
		if (l->next[i] > laptop_net.now)
			continue;
		act_on(l, (enum laptop_act)i);
		l->next[i] = after(l, means_s[i]);
	}
	if (l->agent == NULL || !laptop_net.awake)
		return;
	laptop_sites_turn(agent_sites(l->agent));
	commit_crime(l);
	laptop_check(l);
}

static void begin(struct laptop *l, const char *folder, uint64_t seed, enum laptop_crime crime,
		  bool trace)
{
	*l = (struct laptop){ .folder = folder, .seed = seed, .crime = crime, .trace = trace };
	tenf_seeded_init(&l->seeded, seed);
	l->random = tenf_seeded_random(&l->seeded);
	laptop_net_begin(seed);
	l->wakes = l->starts = l->tunnel_ends = l->silence_ends = TENF_NEVER;
	for (size_t slot = 0; slot < 4; slot++)
		l->wishes[slot] = (struct laptop_wish){ .wanted = true, .declared = true,
							.wish = invent(l, slot) };
	declare_all(l);
	for (unsigned i = 0; i < ACTS; i++)
		l->next[i] = after(l, means_s[i]);
	laptop_net.wifi = PLACE_HOME;
	start_agent(l);
	if (l->agent != NULL)
		note_numbers(l);
}

bool laptop_live(struct laptop *l, const char *folder, uint64_t seed, unsigned days,
		 enum laptop_crime crime, bool trace)
{
	tenf_time end;

	begin(l, folder, seed, crime, trace);
	end = laptop_net.now + (tenf_time)days * DAY * TENF_SECOND;
	while (laptop_net.now < end && l->broken == NULL)
		step(l, end);
	stop_agent(l);
	laptop_net_end();
	return l->broken == NULL;
}
