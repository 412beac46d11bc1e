/* SPDX-License-Identifier: MIT */
#include "house.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define END "\r\nHost: x\r\n\r\n"

static void answers_json_on_a_unix_socket(void **state)
{
	struct house *h = *state;
	struct client c;
	struct answer a;

	house_open(h);
	house_connect(h, &c);
	client_send(&c, "GET /v1/status HTTP/1.1" END);
	house_receive(h, &c, false, &a);
	assert_int_equal(a.status, 200);
	assert_string_equal(a.body, "{\"mappings\":3}");
	assert_string_equal(answer_header(&a, "Content-Type"), "application/json");
	assert_string_equal(answer_header(&a, "Content-Length"), "14");
	assert_false(c.closed);
	answer_done(&a);
	client_done(&c);
}

static void head_is_get_without_the_body(void **state)
{
	struct house *h = *state;
	struct client c;
	struct answer a;

	house_open(h);
	house_connect(h, &c);
	client_send(&c, "HEAD /v1/status HTTP/1.1" END "GET /v1/status HTTP/1.1" END);
	house_receive(h, &c, true, &a);
	assert_int_equal(a.status, 200);
	assert_string_equal(answer_header(&a, "Content-Length"), "14");
	assert_int_equal(a.len, 0);
	answer_done(&a);
	house_receive(h, &c, false, &a);
	assert_string_equal(a.body, "{\"mappings\":3}");
	answer_done(&a);
	client_done(&c);
}

static void a_handler_sees_path_parts_and_query_decoded(void **state)
{
	struct house *h = *state;

	house_open(h);
	house_expect(h, "GET /v1/mappings/m1?since=a%20b&x= HTTP/1.1" END, 200, NULL);
	assert_string_equal(h->seen, "/v1/mappings/m1|m1|a b");
	house_expect(h, "GET /v1/mappings/a%2Fb HTTP/1.1" END, 200, NULL);
	assert_string_equal(h->seen, "/v1/mappings/a%2Fb|a/b|-");
	house_expect(h, "GET /v1/mappings/m1?since HTTP/1.1" END, 400, "bad-request");
}

static void a_handler_knows_who_asks(void **state)
{
	struct house *h = *state;

	house_open(h);
	house_expect(h, "GET /v1/status HTTP/1.1" END, 200, NULL);
	assert_true(h->peer.local);
	assert_int_equal(h->peer.pid, getpid());
	assert_int_equal(h->peer.uid, getuid());
	assert_int_equal(h->peer.gid, getgid());
	assert_true(strlen(h->peer.user) > 0);
}

static void an_unknown_path_is_404(void **state)
{
	struct house *h = *state;

	house_open(h);
	house_expect(h, "GET / HTTP/1.1" END, 404, "not-found");
	house_expect(h, "GET /v1/status/ HTTP/1.1" END, 404, "not-found");
	house_expect(h, "GET /v1/mappings/a/b HTTP/1.1" END, 404, "not-found");
	house_expect(h, "GET /v1/mappings/%00 HTTP/1.1" END, 404, "not-found");
	house_expect(h, "PATCH /v2 HTTP/1.1" END, 404, "not-found");
}

static void another_method_is_405_with_those_allowed(void **state)
{
	struct house *h = *state;
	struct client c;
	struct answer a;

	house_open(h);
	house_connect(h, &c);
	client_send(&c, "PUT /v1/mappings/m1 HTTP/1.1\r\nContent-Length: 0" END);
	house_receive(h, &c, false, &a);
	assert_int_equal(a.status, 405);
	assert_string_equal(answer_header(&a, "Allow"), "GET, HEAD, DELETE");
	answer_done(&a);
	client_done(&c);
	house_expect(h, "OPTIONS /v1/status HTTP/1.1" END, 405, "method-not-allowed");
	house_expect(h, "TRACE /v1/status HTTP/1.1" END, 405, "method-not-allowed");
	house_expect(h, "HEAD /v1/mappings HTTP/1.1" END, 405, NULL);
}

