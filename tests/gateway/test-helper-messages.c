/* SPDX-License-Identifier: MIT */
/* What the daemon and its helper say to each other, sound and unsound. */
#include "house.h"

#include "samples.h"

static uint8_t data[HELPER_MESSAGE_MAX];

static void a_change_is_read_as_it_was_written(void **state)
{
	static struct helper_change wanted;
	static struct helper_change got;

	(void)state;
	for (unsigned kind = HELPER_INSTALL; kind <= HELPER_EPOCH; kind++) {
		for (unsigned which = 0; which < 3; which++) {
			struct tenf_writer w = tenf_writer_of(data, sizeof(data));
			struct tenf_reader r;

			wanted = (struct helper_change){
				.kind = (enum helper_change_kind)kind, .content = which == 1,
				.cut = which == 0, .epoch_start = INT64_C(-5),
				.held_until = INT64_C(0x3456789abcd),
				.mapping = which == 0	? sample_mapping4()
					   : which == 1 ? sample_mapping6()
							: sample_peer() };
			helper_write_change(&w, &wanted);
			assert_false(w.failed);
			for (size_t len = 0; len < w.used; len++) {
				r = tenf_reader_of(data, len);
				assert_int_equal(helper_read_change(&r, &got), TENF_E_TRUNCATED);
			}
			r = tenf_reader_of(data, w.used);
			assert_int_equal(helper_read_change(&r, &got), TENF_OK);
			assert_int_equal(r.left, 0);
			assert_int_equal(got.kind, kind);
			assert_int_equal(got.content, wanted.content);
			assert_int_equal(got.cut, wanted.cut);
			assert_true(got.held_until ==
				    (kind == HELPER_RENEW ? wanted.held_until : 0));
			if (kind == HELPER_EPOCH)
				assert_int_equal(got.epoch_start, -5);
			else if (kind != HELPER_FLUSH)
				assert_true(sample_mappings_equal(&got.mapping, &wanted.mapping));
		}
	}
}

static void a_mapping_with_all_it_can_have_fits_its_room(void **state)
{
	struct helper_change change = { .kind = HELPER_INSTALL, .mapping = sample_mapping6() };
	struct tenf_writer w = tenf_writer_of(data, HELPER_CHANGE_SIZE + LEDGER_FILTERS_MAX * 19);

	(void)state;
	change.mapping.description_len = LEDGER_DESCRIPTION_MAX;
	change.mapping.filter_count = LEDGER_FILTERS_MAX;
	helper_write_change(&w, &change);
	assert_false(w.failed);
}

/* One field is made senseless; the whole is not taken. */
static void expect_malformed(const struct helper_mapping *m, const char *what)
{
	struct tenf_writer w = tenf_writer_of(data, sizeof(data));
	static struct helper_mapping got;
	struct tenf_reader r;

	helper_write_mapping(&w, m);
	r = tenf_reader_of(data, w.used);
	if (helper_read_mapping(&r, &got) != TENF_E_MALFORMED)
		fail_msg("taken in spite of its %s", what);
}

static void a_mapping_that_makes_no_sense_is_not_taken(void **state)
{
	static const char *const nowhere[] = { "0.0.0.0", "127.0.0.1", "224.0.0.1",
					       "255.255.255.255", "169.254.1.1" };
	struct helper_mapping m;

	(void)state;
#define SPOILED(what, change) (m = sample_mapping4(), (change), expect_malformed(&m, what))
	SPOILED("protocol", m.protocol = 1);
	SPOILED("maker", m.maker = 0);
	SPOILED("asker", m.asker = tenf_address_none4);
	SPOILED("maker", m.maker = LEDGER_STATIC + 1);
	SPOILED("internal port", m.internal.port = 0);
	SPOILED("external port", m.external.port = 0);
	SPOILED("family", m.external.address = sample_address("2001:db8::1"));
	SPOILED("peer with a name", m.remote = sample_peer().remote);
	m = sample_peer();
	m.remote.address = sample_address("2001:db8::1");
	expect_malformed(&m, "family of the peer");
	m = sample_peer();
	m.remote.address = sample_address("127.0.0.1");
	expect_malformed(&m, "peer");
	SPOILED("end", m.ends_at = 0);
	SPOILED("end", m.ends_at = -1);
	SPOILED("filter length", m.filters[0].prefix_length = 129);
	SPOILED("filter length", m.filters[0].prefix_length = 95);
	SPOILED("filter family", m.filters[1].address = sample_address("::1"));
#undef SPOILED
	for (size_t i = 0; i < TENF_ARRAY_SIZE(nowhere); i++) {
		m = sample_mapping4();
		m.internal.address = sample_address(nowhere[i]);
		expect_malformed(&m, nowhere[i]);
	}
	m = sample_mapping6();
	m.external.port++;
	expect_malformed(&m, "translated pinhole");
}

static void lengths_above_the_limits_are_not_taken(void **state)
{
	struct helper_mapping m = sample_mapping4();
	const size_t at = 1 + 1 + 18 + 18 + 1 + 8 + 8 + 12 + 4 + 4 + 4 + 2;
	static struct helper_mapping got;

	(void)state;
	for (unsigned which = 0; which < 2; which++) {
		struct tenf_writer w = tenf_writer_of(data, sizeof(data));
		struct tenf_reader r = tenf_reader_of(data, sizeof(data));

		helper_write_mapping(&w, &m);
		data[at + which] = which == 0 ? LEDGER_DESCRIPTION_MAX + 1 : LEDGER_FILTERS_MAX + 1;
		assert_int_equal(helper_read_mapping(&r, &got), TENF_E_MALFORMED);
	}
}

