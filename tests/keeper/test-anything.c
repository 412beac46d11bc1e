/* SPDX-License-Identifier: MIT */
/*
 * Anything in any order: what people, gateways and networks do to an engine, drawn
 * from a seed. Whatever came before, a gateway that is well again ends with
 * every kept mapping held, every pair on one port, and nothing left in between.
 */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define SEEDS 150
#define STEPS 120
#define PORTS 20
#define HEALING (4 * 3600 * TENF_SECOND) /* the longest hold, and both halves of a pair */

static unsigned below(struct world *w, unsigned bound)
{
	struct tenf_random random = tenf_seeded_random(&w->seeded);

	return (unsigned)tenf_random_below(&random, bound);
}

static void add_something(struct world *w)
{
	struct keeper_wish wish = wish_of((uint16_t)(1 + below(w, PORTS)));

	for (size_t i = 0; i < w->engine.keeper.count; i++) {
		if (w->engine.keeper.mappings[i]->wish.internal_port == wish.internal_port)
			return; /* two wishes for one port would fight */
	}
	wish.keep = below(w, 4) != 0;
	wish.external_port = (uint16_t)(below(w, 2) * (6000 + wish.internal_port));
	wish.exact = below(w, 3) == 0;
	wish.lifetime_s = below(w, 2) != 0 ? 7200 : 120;
	(void)world_add(w, &wish, below(w, 3) == 0);
}

static void remove_something(struct world *w)
{
	const struct keeper *keeper = &w->engine.keeper;

	if (keeper->count == 0)
		return;
	/* one that is on its way out already may be gone by now */
	(void)!engine_remove(&w->engine, keeper->mappings[below(w, (unsigned)keeper->count)]->id,
			     w->now);
	world_flush(w);
}

static void update_something(struct world *w)
{
	const struct keeper *keeper = &w->engine.keeper;
	static const uint8_t results[] = { 0, 0, PCP_NOT_AUTHORIZED, PCP_CANNOT_PROVIDE_EXTERNAL };

	if (!w->connected || keeper->count == 0)
		return;
	world_update(w, keeper->mappings[below(w, (unsigned)keeper->count)]->id,
		     results[below(w, 4)], (uint16_t)(below(w, 3) * 1000), below(w, 3) * 600,
		     fake_gateway_epoch(&w->gateway, w->now) + below(w, 2));
}

static void change_gateway(struct world *w)
{
	static const uint8_t results[] = { 0, 0, PCP_NOT_AUTHORIZED, PCP_NO_RESOURCES,
					   PCP_NETWORK_FAILURE, PCP_UNSUPP_OPCODE };

	w->gateway.silent = below(w, 3) == 0;
	w->gateway.pcp = below(w, 3) != 0;
	w->gateway.natpmp = below(w, 3) != 0;
	w->gateway.drops_pcp = below(w, 2) != 0;
	w->gateway.pcp_result = results[below(w, 6)];
	w->gateway.pcp_delete_result = results[below(w, 4)];
	w->gateway.pcp_error_s = below(w, 3) * 900;
	w->gateway.natpmp_result = below(w, 4) == 0 ? NATPMP_NOT_AUTHORIZED : 0;
	w->gateway.always_other_port = below(w, 5) == 0;
	w->gateway.ignores_prefer_failure = below(w, 2) != 0;
	w->gateway.lifetime_max_s = below(w, 4) == 0 ? 1 + below(w, 60) : 7200;
}

static void move(struct world *w)
{
	static const char *const gateways[] = { GATEWAY, GATEWAY, "192.168.7.1", NULL };

	world_connect(w, gateways[below(w, 4)], below(w, 2) != 0 ? SOURCE : "192.168.1.21");
}

static void do_something(struct world *w)
{
	switch (below(w, 10)) {
	case 0:
	case 1:
		add_something(w);
		break;
	case 2:
		remove_something(w);
		break;
	case 3:
		change_gateway(w);
		break;
	case 4:
		fake_gateway_restart(&w->gateway, w->now);
		if (w->connected)
			world_announce(w);
		break;
	case 5:
		engine_unreachable(&w->engine, w->now);
		world_flush(w);
		break;
	case 6:
		move(w);
		break;
	case 7:
		update_something(w);
		break;
	default:
		world_pass(w, below(w, 2) != 0 ? below(w, 5000) * TENF_MILLISECOND :
						 below(w, 3000) * TENF_SECOND);
		break;
	}
	world_forget(w);
}

/* In another network, or where it is, with all that is still mapped there. */
static void heal(struct world *w)
{
	struct fake_gateway well;

	fake_gateway_init(&well, w->now);
	well.started = w->gateway.started;
	well.epoch_at_start = w->gateway.epoch_at_start;
	well.held = w->gateway.held;
	well.held_count = below(w, 2) != 0 ? w->gateway.held_count : 0;
	well.held_size = w->gateway.held_size;
	well.next_port = w->gateway.next_port;
	w->gateway = well;
	if (well.held_count == 0)
		world_connect(w, "10.0.0.1", "10.0.0.2");
	else if (!w->connected)
		world_connect(w, GATEWAY, SOURCE);
	for (tenf_duration passed = 0; passed < HEALING; passed += 600 * TENF_SECOND) {
		world_pass(w, 600 * TENF_SECOND);
		world_forget(w);
	}
}

static void check_mapping(const struct world *w, const struct keeper_mapping *m)
{
	const struct fake_mapping *held = fake_gateway_find(
		&w->gateway, m->wish.protocol, m->wish.internal_port, w->now);

	if (!m->wish.keep)
		return;
	assert_in_range(m->state, TENF_STATE_MAPPED, TENF_STATE_RENEWING);
	assert_int_equal(m->error.reason, TENF_REASON_NONE);
	assert_non_null(held);
	assert_int_equal(held->external_port, m->grant.external_port);
	assert_true(m->grant.expires <= held->expires + w->rtt);
	if (m->wish.exact && m->wish.external_port != 0)
		assert_int_equal(m->grant.external_port, m->wish.external_port);
	if (m->pair != NULL)
		assert_int_equal(m->pair->grant.external_port, m->grant.external_port);
}

static void all_is_well_in_the_end_whatever_came_before(void **state)
{
	struct world *w = *state;
	size_t checked = 0;

	w->ignore_events = true;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		tenf_seeded_init(&w->seeded, seed);
		print_message("# seed %u\n", (unsigned)seed);
		world_restart(w, TENF_METHOD_PCP | TENF_METHOD_NATPMP, below(w, 2) != 0);
		world_connect(w, GATEWAY, SOURCE);
		for (int step = 0; step < STEPS; step++)
			do_something(w);
		heal(w);
		for (size_t i = 0; i < w->engine.keeper.count; i++) {
			check_mapping(w, w->engine.keeper.mappings[i]);
			checked++;
		}
		assert_null(w->engine.client.active.first);
		assert_int_equal(w->engine.client.fresh, 0);
	}
	assert_true(checked > 5 * SEEDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(all_is_well_in_the_end_whatever_came_before),
	};

	return cmocka_run_group_tests_name("anything", tests, NULL, NULL);
}
