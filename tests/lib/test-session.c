/* SPDX-License-Identifier: MIT */
#include "peer.h"

#include <tenforward/tenforward.h>

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct house {
	struct peer *peer;
	struct tenf_session *session;
};

static struct tenf_session *open_session(const char *gateway, uint32_t timeout_ms)
{
	struct tenf_options options;
	struct tenf_session *session = NULL;

	tenf_options_init(&options);
	options.gateway = gateway;
	options.timeout_ms = timeout_ms;
	options.announcements = false;
	assert_int_equal(tenf_session_new(&options, &session, NULL), TENF_OK);
	return session;
}

static int set_up(void **state)
{
	struct house *house = calloc(1, sizeof(*house));

	assert_non_null(house);
	house->peer = peer_start();
	house->session = open_session(peer_address(house->peer), 2000);
	*state = house;
	return 0;
}

static int tear_down(void **state)
{
	struct house *house = *state;

	tenf_session_free(house->session);
	peer_stop(house->peer);
	free(house);
	return 0;
}

/* The next event of one of the wanted kinds (a bit each); others are passed over. */
static struct tenf_event wait_for(struct tenf_session *session, unsigned kinds)
{
	struct tenf_event event;

	for (;;) {
		struct pollfd fd = { .fd = tenf_session_fd(session), .events = POLLIN };

		while (tenf_session_next_event(session, &event)) {
			if (kinds & 1u << event.kind)
				return event;
		}
		assert_true(poll(&fd, 1, tenf_session_timeout_ms(session)) >= 0);
		assert_int_equal(tenf_session_process(session), TENF_OK);
	}
}

static uint32_t ask(struct tenf_session *session, enum tenf_protocol protocol, uint16_t internal,
		    uint16_t external, bool keep, bool exact)
{
	struct tenf_request request;
	uint32_t id = 0;

	tenf_request_init(&request);
	request.protocol = protocol;
	request.internal_port = internal;
	request.external_port = external;
	request.keep = keep;
	request.exact = exact;
	assert_int_equal(tenf_session_add(session, &request, &id), TENF_OK);
	assert_int_not_equal(id, 0);
	return id;
}

#define VERDICTS (1u << TENF_EVENT_MAPPED | 1u << TENF_EVENT_LOST | 1u << TENF_EVENT_REFUSED)

static void a_kept_mapping_is_made_told_and_removed(void **state)
{
	struct house *house = *state;
	uint32_t id = ask(house->session, TENF_TCP, 8080, 8080, true, false);
	struct tenf_event event = wait_for(house->session, VERDICTS);
	struct tenf_mapping mapping;

	assert_int_equal(event.kind, TENF_EVENT_MAPPED);
	assert_int_equal(event.before.id, 0);
	assert_int_equal(event.mapping.id, id);
	assert_int_equal(event.mapping.state, TENF_STATE_MAPPED);
	assert_int_equal(event.mapping.method, TENF_METHOD_PCP);
	assert_int_equal(event.mapping.external_port, 8080);
	assert_string_equal(event.mapping.external_address, "203.0.113.7");
	assert_string_equal(event.mapping.internal_address, "127.0.0.1");
	assert_int_equal(event.mapping.lifetime_s, 7200);
	assert_in_range(event.mapping.renews_at - event.at, 3599, 4501);
	assert_int_equal(peer_count(house->peer), 1);
	assert_true(tenf_session_mapping(house->session, id, &mapping));
	assert_int_equal(tenf_session_count(house->session), 1);
	assert_int_equal(tenf_session_id_at(house->session, 0), id);

	assert_int_equal(tenf_session_remove(house->session, id), TENF_OK);
	event = wait_for(house->session, 1u << TENF_EVENT_REMOVED);
	assert_int_equal(event.mapping.error.reason, TENF_REASON_NONE);
	assert_int_equal(event.before.state, TENF_STATE_MAPPED);
	assert_int_equal(peer_count(house->peer), 0);
	assert_false(tenf_session_mapping(house->session, id, &mapping));
	assert_int_equal(tenf_session_remove(house->session, id), TENF_E_NOT_FOUND);
}

static void a_pair_gets_one_external_port(void **state)
{
	struct house *house = *state;
	uint32_t id = ask(house->session, TENF_BOTH, 25565, 0, true, false);
	struct tenf_event first = wait_for(house->session, VERDICTS);
	struct tenf_event second = wait_for(house->session, VERDICTS);

	assert_int_equal(first.kind, TENF_EVENT_MAPPED);
	assert_int_equal(second.kind, TENF_EVENT_MAPPED);
	assert_int_equal(first.mapping.external_port, second.mapping.external_port);
	assert_int_not_equal(first.mapping.protocol, second.mapping.protocol);
	assert_int_equal(first.mapping.pair, second.mapping.id);
	assert_true(first.mapping.id == id || second.mapping.id == id);
	assert_int_equal(peer_count(house->peer), 2);
	assert_int_equal(tenf_session_remove(house->session, id), TENF_OK);
	wait_for(house->session, 1u << TENF_EVENT_REMOVED);
	wait_for(house->session, 1u << TENF_EVENT_REMOVED);
	assert_int_equal(peer_count(house->peer), 0);
}

