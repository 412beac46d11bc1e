/* SPDX-License-Identifier: MIT */
/* What was, and how much of it is remembered. */
#include "house.h"

#include "gateway/history.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AT 1795784400

static char folder[64];

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/tenforward-history-XXXXXX");
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	DIR *d = opendir(folder);

	(void)state;
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		char path[400];

		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		(void)unlink(path);
	}
	closedir(d);
	return rmdir(folder);
}

static struct history *opened(uint32_t days, uint32_t size)
{
	const struct history_limits limits = { days, size };
	char buffer[512];
	struct tenf_text text = tenf_text_of(buffer, sizeof(buffer));
	struct history *h = NULL;

	if (!history_open(folder, &limits, &h, &text, &text))
		fail_msg("%s", buffer);
	assert_string_equal(buffer, "");
	return h;
}

static struct notice event(enum responder_verdict verdict, unsigned host, uint16_t port, int64_t at)
{
	return (struct notice){
		.at = at, .made_at = at, .gateway = house_gateway, .action = POLICY_ALLOW,
		.record = { .verdict = verdict, .version = PCP_VERSION, .opcode = PCP_MAP,
			    .result = verdict == RESPONDER_REFUSED ? PCP_NOT_AUTHORIZED : 0,
			    .protocol = TENF_TCP, .client = house_host(host),
			    .internal = { house_host(host), port },
			    .external = { house_external,
					  verdict == RESPONDER_REFUSED ? 0 : port },
			    .lifetime_s = 600, .count = 1, .id = port, .rule = POLICY_NO_RULE },
	};
}

static void note(struct history *h, enum responder_verdict verdict, unsigned host, uint16_t port,
		 int64_t at)
{
	const struct notice n = event(verdict, host, port, at);

	assert_true(history_note(h, &n));
}

struct found {
	size_t count;
	size_t stop_at; /* 0: never */
	char first[1024];
	char last[1024];
};

static bool count_one(void *context, const char *json)
{
	struct found *f = context;

	snprintf(f->count == 0 ? f->first : f->last, sizeof(f->last), "%s", json);
	f->count++;
	return f->count != f->stop_at;
}

static struct found asked(struct history *h, const struct history_query *query)
{
	struct found f = { .count = 0 };

	assert_true(history_ask(h, query, count_one, &f));
	return f;
}

static void events_are_found_by_time_client_and_port_after_a_restart(void **state)
{
	struct history *h = opened(90, 1000);
	struct history_query query = { .limit = 100 };
	struct found f;

	(void)state;
	note(h, RESPONDER_GRANTED, 20, 80, AT);
	note(h, RESPONDER_GRANTED, 21, 443, AT + 10);
	note(h, RESPONDER_EXPIRED, 20, 80, AT + 20);
	history_close(h); /* writes what waits */
	h = opened(90, 1000);
	assert_int_equal(asked(h, &query).count, 3);
	query.since = AT + 10;
	assert_int_equal(asked(h, &query).count, 2);
	query = (struct history_query){ .limit = 100, .has_client = true,
					.client = house_host(20) };
	f = asked(h, &query);
	assert_int_equal(f.count, 2);
	assert_non_null(strstr(f.first, "\"mapped\""));
	assert_non_null(strstr(f.last, "\"lost\""));
	query = (struct history_query){ .limit = 100, .port = 443 };
	assert_int_equal(asked(h, &query).count, 1);
	query = (struct history_query){ .limit = 1 }; /* the newest */
	f = asked(h, &query);
	assert_int_equal(f.count, 1);
	assert_non_null(strstr(f.first, "\"lost\""));
	history_close(h);
	history_close(NULL);
}

static void the_same_refusal_again_counts_up(void **state)
{
	struct history *h = opened(90, 1000);
	const struct history_query query = { .limit = 100 };
	struct found f;

	(void)state;
	for (int i = 0; i < 5; i++)
		note(h, RESPONDER_REFUSED, 20, 22, AT + i);
	assert_true(history_flush(h, AT));
	f = asked(h, &query);
	assert_int_equal(f.count, 1);
	assert_non_null(strstr(f.first, "\"times\":5"));
	assert_non_null(strstr(f.first, "\"last_at\":\"2026-11-27T13:00:04Z\""));
	note(h, RESPONDER_REFUSED, 21, 22, AT); /* another host */
	note(h, RESPONDER_REFUSED, 20, 23, AT); /* another port */
	note(h, RESPONDER_REFUSED, 20, 22, AT + HISTORY_REPEAT_S); /* another hour */
	assert_true(history_flush(h, AT));
	assert_int_equal(asked(h, &query).count, 4);
	history_close(h);
}

