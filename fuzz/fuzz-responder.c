/* SPDX-License-Identifier: MIT */
/*
 * The gateway's responder under a script: packets, time, commits that hold or
 * fail, reboots, other external addresses, and an administrator who revokes, changes
 * rules, says yes and no, kills the daemon and empties the packet path. Whatever comes,
 * what the backend holds is what the ledger holds, nothing leaves before its commit, TCP
 * and UDP of a port have one host, and no port is given that must not be.
 *
 * A step is one octet: the low three bits say what, the others to whom or how long; those
 * of STEP_REBOOT which deed, of STEP_COMMIT whether its answers stay until the next batch
 * is being committed.
 */
#include "fuzz.h"
#include "gateway/responder-govern.h"
#include "gateway/responder-memo.h"
#include "gateway/responder-restore.h"
#include "gateway/responder.h"
#include "wire/pcp.h"

#include <stdbool.h>
#include <string.h>

enum { STEP_PACKET, STEP_BURST, STEP_COMMIT, STEP_FAIL, STEP_WAIT, STEP_SLEEP, STEP_REBOOT,
       STEP_EXTERNAL };
enum { DEED_REBOOT, DEED_REVOKE, DEED_RULES, DEED_REAPPLY, DEED_REBUILD, DEED_POOL, DEED_RESTART,
       DEED_APPROVE, DEED_DENY, DEED_EXPLAIN, DEEDS };

#define PORTS_FIRST 5340 /* few ports, and the forbidden ones among them */
#define PORTS_LAST 5363
#define MAPPINGS_MAX 24
#define MEMOS_MAX 32 /* the oldest give way */

struct gateway {
	struct responder *r;
	struct responder_link links[2];
	struct tenf_random random;
	struct responder_config config;
	tenf_time now;
	tenf_time epoch_kept; /* by the backend, -1: not */
	uint32_t held;  /* in the backend */
	uint32_t peers; /* also */
	size_t waiting; /* answers that have not left */
	uint64_t left;  /* those that have, or never will */
	struct responder_memo memos[MEMOS_MAX]; /* what outlives it; kind 0: free */
	size_t memo_next;
	struct responder_memo ids;
};

static const struct policy_rule rules[] = {
	{ .action = POLICY_ASK, .external = { { { PORTS_LAST, PORTS_LAST } }, 1 } },
	{ .action = POLICY_ALLOW, .external = { { { PORTS_FIRST, PORTS_LAST } }, 1 },
	  .third_party = true, .mappings_max = 8 },
	{ .action = POLICY_ALLOW, .internal = { { { 443, 443 } }, 1 } },
};

/* A flow that is there for every other remote port, wherever it may be. */
static bool find_flow(void *context, enum tenf_protocol protocol,
		      const struct tenf_endpoint *internal, const struct tenf_endpoint *remote,
		      struct tenf_endpoint *ret_external, uint32_t *ret_lifetime_s)
{
	(void)context;
	if (remote->port % 2 == 0)
		return false;
	*ret_external = *internal;
	if (tenf_address_is_v4(&internal->address))
		*ret_external = (struct tenf_endpoint){
			tenf_address_v4(0xcb007107),
			(uint16_t)(PORTS_FIRST + remote->port / 2 % (PORTS_LAST - PORTS_FIRST)),
		};
	*ret_lifetime_s = 100 + (uint32_t)protocol;
	return true;
}

static const struct responder_flows flows = { find_flow, NULL };

static void keep_memo(void *context, const struct responder_memo *memo)
{
	struct gateway *g = context;
	struct responder_memo *place = NULL;

	if (memo->kind == MEMO_IDS) {
		FUZZ_CHECK(memo->next_id >= g->ids.next_id && memo->next_wish >= g->ids.next_wish);
		g->ids = *memo;
		return;
	}
	for (size_t i = 0; i < MEMOS_MAX && place == NULL; i++) {
		if (g->memos[i].kind == memo->kind && g->memos[i].id == memo->id)
			place = &g->memos[i];
	}
	if (place == NULL)
		place = &g->memos[g->memo_next++ % MEMOS_MAX];
	*place = *memo;
	if (memo->until == 0)
		place->kind = (enum memo_kind)0;
}

