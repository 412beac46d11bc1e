/* SPDX-License-Identifier: MIT */
/* The way out of a mapping, on a real kernel: how long it lasts, and that none is left. */
#include "house.h"

#include "gateway/helper/helper-private.h"
#include "kernel.h"
#include "samples.h"

#include <errno.h>

#define HOUR (3600 * TENF_SECOND)

static struct netlink_transport netlink;
static struct helper_transport transport;
static struct helper helper;
static struct helper_setup setup;

static struct helper_mapping mapping(unsigned i)
{
	struct helper_mapping m = sample_mapping4();

	m.external.port = (uint16_t)(1 + i);
	m.internal.port = (uint16_t)(1 + i);
	m.filter_count = 0;
	m.ends_at = HOUR;
	return m;
}

static int start(void **state)
{
	char buffer[256];
	struct tenf_text why = tenf_text_of(buffer, sizeof(buffer));
	bool fresh;

	(void)state;
	if (!table_make(&setup, true, &why))
		return -1;
	helper = (struct helper){ .nft = transport, .epoch_start = TENF_NEVER };
	helper.transaction = transaction_new(&helper.nft, &helper.features);
	helper.cut = cut_new(&transport, &transport);
	if (helper.transaction == NULL || helper.cut == NULL ||
	    changes_init(&helper.changes) != 0)
		return -1;
	return helper_set_up(&helper, &setup, &fresh, &why) ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	transaction_free(helper.transaction);
	cut_free(helper.cut);
	changes_done(&helper.changes);
	return 0;
}

static void put(const struct helper_change *change, tenf_time now)
{
	static uint8_t data[HELPER_MESSAGE_MAX];
	struct tenf_writer w = tenf_writer_of(data, sizeof(data));
	struct tenf_reader r;

	helper_write_change(&w, change);
	r = tenf_reader_of(data, w.used);
	helper_put_changes(&helper, &r, 1, now);
}

static void commit(void)
{
	int code;

	assert_int_equal(helper_commit(&helper, &code), HELPER_OK);
}

static void install(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct helper_change change = { .kind = HELPER_INSTALL,
						      .mapping = mapping(i) };

		put(&change, 0);
	}
	commit();
}

static void renew(tenf_time held_until, tenf_time ends_at, tenf_time now)
{
	struct helper_change change = { .kind = HELPER_RENEW, .mapping = mapping(0),
					.held_until = held_until };

	change.mapping.ends_at = ends_at;
	put(&change, now);
	commit();
}

/* As when its lease ends while no daemon runs: only the way in is gone. */
static void let_end(unsigned first, unsigned count)
{
	uint8_t user_data[ELEMENT_USER_DATA_MAX];
	unsigned i = first;

	while (i < first + count) {
		for (; i < first + count; i++) {
			const struct helper_mapping m = mapping(i);
			struct element e;

			element_of_mapping(&m, 0, user_data, &e);
			if (transaction_put(helper.transaction, TRANSACTION_REMOVE, &e) != 0)
				break;
		}
		commit();
	}
}

static void count_one(const struct element *e, uint64_t left_ms, void *context)
{
	unsigned *count = context;

	(void)e;
	(void)left_ms;
	++*count;
}

static unsigned ways_out(void)
{
	unsigned count = 0;

	for (unsigned set = SET_SNAT4; element_set_is_snat4(set); set++)
		assert_int_equal(table_read(&transport, (enum element_set)set, NULL, count_one,
					    &count), 0);
	return count;
}

static void read_timeout(const struct element *e, uint64_t left_ms, void *context)
{
	uint64_t *timeout_ms = context;

	(void)left_ms;
	*timeout_ms = e->timeout_ms;
}

static tenf_duration timeout_of(const struct element *e)
{
	uint64_t timeout_ms = 0;

	assert_int_equal(table_read(&transport, (enum element_set)e->set, e, read_timeout,
				    &timeout_ms), 0);
	return (tenf_duration)timeout_ms * TENF_MILLISECOND;
}

static tenf_duration timeout_in(void)
{
	uint8_t user_data[ELEMENT_USER_DATA_MAX];
	const struct helper_mapping m = mapping(0);
	struct element e;

	element_of_mapping(&m, 0, user_data, &e);
	return timeout_of(&e);
}

static tenf_duration timeout_out(void)
{
	const struct helper_mapping m = mapping(0);
	struct element e;

	element_of_source(&m, 0, &e);
	return timeout_of(&e);
}

static void a_renewal_touches_the_way_out_only_where_it_would_end_sooner(void **state)
{
	tenf_time end = element_source_end(HOUR);

	(void)state;
	install(1);
	assert_true(timeout_in() == HOUR);
	assert_true(timeout_out() == end);
	renew(HOUR, 2 * HOUR, HOUR / 2);
	assert_true(timeout_in() == 3 * HOUR / 2);
	assert_true(timeout_out() == end); /* as it was, half an hour ago */
	renew(2 * HOUR, end, HOUR);
	assert_true(timeout_in() == end - HOUR);
	assert_true(timeout_out() == element_source_end(end) - HOUR);
}

static void where_the_end_so_far_is_not_known_both_ways_are_renewed(void **state)
{
	(void)state;
	install(1);
	renew(0, 2 * HOUR, HOUR / 2);
	assert_true(timeout_in() == 3 * HOUR / 2);
	assert_true(timeout_out() == element_source_end(HOUR) - HOUR / 2);
}

