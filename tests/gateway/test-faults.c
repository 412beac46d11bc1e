/* SPDX-License-Identifier: MIT */
#include "house.h"

#include "gateway/faults.h"

#include <string.h>

static struct tenf_seeded seeded;
static struct tenf_random chance;
static const uint8_t octets[] = "0123456789abcdef";

static struct faults *faults_of(const struct faults_config *config, uint64_t seed)
{
	struct faults *f;

	tenf_seeded_init(&seeded, seed);
	chance = tenf_seeded_random(&seeded);
	assert_int_equal(faults_new(config, &chance, &tenf_memory_libc, 0, &f), TENF_OK);
	return f;
}

static void put(struct faults *f, enum faults_way way, uint16_t port, tenf_time now)
{
	const struct responder_datagram d = { .from = { house_gateway, 5350 },
					      .to = { house_host(20), port },
					      .data = octets, .len = 16 };

	faults_put(f, way, &d, now);
}

static unsigned drain(struct faults *f, enum faults_way way, tenf_time now)
{
	struct responder_datagram d;
	unsigned count = 0;

	while (faults_take(f, way, now, &d))
		count++;
	return count;
}

static void without_faults_everything_passes_in_order(void **state)
{
	struct faults *f = faults_of(&(struct faults_config){ 0 }, 1);
	struct responder_datagram d;

	(void)state;
	for (uint16_t i = 0; i < 100; i++)
		put(f, FAULTS_TO_CLIENT, i, 5);
	assert_false(faults_take(f, FAULTS_TO_GATEWAY, 5, &d));
	assert_int_equal(faults_deadline(f), 5);
	for (uint16_t i = 0; i < 100; i++) {
		assert_true(faults_take(f, FAULTS_TO_CLIENT, 5, &d));
		assert_int_equal(d.to.port, i);
		assert_int_equal(d.from.port, 5350);
		assert_int_equal(d.len, 16);
		assert_memory_equal(d.data, octets, 16);
	}
	assert_true(faults_deadline(f) == TENF_NEVER);
	faults_free(f);
}

static void loss_and_duplication_strike_their_share(void **state)
{
	const struct faults_config config = { .loss = 3000, .duplicate = 1000 };
	struct faults *f = faults_of(&config, 2);
	unsigned passed = 0;

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		put(f, FAULTS_TO_GATEWAY, 1, i);
		passed += drain(f, FAULTS_TO_GATEWAY, i);
	}
	assert_in_range(passed, 7400, 8000); /* 7000 and a tenth of them again */
	faults_free(f);
}

static void delays_lie_between_their_limits(void **state)
{
	const struct faults_config config = { .delay_min = 50, .delay_max = 80 };
	struct faults *f = faults_of(&config, 3);

	(void)state;
	for (int i = 0; i < 200; i++) {
		tenf_time due;

		put(f, FAULTS_TO_CLIENT, 1, 1000);
		due = faults_deadline(f);
		assert_in_range(due, 1050, 1080);
		assert_int_equal(drain(f, FAULTS_TO_CLIENT, due - 1), 0);
		assert_int_equal(drain(f, FAULTS_TO_CLIENT, due), 1);
	}
	faults_free(f);
}

static void a_reordered_datagram_is_overtaken(void **state)
{
	struct faults *f = faults_of(&(struct faults_config){ .reorder = 5000 }, 4);
	struct responder_datagram d;
	unsigned overtaken = 0;
	unsigned count = 0;
	uint16_t before = 0;

	(void)state;
	for (uint16_t i = 1; i <= 100; i++)
		put(f, FAULTS_TO_CLIENT, i, i);
	while (faults_take(f, FAULTS_TO_CLIENT, TENF_SECOND, &d)) {
		overtaken += d.to.port < before;
		before = d.to.port;
		count++;
	}
	assert_int_equal(count, 100);
	assert_true(overtaken > 0);
	faults_free(f);
}

static void only_what_the_gateway_sends_is_damaged(void **state)
{
	const struct faults_config config = { .truncate = 10000, .wrong_source = 10000 };
	struct faults *f = faults_of(&config, 5);
	struct responder_datagram d;

	(void)state;
	for (int i = 0; i < 50; i++) {
		put(f, FAULTS_TO_CLIENT, 1, 0);
		assert_true(faults_take(f, FAULTS_TO_CLIENT, 0, &d));
		assert_true(d.len < 16);
		assert_int_not_equal(d.from.port, 5350);
		assert_true(tenf_address_equal(&d.from.address, &house_gateway));
		put(f, FAULTS_TO_GATEWAY, 1, 0);
		assert_true(faults_take(f, FAULTS_TO_GATEWAY, 0, &d));
		assert_int_equal(d.len, 16);
		assert_int_equal(d.from.port, 5350);
	}
	faults_free(f);
}

