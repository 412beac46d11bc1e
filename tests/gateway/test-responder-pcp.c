/* SPDX-License-Identifier: MIT */
/* RFC 6887, gateway: which datagrams are answered and how the answer looks. */
#include "house.h"

#include <string.h>

static const struct wish web = { .host = 20, .protocol = TENF_TCP, .internal = 8080,
				 .external = 10000, .lifetime_s = 3600, .nonce = 9 };

static void setup_house(struct house *h)
{
	house_init(h);
	house_start(h);
}

static void expect_error(const struct pcp_answer *a, uint8_t result, uint32_t lifetime_s)
{
	assert_int_equal(a->result, result);
	assert_int_equal(a->lifetime_s, lifetime_s);
}

/* The request as it went, to hold an error answer against. */
static size_t request_of(const struct wish *wish, uint8_t *ret)
{
	return house_write(wish, ret, 1200);
}

/* PCP-G-01: WAN, another network, another address of ours */
static void what_arrives_in_another_place_gets_no_answer(void **state)
{
	uint8_t data[1200];
	size_t len = request_of(&web, data);
	struct responder_counts counts;
	struct house h;
	struct responder_datagram in;
	struct responder_datagram good;

	(void)state;
	setup_house(&h);
	good = (struct responder_datagram){ .from = { house_host(20), 50000 },
					    .to = h.links[0].address, .interface = HOUSE_LAN,
					    .data = data, .len = len };
	in = good;
	in.interface = HOUSE_WAN;
	house_send_as(&h, &in);
	assert_int_equal(h.answers, 0);
	in = good;
	in.from.address = tenf_address_v4(0x0a000014);
	house_send_as(&h, &in);
	assert_int_equal(h.answers, 0);
	in = good;
	in.to.address = house_external;
	house_send_as(&h, &in);
	assert_int_equal(h.answers, 0);
	in = good;
	in.from.port = 0;
	house_send_as(&h, &in);
	assert_int_equal(h.answers, 0);
	assert_int_equal(house_count(&h), 0);
	responder_count(h.r, &counts);
	assert_int_equal(counts.dropped_place, 4);
	house_stop(&h);
}

/* PCP-G-02, PCP-G-04: too short to be one, or an answer */
static void what_is_no_request_is_dropped(void **state)
{
	const struct tenf_endpoint from = { house_host(20), 50000 };
	uint8_t data[1200];
	struct house h;

	(void)state;
	setup_house(&h);
	(void)request_of(&web, data);
	for (size_t len = 0; len < PCP_HEADER; len++) {
		house_send(&h, &from, data, len);
		assert_int_equal(h.answers, 0);
	}
	data[1] |= PCP_RESPONSE;
	house_send(&h, &from, data, PCP_MAP_SIZE);
	assert_int_equal(h.answers, 0);
	house_stop(&h);
}

/* PCP-G-03, PCP-G-07: even in two octets */
static void unknown_versions_are_answered_with_ours(void **state)
{
	const struct tenf_endpoint from = { house_host(20), 50000 };
	uint8_t data[2] = { 0, PCP_MAP };
	struct house h;

	(void)state;
	setup_house(&h);
	house_wait(&h, 77 * TENF_SECOND);
	for (unsigned version = 1; version < 256; version++) {
		struct pcp_answer a;

		if (version == PCP_VERSION)
			continue;
		data[0] = (uint8_t)version;
		house_send(&h, &from, data, sizeof(data));
		assert_int_equal(h.answers, 1);
		assert_int_equal(h.sent.len, 24);
		assert_int_equal(pcp_decode_answer(h.answer, h.sent.len, &a), TENF_OK);
		assert_int_equal(h.answer[0], 2);
		assert_int_equal(h.answer[1], PCP_RESPONSE | PCP_MAP);
		expect_error(&a, PCP_UNSUPP_VERSION, 1800);
		assert_int_equal(a.epoch_s, 77);
	}
	house_stop(&h);
}

