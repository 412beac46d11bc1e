/* SPDX-License-Identifier: MIT */
/* Discovery, the calls that block, raw packets and their description. */
#include "peer.h"

#include <tenforward/tenforward.h>

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int set_up(void **state)
{
	*state = peer_start();
	return 0;
}

static int tear_down(void **state)
{
	peer_stop(*state);
	return 0;
}

static struct tenf_options towards(const char *gateway)
{
	struct tenf_options options;

	tenf_options_init(&options);
	options.gateway = gateway;
	options.timeout_ms = 2000;
	return options;
}

static void find_gateway_tells_what_it_speaks(void **state)
{
	struct tenf_options options = towards(peer_address(*state));
	struct tenf_gateway gateway;

	assert_int_equal(tenf_find_gateway(&options, &gateway, NULL), TENF_OK);
	assert_string_equal(gateway.address, "127.0.0.1");
	assert_string_equal(gateway.source, "127.0.0.1");
	assert_string_equal(gateway.interface, "lo");
	assert_int_equal(gateway.origin, TENF_ORIGIN_GIVEN);
	assert_int_equal(gateway.spoken_count, 2);
	assert_int_equal(gateway.spoken[1].method, TENF_METHOD_NATPMP);
	assert_string_equal(gateway.external_address, "203.0.113.7");
	assert_true(gateway.epoch_s >= 0 && gateway.rtt_us >= 0);
	assert_int_equal(peer_count(*state), 0);
}

static void find_gateway_of_one_dialect_does_not_wait_for_the_other(void **state)
{
	struct responder_quirks quirks = { .ignore_pcp = true };
	struct tenf_options options = towards(peer_address(*state));
	struct tenf_gateway gateway;

	peer_quirks(*state, &quirks);
	options.timeout_ms = 60000; /* a wait for it would be seen */
	assert_int_equal(tenf_find_gateway(&options, &gateway, NULL), TENF_OK);
	assert_int_equal(gateway.spoken_count, 1);
	assert_int_equal(gateway.spoken[0].method, TENF_METHOD_NATPMP);
}

static void find_gateway_tells_a_closed_port(void **state)
{
	char address[64];
	struct tenf_options options;
	struct tenf_gateway gateway;
	struct tenf_error error;

	(void)state;
	peer_closed_port(address);
	options = towards(address);
	assert_int_equal(tenf_find_gateway(&options, &gateway, &error), TENF_E_FAILED);
	assert_int_equal(error.reason, TENF_REASON_NO_SERVICE);
	assert_int_equal(gateway.spoken_count, 0);
	assert_string_equal(gateway.external_address, "");
	assert_int_equal(gateway.epoch_s, -1);
}

static void an_open_port_can_be_closed_again(void **state)
{
	struct tenf_options options = towards(peer_address(*state));
	struct tenf_request request;
	struct tenf_mapping mapping;
	struct tenf_error error;

	tenf_request_init(&request);
	request.internal_port = 8080;
	request.lifetime_s = 600;
	assert_int_equal(tenf_open_port(&options, &request, &mapping, &error), TENF_OK);
	assert_int_equal(mapping.lifetime_s, 600);
	assert_int_not_equal(mapping.external_port, 0);
	assert_int_equal(peer_count(*state), 1);
	assert_int_equal(tenf_close_port(&options, &mapping, &error), TENF_OK);
	assert_int_equal(peer_count(*state), 0);
}

static void who_refused_to_close_a_port_is_named(void **state)
{
	struct tenf_options options = towards(peer_address(*state));
	struct tenf_request request;
	struct tenf_mapping mapping;
	struct tenf_error error;

	tenf_request_init(&request);
	request.internal_port = 8080;
	assert_int_equal(tenf_open_port(&options, &request, &mapping, &error), TENF_OK);
	assert_int_equal(mapping.method, TENF_METHOD_PCP);
	mapping.nonce[0] ^= 1; /* somebody else's, as far as the gateway can tell */
	assert_int_equal(tenf_close_port(&options, &mapping, &error), TENF_E_FAILED);
	assert_int_equal(error.reason, TENF_REASON_REFUSED);
	assert_non_null(strstr(error.text, "another program holds the port "
					   "(NOT_AUTHORIZED, PCP result 2). Try another port"));
	assert_int_equal(peer_count(*state), 1);
}

