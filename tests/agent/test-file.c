/* SPDX-License-Identifier: MIT */
#include "agent/file.h"

#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static enum tenf_status write_to(const struct scratch *scratch, const char *name, const char *text)
{
	char path[PATH_MAX];

	return file_write(scratch_path(scratch, name, path), text, strlen(text));
}

static struct stat look_at(const struct scratch *scratch, const char *name)
{
	char path[PATH_MAX];
	struct stat found = { 0 };

	assert_int_equal(stat(scratch_path(scratch, name, path), &found), 0);
	return found;
}

static void a_new_file_can_be_read_by_all_and_leaves_nothing_beside_it(void **state)
{
	const struct scratch *scratch = *state;

	assert_int_equal(write_to(scratch, "port", "51413\n"), TENF_OK);
	assert_string_equal(scratch_read(scratch, "port"), "51413\n");
	assert_int_equal(look_at(scratch, "port").st_mode & 07777, 0644);
	assert_int_equal(scratch_count(scratch), 1);
}

static void mode_and_owner_of_an_old_file_stay(void **state)
{
	const struct scratch *scratch = *state;
	char path[PATH_MAX];
	uid_t owner = geteuid() == 0 ? 12345 : geteuid();

	scratch_write(scratch, "port", "1\n");
	scratch_path(scratch, "port", path);
	assert_int_equal(chown(path, owner, (gid_t)-1), 0);
	assert_int_equal(chmod(path, 0660), 0);
	assert_int_equal(write_to(scratch, "port", "2\n"), TENF_OK);
	assert_int_equal(look_at(scratch, "port").st_mode & 07777, 0660);
	assert_int_equal(look_at(scratch, "port").st_uid, owner);
}

static void the_same_content_is_not_written_again(void **state)
{
	const struct scratch *scratch = *state;
	ino_t before;

	assert_int_equal(write_to(scratch, "port", "1\n"), TENF_OK);
	before = look_at(scratch, "port").st_ino;
	assert_int_equal(write_to(scratch, "port", "1\n"), TENF_OK);
	assert_true(look_at(scratch, "port").st_ino == before);
	assert_int_equal(write_to(scratch, "port", "1"), TENF_OK);
	assert_string_equal(scratch_read(scratch, "port"), "1");
}

static void a_link_stays_a_link(void **state)
{
	const struct scratch *scratch = *state;
	char link[PATH_MAX];
	struct stat found;

	scratch_write(scratch, "real", "1\n");
	assert_int_equal(symlink("real", scratch_path(scratch, "link", link)), 0);
	assert_int_equal(write_to(scratch, "link", "2\n"), TENF_OK);
	assert_int_equal(lstat(link, &found), 0);
	assert_true(S_ISLNK(found.st_mode));
	assert_string_equal(scratch_read(scratch, "real"), "2\n");
}

static void what_cannot_be_written_leaves_the_old_file(void **state)
{
	const struct scratch *scratch = *state;

	assert_int_equal(write_to(scratch, "no/such/port", "1\n"), TENF_E_SYSTEM);
	assert_int_equal(errno, ENOENT);
	scratch_write(scratch, "directory/file", "1\n");
	assert_int_equal(write_to(scratch, "directory", "1\n"), TENF_E_SYSTEM);
	assert_int_equal(errno, EISDIR);
	assert_string_equal(scratch_read(scratch, "directory/file"), "1\n");
}

static void reading_stops_at_the_limit(void **state)
{
	const struct scratch *scratch = *state;
	char path[PATH_MAX], *text;
	size_t len;

	scratch_write(scratch, "file", "12345");
	scratch_path(scratch, "file", path);
	assert_int_equal(file_read(path, 4, &text, &len), TENF_E_LIMIT);
	assert_int_equal(file_read("/dev/zero", 100000, &text, &len), TENF_E_LIMIT);
	assert_int_equal(file_read(path, 5, &text, &len), TENF_OK);
	assert_int_equal(len, 5);
	assert_string_equal(text, "12345");
	free(text);
}

/* Two contents of different length by turns; whoever reads sees one of them. */
static void a_reader_never_sees_half_a_file(void **state)
{
	const struct scratch *scratch = *state;
	char path[PATH_MAX], *longer = malloc(20001);
	pid_t child;

	memset(longer, 'x', 20000);
	longer[20000] = '\0';
	assert_int_equal(write_to(scratch, "file", "short"), TENF_OK);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		for (;;) {
			if (write_to(scratch, "file", longer) != TENF_OK ||
			    write_to(scratch, "file", "short") != TENF_OK)
				_exit(1);
		}
	}
	scratch_path(scratch, "file", path);
	for (unsigned i = 0; i < 3000; i++) {
		char *text;
		size_t len;

		assert_int_equal(file_read(path, 20000, &text, &len), TENF_OK);
		if (len != 5 && len != 20000)
			fail_msg("%zu octets", len);
		free(text);
	}
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_true(strlen(scratch_read(scratch, "file")) % 19995 == 5);
	free(longer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_file_can_be_read_by_all_and_leaves_nothing_beside_it),
		TEST(mode_and_owner_of_an_old_file_stay),
		TEST(the_same_content_is_not_written_again),
		TEST(a_link_stays_a_link),
		TEST(what_cannot_be_written_leaves_the_old_file),
		TEST(reading_stops_at_the_limit),
		TEST(a_reader_never_sees_half_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
