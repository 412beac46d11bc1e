/* SPDX-License-Identifier: MIT */
/* What was closed, refused and approved outlives the responder. */
#include "house.h"

#include "gateway/responder-memo.h"
#include "gateway/responder-govern.h"

#include <string.h>

#define KEPT_MAX 4096

static const struct wish web = {
	.host = 20, .protocol = TENF_TCP, .internal = 8080, .external = 8000, .lifetime_s = 3600,
	.nonce = 1,
};

static struct house h;
static struct responder_memo kept[KEPT_MAX];
static size_t kept_count;

/* As a table of the edge would: the newest of a kind and id counts. */
static void keep(void *context, const struct responder_memo *memo)
{
	size_t i = 0;

	assert_ptr_equal(context, &h);
	while (i < kept_count && (kept[i].kind != memo->kind || kept[i].id != memo->id))
		i++;
	assert_true(i < KEPT_MAX);
	if (memo->until != 0) {
		kept[i] = *memo;
		kept_count += i == kept_count;
	} else if (i < kept_count) {
		kept[i] = kept[--kept_count];
	}
}

static size_t count_kept(enum memo_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < kept_count; i++)
		count += kept[i].kind == kind;
	return count;
}

static void start(void)
{
	house_start(&h);
	responder_set_memory(h.r, &(struct responder_memory){ keep, &h });
}

/* Everything that was open is lost too. Gives back how many were taken in. */
static size_t restart(void)
{
	size_t taken = 0;

	house_stop(&h);
	h.held = h.peers = 0;
	house_start(&h);
	for (size_t i = 0; i < kept_count; i++)
		taken += responder_recall(h.r, &kept[i], h.now) == TENF_OK;
	responder_set_memory(h.r, &(struct responder_memory){ keep, &h });
	return taken;
}

static int setup(void **state)
{
	(void)state;
	kept_count = 0;
	house_init(&h);
	h.config.peer = true;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	house_stop(&h);
	return 0;
}

static struct pcp_answer ask_peer(unsigned host, uint16_t remote_port)
{
	struct pcp_request request = {
		.opcode = PCP_PEER, .lifetime_s = 600, .client = house_host(host),
		.map = { .protocol = TENF_TCP, .internal_port = 4000,
			 .external_address = tenf_address_none4 },
		.remote = { remote_port, tenf_address_v4(0x08080808) },
	};
	const struct tenf_endpoint from = { house_host(host), 50000 };
	uint8_t data[200];
	struct tenf_writer w = tenf_writer_of(data, sizeof(data));
	struct pcp_answer a;

	memset(request.map.nonce, 7, PCP_NONCE);
	pcp_write_request(&w, &request);
	house_send(&h, &from, data, w.used);
	assert_int_equal(pcp_decode_answer(h.answer, h.sent.len, &a), TENF_OK);
	return a;
}

static void what_was_revoked_stays_so_for_the_rest_of_its_time(void **state)
{
	struct wish twin = web;
	struct pcp_answer a;

	(void)state;
	start();
	assert_int_equal(house_pcp(&h, &web).result, PCP_SUCCESS);
	assert_int_equal(responder_revoke(h.r, h.record.id, h.now), TENF_OK);
	assert_int_equal(count_kept(MEMO_ENDED), 0); /* not before it is true */
	house_turn(&h);
	assert_int_equal(count_kept(MEMO_ENDED), 1);
	h.now += 600 * TENF_SECOND;
	assert_int_equal(restart(), 2); /* with the numbers */
	a = house_pcp(&h, &web);
	assert_int_equal(a.result, PCP_NOT_AUTHORIZED);
	assert_int_equal(a.lifetime_s, LEDGER_REVOKED_S - 600);
	twin.host = 21;
	assert_int_not_equal(house_pcp(&h, &twin).map.external_port, 8000);
	house_wait(&h, (LEDGER_REVOKED_S - 600) * TENF_SECOND);
	assert_int_equal(house_pcp(&h, &web).result, PCP_SUCCESS);
}

/* As of a program that listens on the gateway itself since. */
static void what_was_revoked_stays_so_though_its_port_is_taken_now(void **state)
{
	const struct responder_reserved own = { TENF_TCP, 8000 };

	(void)state;
	start();
	assert_int_equal(house_pcp(&h, &web).result, PCP_SUCCESS);
	assert_int_equal(responder_revoke(h.r, h.record.id, h.now), TENF_OK);
	house_turn(&h);
	h.config.reserved = &own;
	h.config.reserved_count = 1;
	assert_int_equal(restart(), 2);
	assert_int_equal(house_pcp(&h, &web).result, PCP_NOT_AUTHORIZED);
	house_wait(&h, LEDGER_REVOKED_S * TENF_SECOND);
	assert_int_equal(house_pcp(&h, &web).result, PCP_SUCCESS);
	assert_int_not_equal(h.record.external.port, 8000);
}