static void open_port_takes_one_protocol(void **state)
{
	struct tenf_options options = towards(peer_address(*state));
	struct tenf_request request;
	struct tenf_mapping mapping;
	struct tenf_error error;

	tenf_request_init(&request);
	request.protocol = TENF_BOTH;
	request.internal_port = 8080;
	assert_int_equal(tenf_open_port(&options, &request, &mapping, &error), TENF_E_ARGUMENT);
}

static void what_cannot_be_asked_from_here_is_named(void **state)
{
	struct tenf_options options = towards(peer_address(*state));
	struct tenf_gateway gateway;
	struct tenf_error error;

	options.source = "192.0.2.99";
	assert_int_equal(tenf_find_gateway(&options, &gateway, &error), TENF_E_FAILED);
	assert_int_equal(error.reason, TENF_REASON_NO_GATEWAY);
	assert_non_null(strstr(error.text, "192.0.2.99: it is no address of this computer"));
	options.gateway = NULL; /* nor does advice to name a gateway help then */
	assert_int_equal(tenf_find_gateway(&options, &gateway, &error), TENF_E_FAILED);
	assert_non_null(strstr(error.text, "no gateway to ask from 192.0.2.99"));
}

static void bad_options_are_named(void **state)
{
	struct tenf_options options = towards("my-router");
	struct tenf_session *session = NULL;
	struct tenf_error error;

	(void)state;
	assert_int_equal(tenf_session_new(&options, &session, &error), TENF_E_ARGUMENT);
	assert_non_null(strstr(error.text, "my-router"));
	options = towards(NULL);
	options.interface = "no-such-if0";
	assert_int_equal(tenf_session_new(&options, &session, &error), TENF_E_ARGUMENT);
	assert_non_null(strstr(error.text, "no-such-if0"));
	options = towards("192.0.2.1");
	options.source = "2001:db8::1";
	assert_int_equal(tenf_session_new(&options, &session, &error), TENF_E_ARGUMENT);
	options = towards("224.0.0.1");
	assert_int_equal(tenf_session_new(&options, &session, &error), TENF_E_ARGUMENT);
	assert_null(session);
}

static void a_shorter_struct_of_an_older_program_is_understood(void **state)
{
	struct tenf_options options = towards(peer_address(*state));
	struct tenf_gateway gateway;

	options.size = offsetof(struct tenf_options, interface);
	options.interface = "no-such-if0"; /* behind the end: not looked at */
	assert_int_equal(tenf_find_gateway(&options, &gateway, NULL), TENF_OK);
}

static void discovery_serves_a_loop_of_the_callers(void **state)
{
	struct tenf_options options = towards(peer_address(*state));
	struct tenf_discovery *d = NULL;
	struct tenf_gateway gateway;

	assert_int_equal(tenf_discovery_new(&options, false, &d, NULL), TENF_OK);
	assert_int_equal(tenf_discovery_count(d), 1);
	while (!tenf_discovery_done(d)) {
		struct pollfd fd = { .fd = tenf_discovery_fd(d), .events = POLLIN };

		assert_true(poll(&fd, 1, tenf_discovery_timeout_ms(d)) >= 0);
		assert_int_equal(tenf_discovery_process(d), TENF_OK);
	}
	tenf_discovery_gateway(d, 0, &gateway);
	assert_int_equal(gateway.error.reason, TENF_REASON_NONE);
	tenf_discovery_gateway(d, 7, &gateway);
	assert_int_equal(gateway.error.reason, TENF_REASON_NO_GATEWAY);
	tenf_discovery_free(d);
}

static void a_raw_request_comes_back_decoded(void **state)
{
	struct tenf_options options = towards(peer_address(*state));
	struct tenf_raw raw;
	uint8_t request[1100], answer[1100];
	size_t request_len = sizeof(request), answer_len = sizeof(answer);
	int64_t rtt_us = -1;
	char text[2048];

	tenf_raw_init(&raw);
	raw.kind = TENF_RAW_PCP_MAP;
	raw.internal_port = 8080;
	raw.external_port = 8080;
	assert_int_equal(tenf_raw_build(&options, &raw, request, &request_len, NULL), TENF_OK);
	assert_int_equal(request_len, 60);
	assert_int_equal(tenf_raw_exchange(&options, request, request_len, answer, &answer_len,
					   &rtt_us, NULL, NULL),
			 TENF_OK);
	assert_true(rtt_us >= 0);
	tenf_packet_describe(request, request_len, text, sizeof(text));
	assert_non_null(strstr(text, "packet: PCP request\n"));
	assert_non_null(strstr(text, "client address: 127.0.0.1\n"));
	tenf_packet_describe(answer, answer_len, text, sizeof(text));
	assert_non_null(strstr(text, "packet: PCP answer\n"));
	assert_non_null(strstr(text, "result: 0 SUCCESS\n"));
	assert_non_null(strstr(text, "assigned external port: 8080\n"));
}

