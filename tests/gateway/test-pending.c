/* SPDX-License-Identifier: MIT */
#include "house.h"

#include "gateway/pending.h"

#include <string.h>

static struct pending table;
static tenf_time now;

static int setup(void **state)
{
	(void)state;
	pending_init(&table);
	now = 1000 * TENF_SECOND;
	return 0;
}

static struct pending_wish wish(unsigned host, uint16_t port)
{
	return (struct pending_wish){
		.client = house_host(host), .internal = { house_host(host), port },
		.protocol = TENF_TCP, .external_port = 443, .rule = 2,
		.has_mac = true, .mac = { 2, (uint8_t)host },
	};
}

static const struct pending_wish *note(unsigned host, uint16_t port, bool *ret_is_new)
{
	const struct pending_wish w = wish(host, port);

	return pending_note(&table, &w, now, ret_is_new);
}

static uint32_t count(void)
{
	const struct pending_wish *w = NULL;
	uint32_t n = 0;

	while ((w = pending_each(&table, w)) != NULL)
		n++;
	assert_int_equal(n, table.count);
	return n;
}

static void a_wish_is_noted_once_and_its_tries_are_counted(void **state)
{
	const struct pending_wish *w;
	bool is_new;

	(void)state;
	w = note(20, 80, &is_new);
	assert_true(is_new);
	assert_int_equal(w->state, PENDING_WAITING);
	now += TENF_SECOND;
	w = note(20, 80, &is_new);
	assert_false(is_new);
	assert_int_equal(w->tries, 2);
	assert_true(w->first_seen == now - TENF_SECOND);
	assert_int_equal(note(20, 81, &is_new)->id, w->id + 1);
	assert_int_equal(note(21, 80, &is_new)->id, w->id + 2);
	assert_int_equal(count(), 3);
}

static void who_no_longer_asks_is_forgotten(void **state)
{
	bool is_new;

	(void)state;
	(void)note(20, 80, &is_new);
	now += PENDING_WAITS - 1;
	(void)note(20, 80, &is_new);
	assert_false(is_new);
	now += PENDING_WAITS;
	pending_expire(&table, now);
	assert_int_equal(count(), 0);
}

static void words_of_the_administrator_hold_for_their_time(void **state)
{
	const struct tenf_endpoint at = { house_host(20), 80 };
	const struct pending_wish *w;
	bool is_new;
	uint32_t id;

	(void)state;
	id = note(20, 80, &is_new)->id;
	assert_int_equal(pending_approve(&table, id + 1, now), TENF_E_NOT_FOUND);
	assert_int_equal(pending_approve(&table, 0, now), TENF_E_NOT_FOUND);
	assert_int_equal(pending_approve(&table, id, now), TENF_OK);
	w = pending_find(&table, &at.address, &at, TENF_TCP);
	assert_int_equal(w->state, PENDING_IS_APPROVED);
	assert_true(w->until == now + PENDING_APPROVED);
	assert_int_equal(pending_deny(&table, id, now), TENF_OK);
	assert_int_equal(w->state, PENDING_IS_DENIED);
	now += PENDING_DENIED - 1;
	/* Asking again does not help. */
	assert_int_equal(note(20, 80, &is_new)->state, PENDING_IS_DENIED);
	assert_false(is_new);
	now++;
	assert_int_equal(note(20, 80, &is_new)->state, PENDING_WAITING);
	assert_true(is_new);
	assert_int_equal(pending_deny(&table, id, now), TENF_E_NOT_FOUND);
}

static void an_approval_ends_with_the_mapping(void **state)
{
	const struct tenf_endpoint at = { house_host(20), 80 };
	bool is_new;

	(void)state;
	(void)note(20, 80, &is_new);
	pending_forget(&table, &at, TENF_TCP); /* nothing approved yet */
	assert_int_equal(count(), 1);
	assert_int_equal(pending_approve(&table, 1, now), TENF_OK);
	pending_forget(&table, &at, TENF_UDP);
	assert_int_equal(count(), 1);
	pending_forget(&table, &at, TENF_TCP);
	assert_int_equal(count(), 0);
}

/* PENDING_OF_HOST_MAX and PENDING_MAX */
static void no_host_takes_more_than_its_places_and_the_table_is_finite(void **state)
{
	bool is_new;

	(void)state;
	for (uint16_t port = 1; port <= PENDING_OF_HOST_MAX; port++)
		assert_non_null(note(20, port, &is_new));
	assert_null(note(20, 1000, &is_new));
	assert_non_null(note(20, 1, &is_new)); /* those noted go on */
	for (unsigned host = 21; count() < PENDING_MAX; host++) {
		for (uint16_t port = 1; port <= PENDING_OF_HOST_MAX; port++)
			assert_non_null(note(host, port, &is_new));
	}
	assert_null(note(20, 1000, &is_new)); /* nor in the place of others */
	now += PENDING_WAITS;
	assert_non_null(note(200, 1, &is_new));
	assert_int_equal(count(), 1);
}

static bool note_from(unsigned host, const uint8_t *mac, uint16_t port)
{
	struct pending_wish w = wish(host, port);
	bool is_new;

	w.has_mac = mac != NULL;
	if (mac != NULL)
		memcpy(w.mac, mac, sizeof(w.mac));
	return pending_note(&table, &w, now, &is_new) != NULL;
}