/* What does not fit, or is over, is left out; nothing else is wrong with it. */
static void recall_memos(struct gateway *g)
{
	for (size_t i = 0; i < MEMOS_MAX; i++) {
		const struct responder_memo *memo = &g->memos[i];
		enum tenf_status status;

		if (memo->kind == 0)
			continue;
		status = responder_recall(g->r, memo, g->now);
		FUZZ_CHECK(status == TENF_OK || status == TENF_E_LIMIT || memo->until <= g->now);
	}
	if (g->ids.kind == MEMO_IDS)
		FUZZ_CHECK(responder_recall(g->r, &g->ids, g->now) == TENF_OK);
	responder_set_memory(g->r, &(struct responder_memory){ keep_memo, g });
}

static void start(struct gateway *g)
{
	FUZZ_CHECK(tenf_endpoint_parse("192.168.1.1:5351", 1, &g->links[0].address));
	FUZZ_CHECK(tenf_prefix_parse("192.168.1.0/24", &g->links[0].network));
	FUZZ_CHECK(tenf_endpoint_parse("[2001:db8:1::1]:5351", 1, &g->links[1].address));
	FUZZ_CHECK(tenf_prefix_parse("2001:db8:1::/64", &g->links[1].network));
	responder_config_init(&g->config);
	g->config.links = g->links;
	g->config.link_count = 2;
	g->config.rules = rules;
	g->config.rule_count = TENF_ARRAY_SIZE(rules);
	g->config.external_address = tenf_address_v4(0xcb007107);
	g->config.mappings_max = MAPPINGS_MAX;
	g->config.peer = true;
	g->config.flows = &flows;
	g->epoch_kept = -1;
	FUZZ_CHECK(responder_new(&g->config, &g->random, &tenf_memory_libc, g->now, &g->r) ==
		   TENF_OK);
	recall_memos(g); /* none yet */
}

static void check_mapping(const struct gateway *g, const struct ledger_mapping *m)
{
	const struct tenf_endpoint here = responder_external_of(g->r, m);
	const struct ledger_mapping *other = NULL;

	FUZZ_CHECK(m->external_port != 0);
	FUZZ_CHECK(g->ids.kind != MEMO_IDS || m->id < g->ids.next_id);
	if (!tenf_address_is_v4(&m->internal_address))
		return;
	FUZZ_CHECK(m->protocol != TENF_UDP || (m->external_port != PCP_PORT &&
					       m->external_port != PCP_ANNOUNCE_PORT));
	while ((other = responder_mappings(g->r, other)) != NULL) {
		const struct tenf_endpoint there = responder_external_of(g->r, other);

		if (other == m || !tenf_endpoint_equal(&here, &there))
			continue;
		FUZZ_CHECK(other->protocol != m->protocol);
		FUZZ_CHECK(tenf_address_equal(&other->internal_address, &m->internal_address));
	}
}

/* The port of a flow to one remote peer is no other host's. */
static void check_peer(const struct gateway *g, const struct responder_peer *p)
{
	const struct ledger_mapping *m = NULL;

	FUZZ_CHECK(p->remote.port != 0 && p->external.port != 0 && p->internal.port != 0);
	while ((m = responder_mappings(g->r, m)) != NULL) {
		const struct tenf_endpoint external = responder_external_of(g->r, m);

		if (m->protocol == (uint8_t)p->protocol &&
		    tenf_endpoint_equal(&external, &p->external))
			FUZZ_CHECK(m->internal_port == p->internal.port &&
				   tenf_address_equal(&m->internal_address,
						      &p->internal.address));
	}
}

