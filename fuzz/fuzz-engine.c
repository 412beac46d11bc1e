/* SPDX-License-Identifier: MIT */
/*
 * The client engine under a script: packets of the gateway and of others,
 * answers made from what it asked, time, wishes, roaming. Whatever comes, it sends a
 * bounded number of packets a step, each of them a request; a deadline passes; and
 * what it shows as held has not ended.
 *
 * A step is one octet: the low three bits say what, the others say more, and
 * some take octets behind it.
 */
#include "fuzz.h"
#include "keeper/engine.h"
#include "wire/natpmp.h"
#include "wire/pcp.h"

#include <string.h>

enum { STEP_PACKET, STEP_FOREIGN, STEP_ANNOUNCED, STEP_REPLY, STEP_WAIT, STEP_ADD, STEP_REMOVE,
       STEP_GATEWAY };

#define STEPS_MAX 400
#define MAPPINGS_MAX 24
#define ROUNDS_MAX 8 /* looks at one instant until no deadline is in the past */
#define HOUR (3600 * TENF_SECOND)

/* In one step each mapping may end one question and begin another, by both
 * protocols; the watch and the address request come on top. */
#define SENDS_MAX (8 + 6 * MAPPINGS_MAX)

struct world {
	struct engine engine;
	struct tenf_seeded seeded;
	struct tenf_endpoint gateway;
	struct tenf_address source;
	tenf_time now;
	size_t mappings;
	uint8_t asked[PCP_MAX]; /* the last request that was sent */
	size_t asked_len;
	tenf_time born; /* of the gateway, for its epoch */
};

static void check_sent(struct world *w, const struct tenf_writer *out)
{
	struct natpmp_request natpmp;
	struct pcp_request pcp;
	enum pcp_result result;

	FUZZ_CHECK(!out->failed && out->used > 0);
	if (out->start[0] == NATPMP_VERSION)
		FUZZ_CHECK(natpmp_decode_request(out->start, out->used, &natpmp) == TENF_OK);
	else
		FUZZ_CHECK(pcp_parse_request(out->start, out->used, &pcp, &result) == PCP_PARSED);
	memcpy(w->asked, out->start, out->used);
	w->asked_len = out->used;
}

static void check_event(struct world *w, const struct engine_event *event)
{
	const struct keeper_view *m = &event->mapping;

	if (event->kind == TENF_EVENT_REMOVED)
		w->mappings--;
	if (event->kind != TENF_EVENT_MAPPED && event->kind != TENF_EVENT_RENEWED &&
	    event->kind != TENF_EVENT_CHANGED)
		return;
	FUZZ_CHECK(m->id != 0 && m->grant.external_port != 0);
}

static void check_mappings(const struct world *w)
{
	FUZZ_CHECK(w->engine.keeper.count == w->mappings);
	for (size_t i = 0; i < w->engine.keeper.count; i++) {
		struct keeper_view m;

		keeper_view(&w->engine.keeper, w->engine.keeper.mappings[i], &m);
		if (m.state != TENF_STATE_MAPPED && m.state != TENF_STATE_RENEWING)
			continue;
		FUZZ_CHECK(m.grant.external_port != 0);
		FUZZ_CHECK(m.grant.expires > w->now);
	}
}

static void settle(struct world *w)
{
	uint8_t data[PCP_MAX];
	struct engine_event event;
	size_t sends = 0;
	size_t rounds = 0;

	do {
		struct tenf_writer out = tenf_writer_of(data, sizeof(data));

		engine_expire(&w->engine, w->now);
		while (engine_next_send(&w->engine, w->now, &out)) {
			check_sent(w, &out);
			FUZZ_CHECK(++sends <= SENDS_MAX);
			out = tenf_writer_of(data, sizeof(data));
		}
		while (engine_next_event(&w->engine, w->now, &event))
			check_event(w, &event);
		FUZZ_CHECK(++rounds <= ROUNDS_MAX);
	} while (engine_deadline(&w->engine) <= w->now);
	check_mappings(w);
}

