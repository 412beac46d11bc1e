/* SPDX-License-Identifier: MIT */
/* Epoch, announcements, batches that fail, limits of the queue. */
#include "house.h"

#include <string.h>

static const struct wish web = { .host = 20, .protocol = TENF_TCP, .internal = 8080,
				 .external = 10000, .lifetime_s = 600, .nonce = 9 };

static void setup_house(struct house *h)
{
	house_init(h);
	house_start(h);
}

static uint32_t epoch_of(struct house *h)
{
	const struct tenf_endpoint from = { house_host(20), 50000 };
	struct natpmp_answer a;

	house_send(h, &from, (const uint8_t *)"\0\0", 2);
	assert_int_equal(natpmp_decode_answer(h->answer, h->sent.len, &a), TENF_OK);
	return a.epoch_s;
}

/* NP-G-30, PCP-G-47: from the start of the table, whatever the clock says */
static void the_epoch_counts_from_the_loss_of_mappings(void **state)
{
	const struct tenf_address other = tenf_address_v4(0xcb007108);
	struct house h;

	(void)state;
	setup_house(&h);
	assert_int_equal(epoch_of(&h), 0);
	house_wait(&h, 1234 * TENF_SECOND + 999999);
	assert_int_equal(epoch_of(&h), 1234);
	(void)house_pcp(&h, &web);
	responder_reboot(h.r, h.now);
	assert_int_equal(epoch_of(&h), 0);
	assert_int_equal(house_count(&h), 0);
	assert_int_equal(h.flushes, 1);
	house_wait(&h, 10 * TENF_SECOND);
	(void)house_pcp(&h, &web);

	/* Another address restarts it and keeps what is mapped; the same again does not. */
	responder_set_external(h.r, &other, h.now);
	assert_int_equal(epoch_of(&h), 0);
	assert_int_equal(house_count(&h), 1);
	house_wait(&h, 10 * TENF_SECOND);
	responder_set_external(h.r, &tenf_address_none4, h.now);
	responder_set_external(h.r, &other, h.now);
	assert_int_equal(epoch_of(&h), 10);
	house_stop(&h);
}

struct heard {
	unsigned natpmp4;
	unsigned pcp4;
	unsigned pcp6;
	unsigned other;
	uint32_t epoch_s;
};

/* What the next turn announces. */
static struct heard listen(struct house *h)
{
	struct heard heard = { 0 };
	struct responder_datagram out;
	struct responder_change change;

	responder_expire(h->r, h->now);
	while (responder_next_change(h->r, &change))
		assert_null(change.mapping); /* the epoch, or a flush */
	responder_committed(h->r, TENF_OK, h->now);
	while (responder_next_send(h->r, h->now, &out)) {
		struct natpmp_answer n;
		struct pcp_answer p;
		bool v4 = tenf_address_is_v4(&out.to.address);
		char text[TENF_ENDPOINT_TEXT];

		assert_int_equal(out.interface, HOUSE_LAN);
		assert_string_equal(tenf_endpoint_text(&out.to, text),
				    v4 ? "224.0.0.1:5350" : "[ff02::1]:5350");
		assert_true(tenf_endpoint_equal(&out.from, &h->links[v4 ? 0 : 1].address));
		if (natpmp_decode_answer(out.data, out.len, &n) == TENF_OK) {
			assert_int_equal(n.opcode, NATPMP_ANSWER);
			assert_int_equal(n.result, 0);
			assert_true(tenf_address_equal(&n.external_address, &house_external));
			heard.natpmp4++;
			heard.epoch_s = n.epoch_s;
			heard.other += !v4;
			continue;
		}
		assert_int_equal(pcp_decode_answer(out.data, out.len, &p), TENF_OK);
		assert_int_equal(out.len, PCP_HEADER);
		assert_int_equal(p.opcode, PCP_ANNOUNCE);
		assert_int_equal(p.result, PCP_SUCCESS);
		assert_int_equal(p.lifetime_s, 0);
		heard.epoch_s = p.epoch_s;
		heard.pcp4 += v4;
		heard.pcp6 += !v4;
	}
	return heard;
}