/* Answers one PEER request with copies of it in which one octet is another, and in the end,
 * when it is told to, with the right one. */
struct liar {
	pthread_t thread;
	int fd;
	bool tells_the_truth;
};

#define PEER_SIZE 80

static void *lie(void *context)
{
	/* Nonce, protocol, internal port, remote port, remote address, opcode. */
	static const size_t octets[] = { 24, 35, 36, 41, 61, 79, 1 };
	struct liar *liar = context;
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	uint8_t data[PEER_SIZE];

	if (recvfrom(liar->fd, data, sizeof(data), 0, (struct sockaddr *)&from, &len) !=
	    PEER_SIZE)
		return NULL;
	data[1] |= 0x80;
	memset(data + 8, 0, 16); /* epoch, reserved */
	data[3] = 0;
	for (size_t i = 0; i < sizeof(octets) / sizeof(octets[0]); i++) {
		data[octets[i]] ^= 1;
		(void)!sendto(liar->fd, data, sizeof(data), 0, (struct sockaddr *)&from, len);
		data[octets[i]] ^= 1;
	}
	if (liar->tells_the_truth)
		(void)!sendto(liar->fd, data, sizeof(data), 0, (struct sockaddr *)&from, len);
	return NULL;
}

static enum tenf_status ask_liar(bool tells_the_truth, uint8_t answer[1100], size_t *ret_len,
				 struct tenf_error *error)
{
	struct liar liar = { .tells_the_truth = tells_the_truth };
	struct tenf_options options;
	struct tenf_raw raw;
	char address[64];
	uint8_t request[1100];
	size_t request_len = sizeof(request);
	enum tenf_status status;

	peer_silent_port(address, &liar.fd);
	options = towards(address);
	options.timeout_ms = tells_the_truth ? 5000 : 300;
	tenf_raw_init(&raw);
	raw.kind = TENF_RAW_PCP_PEER;
	raw.internal_port = 40000;
	raw.remote_address = "198.51.100.9";
	raw.remote_port = 443;
	assert_int_equal(tenf_raw_build(&options, &raw, request, &request_len, NULL), TENF_OK);
	assert_int_equal(request_len, PEER_SIZE);
	assert_int_equal(pthread_create(&liar.thread, NULL, lie, &liar), 0);
	*ret_len = 1100;
	status = tenf_raw_exchange(&options, request, request_len, answer, ret_len, NULL, NULL,
				   error);
	assert_int_equal(pthread_join(liar.thread, NULL), 0);
	close(liar.fd);
	if (status == TENF_OK) {
		assert_int_equal(*ret_len, PEER_SIZE);
		assert_memory_equal(answer + 24, request + 24, PEER_SIZE - 24);
	}
	return status;
}

/* PCP-C-16: remote address and port of a PEER answer are those asked for, and so are opcode,
 * nonce, protocol and internal port; what differs is not the answer. */
static void a_peer_answer_about_another_peer_is_passed_over(void **state)
{
	struct tenf_error error = { 0 };
	uint8_t answer[1100];
	size_t len;

	(void)state;
	assert_int_equal(ask_liar(true, answer, &len, &error), TENF_OK);
}

/* PCP-C-16: and when nothing better comes it is shown for what it is. */
static void a_peer_answer_about_another_peer_alone_is_no_answer(void **state)
{
	struct tenf_error error = { 0 };
	uint8_t answer[1100];
	size_t len;

	(void)state;
	assert_int_equal(ask_liar(false, answer, &len, &error), TENF_E_FAILED);
	assert_int_equal(error.reason, TENF_REASON_MALFORMED);
	assert_int_equal(len, PEER_SIZE);
	assert_int_equal(answer[1], 0x83); /* the last: another opcode */
}