static uint32_t count_peers(const struct gateway *g)
{
	const struct responder_peer *p = NULL;
	uint32_t count = 0;

	while ((p = responder_peers(g->r, p)) != NULL) {
		check_peer(g, p);
		count++;
	}
	return count;
}

static void check(const struct gateway *g)
{
	const struct ledger_mapping *m = NULL;
	uint32_t count = 0;

	while ((m = responder_mappings(g->r, m)) != NULL) {
		check_mapping(g, m);
		count++;
	}
	FUZZ_CHECK(count <= MAPPINGS_MAX);
	FUZZ_CHECK(count == g->held);
	FUZZ_CHECK(count_peers(g) == g->peers);
}

static void apply(struct gateway *g, const struct responder_change *change)
{
	switch (change->kind) {
	case RESPONDER_INSTALL:
		g->held++;
		break;
	case RESPONDER_RENEW:
		FUZZ_CHECK(g->held > 0);
		break;
	case RESPONDER_REMOVE:
		FUZZ_CHECK(change->mapping->end != LEDGER_NOT_ENDED);
		FUZZ_CHECK(change->is_flushed || g->held > 0);
		g->held -= !change->is_flushed;
		break;
	case RESPONDER_FLUSH:
		g->held = 0;
		g->peers = 0;
		break;
	case RESPONDER_EPOCH:
		g->epoch_kept = change->epoch_start;
		break;
	case RESPONDER_PEER_INSTALL:
		g->peers++;
		break;
	case RESPONDER_PEER_RENEW:
		FUZZ_CHECK(g->peers > 0);
		break;
	case RESPONDER_PEER_REMOVE:
		FUZZ_CHECK(change->peer->end != LEDGER_NOT_ENDED);
		FUZZ_CHECK(change->is_flushed || g->peers > 0);
		g->peers -= !change->is_flushed;
		break;
	}
}

/* How many answers are allowed to have left. */
static uint64_t released(const struct gateway *g)
{
	struct responder_counts counts;

	responder_count(g->r, &counts);
	return counts.answered;
}

/* Answers leave first; what comes behind them unasked is a Mapping Update. */
static void take(struct gateway *g, const struct responder_datagram *out)
{
	FUZZ_CHECK(out->len >= 8 && out->len <= PCP_MAX);
	FUZZ_CHECK(out->data[0] == 0 || out->data[0] == PCP_VERSION);
	FUZZ_CHECK(out->data[1] >= 128);
	if (out->to.port == PCP_ANNOUNCE_PORT)
		return;
	if (g->left < released(g)) {
		g->left++;
		FUZZ_CHECK(g->waiting-- > 0);
	} else {
		FUZZ_CHECK(out->data[0] == PCP_VERSION && out->data[3] == PCP_SUCCESS &&
			   out->data[1] == (PCP_RESPONSE | PCP_MAP));
	}
}

static void send_all(struct gateway *g)
{
	struct responder_datagram out;

	while (responder_next_send(g->r, g->now, &out))
		take(g, &out);
	FUZZ_CHECK(g->waiting == 0);
}

/* While it is being committed: answers of before, and nothing else. */
static void send_before(struct gateway *g)
{
	struct responder_datagram out;

	while (responder_next_send(g->r, g->now, &out)) {
		FUZZ_CHECK(g->left < released(g) && out.to.port != PCP_ANNOUNCE_PORT);
		take(g, &out);
	}
	FUZZ_CHECK(g->left == released(g));
}

static void commit_and_keep(struct gateway *g, bool holds)
{
	const struct gateway before = *g;
	struct responder_change change;

	responder_expire(g->r, g->now);
	while (responder_next_change(g->r, &change))
		apply(g, &change);
	send_before(g);
	/* A lease that is over is over, whatever becomes of the batch: its end is
	 * never the part that fails. */
	responder_committed(g->r, holds ? TENF_OK : TENF_E_FAILED, g->now);
	if (!holds) {
		const struct ledger_mapping *m = NULL;

		g->held = 0;
		g->epoch_kept = before.epoch_kept;
		while ((m = responder_mappings(g->r, m)) != NULL)
			g->held++;
		g->peers = count_peers(g);
		FUZZ_CHECK(g->held <= before.held && g->peers <= before.peers);
	}
	check(g);
}

