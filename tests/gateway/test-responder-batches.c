/* SPDX-License-Identifier: MIT */
/*
 * Answers of one batch leave while the next is being committed: which may, in what
 * order, and what becomes of them when a commit fails.
 */
#include "house.h"

#include "gateway/responder-govern.h"
#include "gateway/responder-restore.h"

#include <string.h>

#define LEASE_S 600
#define LONGER_S 900

/* Without what a house does by itself: a test says when what is done. */
static void setup_house(struct house *h)
{
	house_init(h);
	house_start(h);
	house_turn(h); /* the epoch is kept and announced */
}

static void ask(struct house *h, uint16_t port, uint32_t lifetime_s)
{
	const struct wish wish = { .host = 20, .protocol = TENF_TCP, .internal = port,
				   .external = (uint16_t)(10000 + port), .nonce = 9,
				   .lifetime_s = lifetime_s };
	const struct tenf_endpoint from = { house_host(20), 50000 };
	uint8_t data[100];

	house_hand_in(h, &from, data, house_write(&wish, data, sizeof(data)));
}

/* The batch is handed over; what comes of it is not known. Its changes. */
static unsigned submit(struct house *h)
{
	struct responder_change change;
	unsigned count = 0;

	while (responder_next_change(h->r, &change))
		count++;
	return count;
}

static struct pcp_answer next(struct house *h)
{
	struct responder_datagram out;
	struct pcp_answer a;

	assert_true(responder_next_send(h->r, h->now, &out));
	assert_int_equal(out.to.port, 50000);
	assert_int_equal(pcp_decode_answer(out.data, out.len, &a), TENF_OK);
	return a;
}

static void expect_grant(struct house *h, uint16_t port, uint32_t lifetime_s)
{
	struct pcp_answer a = next(h);

	assert_int_equal(a.result, PCP_SUCCESS);
	assert_int_equal(a.map.internal_port, port);
	assert_int_equal(a.lifetime_s, lifetime_s);
}

static void expect_failure(struct house *h, uint16_t port)
{
	struct pcp_answer a = next(h);

	assert_int_equal(a.result, PCP_NO_RESOURCES);
	assert_int_equal(a.map.internal_port, port);
}

static void expect_silence(struct house *h)
{
	struct responder_datagram out;

	assert_false(responder_next_send(h->r, h->now, &out));
}

static uint32_t remaining_s(const struct house *h, uint16_t port)
{
	return ledger_remaining_s(house_find(h, TENF_TCP, (uint16_t)(10000 + port)), h->now);
}

static void what_was_committed_leaves_while_the_next_is_being_committed(void **state)
{
	struct house h;

	(void)state;
	setup_house(&h);
	ask(&h, 1, LEASE_S);
	ask(&h, 2, LEASE_S);
	assert_int_equal(submit(&h), 2);
	expect_silence(&h);
	responder_committed(h.r, TENF_OK, h.now);

	ask(&h, 3, LEASE_S);
	assert_int_equal(submit(&h), 1);
	expect_grant(&h, 1, LEASE_S);
	expect_grant(&h, 2, LEASE_S);
	expect_silence(&h); /* 3 waits for its own commit */
	responder_committed(h.r, TENF_OK, h.now);
	expect_grant(&h, 3, LEASE_S);
	expect_silence(&h);
	house_stop(&h);
}

static void answers_leave_in_the_order_of_their_requests_over_batches(void **state)
{
	struct house h;

	(void)state;
	setup_house(&h);
	for (uint16_t port = 1; port <= 6; port++) {
		ask(&h, port, LEASE_S);
		if (port % 2 == 0) { /* three batches, and none of them was sent */
			assert_int_equal(submit(&h), 2);
			responder_committed(h.r, TENF_OK, h.now);
		}
	}
	for (uint16_t port = 1; port <= 6; port++)
		expect_grant(&h, port, LEASE_S);
	expect_silence(&h);
	house_stop(&h);
}

