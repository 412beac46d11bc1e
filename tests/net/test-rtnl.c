/* SPDX-License-Identifier: MIT */
#include "net/rtnl.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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
	assert_int_equal(net_rtnl_open(NULL, &rtnl), 0);
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
	assert_int_equal(net_rtnl_open(NULL, &rtnl), 0);
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
	assert_int_equal(net_rtnl_open(NULL, &rtnl), 0);
	for (int i = 0; i < 2; i++) {
		told = 0;
		ask_links(&request, 0);
		assert_int_equal(net_rtnl_dump(&rtnl, &request, count, &told), 0);
		assert_int_equal(told, there);
	}
	net_rtnl_close(&rtnl);
}

/* ---- a kernel that says what the test wants ------------------------------------- */

static struct net_rtnl fake;
static int kernel_side;

static void fake_kernel(void)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	fake = (struct net_rtnl){ .fd = ends[0], .sequence = 41 };
	kernel_side = ends[1];
}

static void fake_done(void)
{
	net_rtnl_close(&fake);
	close(kernel_side);
}

/* One datagram with one message that carries a number. */
static void say(uint16_t type, uint16_t flags, uint32_t sequence, int number)
{
	struct {
		struct nlmsghdr header;
		int number;
	} message = { { .nlmsg_len = sizeof(message), .nlmsg_type = type, .nlmsg_flags = flags,
			.nlmsg_seq = sequence },
		      number };

	assert_int_equal(send(kernel_side, &message, sizeof(message), 0), sizeof(message));
}

static int dump_from_fake(unsigned *ret_told)
{
	union net_rtnl_request request;

	*ret_told = 0;
	return net_rtnl_dump(&fake, ask_links(&request, 0), count, ret_told);
}

static void a_dump_that_was_interrupted_is_read_to_its_end_and_says_so(void **state)
{
	unsigned told;

	(void)state;
	fake_kernel();
	say(RTM_NEWLINK, NLM_F_MULTI, 42, 0);
	say(RTM_NEWLINK, NLM_F_MULTI | NLM_F_DUMP_INTR, 42, 0);
	say(RTM_NEWLINK, NLM_F_MULTI, 42, 0);
	say(NLMSG_DONE, NLM_F_MULTI, 42, 0);
	assert_int_equal(dump_from_fake(&told), EINTR);
	assert_int_equal(told, 3);
	say(RTM_NEWLINK, NLM_F_MULTI, 43, 0);
	say(NLMSG_DONE, NLM_F_MULTI, 43, 0);
	assert_int_equal(dump_from_fake(&told), 0);
	assert_int_equal(told, 1);
	fake_done();
}

static void answers_to_an_earlier_question_are_passed_over(void **state)
{
	unsigned told;

	(void)state;
	fake_kernel();
	say(RTM_NEWLINK, NLM_F_MULTI, 41, 0);
	say(NLMSG_DONE, NLM_F_MULTI, 41, 0);
	say(RTM_NEWLINK, NLM_F_MULTI, 42, 0);
	say(NLMSG_DONE, NLM_F_MULTI, 42, 0);
	assert_int_equal(dump_from_fake(&told), 0);
	assert_int_equal(told, 1);
	fake_done();
}

static void an_error_ends_a_dump_early_or_late(void **state)
{
	unsigned told;

	(void)state;
	fake_kernel();
	say(NLMSG_ERROR, 0, 42, -EOPNOTSUPP);
	assert_int_equal(dump_from_fake(&told), EOPNOTSUPP);
	say(RTM_NEWLINK, NLM_F_MULTI, 43, 0);
	say(NLMSG_DONE, NLM_F_MULTI, 43, -ENODEV);
	assert_int_equal(dump_from_fake(&told), ENODEV);
	assert_int_equal(told, 1);
	fake_done();
}

static void a_datagram_that_does_not_fit_is_an_error(void **state)
{
	static char large[20000];
	unsigned told;

	(void)state;
	fake_kernel();
	assert_int_equal(send(kernel_side, large, sizeof(large), 0), sizeof(large));
	assert_int_equal(dump_from_fake(&told), EMSGSIZE);
	assert_int_equal(told, 0);
	fake_done();
}

static void a_kernel_that_hangs_up_is_an_error(void **state)
{
	unsigned told;

	(void)state;
	fake_kernel();
	assert_int_equal(shutdown(kernel_side, SHUT_WR), 0);
	assert_int_equal(dump_from_fake(&told), EMSGSIZE);
	fake_done();
}

/* ---- messages and attributes ----------------------------------------------------- */

