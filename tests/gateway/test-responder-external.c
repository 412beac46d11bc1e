/* SPDX-License-Identifier: MIT */
/* Several external addresses, as clients see them. */
#include "house.h"

#include "gateway/responder-govern.h"
#include "gateway/responder-restore.h"

#include <string.h>

static struct house h;
static struct tenf_address pool[RESPONDER_EXTERNALS_MAX + 1];

static int setup(void **state)
{
	(void)state;
	for (uint32_t i = 0; i <= RESPONDER_EXTERNALS_MAX; i++)
		pool[i] = tenf_address_v4(0xc6336401 + i);
	house_init(&h);
	h.config.externals = pool;
	h.config.external_count = 4;
	house_start(&h);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	house_stop(&h);
	return 0;
}

static struct wish web(unsigned host)
{
	return (struct wish){ .host = host, .protocol = TENF_TCP, .internal = 8080,
			      .external = 8000, .lifetime_s = 600, .nonce = 1 };
}

static struct tenf_address told(unsigned host)
{
	const struct tenf_endpoint from = { house_host(host), 50000 };
	struct natpmp_answer a;

	house_send(&h, &from, (const uint8_t *)"\0\0", 2);
	assert_int_equal(natpmp_decode_answer(h.answer, h.sent.len, &a), TENF_OK);
	assert_int_equal(a.result, 0);
	return a.external_address;
}

static void a_host_has_one_address_for_all_its_mappings(void **state)
{
	unsigned seen[4] = { 0 };

	(void)state;
	for (unsigned host = 10; host < 200; host++) {
		struct wish wish = web(host);
		const struct tenf_address mine = told(host);
		struct pcp_answer a;

		for (uint16_t i = 0; i < 3; i++) {
			wish.internal = (uint16_t)(8080 + i);
			a = house_pcp(&h, &wish);
			assert_int_equal(a.result, PCP_SUCCESS);
			assert_true(tenf_address_equal(&a.map.external_address, &mine));
			assert_true(tenf_address_equal(&h.installed.address, &mine));
			assert_true(tenf_address_equal(&h.record.external.address, &mine));
		}
		seen[mine.octets[15] - 1]++;
	}
	for (size_t i = 0; i < 4; i++)
		assert_true(seen[i] > 20);
}

static void the_same_port_is_given_once_at_each_address(void **state)
{
	unsigned granted = 0;

	(void)state;
	for (unsigned host = 10; host < 60; host++) {
		struct wish wish = web(host);

		granted += house_pcp(&h, &wish).map.external_port == 8000;
	}
	assert_int_equal(granted, 4);
}

static void the_very_endpoint_is_at_ones_own_address_alone(void **state)
{
	static const uint8_t exact[] = { 2, 0, 0, 0 };
	struct wish wish = web(20);

	(void)state;
	wish.options = exact;
	wish.options_len = sizeof(exact);
	for (size_t i = 0; i < 4; i++) {
		const struct tenf_address mine = told(20);

		wish.address = pool[i];
		assert_int_equal(house_pcp(&h, &wish).result,
				 tenf_address_equal(&mine, &pool[i]) ? PCP_SUCCESS
								     : PCP_CANNOT_PROVIDE_EXTERNAL);
	}
}

/* Clients of NAT-PMP take the address from the announcement. */
static void natpmp_does_not_announce_what_is_not_true_for_all(void **state)
{
	struct responder_datagram out;
	unsigned natpmp = 0;
	unsigned pcp = 0;

	(void)state;
	while (responder_next_send(h.r, h.now, &out)) {
		natpmp += out.data[0] == NATPMP_VERSION;
		pcp += out.data[0] == PCP_VERSION;
	}
	assert_int_equal(natpmp, 0);
	assert_int_equal(pcp, 2);
}

static void another_pool_moves_its_hosts_and_restarts_the_epoch(void **state)
{
	const struct ledger_mapping *m = NULL;
	unsigned stayed = 0;
	struct tenf_address before[256];

	(void)state;
	for (unsigned host = 10; host < 110; host++) {
		struct wish wish = web(host);

		wish.external = (uint16_t)(8000 + host);
		assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
		before[host] = told(host);
	}
	h.now += 100 * TENF_SECOND;
	assert_int_equal(responder_set_externals(h.r, pool, 4, h.now), TENF_OK);
	house_turn(&h);
	assert_int_equal(responder_epoch_s(h.r, h.now), 100); /* the same */
	h.installs = 0;
	assert_int_equal(responder_set_externals(h.r, pool, 3, h.now), TENF_OK);
	house_turn(&h);
	assert_int_equal(h.flushes, 1);
	assert_int_equal(h.installs, 100);
	assert_int_equal(responder_epoch_s(h.r, h.now), 0);
	while ((m = responder_mappings(h.r, m)) != NULL) {
		unsigned host = m->internal_address.octets[15];
		const struct tenf_address now = responder_external_of(h.r, m).address;

		assert_false(tenf_address_equal(&now, &pool[3]));
		if (!tenf_address_equal(&before[host], &pool[3])) {
			assert_true(tenf_address_equal(&now, &before[host]));
			stayed++;
		}
	}
	assert_in_range(stayed, 50, 95);
}

