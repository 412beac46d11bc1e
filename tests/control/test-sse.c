/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "control/sse.h"

#include <stdlib.h>
#include <string.h>

static void feed(struct sse *sse, const char *text)
{
	assert_int_equal(sse_feed(sse, text, strlen(text)), TENF_OK);
}

static void expect(struct sse *sse, const char *id, const char *event, const char *data)
{
	struct sse_event got;

	assert_true(sse_next(sse, &got));
	assert_string_equal(sse->id, id);
	assert_string_equal(got.event, event);
	assert_string_equal(got.data, data);
}

static void expect_none(struct sse *sse)
{
	struct sse_event got;

	assert_false(sse_next(sse, &got));
}

static const char script[] =
	"retry: 2000\n\n"
	"id: 1\nevent: mapped\ndata: {\"a\":1}\n\n"
	":\n\n"
	"id: 2\r\nevent: lost\r\ndata: {}\r\n\r\n"
	"data: one\ndata:two\ndata: three\n\n"
	"id: 4\n\n"
	"unknown\ndatax: no\ndata\n\n"
	"event: last\ndata:\n\n";

static void expect_script(struct sse *sse)
{
	expect(sse, "1", "mapped", "{\"a\":1}");
	expect(sse, "2", "lost", "{}");
	expect(sse, "2", "message", "one\ntwo\nthree");
	expect(sse, "4", "last", "");
	expect_none(sse);
}

static void events_are_read_in_order(void **state)
{
	struct sse sse;

	(void)state;
	sse_init(&sse);
	feed(&sse, script);
	expect_script(&sse);
	sse_done(&sse);
}

static void it_does_not_matter_where_packets_end(void **state)
{
	(void)state;
	for (size_t cut = 1; cut < sizeof(script) - 1; cut++) {
		struct sse sse;

		sse_init(&sse);
		for (size_t at = 0; at < sizeof(script) - 1; at += cut) {
			size_t left = sizeof(script) - 1 - at;

			assert_int_equal(sse_feed(&sse, script + at, left < cut ? left : cut),
					 TENF_OK);
		}
		expect_script(&sse);
		sse_done(&sse);
	}
}

static void an_event_is_there_when_its_empty_line_is(void **state)
{
	struct sse sse;

	(void)state;
	sse_init(&sse);
	expect_none(&sse);
	feed(&sse, "id: 1\ndata: x\n");
	expect_none(&sse);
	feed(&sse, "\n");
	expect(&sse, "1", "message", "x");
	expect_none(&sse);
	feed(&sse, "\n\ndata: y\n\n");
	expect(&sse, "1", "message", "y");
	sse_done(&sse);
}

static void an_id_that_is_too_long_is_as_if_not_there(void **state)
{
	char text[200] = "id: ";
	struct sse sse;

	(void)state;
	sse_init(&sse);
	feed(&sse, "id: 1\ndata: x\n\n");
	expect(&sse, "1", "message", "x");
	memset(text + 4, '9', SSE_ID_SIZE);
	strcat(text, "\ndata: y\n\n");
	feed(&sse, text);
	expect(&sse, "1", "message", "y");
	sse_done(&sse);
}

static void what_waits_is_limited(void **state)
{
	char *much = malloc(SSE_WAITING_MAX);
	struct sse sse;

	(void)state;
	memset(much, 'x', SSE_WAITING_MAX);
	memcpy(much, "data: ", 6);
	sse_init(&sse);
	assert_int_equal(sse_feed(&sse, much, SSE_WAITING_MAX), TENF_OK);
	assert_int_equal(sse_feed(&sse, "\n", 1), TENF_E_LIMIT);
	sse_done(&sse);
	sse_init(&sse);
	memcpy(much + SSE_WAITING_MAX - 2, "\n\n", 2);
	assert_int_equal(sse_feed(&sse, much, SSE_WAITING_MAX), TENF_OK);
	assert_int_equal(sse_feed(&sse, "d", 1), TENF_E_LIMIT);
	assert_true(sse_next(&sse, &(struct sse_event){ 0 }));
	feed(&sse, "data: taken makes room\n\n");
	expect(&sse, "", "message", "taken makes room");
	sse_done(&sse);
	free(much);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_are_read_in_order),
		cmocka_unit_test(it_does_not_matter_where_packets_end),
		cmocka_unit_test(an_event_is_there_when_its_empty_line_is),
		cmocka_unit_test(an_id_that_is_too_long_is_as_if_not_there),
		cmocka_unit_test(what_waits_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
