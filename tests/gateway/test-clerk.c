/* SPDX-License-Identifier: MIT */
/* What goes between the daemon and its clerk: whole, cut, and lying. */
#include "house.h"

#include "gateway/clerk-private.h"

#include <string.h>

static struct notice sample(void)
{
	return (struct notice){
		.at = INT64_C(1) << 40, .made_at = 7, .word = PENDING_IS_DENIED,
		.action = POLICY_ASK, .rule_name = "lan", .who = "root", .gateway = house_gateway,
		.record = { .verdict = RESPONDER_REVOKED, .version = 2, .opcode = 1, .result = 3,
			    .protocol = TENF_UDP, .client = house_host(20), .has_mac = true,
			    .mac = { 1, 2, 3, 4, 5, 6 }, .internal = { house_host(21), 8080 },
			    .external = { house_external, 80 }, .lifetime_s = 600, .count = 2,
			    .id = 9, .renewals = 4, .end = LEDGER_REVOKED, .rule = 3,
			    .why = "because" },
	};
}

static void a_notice_comes_out_as_it_went_in(void **state)
{
	struct notice n = sample(), back;
	uint8_t octets[NOTICE_OCTETS];
	struct tenf_writer w = tenf_writer_of(octets, sizeof(octets));
	struct tenf_reader r;
	char why[NOTICE_WHY_MAX];

	(void)state;
	notice_write(&n, &w);
	assert_false(w.failed);
	r = tenf_reader_of(octets, w.used);
	assert_true(notice_read(&r, &back, why));
	assert_int_equal(r.left, 0);
	assert_true(back.at == n.at && back.made_at == n.made_at && back.word == n.word);
	assert_int_equal(back.action, n.action);
	assert_string_equal(back.rule_name, "lan");
	assert_string_equal(back.who, "root");
	assert_string_equal(back.record.why, "because");
	assert_true(tenf_endpoint_equal(&back.record.internal, &n.record.internal));
	assert_true(tenf_endpoint_equal(&back.record.external, &n.record.external));
	assert_true(tenf_address_equal(&back.record.client, &n.record.client));
	assert_memory_equal(back.record.mac, n.record.mac, 6);
	assert_int_equal(back.record.verdict, RESPONDER_REVOKED);
	assert_int_equal(back.record.renewals, 4);
	assert_int_equal(back.record.rule, 3);
	n.record.rule = POLICY_NO_RULE;
	n.record.why = NULL;
	w = tenf_writer_of(octets, sizeof(octets));
	notice_write(&n, &w);
	r = tenf_reader_of(octets, w.used);
	assert_true(notice_read(&r, &back, why));
	assert_int_equal(back.record.rule, POLICY_NO_RULE);
	assert_null(back.record.why);
}