/* ---- Steps ----------------------------------------------------------------------- */

static void packet(struct world *w, unsigned what, struct tenf_reader *script)
{
	uint8_t data[256];
	size_t len = tenf_reader_u8(script);
	struct tenf_endpoint from = w->gateway;

	if (len > script->left)
		len = script->left;
	tenf_reader_copy(script, data, len);
	if (what == STEP_FOREIGN)
		from.address = tenf_address_v4(0xc0a801fa);
	if (what == STEP_ANNOUNCED)
		engine_announced(&w->engine, &from, data, len, w->now);
	else
		engine_receive(&w->engine, &from, data, len, w->now);
}

static void reply_natpmp(const struct world *w, unsigned more, struct tenf_reader *script,
			 struct tenf_writer *out)
{
	struct natpmp_request asked;
	struct natpmp_answer answer = { .external_address = tenf_address_v4(0xcb007107) };

	if (natpmp_decode_request(w->asked, w->asked_len, &asked) != TENF_OK)
		return;
	answer.opcode = (uint8_t)(asked.opcode + NATPMP_ANSWER);
	answer.result = more & 7;
	answer.epoch_s = (uint32_t)((w->now - w->born) / TENF_SECOND);
	answer.internal_port = asked.internal_port;
	answer.external_port = tenf_reader_u16(script);
	answer.lifetime_s = asked.lifetime_s == 0 ? 0 : tenf_reader_u8(script) * 30u;
	if ((more & 8) != 0)
		answer.external_port = asked.external_port;
	natpmp_write_answer(out, &answer);
}

static void reply_pcp(const struct world *w, unsigned more, struct tenf_reader *script,
		      struct tenf_writer *out)
{
	struct pcp_request asked;
	struct pcp_answer answer = { 0 };
	enum pcp_result result;

	if (pcp_parse_request(w->asked, w->asked_len, &asked, &result) != PCP_PARSED)
		return;
	answer.opcode = asked.opcode;
	answer.result = more & 7;
	answer.epoch_s = (uint32_t)((w->now - w->born) / TENF_SECOND);
	answer.map = asked.map;
	answer.map.external_address = tenf_address_v4(0xcb007107);
	answer.map.external_port = tenf_reader_u16(script);
	answer.lifetime_s = asked.lifetime_s == 0 ? 0 : tenf_reader_u8(script) * 30u;
	if ((more & 8) != 0 || asked.lifetime_s == 0)
		answer.map.external_port = asked.map.external_port;
	pcp_write_answer(out, &answer);
}

/* What a gateway might say to the last request, right or wrong. */
static void reply(struct world *w, unsigned more, struct tenf_reader *script)
{
	uint8_t data[PCP_MAX];
	struct tenf_writer out = tenf_writer_of(data, sizeof(data));

	if (w->asked_len == 0)
		return;
	if (w->asked[0] == NATPMP_VERSION)
		reply_natpmp(w, more, script, &out);
	else
		reply_pcp(w, more, script, &out);
	engine_receive(&w->engine, &w->gateway, data, out.used, w->now);
}

/* To the next deadline, or a while, asleep in between. */
static void wait_a_while(struct world *w, unsigned more)
{
	static const tenf_duration lengths[] = { 0, 1, 1000, 300000, TENF_SECOND, 5 * TENF_SECOND,
						 60 * TENF_SECOND, HOUR, 30 * HOUR };
	tenf_time deadline = engine_deadline(&w->engine);
	size_t count = sizeof(lengths) / sizeof(lengths[0]);

	if (more < count)
		w->now += lengths[more];
	else if (deadline != TENF_NEVER)
		w->now = tenf_time_max(w->now, deadline);
	if (more == 31)
		w->born = w->now; /* the gateway restarts */
}