static void a_start_leaves_no_way_out_without_a_mapping(void **state)
{
	struct dump dump;

	(void)state;
	install(3);
	let_end(1, 1);
	assert_int_equal(ways_out(), 3);
	assert_int_equal(helper_dump(&helper, 1, 0, &dump), 0);
	assert_int_equal(dump.counts[0], 2);
	dump_done(&dump);
	assert_int_equal(ways_out(), 2);
	assert_true(timeout_out() > 0);
	/* Nor where nothing is kept at all. */
	let_end(0, 1);
	let_end(2, 1);
	assert_int_equal(helper_dump(&helper, 2, 0, &dump), 0);
	dump_done(&dump);
	assert_int_equal(ways_out(), 0);
	assert_false(helper.lost);
}

/* Another mapping has the internal endpoint, or the external one, by now. */
static void a_way_out_to_elsewhere_is_not_that_of_the_mapping(void **state)
{
	struct helper_mapping moved = mapping(0);
	struct dump dump;
	struct element e;

	(void)state;
	install(1);
	moved.external.port = 99;
	element_of_source(&moved, 0, &e);
	assert_int_equal(transaction_put(helper.transaction, TRANSACTION_ADD, &e), 0);
	commit();
	assert_int_equal(helper_dump(&helper, 1, 0, &dump), 0);
	dump_done(&dump);
	assert_int_equal(ways_out(), 0);
}

/* More than one transaction takes. */
static void thousands_without_a_mapping_go_too(void **state)
{
	const unsigned count = 30000;
	struct dump dump;

	(void)state;
	install(count);
	let_end(1, count - 1);
	assert_int_equal(helper_dump(&helper, 1, 0, &dump), 0);
	dump_done(&dump);
	assert_int_equal(ways_out(), 1);
}

/* As where a netlink socket may send little: many transactions. */
static void however_many_transactions_that_takes(void **state)
{
	const unsigned count = 30000;
	struct dump dump;

	(void)state;
	install(count);
	let_end(0, count);
	helper.nft.send_max = 2 * 212992 - 4096;
	assert_int_equal(helper_dump(&helper, 1, 0, &dump), 0);
	dump_done(&dump);
	assert_int_equal(ways_out(), 0);
	assert_false(helper.lost);
}

static void remove_one(unsigned i, bool cut)
{
	const struct helper_change change = { .kind = HELPER_REMOVE, .cut = cut,
					      .mapping = mapping(i) };

	put(&change, 0);
}

static void put_nonsense(void)
{
	static const uint8_t nonsense[] = { 0xff, 0xff };
	struct tenf_reader r = tenf_reader_of(nonsense, sizeof(nonsense));

	helper_put_changes(&helper, &r, 1, 0);
}

/* Two ranges that overlap. */
static void put_what_the_kernel_refuses(void)
{
	struct helper_change change = { .kind = HELPER_INSTALL, .mapping = mapping(9) };
	struct tenf_address remote = sample_address("198.51.100.0");

	change.mapping.filter_count = 2;
	change.mapping.filters[0] = (struct pcp_filter){ 96 + 24, 0, remote };
	remote.octets[15] = 128;
	change.mapping.filters[1] = (struct pcp_filter){ 96 + 25, 7, remote };
	put(&change, 0);
	change.mapping = mapping(10);
	change.mapping.external.port = mapping(9).external.port;
	change.mapping.filter_count = 1;
	remote.octets[15] = 64;
	change.mapping.filters[0] = (struct pcp_filter){ 96 + 23, 0, remote };
	put(&change, 0);
}

/* What was deleted lives again, and needs its way out. */
static void what_is_over_goes_though_its_batch_is_refused(void **state)
{
	static void (*const refused[])(void) = { put_nonsense, put_what_the_kernel_refuses };
	int code;

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(refused); i++) {
		install(3);
		let_end(0, 1);
		remove_one(0, false);
		remove_one(1, true);
		refused[i]();
		assert_int_equal(helper_commit(&helper, &code), HELPER_REFUSED);
		assert_int_equal(ways_out(), 2);
		assert_false(helper.lost);
		/* And nothing is left of it that the next batch would do. */
		install(3);
		assert_int_equal(ways_out(), 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_renewal_touches_the_way_out_only_where_it_would_end_sooner, start, stop),
		cmocka_unit_test_setup_teardown(
			where_the_end_so_far_is_not_known_both_ways_are_renewed, start, stop),
		cmocka_unit_test_setup_teardown(a_start_leaves_no_way_out_without_a_mapping,
						start, stop),
		cmocka_unit_test_setup_teardown(a_way_out_to_elsewhere_is_not_that_of_the_mapping,
						start, stop),
		cmocka_unit_test_setup_teardown(thousands_without_a_mapping_go_too, start, stop),
		cmocka_unit_test_setup_teardown(however_many_transactions_that_takes, start, stop),
		cmocka_unit_test_setup_teardown(what_is_over_goes_though_its_batch_is_refused,
						start, stop),
	};
	char buffer[256];
	struct tenf_text why = tenf_text_of(buffer, sizeof(buffer));

	setup = sample_setup();
	if (!kernel_enter() || netlink_transport_open(&netlink) != 0 ||
	    !table_make(&setup, true, &why)) {
		(void)printf("1..0 # SKIP no namespace with nftables here\n");
		return 0;
	}
	transport = netlink_transport_of(&netlink);
	return cmocka_run_group_tests_name("ways out", tests, NULL, NULL);
}
