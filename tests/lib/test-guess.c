/* SPDX-License-Identifier: MIT */
/*
 * Where it is uncertain who the gateway is: behind a tunnel without a next hop,
 * whose first address is a guess, and with the anycast address of RFC 7723. Both ends of
 * the tunnel are ours: what goes to the guess is read from the device.
 */
#include "netns.h"
#include "peer.h"

#include "wire/pcp.h"

#include <tenforward/tenforward.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define ANYCAST 0xc0000009u /* 192.0.0.9 */
#define PORT 5351
#define GUESS 0x0a080001u   /* 10.8.0.1 */
#define IP_HEADER 20
#define UDP_HEADER 8
#define ICMP_HEADER 8

/* 192.0.0.9 is an address of this host here, asked from the tunnel's own
 * address, as it would be through the tunnel. */
#define ANYCAST_IS_HERE                                                                 \
	"address add 192.0.0.9/32 dev lo\n"                                             \
	"route replace local 192.0.0.9 dev lo table local scope host src 10.8.0.2\n"

static int tunnel = -1;
static bool guess_is_closed;

static int set_up(void **state)
{
	(void)state;
	guess_is_closed = false;
	tunnel = netns_enter() ? netns_tun("tun0") : -1;
	if (tunnel < 0)
		return 0;
	assert_int_equal(fcntl(tunnel, F_SETFL, O_NONBLOCK), 0);
	assert_true(netns_ip("address add 10.8.0.2/24 dev tun0\n"
			     "route add default dev tun0\n" ANYCAST_IS_HERE));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (tunnel >= 0)
		close(tunnel);
	return 0;
}

#define NEEDS_TUNNEL()                \
	do {                          \
		if (tunnel < 0)       \
			skip();       \
	} while (0)

/* What a datagram would tell: nothing, or which port. */
static bool tells_a_port(const uint8_t *data, size_t len)
{
	if (len >= 8 && memcmp(data, "M-SEARCH", 8) == 0)
		return false;
	if (len >= 2 && data[0] == PCP_VERSION)
		return data[1] != PCP_ANNOUNCE;
	return len >= 2 && data[1] != 0;
}

struct seen {
	unsigned harmless;
	unsigned telling;
};

static void note(struct seen *seen, const uint8_t *data, size_t len)
{
	if (tells_a_port(data, len))
		seen->telling++;
	else
		seen->harmless++;
}

/* The datagrams that left for the guess. */
static struct seen sent_to_guess(void)
{
	struct seen seen = { 0, 0 };
	uint8_t packet[2048];
	ssize_t len;

	while ((len = read(tunnel, packet, sizeof(packet))) > 0) {
		uint32_t to;

		if (len < IP_HEADER + UDP_HEADER || packet[0] != 0x45 || packet[9] != IPPROTO_UDP)
			continue;
		memcpy(&to, packet + 16, sizeof(to));
		if (ntohl(to) == GUESS)
			note(&seen, packet + IP_HEADER + UDP_HEADER,
			     (size_t)len - IP_HEADER - UDP_HEADER);
	}
	return seen;
}

