/* SPDX-License-Identifier: MIT */
#include "net/changes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void without_netlink_nobody_tells_of_changes(void **state)
{
	struct net_error error = { .code = 7 };
	int fd = -5;

	(void)state;
	assert_int_equal(net_changes_open(NULL, &fd, &error), TENF_E_NOT_FOUND);
	assert_int_equal(fd, -5);
	assert_false(net_changes_read(-1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_netlink_nobody_tells_of_changes),
	};

	return cmocka_run_group_tests_name("changes-none", tests, NULL, NULL);
}