static void who_finds_no_place_is_told_of(void **state)
{
	unsigned granted = 0;

	(void)state;
	for (unsigned host = 10; host < 60; host++) {
		struct wish wish = web(host);

		granted += house_pcp(&h, &wish).map.external_port == 8000;
	}
	assert_int_equal(granted, 4);
	assert_int_equal(house_count(&h), 50);
	assert_int_equal(granted, 4);
	h.records = 0;
	assert_int_equal(responder_set_externals(h.r, pool, 1, h.now), TENF_OK);
	house_turn(&h);
	assert_int_equal(house_count(&h), 50 - 3); /* of four with port 8000 one is left */
	assert_int_equal(h.records, 4);
	assert_int_equal(h.record.verdict, RESPONDER_RESTARTED);
}

static void lists_that_make_no_sense_change_nothing(void **state)
{
	struct tenf_address list[2] = { pool[0], pool[0] };
	const struct tenf_address mine = told(20);
	struct responder *other;
	struct responder_change change;

	(void)state;
	assert_int_equal(responder_set_externals(h.r, list, 2, h.now), TENF_E_ARGUMENT);
	list[1] = tenf_address_none4;
	assert_int_equal(responder_set_externals(h.r, list, 2, h.now), TENF_E_ARGUMENT);
	list[1] = house_v6("2001:db8::1");
	assert_int_equal(responder_set_externals(h.r, list, 2, h.now), TENF_E_ARGUMENT);
	h.config.externals = list;
	h.config.external_count = 2;
	assert_int_equal(responder_new(&h.config, &h.random, &tenf_memory_libc, 0, &other),
			 TENF_E_ARGUMENT);
	assert_int_equal(responder_set_externals(h.r, pool, RESPONDER_EXTERNALS_MAX + 1, h.now),
			 TENF_E_LIMIT);
	assert_false(responder_next_change(h.r, &change));
	assert_int_equal(responder_set_externals(h.r, pool, 3, h.now), TENF_E_AGAIN);
	responder_committed(h.r, TENF_OK, h.now);
	{
		const struct tenf_address now = told(20);

		assert_true(tenf_address_equal(&now, &mine));
	}
}

static void no_address_is_a_network_failure_and_moves_nobody(void **state)
{
	struct wish wish = web(20);
	const struct tenf_address mine = told(20);

	(void)state;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
	assert_int_equal(responder_set_externals(h.r, NULL, 0, h.now), TENF_OK);
	assert_int_equal(house_pcp(&h, &wish).result, PCP_NETWORK_FAILURE);
	{
		const struct tenf_endpoint at =
			responder_external_of(h.r, house_find(&h, TENF_TCP, 8000));

		assert_true(tenf_address_equal(&at.address, &mine));
	}
	h.flushes = 0;
	assert_int_equal(responder_set_externals(h.r, pool, 4, h.now), TENF_OK);
	house_turn(&h);
	assert_int_equal(h.flushes, 0);
	assert_int_equal(house_pcp(&h, &wish).map.external_port, 8000);
}

static void what_was_kept_is_where_it_was(void **state)
{
	const struct tenf_address mine = told(20);
	struct responder_kept k = {
		.protocol = TENF_TCP, .internal = { house_host(20), 8080 },
		.external = { mine, 8000 }, .maker = LEDGER_BY_PCP, .made_at = 0,
		.ends_at = h.now + TENF_SECOND, .lifetime_s = 600, .id = 7,
	};

	(void)state;
	assert_int_equal(responder_restore(h.r, &k, h.now), TENF_OK);
	h.held = 1;
	k.internal.address = house_host(21);
	k.internal.port = 9;
	k.external.port = 9;
	k.external.address = tenf_address_v4(1); /* no longer in the pool: moved */
	assert_int_equal(responder_restore(h.r, &k, h.now), TENF_OK);
	h.held = 2;
	h.installs = 0;
	responder_resume(h.r, 0);
	house_turn(&h);
	assert_int_equal(h.flushes, 1);
	assert_int_equal(h.installs, 2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_host_has_one_address_for_all_its_mappings),
		CASE(the_same_port_is_given_once_at_each_address),
		CASE(the_very_endpoint_is_at_ones_own_address_alone),
		CASE(natpmp_does_not_announce_what_is_not_true_for_all),
		CASE(another_pool_moves_its_hosts_and_restarts_the_epoch),
		CASE(who_finds_no_place_is_told_of),
		CASE(lists_that_make_no_sense_change_nothing),
		CASE(no_address_is_a_network_failure_and_moves_nobody),
		CASE(what_was_kept_is_where_it_was),
	};

	return cmocka_run_group_tests_name("gateway external addresses", tests, NULL, NULL);
}
