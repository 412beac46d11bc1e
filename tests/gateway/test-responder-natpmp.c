/* SPDX-License-Identifier: MIT */
/* RFC 6886, gateway: what the answers look like and what a request does. */
#include "house.h"

#include <string.h>

static void setup_house(struct house *h)
{
	house_init(h);
	house_start(h);
}

static void send_bytes(struct house *h, unsigned host, const char *bytes, size_t len)
{
	const struct tenf_endpoint from = { house_host(host), 50000 };

	house_send(h, &from, (const uint8_t *)bytes, len);
}

static void expect_error(const struct natpmp_answer *a, uint16_t result, uint16_t internal)
{
	assert_int_equal(a->result, result);
	assert_int_equal(a->internal_port, internal);
	assert_int_equal(a->external_port, 0);
	assert_int_equal(a->lifetime_s, 0);
}

/* NP-G-01, NP-G-03, NP-G-14: the whole answer, from the address that was asked */
static void an_address_request_is_answered_with_address_and_epoch(void **state)
{
	static const uint8_t wanted[] = { 0, 128, 0, 0, 0, 0, 0, 42, 203, 0, 113, 7 };
	struct house h;

	(void)state;
	setup_house(&h);
	house_wait(&h, 42 * TENF_SECOND + TENF_SECOND / 2);
	send_bytes(&h, 20, "\0\0", 2);
	assert_int_equal(h.answers, 1);
	assert_int_equal(h.sent.len, sizeof(wanted));
	assert_memory_equal(h.answer, wanted, sizeof(wanted));
	assert_true(tenf_endpoint_equal(&h.sent.from, &h.links[0].address));
	assert_int_equal(h.sent.from.port, 5351);
	assert_int_equal(h.sent.interface, HOUSE_LAN);
	house_stop(&h);
}

/* NP-G-02, NP-G-13, NP-G-14: nothing is installed either */
static void without_an_external_address_there_is_a_network_failure(void **state)
{
	static const uint8_t wanted[] = { 0, 128, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0 };
	struct natpmp_answer a;
	struct house h;

	(void)state;
	house_init(&h);
	h.config.external_address = tenf_address_none4;
	house_start(&h);
	send_bytes(&h, 20, "\0\0", 2);
	assert_int_equal(h.sent.len, sizeof(wanted));
	assert_memory_equal(h.answer, wanted, sizeof(wanted));
	a = house_natpmp(&h, 20, TENF_TCP, 80, 8080, 60);
	expect_error(&a, NATPMP_NETWORK_FAILURE, 80);
	assert_int_equal(house_count(&h), 0);
	house_stop(&h);
}

/* NP-G-06, NP-G-07: by length and by the answer bit */
static void what_is_too_short_or_an_answer_is_dropped(void **state)
{
	static const char map[12] = { 0, 1, 0, 0, 0x13, (char)0xc4, 0x13, (char)0xc4, 0, 0, 1, 0 };
	char answer[16] = { 0, (char)129 };
	struct responder_counts counts;
	struct house h;

	(void)state;
	setup_house(&h);
	for (size_t len = 0; len < sizeof(map); len++) {
		send_bytes(&h, 20, map, len);
		assert_int_equal(h.answers, 0);
	}
	for (int opcode = 128; opcode < 256; opcode++) {
		answer[1] = (char)opcode;
		send_bytes(&h, 20, answer, sizeof(answer));
		assert_int_equal(h.answers, 0);
	}
	assert_int_equal(house_count(&h), 0);
	responder_count(h.r, &counts);
	assert_int_equal(counts.dropped_bytes, sizeof(map) + 128);
	house_stop(&h);
}