/* PCP-G-05, PCP-G-06, PCP-G-10: 1101 octets are not 1100 */
static void wrong_lengths_are_malformed_requests(void **state)
{
	const struct tenf_endpoint from = { house_host(20), 50000 };
	static uint8_t data[RESPONDER_RECEIVE_MAX];
	struct house h;

	(void)state;
	setup_house(&h);
	(void)house_write(&web, data, sizeof(data));
	data[60] = 200; /* an option that is skipped, to the end of the packet */
	data[62] = (uint8_t)((1100 - 64) >> 8);
	data[63] = (uint8_t)((1100 - 64) & 0xff);
	for (size_t len = PCP_HEADER; len <= sizeof(data); len++) {
		bool good = len == PCP_MAP_SIZE || len == PCP_MAX;

		if (len > PCP_MAP_SIZE && len < PCP_MAX && len % 4 == 0)
			continue; /* an option overrun, which is tested elsewhere */
		house_send(&h, &from, data, len);
		assert_int_equal(h.answers, 1);
		assert_int_equal(h.answer[3], good ? PCP_SUCCESS : PCP_MALFORMED_REQUEST);
		assert_true(h.sent.len <= PCP_MAX);
		assert_int_equal(h.sent.len % 4, 0);
		if (!good)
			assert_memory_equal(h.answer + 24, data + 24,
					    len < PCP_MAX ? len - 24 : PCP_MAX - 24);
	}
	house_stop(&h);
}

/* PCP-G-08: ANNOUNCE too, and each of the sixteen octets */
static void the_header_address_is_the_source(void **state)
{
	const struct tenf_endpoint from = { house_host(20), 50000 };
	uint8_t data[1200];
	struct house h;

	(void)state;
	setup_house(&h);
	(void)request_of(&web, data);
	for (size_t octet = 0; octet < 16; octet++) {
		for (uint8_t opcode = PCP_ANNOUNCE; opcode <= PCP_MAP; opcode++) {
			data[1] = opcode;
			data[8 + octet] ^= 0x10;
			house_send(&h, &from, data, opcode == PCP_MAP ? PCP_MAP_SIZE : PCP_HEADER);
			data[8 + octet] ^= 0x10;
			assert_int_equal(h.answers, 1);
			assert_int_equal(h.answer[3], PCP_ADDRESS_MISMATCH);
		}
	}
	assert_int_equal(house_count(&h), 0);
	house_stop(&h);
}

/* PCP-G-07, PCP-G-09, PCP-G-10, PCP-G-13: the payload comes back */
static void unknown_opcodes_are_told(void **state)
{
	const struct tenf_endpoint from = { house_host(20), 50000 };
	uint8_t data[1200];
	struct pcp_answer a;
	struct house h;

	(void)state;
	setup_house(&h);
	(void)request_of(&web, data);
	for (uint8_t opcode = 2; opcode < 128; opcode++) {
		data[1] = opcode;
		house_send(&h, &from, data, PCP_PEER_SIZE);
		assert_int_equal(h.answers, 1);
		assert_int_equal(h.sent.len, PCP_PEER_SIZE);
		assert_int_equal(h.answer[1], PCP_RESPONSE | opcode);
		assert_memory_equal(h.answer + 24, data + 24, PCP_PEER_SIZE - 24);
		assert_int_equal(pcp_decode_answer(h.answer, h.sent.len, &a), TENF_OK);
		expect_error(&a, PCP_UNSUPP_OPCODE, 1800);
	}
	house_stop(&h);
}

/* PCP-G-18 */
static void reserved_fields_are_ignored(void **state)
{
	const struct tenf_endpoint from = { house_host(20), 50000 };
	uint8_t data[1200];
	struct house h;

	(void)state;
	setup_house(&h);
	(void)request_of(&web, data);
	memset(data + 2, 0xff, 2);
	memset(data + 37, 0xff, 3);
	house_send(&h, &from, data, PCP_MAP_SIZE);
	assert_int_equal(h.answer[3], PCP_SUCCESS);
	assert_int_equal(h.answer[2], 0);
	assert_memory_equal(h.answer + 37, "\0\0\0", 3);
	house_stop(&h);
}

/* PCP-G-19 */
static void protocol_0_with_a_port_is_malformed(void **state)
{
	struct wish wish = { .host = 20, .internal = 80, .lifetime_s = 3600 };
	struct pcp_answer a;
	struct house h;

	(void)state;
	setup_house(&h);
	a = house_pcp(&h, &wish);
	expect_error(&a, PCP_MALFORMED_REQUEST, 1800);
	wish.lifetime_s = 0;
	a = house_pcp(&h, &wish);
	expect_error(&a, PCP_MALFORMED_REQUEST, 1800);
	house_stop(&h);
}