static void a_refusal_carries_result_and_text(void **state)
{
	struct house *house = *state;
	struct responder_quirks refuse = { .refuse = 10000 };
	struct tenf_event event;

	peer_quirks(house->peer, &refuse);
	ask(house->session, TENF_UDP, 5060, 5060, false, false);
	event = wait_for(house->session, VERDICTS);
	assert_int_equal(event.kind, TENF_EVENT_REFUSED);
	assert_int_equal(event.mapping.state, TENF_STATE_REFUSED);
	assert_int_equal(event.mapping.error.reason, TENF_REASON_REFUSED);
	assert_int_equal(event.mapping.error.result, 2);
	assert_non_null(strstr(event.mapping.error.text, "NOT_AUTHORIZED"));
	assert_int_equal(event.mapping.external_port, 0);
}

static void insisting_on_a_port_that_is_not_allowed_ends_with_other_port(void **state)
{
	struct house *house = *state;
	struct tenf_event event;

	ask(house->session, TENF_TCP, 8080, 80, false, true);
	event = wait_for(house->session, VERDICTS);
	assert_int_equal(event.kind, TENF_EVENT_REFUSED);
	assert_true(event.mapping.error.reason == TENF_REASON_OTHER_PORT ||
		    event.mapping.error.reason == TENF_REASON_REFUSED);
	assert_int_equal(peer_count(house->peer), 0);
}

static void a_gateway_without_pcp_gives_by_natpmp(void **state)
{
	struct house *house = *state;
	struct responder_quirks no_pcp = { .ignore_pcp = true };
	struct tenf_event event;

	peer_quirks(house->peer, &no_pcp);
	ask(house->session, TENF_TCP, 8080, 8081, true, false);
	event = wait_for(house->session, VERDICTS);
	assert_int_equal(event.kind, TENF_EVENT_MAPPED);
	assert_int_equal(event.mapping.method, TENF_METHOD_NATPMP);
	assert_int_equal(event.mapping.external_port, 8081);
	assert_string_equal(event.mapping.external_address, "203.0.113.7");
}

static void a_restart_shows_in_the_next_answer(void **state)
{
	struct house *house = *state;
	struct tenf_event event;

	ask(house->session, TENF_TCP, 8080, 8080, true, false);
	event = wait_for(house->session, VERDICTS);
	assert_int_equal(event.kind, TENF_EVENT_MAPPED);
	peer_reboot(house->peer);
	ask(house->session, TENF_UDP, 9090, 9090, true, false);
	event = wait_for(house->session, 1u << TENF_EVENT_GATEWAY_RESTART);
	assert_string_equal(event.gateway.address, "127.0.0.1");
	assert_in_range(event.gateway.epoch_s, 0, 5);
}

static void a_lease_of_an_earlier_run_is_released_with_its_nonce(void **state)
{
	struct house *house = *state;
	struct tenf_event event;
	struct tenf_session *later;
	struct tenf_mapping lease;
	uint32_t id;

	ask(house->session, TENF_TCP, 8080, 8080, false, false);
	lease = wait_for(house->session, VERDICTS).mapping;
	later = open_session(peer_address(house->peer), 2000);

	lease.nonce[0] ^= 1;
	assert_int_equal(tenf_session_release(later, &lease, &id), TENF_OK);
	event = wait_for(later, 1u << TENF_EVENT_REMOVED);
	assert_int_equal(event.mapping.error.reason, TENF_REASON_REFUSED);
	assert_int_equal(peer_count(house->peer), 1);

	lease.nonce[0] ^= 1;
	assert_int_equal(tenf_session_release(later, &lease, &id), TENF_OK);
	event = wait_for(later, 1u << TENF_EVENT_REMOVED);
	assert_int_equal(event.mapping.error.reason, TENF_REASON_NONE);
	assert_int_equal(peer_count(house->peer), 0);
	tenf_session_free(later);
}