static void a_body_must_be_a_json_object(void **state)
{
	struct house *h = *state;

	house_open(h);
	house_expect(h, "POST /v1/mappings HTTP/1.1\r\nContent-Length: 7" END "{\"a\":1}", 201,
		     NULL);
	house_expect(h, "POST /v1/mappings HTTP/1.1\r\nContent-Length: 6" END "{\"a\":1", 400,
		     "bad-request");
	house_expect(h, "POST /v1/mappings HTTP/1.1\r\nContent-Length: 2" END "[]", 400,
		     "bad-request");
	house_expect(h, "POST /v1/mappings HTTP/1.1\r\nContent-Length: 0" END, 400, "bad-request");
	house_expect(h, "POST /v1/mappings HTTP/1.1\r\nTransfer-Encoding: chunked" END
		     "7\r\n{\"a\":1}\r\n0\r\n\r\n", 201, NULL);
}

static void deep_json_is_refused_and_not_followed(void **state)
{
	static char request[70000];
	struct house *h = *state;
	int used;

	house_open(h);
	used = snprintf(request, sizeof(request),
			"POST /v1/mappings HTTP/1.1\r\nContent-Length: 60000" END);
	memset(request + used, '[', 60000);
	house_expect(h, request, 400, "bad-request");
}

static void errors_of_ours_have_a_fitting_status(void **state)
{
	static const struct {
		struct tenf_error error;
		int status;
		const char *code;
	} errors[] = {
		{ { .status = TENF_E_ARGUMENT }, 400, "argument" },
		{ { .status = TENF_E_MALFORMED }, 400, "bad-request" },
		{ { .status = TENF_E_NOT_FOUND }, 404, "not-found" },
		{ { .status = TENF_E_LIMIT, .reason = TENF_REASON_SYSTEM }, 429, "limit" },
		{ { .status = TENF_E_AGAIN }, 503, "busy" },
		{ { .status = TENF_E_MEMORY }, 500, "system" },
		{ { .reason = TENF_REASON_REFUSED }, 403, "refused" },
		{ { .reason = TENF_REASON_OTHER_PORT }, 409, "other-port" },
		{ { .reason = TENF_REASON_NO_SERVICE }, 502, "no-service" },
		{ { .reason = TENF_REASON_RESOURCES }, 503, "resources" },
		{ { .reason = TENF_REASON_SILENT }, 504, "silent" },
	};
	struct house *h = *state;

	house_open(h);
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		h->error = errors[i].error;
		house_expect(h, "GET /v1/failing HTTP/1.1" END, errors[i].status, errors[i].code);
	}
}

static void what_a_handler_cannot_answer_is_500(void **state)
{
	struct house *h = *state;

	house_open(h);
	house_expect(h, "GET /v1/poor HTTP/1.1" END, 500, "system");
	house_expect(h, "GET /v1/forgotten HTTP/1.1" END, 500, "system");
	house_expect(h, "DELETE /v1/mappings/m1 HTTP/1.1" END, 204, NULL);
}

/* A body of `len` octets of spaces around an object. */
static void post_body_of(struct house *h, size_t len, int status, const char *code)
{
	char *request = malloc(len + 200);
	int used = snprintf(request, 200,
			    "POST /v1/mappings HTTP/1.1\r\nContent-Length: %zu" END "{}", len);

	memset(request + used, ' ', len - 2);
	request[(size_t)used + len - 2] = '\0';
	house_expect(h, request, status, code);
	free(request);
}

static void a_body_above_its_limit_is_413(void **state)
{
	struct house *h = *state;

	house_open(h);
	post_body_of(h, CONTROL_BODY_MAX, 201, NULL);
	post_body_of(h, CONTROL_BODY_MAX + 1, 413, "too-large");
	/* Not even read: libevent's own answer. */
	house_expect(h, "POST /v1/mappings HTTP/1.1\r\nContent-Length: 99999999" END, 413, NULL);
	house_expect(h, "GET /v1/status HTTP/1.1" END, 200, NULL);
}

static void headers_above_their_limit_are_400(void **state)
{
	static char request[2 * CONTROL_HEADERS_MAX];
	struct house *h = *state;
	int used;

	house_open(h);
	used = snprintf(request, sizeof(request), "GET /v1/status HTTP/1.1\r\nX: ");
	memset(request + used, 'x', CONTROL_HEADERS_MAX);
	house_expect(h, request, 400, NULL);
	used = snprintf(request, sizeof(request), "GET /");
	memset(request + used, 'x', CONTROL_HEADERS_MAX);
	house_expect(h, request, 400, NULL);
}