static bool is_there(unsigned host, uint16_t port)
{
	const struct tenf_endpoint at = { house_host(host), port };

	return pending_find(&table, &at.address, &at, TENF_TCP) != NULL;
}

static void one_machine_has_its_places_whatever_addresses_it_makes_up(void **state)
{
	static const uint8_t mac[] = { 6, 6, 6, 6, 6, 6 };
	unsigned taken = 0;

	(void)state;
	assert_true(note_from(2, NULL, 80)); /* somebody whose link-layer address is not known */
	for (unsigned host = 10; host < 250; host++)
		taken += note_from(host, mac, 80);
	assert_int_equal(taken, PENDING_OF_HOST_MAX);
	taken = 1;
	for (unsigned host = 10; host < 250; host++)
		taken += note_from(host, NULL, 81);
	assert_int_equal(taken, PENDING_UNKNOWN_MAX);
	assert_true(is_there(2, 80));
	assert_true(note_from(5, (const uint8_t[]){ 1, 2, 3, 4, 5, 6 }, 80)); /* room for others */
	/* Heard with the address it has, it is the machine that has all its places. */
	for (unsigned host = 10; host < 250; host++)
		assert_int_equal(note_from(host, mac, 81), false);
	assert_int_equal(count(), PENDING_OF_HOST_MAX + 2);
	assert_true(is_there(2, 80));
}

static void a_full_table_takes_from_who_has_most_and_never_what_waited_before(void **state)
{
	bool is_new;

	(void)state;
	(void)note(19, 1, &is_new);
	now++;
	for (unsigned host = 20; count() < PENDING_MAX; host++) {
		for (uint16_t port = 1; port <= PENDING_OF_HOST_MAX && count() < PENDING_MAX;
		     port++)
			assert_non_null(note(host, port, &is_new));
		now++;
	}
	assert_int_equal(pending_approve(&table, 2, now), TENF_OK); /* host 20's */
	for (unsigned host = 100; host < 200; host++) { /* hosts one after the other */
		now++;
		assert_non_null(note(host, 1, &is_new));
		assert_true(is_there(host, 1));
		assert_int_equal(count(), PENDING_MAX);
	}
	assert_true(is_there(19, 1));
	assert_int_equal(pending_by_id(&table, 2)->state, PENDING_IS_APPROVED);
	for (unsigned host = 20; host < 30; host++)
		assert_true(is_there(host, 1)); /* its oldest */
	/* Where nobody has more than one, nobody loses it. */
	for (unsigned host = 200; host < 256; host++)
		(void)note(host, 1, &is_new);
	for (unsigned more = 0; more < 2 * PENDING_MAX; more++) {
		struct pending_wish w = wish(7, (uint16_t)(1000 + more));

		w.mac[2] = (uint8_t)more;
		w.mac[3] = (uint8_t)(1 + more / 256);
		w.client = tenf_address_v4(0x0a000000 + more);
		(void)pending_note(&table, &w, now, &is_new);
	}
	assert_true(is_there(19, 1));
	assert_int_equal(count(), PENDING_MAX);
}

static void what_is_there_already_takes_nobodys_place_when_it_comes_back(void **state)
{
	struct pending_wish again = wish(200, 1);
	bool is_new;

	(void)state;
	for (unsigned host = 20; count() < PENDING_MAX; host++) {
		for (uint16_t port = 1; port <= PENDING_OF_HOST_MAX; port++)
			assert_non_null(note(host, port, &is_new));
	}
	again.id = 1;
	assert_int_equal(pending_restore(&table, &again), TENF_E_LIMIT);
	assert_int_equal(count(), PENDING_MAX);
}

static void other_rules_clear_what_waits_and_keep_what_was_said(void **state)
{
	bool is_new;

	(void)state;
	(void)note(20, 1, &is_new);
	(void)note(20, 2, &is_new);
	(void)note(20, 3, &is_new);
	assert_int_equal(pending_approve(&table, 1, now), TENF_OK);
	assert_int_equal(pending_deny(&table, 3, now), TENF_OK);
	pending_clear_waiting(&table);
	assert_int_equal(count(), 2);
	assert_null(pending_by_id(&table, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_wish_is_noted_once_and_its_tries_are_counted, setup),
		cmocka_unit_test_setup(who_no_longer_asks_is_forgotten, setup),
		cmocka_unit_test_setup(words_of_the_administrator_hold_for_their_time, setup),
		cmocka_unit_test_setup(an_approval_ends_with_the_mapping, setup),
		cmocka_unit_test_setup(
			no_host_takes_more_than_its_places_and_the_table_is_finite, setup),
		cmocka_unit_test_setup(
			one_machine_has_its_places_whatever_addresses_it_makes_up, setup),
		cmocka_unit_test_setup(
			a_full_table_takes_from_who_has_most_and_never_what_waited_before, setup),
		cmocka_unit_test_setup(
			what_is_there_already_takes_nobodys_place_when_it_comes_back, setup),
		cmocka_unit_test_setup(other_rules_clear_what_waits_and_keep_what_was_said, setup),
	};

	return cmocka_run_group_tests_name("gateway pending", tests, NULL, NULL);
}