static void a_revocation_that_failed_is_none(void **state)
{
	(void)state;
	start();
	assert_int_equal(house_pcp(&h, &web).result, PCP_SUCCESS);
	assert_int_equal(responder_revoke(h.r, h.record.id, h.now), TENF_OK);
	h.backend = TENF_E_SYSTEM;
	house_turn(&h);
	assert_int_equal(count_kept(MEMO_ENDED), 0);
}

/* PCP-G-54: an ended port is withheld over a restart too, and given back to its owner */
static void ended_ports_are_withheld_from_others_and_given_back_to_their_owner(void **state)
{
	struct wish other = web, end = web;

	(void)state;
	start();
	assert_int_equal(house_pcp(&h, &web).result, PCP_SUCCESS);
	end.lifetime_s = 0;
	assert_int_equal(house_pcp(&h, &end).result, PCP_SUCCESS);
	assert_int_equal(restart(), 2);
	other.host = 21;
	assert_int_not_equal(house_pcp(&h, &other).map.external_port, 8000);
	other = web;
	other.external = 0;
	assert_int_equal(house_pcp(&h, &other).map.external_port, 8000);
	house_wait(&h, 3600 * TENF_SECOND); /* the lease is over: only the nonce brings it back */
	(void)restart();
	other.nonce = 9;
	assert_int_not_equal(house_pcp(&h, &other).map.external_port, 8000);
	house_wait(&h, RESPONDER_WITHHOLD_TCP_S * TENF_SECOND);
	assert_int_equal(restart(), 1); /* the numbers alone: it is over */
}

static void one_host_locks_away_no_more_ports_than_before(void **state)
{
	size_t taken = 0;

	(void)state;
	start();
	for (unsigned i = 0; i < LEDGER_WITHHELD_OF_HOST_MAX + 40; i++) {
		const struct responder_memo memo = {
			.kind = MEMO_ENDED, .id = i + 1, .until = h.now + 60 * TENF_SECOND,
			.protocol = TENF_TCP, .internal = { house_host(20), (uint16_t)(2000 + i) },
			.external = { house_external, (uint16_t)(2000 + i) },
			.maker = LEDGER_BY_NATPMP, .end = LEDGER_DELETED,
		};

		taken += responder_recall(h.r, &memo, h.now) == TENF_OK;
	}
	assert_int_equal(taken, LEDGER_WITHHELD_OF_HOST_MAX);
}

static void a_revoked_flow_is_not_kept_again_neither_now_nor_after_a_restart(void **state)
{
	(void)state;
	start();
	assert_int_equal(ask_peer(20, 443).result, PCP_SUCCESS);
	assert_int_equal(responder_revoke(h.r, h.record.id, h.now), TENF_OK);
	house_turn(&h);
	assert_int_equal(h.peers, 0);
	assert_int_equal(ask_peer(20, 443).result, PCP_NOT_AUTHORIZED);
	assert_int_equal(ask_peer(20, 444).result, PCP_SUCCESS); /* another flow */
	assert_int_equal(count_kept(MEMO_PEER), 1);
	assert_int_equal(restart(), 2);
	assert_int_equal(ask_peer(20, 443).result, PCP_NOT_AUTHORIZED);
	assert_int_equal(ask_peer(20, 444).result, PCP_SUCCESS);
	house_wait(&h, LEDGER_REVOKED_S * TENF_SECOND);
	assert_int_equal(ask_peer(20, 443).result, PCP_SUCCESS);
}

static const struct pending_wish *the_wish(void)
{
	const struct pending_wish *w = responder_pending(h.r, NULL);

	assert_non_null(w);
	assert_null(responder_pending(h.r, w));
	return w;
}

static void words_and_wishes_are_not_forgotten(void **state)
{
	tenf_time first_seen;
	uint32_t id;

	(void)state;
	h.rules[0].action = POLICY_ASK;
	start();
	assert_int_equal(house_pcp(&h, &web).result, PCP_NOT_AUTHORIZED);
	id = the_wish()->id;
	first_seen = the_wish()->first_seen;
	h.now += TENF_SECOND;
	assert_int_equal(restart(), 2);
	assert_int_equal(the_wish()->id, id);
	assert_true(the_wish()->first_seen == first_seen);
	assert_int_equal(responder_deny(h.r, id, h.now), TENF_OK);
	(void)restart();
	assert_int_equal(the_wish()->state, PENDING_IS_DENIED);
	assert_int_equal(house_pcp(&h, &web).result, PCP_NOT_AUTHORIZED);
	assert_string_equal(h.record.why, "denied by the administrator");
	assert_int_equal(responder_approve(h.r, id, h.now), TENF_OK);
	(void)restart();
	assert_int_equal(house_pcp(&h, &web).result, PCP_SUCCESS);
	/* The word was for this one mapping. */
	assert_int_equal(responder_revoke(h.r, h.record.id, h.now), TENF_OK);
	house_turn(&h);
	assert_int_equal(count_kept(MEMO_WISH), 0);
}