static void a_connection_is_kept_and_takes_a_pipeline(void **state)
{
	struct house *h = *state;
	struct client c;
	struct answer a;

	house_open(h);
	house_connect(h, &c);
	for (int i = 0; i < 50; i++)
		client_send(&c, "GET /v1/mappings/m1 HTTP/1.1" END);
	for (int i = 0; i < 50; i++) {
		house_receive(h, &c, false, &a);
		assert_string_equal(a.body, "{\"id\":\"m1\"}");
		answer_done(&a);
	}
	client_send(&c, "GET /v1/status HTTP/1.1\r\nConnection: close" END);
	house_receive(h, &c, false, &a);
	assert_int_equal(a.status, 200);
	answer_done(&a);
	house_turn(h, &c);
	assert_true(c.closed);
	client_done(&c);
}

static void http_1_0_is_answered_and_closed(void **state)
{
	struct house *h = *state;
	struct client c;
	struct answer a;

	house_open(h);
	house_connect(h, &c);
	client_send(&c, "GET /v1/status HTTP/1.0\r\n\r\n");
	house_receive(h, &c, false, &a);
	assert_int_equal(a.status, 200);
	assert_string_equal(a.body, "{\"mappings\":3}");
	house_turn(h, &c);
	assert_true(c.closed);
	answer_done(&a);
	client_done(&c);
}

static void what_is_no_http_is_refused(void **state)
{
	static const char *const noise[] = {
		"\r\n\r\n", "GET\r\n\r\n", "hello world\r\n\r\n", "GET /v1/status HTTP/9.9" END,
		"BREW /v1/status HTTP/1.1" END, "GET /v1/status HTTP/1.1\r\nno colon\r\n\r\n",
		"POST /v1/mappings HTTP/1.1\r\nContent-Length: -5" END,
		"POST /v1/mappings HTTP/1.1\r\nContent-Length: many" END,
		"\x16\x03\x01\x02\x05\x01\r\n\r\n",
	};
	struct house *h = *state;

	house_open(h);
	for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++) {
		struct client c;
		struct answer a;

		house_connect(h, &c);
		client_send(&c, noise[i]);
		house_receive(h, &c, false, &a);
		assert_true(a.status >= 400);
		answer_done(&a);
		client_done(&c);
	}
	house_expect(h, "GET /v1/status HTTP/1.1" END, 200, NULL);
}

static void a_large_answer_arrives_whole(void **state)
{
	struct house *h = *state;
	struct client c;
	struct answer a;
	json_t *body;

	house_open(h);
	house_connect(h, &c);
	client_send(&c, "GET /v1/large HTTP/1.1" END);
	house_receive(h, &c, false, &a);
	body = json_loadb(a.body, a.len, 0, NULL);
	assert_int_equal(json_array_size(body), 200000);
	json_decref(body);
	answer_done(&a);
	client_done(&c);
}

static void a_client_that_closes_its_side_is_answered(void **state)
{
	struct house *h = *state;
	struct client c;
	struct answer a;

	house_open(h);
	house_connect(h, &c);
	client_send(&c, "GET /v1/status HTTP/1.1" END);
	assert_int_equal(shutdown(c.fd, SHUT_WR), 0);
	house_receive(h, &c, false, &a);
	assert_int_equal(a.status, 200);
	answer_done(&a);
	client_done(&c);
}

static void an_answer_may_come_later(void **state)
{
	struct house *h = *state;
	struct client c;
	struct answer a;

	house_open(h);
	house_connect(h, &c);
	client_send(&c, "POST /v1/later HTTP/1.1\r\nContent-Length: 0" END);
	house_turn(h, &c);
	assert_non_null(h->held);
	assert_int_equal(c.len, 0);
	house_expect(h, "GET /v1/status HTTP/1.1" END, 200, NULL); /* others go on */
	control_answer_json(h->held, 200, json_pack("{sb}", "done", 1));
	house_receive(h, &c, false, &a);
	assert_string_equal(a.body, "{\"done\":true}");
	answer_done(&a);
	client_send(&c, "GET /v1/status HTTP/1.1" END);
	house_receive(h, &c, false, &a);
	assert_int_equal(a.status, 200);
	answer_done(&a);
	client_done(&c);
	assert_int_equal(h->cancelled, 0);
}