/* NP-G-08: the request comes back with the epoch in octets 4 to 7 */
static void unknown_opcodes_are_echoed(void **state)
{
	static const uint8_t wanted[] = { 0, 131, 0, 5, 0, 0, 0, 7, 'e', 'f' };
	struct house h;

	(void)state;
	setup_house(&h);
	house_wait(&h, 7 * TENF_SECOND);
	send_bytes(&h, 20, "\0\003abcdef", 8 + 2 - 2);
	assert_int_equal(h.sent.len, 8);
	assert_memory_equal(h.answer, wanted, 8);
	send_bytes(&h, 20, "\0\003......ef", 10);
	assert_int_equal(h.sent.len, 10);
	assert_memory_equal(h.answer, wanted, 10);
	send_bytes(&h, 20, "\0\177", 2);
	assert_int_equal(h.sent.len, 8);
	assert_int_equal(h.answer[1], 255);
	house_stop(&h);
}

/* NP-G-09: eight octets, as erratum 3618 has them */
static void other_versions_without_pcp_get_unsupported_version(void **state)
{
	static const uint8_t wanted[] = { 0, 128, 0, 1, 0, 0, 0, 0 };
	struct house h;

	(void)state;
	house_init(&h);
	h.config.pcp = false;
	house_start(&h);
	send_bytes(&h, 20, "\2\1ABCDEFGHIJKLMNOPQRSTUVWXYZ", 24);
	assert_int_equal(h.sent.len, sizeof(wanted));
	assert_memory_equal(h.answer, wanted, sizeof(wanted));
	send_bytes(&h, 20, "\1\1", 2);
	assert_int_equal(h.sent.len, sizeof(wanted));
	send_bytes(&h, 20, "\2\201", 2);
	assert_int_equal(h.answers, 0);
	house_stop(&h);
}

/* NP-G-10 */
static void reserved_octets_are_ignored(void **state)
{
	struct house h;

	(void)state;
	setup_house(&h);
	send_bytes(&h, 20, "\0\2\377\377\037\220\037\220\0\0\0\074", 12);
	assert_int_equal(h.answers, 1);
	assert_non_null(house_find(&h, TENF_TCP, 8080));
	house_stop(&h);
}

/* NP-G-11, NP-G-12, NP-G-14 */
static void a_map_request_opens_the_port_of_its_sender(void **state)
{
	static const uint8_t wanted[] = { 0, 130, 0, 0, 0, 0, 0, 5, 0x1f, 0x90, 0x27, 0x10, 0, 0,
					  0x1c, 0x20 };
	const struct ledger_mapping *m;
	struct tenf_address sender = house_host(20);
	struct house h;

	(void)state;
	setup_house(&h);
	house_wait(&h, 5 * TENF_SECOND);
	(void)house_natpmp(&h, 20, TENF_TCP, 8080, 10000, 7200);
	assert_memory_equal(h.answer, wanted, sizeof(wanted));
	m = house_find(&h, TENF_TCP, 10000);
	assert_non_null(m);
	assert_true(tenf_address_equal(&m->internal_address, &sender));
	assert_int_equal(m->internal_port, 8080);
	assert_int_equal(h.record.verdict, RESPONDER_GRANTED);
	assert_int_equal(h.record.rule, 0);
	assert_int_equal(h.installs, 1);
	house_stop(&h);
}

/* NP-G-15, NP-G-20: TCP 9000 of another host keeps both away */
static void a_taken_port_is_answered_with_another_one(void **state)
{
	struct natpmp_answer a;
	struct house h;

	(void)state;
	setup_house(&h);
	(void)house_natpmp(&h, 30, TENF_TCP, 9000, 9000, 60);
	a = house_natpmp(&h, 20, TENF_TCP, 9000, 9000, 60);
	assert_int_equal(a.result, 0);
	assert_int_not_equal(a.external_port, 9000);
	a = house_natpmp(&h, 20, TENF_UDP, 9000, 9000, 60);
	assert_int_equal(a.result, 0);
	assert_int_not_equal(a.external_port, 9000);
	house_stop(&h);
}

/* NP-G-19, NP-G-20: the owner has its twin, which nobody opened before */
static void the_twin_is_neither_opened_nor_lost(void **state)
{
	struct natpmp_answer a;
	struct house h;

	(void)state;
	setup_house(&h);
	(void)house_natpmp(&h, 20, TENF_TCP, 9000, 9000, 60);
	assert_null(house_find(&h, TENF_UDP, 9000));
	assert_int_equal(house_count(&h), 1);
	a = house_natpmp(&h, 20, TENF_UDP, 7777, 9000, 60);
	assert_int_equal(a.external_port, 9000);
	assert_int_equal(house_count(&h), 2);
	house_stop(&h);
}

