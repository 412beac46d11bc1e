/* SPDX-License-Identifier: MIT */
#include "sim-gateway.h"

#include "gateway/responder-restore.h"
#include "wire/pcp.h"

#include <string.h>

const struct tenf_endpoint sim_gateway_address = {
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 168, 1, 1 } }, PCP_PORT
};

static bool flip(const struct tenf_random *random)
{
	return tenf_random_below(random, 2) == 0;
}

/* Port 22 for nobody, the well-known external ports for nobody, the rest for all. */
static void set_rules(struct sim_gateway *g)
{
	g->rules[0] = (struct policy_rule){
		.action = POLICY_DENY,
		.internal = { .at = { { SIM_DENIED_PORT, SIM_DENIED_PORT } }, .count = 1 },
	};
	g->rules[1] = (struct policy_rule){
		.action = POLICY_ALLOW,
		.external = { .at = { { SIM_ALLOWED_FROM, 65535 } }, .count = 1 },
	};
	g->config.rules = g->rules;
	g->config.rule_count = 2;
}

static void set_speech(struct sim_gateway *g, enum sim_speech speech,
		       const struct tenf_random *random)
{
	if (speech == SIM_ANY_SPEECH)
		speech = (enum sim_speech)tenf_random_below(random, SIM_ANY_SPEECH);
	switch (speech) {
	case SIM_BOTH:
	case SIM_ANY_SPEECH:
		break;
	case SIM_NATPMP_ONLY:
		g->config.pcp = false;
		break;
	case SIM_PCP_ONLY:
		g->config.natpmp = false;
		break;
	case SIM_ONE_IGNORED:
		g->quirks.ignore_pcp = flip(random);
		g->quirks.ignore_natpmp = !g->quirks.ignore_pcp;
		break;
	}
}

static void start(struct sim_gateway *g, tenf_time now)
{
	g->config.external_address = g->external;
	if (responder_new(&g->config, &g->random, &g->memory.memory, now, &g->responder) != TENF_OK)
		__builtin_trap(); /* the configuration is our own */
	responder_set_quirks(g->responder, &g->quirks);
}

static void epoch_starts(struct sim_gateway *g, tenf_time now)
{
	g->epoch_before = now - g->epoch_at;
	g->epoch_at = now;
	g->resets++;
}

void sim_gateway_init(struct sim_gateway *g, const struct sim_profile *profile,
		      uint32_t lifetime_max_s, const struct tenf_random *random, tenf_time now)
{
	uint64_t seed = tenf_random_below(random, UINT64_MAX);

	memset(g, 0, sizeof(*g));
	sim_memory_init(&g->memory);
	tenf_seeded_init(&g->seeded, seed);
	g->random = tenf_seeded_random(&g->seeded);
	responder_config_init(&g->config);
	g->link = (struct responder_link){
		.interface = SIM_LAN, .address = sim_gateway_address,
		.network = { tenf_address_v4(0xc0a80100), 120 },
	};
	g->config.links = &g->link;
	g->config.link_count = 1;
	g->config.lifetime_max_s = lifetime_max_s;
	g->external = tenf_address_v4(0xcb007107);
	g->commit_fails = profile->commit_fails;
	g->lost_at = g->failed_at = -1;
	g->epoch_kept = -1;
	g->epoch_at = now;
	set_rules(g);
	set_speech(g, profile->speech, random);
	epoch_starts(g, now);
	start(g, now);
}

void sim_gateway_done(struct sim_gateway *g)
{
	responder_free(g->responder);
	g->responder = NULL;
}

/* ---- The kernel's half --------------------------------------------------------- */

static bool same_place(const struct sim_held *held, const struct tenf_address *internal,
		       enum tenf_protocol protocol, uint16_t internal_port)
{
	return held->protocol == protocol && held->internal.port == internal_port &&
	       tenf_address_equal(&held->internal.address, internal);
}