static void expect_series(struct house *h)
{
	static const int64_t at_ms[] = { 0,    250,   750,   1750,  3750,
					 7750, 15750, 31750, 63750, 127750 };
	tenf_time begun = h->now;

	for (size_t i = 0; i < TENF_ARRAY_SIZE(at_ms); i++) {
		struct heard heard;

		h->now = responder_deadline(h->r);
		if (h->now < begun)
			h->now = begun;
		assert_int_equal(h->now - begun, at_ms[i] * TENF_MILLISECOND);
		heard = listen(h);
		assert_int_equal(heard.natpmp4, 1);
		assert_int_equal(heard.pcp4, 1);
		assert_int_equal(heard.pcp6, 1);
		assert_int_equal(heard.other, 0);
		assert_int_equal(heard.epoch_s, at_ms[i] / 1000);
		assert_int_equal(listen(h).pcp4, 0);
	}
	assert_true(responder_deadline(h->r) == TENF_NEVER);
}

/* NP-G-31, NP-G-32, NP-G-33, NP-G-34, PCP-G-48, PCP-G-49, PCP-G-50: at start
 * and after a loss, ten times, on the links that are served, each with its own epoch */
static void a_new_epoch_is_announced_ten_times(void **state)
{
	struct house h;

	(void)state;
	setup_house(&h);
	expect_series(&h);
	h.now += 5 * TENF_SECOND;
	responder_reboot(h.r, h.now);
	expect_series(&h);
	house_stop(&h);
}

/* NP-G-31: no address, no word of NAT-PMP's; the first one is announced at once */
static void the_first_external_address_is_announced(void **state)
{
	struct heard heard;
	struct house h;

	(void)state;
	house_init(&h);
	h.config.external_address = tenf_address_none4;
	house_start(&h);
	heard = listen(&h);
	assert_int_equal(heard.natpmp4, 0);
	assert_int_equal(heard.pcp4, 1);
	h.now += 1000 * TENF_SECOND;
	(void)listen(&h);
	responder_set_external(h.r, &house_external, h.now);
	assert_true(responder_deadline(h.r) <= h.now);
	heard = listen(&h);
	assert_int_equal(heard.natpmp4, 1);
	assert_int_equal(heard.epoch_s, 1000);
	house_stop(&h);
}

/* NP-G-35, NP-G-38: off is silent */
static void switched_off_says_nothing_at_all(void **state)
{
	const struct tenf_endpoint from = { house_host(20), 50000 };
	struct heard heard;
	struct house h;

	(void)state;
	house_init(&h);
	h.config.natpmp = false;
	h.config.pcp = false;
	house_start(&h);
	heard = listen(&h);
	assert_int_equal(heard.natpmp4 + heard.pcp4 + heard.pcp6, 0);
	house_send(&h, &from, (const uint8_t *)"\0\0", 2);
	assert_int_equal(h.answers, 0);
	house_stop(&h);
}

/* NP-G-04, NP-G-05: the WAN interface, or an address that is not the LAN's */
static void natpmp_is_heard_on_the_lan_alone(void **state)
{
	struct responder_datagram in = { .from = { house_host(20), 50000 },
					 .data = (const uint8_t *)"\0\1\0\0\0\1\0\1\0\0\0\1",
					 .len = 12, .interface = HOUSE_WAN };
	struct house h;

	(void)state;
	setup_house(&h);
	in.to = h.links[0].address;
	house_send_as(&h, &in);
	assert_int_equal(h.answers, 0);
	in.interface = HOUSE_LAN;
	in.to.address = house_external;
	house_send_as(&h, &in);
	assert_int_equal(h.answers, 0);
	in.to = h.links[0].address;
	in.from.address = tenf_address_v4(0x08080808);
	house_send_as(&h, &in);
	assert_int_equal(h.answers, 0);
	assert_int_equal(house_count(&h), 0);
	house_stop(&h);
}

static void no_answer_leaves_before_its_commit(void **state)
{
	struct responder_datagram out;
	struct responder_change change;
	struct responder_record record;
	uint8_t data[100];
	struct house h;

	(void)state;
	setup_house(&h);
	(void)listen(&h); /* the announcement of the start */
	house_hand_in(&h, &(struct tenf_endpoint){ house_host(20), 50000 }, data,
		      house_write(&web, data, sizeof(data)));
	assert_false(responder_next_send(h.r, h.now, &out));
	assert_false(responder_next_record(h.r, &record));
	assert_true(responder_next_change(h.r, &change));
	assert_int_equal(change.kind, RESPONDER_INSTALL);
	assert_int_equal(change.external.port, 10000);
	assert_false(responder_next_change(h.r, &change));
	assert_false(responder_next_send(h.r, h.now, &out));
	assert_true(responder_deadline(h.r) == TENF_NEVER);
	responder_committed(h.r, TENF_OK, h.now);
	h.held = 1;
	assert_true(responder_next_send(h.r, h.now, &out));
	assert_int_equal(out.to.port, 50000);
	assert_true(responder_next_record(h.r, &record));
	house_stop(&h);
}