/* NP-G-16 */
static void no_wish_gets_a_high_port(void **state)
{
	struct house h;

	(void)state;
	setup_house(&h);
	for (uint16_t port = 1; port < 200; port++)
		assert_true(house_natpmp(&h, 20, TENF_UDP, port, 0, 60).external_port >= 49152);
	house_stop(&h);
}

/* NP-G-17, NP-G-18 */
static void a_repeated_request_leaves_one_mapping_and_its_port(void **state)
{
	struct house h;

	(void)state;
	setup_house(&h);
	for (uint16_t i = 0; i < 20; i++) {
		struct natpmp_answer a =
			house_natpmp(&h, 20, TENF_TCP, 8080, (uint16_t)(10000 + i), 60);

		assert_int_equal(a.external_port, 10000);
		assert_int_equal(house_count(&h), 1);
	}
	assert_int_equal(h.record.verdict, RESPONDER_RENEWED);
	assert_int_equal(h.installs, 1);
	assert_int_equal(h.renewals, 19);
	house_stop(&h);
}

/* NP-G-21, NP-G-22: one second is granted as one second */
static void the_lease_is_what_was_asked_up_to_the_maximum(void **state)
{
	struct house h;

	(void)state;
	setup_house(&h);
	assert_int_equal(house_natpmp(&h, 20, TENF_TCP, 1, 0, 1).lifetime_s, 1);
	assert_int_equal(house_natpmp(&h, 20, TENF_TCP, 2, 0, 7200).lifetime_s, 7200);
	assert_int_equal(house_natpmp(&h, 20, TENF_TCP, 3, 0, UINT32_MAX).lifetime_s,
			 RESPONDER_LIFETIME_MAX_S);
	house_stop(&h);
}

/* NP-G-23 */
static void a_mapping_is_gone_when_its_lease_is_over(void **state)
{
	struct house h;

	(void)state;
	setup_house(&h);
	(void)house_natpmp(&h, 20, TENF_TCP, 8080, 10000, 60);
	house_wait(&h, 60 * TENF_SECOND - 1);
	assert_int_equal(house_count(&h), 1);
	assert_int_equal(responder_deadline(h.r), h.now + 1);
	house_wait(&h, 1);
	assert_int_equal(house_count(&h), 0);
	assert_int_equal(h.removals, 1);
	assert_int_equal(h.record.verdict, RESPONDER_EXPIRED);
	house_stop(&h);
}

/* NP-G-24, NP-G-25, NP-G-26: the same answer with and without a mapping */
static void a_deletion_is_answered_the_same_whatever_was_there(void **state)
{
	uint8_t first[16];
	struct house h;

	(void)state;
	setup_house(&h);
	(void)house_natpmp(&h, 20, TENF_TCP, 8080, 10000, 60);
	(void)house_natpmp(&h, 20, TENF_TCP, 8080, 4711, 0);
	memcpy(first, h.answer, sizeof(first));
	assert_int_equal(house_count(&h), 0);
	assert_int_equal(h.record.verdict, RESPONDER_REMOVED);
	assert_int_equal(h.record.count, 1);
	(void)house_natpmp(&h, 20, TENF_TCP, 8080, 0, 0);
	assert_memory_equal(h.answer, first, sizeof(first));
	assert_int_equal(h.record.count, 0);
	assert_memory_equal(first, "\0\202\0\0\0\0\0\0\037\220\0\0\0\0\0\0", 16);
	house_stop(&h);
}