static void every_kind_of_raw_request_is_described_as_what_it_is(void **state)
{
	static const struct {
		enum tenf_raw_kind kind;
		size_t length;
		const char *line;
	} kinds[] = {
		{ TENF_RAW_NATPMP_ADDRESS, 2, "opcode: 0 (external address)\n" },
		{ TENF_RAW_NATPMP_MAP, 12, "opcode: 1 (map UDP)\n" },
		{ TENF_RAW_PCP_ANNOUNCE, 24, "opcode: 0 ANNOUNCE\n" },
		{ TENF_RAW_PCP_PEER, 80, "remote peer address: 198.51.100.9\n" },
		{ TENF_RAW_PCP_MAP, 60, "protocol: 17 (udp)\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		uint8_t data[1100];
		size_t len = sizeof(data);
		struct tenf_raw raw;
		char text[2048];

		tenf_raw_init(&raw);
		raw.kind = kinds[i].kind;
		raw.protocol = TENF_UDP;
		raw.internal_port = 4000;
		raw.client = "192.0.2.20";
		raw.remote_address = "198.51.100.9";
		raw.remote_port = 443;
		assert_int_equal(tenf_raw_build(NULL, &raw, data, &len, NULL), TENF_OK);
		assert_int_equal(len, kinds[i].length);
		tenf_packet_describe(data, len, text, sizeof(text));
		assert_non_null(strstr(text, kinds[i].line));
	}
}

static void options_of_a_raw_request_are_described(void **state)
{
	struct tenf_raw raw;
	uint8_t data[1100];
	size_t len = sizeof(data);
	char text[2048];

	(void)state;
	tenf_raw_init(&raw);
	raw.kind = TENF_RAW_PCP_MAP;
	raw.client = "192.0.2.20";
	raw.third_party = "192.0.2.30";
	raw.prefer_failure = true;
	raw.description = "web";
	assert_int_equal(tenf_raw_build(NULL, &raw, data, &len, NULL), TENF_OK);
	tenf_packet_describe(data, len, text, sizeof(text));
	assert_non_null(strstr(text, "option: 1 THIRD_PARTY\n  internal address: 192.0.2.30\n"));
	assert_non_null(strstr(text, "option: 2 PREFER_FAILURE\n"));
	assert_non_null(strstr(text, "option: 128 DESCRIPTION\n  text: web\n"));
	len = 61; /* cut into an option */
	tenf_packet_describe(data, len, text, sizeof(text));
	assert_non_null(strstr(text, "fault: MALFORMED_REQUEST\n"));
}

static void any_bytes_are_described_and_cut_to_the_room(void **state)
{
	static const uint8_t junk[] = { 0xff, 0xff, 0x00 };
	char text[8];

	(void)state;
	tenf_packet_describe(junk, sizeof(junk), text, sizeof(text));
	assert_int_equal(strlen(text), sizeof(text) - 1);
	tenf_packet_describe(junk, 0, text, 1);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(find_gateway_tells_what_it_speaks, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			find_gateway_of_one_dialect_does_not_wait_for_the_other, set_up,
			tear_down),
		cmocka_unit_test(find_gateway_tells_a_closed_port),
		cmocka_unit_test_setup_teardown(an_open_port_can_be_closed_again, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(who_refused_to_close_a_port_is_named, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(open_port_takes_one_protocol, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_asked_from_here_is_named, set_up,
						tear_down),
		cmocka_unit_test(bad_options_are_named),
		cmocka_unit_test_setup_teardown(a_shorter_struct_of_an_older_program_is_understood,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(discovery_serves_a_loop_of_the_callers, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_raw_request_comes_back_decoded, set_up,
						tear_down),
		cmocka_unit_test(a_peer_answer_about_another_peer_is_passed_over),
		cmocka_unit_test(a_peer_answer_about_another_peer_alone_is_no_answer),
		cmocka_unit_test(every_kind_of_raw_request_is_described_as_what_it_is),
		cmocka_unit_test(options_of_a_raw_request_are_described),
		cmocka_unit_test(any_bytes_are_described_and_cut_to_the_room),
	};

	return cmocka_run_group_tests_name("calls", tests, NULL, NULL);
}
