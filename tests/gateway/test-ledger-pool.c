/* SPDX-License-Identifier: MIT */
/* Several external addresses: who is at which, what moves, and what it costs. */
#include "house.h"

#include "gateway/ledger.h"

#include <string.h>

static const struct ledger_limits limits = { LEDGER_MAPPINGS_MAX, 120, 240 };
static struct ledger *ledger;
static struct tenf_seeded seeded;
static struct tenf_random chance;
static struct tenf_address pool[LEDGER_POOL_MAX + 1];

static int setup(void **state)
{
	(void)state;
	tenf_seeded_init(&seeded, 11);
	chance = tenf_seeded_random(&seeded);
	for (uint32_t i = 0; i <= LEDGER_POOL_MAX; i++)
		pool[i] = tenf_address_v4(0xc6336400 + i);
	assert_int_equal(ledger_new(&limits, &chance, &tenf_memory_libc, &ledger), TENF_OK);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ledger_free(ledger);
	return 0;
}

static struct tenf_address host(uint32_t i)
{
	return tenf_address_v4(0x0a000000 + i);
}

static void forget(void *context, const struct ledger_mapping *m)
{
	uint32_t *lost = context;

	assert_int_equal(m->state, LEDGER_LIVE);
	(*lost)++;
}

static enum tenf_status set(size_t count, uint32_t *ret_lost)
{
	*ret_lost = 0;
	return ledger_set_pool(ledger, pool, count, forget, ret_lost);
}

static struct ledger_mapping *add(uint32_t i, enum tenf_protocol protocol, uint16_t internal,
				  uint16_t external, enum ledger_maker maker)
{
	const struct ledger_wish wish = {
		.internal_address = host(i), .internal_port = internal, .external_port = external,
		.protocol = protocol, .maker = maker, .lifetime_s = 600,
	};
	struct ledger_mapping *m;

	assert_int_equal(ledger_add(ledger, &wish, 0, &m), TENF_OK);
	return m;
}

/* A host of the pool that is at this slot, the n-th from 1. */
static uint32_t host_at(size_t slot, unsigned n)
{
	for (uint32_t i = 1;; i++) {
		const struct tenf_address address = host(i);

		if (tenf_address_equal(ledger_pool_address(ledger, &address), &pool[slot]) &&
		    n-- == 1)
			return i;
	}
}

static void hosts_spread_evenly_and_stay_where_they_are(void **state)
{
	static struct tenf_address before[16000];
	unsigned at[16] = { 0 };
	unsigned moved = 0;
	uint32_t lost;

	(void)state;
	assert_int_equal(set(16, &lost), TENF_OK);
	for (uint32_t i = 0; i < TENF_ARRAY_SIZE(before); i++) {
		const struct tenf_address address = host(i);

		before[i] = *ledger_pool_address(ledger, &address);
		at[before[i].octets[15]]++;
	}
	for (size_t i = 0; i < 16; i++)
		assert_in_range(at[i], 800, 1200);
	/* Another life, another key of the hash, another order: the same addresses. */
	ledger_free(ledger);
	tenf_seeded_init(&seeded, 12);
	assert_int_equal(ledger_new(&limits, &chance, &tenf_memory_libc, &ledger), TENF_OK);
	for (size_t i = 0; i < 8; i++) {
		const struct tenf_address swap = pool[i];

		pool[i] = pool[15 - i];
		pool[15 - i] = swap;
	}
	assert_int_equal(set(16, &lost), TENF_OK);
	for (uint32_t i = 0; i < TENF_ARRAY_SIZE(before); i++) {
		const struct tenf_address address = host(i);

		assert_true(tenf_address_equal(ledger_pool_address(ledger, &address), &before[i]));
	}
	/* The first one goes: its own hosts move, and nobody else. */
	memmove(pool, pool + 1, 15 * sizeof(pool[0]));
	assert_int_equal(set(15, &lost), TENF_OK);
	for (uint32_t i = 0; i < TENF_ARRAY_SIZE(before); i++) {
		const struct tenf_address address = host(i);
		bool same = tenf_address_equal(ledger_pool_address(ledger, &address), &before[i]);

		assert_int_equal(same, before[i].octets[15] != 15);
		moved += !same;
	}
	assert_int_equal(moved, at[15]);
}

