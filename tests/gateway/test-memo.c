/* SPDX-License-Identifier: MIT */
/* What is kept between two starts: whole, cut, and lying. */
#include "house.h"

#include "gateway/memo.h"
#include "net/clock.h"

#include <string.h>

static struct responder_memo sample(void)
{
	return (struct responder_memo){
		.kind = MEMO_WISH, .id = 9, .until = net_now() + 600 * TENF_SECOND,
		.protocol = TENF_UDP, .internal = { house_host(21), 8080 },
		.external = { house_external, 80 }, .remote = { house_gateway, 443 },
		.maker = LEDGER_BY_PCP, .end = LEDGER_REVOKED, .nonce = { 1, 2, 3 },
		.client = house_host(20), .state = PENDING_IS_DENIED, .has_mac = true,
		.mac = { 1, 2, 3, 4, 5, 6 }, .first_seen = net_now() - 60 * TENF_SECOND,
		.tries = 4, .next_id = 1000, .next_wish = 2000,
	};
}

static bool is_near(tenf_time a, tenf_time b)
{
	return a - b < 3 * TENF_SECOND && b - a < 3 * TENF_SECOND;
}

static void a_memo_comes_out_as_it_went_in(void **state)
{
	const struct responder_memo m = sample();
	uint8_t octets[16 + MEMO_OCTETS];
	struct tenf_writer w = tenf_writer_of(octets, sizeof(octets));
	struct responder_memo back;
	struct memo_row row, read;
	struct tenf_reader r;

	(void)state;
	memo_to_row(&m, &row);
	memo_write(&row, &w);
	assert_false(w.failed);
	r = tenf_reader_of(octets, w.used);
	assert_true(memo_read(&r, &read));
	assert_true(memo_of_row(&read, &back));
	assert_int_equal(back.kind, m.kind);
	assert_int_equal(back.id, m.id);
	assert_true(is_near(back.until, m.until));
	assert_true(is_near(back.first_seen, m.first_seen));
	assert_true(tenf_endpoint_equal(&back.internal, &m.internal));
	assert_true(tenf_endpoint_equal(&back.external, &m.external));
	assert_true(tenf_endpoint_equal(&back.remote, &m.remote));
	assert_true(tenf_address_equal(&back.client, &m.client));
	assert_memory_equal(back.nonce, m.nonce, sizeof(m.nonce));
	assert_memory_equal(back.mac, m.mac, sizeof(m.mac));
	assert_int_equal(back.protocol, m.protocol);
	assert_int_equal(back.maker, m.maker);
	assert_int_equal(back.end, m.end);
	assert_int_equal(back.state, m.state);
	assert_int_equal(back.tries, m.tries);
	assert_int_equal(back.next_id, m.next_id);
	assert_int_equal(back.next_wish, m.next_wish);
}

static void never_and_forgotten_stay_what_they_are(void **state)
{
	struct responder_memo m = sample(), back;
	struct memo_row row;

	(void)state;
	m.until = TENF_NEVER;
	memo_to_row(&m, &row);
	assert_true(memo_of_row(&row, &back));
	assert_true(back.until == TENF_NEVER);
	m.until = 0;
	memo_to_row(&m, &row);
	assert_int_equal(row.until, 0);
}

static void what_is_cut_or_too_long_is_none(void **state)
{
	const struct responder_memo m = sample();
	uint8_t octets[32 + MEMO_OCTETS] = { 0 };
	struct responder_memo back;
	struct memo_row row, cut;
	struct tenf_reader r;

	(void)state;
	memo_to_row(&m, &row);
	for (size_t len = 0; len < row.len; len++) {
		cut = row;
		cut.len = len;
		assert_false(memo_of_row(&cut, &back));
	}
	cut = row;
	cut.len++;
	assert_false(memo_of_row(&cut, &back));
	cut = row;
	cut.data[0] = 77; /* of another version */
	assert_false(memo_of_row(&cut, &back));
	r = tenf_reader_of(octets, 12);
	assert_false(memo_read(&r, &cut));
	r = tenf_reader_of(octets, 13 + MEMO_OCTETS + 1);
	assert_false(memo_read(&r, &cut));
	octets[5] = 0x80; /* before all time */
	r = tenf_reader_of(octets, 20);
	assert_false(memo_read(&r, &cut));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_memo_comes_out_as_it_went_in),
		cmocka_unit_test(never_and_forgotten_stay_what_they_are),
		cmocka_unit_test(what_is_cut_or_too_long_is_none),
	};

	return cmocka_run_group_tests_name("gateway memo", tests, NULL, NULL);
}