static void a_client_that_leaves_cancels_its_deferred_request(void **state)
{
	struct house *h = *state;
	struct client c;

	house_open(h);
	house_connect(h, &c);
	client_send(&c, "POST /v1/later HTTP/1.1\r\nContent-Length: 0" END);
	house_turn(h, &c);
	assert_non_null(h->held);
	client_done(&c);
	house_turn(h, NULL);
	assert_null(h->held);
	assert_int_equal(h->cancelled, 1);
	house_expect(h, "GET /v1/status HTTP/1.1" END, 200, NULL);
}

/* libevent must not read, let alone understand, while a request is worked on. */
static void a_client_that_talks_on_while_it_waits_is_left_waiting(void **state)
{
	static char noise[150000];
	struct house *h = *state;
	struct client c;

	house_open(h);
	house_connect(h, &c);
	client_send(&c, "POST /v1/later HTTP/1.1\r\nContent-Length: 0" END);
	house_turn(h, &c);
	memset(noise, 'x', sizeof(noise));
	assert_int_equal(send(c.fd, noise, sizeof(noise), MSG_DONTWAIT), sizeof(noise));
	house_turn(h, &c);
	assert_non_null(h->held);
	control_answer_done(h->held);
	house_turn(h, &c);
	client_done(&c);
	house_expect(h, "GET /v1/status HTTP/1.1" END, 200, NULL);
}

static void a_server_that_ends_cancels_what_is_deferred(void **state)
{
	struct house *h = *state;
	struct client c;

	house_open(h);
	house_connect(h, &c);
	client_send(&c, "POST /v1/later HTTP/1.1\r\nContent-Length: 0" END);
	house_turn(h, &c);
	control_server_free(h->server);
	h->server = NULL;
	assert_int_equal(h->cancelled, 1);
	assert_int_equal(access(h->path, F_OK), -1);
	client_done(&c);
}

static void clients_above_the_limit_are_told_so(void **state)
{
	struct client clients[CONTROL_CONNECTIONS_MAX + 1];
	struct house *h = *state;
	struct answer a;

	house_open(h);
	for (size_t i = 0; i <= CONTROL_CONNECTIONS_MAX; i++) {
		house_connect(h, &clients[i]);
		house_turn(h, NULL);
	}
	for (size_t i = 0; i <= CONTROL_CONNECTIONS_MAX; i++) {
		client_send(&clients[i], "GET /v1/status HTTP/1.1" END);
		house_receive(h, &clients[i], false, &a);
		assert_int_equal(a.status, i < CONTROL_CONNECTIONS_MAX ? 200 : 503);
		answer_done(&a);
	}
	client_done(&clients[0]);
	house_turn(h, NULL);
	house_expect(h, "GET /v1/status HTTP/1.1" END, 200, NULL);
	for (size_t i = 1; i <= CONTROL_CONNECTIONS_MAX; i++)
		client_done(&clients[i]);
}

static void a_flood_of_clients_waits_in_the_kernel_and_is_served_later(void **state)
{
	enum { SLOTS = CONTROL_CONNECTIONS_MAX + CONTROL_TURNED_AWAY_MAX };
	struct client clients[SLOTS + 8];
	struct house *h = *state;
	struct answer a;

	house_open(h);
	for (size_t i = 0; i < SLOTS + 8; i++) {
		house_connect(h, &clients[i]);
		house_turn(h, NULL);
	}
	client_send(&clients[SLOTS], "GET /v1/status HTTP/1.1" END);
	house_turn(h, &clients[SLOTS]);
	assert_int_equal(clients[SLOTS].len, 0);
	assert_false(clients[SLOTS].closed);
	for (size_t i = 0; i < SLOTS; i++)
		client_done(&clients[i]);
	house_turn(h, NULL);
	while (clients[SLOTS].len == 0) {
		house_wait(h);
		house_turn(h, &clients[SLOTS]);
	}
	house_receive(h, &clients[SLOTS], false, &a);
	assert_int_equal(a.status, 200);
	answer_done(&a);
	for (size_t i = SLOTS; i < SLOTS + 8; i++)
		client_done(&clients[i]);
}

