/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include "wire/pcp-option.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define START (5000 * TENF_SECOND)
#define STEPS_MAX 2000000 /* an engine that wants to be called for ever at one time */

struct tenf_endpoint endpoint_of(const char *text)
{
	struct tenf_endpoint e;

	assert_true(tenf_endpoint_parse(text, PCP_PORT, &e));
	return e;
}

struct tenf_address address_of(const char *text)
{
	return endpoint_of(text).address;
}

static void *failing_resize(void *context, void *old, size_t size)
{
	struct world *w = context;

	if (size > 0 && w->fail_at > 0 && --w->fail_at == 0)
		return NULL;
	return tenf_memory_libc.resize(NULL, old, size);
}

static void start(struct world *w, unsigned methods, bool watch)
{
	struct engine_config config = { .methods = methods, .watch = watch, .verdict = VERDICT };
	struct tenf_random random = tenf_seeded_random(&w->seeded);

	engine_init(&w->engine, &config, &random, &w->memory);
	fake_gateway_init(&w->gateway, w->now - 1000 * TENF_SECOND);
	w->connected = false;
	w->answers_left = SIZE_MAX;
	world_forget(w);
}

int world_setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->now = START;
	w->rtt = 2 * TENF_MILLISECOND;
	w->memory = (struct tenf_memory){ .resize = failing_resize, .context = w };
	tenf_seeded_init(&w->seeded, 7);
	start(w, TENF_METHOD_PCP | TENF_METHOD_NATPMP, false);
	*state = w;
	return 0;
}

int world_teardown(void **state)
{
	struct world *w = *state;

	engine_done(&w->engine);
	fake_gateway_done(&w->gateway);
	free(w);
	return 0;
}

void world_restart(struct world *w, unsigned methods, bool watch)
{
	engine_done(&w->engine);
	fake_gateway_done(&w->gateway);
	start(w, methods, watch);
}

void world_forget(struct world *w)
{
	w->event_count = w->event_next = 0;
	w->packet_count = w->map_requests = 0;
}

/* ---- Packets ----------------------------------------------------------------------- */

static bool has_option(struct tenf_reader options, uint8_t code)
{
	struct pcp_option option;

	while (pcp_option_next(&options, &option)) {
		if (option.code == code)
			return true;
	}
	return false;
}

static void note_filters(struct tenf_reader options, struct packet *p)
{
	struct pcp_option option;
	struct pcp_filter f;

	while (pcp_option_next(&options, &option)) {
		if (option.code != PCP_OPTION_FILTER)
			continue;
		assert_int_equal(pcp_option_filter(&option, &f), TENF_OK);
		/* Those that are there go before others are added. */
		if (f.prefix_length == 0) {
			assert_int_equal(p->filters, 0);
			p->clears_filters = true;
		}
		p->filters++;
	}
}

static void note_pcp(const uint8_t *data, size_t len, struct packet *p)
{
	struct pcp_request m;
	enum pcp_result reject;

	assert_int_equal(pcp_parse_request(data, len, &m, &reject), PCP_PARSED);
	p->pcp = true;
	p->opcode = m.opcode;
	p->protocol = m.map.protocol == TENF_TCP ? TENF_TCP : TENF_UDP;
	p->internal_port = m.map.internal_port;
	p->external_port = m.map.external_port;
	p->external_address = m.map.external_address;
	p->lifetime_s = m.lifetime_s;
	p->deletes = m.opcode == PCP_MAP && m.lifetime_s == 0;
	p->prefer_failure = has_option(m.options, PCP_OPTION_PREFER_FAILURE);
	p->described = has_option(m.options, PCP_OPTION_DESCRIPTION);
	note_filters(m.options, p);
	p->client = m.client;
	memcpy(p->nonce, m.map.nonce, PCP_NONCE);
}

static void note_natpmp(const uint8_t *data, size_t len, struct packet *p)
{
	struct natpmp_request m;

	assert_int_equal(natpmp_decode_request(data, len, &m), TENF_OK);
	p->opcode = m.opcode;
	p->protocol = m.opcode == NATPMP_MAP_TCP ? TENF_TCP : TENF_UDP;
	p->internal_port = m.internal_port;
	p->external_port = m.external_port;
	p->lifetime_s = m.lifetime_s;
	p->deletes = m.opcode != NATPMP_ADDRESS && m.lifetime_s == 0;
}

static void note_packet(struct world *w, const uint8_t *data, size_t len)
{
	struct packet p = { .at = w->now };

	if (data[0] == PCP_VERSION)
		note_pcp(data, len, &p);
	else
		note_natpmp(data, len, &p);
	w->map_requests += p.internal_port != 0 && !p.deletes;
	if (w->packet_count < PACKETS_MAX)
		w->packets[w->packet_count] = p;
	w->packet_count++;
}

const struct packet *last_packet(const struct world *w)
{
	assert_in_range(w->packet_count, 1, PACKETS_MAX);
	return &w->packets[w->packet_count - 1];
}

const struct packet *packet_nth(const struct world *w, enum tenf_protocol protocol, uint16_t port,
				bool deletes, size_t n)
{
	for (size_t i = 0; i < w->packet_count && i < PACKETS_MAX; i++) {
		const struct packet *p = &w->packets[i];

		if (p->internal_port == port && p->protocol == protocol && p->deletes == deletes &&
		    n-- == 0)
			return p;
	}
	return NULL;
}