static void a_batch_that_fails_takes_nothing_back_of_the_one_before(void **state)
{
	struct responder_counts counts;
	struct house h;

	(void)state;
	setup_house(&h);
	ask(&h, 1, LEASE_S);
	assert_int_equal(submit(&h), 1);
	responder_committed(h.r, TENF_OK, h.now);

	ask(&h, 2, LEASE_S);
	assert_int_equal(submit(&h), 1);
	responder_committed(h.r, TENF_E_FAILED, h.now);
	expect_grant(&h, 1, LEASE_S);
	expect_failure(&h, 2);
	expect_silence(&h);
	assert_int_equal(house_count(&h), 1);
	responder_count(h.r, &counts);
	assert_int_equal(counts.rolled_back, 1);
	house_stop(&h);
}

static void a_batch_that_fails_leaves_nothing_to_the_one_after(void **state)
{
	struct house h;

	(void)state;
	setup_house(&h);
	ask(&h, 1, LEASE_S);
	assert_int_equal(submit(&h), 1);
	responder_committed(h.r, TENF_E_FAILED, h.now);

	/* Asked again before the failure was told: a new mapping, not a renewal. */
	ask(&h, 1, LONGER_S);
	assert_int_equal(submit(&h), 1);
	expect_failure(&h, 1);
	expect_silence(&h);
	responder_committed(h.r, TENF_OK, h.now);
	expect_grant(&h, 1, LONGER_S);
	assert_int_equal(house_count(&h), 1);
	assert_int_equal(house_find(&h, TENF_TCP, 10001)->renewals, 0);
	house_stop(&h);
}

static void a_mapping_renewed_in_both_has_what_was_committed_last(void **state)
{
	struct house h;

	(void)state;
	setup_house(&h);
	for (unsigned fails = 0; fails < 2; fails++) {
		ask(&h, 1, LEASE_S);
		assert_int_equal(submit(&h), 1);
		responder_committed(h.r, TENF_OK, h.now);
		ask(&h, 1, LONGER_S);
		assert_int_equal(submit(&h), 1);
		expect_grant(&h, 1, LEASE_S);
		expect_silence(&h);
		responder_committed(h.r, fails ? TENF_E_FAILED : TENF_OK, h.now);
		if (fails)
			expect_failure(&h, 1);
		else
			expect_grant(&h, 1, LONGER_S);
		assert_int_equal(remaining_s(&h, 1), fails ? LEASE_S : LONGER_S);
	}
	house_stop(&h);
}

static void a_mapping_made_in_one_and_removed_in_the_next_is_told_so(void **state)
{
	struct house h;

	(void)state;
	setup_house(&h);
	for (unsigned fails = 0; fails < 2; fails++) {
		ask(&h, 1, LEASE_S);
		assert_int_equal(submit(&h), 1);
		responder_committed(h.r, TENF_OK, h.now);
		ask(&h, 1, 0);
		assert_int_equal(submit(&h), 1);
		expect_grant(&h, 1, LEASE_S);
		expect_silence(&h);
		responder_committed(h.r, fails ? TENF_E_FAILED : TENF_OK, h.now);
		if (fails)
			expect_failure(&h, 1);
		else
			expect_grant(&h, 1, 0);
		assert_int_equal(house_count(&h), fails);
	}
	house_stop(&h);
}