static void add(struct world *w, unsigned more, struct tenf_reader *script)
{
	struct keeper_wish wish = {
		.protocol = (more & 1) != 0 ? TENF_TCP : TENF_UDP,
		.internal_port = (uint16_t)(1 + (tenf_reader_u8(script) & 15)),
		.external_port = tenf_reader_u8(script),
		.external_address = tenf_address_none4,
		.lifetime_s = 1u + tenf_reader_u8(script) * 60u,
		.exact = (more & 2) != 0,
		.keep = (more & 4) != 0,
	};
	bool both = (more & 8) != 0;
	uint32_t id;

	if (w->mappings + 2 > MAPPINGS_MAX)
		return;
	if ((more & 16) != 0)
		wish.description = "fuzz";
	FUZZ_CHECK(engine_add(&w->engine, &wish, both, w->now, &id) == TENF_OK);
	w->mappings += both ? 2 : 1;
}

static void take_away(struct world *w, unsigned more)
{
	struct keeper_wish wish = { .protocol = TENF_TCP, .internal_port = 99, .has_nonce = true,
				    .external_address = tenf_address_none4 };
	uint32_t id;

	if (more == 31 && w->mappings < MAPPINGS_MAX) {
		FUZZ_CHECK(engine_release(&w->engine, &wish, w->now, &id) == TENF_OK);
		w->mappings++;
	} else if (w->engine.keeper.count > 0) {
		const struct keeper *keeper = &w->engine.keeper;

		/* What is removed for good was told at the step before. */
		FUZZ_CHECK(engine_remove(&w->engine, keeper->mappings[more % keeper->count]->id,
					 w->now) == TENF_OK);
	}
}

static void move(struct world *w, unsigned more)
{
	if (more == 0) {
		engine_set_gateway(&w->engine, NULL, NULL, w->now);
		return;
	}
	if (more == 1) {
		engine_unreachable(&w->engine, w->now);
		return;
	}
	w->gateway.address = tenf_address_v4(0xc0a80101 + ((more >> 1) & 1));
	w->source = tenf_address_v4(0xc0a80114 + (more & 1));
	engine_set_gateway(&w->engine, &w->gateway, &w->source, w->now);
}

static void step(struct world *w, uint8_t octet, struct tenf_reader *script)
{
	unsigned more = octet >> 3;

	switch (octet & 7) {
	case STEP_PACKET:
	case STEP_FOREIGN:
	case STEP_ANNOUNCED:
		packet(w, octet & 7, script);
		break;
	case STEP_REPLY:
		reply(w, more, script);
		break;
	case STEP_WAIT:
		wait_a_while(w, more);
		break;
	case STEP_ADD:
		add(w, more, script);
		break;
	case STEP_REMOVE:
		take_away(w, more);
		break;
	default:
		move(w, more);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w; /* made anew below */
	struct tenf_reader script = tenf_reader_of(data, size);
	uint8_t flags = tenf_reader_u8(&script);
	struct engine_config config = {
		.methods = (flags & 3) != 0 ? (flags & 3) : TENF_METHOD_PCP | TENF_METHOD_NATPMP,
		.forced = (flags & 4) != 0,
		.watch = (flags & 8) != 0,
		.verdict = 5 * TENF_SECOND,
	};
	struct tenf_random random;

	memset(&w, 0, sizeof(w));
	w.now = TENF_SECOND;
	w.gateway = (struct tenf_endpoint){ tenf_address_v4(0xc0a80101), PCP_PORT };
	w.source = tenf_address_v4(0xc0a80114);
	tenf_seeded_init(&w.seeded, 1);
	random = tenf_seeded_random(&w.seeded);
	engine_init(&w.engine, &config, &random, &tenf_memory_libc);
	engine_set_gateway(&w.engine, &w.gateway, &w.source, w.now);
	for (size_t i = 0; i < STEPS_MAX && script.left > 0; i++) {
		step(&w, tenf_reader_u8(&script), &script);
		settle(&w);
	}
	engine_done(&w.engine);
	return 0;
}