static void the_longest_notice_fits_its_room(void **state)
{
	struct notice n = sample(), back;
	uint8_t octets[NOTICE_OCTETS];
	struct tenf_writer w = tenf_writer_of(octets, sizeof(octets));
	struct tenf_reader r;
	char why[NOTICE_WHY_MAX], reason[400];

	(void)state;
	memset(reason, 'x', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	n.record.why = reason;
	memset(n.rule_name, 'r', sizeof(n.rule_name) - 1);
	memset(n.who, 'w', sizeof(n.who) - 1);
	notice_write(&n, &w);
	assert_false(w.failed);
	r = tenf_reader_of(octets, w.used);
	assert_true(notice_read(&r, &back, why));
	assert_int_equal(strlen(back.record.why), NOTICE_WHY_MAX - 1); /* cut */
}

static void a_cut_or_lying_notice_is_none(void **state)
{
	struct notice n = sample(), back;
	uint8_t octets[NOTICE_OCTETS];
	struct tenf_writer w = tenf_writer_of(octets, sizeof(octets));
	struct tenf_reader r;
	char why[NOTICE_WHY_MAX];

	(void)state;
	notice_write(&n, &w);
	for (size_t len = 0; len < w.used; len++) {
		r = tenf_reader_of(octets, len);
		assert_false(notice_read(&r, &back, why));
	}
	for (size_t at = 0; at < w.used; at++) { /* whatever it says, it is in bounds */
		uint8_t before = octets[at];

		octets[at] = 0xff;
		r = tenf_reader_of(octets, w.used);
		if (notice_read(&r, &back, why) && notice_event(&back) != NULL)
			json_decref(notice_json(&back));
		octets[at] = before;
	}
}

static void a_question_comes_out_as_it_went_in(void **state)
{
	const struct history_query query = { .since = INT64_C(1) << 33, .has_client = true,
					     .client = house_host(20), .port = 80, .limit = 50 };
	struct history_query back;
	uint8_t octets[64];
	struct tenf_writer w = tenf_writer_of(octets, sizeof(octets));
	struct tenf_reader r;
	uint32_t id = 0;

	(void)state;
	clerk_write_query(&query, 7, &w);
	assert_false(w.failed);
	r = tenf_reader_of(octets, w.used);
	assert_true(clerk_read_query(&r, &back, &id));
	assert_int_equal(id, 7);
	assert_true(back.since == query.since && back.port == 80 && back.limit == 50);
	assert_true(back.has_client && tenf_address_equal(&back.client, &query.client));
	for (size_t len = 0; len < w.used; len++) {
		r = tenf_reader_of(octets, len);
		assert_false(clerk_read_query(&r, &back, &id));
	}
	octets[w.used - 4] = 0xff; /* a limit beyond all limits */
	r = tenf_reader_of(octets, w.used);
	assert_false(clerk_read_query(&r, &back, &id));
}

static void frames_come_whole_or_not_yet_or_never(void **state)
{
	static struct clerk_frame frame;
	static uint8_t large[CLERK_FRAME_MAX + 1];
	struct evbuffer *buffer = evbuffer_new(), *part = evbuffer_new();

	(void)state;
	assert_true(clerk_add_frame(buffer, CLERK_ROW, "abc", 3));
	assert_true(clerk_add_frame(buffer, CLERK_END, large, CLERK_FRAME_MAX));
	assert_false(clerk_add_frame(buffer, CLERK_END, large, sizeof(large)));
	for (int i = 0; i < CLERK_HEAD + 2; i++) {
		assert_int_equal(evbuffer_remove_buffer(buffer, part, 1), 1);
		assert_int_equal(clerk_next_frame(part, &frame), 0);
	}
	assert_int_equal(evbuffer_add_buffer(part, buffer), 0);
	assert_int_equal(clerk_next_frame(part, &frame), 1);
	assert_int_equal(frame.kind, CLERK_ROW);
	assert_int_equal(frame.len, 3);
	assert_memory_equal(frame.payload, "abc", 3);
	assert_int_equal(clerk_next_frame(part, &frame), 1);
	assert_int_equal(frame.len, CLERK_FRAME_MAX);
	assert_int_equal(clerk_next_frame(part, &frame), 0);
	assert_int_equal(evbuffer_add(part, "\xff\xff\xff\xff\1", 5), 0);
	assert_int_equal(clerk_next_frame(part, &frame), -1);
	evbuffer_free(buffer);
	evbuffer_free(part);
}

static void hooks_come_out_as_they_went_in(void **state)
{
	static struct config_hook list[CONFIG_HOOKS_MAX], back[CONFIG_HOOKS_MAX];
	uint8_t octets[CLERK_HOOKS_OCTETS];
	struct tenf_writer w = tenf_writer_of(octets, sizeof(octets));
	struct tenf_reader r;
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < CONFIG_HOOKS_MAX; i++) {
		list[i] = (struct config_hook){ .events = CONFIG_ON_ALL, .timeout_s = 3600,
						.kind = i % 2 ? CONFIG_RUN : CONFIG_WEBHOOK };
		memset(list[i].target, 'x', sizeof(list[i].target) - 1);
	}
	clerk_write_hooks(list, CONFIG_HOOKS_MAX, &w); /* as many and as long as can be */
	assert_false(w.failed);
	r = tenf_reader_of(octets, w.used);
	assert_true(clerk_read_hooks(&r, back, &count));
	assert_int_equal(count, CONFIG_HOOKS_MAX);
	assert_memory_equal(list, back, sizeof(list));
	for (size_t len = 0; len < w.used; len += 7) {
		r = tenf_reader_of(octets, len);
		assert_false(clerk_read_hooks(&r, back, &count));
	}
	octets[0] = CONFIG_HOOKS_MAX + 1;
	r = tenf_reader_of(octets, w.used);
	assert_false(clerk_read_hooks(&r, back, &count));
	octets[0] = 1;
	for (size_t at = 1; at < 8; at++) { /* no such events, kind, time limit or length */
		w = tenf_writer_of(octets, sizeof(octets));
		clerk_write_hooks(list, 1, &w);
		octets[at] = 0xff;
		r = tenf_reader_of(octets, w.used);
		assert_false(clerk_read_hooks(&r, back, &count));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_notice_comes_out_as_it_went_in),
		cmocka_unit_test(the_longest_notice_fits_its_room),
		cmocka_unit_test(a_cut_or_lying_notice_is_none),
		cmocka_unit_test(a_question_comes_out_as_it_went_in),
		cmocka_unit_test(frames_come_whole_or_not_yet_or_never),
		cmocka_unit_test(hooks_come_out_as_they_went_in),
	};

	return cmocka_run_group_tests_name("gateway clerk", tests, NULL, NULL);
}