static struct sim_held *find(const struct sim_gateway *g, const struct tenf_address *internal,
			     enum tenf_protocol protocol, uint16_t internal_port)
{
	for (size_t i = 0; i < g->held_count; i++) {
		if (same_place(&g->held[i], internal, protocol, internal_port))
			return (struct sim_held *)(uintptr_t)&g->held[i];
	}
	return NULL;
}

const struct sim_held *sim_gateway_find(const struct sim_gateway *g,
					const struct tenf_address *internal,
					enum tenf_protocol protocol, uint16_t internal_port,
					tenf_time now)
{
	const struct sim_held *held = find(g, internal, protocol, internal_port);

	return held != NULL && held->until > now ? held : NULL;
}

/* Elements of the kernel end by its own clock. */
static void sweep(struct sim_gateway *g, tenf_time now)
{
	for (size_t i = 0; i < g->held_count;) {
		if (g->held[i].until <= now)
			g->held[i] = g->held[--g->held_count];
		else
			i++;
	}
}

/* What a renewal may change. */
static void write_beside(struct sim_held *held, const struct ledger_mapping *m)
{
	held->until = m->until;
	held->maker = (enum ledger_maker)m->maker;
	memcpy(held->nonce, m->nonce, sizeof(held->nonce));
	held->made_at = m->made_at;
	held->lifetime_s = m->lifetime_s;
}

static void install(struct sim_gateway *g, const struct responder_change *change)
{
	const struct ledger_mapping *m = change->mapping;

	if (g->held_count == SIM_HELD_MAX) {
		g->inconsistent = true;
		return;
	}
	g->held[g->held_count] = (struct sim_held){
		.protocol = (enum tenf_protocol)m->protocol,
		.internal = { m->internal_address, m->internal_port },
		.external_address = change->external.address,
		.external_port = change->external.port, .id = m->id,
	};
	write_beside(&g->held[g->held_count++], m);
}

/* A renewal that comes in the very moment in which the lease ends meets an
 * element that the kernel has dropped already: it is put in again. */
static void renew(struct sim_gateway *g, const struct responder_change *change,
		  struct sim_held *held, tenf_time now)
{
	if (held == NULL && change->mapping->committed_until <= now)
		install(g, change);
	else if (held == NULL || held->external_port != change->external.port)
		g->inconsistent = true;
	else if (change->content)
		write_beside(held, change->mapping);
	else
		held->until = change->mapping->until;
}

static void apply(struct sim_gateway *g, const struct responder_change *change, tenf_time now)
{
	const struct ledger_mapping *m = change->mapping;
	struct sim_held *held;

	if (change->kind == RESPONDER_EPOCH) {
		g->epoch_kept = change->epoch_start;
		return;
	}
	if (change->kind == RESPONDER_FLUSH) {
		g->held_count = 0;
		return;
	}
	held = find(g, &m->internal_address, (enum tenf_protocol)m->protocol, m->internal_port);
	switch (change->kind) {
	case RESPONDER_INSTALL:
		if (held != NULL)
			g->inconsistent = true;
		else
			install(g, change);
		break;
	case RESPONDER_RENEW:
		renew(g, change, held, now);
		break;
	case RESPONDER_REMOVE:
		if (held != NULL)
			*held = g->held[--g->held_count];
		break;
	case RESPONDER_FLUSH:
	case RESPONDER_EPOCH:
	case RESPONDER_PEER_INSTALL: /* not served here */
	case RESPONDER_PEER_RENEW:
	case RESPONDER_PEER_REMOVE:
		break;
	}
}

/* Whatever became of the batch, both halves know the same mappings after it. */
static void compare(struct sim_gateway *g)
{
	const struct ledger_mapping *m = NULL;
	size_t count = 0;

	while ((m = responder_mappings(g->responder, m)) != NULL) {
		const struct sim_held *held = find(g, &m->internal_address,
						   (enum tenf_protocol)m->protocol,
						   m->internal_port);

		count++;
		if (held == NULL || held->external_port != m->external_port ||
		    held->until != m->until)
			g->inconsistent = true;
	}
	if (count != g->held_count)
		g->inconsistent = true;
}