static uint16_t checksum(const uint8_t *data, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void put_checksum(uint8_t *at, const uint8_t *data, size_t len)
{
	uint16_t sum = checksum(data, len);

	at[0] = (uint8_t)(sum >> 8);
	at[1] = (uint8_t)sum;
}

/* The guess says of each datagram that its port is closed (RFC 792). */
static void refuse(void)
{
	uint8_t in[2048];
	ssize_t len;

	while ((len = read(tunnel, in, sizeof(in))) > 0) {
		uint8_t out[IP_HEADER + ICMP_HEADER + IP_HEADER + UDP_HEADER] = {
			0x45, [3] = sizeof(out), [8] = 64, [9] = IPPROTO_ICMP,
			[IP_HEADER] = 3, [IP_HEADER + 1] = 3,
		};

		if (len < IP_HEADER + UDP_HEADER || in[0] != 0x45 || in[9] != IPPROTO_UDP)
			continue;
		memcpy(out + 12, in + 16, 4); /* from whom it was for, to whom it was from */
		memcpy(out + 16, in + 12, 4);
		memcpy(out + IP_HEADER + ICMP_HEADER, in, IP_HEADER + UDP_HEADER);
		put_checksum(out + 10, out, IP_HEADER);
		put_checksum(out + IP_HEADER + 2, out + IP_HEADER, sizeof(out) - IP_HEADER);
		assert_int_equal(write(tunnel, out, sizeof(out)), sizeof(out));
	}
}

/* Somebody at the anycast address who never answers. */
static int open_silent(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(ANYCAST) },
				 .sin_port = htons(PORT) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static struct seen sent_to_silent(int fd)
{
	struct seen seen = { 0, 0 };
	uint8_t data[2048];
	ssize_t len;

	while ((len = recv(fd, data, sizeof(data), 0)) > 0)
		note(&seen, data, (size_t)len);
	return seen;
}

static struct tenf_options options_with(bool anycast, uint32_t timeout_ms)
{
	struct tenf_options options;

	tenf_options_init(&options);
	options.anycast = anycast;
	options.timeout_ms = timeout_ms;
	options.announcements = false;
	return options;
}

static int64_t steady_ms(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The verdict on one lease, and how long it took. */
static struct tenf_event verdict_of(const struct tenf_options *options, const uint8_t *nonce,
				    int64_t *ret_took_ms)
{
	struct tenf_session *session;
	struct tenf_request request;
	struct tenf_event event;
	int64_t started = steady_ms();
	uint32_t id;

	tenf_request_init(&request);
	request.internal_port = request.external_port = 8080;
	request.nonce = nonce;
	assert_int_equal(tenf_session_new(options, &session, NULL), TENF_OK);
	assert_int_equal(tenf_session_add(session, &request, &id), TENF_OK);
	for (;;) {
		struct pollfd fds[2] = {
			{ .fd = tenf_session_fd(session), .events = POLLIN },
			{ .fd = guess_is_closed ? tunnel : -1, .events = POLLIN },
		};

		assert_int_equal(tenf_session_process(session), TENF_OK);
		while (tenf_session_next_event(session, &event)) {
			if (event.mapping.id != id)
				continue;
			*ret_took_ms = steady_ms() - started;
			tenf_session_free(session);
			return event;
		}
		assert_true(poll(fds, 2, tenf_session_timeout_ms(session)) >= 0);
		if (guess_is_closed)
			refuse();
	}
}

/* PCP-C-50: the anycast address stands in for a guess that is silent, and who is silent
 * hears of no port. */
static void a_silent_guess_gives_way_to_the_anycast_address(void **state)
{
	struct tenf_options options = options_with(true, 4000);
	struct peer *peer;
	struct tenf_event event;
	struct seen seen;
	int64_t took_ms;

	(void)state;
	NEEDS_TUNNEL();
	peer = peer_start_at(ANYCAST, PORT);
	event = verdict_of(&options, NULL, &took_ms);
	assert_int_equal(event.kind, TENF_EVENT_MAPPED);
	assert_string_equal(event.mapping.gateway, "192.0.0.9");
	assert_string_equal(event.mapping.internal_address, "10.8.0.2");
	assert_in_range(took_ms, 0, 4000);
	assert_int_equal(peer_count(peer), 1);
	seen = sent_to_guess();
	assert_true(seen.harmless > 0);
	assert_int_equal(seen.telling, 0);
	peer_stop(peer);
}

static void a_lease_of_an_earlier_run_goes_on_behind_a_silent_guess(void **state)
{
	struct tenf_options options = options_with(true, 4000);
	struct peer *peer;
	struct tenf_event first;
	struct tenf_event second;
	int64_t took_ms;

	(void)state;
	NEEDS_TUNNEL();
	peer = peer_start_at(ANYCAST, PORT);
	first = verdict_of(&options, NULL, &took_ms);
	assert_int_equal(first.kind, TENF_EVENT_MAPPED);
	second = verdict_of(&options, first.mapping.nonce, &took_ms);
	assert_int_equal(second.kind, TENF_EVENT_MAPPED);
	assert_memory_equal(second.mapping.nonce, first.mapping.nonce, TENF_NONCE_SIZE);
	assert_int_equal(peer_count(peer), 1);
	peer_stop(peer);
}

/* PCP-C-50: with a switch. */
static void without_the_switch_the_guess_alone_is_asked(void **state)
{
	struct tenf_options options = options_with(false, 300);
	struct tenf_event event;
	int64_t took_ms;
	int fd;

	(void)state;
	NEEDS_TUNNEL();
	fd = open_silent();
	event = verdict_of(&options, NULL, &took_ms);
	assert_int_equal(event.kind, TENF_EVENT_LOST);
	assert_int_equal(event.mapping.error.reason, TENF_REASON_SILENT);
	assert_non_null(strstr(event.mapping.error.text, "No answer from 10.8.0.1 "));
	assert_true(sent_to_guess().telling > 0);
	assert_int_equal(sent_to_silent(fd).harmless, 0);
	close(fd);
}

static void when_nobody_answers_the_verdict_names_the_guess_in_time(void **state)
{
	struct tenf_options options = options_with(true, 400);
	struct tenf_event event;
	struct seen seen;
	int64_t took_ms;
	int fd;

	(void)state;
	NEEDS_TUNNEL();
	fd = open_silent();
	event = verdict_of(&options, NULL, &took_ms);
	assert_int_equal(event.kind, TENF_EVENT_LOST);
	assert_int_equal(event.mapping.error.reason, TENF_REASON_SILENT);
	assert_non_null(strstr(event.mapping.error.text, "No answer from 10.8.0.1 "));
	assert_in_range(took_ms, 400, 2000);
	seen = sent_to_silent(fd);
	assert_true(seen.harmless > 0);
	assert_int_equal(seen.telling, 0);
	close(fd);
}

/* Port unreachable at the anycast address: the guess is left over. */
static void a_closed_port_at_the_anycast_address_leaves_the_guess(void **state)
{
	struct tenf_options options = options_with(true, 300);
	struct tenf_event event;
	int64_t took_ms;

	(void)state;
	NEEDS_TUNNEL();
	event = verdict_of(&options, NULL, &took_ms);
	assert_int_equal(event.mapping.error.reason, TENF_REASON_SILENT);
	assert_non_null(strstr(event.mapping.error.text, "No answer from 10.8.0.1 "));
}

/* Port unreachable at the guess: on to the anycast address without waiting for more. */
static void a_guess_whose_port_is_closed_gives_way_at_once(void **state)
{
	struct tenf_options options = options_with(true, 60000);
	struct peer *peer;
	struct tenf_event event;
	int64_t took_ms;

	(void)state;
	NEEDS_TUNNEL();
	peer = peer_start_at(ANYCAST, PORT);
	guess_is_closed = true;
	event = verdict_of(&options, NULL, &took_ms);
	assert_int_equal(event.kind, TENF_EVENT_MAPPED);
	assert_string_equal(event.mapping.gateway, "192.0.0.9");
	assert_in_range(took_ms, 0, 5000); /* an eighth of the time-out is 7500 */
	peer_stop(peer);
}

/* The user's word is the last. */
static void a_gateway_that_was_named_is_never_left(void **state)
{
	struct tenf_options options = options_with(true, 300);
	struct peer *peer;
	struct tenf_event event;
	int64_t took_ms;

	(void)state;
	NEEDS_TUNNEL();
	peer = peer_start_at(ANYCAST, PORT);
	options.gateway = "10.8.0.1";
	event = verdict_of(&options, NULL, &took_ms);
	assert_int_equal(event.kind, TENF_EVENT_LOST);
	assert_non_null(strstr(event.mapping.error.text, "No answer from 10.8.0.1 "));
	assert_int_equal(peer_count(peer), 0);
	peer_stop(peer);
}

/* PCP-C-50: ports are told to the anycast address when somebody has answered there. */
static void the_anycast_address_alone_hears_of_no_port_before_it_answers(void **state)
{
	struct tenf_options options = options_with(true, 300);
	struct tenf_event event;
	struct seen seen;
	int64_t took_ms;
	int fd;

	(void)state;
	NEEDS_TUNNEL();
	assert_true(netns_ip("route del default\n"));
	fd = open_silent();
	event = verdict_of(&options, NULL, &took_ms);
	assert_int_equal(event.kind, TENF_EVENT_LOST);
	assert_true(event.mapping.error.reason == TENF_REASON_SILENT ||
		    event.mapping.error.reason == TENF_REASON_NO_GATEWAY);
	assert_in_range(took_ms, 250, 2000);
	seen = sent_to_silent(fd);
	assert_true(seen.harmless > 0);
	assert_int_equal(seen.telling, 0);
	close(fd);
}

static void the_anycast_address_alone_serves_where_there_is_no_route(void **state)
{
	struct tenf_options options = options_with(true, 4000);
	struct peer *peer;
	struct tenf_event event;
	int64_t took_ms;

	(void)state;
	NEEDS_TUNNEL();
	assert_true(netns_ip("route del default\n"));
	peer = peer_start_at(ANYCAST, PORT);
	event = verdict_of(&options, NULL, &took_ms);
	assert_int_equal(event.kind, TENF_EVENT_MAPPED);
	assert_string_equal(event.mapping.gateway, "192.0.0.9");
	peer_stop(peer);
}

static void finding_the_gateway_finds_the_one_a_session_would_use(void **state)
{
	struct tenf_options options = options_with(true, 4000);
	struct tenf_gateway gateway;
	struct tenf_error error;
	struct peer *peer;

	(void)state;
	NEEDS_TUNNEL();
	peer = peer_start_at(ANYCAST, PORT);
	assert_int_equal(tenf_find_gateway(&options, &gateway, &error), TENF_OK);
	assert_string_equal(gateway.address, "192.0.0.9");
	assert_int_equal(gateway.origin, TENF_ORIGIN_ANYCAST);
	assert_int_equal(gateway.spoken_count, 2);
	peer_stop(peer);

	options.timeout_ms = 200;
	assert_int_equal(tenf_find_gateway(&options, &gateway, &error), TENF_E_FAILED);
	assert_string_equal(gateway.address, "10.8.0.1");
	assert_int_equal(error.reason, TENF_REASON_SILENT);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_silent_guess_gives_way_to_the_anycast_address),
		CASE(a_lease_of_an_earlier_run_goes_on_behind_a_silent_guess),
		CASE(without_the_switch_the_guess_alone_is_asked),
		CASE(when_nobody_answers_the_verdict_names_the_guess_in_time),
		CASE(a_closed_port_at_the_anycast_address_leaves_the_guess),
		CASE(a_guess_whose_port_is_closed_gives_way_at_once),
		CASE(a_gateway_that_was_named_is_never_left),
		CASE(the_anycast_address_alone_hears_of_no_port_before_it_answers),
		CASE(the_anycast_address_alone_serves_where_there_is_no_route),
		CASE(finding_the_gateway_finds_the_one_a_session_would_use),
	};

	return cmocka_run_group_tests_name("guess", tests, NULL, NULL);
}
