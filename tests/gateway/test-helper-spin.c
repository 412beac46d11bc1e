/* SPDX-License-Identifier: MIT */
/* Waiting for the other process: what is there is found, what is not costs no time. */
#include "house.h"

#include "gateway/helper/spin.h"

#include <sys/socket.h>
#include <unistd.h>

static void what_is_there_is_found(void **state)
{
	struct spin spin;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	spin_init(&spin);
	assert_false(spin_wait(&spin, pair[0], 0));
	assert_int_equal(send(pair[1], "x", 1, 0), 1);
	for (unsigned useful = 0; useful < 2; useful++) {
		spin.is_useful = useful == 1;
		assert_true(spin_wait(&spin, pair[0], 0));
		assert_true(spin_wait(&spin, pair[0], -1));
	}
	(void)close(pair[0]);
	(void)close(pair[1]);
}

static void an_end_is_something_to_read(void **state)
{
	struct spin spin;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	spin_init(&spin);
	(void)close(pair[1]);
	for (unsigned useful = 0; useful < 2; useful++) {
		spin.is_useful = useful == 1;
		assert_true(spin_wait(&spin, pair[0], -1));
	}
	(void)close(pair[0]);
}

/* After a wait that brought nothing the next one sleeps at once. */
static void a_long_wait_ends_the_spinning(void **state)
{
	struct spin spin;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	spin_init(&spin);
	assert_false(spin_wait(&spin, pair[0], 0));
	assert_false(spin.is_useful);
	(void)close(pair[0]);
	(void)close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_there_is_found),
		cmocka_unit_test(an_end_is_something_to_read),
		cmocka_unit_test(a_long_wait_ends_the_spinning),
	};

	return cmocka_run_group_tests_name("waiting of the helper", tests, NULL, NULL);
}