static void commit(struct sim_gateway *g, tenf_time now)
{
	struct responder_change change;
	bool fails = g->commit_fails > 0 &&
		     tenf_random_below(&g->random, SIM_CHANCE_ALL) < g->commit_fails;
	bool any = false;

	sweep(g, now);
	while (responder_next_change(g->responder, &change)) {
		any = true;
		if (!fails)
			apply(g, &change, now);
	}
	if (any && fails)
		g->failed_at = now;
	responder_committed(g->responder, fails ? TENF_E_SYSTEM : TENF_OK, now);
	g->changed |= any;
	if (any)
		compare(g);
}

/* ---- What happens to it ---------------------------------------------------------- */

static void drain_records(struct sim_gateway *g)
{
	struct responder_record record;

	while (responder_next_record(g->responder, &record)) {
	}
}

void sim_gateway_turn(struct sim_gateway *g, tenf_time now)
{
	responder_expire(g->responder, now);
	commit(g, now);
	drain_records(g);
}

void sim_gateway_receive(struct sim_gateway *g, const struct tenf_endpoint *from,
			 const uint8_t *data, size_t len, tenf_time now)
{
	const struct responder_datagram in = {
		.from = *from, .to = sim_gateway_address, .interface = SIM_LAN,
		.data = data, .len = len,
	};

	if (responder_receive(g->responder, &in, now) != TENF_OK)
		g->inconsistent = true; /* each datagram is committed and sent before the next */
}

bool sim_gateway_next_send(struct sim_gateway *g, tenf_time now, struct responder_datagram *ret)
{
	return responder_next_send(g->responder, now, ret);
}

/* One of four reboots is another firmware: the daemon is made anew. */
void sim_gateway_reboot(struct sim_gateway *g, tenf_time now)
{
	g->held_count = 0;
	g->epoch_kept = -1;
	g->lost_at = now;
	epoch_starts(g, now);
	if (tenf_random_below(&g->random, 4) == 0) {
		responder_free(g->responder);
		start(g, now);
	} else {
		responder_reboot(g->responder, now);
	}
}

static void restore(struct sim_gateway *g, const struct sim_held *held, tenf_time now)
{
	struct responder_kept kept = {
		.protocol = held->protocol, .internal = held->internal,
		.external = { held->external_address, held->external_port },
		.maker = held->maker, .made_at = held->made_at, .ends_at = held->until,
		.lifetime_s = held->lifetime_s, .id = held->id,
	};

	memcpy(kept.nonce, held->nonce, sizeof(kept.nonce));
	if (responder_restore(g->responder, &kept, now) != TENF_OK)
		g->inconsistent = true; /* it was all there a moment ago */
}

/* Nobody may notice, unless a move to another address had not been committed yet. */
void sim_gateway_restart(struct sim_gateway *g, tenf_time now)
{
	tenf_time kept = g->epoch_kept;

	sweep(g, now);
	responder_free(g->responder);
	start(g, now);
	for (size_t i = 0; i < g->held_count; i++)
		restore(g, &g->held[i], now);
	if (kept >= 0)
		responder_resume(g->responder, kept);
	if (kept != g->epoch_at ||
	    responder_epoch_s(g->responder, now) != (uint32_t)((now - kept) / TENF_SECOND))
		epoch_starts(g, now);
	g->restarts++;
	g->changed = true;
}

void sim_gateway_set_external(struct sim_gateway *g, const struct tenf_address *address,
			      tenf_time now)
{
	/* The responder's epoch restarts with another address, the mappings stay. */
	if (!tenf_address_is_none(address) && !tenf_address_equal(address, &g->external)) {
		epoch_starts(g, now);
		g->external = *address;
	}
	responder_set_external(g->responder, address, now);
}