static void commit(struct gateway *g, bool holds)
{
	struct responder_record record;

	commit_and_keep(g, holds);
	send_all(g);
	while (responder_next_record(g->r, &record))
		;
}

/* The client's address in a PCP header is made to fit, or no mutation would
 * come further than ADDRESS_MISMATCH. */
static void packet(struct gateway *g, struct tenf_reader *script, unsigned who)
{
	static uint8_t data[RESPONDER_RECEIVE_MAX];
	bool v4 = who % 4 != 3;
	struct responder_datagram in = {
		.from = { .port = 50000 }, .to = g->links[v4 ? 0 : 1].address, .data = data,
		.len = tenf_reader_u16(script) % sizeof(data),
	};
	struct responder_counts before;
	struct responder_counts after;

	in.len = in.len < script->left ? in.len : script->left;
	in.from.address = v4 ? tenf_address_v4(0xc0a80114 + who % 4) : in.to.address;
	if (!v4)
		in.from.address.octets[15] = 0x20;
	tenf_reader_copy(script, data, in.len);
	if (in.len >= PCP_HEADER && data[0] == PCP_VERSION && who < 16)
		memcpy(data + 8, in.from.address.octets, 16);
	responder_count(g->r, &before);
	responder_expect(g->r, &in, 1);
	if (responder_receive(g->r, &in, g->now) == TENF_E_AGAIN) {
		commit(g, true);
		FUZZ_CHECK(responder_receive(g->r, &in, g->now) == TENF_OK);
	}
	responder_count(g->r, &after);
	FUZZ_CHECK(after.received == before.received + 1);
	g->waiting += after.dropped_bytes == before.dropped_bytes &&
		      after.dropped_place == before.dropped_place;
}

/* What the backend and the memory hold is handed to another life: all that is open comes
 * back. */
static void restart(struct gateway *g)
{
	static struct responder_kept kept[MAPPINGS_MAX];
	static struct responder_peer peers[PEERS_MAX];
	struct responder *old = g->r;
	const struct ledger_mapping *m = NULL;
	const struct responder_peer *p = NULL;
	size_t count = 0;
	size_t peer_count = 0;

	commit(g, true);
	while ((m = responder_mappings(old, m)) != NULL) {
		struct responder_kept *k = &kept[count++];

		*k = (struct responder_kept){
			.protocol = (enum tenf_protocol)m->protocol,
			.internal = { m->internal_address, m->internal_port },
			.external = responder_external_of(old, m), .made_at = m->made_at,
			.maker = (enum ledger_maker)m->maker, .ends_at = m->until,
			.lifetime_s = m->lifetime_s, .renewals = m->renewals, .id = m->id,
		};
		memcpy(k->nonce, m->nonce, sizeof(k->nonce));
	}
	while ((p = responder_peers(old, p)) != NULL)
		peers[peer_count++] = *p;
	responder_free(old);
	FUZZ_CHECK(responder_new(&g->config, &g->random, &tenf_memory_libc, g->now, &g->r) ==
		   TENF_OK);
	g->left = 0;
	/* At other addresses some may find their port taken; at the same none. */
	g->held = 0;
	g->peers = 0;
	for (size_t i = 0; i < count; i++)
		g->held += responder_restore(g->r, &kept[i], g->now) == TENF_OK;
	for (size_t i = 0; i < peer_count; i++)
		g->peers += responder_restore_peer(g->r, &peers[i], g->now) == TENF_OK;
	recall_memos(g);
	responder_resume(g->r, g->epoch_kept);
	check(g);
}

