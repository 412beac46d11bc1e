/* SPDX-License-Identifier: MIT */
/* Each case for each kind of application. */
#include "agent/connector.h"

#include "applications.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct stage {
	struct event_base *base;
	struct deliveries *deliveries;
	struct application app;
	struct config_connector connector;
	struct agent_config config;
};

static const enum connector_type types[] = { CONNECTOR_QBITTORRENT, CONNECTOR_TRANSMISSION,
					     CONNECTOR_DELUGE };

static void set_stage(struct stage *s, enum connector_type type)
{
	*s = (struct stage){ .base = event_base_new() };
	s->app = (struct application){ .port = 6881, .port_last = 6891, .session = 100 };
	s->connector = (struct config_connector){ .type = type,
						  .mapping = "torrent",
						  .user = "user",
						  .password = "pass word&x" };
	s->config.connectors = &s->connector;
	s->config.connector_count = 1;
}

static void begin(struct stage *s)
{
	snprintf(s->connector.url, sizeof(s->connector.url), "%s/", s->app.fake.url);
	assert_int_equal(deliveries_new(s->base, NULL, &s->config, &s->deliveries), TENF_OK);
	deliveries_set_pace(s->deliveries, 10 * TENF_MILLISECOND, 10 * TENF_MILLISECOND);
}

static void set_and_begin(struct stage *s, enum connector_type type)
{
	set_stage(s, type);
	application_start(&s->app, s->base, type, 0);
	begin(s);
}

static void clear(struct stage *s)
{
	deliveries_free(s->deliveries);
	application_stop(&s->app);
	event_base_free(s->base);
}

static void tell(struct stage *s, uint16_t port)
{
	struct tenf_event event = event_of(TENF_EVENT_MAPPED, TENF_TCP, 51413, port);

	deliveries_tell(s->deliveries, 1, "torrent", &event, NULL);
}

struct expectation {
	struct stage *stage;
	const char *state;
	unsigned port; /* 0: any */
};

static bool is_met(void *context)
{
	const struct expectation *e = context;

	return (e->port == 0 || e->stage->app.port == e->port) &&
	       strcmp(state_of(e->stage->deliveries, 1, NULL), e->state) == 0;
}

static void expect(struct stage *s, const char *state, unsigned port)
{
	struct expectation e = { s, state, port };

	if (!loop_until(s->base, is_met, &e))
		fail_msg("%s has port %u and is %s, not %s: %s", s->connector.url, s->app.port,
			 state_of(s->deliveries, 1, NULL), state, error_of(s->deliveries, 1, ""));
}

static void expect_error(struct stage *s, const char *part)
{
	const char *error;

	expect(s, "failed", 0);
	error = error_of(s->deliveries, 1, "");
	if (strstr(error, part) == NULL)
		fail_msg("%s: \"%s\" instead of \"%s\"", connector_type_name(s->app.type), error,
			 part);
}

static void signs_in_sets_the_port_and_reads_it_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(types); i++) {
		struct stage s;

		set_and_begin(&s, types[i]);
		s.app.disconnected = true;
		tell(&s, 4711);
		expect(&s, "confirmed", 4711);
		assert_int_equal(s.app.sign_ins, 1);
		tell(&s, 4712);
		expect(&s, "confirmed", 4712);
		assert_int_equal(s.app.sign_ins, 1); /* the session is kept */
		clear(&s);
	}
}

static void an_application_that_asks_nobody_needs_no_user(void **state)
{
	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(types); i++) {
		struct stage s;

		set_stage(&s, types[i]);
		s.connector.user[0] = s.connector.password[0] = '\0';
		s.app.open = true;
		application_start(&s.app, s.base, types[i], 0);
		begin(&s);
		tell(&s, 4711);
		expect(&s, "confirmed", 4711);
		clear(&s);
	}
}

static void a_port_the_application_forgot_is_set_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(types); i++) {
		struct stage s;

		set_and_begin(&s, types[i]);
		tell(&s, 4711);
		expect(&s, "confirmed", 4711);
		s.app.port = 6881;
		expect(&s, "confirmed", 4711);
		s.app.random_port = true; /* the same now, another after a restart */
		while (s.app.random_port)
			event_base_loop(s.base, EVLOOP_ONCE);
		clear(&s);
	}
}