/* PCP-G-11: neither a new mapping, nor a renewal, nor a removal stays */
static void a_failed_commit_takes_everything_back(void **state)
{
	struct wish wish = web;
	struct responder_counts counts;
	struct pcp_answer a;
	struct house h;

	(void)state;
	setup_house(&h);
	(void)house_pcp(&h, &web);
	(void)house_natpmp(&h, 20, TENF_UDP, 7, 7777, 600);
	house_wait(&h, 100 * TENF_SECOND);
	h.backend = TENF_E_FAILED;

	a = house_pcp(&h, &wish); /* renewal */
	assert_int_equal(a.result, PCP_NO_RESOURCES);
	assert_int_equal(a.lifetime_s, 30);
	assert_int_equal(a.map.external_port, 10000);
	assert_int_equal(ledger_remaining_s(house_find(&h, TENF_TCP, 10000), h.now), 500);
	wish.lifetime_s = 0; /* removal */
	assert_int_equal(house_pcp(&h, &wish).result, PCP_NO_RESOURCES);
	assert_int_equal(ledger_remaining_s(house_find(&h, TENF_TCP, 10000), h.now), 500);
	wish = web;
	wish.host = 30; /* new */
	wish.external = 20000;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_NO_RESOURCES);
	assert_null(house_find(&h, TENF_TCP, 20000));
	wish = web; /* adoption of NAT-PMP's */
	wish.protocol = TENF_UDP;
	wish.internal = 7;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_NO_RESOURCES);
	assert_int_equal(house_find(&h, TENF_UDP, 7777)->maker, LEDGER_BY_NATPMP);
	assert_int_equal(house_natpmp(&h, 20, TENF_UDP, 0, 0, 0).result, NATPMP_OUT_OF_RESOURCES);
	assert_int_equal(house_count(&h), 2);
	responder_count(h.r, &counts);
	assert_int_equal(counts.rolled_back, 5);
	assert_int_equal(h.record.verdict, RESPONDER_REFUSED);

	h.backend = TENF_OK;
	wish = web;
	wish.host = 30;
	wish.external = 20000;
	assert_int_equal(house_pcp(&h, &wish).map.external_port, 20000);
	house_wait(&h, 500 * TENF_SECOND);
	assert_int_equal(house_count(&h), 1);
	house_stop(&h);
}

/* A lease ends by the backend's own clock, so no failure can prolong it. */
static void a_failed_commit_does_not_revive_what_expired(void **state)
{
	struct house h;

	(void)state;
	setup_house(&h);
	(void)house_pcp(&h, &web);
	h.now += 600 * TENF_SECOND;
	responder_expire(h.r, h.now);
	h.backend = TENF_E_FAILED;
	{
		struct responder_change change;

		while (responder_next_change(h.r, &change))
			assert_int_equal(change.kind, RESPONDER_REMOVE);
	}
	responder_committed(h.r, TENF_E_FAILED, h.now);
	assert_int_equal(house_count(&h), 0);
	h.held = 0;
	h.backend = TENF_OK;
	house_turn(&h);
	assert_int_equal(house_pcp(&h, &web).map.external_port, 10000);
	house_stop(&h);
}

static void requests_of_one_batch_are_one_change(void **state)
{
	const struct tenf_endpoint from = { house_host(20), 50000 };
	struct wish wish = web;
	uint8_t data[100];
	struct house h;

	(void)state;
	setup_house(&h);
	for (int i = 0; i < 5; i++) { /* made, renewed, removed, made again … */
		wish.lifetime_s = i % 2 == 0 ? 600 : 0;
		house_hand_in(&h, &from, data, house_write(&wish, data, sizeof(data)));
	}
	house_turn(&h);
	assert_int_equal(h.answers, 5);
	assert_int_equal(h.installs, 1);
	assert_int_equal(h.renewals + h.removals, 0);
	for (int i = 0; i < 2; i++) { /* removed and made again: renewed */
		wish.lifetime_s = i % 2 == 1 ? 600 : 0;
		house_hand_in(&h, &from, data, house_write(&wish, data, sizeof(data)));
	}
	house_turn(&h);
	assert_int_equal(h.installs, 1);
	assert_int_equal(h.renewals, 1);
	assert_int_equal(h.removals, 0);
	house_stop(&h);
}