/* NP-G-27 */
static void delete_all_takes_the_senders_of_one_protocol(void **state)
{
	struct natpmp_answer a;
	struct house h;

	(void)state;
	setup_house(&h);
	for (uint16_t port = 1000; port < 1010; port++) {
		(void)house_natpmp(&h, 20, TENF_TCP, port, port, 600);
		(void)house_natpmp(&h, 20, TENF_UDP, port, port, 600);
		(void)house_natpmp(&h, 30, TENF_UDP, port, 0, 600);
	}
	a = house_natpmp(&h, 20, TENF_UDP, 0, 0, 0);
	assert_int_equal(a.result, 0);
	assert_int_equal(a.internal_port, 0);
	assert_int_equal(h.record.count, 10);
	assert_int_equal(house_count(&h), 20);
	assert_non_null(house_find(&h, TENF_TCP, 1000));
	assert_null(house_find(&h, TENF_UDP, 1000));
	house_stop(&h);
}

static void add_static(struct house *h, unsigned host, uint16_t port)
{
	const struct tenf_endpoint internal = { house_host(host), port };

	assert_int_equal(responder_add_static(h->r, TENF_TCP, &internal, port, h->now), TENF_OK);
	house_turn(h);
}

/* NP-G-28, NP-G-29 */
static void static_mappings_stay_and_the_sender_is_told(void **state)
{
	struct natpmp_answer a;
	struct house h;

	(void)state;
	setup_house(&h);
	add_static(&h, 20, 2222);
	(void)house_natpmp(&h, 20, TENF_TCP, 8080, 8080, 600);
	a = house_natpmp(&h, 20, TENF_TCP, 2222, 0, 0);
	expect_error(&a, NATPMP_NOT_AUTHORIZED, 2222);
	assert_int_equal(house_count(&h), 2);
	a = house_natpmp(&h, 20, TENF_TCP, 2222, 5000, 600);
	assert_int_equal(a.result, 0);
	assert_int_equal(a.external_port, 2222);
	a = house_natpmp(&h, 20, TENF_TCP, 0, 0, 0);
	expect_error(&a, NATPMP_NOT_AUTHORIZED, 0);
	assert_int_equal(house_count(&h), 1);
	assert_non_null(house_find(&h, TENF_TCP, 2222));
	house_wait(&h, 100000 * TENF_SECOND);
	assert_int_equal(house_count(&h), 1);
	house_stop(&h);
}

/* NP-G-39: asked for, or left to chance */
static void the_ports_of_the_protocol_are_never_mapped(void **state)
{
	struct house h;

	(void)state;
	house_init(&h);
	h.rules[0].external = (struct policy_ports){ { { 5350, 5352 } }, 1 };
	house_start(&h);
	assert_int_equal(house_natpmp(&h, 20, TENF_UDP, 5351, 5351, 60).external_port, 5352);
	assert_int_equal(house_natpmp(&h, 20, TENF_UDP, 5350, 5350, 60).result,
			 NATPMP_OUT_OF_RESOURCES);
	assert_int_equal(house_natpmp(&h, 20, TENF_TCP, 5350, 5350, 60).external_port, 5350);
	house_stop(&h);
}

/* NP-G-13, NP-G-40 */
static void internal_port_0_with_a_lifetime_is_refused(void **state)
{
	struct natpmp_answer a;
	struct house h;

	(void)state;
	setup_house(&h);
	a = house_natpmp(&h, 20, TENF_TCP, 0, 8080, 60);
	expect_error(&a, NATPMP_NOT_AUTHORIZED, 0);
	assert_int_equal(house_count(&h), 0);
	house_stop(&h);
}

/* NP-G-41: neither renewed nor removed without the nonce, alone or with all */
static void a_mapping_of_pcp_is_told_but_not_touched(void **state)
{
	const struct wish wish = { .host = 20, .protocol = TENF_TCP, .internal = 8080,
				   .external = 10000, .lifetime_s = 600, .nonce = 9 };
	struct natpmp_answer a;
	struct house h;

	(void)state;
	setup_house(&h);
	(void)house_pcp(&h, &wish);
	house_wait(&h, 100 * TENF_SECOND);
	a = house_natpmp(&h, 20, TENF_TCP, 8080, 5000, 7200);
	assert_int_equal(a.result, 0);
	assert_int_equal(a.external_port, 10000);
	assert_int_equal(a.lifetime_s, 500);
	assert_int_equal(house_natpmp(&h, 20, TENF_TCP, 8080, 5000, 60).lifetime_s, 60);
	a = house_natpmp(&h, 20, TENF_TCP, 8080, 0, 0);
	expect_error(&a, NATPMP_NOT_AUTHORIZED, 8080);
	a = house_natpmp(&h, 20, TENF_TCP, 0, 0, 0);
	assert_int_equal(a.result, 0);
	assert_int_equal(house_count(&h), 1);
	assert_int_equal(h.renewals, 0);
	house_wait(&h, 500 * TENF_SECOND);
	assert_int_equal(house_count(&h), 0);
	house_stop(&h);
}

