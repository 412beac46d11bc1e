/* SPDX-License-Identifier: MIT */
/* Whose a process is, from its control group. */
#include "packets.h"

#include "host/programs.h"

#include <stdlib.h>
#include <string.h>

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
	const char *text, *unit, *container;
} rows[] = {
	{ "0::/system.slice/ssh.service\n", "ssh.service", "" },
	{ "0::/user.slice/user-1000.slice/user@1000.service/app.slice/game.service\n",
	  "game.service", "" },
	{ "0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope", "" },
	{ "0::/system.slice/docker-" ID ".scope\n", "docker-" ID ".scope", "docker 0123456789ab" },
	{ "12:cpu,cpuacct:/docker/" ID "\n1:name=systemd:/docker/" ID "\n", "",
	  "docker 0123456789ab" },
	{ "0::/machine.slice/libpod-" ID ".scope/container\n", "libpod-" ID ".scope",
	  "podman 0123456789ab" },
	{ "0::/lxc.payload.web\n", "", "lxc web" },
	{ "0::/lxc.payload.web.scope/init.scope", "init.scope", "lxc web" },
	{ "1:name=systemd:/lxc/web\n", "", "lxc web" },
	{ "0::/\n", "", "" },
	{ "", "", "" },
	{ "no path at all\n\n\n", "", "" },
	{ "0::/.service/docker-.scope\n", "docker-.scope", "" },
};

static void unit_and_container_are_read_from_both_versions(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct host_program program = { .unit = "old", .container = "old" };

		host_cgroup_read(rows[i].text, strlen(rows[i].text), &program);
		assert_string_equal(program.unit, rows[i].unit);
		assert_string_equal(program.container, rows[i].container);
	}
}

static void a_file_may_end_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t len = 0; len <= strlen(rows[i].text); len++) {
			struct host_program program;
			char *exact = malloc(len + 1);

			assert_non_null(exact);
			memcpy(exact, rows[i].text, len);
			host_cgroup_read(exact, len, &program);
			assert_true(strlen(program.unit) < HOST_WORD_SIZE);
			free(exact);
		}
	}
}

static void a_name_that_is_too_long_is_cut_and_control_characters_are_shown(void **state)
{
	struct host_program program;
	char text[400];

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "0::/a\033b", 7);
	memcpy(text + sizeof(text) - 8, ".service", 8);
	host_cgroup_read(text, sizeof(text), &program);
	assert_int_equal(strlen(program.unit), HOST_WORD_SIZE - 1);
	assert_memory_equal(program.unit, "a?bxx", 5);
}

static void a_link_to_a_socket_is_known_from_others(void **state)
{
	static const char *const others[] = { "", "socket:", "socket:[", "socket:[]", "socket:[x]",
					      "socket:[12", "pipe:[12]", "/dev/null",
					      "socket:[99999999999999999999999]" };
	uint64_t inode = 1;

	(void)state;
	assert_true(host_link_inode("socket:[4711]", &inode));
	assert_int_equal(inode, 4711);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(host_link_inode(others[i], &inode));
	assert_int_equal(inode, 4711);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unit_and_container_are_read_from_both_versions),
		cmocka_unit_test(a_file_may_end_anywhere),
		cmocka_unit_test(a_name_that_is_too_long_is_cut_and_control_characters_are_shown),
		cmocka_unit_test(a_link_to_a_socket_is_known_from_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