static void a_wish_that_no_rule_asks_about_any_more_is_not_asked(void **state)
{
	(void)state;
	h.rules[0].action = POLICY_ASK;
	start();
	(void)house_pcp(&h, &web);
	h.rules[0].action = POLICY_DENY;
	assert_int_equal(restart(), 1);
	assert_null(responder_pending(h.r, NULL));
}

static void a_number_is_never_given_twice(void **state)
{
	struct wish w = web;
	uint32_t highest = 0;

	(void)state;
	start();
	for (unsigned life = 0; life < 4; life++) {
		for (unsigned i = 0; i < RESPONDER_IDS_AHEAD; i++) {
			w.internal = (uint16_t)(1000 + life * RESPONDER_IDS_AHEAD + i);
			assert_int_equal(house_pcp(&h, &w).result, PCP_SUCCESS);
			assert_true(h.record.id > highest);
			highest = h.record.id;
		}
		(void)restart();
	}
	responder_remember_ids(h.r, true); /* an orderly end wastes none */
	(void)restart();
	highest = kept[0].next_id;
	w.internal = 100;
	(void)house_pcp(&h, &w);
	assert_int_equal(h.record.id, highest);
}

static void what_makes_no_sense_changes_nothing(void **state)
{
	const struct responder_memo sound = {
		.kind = MEMO_ENDED, .id = 5, .until = TENF_NEVER, .protocol = TENF_TCP,
		.internal = { house_host(20), 80 }, .external = { house_external, 80 },
		.remote = { house_external, 80 }, .maker = LEDGER_BY_PCP, .end = LEDGER_REVOKED,
		.client = house_host(20), .state = PENDING_IS_APPROVED, .next_id = 7,
		.next_wish = 8,
	};
	struct responder_memo bad[15];

	(void)state;
	start();
	for (size_t i = 0; i < TENF_ARRAY_SIZE(bad); i++)
		bad[i] = sound;
	bad[0].kind = (enum memo_kind)0;
	bad[1].kind = (enum memo_kind)200;
	bad[2].until = h.now;
	bad[3].protocol = TENF_BOTH;
	bad[4].internal.port = 0;
	bad[5].internal.address = tenf_address_none4;
	bad[6].end = (enum ledger_end)77;
	bad[7].maker = (enum ledger_maker)9;
	bad[8].id = 0;
	bad[9].id = UINT32_MAX; /* numbers would begin again behind it */
	bad[10].kind = MEMO_PEER;
	bad[10].remote.port = 0;
	bad[11].kind = MEMO_WISH;
	bad[11].state = (enum pending_state)5;
	bad[12].kind = MEMO_IDS;
	bad[12].next_id = UINT32_MAX;
	bad[13].kind = MEMO_IDS;
	bad[13].next_wish = 0;
	bad[14].internal.address = house_v6("2001:db8:1::20"); /* a pinhole leads to itself */
	for (size_t i = 0; i < TENF_ARRAY_SIZE(bad); i++)
		assert_int_equal(responder_recall(h.r, &bad[i], h.now), TENF_E_ARGUMENT);
	assert_int_equal(house_pcp(&h, &web).result, PCP_SUCCESS);
	assert_int_equal(h.record.id, 1);
	assert_int_equal(responder_recall(h.r, &sound, h.now), TENF_OK);
	assert_int_equal(responder_recall(h.r, &sound, h.now), TENF_E_LIMIT);
}

static void a_clock_that_was_set_keeps_nothing_for_longer(void **state)
{
	const struct responder_memo memo = {
		.kind = MEMO_ENDED, .id = 5, .until = TENF_NEVER, .protocol = TENF_TCP,
		.internal = { house_host(20), 8080 }, .external = { house_external, 8000 },
		.maker = LEDGER_BY_PCP, .end = LEDGER_REVOKED,
	};

	(void)state;
	start();
	assert_int_equal(responder_recall(h.r, &memo, h.now), TENF_OK);
	assert_int_equal(house_pcp(&h, &web).lifetime_s, LEDGER_REVOKED_S);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_revoked_stays_so_for_the_rest_of_its_time),
		TEST(what_was_revoked_stays_so_though_its_port_is_taken_now),
		TEST(a_revocation_that_failed_is_none),
		TEST(ended_ports_are_withheld_from_others_and_given_back_to_their_owner),
		TEST(one_host_locks_away_no_more_ports_than_before),
		TEST(a_revoked_flow_is_not_kept_again_neither_now_nor_after_a_restart),
		TEST(words_and_wishes_are_not_forgotten),
		TEST(a_wish_that_no_rule_asks_about_any_more_is_not_asked),
		TEST(a_number_is_never_given_twice),
		TEST(what_makes_no_sense_changes_nothing),
		TEST(a_clock_that_was_set_keeps_nothing_for_longer),
	};

	return cmocka_run_group_tests_name("gateway memos", tests, NULL, NULL);
}