/* Answers of two batches are kept, and no more. */
static void a_third_batch_waits_until_the_first_has_left(void **state)
{
	static uint8_t data[100];
	const struct wish wish = { .host = 20, .protocol = TENF_TCP, .internal = 9999,
				   .lifetime_s = LEASE_S, .nonce = 9 };
	struct responder_datagram in = { .from = { house_host(20), 50000 }, .data = data,
					 .interface = HOUSE_LAN };
	struct house h;

	(void)state;
	setup_house(&h);
	in.to = h.links[0].address;
	in.len = house_write(&wish, data, sizeof(data));
	for (unsigned batch = 0; batch < 2; batch++) {
		for (uint16_t i = 1; i <= RESPONDER_BATCH_MAX; i++)
			ask(&h, (uint16_t)(batch * RESPONDER_BATCH_MAX + i), LEASE_S);
		assert_int_equal(responder_receive(h.r, &in, h.now), TENF_E_AGAIN);
		assert_int_equal(submit(&h), RESPONDER_BATCH_MAX);
		responder_committed(h.r, TENF_OK, h.now);
	}
	assert_int_equal(responder_receive(h.r, &in, h.now), TENF_E_AGAIN);
	for (uint16_t i = 1; i <= RESPONDER_BATCH_MAX; i++) {
		assert_int_equal(responder_receive(h.r, &in, h.now), TENF_E_AGAIN);
		expect_grant(&h, i, LEASE_S);
	}
	assert_int_equal(responder_receive(h.r, &in, h.now), TENF_OK);
	for (uint16_t i = 1; i <= RESPONDER_BATCH_MAX; i++)
		expect_grant(&h, (uint16_t)(RESPONDER_BATCH_MAX + i), LEASE_S);
	expect_silence(&h);
	assert_int_equal(submit(&h), 1);
	responder_committed(h.r, TENF_OK, h.now);
	expect_grant(&h, 9999, LEASE_S);
	house_stop(&h);
}

/* Announcements tell an epoch and Mapping Updates a lease, both perhaps not yet true. */
static void nothing_but_answers_leaves_during_a_commit(void **state)
{
	const struct tenf_address other = tenf_address_v4(0xcb007108);
	struct responder_datagram out;
	unsigned announced = 0;
	struct house h;

	(void)state;
	setup_house(&h);
	ask(&h, 1, LEASE_S);
	assert_int_equal(submit(&h), 1);
	responder_committed(h.r, TENF_OK, h.now);
	responder_set_external(h.r, &other, h.now);
	assert_int_equal(submit(&h), 3); /* flush, epoch, the mapping */
	expect_grant(&h, 1, LEASE_S);
	expect_silence(&h);
	responder_committed(h.r, TENF_OK, h.now);
	expect_grant(&h, 1, LEASE_S); /* the update */
	while (responder_next_send(h.r, h.now, &out))
		announced += out.to.port == PCP_ANNOUNCE_PORT;
	assert_true(announced > 0);
	house_stop(&h);
}

/* As a reload does that names another address and leaves a static mapping out. */
static void what_is_removed_and_moved_in_one_batch_leaves_its_old_place(void **state)
{
	const struct tenf_address other = tenf_address_v4(0xcb007108);
	const struct tenf_endpoint internal = { house_host(20), 80 };
	struct responder_change change;
	struct house h;

	(void)state;
	setup_house(&h);
	assert_int_equal(responder_add_static(h.r, TENF_TCP, &internal, 8000, h.now), TENF_OK);
	house_turn(&h);
	assert_int_equal(h.held, 1);
	assert_int_equal(responder_revoke(h.r, house_find(&h, TENF_TCP, 8000)->id, h.now),
			 TENF_OK);
	responder_set_external(h.r, &other, h.now);
	assert_true(responder_next_change(h.r, &change));
	assert_int_equal(change.kind, RESPONDER_FLUSH);
	while (responder_next_change(h.r, &change))
		assert_true(change.kind != RESPONDER_REMOVE || change.is_flushed);
	responder_committed(h.r, TENF_OK, h.now);
	assert_int_equal(house_count(&h), 0);
	house_stop(&h);
}

/* While the packet path has to be made anew, as after a commit that was not sure. */
static void what_is_revoked_in_the_batch_of_a_flush_has_its_flows_cut(void **state)
{
	struct responder_change change;
	unsigned cut = 0, installs = 0;
	struct house h;

	(void)state;
	setup_house(&h);
	for (uint16_t port = 1; port <= 3; port++)
		ask(&h, port, port == 3 ? 1000 : LEASE_S);
	house_turn(&h);
	responder_rebuild(h.r, h.now, "lost");
	assert_int_equal(responder_revoke(h.r, house_find(&h, TENF_TCP, 10001)->id, h.now),
			 TENF_OK);
	h.now += LEASE_S * TENF_SECOND; /* 2 is over by itself: it may go on */
	responder_expire(h.r, h.now);
	assert_true(responder_next_change(h.r, &change));
	assert_int_equal(change.kind, RESPONDER_FLUSH);
	while (responder_next_change(h.r, &change)) {
		installs += change.kind == RESPONDER_INSTALL;
		if (change.kind != RESPONDER_REMOVE)
			continue;
		assert_int_equal(installs, 0);
		assert_true(change.is_flushed);
		assert_int_equal(change.mapping->internal_port, 1);
		cut++;
	}
	assert_int_equal(cut, 1);
	assert_int_equal(installs, 1);
	responder_committed(h.r, TENF_OK, h.now);
	house_stop(&h);
}