/* A host that is refused all day does not push out who had what open. */
static void refusals_have_half_of_the_room(void **state)
{
	struct history *h = opened(90, 100);
	const struct history_query query = { .limit = 10000 };
	struct found f;

	(void)state;
	for (uint16_t port = 1; port <= 40; port++)
		note(h, RESPONDER_GRANTED, 20, port, AT);
	for (uint16_t port = 1; port <= 1000; port++)
		note(h, RESPONDER_REFUSED, 21, port, AT);
	assert_true(history_flush(h, AT));
	f = asked(h, &query);
	assert_int_equal(f.count, 40 + 50);
	assert_non_null(strstr(f.first, "\"mapped\""));
	history_close(h);
}

/* Also when the limits are others than the last time. */
static void what_is_too_old_or_too_much_is_forgotten(void **state)
{
	struct history *h = opened(10, 300);
	const struct history_query query = { .limit = 10000 };
	struct found f;

	(void)state;
	note(h, RESPONDER_GRANTED, 20, 1, AT - 11 * 86400);
	for (uint16_t port = 2; port <= 2000; port++)
		note(h, RESPONDER_GRANTED, 20, port, AT);
	assert_true(history_flush(h, AT));
	f = asked(h, &query);
	assert_int_equal(f.count, 300);
	assert_non_null(strstr(f.last, "\"internal_port\":2000"));
	history_close(h);
	h = opened(10, 20);
	note(h, RESPONDER_GRANTED, 20, 1, AT);
	assert_true(history_flush(h, AT));
	assert_int_equal(asked(h, &query).count, 20);
	history_close(h);
}

static void renewals_and_answers_are_not_kept(void **state)
{
	struct notice n = event(RESPONDER_RENEWED, 20, 80, AT);

	(void)state;
	assert_false(history_wants(&n));
	n.record.verdict = RESPONDER_ANSWERED;
	assert_false(history_wants(&n));
	n.record.verdict = RESPONDER_GRANTED;
	assert_true(history_wants(&n));
	n.record.verdict = RESPONDER_PENDING;
	assert_true(history_wants(&n));
}

static void who_asks_may_stop(void **state)
{
	struct history *h = opened(90, 1000);
	const struct history_query query = { .limit = 100 };
	struct found f = { .stop_at = 2 };

	(void)state;
	for (uint16_t port = 1; port <= 5; port++)
		note(h, RESPONDER_GRANTED, 20, port, AT);
	assert_true(history_flush(h, AT));
	assert_true(history_ask(h, &query, count_one, &f));
	assert_int_equal(f.count, 2);
	history_close(h);
}

static size_t memos;
static int64_t least;

static bool count_memo(void *context, const struct memo_row *row)
{
	assert_ptr_equal(context, &memos);
	assert_int_equal(row->len, 3);
	assert_memory_equal(row->data, "abc", 3);
	least = row->until < least ? row->until : least;
	memos++;
	return true;
}

static void recall(struct history *h, int64_t now)
{
	memos = 0;
	least = INT64_MAX;
	assert_true(history_recall(h, now, count_memo, &memos));
}

static void keep_memo(struct history *h, uint32_t id, int64_t until)
{
	struct memo_row row = { .kind = 1, .id = id, .until = until, .len = 3, .data = "abc" };

	assert_true(history_keep(h, &row));
}

static void memos_are_kept_over_a_restart_until_their_time_is_over(void **state)
{
	struct history *h = opened(90, 1000);

	(void)state;
	keep_memo(h, 1, AT + 10);
	keep_memo(h, 1, AT + 20); /* in its place */
	keep_memo(h, 2, AT + 5);
	keep_memo(h, 3, AT + 50);
	keep_memo(h, 3, 0);
	assert_true(history_flush(h, AT));
	history_close(h);
	h = opened(90, 1000);
	recall(h, AT + 7);
	assert_int_equal(memos, 1);
	assert_int_equal(least, AT + 20);
	history_close(h);
}

static void of_too_many_memos_those_go_that_are_over_first(void **state)
{
	struct history *h = opened(90, 1000);

	(void)state;
	for (uint32_t id = 1; id <= HISTORY_MEMOS_MAX + 300; id++)
		keep_memo(h, id, AT + id);
	assert_true(history_flush(h, AT));
	recall(h, AT);
	assert_int_equal(memos, HISTORY_MEMOS_MAX);
	assert_int_equal(least, AT + 301);
	history_close(h);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(events_are_found_by_time_client_and_port_after_a_restart),
		TEST(the_same_refusal_again_counts_up),
		TEST(refusals_have_half_of_the_room),
		TEST(what_is_too_old_or_too_much_is_forgotten),
		TEST(renewals_and_answers_are_not_kept),
		TEST(who_asks_may_stop),
		TEST(memos_are_kept_over_a_restart_until_their_time_is_over),
		TEST(of_too_many_memos_those_go_that_are_over_first),
	};

	return cmocka_run_group_tests_name("gateway history", tests, NULL, NULL);
}
