/* SPDX-License-Identifier: MIT */
#include "house.h"

#include "gateway/ports.h"

#include <string.h>

static struct ports ports;
static uint64_t allowed[PORTS_WORDS];
static struct tenf_seeded seeded;
static struct tenf_random chance;

static int setup(void **state)
{
	(void)state;
	ports_init(&ports);
	memset(allowed, 0xff, sizeof(allowed));
	tenf_seeded_init(&seeded, 3);
	chance = tenf_seeded_random(&seeded);
	return 0;
}

static void allow_only(unsigned first, unsigned last)
{
	memset(allowed, 0, sizeof(allowed));
	for (unsigned port = first; port <= last; port++)
		allowed[port / 64] |= (uint64_t)1 << (port % 64);
}

static void a_taken_port_is_taken_until_it_is_released(void **state)
{
	(void)state;
	ports_take(&ports, TENF_TCP, 80);
	assert_true(ports_is_taken(&ports, TENF_TCP, 80));
	assert_false(ports_is_taken(&ports, TENF_UDP, 80));
	assert_false(ports_is_taken(&ports, TENF_TCP, 81));
	ports_release(&ports, TENF_TCP, 80);
	assert_false(ports_is_taken(&ports, TENF_TCP, 80));
	assert_int_equal(ports_twin(TENF_TCP), TENF_UDP);
	assert_int_equal(ports_twin(TENF_UDP), TENF_TCP);
}

/* NP-G-39, PCP-G-26 */
static void reserved_ports_are_never_found(void **state)
{
	(void)state;
	allow_only(5350, 5351);
	assert_int_equal(ports_find(&ports, TENF_UDP, allowed, &chance), 0);
	assert_in_range(ports_find(&ports, TENF_TCP, allowed, &chance), 5350, 5351);
	allow_only(0, 0);
	assert_int_equal(ports_find(&ports, TENF_TCP, allowed, &chance), 0);
	allow_only(70, 71);
	ports_reserve(&ports, TENF_TCP, 70);
	assert_true(ports_is_reserved(&ports, TENF_TCP, 70));
	assert_int_equal(ports_find(&ports, TENF_TCP, allowed, &chance), 71);
	ports_reserve(&ports, TENF_TCP, 71);
	assert_int_equal(ports_find(&ports, TENF_TCP, allowed, &chance), 0);
}

static void a_port_whose_twin_is_taken_is_not_found(void **state)
{
	(void)state;
	allow_only(70, 71);
	ports_take(&ports, TENF_UDP, 70);
	for (int i = 0; i < 20; i++)
		assert_int_equal(ports_find(&ports, TENF_TCP, allowed, &chance), 71);
}

/* NP-G-16, NP-G-42: high ones first, then the others, the well-known last; each
 * port there is, is found once, and then none */
static void every_port_is_found_once_high_ones_first(void **state)
{
	unsigned stage = 0;

	(void)state;
	for (unsigned count = 0; count < UINT16_MAX; count++) {
		uint16_t port = ports_find(&ports, TENF_TCP, allowed, &chance);
		unsigned now = port >= PORTS_HIGH ? 0 : port >= PORTS_LOW ? 1 : 2;

		assert_int_not_equal(port, 0);
		assert_false(ports_is_taken(&ports, TENF_TCP, port));
		assert_true(now >= stage);
		stage = now;
		ports_take(&ports, TENF_TCP, port);
	}
	assert_int_equal(ports_find(&ports, TENF_TCP, allowed, &chance), 0);
	assert_int_equal(ports_find(&ports, TENF_UDP, allowed, &chance), 0);
	ports_release(&ports, TENF_TCP, 40000);
	assert_int_equal(ports_find(&ports, TENF_UDP, allowed, &chance), 40000);
}

static void single_ports_at_the_edges_of_words_are_found(void **state)
{
	static const uint16_t edges[] = { 1, 63, 64, 127, 128, 1023, 1024, 49151, 49152, 65535 };

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(edges); i++) {
		allow_only(edges[i], edges[i]);
		assert_int_equal(ports_find(&ports, TENF_TCP, allowed, &chance), edges[i]);
	}
}

static void ports_are_hard_to_guess(void **state)
{
	unsigned in_a_row = 0;
	uint16_t before = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		uint16_t port = ports_find(&ports, TENF_TCP, allowed, &chance);

		in_a_row += port == before + 1;
		before = port;
	}
	assert_true(in_a_row < 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_taken_port_is_taken_until_it_is_released, setup),
		cmocka_unit_test_setup(reserved_ports_are_never_found, setup),
		cmocka_unit_test_setup(a_port_whose_twin_is_taken_is_not_found, setup),
		cmocka_unit_test_setup(every_port_is_found_once_high_ones_first, setup),
		cmocka_unit_test_setup(single_ports_at_the_edges_of_words_are_found, setup),
		cmocka_unit_test_setup(ports_are_hard_to_guess, setup),
	};

	return cmocka_run_group_tests_name("gateway ports", tests, NULL, NULL);
}
