/* SPDX-License-Identifier: MIT */
/* Messages and attributes of netlink stay within their bounds. */
#include "packets.h"

#include "host/messages.h"

#include <linux/netlink.h>
#include <string.h>

static void messages_and_attributes_come_one_after_the_other(void **state)
{
	struct packet p = { .len = 0 };
	struct tenf_reader datagram;
	struct host_message message;
	struct host_attribute attribute;
	uint32_t header = 7, number = 4711;
	char text[4];

	(void)state;
	packet_begin(&p, 20, &header, sizeof(header));
	packet_attribute(&p, 1, "abcdef", 7);
	packet_attribute(&p, 2 | NLA_F_NESTED, &number, sizeof(number));
	packet_begin(&p, 21, NULL, 0);
	datagram = tenf_reader_of(p.data, p.len);
	assert_true(host_message_next(&datagram, &message));
	assert_int_equal(message.type, 20);
	tenf_reader_skip(&message.body, sizeof(header));
	assert_true(host_attribute_next(&message.body, &attribute));
	host_attribute_text(&attribute, text, sizeof(text));
	assert_string_equal(text, "abc");
	assert_true(host_attribute_next(&message.body, &attribute));
	assert_int_equal(attribute.type, 2);
	assert_int_equal(host_attribute_u32(&attribute), 4711);
	assert_false(host_attribute_next(&message.body, &attribute));
	assert_true(host_message_next(&datagram, &message));
	assert_int_equal(message.type, 21);
	assert_int_equal(message.body.left, 0);
	assert_false(host_message_next(&datagram, &message));
}

static void a_length_that_lies_ends_the_reading(void **state)
{
	struct packet p = { .len = 0 };
	struct host_message message;
	struct tenf_reader datagram;
	uint32_t lies[] = { 0, 15, 17, UINT32_MAX };

	(void)state;
	packet_begin(&p, 20, NULL, 0);
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		memcpy(p.data, &lies[i], sizeof(lies[i]));
		datagram = tenf_reader_of(p.data, p.len);
		assert_false(host_message_next(&datagram, &message));
	}
}

static void a_number_that_is_too_short_is_zero(void **state)
{
	uint8_t octets[2] = { 1, 1 };
	struct host_attribute attribute = { 1, tenf_reader_of(octets, sizeof(octets)) };

	(void)state;
	assert_int_equal(host_attribute_u32(&attribute), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_and_attributes_come_one_after_the_other),
		cmocka_unit_test(a_length_that_lies_ends_the_reading),
		cmocka_unit_test(a_number_that_is_too_short_is_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