static void ports_are_each_addresss_own(void **state)
{
	struct tenf_address a;
	struct tenf_address c;
	uint32_t lost;

	(void)state;
	assert_int_equal(set(2, &lost), TENF_OK);
	a = host(host_at(0, 1));
	c = host(host_at(1, 1));
	ledger_reserve(ledger, TENF_TCP, 22);
	add(host_at(0, 1), TENF_TCP, 80, 8000, LEDGER_BY_PCP);
	assert_false(ledger_port_is_free(ledger, TENF_TCP, 8000, &a));
	assert_true(ledger_port_is_free(ledger, TENF_TCP, 8000, &c));
	assert_null(ledger_find_external(ledger, &c, TENF_TCP, 8000));
	assert_non_null(ledger_find_external(ledger, &a, TENF_TCP, 8000));
	assert_false(ledger_port_is_free(ledger, TENF_TCP, 22, &a));
	assert_false(ledger_port_is_free(ledger, TENF_TCP, 22, &c));
	ledger_commit(ledger);
	assert_int_equal(set(3, &lost), TENF_OK); /* what is reserved is at new ones too */
	for (size_t slot = 0; slot < 3; slot++) {
		a = host(host_at(slot, 1));
		assert_false(ledger_port_is_free(ledger, TENF_TCP, 22, &a));
	}
	ledger_unreserve(ledger);
	assert_true(ledger_port_is_free(ledger, TENF_TCP, 22, &a));
}

static void who_moves_onto_a_taken_port_is_crowded_out_static_ones_last(void **state)
{
	uint32_t lost;
	uint32_t a;
	uint32_t c;

	(void)state;
	assert_int_equal(set(2, &lost), TENF_OK);
	a = host_at(0, 1);
	c = host_at(1, 1);
	add(a, TENF_TCP, 80, 8000, LEDGER_BY_PCP);
	add(c, TENF_TCP, 80, 8000, LEDGER_STATIC);
	add(a, TENF_TCP, 81, 8001, LEDGER_BY_PCP);
	add(c, TENF_UDP, 81, 8001, LEDGER_BY_PCP);  /* the twin of another host's */
	ledger_end(ledger, add(c, TENF_TCP, 82, 8002, LEDGER_BY_PCP), LEDGER_DELETED, 0);
	ledger_end(ledger, add(c, TENF_TCP, 83, 8003, LEDGER_BY_PCP), LEDGER_DELETED, 0);
	add(a, TENF_TCP, 82, 8002, LEDGER_BY_PCP);
	add(a, TENF_UDP, 9, 9000, LEDGER_BY_PCP);
	assert_int_equal(set(1, &lost), TENF_E_AGAIN); /* a batch is open */
	ledger_commit(ledger);
	assert_int_equal(set(1, &lost), TENF_OK);
	assert_int_equal(lost, 2);
	assert_int_equal(ledger_count(ledger), 4);
	assert_int_equal(ledger_withheld(ledger), 1);
	{
		const struct tenf_address first = host(a);
		const struct tenf_address second = host(c);

		assert_null(ledger_find(ledger, &first, TENF_TCP, 80));
		assert_non_null(ledger_find(ledger, &second, TENF_TCP, 80));
		assert_int_equal((ledger_find(ledger, &first, TENF_TCP, 81) != NULL) +
					 (ledger_find(ledger, &second, TENF_UDP, 81) != NULL), 1);
		assert_non_null(ledger_find(ledger, &first, TENF_TCP, 82));
		assert_ptr_equal(ledger_find_external(ledger, &second, TENF_TCP, 8002),
				 ledger_find(ledger, &first, TENF_TCP, 82));
	}
}

