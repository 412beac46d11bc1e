/* SPDX-License-Identifier: MIT */
#include "net/poll.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PAIRS 3

struct fixture {
	int set;
	int ends[PAIRS][2];
};

static struct fixture f;

static int setup(void **state)
{
	(void)state;
	if (net_poll_open(&f.set) != TENF_OK)
		return -1;
	for (int i = 0; i < PAIRS; i++) {
		if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, f.ends[i]) != 0)
			return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < PAIRS; i++) {
		close(f.ends[i][0]);
		close(f.ends[i][1]);
	}
	close(f.set);
	return 0;
}

static void add_all(void)
{
	for (int i = 0; i < PAIRS; i++)
		assert_int_equal(net_poll_add(f.set, f.ends[i][0], 100 + (uint64_t)i), TENF_OK);
}

static void feed(int i)
{
	assert_int_equal(write(f.ends[i][1], "x", 1), 1);
}

static void the_set_is_readable_when_a_member_is(void **state)
{
	uint64_t tags[PAIRS];

	(void)state;
	add_all();
	assert_false(net_wait(f.set, 0));
	assert_int_equal(net_poll_ready(f.set, tags, PAIRS), 0);
	feed(1);
	assert_true(net_wait(f.set, -1));
	assert_int_equal(net_poll_ready(f.set, tags, PAIRS), 1);
	assert_int_equal(tags[0], 101);
}

static void a_member_stays_ready_until_it_is_read(void **state)
{
	uint64_t tags[PAIRS];
	char octet;

	(void)state;
	add_all();
	feed(2);
	assert_int_equal(net_poll_ready(f.set, tags, PAIRS), 1);
	assert_int_equal(net_poll_ready(f.set, tags, PAIRS), 1);
	assert_int_equal(read(f.ends[2][0], &octet, 1), 1);
	assert_int_equal(net_poll_ready(f.set, tags, PAIRS), 0);
}

static void no_more_tags_than_there_is_room_for(void **state)
{
	uint64_t tags[PAIRS] = { 0, 0, 7 };

	(void)state;
	add_all();
	for (int i = 0; i < PAIRS; i++)
		feed(i);
	assert_int_equal(net_poll_ready(f.set, tags, 0), 0);
	assert_int_equal(net_poll_ready(f.set, tags, 2), 2);
	assert_int_equal(tags[2], 7);
	assert_int_equal(net_poll_ready(f.set, tags, PAIRS), PAIRS);
}

static void a_removed_member_is_not_heard(void **state)
{
	uint64_t tags[PAIRS];

	(void)state;
	add_all();
	feed(0);
	net_poll_remove(f.set, f.ends[0][0]);
	net_poll_remove(f.set, f.ends[0][0]);
	assert_int_equal(net_poll_ready(f.set, tags, PAIRS), 0);
}

static void a_member_is_added_once(void **state)
{
	(void)state;
	add_all();
	assert_int_equal(net_poll_add(f.set, f.ends[0][0], 5), TENF_E_ARGUMENT);
	assert_int_equal(net_poll_add(f.set, -1, 5), TENF_E_SYSTEM);
}

static void waiting_for_a_moment_ends(void **state)
{
	(void)state;
	assert_false(net_wait(f.ends[0][0], 1));
	feed(0);
	assert_true(net_wait(f.ends[0][0], 1));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_set_is_readable_when_a_member_is),
		CASE(a_member_stays_ready_until_it_is_read),
		CASE(no_more_tags_than_there_is_room_for),
		CASE(a_removed_member_is_not_heard),
		CASE(a_member_is_added_once),
		CASE(waiting_for_a_moment_ends),
	};

	return cmocka_run_group_tests_name("poll", tests, NULL, NULL);
}