static void a_pair_of_an_earlier_run_goes_on_with_both_nonces(void **state)
{
	struct house *house = *state;
	struct tenf_session *later;
	struct tenf_request request;
	struct tenf_mapping half[2];
	struct tenf_event event;
	uint32_t id;

	ask(house->session, TENF_BOTH, 25565, 0, true, false);
	for (size_t i = 0; i < 2; i++) {
		event = wait_for(house->session, VERDICTS);
		assert_int_equal(event.kind, TENF_EVENT_MAPPED);
		half[event.mapping.protocol == TENF_UDP] = event.mapping;
	}
	later = open_session(peer_address(house->peer), 2000);
	tenf_request_init(&request);
	request.protocol = TENF_BOTH;
	request.internal_port = 25565;
	request.keep = true;
	request.nonce = half[0].nonce;
	request.pair_nonce = half[1].nonce;
	request.granted_port = half[0].external_port;
	assert_int_equal(tenf_session_add(later, &request, &id), TENF_OK);
	for (size_t i = 0; i < 2; i++) {
		event = wait_for(later, VERDICTS);
		assert_int_equal(event.kind, TENF_EVENT_MAPPED);
		assert_int_equal(event.mapping.external_port, half[0].external_port);
	}
	assert_int_equal(peer_count(house->peer), 2);
	tenf_session_free(later);
}

static void a_silent_gateway_gets_its_verdict_within_the_time_out(void **state)
{
	char address[64];
	struct tenf_session *session;
	struct tenf_event event;
	int fd;

	(void)state;
	peer_silent_port(address, &fd);
	session = open_session(address, 150);
	ask(session, TENF_TCP, 8080, 8080, false, false);
	event = wait_for(session, VERDICTS);
	assert_int_equal(event.kind, TENF_EVENT_LOST);
	assert_int_equal(event.mapping.error.reason, TENF_REASON_SILENT);
	assert_non_null(strstr(event.mapping.error.text, "No answer from 127.0.0.1:"));
	tenf_session_free(session);
	close(fd);
}

/* Or the wait below would never end. */
static void what_was_asked_before_counts_and_the_verdict_tells_the_whole(void **state)
{
	static const uint32_t asked_ms[] = { 3599850, 3600000, UINT32_MAX };
	struct tenf_session *session;
	struct tenf_options options;
	struct tenf_event event;
	char address[64];
	int fd;

	(void)state;
	peer_silent_port(address, &fd);
	for (size_t i = 0; i < sizeof(asked_ms) / sizeof(asked_ms[0]); i++) {
		tenf_options_init(&options);
		options.gateway = address;
		options.timeout_ms = 3600000;
		options.asked_ms = asked_ms[i];
		assert_int_equal(tenf_session_new(&options, &session, NULL), TENF_OK);
		ask(session, TENF_TCP, 8080, 8080, false, false);
		event = wait_for(session, VERDICTS);
		assert_int_equal(event.mapping.error.reason, TENF_REASON_SILENT);
		assert_non_null(strstr(event.mapping.error.text, "within 3600 s"));
		tenf_session_free(session);
	}
	close(fd);
}

/* NP-C-08: port unreachable is seen on the connected socket. */
static void a_closed_port_is_no_service_at_once(void **state)
{
	char address[64];
	struct tenf_session *session;
	struct tenf_event event;

	(void)state;
	peer_closed_port(address);
	session = open_session(address, 60000);
	ask(session, TENF_TCP, 8080, 8080, false, false);
	event = wait_for(session, VERDICTS);
	assert_int_equal(event.kind, TENF_EVENT_LOST);
	assert_int_equal(event.mapping.error.reason, TENF_REASON_NO_SERVICE);
	tenf_session_free(session);
}

static void what_cannot_be_meant_is_refused_before_anything_is_sent(void **state)
{
	struct house *house = *state;
	struct tenf_counters counters = { .size = sizeof(counters) };
	struct tenf_request request;
	uint32_t id;

	tenf_request_init(&request);
	assert_int_equal(tenf_session_add(house->session, &request, &id), TENF_E_ARGUMENT);
	request.internal_port = 80;
	request.lifetime_s = 0;
	assert_int_equal(tenf_session_add(house->session, &request, &id), TENF_E_ARGUMENT);
	tenf_request_init(&request);
	request.internal_port = 80;
	request.internal_address = "not-an-address";
	assert_int_equal(tenf_session_add(house->session, &request, &id), TENF_E_ARGUMENT);
	request.internal_address = NULL;
	request.description = "\xff\xfe";
	assert_int_equal(tenf_session_add(house->session, &request, &id), TENF_E_ARGUMENT);
	assert_int_equal(tenf_session_process(house->session), TENF_OK);
	tenf_session_counters(house->session, &counters);
	assert_int_equal(counters.sent, 0);
}

static uint32_t ask_filtered(struct tenf_session *session, uint16_t port,
			     const struct tenf_filter *filters, size_t count,
			     enum tenf_status expected)
{
	struct tenf_request request;
	uint32_t id = 0;