static void tcp_wants_the_token(void **state)
{
	static const struct {
		const char *request;
		int status;
	} tries[] = {
		{ "GET /v1/status HTTP/1.1" END, 401 },
		{ "GET /v1/nothing HTTP/1.1" END, 401 },
		{ "GET /v1/status HTTP/1.1\r\nAuthorization: Bearer wrong" END, 401 },
		{ "GET /v1/status HTTP/1.1\r\nAuthorization: Bearer secre" END, 401 },
		{ "GET /v1/status HTTP/1.1\r\nAuthorization: Bearer secret2" END, 401 },
		{ "GET /v1/status HTTP/1.1\r\nAuthorization: Bearer " END, 401 },
		{ "GET /v1/status HTTP/1.1\r\nAuthorization: Basic secret" END, 401 },
		{ "GET /v1/status HTTP/1.1\r\nAuthorization: Bearer secret" END, 200 },
	};
	struct house *h = *state;

	h->options.tcp = "127.0.0.1";
	h->options.token = "secret";
	house_open(h);
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		struct client c;
		struct answer a;

		house_connect_tcp(h, &c);
		client_send(&c, tries[i].request);
		house_receive(h, &c, false, &a);
		assert_int_equal(a.status, tries[i].status);
		answer_done(&a);
		client_done(&c);
	}
	assert_false(h->peer.local);
	house_expect(h, "GET /v1/status HTTP/1.1" END, 200, NULL); /* without, by socket */
}

static void tcp_without_a_token_is_not_opened(void **state)
{
	struct house *h = *state;
	struct tenf_error error;

	h->options.tcp = "127.0.0.1";
	assert_int_equal(control_server_new(h->base, &h->options, NULL, 0, NULL, &h->server,
					    &error), TENF_E_ARGUMENT);
	assert_string_equal(error.text, "listening on 127.0.0.1 needs a token");
	assert_int_equal(access(h->path, F_OK), -1);
}

static void nowhere_to_listen_is_an_error(void **state)
{
	struct house *h = *state;
	struct tenf_error error;

	h->options.path = NULL;
	assert_int_equal(control_server_new(h->base, &h->options, NULL, 0, NULL, &h->server,
					    &error), TENF_E_ARGUMENT);
	assert_string_equal(error.text, "nowhere to listen");
}

static void a_silent_connection_is_closed_after_a_while(void **state)
{
	struct house *h = *state;
	struct client c;

	h->options.idle_s = 1;
	house_open(h);
	house_connect(h, &c);
	client_send(&c, "GET /v1/st");
	while (!c.closed) {
		house_wait(h); /* until evhttp's own timer */
		house_turn(h, &c);
	}
	assert_int_equal(c.len, 0);
	client_done(&c);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, house_set_up, house_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(answers_json_on_a_unix_socket),
		TEST(head_is_get_without_the_body),
		TEST(a_handler_sees_path_parts_and_query_decoded),
		TEST(a_handler_knows_who_asks),
		TEST(an_unknown_path_is_404),
		TEST(another_method_is_405_with_those_allowed),
		TEST(a_body_must_be_a_json_object),
		TEST(deep_json_is_refused_and_not_followed),
		TEST(errors_of_ours_have_a_fitting_status),
		TEST(what_a_handler_cannot_answer_is_500),
		TEST(a_body_above_its_limit_is_413),
		TEST(headers_above_their_limit_are_400),
		TEST(a_connection_is_kept_and_takes_a_pipeline),
		TEST(http_1_0_is_answered_and_closed),
		TEST(what_is_no_http_is_refused),
		TEST(a_large_answer_arrives_whole),
		TEST(a_client_that_closes_its_side_is_answered),
		TEST(an_answer_may_come_later),
		TEST(a_client_that_leaves_cancels_its_deferred_request),
		TEST(a_client_that_talks_on_while_it_waits_is_left_waiting),
		TEST(a_server_that_ends_cancels_what_is_deferred),
		TEST(clients_above_the_limit_are_told_so),
		TEST(a_flood_of_clients_waits_in_the_kernel_and_is_served_later),
		TEST(tcp_wants_the_token),
		TEST(tcp_without_a_token_is_not_opened),
		TEST(nowhere_to_listen_is_an_error),
		TEST(a_silent_connection_is_closed_after_a_while),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
