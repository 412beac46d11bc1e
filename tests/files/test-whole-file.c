/* SPDX-License-Identifier: MIT */
#include "files/whole-file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

static const char *place(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/tenf-files-XXXXXX");
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(place("file"));
	(void)rmdir(place("a/b"));
	(void)rmdir(place("a"));
	return rmdir(folder); /* fails when something else was left */
}

static void expect(const char *name, const char *text, mode_t mode)
{
	struct stat found;
	char *held;
	size_t len;

	assert_int_equal(whole_file_read(place(name), 100, &held, &len), TENF_OK);
	assert_string_equal(held, text);
	assert_int_equal(len, strlen(text));
	free(held);
	assert_int_equal(stat(place(name), &found), 0);
	assert_int_equal(found.st_mode & 07777, mode);
}

static void a_file_is_replaced_whole_with_the_mode_asked_for(void **state)
{
	(void)state;
	assert_int_equal(whole_file_write(place("file"), "first", 5, 0644), TENF_OK);
	expect("file", "first", 0644);
	assert_int_equal(whole_file_write(place("file"), "", 0, 0600), TENF_OK);
	expect("file", "", 0600);
}

static void a_file_can_be_like_the_one_it_replaces_and_last(void **state)
{
	struct stat old;
	struct whole_file_manner manner = { .mode = 0644, .like = &old, .lasts = true };

	(void)state;
	assert_int_equal(whole_file_write(place("file"), "1", 1, 0640), TENF_OK);
	assert_int_equal(stat(place("file"), &old), 0);
	assert_int_equal(whole_file_replace(place("file"), "2", 1, &manner), TENF_OK);
	expect("file", "2", 0640);
	manner.like = NULL;
	assert_int_equal(whole_file_replace(place("file"), "3", 1, &manner), TENF_OK);
	expect("file", "3", 0644);
}

static void more_than_the_limit_is_not_read(void **state)
{
	char *held;
	size_t len;

	(void)state;
	assert_int_equal(whole_file_write(place("file"), "123456", 6, 0600), TENF_OK);
	assert_int_equal(whole_file_read(place("file"), 5, &held, &len), TENF_E_LIMIT);
	assert_int_equal(whole_file_read(place("file"), 6, &held, &len), TENF_OK);
	free(held);
	assert_int_equal(whole_file_read(place("none"), 5, &held, &len), TENF_E_NOT_FOUND);
}

static void folders_are_made_for_the_owner_alone(void **state)
{
	struct stat found;

	(void)state;
	assert_int_equal(whole_file_folders(place("a/b/file")), TENF_OK);
	assert_int_equal(whole_file_folders(place("a/b/file")), TENF_OK);
	assert_int_equal(stat(place("a/b"), &found), 0);
	assert_int_equal(found.st_mode & 0777, 0700);
}

/* tear_down finds what is left beside it. */
static void what_cannot_be_put_in_place_leaves_nothing_behind(void **state)
{
	(void)state;
	assert_int_equal(whole_file_folders(place("a/file")), TENF_OK);
	assert_int_equal(whole_file_write(place("a"), "x", 1, 0600), TENF_E_SYSTEM);
	assert_int_equal(whole_file_write(place("none/file"), "x", 1, 0600), TENF_E_SYSTEM);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_file_is_replaced_whole_with_the_mode_asked_for),
		CASE(a_file_can_be_like_the_one_it_replaces_and_last),
		CASE(more_than_the_limit_is_not_read),
		CASE(folders_are_made_for_the_owner_alone),
		CASE(what_cannot_be_put_in_place_leaves_nothing_behind),
	};

	return cmocka_run_group_tests_name("whole-file", tests, NULL, NULL);
}
