/* SPDX-License-Identifier: MIT */
/* Lists that are longer than one turn of the loop. */
#include "house.h"

#include "control/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define END " HTTP/1.1\r\nHost: x\r\n\r\n"

static void a_list_comes_whole_however_long_it_is(void **state)
{
	static const size_t counts[] = { 0, 1, CONTROL_LIST_SLICE, CONTROL_LIST_SLICE + 1, 20000 };
	struct house *h = *state;

	house_open(h);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		char request[64];
		struct client c;
		struct answer a;
		json_t *json, *list;

		(void)snprintf(request, sizeof(request), "GET /v1/long/%zu" END, counts[i]);
		house_connect(h, &c);
		client_send(&c, request);
		house_receive(h, &c, false, &a);
		assert_int_equal(a.status, 200);
		json = json_loads(a.body, 0, NULL);
		list = json_object_get(json, "list");
		assert_int_equal(json_array_size(list), counts[i]);
		if (counts[i] > 0)
			assert_int_equal(json_integer_value(json_object_get(
						 json_array_get(list, counts[i] - 1), "n")),
					 counts[i] - 1);
		assert_int_equal(h->cancelled, i + 1); /* let go once */
		json_decref(json);
		answer_done(&a);
		client_done(&c);
	}
}

static void a_client_that_leaves_ends_its_list(void **state)
{
	struct house *h = *state;
	struct client c;

	house_open(h);
	house_connect(h, &c);
	client_send(&c, "GET /v1/long/100000" END);
	house_turn(h, NULL);
	client_done(&c);
	for (unsigned i = 0; i < 100 && h->cancelled == 0; i++)
		house_wait(h);
	assert_int_equal(h->cancelled, 1);
}

/* Nobody takes a part of a list for the whole. */
static void a_list_that_cannot_be_made_has_no_end(void **state)
{
	struct house *h = *state;
	struct client c;

	house_open(h);
	house_connect(h, &c);
	client_send(&c, "GET /v1/long/100001" END);
	for (unsigned i = 0; i < 100000 && !c.closed; i++)
		house_turn(h, &c);
	assert_true(c.closed);
	assert_null(strstr(c.data, "]}"));
	assert_int_equal(h->cancelled, 1);
	client_done(&c);
}

static void head_tells_no_list(void **state)
{
	struct house *h = *state;

	house_open(h);
	house_expect(h, "HEAD /v1/long/5" END, 200, NULL);
	assert_int_equal(h->cancelled, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, house_set_up, house_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_list_comes_whole_however_long_it_is),
		TEST(a_client_that_leaves_ends_its_list),
		TEST(a_list_that_cannot_be_made_has_no_end),
		TEST(head_tells_no_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