static void a_loss_forgets_the_answers_of_both(void **state)
{
	struct house h;

	(void)state;
	setup_house(&h);
	ask(&h, 1, LEASE_S);
	assert_int_equal(submit(&h), 1);
	responder_committed(h.r, TENF_OK, h.now);
	ask(&h, 2, LEASE_S);
	assert_int_equal(submit(&h), 1);
	responder_reboot(h.r, h.now);
	assert_int_equal(submit(&h), 2); /* flush and epoch */
	expect_silence(&h);
	responder_committed(h.r, TENF_OK, h.now);
	ask(&h, 3, LEASE_S);
	assert_int_equal(submit(&h), 1);
	responder_committed(h.r, TENF_OK, h.now);
	expect_grant(&h, 3, LEASE_S);
	house_stop(&h);
}

/* Requests of any length, whole, cut and of nothing that is known. */
static void looking_ahead_changes_nothing(void **state)
{
	struct responder_counts before;
	struct responder_counts after;
	struct responder_datagram in[2];
	uint8_t data[2][100] = { { 0, 1, 0, 0, 0, 1 } };
	const struct wish wish = { .host = 20, .protocol = TENF_TCP, .internal = 1,
				   .lifetime_s = LEASE_S, .nonce = 9 };
	struct house h;

	(void)state;
	setup_house(&h);
	(void)house_write(&wish, data[1], sizeof(data[1]));
	for (unsigned i = 0; i < 2; i++)
		in[i] = (struct responder_datagram){ .from = { house_host(20), 50000 },
						     .to = h.links[0].address,
						     .interface = HOUSE_LAN, .data = data[i] };
	responder_count(h.r, &before);
	for (unsigned held = 0; held < 2; held++) {
		for (size_t len = 0; len <= sizeof(data[0]); len++) {
			in[0].len = in[1].len = len;
			responder_expect(h.r, in, 2);
		}
		assert_int_equal(submit(&h), 0);
		responder_committed(h.r, TENF_OK, h.now);
		expect_silence(&h);
		responder_count(h.r, &after);
		assert_int_equal(after.received, before.received);
		assert_int_equal(house_count(&h), held);
		ask(&h, 1, LEASE_S);
		assert_int_equal(submit(&h), 1);
		responder_committed(h.r, TENF_OK, h.now);
		expect_grant(&h, 1, LEASE_S);
		responder_count(h.r, &before);
	}
	house_stop(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_committed_leaves_while_the_next_is_being_committed),
		cmocka_unit_test(answers_leave_in_the_order_of_their_requests_over_batches),
		cmocka_unit_test(a_batch_that_fails_takes_nothing_back_of_the_one_before),
		cmocka_unit_test(a_batch_that_fails_leaves_nothing_to_the_one_after),
		cmocka_unit_test(a_mapping_renewed_in_both_has_what_was_committed_last),
		cmocka_unit_test(a_mapping_made_in_one_and_removed_in_the_next_is_told_so),
		cmocka_unit_test(a_third_batch_waits_until_the_first_has_left),
		cmocka_unit_test(nothing_but_answers_leaves_during_a_commit),
		cmocka_unit_test(what_is_removed_and_moved_in_one_batch_leaves_its_old_place),
		cmocka_unit_test(what_is_revoked_in_the_batch_of_a_flush_has_its_flows_cut),
		cmocka_unit_test(a_loss_forgets_the_answers_of_both),
		cmocka_unit_test(looking_ahead_changes_nothing),
	};

	return cmocka_run_group_tests_name("gateway batches", tests, NULL, NULL);
}
