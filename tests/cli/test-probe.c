/* SPDX-License-Identifier: MIT */
/* list --probe against a gateway that answers as RFC 6887 says, and against some that
 * do not. */
#include "command.h"

#include "cli/probe-state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAPPINGS 16
#define NOT_AUTHORIZED 2

/* The gateway of the script. */
static struct {
	struct mapping {
		uint8_t nonce[TENF_NONCE_SIZE];
		uint8_t protocol;
		uint16_t port; /* network order; 0: free */
	} mappings[MAPPINGS];
	bool ignores_nonces;
	bool refuses_all;
	uint8_t nothing; /* result for a delete of nothing */
	unsigned asked;
	unsigned silent_from; /* 0: never */
	unsigned bad_ports;   /* asked for port 0 or protocol 0 */
} gateway;

static struct mapping *find(uint8_t protocol, uint16_t port)
{
	for (size_t i = 0; i < MAPPINGS; i++) {
		struct mapping *m = &gateway.mappings[i];

		if (m->port == port && m->protocol == protocol)
			return m;
	}
	return NULL;
}

static struct mapping *find_place(void)
{
	size_t i = 0;

	while (i + 1 < MAPPINGS && gateway.mappings[i].port != 0)
		i++;
	return &gateway.mappings[i];
}

static void open_port(enum tenf_protocol protocol, uint16_t port)
{
	struct mapping *m = find_place();

	m->protocol = (uint8_t)protocol;
	m->port = (uint16_t)(port << 8 | port >> 8);
	memset(m->nonce, 9, sizeof(m->nonce));
}

static uint8_t decide(const uint8_t *request, bool delete)
{
	struct mapping *m;
	uint16_t port;

	memcpy(&port, request + 40, sizeof(port));
	gateway.bad_ports += port == 0 || request[36] == 0;
	m = find(request[36], port);
	if (gateway.refuses_all)
		return NOT_AUTHORIZED;
	if (m != NULL && !gateway.ignores_nonces &&
	    memcmp(m->nonce, request + 24, sizeof(m->nonce)) != 0)
		return NOT_AUTHORIZED;
	if (delete && m == NULL)
		return gateway.nothing;
	if (delete) {
		m->port = 0;
		return 0;
	}
	if (m == NULL)
		m = find_place();
	m->protocol = request[36];
	m->port = port;
	memcpy(m->nonce, request + 24, sizeof(m->nonce));
	return 0;
}

static size_t exchange(const uint8_t *request, uint8_t *answer)
{
	static const uint8_t none[4];
	bool delete = memcmp(request + 4, none, 4) == 0;

	if (++gateway.asked >= gateway.silent_from && gateway.silent_from != 0)
		return 0;
	memcpy(answer, request, 60);
	answer[1] |= 0x80;
	answer[3] = decide(request, delete);
	if (delete)
		memset(answer + 4, 0, 4);
	return 60;
}

static int setup(void **state)
{
	int failed = command_setup(state);

	memset(&gateway, 0, sizeof(gateway));
	fake.exchange = exchange;
	return failed;
}

static size_t count_open(void)
{
	size_t count = 0;

	for (size_t i = 0; i < MAPPINGS; i++)
		count += gateway.mappings[i].port != 0;
	return count;
}

static void what_is_there_is_found_and_stays(void **state)
{
	static const char table[] =
		"ID  NAME  OUTSIDE  INSIDE             STATE  EXPIRES  VIA  SOURCE\n"
		"-   -     ?/tcp    192.168.1.20:4000  open   -        -    probe\n"
		"-   -     ?/udp    192.168.1.20:4007  open   -        -    probe\n";
	struct command c;

	(void)state;
	open_port(TENF_TCP, 4000);
	open_port(TENF_UDP, 4007);
	open_port(TENF_UDP, 5000); /* outside the range */
	c = command("list --probe --range 4000-4010");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.out, table);
	assert_int_equal(count_open(), 3);
	assert_int_equal(gateway.asked, 2 * 4 + 2 * 11); /* self-tests, and the range */
	assert_string_equal(fake.gateway_asked, "192.168.1.1:5351");
}