static void a_restarted_application_is_signed_in_to_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(types); i++) {
		struct stage s;
		uint16_t port;

		set_and_begin(&s, types[i]);
		tell(&s, 4711);
		expect(&s, "confirmed", 4711);
		port = s.app.fake.port;
		application_stop(&s.app);
		expect(&s, "failed", 0);
		s.app.port = 6881;
		s.app.disconnected = true;
		application_start(&s.app, s.base, types[i], port);
		expect(&s, "confirmed", 4711);
		assert_int_equal(s.app.sign_ins, 2);
		clear(&s);
	}
}

static void one_that_is_not_there_is_told_when_it_comes(void **state)
{
	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(types); i++) {
		struct stage s;
		uint16_t port;

		set_and_begin(&s, types[i]);
		port = s.app.fake.port;
		application_stop(&s.app);
		tell(&s, 4711);
		expect_error(&s, "Failed to connect");
		application_start(&s.app, s.base, types[i], port);
		expect(&s, "confirmed", 4711);
		clear(&s);
	}
}

static void a_wrong_password_is_said_so(void **state)
{
	static const char *const errors[] = { "does not know this user and password",
					      "does not take this user and password",
					      "does not know this password" };

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(types); i++) {
		struct stage s;

		set_stage(&s, types[i]);
		snprintf(s.connector.password, sizeof(s.connector.password), "wrong");
		application_start(&s.app, s.base, types[i], 0);
		begin(&s);
		tell(&s, 4711);
		expect_error(&s, errors[i]);
		clear(&s);
	}
}

static void only_what_was_read_back_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(types); i++) {
		struct stage s;

		set_and_begin(&s, types[i]);
		s.app.stubborn = true;
		s.app.port_last = s.app.port;
		tell(&s, 4711);
		expect_error(&s, "was told port 4711 and still has 6881");
		clear(&s);
	}
}

static void only_the_tcp_half_of_a_pair_is_told(void **state)
{
	struct tenf_event event = event_of(TENF_EVENT_MAPPED, TENF_UDP, 51413, 4711);
	struct stage s;

	(void)state;
	set_and_begin(&s, CONNECTOR_QBITTORRENT);
	event.mapping.pair = 2;
	deliveries_tell(s.deliveries, 1, "torrent", &event, NULL);
	event.mapping.protocol = TENF_TCP;
	deliveries_tell(s.deliveries, 2, "other", &event, NULL);
	event.kind = TENF_EVENT_LOST;
	deliveries_tell(s.deliveries, 1, "torrent", &event, NULL);
	assert_null(deliveries_state(s.deliveries, 1));
	assert_null(deliveries_state(s.deliveries, 2));
	clear(&s);
}

struct hostile_case {
	int status;
	const char *body;
};

static const struct hostile_case hostile[] = {
	{ 200, "" },
	{ 200, "{" },
	{ 200, "[]" },
	{ 200, "{}" },
	{ 200, "null" },
	{ 200, "{\"listen_port\": \"4711\"}" },
	{ 200, "{\"listen_port\": 99999999999999999999}" },
	{ 200, "{\"listen_port\": 4711.0}" },
	{ 200, "{\"result\": \"success\"}" },
	{ 200, "{\"result\": \"success\", \"arguments\": []}" },
	{ 200, "{\"result\": 7, \"arguments\": {\"peer-port\": 4711}}" },
	{ 200, "{\"result\": \"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
	       "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
	       "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
	       "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
	       "x\xc3\xa4\xc3\xa4\xc3\xa4\"}" },
	{ 200, "{\"result\": {\"listen_ports\": [\"a\"]}}" },
	{ 200, "{\"result\": {\"listen_ports\": 4711}}" },
	{ 200, "{\"result\": null, \"error\": {\"code\": 1}}" },
	{ 200, "{\"result\": null, \"error\": {\"code\": 2, \"message\": 3}}" },
	{ 200, "{\"result\": true, \"error\": \"x\"}" },
	{ 204, "" },
	{ 301, "" },
	{ 401, "" },
	{ 403, "" },
	{ 404, "{\"listen_port\": 4711}" },
	{ 409, "" },
	{ 500, "<html>" },
};