	tenf_request_init(&request);
	request.internal_port = port;
	request.external_port = port;
	request.filters = filters;
	request.filter_count = count;
	assert_int_equal(tenf_session_add(session, &request, &id), expected);
	return id;
}

/* PCP-C-42, PCP-C-43: against our own gateway, which has filters. */
static void a_mapping_with_filters_is_confirmed(void **state)
{
	static const struct tenf_filter filters[] = { { "198.51.100.0", 24, 443 },
						      { "192.0.2.7", 32, 0 } };
	struct house *house = *state;
	struct tenf_event event;

	ask_filtered(house->session, 8080, filters, 2, TENF_OK);
	event = wait_for(house->session, VERDICTS);
	assert_int_equal(event.kind, TENF_EVENT_MAPPED);
	assert_int_equal(event.mapping.filtering, TENF_FILTERING_ECHOED);
	ask_filtered(house->session, 8081, NULL, 0, TENF_OK);
	event = wait_for(house->session, VERDICTS);
	assert_int_equal(event.mapping.filtering, TENF_FILTERING_NONE);
}

static void a_filter_that_cannot_be_meant_is_refused(void **state)
{
	static const struct tenf_filter wrong[] = { { "198.51.100.0", 0, 0 },
						    { "198.51.100.0", 33, 0 },
						    { "2001:db8::", 129, 0 },
						    { "example.org", 24, 0 } };
	struct tenf_filter many[TENF_FILTERS_MAX + 1];
	struct house *house = *state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ask_filtered(house->session, 8080, &wrong[i], 1, TENF_E_ARGUMENT);
	for (size_t i = 0; i <= TENF_FILTERS_MAX; i++)
		many[i] = (struct tenf_filter){ "198.51.100.0", 24, (uint16_t)(i + 1) };
	ask_filtered(house->session, 8080, many, TENF_FILTERS_MAX + 1, TENF_E_ARGUMENT);
	ask_filtered(house->session, 8080, many, TENF_FILTERS_MAX, TENF_OK);
	assert_int_equal(wait_for(house->session, VERDICTS).kind, TENF_EVENT_MAPPED);
}

static void watching_tells_the_gateway_and_its_address(void **state)
{
	struct house *house = *state;
	struct tenf_options options;
	struct tenf_session *session = NULL;
	struct tenf_event event;

	tenf_options_init(&options);
	options.gateway = peer_address(house->peer);
	options.watch = true;
	options.announcements = false;
	assert_int_equal(tenf_session_new(&options, &session, NULL), TENF_OK);
	event = wait_for(session, 1u << TENF_EVENT_GATEWAY);
	assert_string_equal(event.gateway.address, "127.0.0.1");
	assert_int_equal(event.gateway.spoken_count, 2);
	assert_int_equal(event.gateway.spoken[0].method, TENF_METHOD_PCP);
	event = wait_for(session, 1u << TENF_EVENT_ADDRESS);
	assert_string_equal(event.gateway.external_address, "203.0.113.7");
	assert_string_equal(event.address_before, "");
	assert_int_equal(event.gateway.address_class, TENF_ADDRESS_PUBLIC);
	tenf_session_free(session);
}

static void the_descriptor_stays_the_same(void **state)
{
	struct house *house = *state;
	int fd = tenf_session_fd(house->session);

	ask(house->session, TENF_TCP, 1024, 1024, true, false);
	wait_for(house->session, VERDICTS);
	assert_int_equal(tenf_session_fd(house->session), fd);
	/* The renewal, or what is left of asking NAT-PMP beside PCP. */
	assert_in_range(tenf_session_timeout_ms(house->session), 1, 4600000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_kept_mapping_is_made_told_and_removed, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_pair_gets_one_external_port, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_refusal_carries_result_and_text, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			insisting_on_a_port_that_is_not_allowed_ends_with_other_port, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(a_gateway_without_pcp_gives_by_natpmp, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_restart_shows_in_the_next_answer, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			a_lease_of_an_earlier_run_is_released_with_its_nonce, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_pair_of_an_earlier_run_goes_on_with_both_nonces,
						set_up, tear_down),
		cmocka_unit_test(a_silent_gateway_gets_its_verdict_within_the_time_out),
		cmocka_unit_test(what_was_asked_before_counts_and_the_verdict_tells_the_whole),
		cmocka_unit_test(a_closed_port_is_no_service_at_once),
		cmocka_unit_test_setup_teardown(
			what_cannot_be_meant_is_refused_before_anything_is_sent, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(a_mapping_with_filters_is_confirmed, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_filter_that_cannot_be_meant_is_refused, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(watching_tells_the_gateway_and_its_address,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_descriptor_stays_the_same, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
