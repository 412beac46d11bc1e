/* SPDX-License-Identifier: MIT */
#include "house.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define END "\r\nHost: x\r\n\r\n"

static void publish(struct house *h, int number)
{
	json_t *data = json_pack("{si}", "n", number);

	assert_int_equal(control_stream_publish(h->stream, "mapped", data), TENF_OK);
}

static void listen_to(struct house *h, const char *request, struct client *ret)
{
	house_connect(h, ret);
	client_send(ret, request);
	house_turn(h, ret);
}

static unsigned count_of(const struct client *c, const char *what)
{
	unsigned count = 0;

	for (const char *at = strstr(c->data, what); at != NULL; at = strstr(at + 1, what))
		count++;
	return count;
}

static void events_arrive_as_they_happen(void **state)
{
	struct house *h = *state;
	struct client c;

	house_open(h);
	publish(h, 1); /* before: not for this one */
	listen_to(h, "GET /v1/events HTTP/1.1" END, &c);
	assert_non_null(strstr(c.data, "HTTP/1.1 200 OK"));
	assert_non_null(strstr(c.data, "Content-Type: text/event-stream"));
	assert_int_equal(control_stream_listeners(h->stream), 1);
	publish(h, 2);
	house_turn(h, &c);
	assert_non_null(strstr(c.data, "id: 2\nevent: mapped\ndata: {\"n\":2}\n\n"));
	assert_null(strstr(c.data, "{\"n\":1}"));
	client_done(&c);
	house_turn(h, NULL);
	assert_int_equal(control_stream_listeners(h->stream), 0);
}

static void a_line_break_in_a_text_does_not_end_the_event(void **state)
{
	struct house *h = *state;
	struct client c;

	house_open(h);
	listen_to(h, "GET /v1/events HTTP/1.1" END, &c);
	assert_int_equal(control_stream_publish(h->stream, "lost",
						json_pack("{ss}", "t", "a\n\nid: 9\r")), TENF_OK);
	house_turn(h, &c);
	assert_non_null(strstr(c.data, "data: {\"t\":\"a\\n\\nid: 9\\r\"}\n\n"));
	client_done(&c);
}

static void a_client_goes_on_behind_the_event_it_saw_last(void **state)
{
	static const char *const requests[] = {
		"GET /v1/events HTTP/1.1\r\nLast-Event-ID: 3" END,
		"GET /v1/events?since=3 HTTP/1.1" END,
	};
	struct house *h = *state;

	house_open(h);
	for (int i = 1; i <= 5; i++)
		publish(h, i);
	for (size_t i = 0; i < 2; i++) {
		struct client c;

		listen_to(h, requests[i], &c);
		assert_int_equal(count_of(&c, "id: "), 2);
		assert_non_null(strstr(c.data, "id: 4\n"));
		assert_non_null(strstr(c.data, "id: 5\n"));
		client_done(&c);
	}
}

static void the_newest_id_misses_nothing(void **state)
{
	struct house *h = *state;
	struct client c;

	house_open(h);
	publish(h, 1);
	listen_to(h, "GET /v1/events?since=1 HTTP/1.1" END, &c);
	assert_int_equal(count_of(&c, "id: "), 0);
	client_done(&c);
}

/* A daemon that was started again, or an id that fell out of the ring. */
static void an_id_of_another_time_gets_all_there_is(void **state)
{
	static const char *const requests[] = {
		"GET /v1/events?since=999999 HTTP/1.1" END,
		"GET /v1/events?since=1 HTTP/1.1" END,
		"GET /v1/events?since=0 HTTP/1.1" END,
	};
	struct house *h = *state;

	house_open(h);
	for (int i = 1; i <= CONTROL_RING_MAX + 10; i++)
		publish(h, i);
	for (size_t i = 0; i < 3; i++) {
		struct client c;

		listen_to(h, requests[i], &c);
		assert_int_equal(count_of(&c, "id: "), CONTROL_RING_MAX);
		assert_null(strstr(c.data, "id: 10\n"));
		assert_non_null(strstr(c.data, "id: 11\n"));
		client_done(&c);
	}
}

static void events_that_were_passed_over_leave_a_gap_in_the_ids(void **state)
{
	struct house *h = *state;
	struct client c;

	house_open(h);
	publish(h, 1);
	control_stream_skip(h->stream, 0);
	publish(h, 2);
	control_stream_skip(h->stream, 1000);
	publish(h, 3);
	listen_to(h, "GET /v1/events?since=2 HTTP/1.1" END, &c);
	assert_int_equal(count_of(&c, "id: "), 1);
	assert_non_null(strstr(c.data, "id: 1003\n"));
	client_done(&c);
}

static void an_id_that_is_no_number_is_400(void **state)
{
	struct house *h = *state;

	house_open(h);
	house_expect(h, "GET /v1/events?since=x HTTP/1.1" END, 400, "bad-request");
	house_expect(h, "GET /v1/events HTTP/1.1\r\nLast-Event-ID: -1" END, 400, "bad-request");
	house_expect(h, "HEAD /v1/events HTTP/1.1" END, 200, NULL);
}

