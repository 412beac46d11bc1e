/* SPDX-License-Identifier: MIT */
#include "net/rtnl.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void count(const struct nlmsghdr *message, void *context)
{
	if (message->nlmsg_type == RTM_NEWLINK)
		++*(unsigned *)context;
}

static union net_rtnl_request *ask_links(union net_rtnl_request *request, int ifindex)
{
	struct ifinfomsg *header = net_rtnl_begin(request, RTM_GETLINK, sizeof(*header));

	header->ifi_index = ifindex;
	return request;
}

static void one_object_is_told_once(void **state)
{
	union net_rtnl_request request;
	struct net_rtnl rtnl;
	unsigned told = 0;

	(void)state;
	assert_int_equal(net_rtnl_open(&rtnl), 0);
	ask_links(&request, (int)if_nametoindex("lo"));
	assert_int_equal(net_rtnl_get(&rtnl, &request, count, &told), 0);
	assert_int_equal(told, 1);
	net_rtnl_close(&rtnl);
}

static void what_is_not_there_is_an_error_and_the_next_question_is_answered(void **state)
{
	union net_rtnl_request request;
	struct net_rtnl rtnl;
	unsigned told = 0;

	(void)state;
	assert_int_equal(net_rtnl_open(&rtnl), 0);
	ask_links(&request, 0x7ffffff0);
	assert_int_equal(net_rtnl_get(&rtnl, &request, count, &told), ENODEV);
	assert_int_equal(told, 0);
	ask_links(&request, (int)if_nametoindex("lo"));
	assert_int_equal(net_rtnl_get(&rtnl, &request, count, &told), 0);
	assert_int_equal(told, 1);
	net_rtnl_close(&rtnl);
}

static void a_dump_tells_all_of_them_and_can_be_repeated(void **state)
{
	union net_rtnl_request request;
	struct if_nameindex *names = if_nameindex();
	struct net_rtnl rtnl;
	unsigned there = 0;
	unsigned told = 0;

	(void)state;
	assert_non_null(names);
	while (names[there].if_index != 0)
		there++;
	if_freenameindex(names);
	assert_int_equal(net_rtnl_open(&rtnl), 0);
	for (int i = 0; i < 2; i++) {
		told = 0;
		ask_links(&request, 0);
		assert_int_equal(net_rtnl_dump(&rtnl, &request, count, &told), 0);
		assert_int_equal(told, there);
	}
	net_rtnl_close(&rtnl);
}

static void attributes_end_where_the_octets_end(void **state)
{
	/* Two attributes, lengths 5 and 8, and the padding of the first. */
	_Alignas(struct nlattr) uint8_t octets[16] = { 0 };
	struct net_rtnl_attributes attributes;
	const struct nlattr *attribute;
	uint16_t length = 5;
	uint16_t type = 3;

	(void)state;
	memcpy(octets, &length, 2);
	memcpy(octets + 2, &type, 2);
	octets[4] = 'x';
	length = 8;
	type = 4;
	memcpy(octets + 8, &length, 2);
	memcpy(octets + 10, &type, 2);
	for (size_t len = 0; len <= sizeof(octets); len++) {
		attributes = (struct net_rtnl_attributes){ (const char *)octets, len };
		attribute = net_rtnl_next(&attributes);
		if (len < 5) {
			assert_null(attribute);
			continue;
		}
		assert_int_equal(mnl_attr_get_type(attribute), 3);
		assert_int_equal(mnl_attr_get_payload_len(attribute), 1);
		attribute = net_rtnl_next(&attributes);
		assert_true((attribute != NULL) == (len == 16));
		assert_null(net_rtnl_next(&attributes));
	}
}

static void an_attribute_shorter_than_its_header_ends_them(void **state)
{
	_Alignas(struct nlattr) uint8_t octets[8] = { 0 };
	struct net_rtnl_attributes attributes = { (const char *)octets, sizeof(octets) };

	(void)state;
	assert_null(net_rtnl_next(&attributes));
}

static void a_message_without_room_for_its_header_has_no_attributes(void **state)
{
	union net_rtnl_request request;
	struct net_rtnl_attributes attributes;

	(void)state;
	(void)net_rtnl_begin(&request, RTM_GETLINK, 4);
	attributes = net_rtnl_attributes_of(&request.header, sizeof(struct ifinfomsg));
	assert_null(net_rtnl_next(&attributes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_object_is_told_once),
		cmocka_unit_test(
			what_is_not_there_is_an_error_and_the_next_question_is_answered),
		cmocka_unit_test(a_dump_tells_all_of_them_and_can_be_repeated),
		cmocka_unit_test(attributes_end_where_the_octets_end),
		cmocka_unit_test(an_attribute_shorter_than_its_header_ends_them),
		cmocka_unit_test(a_message_without_room_for_its_header_has_no_attributes),
	};

	return cmocka_run_group_tests_name("rtnl", tests, NULL, NULL);
}