static void a_gateway_that_says_no_resources_to_nothing_is_understood(void **state)
{
	(void)state;
	gateway.nothing = 8; /* as miniupnpd does */
	open_port(TENF_TCP, 4000);
	assert_non_null(strstr(command("list --probe --range 4000").out, "192.168.1.20:4000"));
}

static void port_and_protocol_0_are_never_asked_for(void **state)
{
	(void)state;
	assert_int_equal(command("list --probe").status, 0);
	assert_int_equal(gateway.asked, 2 * 4 + 2 * 65535);
	assert_int_equal(gateway.bad_ports, 0);
	assert_int_equal(command("list --probe --range 0-5").status, 2);
	assert_int_equal(command("list --probe --range 5-4").status, 2);
	assert_int_equal(command("list --probe --range 5-70000").status, 2);
	assert_int_equal(command("list --range 5").status, 2);
}

static void a_gateway_that_checks_no_nonces_is_left_alone(void **state)
{
	struct command c;

	(void)state;
	gateway.ignores_nonces = true;
	open_port(TENF_TCP, 4000);
	c = command("list --probe --range 4000-4010");
	assert_int_equal(c.status, 5);
	assert_non_null(strstr(c.err, "does not check whose a mapping is"));
	assert_int_equal(count_open(), 1); /* not the range, only the self-test was asked for */
	assert_int_equal(gateway.asked, 4);
}

static void a_gateway_that_refuses_everything_tells_nothing(void **state)
{
	(void)state;
	gateway.refuses_all = true;
	assert_non_null(strstr(command("list --probe --range 4000").err,
			       "its answers tell nothing"));
}

static void a_gateway_that_falls_silent_is_asked_on_later(void **state)
{
	char path[200];
	struct command c;

	(void)state;
	open_port(TENF_TCP, 4001);
	open_port(TENF_TCP, 4009);
	gateway.silent_from = 2 * 4 + 2 * 5 + 1; /* in the sixth port */
	c = command("list --probe --range 4000-4010");
	assert_int_equal(c.status, 4);
	assert_non_null(strstr(c.out, ":4001"));
	assert_null(strstr(c.out, ":4009"));
	gateway.silent_from = 0;
	gateway.asked = 0;
	c = command("list --probe --range 4000-4010");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.err, "An earlier probe got to port 4005; it goes on there.\n");
	assert_non_null(strstr(c.out, ":4001"));
	assert_non_null(strstr(c.out, ":4009"));
	assert_int_equal(gateway.asked, 2 * 4 + 2 * 6);
	snprintf(path, sizeof(path), "%s/tenforward/probe", command_folder());
	assert_int_not_equal(access(path, F_OK), 0);
}

static void the_gateway_rests_as_long_as_it_works(void **state)
{
	(void)state;
	fake.gateway.rtt_us = 5000;
	(void)command("list --probe --range 4000-4099 --quiet");
	/* 208 questions of 5 ms each; the last rest may not be due yet. */
	assert_in_range(fake.steady_ms, 1020, 1040);
}

static void progress_is_told_now_and_then(void **state)
{
	struct command c;

	(void)state;
	fake.gateway.rtt_us = 50000;
	c = command("list --probe --range 4000-4119");
	assert_non_null(strstr(c.err, " of 4000-4119, 0 found\n"));
	assert_string_equal(command("list --probe --range 4000-4119 --quiet").err, "");
}

static void without_pcp_there_is_nothing_to_probe(void **state)
{
	(void)state;
	fake.gateway.spoken[0].method = TENF_METHOD_NATPMP;
	assert_int_equal(command("list --probe").status, 5);
	assert_int_equal(gateway.asked, 0);
}