/* Whatever moves where: no port has two holders, and nobody is lost who need not be. */
static void random_pools_keep_every_mapping_that_has_a_place(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		size_t count = 1 + (size_t)tenf_random_below(&chance, 8);
		const struct ledger_mapping *m = NULL;
		uint32_t before = ledger_count(ledger);
		uint32_t lost;
		uint32_t live = 0;

		for (size_t i = 0; i < count; i++)
			pool[i] = tenf_address_v4(0xc6336400 + (uint32_t)i * 8 +
						  (uint32_t)tenf_random_below(&chance, 8));
		assert_int_equal(set(count, &lost), TENF_OK);
		assert_int_equal(ledger_count(ledger), before - lost);
		while ((m = ledger_each(ledger, m)) != NULL) {
			const struct ledger_mapping *twin = ledger_find_external(
				ledger, &m->internal_address, ports_twin(m->protocol),
				m->external_port);

			assert_ptr_equal(ledger_find_external(ledger, &m->internal_address,
							      m->protocol, m->external_port), m);
			assert_true(twin == NULL || twin->host == m->host);
			live++;
		}
		assert_int_equal(live, ledger_count(ledger));
		for (unsigned i = 0; i < 60; i++) {
			uint32_t who = (uint32_t)tenf_random_below(&chance, 40);
			const struct tenf_address address = host(who);
			enum tenf_protocol protocol = i % 2 == 0 ? TENF_TCP : TENF_UDP;
			uint16_t port = (uint16_t)(1000 + tenf_random_below(&chance, 100));
			struct ledger_mapping *old = ledger_find(ledger, &address, protocol, port);

			if (old != NULL)
				ledger_end(ledger, old, LEDGER_DELETED, 0);
			else if (ledger_port_is_free(ledger, protocol, port, &address))
				add(who, protocol, port, port, LEDGER_BY_PCP);
		}
		ledger_commit(ledger);
		if (round % 8 == 0)
			ledger_sweep(ledger, TENF_NEVER - 1);
	}
	assert_true(ledger_count(ledger) > 100);
}

/* LEDGER_POOL_MAX */
static void the_pool_is_finite_and_never_empty(void **state)
{
	struct house_memory short_of;
	struct ledger *other;
	uint32_t lost;

	(void)state;
	assert_int_equal(set(0, &lost), TENF_E_ARGUMENT);
	assert_int_equal(set(LEDGER_POOL_MAX + 1, &lost), TENF_E_LIMIT);
	assert_int_equal(set(LEDGER_POOL_MAX, &lost), TENF_OK);
	house_memory_init(&short_of, 2);
	assert_int_equal(ledger_new(&limits, &chance, &short_of.memory, &other), TENF_OK);
	assert_int_equal(ledger_set_pool(other, pool, 2, forget, &lost), TENF_E_MEMORY);
	assert_int_equal(ledger_set_pool(other, pool, 1, forget, &lost), TENF_OK);
	ledger_free(other);
}

static void a_million_mappings_over_16_addresses_take_192_octets_each(void **state)
{
	const uint32_t hosts = 15625; /* with 64 mappings each */
	static uint64_t all[PORTS_WORDS];
	struct house_counted c;
	struct ledger *big;
	size_t empty;

	(void)state;
	memset(all, 0xff, sizeof(all));
	house_counted_init(&c);
	assert_int_equal(ledger_new(&limits, &chance, &c.memory, &big), TENF_OK);
	assert_int_equal(ledger_set_pool(big, pool, 16, NULL, NULL), TENF_OK);
	empty = c.held;
	for (uint32_t i = 0; i < hosts * 32; i++) {
		struct ledger_wish wish = {
			.internal_address = host(i % hosts), .protocol = TENF_TCP,
			.internal_port = (uint16_t)(1 + i / hosts), .maker = LEDGER_BY_NATPMP,
			.lifetime_s = 60,
		};
		struct ledger_mapping *m;

		wish.external_port = ledger_find_port(big, TENF_TCP, &wish.internal_address, all,
						      &chance);
		assert_int_equal(ledger_add(big, &wish, 0, &m), TENF_OK);
		wish.protocol = TENF_UDP; /* both protocols of a port belong to one host */
		assert_int_equal(ledger_add(big, &wish, 0, &m), TENF_OK);
		if (i % 128 == 0)
			ledger_commit(big);
	}
	ledger_commit(big);
	assert_int_equal(ledger_count(big), 1000000);
	assert_true((c.held - empty) / 1000000 <= 192);
	ledger_free(big);
	assert_int_equal(c.held, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(hosts_spread_evenly_and_stay_where_they_are),
		CASE(ports_are_each_addresss_own),
		CASE(who_moves_onto_a_taken_port_is_crowded_out_static_ones_last),
		CASE(random_pools_keep_every_mapping_that_has_a_place),
		CASE(the_pool_is_finite_and_never_empty),
		CASE(a_million_mappings_over_16_addresses_take_192_octets_each),
	};

	return cmocka_run_group_tests_name("gateway pool", tests, NULL, NULL);
}