/* NP-G-43 */
static void a_host_over_its_limit_is_out_of_resources(void **state)
{
	struct natpmp_answer a;
	struct house h;

	(void)state;
	house_init(&h);
	h.rules[0].mappings_max = 3;
	house_start(&h);
	for (uint16_t port = 1; port <= 3; port++)
		assert_int_equal(house_natpmp(&h, 20, TENF_TCP, port, 0, 60).result, 0);
	a = house_natpmp(&h, 20, TENF_TCP, 4, 0, 60);
	expect_error(&a, NATPMP_OUT_OF_RESOURCES, 4);
	assert_int_equal(house_natpmp(&h, 20, TENF_TCP, 3, 0, 60).result, 0);
	assert_int_equal(house_natpmp(&h, 30, TENF_TCP, 4, 0, 60).result, 0);
	house_stop(&h);
}

/* NP-G-44: over IPv6, and with NAT-PMP off, the answer is PCP's */
static void version_0_elsewhere_is_answered_by_pcp(void **state)
{
	const struct tenf_endpoint from = { house_v6("2001:db8:1::20"), 50000 };
	struct house h;

	(void)state;
	setup_house(&h);
	house_send(&h, &from, (const uint8_t *)"\0\0", 2);
	assert_int_equal(h.sent.len, 24);
	assert_int_equal(h.answer[0], 2);
	assert_int_equal(h.answer[1], 128);
	assert_int_equal(h.answer[3], PCP_UNSUPP_VERSION);
	house_stop(&h);
	house_init(&h);
	h.config.natpmp = false;
	house_start(&h);
	send_bytes(&h, 20, "\0\1\0\0\0\1\0\1\0\0\0\1", 12);
	assert_int_equal(h.sent.len, 24);
	assert_int_equal(h.answer[1], 129);
	house_stop(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_request_is_answered_with_address_and_epoch),
		cmocka_unit_test(without_an_external_address_there_is_a_network_failure),
		cmocka_unit_test(what_is_too_short_or_an_answer_is_dropped),
		cmocka_unit_test(unknown_opcodes_are_echoed),
		cmocka_unit_test(other_versions_without_pcp_get_unsupported_version),
		cmocka_unit_test(reserved_octets_are_ignored),
		cmocka_unit_test(a_map_request_opens_the_port_of_its_sender),
		cmocka_unit_test(a_taken_port_is_answered_with_another_one),
		cmocka_unit_test(the_twin_is_neither_opened_nor_lost),
		cmocka_unit_test(no_wish_gets_a_high_port),
		cmocka_unit_test(a_repeated_request_leaves_one_mapping_and_its_port),
		cmocka_unit_test(the_lease_is_what_was_asked_up_to_the_maximum),
		cmocka_unit_test(a_mapping_is_gone_when_its_lease_is_over),
		cmocka_unit_test(a_deletion_is_answered_the_same_whatever_was_there),
		cmocka_unit_test(delete_all_takes_the_senders_of_one_protocol),
		cmocka_unit_test(static_mappings_stay_and_the_sender_is_told),
		cmocka_unit_test(the_ports_of_the_protocol_are_never_mapped),
		cmocka_unit_test(internal_port_0_with_a_lifetime_is_refused),
		cmocka_unit_test(a_mapping_of_pcp_is_told_but_not_touched),
		cmocka_unit_test(a_host_over_its_limit_is_out_of_resources),
		cmocka_unit_test(version_0_elsewhere_is_answered_by_pcp),
	};

	return cmocka_run_group_tests_name("gateway NAT-PMP", tests, NULL, NULL);
}