static void reboots_come_at_their_times(void **state)
{
	struct faults *f = faults_of(&(struct faults_config){ .reboot_every = 10 }, 6);

	(void)state;
	assert_int_equal(faults_deadline(f), 10);
	assert_false(faults_reboot(f, 9));
	assert_true(faults_reboot(f, 10));
	assert_false(faults_reboot(f, 19));
	assert_true(faults_reboot(f, 20));
	faults_free(f);
}

static void the_same_seed_does_the_same_again(void **state)
{
	const struct faults_config config = { .loss = 2000, .duplicate = 2000, .reorder = 2000,
					      .truncate = 2000, .delay_max = 1000 };
	uint8_t seen[2][4000];
	size_t used[2] = { 0, 0 };

	(void)state;
	for (int run = 0; run < 2; run++) {
		struct faults *f = faults_of(&config, 99);
		struct responder_datagram d;

		for (unsigned i = 0; i < 500; i++) {
			put(f, FAULTS_TO_CLIENT, (uint16_t)i, i * 100);
			while (faults_take(f, FAULTS_TO_CLIENT, i * 100, &d)) {
				seen[run][used[run]++] = (uint8_t)d.to.port;
				seen[run][used[run]++] = (uint8_t)d.len;
			}
		}
		faults_free(f);
	}
	assert_true(used[0] > 500);
	assert_int_equal(used[0], used[1]);
	assert_memory_equal(seen[0], seen[1], used[0]);
}

/* FAULTS_QUEUE_MAX, and a datagram longer than any that is looked at */
static void what_the_queue_does_not_hold_is_lost(void **state)
{
	static const uint8_t longer[4096];
	struct faults *f = faults_of(&(struct faults_config){ .delay_min = 5, .delay_max = 5 }, 7);
	struct responder_datagram d = { .data = longer, .len = sizeof(longer) };

	(void)state;
	for (unsigned i = 0; i < FAULTS_QUEUE_MAX + 50; i++)
		faults_put(f, FAULTS_TO_GATEWAY, &d, 0);
	assert_true(faults_take(f, FAULTS_TO_GATEWAY, 5, &d));
	assert_int_equal(d.len, RESPONDER_RECEIVE_MAX);
	assert_int_equal(drain(f, FAULTS_TO_GATEWAY, 5), FAULTS_QUEUE_MAX - 1);
	faults_free(f);
}

static void times_that_make_no_sense_are_refused(void **state)
{
	const struct faults_config config = { .delay_min = 2, .delay_max = 1 };
	struct faults *f = NULL;

	(void)state;
	tenf_seeded_init(&seeded, 1);
	chance = tenf_seeded_random(&seeded);
	assert_int_equal(faults_new(&config, &chance, &tenf_memory_libc, 0, &f), TENF_E_ARGUMENT);
	assert_null(f);
	faults_free(f);
}

static void faults_change_while_datagrams_are_under_way(void **state)
{
	const struct faults_config late = { .delay_min = 10, .delay_max = 10 };
	struct faults *f = faults_of(&late, 1);
	const struct faults_config loss = { .loss = FAULTS_ALL, .reboot_every = 100 };
	const struct faults_config wrong = { .delay_min = -1 };

	(void)state;
	put(f, FAULTS_TO_GATEWAY, 1, 0);
	assert_int_equal(faults_configure(f, &loss, 5), TENF_OK);
	put(f, FAULTS_TO_GATEWAY, 2, 5);
	assert_int_equal(faults_configure(f, &wrong, 5), TENF_E_ARGUMENT);
	assert_int_equal(drain(f, FAULTS_TO_GATEWAY, 10), 1);
	assert_int_equal(faults_deadline(f), 105);
	assert_int_equal(faults_configure(f, &(struct faults_config){ 0 }, 20), TENF_OK);
	assert_true(faults_deadline(f) == TENF_NEVER);
	put(f, FAULTS_TO_GATEWAY, 3, 20);
	assert_int_equal(drain(f, FAULTS_TO_GATEWAY, 20), 1);
	faults_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_faults_everything_passes_in_order),
		cmocka_unit_test(loss_and_duplication_strike_their_share),
		cmocka_unit_test(delays_lie_between_their_limits),
		cmocka_unit_test(a_reordered_datagram_is_overtaken),
		cmocka_unit_test(only_what_the_gateway_sends_is_damaged),
		cmocka_unit_test(reboots_come_at_their_times),
		cmocka_unit_test(the_same_seed_does_the_same_again),
		cmocka_unit_test(what_the_queue_does_not_hold_is_lost),
		cmocka_unit_test(faults_change_while_datagrams_are_under_way),
		cmocka_unit_test(times_that_make_no_sense_are_refused),
	};

	return cmocka_run_group_tests_name("gateway faults", tests, NULL, NULL);
}