static void only_the_answer_to_the_request_is_read(void **state)
{
	uint8_t request[60] = { 2, 1 }, answer[60], result = 0;

	(void)state;
	memset(request + 24, 7, 18);
	memcpy(answer, request, sizeof(answer));
	answer[1] = 0x81;
	answer[3] = NOT_AUTHORIZED;
	assert_int_equal(probe_read_answer(request, 60, answer, 60, &result), PROBE_THERE);
	for (size_t len = 0; len < 60; len++) {
		uint8_t *exact = malloc(len + 1);

		assert_non_null(exact);
		memcpy(exact, answer, len);
		assert_int_equal(probe_read_answer(request, 60, exact, len, &result),
				 PROBE_FOREIGN);
		free(exact);
	}
	for (size_t at = 24; at < 42; at++) { /* nonce, protocol, port; not what is reserved */
		answer[at] ^= 1;
		assert_int_equal(probe_read_answer(request, 60, answer, 60, &result),
				 at >= 37 && at < 40 ? PROBE_THERE : PROBE_FOREIGN);
		answer[at] ^= 1;
	}
	answer[1] = 1; /* our own request, come back */
	assert_int_equal(probe_read_answer(request, 60, answer, 60, &result), PROBE_FOREIGN);
	answer[1] = 0x81;
	answer[0] = 0;
	answer[3] = 1;
	assert_int_equal(probe_read_answer(request, 60, answer, 8, &result), PROBE_NO_PCP);
}

static void the_memory_of_a_probe_is_read_whole_or_not_at_all(void **state)
{
	static const char good[] =
		"tenforward-probe 1 10.0.0.1 10.0.0.2 1-100 50 tcp/4 udp/49 end\n";
	struct probe_state s = { .range = { 1, 100 }, .next = 1, .gateway = "10.0.0.1",
				 .source = "10.0.0.2" };
	char *text;

	(void)state;
	assert_true(probe_state_read(&s, good));
	assert_int_equal(s.next, 50);
	assert_int_equal(s.count, 2);
	text = probe_state_text(&s);
	assert_string_equal(text, good);
	free(text);
	for (size_t len = 0; len + 2 < sizeof(good); len++) {
		char *cut = strndup(good, len);

		s.count = 0;
		s.next = 1;
		assert_non_null(cut);
		assert_false(probe_state_read(&s, cut));
		assert_int_equal(s.next, 1);
		assert_int_equal(s.count, 0);
		free(cut);
	}
	assert_false(probe_state_read(
		&s, "tenforward-probe 1 10.0.0.9 10.0.0.2 1-100 50 end\n"));
	assert_false(probe_state_read(
		&s, "tenforward-probe 1 10.0.0.1 10.0.0.2 1-100 50 tcp/50 end\n"));
	assert_false(probe_state_read(&s, "tenforward-probe 1 10.0.0.1 10.0.0.2 1-100 102 end\n"));
	probe_state_done(&s);
}

static void the_found_end_at_their_limit(void **state)
{
	struct probe_state s = { .next = 1 };

	(void)state;
	for (size_t i = 0; i < PROBE_FOUND_MAX; i++)
		assert_true(probe_state_add(&s, TENF_TCP, 1));
	assert_false(probe_state_add(&s, TENF_TCP, 1));
	probe_state_done(&s);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, command_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(what_is_there_is_found_and_stays),
		EACH(a_gateway_that_says_no_resources_to_nothing_is_understood),
		EACH(port_and_protocol_0_are_never_asked_for),
		EACH(a_gateway_that_checks_no_nonces_is_left_alone),
		EACH(a_gateway_that_refuses_everything_tells_nothing),
		EACH(a_gateway_that_falls_silent_is_asked_on_later),
		EACH(the_gateway_rests_as_long_as_it_works),
		EACH(progress_is_told_now_and_then),
		EACH(without_pcp_there_is_nothing_to_probe),
		EACH(only_the_answer_to_the_request_is_read),
		EACH(the_memory_of_a_probe_is_read_whole_or_not_at_all),
		EACH(the_found_end_at_their_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