static void attributes_end_where_the_octets_end(void **state)
{
	/* Two attributes, lengths 5 and 8, and the padding of the first. */
	_Alignas(struct nlattr) uint8_t octets[16] = { 0 };
	const struct nlattr one = { .nla_len = 5, .nla_type = 3 };
	const struct nlattr other = { .nla_len = 8, .nla_type = NLA_F_NESTED | 4 };

	(void)state;
	memcpy(octets, &one, sizeof(one));
	octets[4] = 'x';
	memcpy(octets + 8, &other, sizeof(other));
	for (size_t len = 0; len <= sizeof(octets); len++) {
		struct net_rtnl_attributes attributes = { (const char *)octets, len };
		struct net_rtnl_attribute attribute = { .type = 99 };

		assert_int_equal(net_rtnl_next(&attributes, &attribute), len >= 5);
		if (len < 5) {
			assert_int_equal(attribute.type, 99);
			continue;
		}
		assert_int_equal(attribute.type, 3);
		assert_int_equal(attribute.len, 1);
		assert_memory_equal(attribute.data, "x", 1);
		assert_int_equal(net_rtnl_next(&attributes, &attribute), len == 16);
		assert_int_equal(attribute.type, len == 16 ? 4 : 3);
		assert_false(net_rtnl_next(&attributes, &attribute));
	}
}

static void an_attribute_shorter_than_its_header_ends_them(void **state)
{
	_Alignas(struct nlattr) uint8_t octets[8] = { 0 };
	struct net_rtnl_attributes attributes = { (const char *)octets, sizeof(octets) };
	struct net_rtnl_attribute attribute;

	(void)state;
	assert_false(net_rtnl_next(&attributes, &attribute));
}

static void a_message_without_room_for_its_header_has_none_and_no_attributes(void **state)
{
	union net_rtnl_request request;
	struct net_rtnl_attributes attributes;
	struct net_rtnl_attribute attribute;

	(void)state;
	(void)net_rtnl_begin(&request, RTM_GETLINK, 4);
	assert_non_null(net_rtnl_header(&request.header, 4));
	assert_null(net_rtnl_header(&request.header, 5));
	attributes = net_rtnl_attributes_of(&request.header, sizeof(struct ifinfomsg));
	assert_false(net_rtnl_next(&attributes, &attribute));
}

static void what_is_put_is_read_again(void **state)
{
	const uint32_t number = 77;
	union net_rtnl_request request;
	struct net_rtnl_attributes attributes;
	struct net_rtnl_attribute attribute;

	(void)state;
	memset(&request, 0xee, sizeof(request));
	(void)net_rtnl_begin(&request, RTM_GETROUTE, sizeof(struct rtmsg));
	net_rtnl_put(&request, 5, "abc", 3);
	net_rtnl_put(&request, 6, &number, sizeof(number));
	assert_int_equal(request.header.nlmsg_len, 16 + 12 + 8 + 8);
	attributes = net_rtnl_attributes_of(&request.header, sizeof(struct rtmsg));
	assert_true(net_rtnl_next(&attributes, &attribute));
	assert_int_equal(attribute.type, 5);
	assert_int_equal(attribute.len, 3);
	assert_memory_equal(attribute.data, "abc\0", 4); /* padded with zero */
	assert_true(net_rtnl_next(&attributes, &attribute));
	assert_int_equal(attribute.type, 6);
	assert_memory_equal(attribute.data, &number, sizeof(number));
	assert_false(net_rtnl_next(&attributes, &attribute));
}

static void messages_end_where_the_datagram_ends(void **state)
{
	_Alignas(struct nlmsghdr) char datagram[36] = { 0 };
	const struct nlmsghdr one = { .nlmsg_len = 18, .nlmsg_type = 20 };
	const struct nlmsghdr other = { .nlmsg_len = 16, .nlmsg_type = 21 };

	(void)state;
	memcpy(datagram, &one, sizeof(one));
	memcpy(datagram + 20, &other, sizeof(other));
	for (size_t len = 0; len <= sizeof(datagram); len++) {
		struct net_rtnl_messages messages = { datagram, len };
		const struct nlmsghdr *message = net_rtnl_next_message(&messages);

		assert_true((message != NULL) == (len >= 18));
		if (message == NULL)
			continue;
		assert_int_equal(message->nlmsg_type, 20);
		message = net_rtnl_next_message(&messages);
		assert_true((message != NULL) == (len == 36));
		assert_null(net_rtnl_next_message(&messages));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_object_is_told_once),
		cmocka_unit_test(
			what_is_not_there_is_an_error_and_the_next_question_is_answered),
		cmocka_unit_test(a_dump_tells_all_of_them_and_can_be_repeated),
		cmocka_unit_test(a_dump_that_was_interrupted_is_read_to_its_end_and_says_so),
		cmocka_unit_test(answers_to_an_earlier_question_are_passed_over),
		cmocka_unit_test(an_error_ends_a_dump_early_or_late),
		cmocka_unit_test(a_datagram_that_does_not_fit_is_an_error),
		cmocka_unit_test(a_kernel_that_hangs_up_is_an_error),
		cmocka_unit_test(attributes_end_where_the_octets_end),
		cmocka_unit_test(an_attribute_shorter_than_its_header_ends_them),
		cmocka_unit_test(a_message_without_room_for_its_header_has_none_and_no_attributes),
		cmocka_unit_test(what_is_put_is_read_again),
		cmocka_unit_test(messages_end_where_the_datagram_ends),
	};

	return cmocka_run_group_tests_name("rtnl", tests, NULL, NULL);
}
