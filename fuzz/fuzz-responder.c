/* SPDX-License-Identifier: MIT */
/*
 * The gateway's responder under a script: packets, time, commits that hold or
 * fail, reboots, another external address. Whatever comes, what the backend
 * holds is what the ledger holds, nothing leaves before its commit, TCP and
 * UDP of a port have one host, and no port is given that must not be.
 *
 * A step is one octet: the low three bits say what, the others to whom or how long.
 */
#include "fuzz.h"
#include "gateway/responder.h"
#include "wire/pcp.h"

#include <stdbool.h>
#include <string.h>

enum { STEP_PACKET, STEP_BURST, STEP_COMMIT, STEP_FAIL, STEP_WAIT, STEP_SLEEP, STEP_REBOOT,
       STEP_EXTERNAL };

#define PORTS_FIRST 5340 /* few ports, and the forbidden ones among them */
#define PORTS_LAST 5363
#define MAPPINGS_MAX 24

struct gateway {
	struct responder *r;
	struct responder_link links[2];
	tenf_time now;
	uint32_t held;  /* in the backend */
	size_t waiting; /* answers that may not leave yet */
};

static void start(struct gateway *g, struct tenf_random *random)
{
	static const struct policy_rule rules[] = {
		{ .action = POLICY_ALLOW, .external = { { { PORTS_FIRST, PORTS_LAST } }, 1 },
		  .third_party = true, .mappings_max = 8 },
		{ .action = POLICY_ALLOW, .internal = { { { 443, 443 } }, 1 } },
	};
	struct responder_config config;

	FUZZ_CHECK(tenf_endpoint_parse("192.168.1.1:5351", 1, &g->links[0].address));
	FUZZ_CHECK(tenf_prefix_parse("192.168.1.0/24", &g->links[0].network));
	FUZZ_CHECK(tenf_endpoint_parse("[2001:db8:1::1]:5351", 1, &g->links[1].address));
	FUZZ_CHECK(tenf_prefix_parse("2001:db8:1::/64", &g->links[1].network));
	responder_config_init(&config);
	config.links = g->links;
	config.link_count = 2;
	config.rules = rules;
	config.rule_count = TENF_ARRAY_SIZE(rules);
	config.external_address = tenf_address_v4(0xcb007107);
	config.mappings_max = MAPPINGS_MAX;
	FUZZ_CHECK(responder_new(&config, random, &tenf_memory_libc, g->now, &g->r) == TENF_OK);
}

static void check_mapping(const struct gateway *g, const struct ledger_mapping *m)
{
	const struct ledger_mapping *other = NULL;

	FUZZ_CHECK(m->external_port != 0);
	if (!tenf_address_is_v4(&m->internal_address))
		return;
	FUZZ_CHECK(m->protocol != TENF_UDP || (m->external_port != PCP_PORT &&
					       m->external_port != PCP_ANNOUNCE_PORT));
	while ((other = responder_mappings(g->r, other)) != NULL) {
		if (other == m || other->external_port != m->external_port ||
		    !tenf_address_is_v4(&other->internal_address))
			continue;
		FUZZ_CHECK(other->protocol != m->protocol);
		FUZZ_CHECK(tenf_address_equal(&other->internal_address, &m->internal_address));
	}
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
}

static void commit(struct gateway *g, bool holds)
{
	struct responder_change change;
	struct responder_datagram out;
	struct responder_record record;
	uint32_t held = g->held;

	responder_expire(g->r, g->now);
	while (responder_next_change(g->r, &change)) {
		if (change.kind == RESPONDER_INSTALL) {
			held++;
		} else if (change.kind == RESPONDER_FLUSH) {
			held = 0;
		} else if (change.kind != RESPONDER_EPOCH) {
			FUZZ_CHECK(held > 0);
			held -= change.kind == RESPONDER_REMOVE;
		}
	}
	/* A lease that is over is over, whatever becomes of the batch: its end is
	 * never the part that fails. */
	responder_committed(g->r, holds ? TENF_OK : TENF_E_FAILED, g->now);
	if (!holds) {
		const struct ledger_mapping *m = NULL;

		held = 0;
		while ((m = responder_mappings(g->r, m)) != NULL)
			held++;
		FUZZ_CHECK(held <= g->held);
	}
	g->held = held;
	while (responder_next_send(g->r, g->now, &out)) {
		FUZZ_CHECK(out.len >= 8 && out.len <= PCP_MAX);
		FUZZ_CHECK(out.data[0] == 0 || out.data[0] == PCP_VERSION);
		FUZZ_CHECK(out.data[1] >= 128);
		if (out.to.port != PCP_ANNOUNCE_PORT) {
			FUZZ_CHECK(g->waiting > 0);
			g->waiting--;
		}
	}
	FUZZ_CHECK(g->waiting == 0);
	while (responder_next_record(g->r, &record))
		;
	check(g);
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
	if (responder_receive(g->r, &in, g->now) == TENF_E_AGAIN) {
		commit(g, true);
		FUZZ_CHECK(responder_receive(g->r, &in, g->now) == TENF_OK);
	}
	responder_count(g->r, &after);
	FUZZ_CHECK(after.received == before.received + 1);
	g->waiting += after.dropped_bytes == before.dropped_bytes &&
		      after.dropped_place == before.dropped_place;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tenf_reader script = tenf_reader_of(data, size);
	struct gateway g = { .now = TENF_SECOND };
	struct tenf_seeded seeded;
	struct tenf_random random;

	tenf_seeded_init(&seeded, 1);
	random = tenf_seeded_random(&seeded);
	start(&g, &random);
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
			responder_reboot(g.r, g.now);
			g.waiting = 0;
			commit(&g, true);
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