static void a_failed_batch_is_undone_whatever_order_it_had(void **state)
{
	const struct tenf_endpoint from = { house_host(20), 50000 };
	uint8_t data[100];
	struct house h;

	(void)state;
	setup_house(&h);
	(void)house_pcp(&h, &web);
	h.backend = TENF_E_FAILED;
	for (unsigned order = 0; order < 64; order++) {
		for (unsigned i = 0; i < 6; i++) {
			struct wish wish = web;

			wish.lifetime_s = (order >> i & 1) != 0 ? 900 : 0;
			wish.nonce = (uint8_t)(i == 3 ? 4 : 9);
			house_hand_in(&h, &from, data, house_write(&wish, data, sizeof(data)));
		}
		house_turn(&h);
		assert_int_equal(house_count(&h), 1);
		assert_int_equal(ledger_remaining_s(house_find(&h, TENF_TCP, 10000), h.now), 600);
		assert_int_equal(house_find(&h, TENF_TCP, 10000)->nonce[0], 9);
	}
	h.backend = TENF_OK;
	assert_int_equal(house_pcp(&h, &web).result, PCP_SUCCESS);
	house_stop(&h);
}

/* RESPONDER_BATCH_MAX and RESPONDER_BATCH_OCTETS */
static void a_full_batch_asks_to_come_again(void **state)
{
	static uint8_t data[PCP_MAX];
	struct wish wish = web;
	struct responder_datagram in = { .from = { house_host(20), 50000 }, .data = data,
					 .interface = HOUSE_LAN };
	struct house h;
	unsigned taken = 0;

	(void)state;
	setup_house(&h);
	in.to = h.links[0].address;
	for (; taken < 2 * RESPONDER_BATCH_MAX; taken++) {
		wish.internal = (uint16_t)(1 + taken);
		in.len = house_write(&wish, data, sizeof(data));
		if (responder_receive(h.r, &in, h.now) == TENF_E_AGAIN)
			break;
	}
	assert_int_equal(taken, RESPONDER_BATCH_MAX);
	house_turn(&h);
	assert_int_equal(h.answers, RESPONDER_BATCH_MAX);
	assert_int_equal(responder_receive(h.r, &in, h.now), TENF_OK);
	house_turn(&h);

	/* Large ones fill the octets first. */
	memset(data + in.len, 0, sizeof(data) - in.len);
	data[60] = 99;
	in.len = sizeof(data);
	h.answers = 0;
	(void)house_write(&(struct wish){ .host = 20, .protocol = TENF_TCP, .internal = 60000,
					  .lifetime_s = 60 }, data, sizeof(data));
	assert_int_equal(responder_receive(h.r, &in, h.now), TENF_OK);
	for (taken = 1; responder_receive(h.r, &in, h.now) == TENF_OK; taken++)
		assert_true(taken < RESPONDER_BATCH_MAX);
	assert_true(taken >= RESPONDER_BATCH_OCTETS / PCP_MAX - 2);
	house_turn(&h);
	assert_int_equal(h.answers, taken);
	house_stop(&h);
}

static void a_batch_under_commit_takes_nothing_in(void **state)
{
	struct responder_datagram in = { .from = { house_host(20), 50000 },
					 .data = (const uint8_t *)"\0\0", .len = 2,
					 .interface = HOUSE_LAN };
	const struct tenf_endpoint server = { house_host(20), 22 };
	struct responder_change change;
	struct house h;

	(void)state;
	setup_house(&h);
	in.to = h.links[0].address;
	assert_true(responder_next_change(h.r, &change)); /* the epoch, nothing else */
	assert_int_equal(change.kind, RESPONDER_EPOCH);
	assert_false(responder_next_change(h.r, &change));
	assert_int_equal(responder_receive(h.r, &in, h.now), TENF_E_AGAIN);
	assert_int_equal(responder_add_static(h.r, TENF_TCP, &server, 22, h.now), TENF_E_AGAIN);
	responder_committed(h.r, TENF_OK, h.now);
	assert_int_equal(responder_receive(h.r, &in, h.now), TENF_OK);
	house_stop(&h);
}

