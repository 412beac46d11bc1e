/* SPDX-License-Identifier: MIT */
/* Hosts that are remembered, and the two limits of remembering. */
#include "house.h"

#include "gateway/ledger.h"

static struct ledger *ledger_of(uint32_t mappings_max)
{
	const struct ledger_limits limits = { mappings_max, 120, 240 };
	struct tenf_seeded seeded;
	struct tenf_random random;
	struct ledger *ledger;

	tenf_seeded_init(&seeded, 1);
	random = tenf_seeded_random(&seeded);
	assert_int_equal(ledger_new(&limits, &random, &tenf_memory_libc, &ledger), TENF_OK);
	return ledger;
}

static struct tenf_address numbered(uint32_t number)
{
	return tenf_address_v4(0x0a000000u + number);
}

static struct ledger_mapping *add(struct ledger *ledger, uint32_t host, uint16_t port)
{
	const struct ledger_wish wish = {
		.internal_address = numbered(host), .protocol = TENF_TCP, .internal_port = port,
		.external_port = port, .maker = LEDGER_BY_NATPMP, .lifetime_s = 60,
	};
	struct ledger_mapping *m;

	assert_int_equal(ledger_add(ledger, &wish, 0, &m), TENF_OK);
	return m;
}

static void a_host_is_the_same_one_every_time(void **state)
{
	struct ledger *ledger = ledger_of(10);
	const struct tenf_address address = numbered(7);
	struct ledger_host *host = ledger_host(ledger, &address);

	(void)state;
	assert_ptr_equal(ledger_host(ledger, &address), host);
	assert_ptr_equal(add(ledger, 7, 80)->host, host);
	assert_int_equal(host->live_count, 1);
	assert_ptr_equal(ledger_host(ledger, &address), host);
	ledger_free(ledger);
}

/* LEDGER_IDLE_HOSTS_MAX: who asked longest ago is forgotten first, who holds
 * something never is. */
static void idle_hosts_are_forgotten_in_their_order(void **state)
{
	struct ledger *ledger = ledger_of(10);
	struct tenf_address address = numbered(1);
	struct ledger_host *host;

	(void)state;
	host = add(ledger, 0, 80)->host;
	host->requests_used = 5;
	ledger_host(ledger, &address)->requests_used = 6;
	for (uint32_t i = 2; i <= LEDGER_IDLE_HOSTS_MAX; i++) {
		address = numbered(i);
		assert_non_null(ledger_host(ledger, &address));
	}
	address = numbered(1);
	assert_int_equal(ledger_host(ledger, &address)->requests_used, 6); /* now the newest */
	for (uint32_t i = 0; i < LEDGER_IDLE_HOSTS_MAX - 1; i++) {
		address = numbered(5000 + i);
		assert_non_null(ledger_host(ledger, &address));
	}
	address = numbered(1);
	assert_int_equal(ledger_host(ledger, &address)->requests_used, 6);
	address = numbered(2);
	assert_int_equal(ledger_host(ledger, &address)->requests_used, 0);
	address = numbered(0);
	assert_ptr_equal(ledger_host(ledger, &address), host);
	assert_int_equal(host->requests_used, 5);
	ledger_free(ledger);
}

/* LEDGER_WITHHELD_MAX: in all, whoever they belong to. */
static void withheld_records_have_a_limit_in_all(void **state)
{
	struct ledger *ledger = ledger_of(LEDGER_WITHHELD_MAX + 1000);
	uint32_t number = 0;

	(void)state;
	for (uint32_t host = 0; number < LEDGER_WITHHELD_MAX + 100; host++) {
		for (uint32_t i = 0; i < LEDGER_WITHHELD_OF_HOST_MAX; i++, number++) {
			struct ledger_wish wish = {
				.internal_address = numbered(host), .maker = LEDGER_BY_NATPMP,
				.protocol = number < 65535 ? TENF_TCP : TENF_UDP,
				.internal_port = (uint16_t)(1 + i), .lifetime_s = 60,
				.external_port = (uint16_t)(1 + number % 65535),
			};
			struct ledger_mapping *m;

			assert_int_equal(ledger_add(ledger, &wish, 0, &m), TENF_OK);
			ledger_end(ledger, m, LEDGER_DELETED, 0);
		}
	}
	ledger_commit(ledger);
	ledger_sweep(ledger, 0);
	assert_int_equal(ledger_withheld(ledger), LEDGER_WITHHELD_MAX);
	ledger_sweep(ledger, 240 * TENF_SECOND);
	assert_int_equal(ledger_withheld(ledger), 0);
	ledger_free(ledger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_is_the_same_one_every_time),
		cmocka_unit_test(idle_hosts_are_forgotten_in_their_order),
		cmocka_unit_test(withheld_records_have_a_limit_in_all),
	};

	return cmocka_run_group_tests_name("gateway hosts", tests, NULL, NULL);
}