static void explain(struct gateway *g, unsigned who)
{
	const struct responder_ask ask = {
		.client = tenf_address_v4(0xc0a80114 + who % 4), .protocol = TENF_TCP,
		.internal_port = (uint16_t)(80 + who), .external_port = PORTS_FIRST,
	};
	struct responder_explanation e;

	responder_explain(g->r, &ask, g->now, &e);
	FUZZ_CHECK(e.why != NULL);
}

static void change_pool(struct gateway *g, unsigned size)
{
	struct tenf_address pool[3];

	commit(g, true);
	for (unsigned i = 0; i < 3; i++)
		pool[i] = tenf_address_v4(0xcb007107 + i);
	FUZZ_CHECK(responder_set_externals(g->r, pool, 1 + size % 3, g->now) == TENF_OK);
}

static void say(struct gateway *g, bool yes)
{
	const struct pending_wish *wish = responder_pending(g->r, NULL);
	enum tenf_status status = TENF_OK;

	if (wish != NULL && yes)
		status = responder_approve(g->r, wish->id, g->now);
	else if (wish != NULL)
		status = responder_deny(g->r, wish->id, g->now);
	FUZZ_CHECK(status == TENF_OK || wish->until <= g->now);
}

static void revoke_one(struct gateway *g)
{
	const struct ledger_mapping *m = responder_mappings(g->r, NULL);
	const struct responder_peer *p = responder_peers(g->r, NULL);

	if (m != NULL)
		FUZZ_CHECK(responder_revoke(g->r, m->id, g->now) == TENF_OK);
	else if (p != NULL)
		FUZZ_CHECK(responder_revoke(g->r, p->id, g->now) == TENF_OK);
}

static void administer(struct gateway *g, unsigned argument)
{
	switch (argument % DEEDS) {
	case DEED_REBOOT:
		responder_reboot(g->r, g->now);
		g->waiting = 0;
		g->left = released(g);
		commit(g, true);
		break;
	case DEED_REVOKE:
		revoke_one(g);
		break;
	case DEED_RULES:
	case DEED_REAPPLY:
		FUZZ_CHECK(responder_set_policy(g->r, rules, argument / DEEDS % 3, NULL,
						argument % DEEDS == DEED_REAPPLY,
						g->now) == TENF_OK);
		break;
	case DEED_REBUILD:
		responder_rebuild(g->r, g->now, "emptied");
		break;
	case DEED_POOL:
		change_pool(g, argument / DEEDS);
		break;
	case DEED_RESTART:
		restart(g);
		break;
	case DEED_APPROVE:
	case DEED_DENY:
		say(g, argument % DEEDS == DEED_APPROVE);
		break;
	default:
		explain(g, argument);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tenf_reader script = tenf_reader_of(data, size);
	struct gateway g = { .now = TENF_SECOND };
	struct tenf_seeded seeded;

	tenf_seeded_init(&seeded, 1);
	g.random = tenf_seeded_random(&seeded);
	start(&g);
	while (script.left > 0 && !script.failed) {
		unsigned step = tenf_reader_u8(&script);
		unsigned argument = step >> 3;
		struct tenf_address external = tenf_address_v4(argument == 0 ? 0
									 : 0xcb007100 + argument);

		switch (step % 8) {
		case STEP_PACKET:
			packet(&g, &script, argument);
			commit(&g, true);
			break;
		case STEP_BURST:
			packet(&g, &script, argument);
			break;
		case STEP_COMMIT:
			if (argument % 2 == 1)
				commit_and_keep(&g, true);
			else
				commit(&g, true);
			break;
		case STEP_FAIL:
			commit(&g, false);
			break;
		case STEP_WAIT:
			commit(&g, true);
			g.now += tenf_seconds(argument);
			break;
		case STEP_SLEEP:
			commit(&g, true);
			g.now += tenf_seconds(argument * 3600);
			break;
		case STEP_REBOOT:
			administer(&g, argument);
			break;
		default:
			responder_set_external(g.r, &external, g.now);
			break;
		}
	}
	commit(&g, true);
	responder_free(g.r);
	return 0;
}