static void records_over_the_limit_are_counted(void **state)
{
	struct responder_counts counts;
	struct responder_record record;
	unsigned got = 0;
	struct house h;

	(void)state;
	house_init(&h);
	house_start(&h);
	for (unsigned i = 0; i < RESPONDER_RECORDS_MAX + 100; i++) {
		const struct tenf_endpoint from = { house_host(20), 50000 };
		struct responder_datagram out;

		house_hand_in(&h, &from, (const uint8_t *)"\0\0", 2);
		while (responder_next_send(h.r, h.now, &out))
			;
	}
	while (responder_next_record(h.r, &record))
		got++;
	assert_int_equal(got, RESPONDER_RECORDS_MAX);
	responder_count(h.r, &counts);
	assert_int_equal(counts.records_lost, 100);
	house_stop(&h);
}

static void configs_that_make_no_sense_are_refused(void **state)
{
	struct responder_link links[RESPONDER_LINKS_MAX + 1] = { { 0 } };
	struct responder *r;
	struct house h;

	(void)state;
	house_init(&h);
	h.config.lifetime_max_s = 60;
	assert_int_equal(responder_new(&h.config, &h.random, &tenf_memory_libc, 0, &r),
			 TENF_E_ARGUMENT);
	house_init(&h);
	h.config.links = links;
	h.config.link_count = RESPONDER_LINKS_MAX + 1;
	assert_int_equal(responder_new(&h.config, &h.random, &tenf_memory_libc, 0, &r),
			 TENF_E_LIMIT);
	house_init(&h);
	h.config.mappings_max = 0;
	assert_int_equal(responder_new(&h.config, &h.random, &tenf_memory_libc, 0, &r),
			 TENF_E_ARGUMENT);
	house_init(&h);
	h.config.rule_count = POLICY_RULES_MAX + 1;
	assert_int_equal(responder_new(&h.config, &h.random, &tenf_memory_libc, 0, &r),
			 TENF_E_LIMIT);
}

/* Nothing is leaked, nothing half done. */
static void running_out_of_memory_is_an_answer(void **state)
{
	static const uint8_t name[] = { 128, 0, 0, 4, 'n', 'a', 'm', 'e' };
	unsigned refused = 0;
	unsigned granted = 0;

	(void)state;
	for (long left = 0; left < 40; left++) {
		struct house_memory s;
		struct house h;

		house_memory_init(&s, left);
		house_init(&h);
		if (responder_new(&h.config, &h.random, &s.memory, h.now, &h.r) != TENF_OK)
			continue;
		for (uint16_t port = 1; port < 4; port++) {
			struct wish wish = web;
			struct pcp_answer a;

			wish.internal = port;
			wish.options = name;
			wish.options_len = sizeof(name);
			a = house_pcp(&h, &wish);
			assert_true(a.result == PCP_SUCCESS || a.result == PCP_NO_RESOURCES);
			granted += a.result == PCP_SUCCESS;
			refused += a.result != PCP_SUCCESS;
			assert_int_equal(house_find(&h, TENF_TCP, a.map.external_port) != NULL &&
						 a.result == PCP_SUCCESS,
					 a.result == PCP_SUCCESS);
		}
		house_stop(&h);
	}
	assert_true(refused > 5 && granted > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_epoch_counts_from_the_loss_of_mappings),
		cmocka_unit_test(a_new_epoch_is_announced_ten_times),
		cmocka_unit_test(the_first_external_address_is_announced),
		cmocka_unit_test(switched_off_says_nothing_at_all),
		cmocka_unit_test(natpmp_is_heard_on_the_lan_alone),
		cmocka_unit_test(no_answer_leaves_before_its_commit),
		cmocka_unit_test(a_failed_commit_takes_everything_back),
		cmocka_unit_test(a_failed_commit_does_not_revive_what_expired),
		cmocka_unit_test(requests_of_one_batch_are_one_change),
		cmocka_unit_test(a_failed_batch_is_undone_whatever_order_it_had),
		cmocka_unit_test(a_full_batch_asks_to_come_again),
		cmocka_unit_test(a_batch_under_commit_takes_nothing_in),
		cmocka_unit_test(records_over_the_limit_are_counted),
		cmocka_unit_test(configs_that_make_no_sense_are_refused),
		cmocka_unit_test(running_out_of_memory_is_an_answer),
	};

	return cmocka_run_group_tests_name("gateway responder", tests, NULL, NULL);
}