static void a_setup_is_read_as_it_was_written(void **state)
{
	static struct helper_setup wanted;
	static struct helper_setup got;
	struct tenf_writer w = tenf_writer_of(data, sizeof(data));
	struct tenf_reader r;

	(void)state;
	wanted = sample_setup();
	helper_write_setup(&w, &wanted);
	for (size_t len = 0; len < w.used; len++) {
		r = tenf_reader_of(data, len);
		assert_int_not_equal(helper_read_setup(&r, &got), TENF_OK);
	}
	r = tenf_reader_of(data, w.used);
	assert_int_equal(helper_read_setup(&r, &got), TENF_OK);
	assert_memory_equal(&got, &wanted, sizeof(got));
}

static void a_full_setup_fits_one_message(void **state)
{
	static struct helper_setup setup;
	struct tenf_writer w = tenf_writer_of(data, sizeof(data) - HELPER_HEAD);

	(void)state;
	setup = (struct helper_setup){ .external.count = HELPER_INTERFACES_MAX,
				       .internal.count = HELPER_INTERFACES_MAX,
				       .link_count = HELPER_LINKS_MAX };
	helper_write_setup(&w, &setup);
	assert_false(w.failed);
}

static void a_name_that_could_end_its_quotes_is_not_taken(void **state)
{
	static const char *const bad[] = { "",	"a\"b", "a b", "a;b",
					   "a{b", "a\nb", "a/b", "\xc3\xa4" };
	static const char *const good[] = { "eth0", "wg-home", "br.7", "en_p1:2", "a@b" };
	static struct helper_setup setup;
	static struct helper_setup got;

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(good); i++)
		assert_true(helper_name_is_plain(good[i]));
	assert_false(helper_name_is_plain("0123456789abcdef"));
	for (size_t i = 0; i < TENF_ARRAY_SIZE(bad); i++) {
		struct tenf_writer w = tenf_writer_of(data, sizeof(data));
		struct tenf_reader r;

		assert_false(helper_name_is_plain(bad[i]));
		setup = sample_setup();
		strcpy(i % 2 == 0 ? setup.external.at[1] : setup.links[1].interface, bad[i]);
		helper_write_setup(&w, &setup);
		r = tenf_reader_of(data, w.used);
		assert_int_equal(helper_read_setup(&r, &got), TENF_E_MALFORMED);
	}
}

static void answers_are_read_as_they_were_written(void **state)
{
	const struct helper_done done = { .outcome = HELPER_UNSURE, .fresh = true, .code = 105,
					  .text = "no room" };
	const struct helper_found found = { true, { sample_address("203.0.113.7"), 4000 }, 119 };
	const struct helper_flow flow = { TENF_UDP, { sample_address("10.0.0.5"), 1 },
					  { sample_address("192.0.2.1"), 53 } };
	struct tenf_writer w = tenf_writer_of(data, sizeof(data));
	struct tenf_reader r;
	struct helper_done got_done;
	struct helper_found got_found;
	struct helper_flow got_flow;
	enum helper_news news = 0;

	(void)state;
	helper_write_done(&w, &done);
	helper_write_found(&w, &found);
	helper_write_flow(&w, &flow);
	helper_write_news(&w, HELPER_LOST);
	r = tenf_reader_of(data, w.used);
	assert_int_equal(helper_read_done(&r, &got_done), TENF_OK);
	assert_int_equal(got_done.outcome, HELPER_UNSURE);
	assert_true(got_done.fresh);
	assert_int_equal(got_done.code, 105);
	assert_string_equal(got_done.text, "no room");
	assert_int_equal(helper_read_found(&r, &got_found), TENF_OK);
	assert_true(tenf_endpoint_equal(&got_found.external, &found.external));
	assert_int_equal(got_found.lifetime_s, 119);
	assert_int_equal(helper_read_flow(&r, &got_flow), TENF_OK);
	assert_true(tenf_endpoint_equal(&got_flow.remote, &flow.remote));
	assert_int_equal(helper_read_news(&r, &news), TENF_OK);
	assert_int_equal(news, HELPER_LOST);
	assert_int_equal(r.left, 0);
}

static void a_header_of_no_kind_is_not_taken(void **state)
{
	static const uint8_t bad[][HELPER_HEAD] = { { 0 }, { HELPER_NEWS + 1 },
						    { HELPER_BATCH, 2 } };
	struct helper_head head;

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(bad); i++) {
		struct tenf_reader r = tenf_reader_of(bad[i], sizeof(bad[i]));

		assert_int_equal(helper_read_head(&r, &head), TENF_E_MALFORMED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_is_read_as_it_was_written),
		cmocka_unit_test(a_mapping_with_all_it_can_have_fits_its_room),
		cmocka_unit_test(a_mapping_that_makes_no_sense_is_not_taken),
		cmocka_unit_test(lengths_above_the_limits_are_not_taken),
		cmocka_unit_test(a_setup_is_read_as_it_was_written),
		cmocka_unit_test(a_full_setup_fits_one_message),
		cmocka_unit_test(a_name_that_could_end_its_quotes_is_not_taken),
		cmocka_unit_test(answers_are_read_as_they_were_written),
		cmocka_unit_test(a_header_of_no_kind_is_not_taken),
	};

	return cmocka_run_group_tests_name("messages of the helper", tests, NULL, NULL);
}