static void a_client_that_does_not_read_is_dropped(void **state)
{
	struct house *h = *state;
	struct client slow, quick;
	char *text = malloc(65537);
	unsigned published = 0;

	memset(text, 'x', 65536);
	text[65536] = '\0';
	house_open(h);
	listen_to(h, "GET /v1/events HTTP/1.1" END, &slow);
	listen_to(h, "GET /v1/events HTTP/1.1" END, &quick);
	while (control_stream_dropped(h->stream) == 0) {
		assert_int_equal(control_stream_publish(h->stream, "lost",
							json_pack("{ss}", "t", text)), TENF_OK);
		house_turn(h, &quick);
		quick.len = 0;
		assert_true(++published < 100); /* what lies unread is bounded */
	}
	assert_int_equal(control_stream_listeners(h->stream), 1);
	assert_false(quick.closed);
	publish(h, 7);
	house_turn(h, &quick);
	assert_non_null(strstr(quick.data, "{\"n\":7}"));
	free(text);
	client_done(&slow);
	client_done(&quick);
}

/* What a client says on a stream is not read for ever. */
static void a_client_that_talks_on_its_stream_does_not_fill_memory(void **state)
{
	static char noise[65536];
	struct house *h = *state;
	struct client c;
	size_t sent = 0;

	house_open(h);
	listen_to(h, "GET /v1/events HTTP/1.1" END, &c);
	memset(noise, 'x', sizeof(noise));
	for (int i = 0; i < 200; i++) {
		ssize_t got = send(c.fd, noise, sizeof(noise), MSG_DONTWAIT | MSG_NOSIGNAL);

		sent += got > 0 ? (size_t)got : 0;
		house_turn(h, &c);
	}
	assert_true(sent < 2097152);
	publish(h, 1);
	house_turn(h, &c);
	assert_non_null(strstr(c.data, "{\"n\":1}"));
	client_done(&c);
}

static void more_listeners_than_the_limit_are_told_so(void **state)
{
	struct client clients[CONTROL_LISTENERS_MAX];
	struct house *h = *state;

	house_open(h);
	for (size_t i = 0; i < CONTROL_LISTENERS_MAX; i++)
		listen_to(h, "GET /v1/events HTTP/1.1" END, &clients[i]);
	assert_int_equal(control_stream_listeners(h->stream), CONTROL_LISTENERS_MAX);
	house_expect(h, "GET /v1/events HTTP/1.1" END, 503, "busy");
	house_expect(h, "GET /v1/status HTTP/1.1" END, 200, NULL);
	for (size_t i = 0; i < CONTROL_LISTENERS_MAX; i++)
		client_done(&clients[i]);
}

/* The time-out is for clients that owe a request, not for those that wait. */
static void listening_and_waiting_clients_may_be_silent(void **state)
{
	struct house *h = *state;
	struct client listening, waiting, idle;

	h->options.idle_s = 1;
	house_open(h);
	listen_to(h, "GET /v1/events HTTP/1.1" END, &listening);
	listen_to(h, "POST /v1/later HTTP/1.1\r\nContent-Length: 0" END, &waiting);
	house_connect(h, &idle);
	while (!idle.closed) {
		house_wait(h); /* until evhttp's own timer */
		house_turn(h, &idle);
	}
	house_turn(h, &listening);
	house_turn(h, &waiting);
	assert_false(listening.closed);
	assert_false(waiting.closed);
	assert_non_null(h->held);
	control_answer_done(h->held);
	client_done(&listening);
	client_done(&waiting);
	client_done(&idle);
}

static void a_heartbeat_is_a_comment(void **state)
{
	struct house *h = *state;
	struct client c;

	house_open(h);
	listen_to(h, "GET /v1/events HTTP/1.1" END, &c);
	control_stream_beat(h->stream);
	house_turn(h, &c);
	assert_non_null(strstr(c.data, "\r\n:\n\n\r\n"));
	client_done(&c);
}

static void a_stream_that_ends_ends_its_answers(void **state)
{
	struct house *h = *state;
	struct client c;

	house_open(h);
	listen_to(h, "GET /v1/events HTTP/1.1" END, &c);
	control_stream_free(h->stream);
	h->stream = NULL;
	house_turn(h, &c);
	assert_non_null(strstr(c.data, "\r\n0\r\n\r\n"));
	client_done(&c);
}

static void a_server_that_goes_first_leaves_a_stream_without_listeners(void **state)
{
	struct house *h = *state;
	struct client c;

	house_open(h);
	listen_to(h, "GET /v1/events HTTP/1.1" END, &c);
	control_server_free(h->server);
	h->server = NULL;
	assert_int_equal(control_stream_listeners(h->stream), 0);
	publish(h, 1);
	client_done(&c);
}

static void an_event_without_data_is_not_published(void **state)
{
	struct house *h = *state;
	struct client c;

	house_open(h);
	assert_int_equal(control_stream_publish(h->stream, "lost", NULL), TENF_E_MEMORY);
	listen_to(h, "GET /v1/events?since=0 HTTP/1.1" END, &c);
	assert_int_equal(count_of(&c, "id: "), 0);
	client_done(&c);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, house_set_up, house_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(events_arrive_as_they_happen),
		TEST(a_line_break_in_a_text_does_not_end_the_event),
		TEST(a_client_goes_on_behind_the_event_it_saw_last),
		TEST(the_newest_id_misses_nothing),
		TEST(an_id_of_another_time_gets_all_there_is),
		TEST(events_that_were_passed_over_leave_a_gap_in_the_ids),
		TEST(an_id_that_is_no_number_is_400),
		TEST(a_client_that_does_not_read_is_dropped),
		TEST(a_client_that_talks_on_its_stream_does_not_fill_memory),
		TEST(more_listeners_than_the_limit_are_told_so),
		TEST(listening_and_waiting_clients_may_be_silent),
		TEST(a_heartbeat_is_a_comment),
		TEST(a_stream_that_ends_ends_its_answers),
		TEST(a_server_that_goes_first_leaves_a_stream_without_listeners),
		TEST(an_event_without_data_is_not_published),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
