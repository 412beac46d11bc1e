/* SPDX-License-Identifier: MIT */
/* Files that are new, old, damaged, foreign, or in somebody else's hands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "database/database.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PUT, COUNT, STATEMENTS };

static const char *const steps[] = {
	"CREATE TABLE t (a INTEGER, b INTEGER DEFAULT 0); PRAGMA user_version = 2;",
	"ALTER TABLE t ADD COLUMN b INTEGER DEFAULT 7; PRAGMA user_version = 2;",
};
static const char *const old_steps[] = {
	"CREATE TABLE t (a INTEGER); PRAGMA user_version = 1;",
};
static const char *const statements[STATEMENTS] = {
	[PUT] = "INSERT INTO t (a) VALUES (?1)",
	[COUNT] = "SELECT count(*) FROM t",
};

static const struct database_plan plan = {
	.file = "t.db", .what = "store", .in_use = "stop the other", .steps = steps,
	.version = 2, .statements = statements, .statement_count = STATEMENTS,
};

static char folder[PATH_MAX];
static char note_text[512], why_text[512];

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/tenforward-database-XXXXXX");
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static const char *path_of(const char *name)
{
	static char path[PATH_MAX + 300];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

/* Names in the folder that begin so; all of them are removed with `remove_them`. */
static unsigned files(const char *prefix, bool remove_them)
{
	DIR *d = opendir(folder);
	unsigned count = 0;

	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		if (e->d_name[0] == '.' || strncmp(e->d_name, prefix, strlen(prefix)) != 0)
			continue;
		count++;
		if (remove_them)
			(void)unlink(path_of(e->d_name));
	}
	closedir(d);
	return count;
}

static int tear_down(void **state)
{
	(void)state;
	(void)files("", true);
	return rmdir(folder);
}

static bool opens(const struct database_plan *with, struct database **ret)
{
	struct tenf_text note = tenf_text_of(note_text, sizeof(note_text));
	struct tenf_text why = tenf_text_of(why_text, sizeof(why_text));

	*ret = NULL;
	return database_open(folder, with, ret, &note, &why);
}

static struct database *opened(const struct database_plan *with)
{
	struct database *db;

	if (!opens(with, &db))
		fail_msg("%s", why_text);
	return db;
}

static void put(struct database *db, int value)
{
	assert_int_equal(sqlite3_bind_int(database_statement(db, PUT), 1, value), SQLITE_OK);
	assert_true(database_run(db, PUT));
	assert_int_equal(database_changes(db), 1);
}

static int count(struct database *db)
{
	sqlite3_stmt *s = database_statement(db, COUNT);
	int found;

	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	found = sqlite3_column_int(s, 0);
	sqlite3_reset(s);
	return found;
}

static void what_was_committed_is_there_again(void **state)
{
	struct database *db = opened(&plan);

	(void)state;
	assert_string_equal(note_text, "");
	assert_true(database_begin(db));
	put(db, 1);
	assert_int_equal(database_end(db, true), TENF_OK);
	assert_true(database_begin(db));
	put(db, 2);
	assert_int_equal(database_end(db, false), TENF_E_SYSTEM);
	database_close(db);
	db = opened(&plan);
	assert_int_equal(count(db), 1);
	database_close(db);
	database_close(NULL);
}

static void an_older_file_is_brought_to_the_newest_version(void **state)
{
	struct database_plan old = plan;
	struct database *db;

	(void)state;
	old.steps = old_steps;
	old.version = 1;
	db = opened(&old);
	put(db, 1);
	database_close(db);
	db = opened(&plan);
	assert_int_equal(count(db), 1);
	database_close(db);
	assert_false(opens(&old, &db)); /* the way back is none */
	assert_non_null(strstr(why_text, "newer version"));
	assert_null(db);
}

static void a_damaged_file_is_set_aside_and_a_new_one_begun(void **state)
{
	struct database *db;
	FILE *file;

	(void)state;
	for (unsigned i = 1; i <= 2; i++) {
		file = fopen(path_of("t.db"), "we");
		assert_non_null(file);
		fputs("this is no database, and longer than its header would be, by far: "
		      "it has more than a hundred octets in it, none of which mean anything",
		      file);
		fclose(file);
		db = opened(&plan);
		assert_non_null(strstr(note_text, "the store is damaged; it is now "));
		assert_int_equal(count(db), 0);
		assert_int_equal(files("t.db.damaged-", false), i);
		database_close(db);
	}
}

static void a_second_process_is_told_who_has_it(void **state)
{
	struct database *db = opened(&plan);
	struct database *other;

	(void)state;
	put(db, 1);
	assert_false(opens(&plan, &other));
	assert_non_null(strstr(why_text, "t.db: stop the other"));
	database_close(db);
}

static void a_place_that_cannot_be_is_told(void **state)
{
	struct database *db;
	struct database_plan long_name = plan;
	char name[PATH_MAX];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	long_name.file = name;
	assert_false(opens(&long_name, &db));
	assert_non_null(strstr(why_text, "too long"));
	long_name.file = "nowhere/t.db";
	assert_false(opens(&long_name, &db));
	assert_non_null(strstr(why_text, "cannot open the store"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_committed_is_there_again),
		TEST(an_older_file_is_brought_to_the_newest_version),
		TEST(a_damaged_file_is_set_aside_and_a_new_one_begun),
		TEST(a_second_process_is_told_who_has_it),
		TEST(a_place_that_cannot_be_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