static void nonsense_is_an_error_and_nothing_worse(void **state)
{
	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(types); i++) {
		for (size_t j = 0; j < TENF_ARRAY_SIZE(hostile); j++) {
			struct stage s;
			json_t *shown;

			set_stage(&s, types[i]);
			s.app.hostile = hostile[j].body;
			s.app.hostile_status = hostile[j].status;
			application_start(&s.app, s.base, types[i], 0);
			begin(&s);
			tell(&s, 4711);
			expect(&s, "failed", 0);
			shown = deliveries_state(s.deliveries, 1);
			assert_non_null(shown);
			json_decref(shown);
			clear(&s);
		}
	}
}

static void deep_and_large_answers_are_an_error(void **state)
{
	char *large = malloc(OUTGOING_BODY_MAX + 2), *deep = malloc(100001);

	(void)state;
	memset(large, ' ', OUTGOING_BODY_MAX + 1);
	large[OUTGOING_BODY_MAX + 1] = '\0';
	memset(deep, '[', 100000);
	deep[100000] = '\0';
	for (size_t i = 0; i < TENF_ARRAY_SIZE(types); i++) {
		struct stage s;

		set_and_begin(&s, types[i]);
		s.app.hostile_status = 200;
		s.app.hostile = large;
		tell(&s, 4711);
		expect_error(&s, "too large");
		s.app.hostile = deep;
		tell(&s, 4712);
		expect_error(&s, "with no JSON");
		clear(&s);
	}
	free(large);
	free(deep);
}

/* What is no HTTP at all. */
static void on_connection(struct evconnlistener *listener, evutil_socket_t fd,
			  struct sockaddr *from, int len, void *context)
{
	static const char *const greetings[] = {
		"SSH-2.0-OpenSSH\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{",
		"HTTP/1.1 409 x\r\nX-Transmission-Session-Id:\r\n\r\n", "HTTP/9.9 999\r\n\r\n", "",
	};
	unsigned *count = context;
	struct bufferevent *stream = bufferevent_socket_new(
		evconnlistener_get_base(listener), fd, 0);
	const char *greeting = greetings[(*count)++ % TENF_ARRAY_SIZE(greetings)];

	(void)from;
	(void)len;
	(void)!send(fd, greeting, strlen(greeting), MSG_NOSIGNAL);
	bufferevent_free(stream);
	evutil_closesocket(fd);
}

struct tries {
	struct stage *stage;
	const unsigned *count;
	unsigned wanted;
};

/* A try that was under way when the port was told has failed already: the next counts. */
static bool have_failed(void *context)
{
	const struct tries *t = context;

	return *t->count >= t->wanted &&
	       strcmp(state_of(t->stage->deliveries, 1, NULL), "failed") == 0;
}

static void what_is_no_http_is_an_error(void **state)
{
	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(types); i++) {
		struct sockaddr_in address = { .sin_family = AF_INET };
		socklen_t len = sizeof(address);
		struct evconnlistener *listener;
		unsigned count = 0;
		struct stage s;

		set_stage(&s, types[i]);
		address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		listener = evconnlistener_new_bind(s.base, on_connection, &count,
						   LEV_OPT_CLOSE_ON_FREE, 5,
						   (struct sockaddr *)&address, sizeof(address));
		assert_non_null(listener);
		assert_int_equal(getsockname(evconnlistener_get_fd(listener),
					     (struct sockaddr *)&address, &len), 0);
		snprintf(s.app.fake.url, sizeof(s.app.fake.url), "http://127.0.0.1:%u",
			 ntohs(address.sin_port));
		begin(&s);
		for (uint16_t port = 1; port <= 10; port++) {
			struct tries tries = { &s, &count, count + 1 };

			tell(&s, port);
			assert_true(loop_until(s.base, have_failed, &tries));
		}
		evconnlistener_free(listener);
		clear(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signs_in_sets_the_port_and_reads_it_back),
		cmocka_unit_test(an_application_that_asks_nobody_needs_no_user),
		cmocka_unit_test(a_port_the_application_forgot_is_set_again),
		cmocka_unit_test(a_restarted_application_is_signed_in_to_again),
		cmocka_unit_test(one_that_is_not_there_is_told_when_it_comes),
		cmocka_unit_test(a_wrong_password_is_said_so),
		cmocka_unit_test(only_what_was_read_back_counts),
		cmocka_unit_test(only_the_tcp_half_of_a_pair_is_told),
		cmocka_unit_test(nonsense_is_an_error_and_nothing_worse),
		cmocka_unit_test(deep_and_large_answers_are_an_error),
		cmocka_unit_test(what_is_no_http_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