/* PCP-G-20, PCP-G-21: all ports, all protocols, and every other protocol */
static void what_is_not_one_port_of_tcp_or_udp_is_unsupported(void **state)
{
	struct wish wish = web;
	struct house h;

	(void)state;
	setup_house(&h);
	for (unsigned protocol = 1; protocol < 256; protocol++) {
		bool served = protocol == TENF_TCP || protocol == TENF_UDP;

		wish.protocol = (enum tenf_protocol)protocol;
		assert_int_equal(house_pcp(&h, &wish).result,
				 served ? PCP_SUCCESS : PCP_UNSUPP_PROTOCOL);
	}
	wish.protocol = TENF_TCP;
	wish.internal = 0;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_UNSUPP_PROTOCOL);
	wish.protocol = (enum tenf_protocol)0;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_UNSUPP_PROTOCOL);
	assert_int_equal(house_count(&h), 2);
	house_stop(&h);
}

/* PCP-G-52 */
static void announce_is_answered_and_changes_nothing(void **state)
{
	static const uint8_t wanted[24] = { 2, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 90 };
	const struct tenf_endpoint from = { house_host(20), 50000 };
	uint8_t data[1200];
	struct house h;

	(void)state;
	setup_house(&h);
	house_wait(&h, 90 * TENF_SECOND);
	(void)request_of(&web, data);
	data[1] = PCP_ANNOUNCE;
	house_send(&h, &from, data, PCP_HEADER);
	assert_int_equal(h.sent.len, sizeof(wanted));
	assert_memory_equal(h.answer, wanted, sizeof(wanted));
	assert_int_equal(h.record.verdict, RESPONDER_ANSWERED);
	house_stop(&h);
}

/* PCP-G-55, PCP-G-13 */
static void without_an_external_address_there_is_a_network_failure(void **state)
{
	struct pcp_answer a;
	struct house h;

	(void)state;
	house_init(&h);
	h.config.external_address = tenf_address_none4;
	house_start(&h);
	a = house_pcp(&h, &web);
	expect_error(&a, PCP_NETWORK_FAILURE, 30);
	assert_int_equal(house_count(&h), 0);
	responder_set_external(h.r, &house_external, h.now);
	assert_int_equal(house_pcp(&h, &web).result, PCP_SUCCESS);
	house_stop(&h);
}

/* PCP-G-46: MAP off is the protocol off */
static void pcp_can_be_switched_off(void **state)
{
	const struct tenf_endpoint from = { house_host(20), 50000 };
	uint8_t data[1200];
	struct house h;

	(void)state;
	house_init(&h);
	h.config.pcp = false;
	house_start(&h);
	house_send(&h, &from, data, request_of(&web, data));
	assert_int_equal(h.answer[0], NATPMP_VERSION);
	assert_int_equal(h.answer[3], NATPMP_UNSUPP_VERSION);
	assert_int_equal(house_count(&h), 0);
	house_stop(&h);
}

/* PCP-G-59: from the address asked, of two on one link */
static void the_answer_leaves_from_the_address_asked(void **state)
{
	uint8_t data[1200];
	struct house h;
	struct responder_datagram in = { .from = { house_host(20), 50000 }, .data = data,
					 .interface = HOUSE_LAN };

	(void)state;
	house_init(&h);
	h.links[1] = h.links[0];
	h.links[1].address = (struct tenf_endpoint){ house_host(2), 5351 };
	house_start(&h);
	in.len = request_of(&web, data);
	for (size_t i = 0; i < 2; i++) {
		in.to = h.links[i].address;
		house_send_as(&h, &in);
		assert_int_equal(h.answers, 1);
		assert_true(tenf_endpoint_equal(&h.sent.from, &h.links[i].address));
		assert_true(tenf_endpoint_equal(&h.sent.to, &in.from));
	}
	house_stop(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_arrives_in_another_place_gets_no_answer),
		cmocka_unit_test(what_is_no_request_is_dropped),
		cmocka_unit_test(unknown_versions_are_answered_with_ours),
		cmocka_unit_test(wrong_lengths_are_malformed_requests),
		cmocka_unit_test(the_header_address_is_the_source),
		cmocka_unit_test(unknown_opcodes_are_told),
		cmocka_unit_test(reserved_fields_are_ignored),
		cmocka_unit_test(protocol_0_with_a_port_is_malformed),
		cmocka_unit_test(what_is_not_one_port_of_tcp_or_udp_is_unsupported),
		cmocka_unit_test(announce_is_answered_and_changes_nothing),
		cmocka_unit_test(without_an_external_address_there_is_a_network_failure),
		cmocka_unit_test(pcp_can_be_switched_off),
		cmocka_unit_test(the_answer_leaves_from_the_address_asked),
	};

	return cmocka_run_group_tests_name("gateway PCP", tests, NULL, NULL);
}