/* ---- Time -------------------------------------------------------------------------- */

static void take_events(struct world *w)
{
	struct engine_event event;

	while (!w->keep_events_waiting && engine_next_event(&w->engine, w->now, &event)) {
		if (w->ignore_events)
			continue;
		assert_true(w->event_count < EVENTS_MAX);
		w->events[w->event_count++] = event;
	}
}

static void answer(struct world *w, const uint8_t *request, size_t len)
{
	uint8_t data[PCP_MAX];
	struct tenf_writer writer = tenf_writer_of(data, sizeof(data));

	if (!w->connected || w->answers_left == 0 ||
	    !fake_gateway_answer(&w->gateway, request, len, w->now, &writer))
		return;
	w->answers_left--;
	w->now += w->rtt;
	engine_receive(&w->engine, &w->engine.client.gateway, data, writer.used, w->now);
}

void world_flush(struct world *w)
{
	uint8_t data[PCP_MAX];

	for (;;) {
		struct tenf_writer writer = tenf_writer_of(data, sizeof(data));

		take_events(w);
		if (!engine_next_send(&w->engine, w->now, &writer))
			return;
		assert_false(writer.failed);
		note_packet(w, data, writer.used);
		answer(w, data, writer.used);
	}
}

void world_run(struct world *w, tenf_time until)
{
	tenf_time deadline;
	unsigned steps = 0;

	world_flush(w);
	while ((deadline = engine_deadline(&w->engine)) <= until) {
		assert_true(++steps < STEPS_MAX);
		w->now = tenf_time_max(w->now, deadline);
		engine_expire(&w->engine, w->now);
		world_flush(w);
	}
	w->now = tenf_time_max(w->now, until);
}

void world_pass(struct world *w, tenf_duration time)
{
	world_run(w, w->now + time);
}

void world_connect(struct world *w, const char *gateway, const char *source)
{
	struct tenf_endpoint endpoint;
	struct tenf_address address;

	w->connected = gateway != NULL;
	if (gateway == NULL) {
		engine_set_gateway(&w->engine, NULL, NULL, w->now);
	} else {
		endpoint = endpoint_of(gateway);
		address = address_of(source);
		engine_set_gateway(&w->engine, &endpoint, &address, w->now);
	}
	world_flush(w);
}

/* ---- Wishes ------------------------------------------------------------------------ */

struct keeper_wish wish_of(uint16_t port)
{
	return (struct keeper_wish){ .protocol = TENF_TCP,
				     .internal_port = port,
				     .external_address = tenf_address_none4,
				     .lifetime_s = 7200,
				     .keep = true };
}

uint32_t world_add(struct world *w, const struct keeper_wish *wish, bool both)
{
	uint32_t id = 0;

	assert_int_equal(engine_add(&w->engine, wish, both, w->now, &id), TENF_OK);
	assert_int_not_equal(id, 0);
	world_flush(w);
	return id;
}

struct keeper_view world_view(const struct world *w, uint32_t id)
{
	const struct keeper_mapping *m = keeper_find(&w->engine.keeper, id);
	struct keeper_view view;

	assert_non_null(m);
	keeper_view(&w->engine.keeper, m, &view);
	return view;
}

void world_announce(struct world *w)
{
	struct pcp_answer announcement = { .opcode = PCP_ANNOUNCE,
					   .epoch_s = fake_gateway_epoch(&w->gateway, w->now) };
	uint8_t data[PCP_MAX];
	struct tenf_writer writer = tenf_writer_of(data, sizeof(data));

	pcp_write_answer(&writer, &announcement);
	engine_announced(&w->engine, &w->engine.client.gateway, data, writer.used, w->now);
	world_flush(w);
}

void world_update(struct world *w, uint32_t id, uint8_t result, uint16_t external_port,
		  uint32_t lifetime_s, uint32_t epoch_s)
{
	struct keeper_view view = world_view(w, id);
	struct pcp_answer update = { .opcode = PCP_MAP,
				     .result = result,
				     .lifetime_s = lifetime_s,
				     .epoch_s = epoch_s,
				     .map = { .protocol = (uint8_t)view.wish.protocol,
					      .internal_port = view.wish.internal_port,
					      .external_port = external_port,
					      .external_address = w->gateway.external } };
	uint8_t data[PCP_MAX];
	struct tenf_writer writer = tenf_writer_of(data, sizeof(data));

	memcpy(update.map.nonce, view.wish.nonce, PCP_NONCE);
	pcp_write_answer(&writer, &update);
	engine_receive(&w->engine, &w->engine.client.gateway, data, writer.used, w->now);
	world_flush(w);
}

/* ---- Events ------------------------------------------------------------------------ */

const struct engine_event *expect_event(struct world *w, enum tenf_event_kind kind, uint32_t id)
{
	const struct engine_event *event = &w->events[w->event_next];

	if (w->event_next == w->event_count)
		fail_msg("no event where %d should be", (int)kind);
	assert_int_equal(event->kind, kind);
	if (id != 0)
		assert_int_equal(event->mapping.id, id);
	w->event_next++;
	return event;
}

void expect_no_event(const struct world *w)
{
	if (w->event_next < w->event_count)
		fail_msg("unexpected event %d", (int)w->events[w->event_next].kind);
}
