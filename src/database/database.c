/* SPDX-License-Identifier: MIT */
#include "database/database.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum own_statement { BEGIN, COMMIT, ROLLBACK, OWN_STATEMENTS };

static const char *const own_sql[OWN_STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
};

struct database {
	const struct database_plan *plan;
	sqlite3 *db;
	int code; /* of the last step of opening */
	sqlite3_stmt *own[OWN_STATEMENTS];
	sqlite3_stmt **statements;
};

/* ---- Statements --------------------------------------------------------- */

static bool run(sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);

	sqlite3_reset(statement);
	return code == SQLITE_DONE || code == SQLITE_ROW;
}

sqlite3_stmt *database_statement(struct database *db, size_t which)
{
	sqlite3_stmt *statement = db->statements[which];

	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return statement;
}

bool database_run(struct database *db, size_t which)
{
	return run(db->statements[which]);
}

bool database_begin(struct database *db)
{
	return run(db->own[BEGIN]);
}

enum tenf_status database_end(struct database *db, bool good)
{
	if (good && run(db->own[COMMIT]))
		return TENF_OK;
	(void)run(db->own[ROLLBACK]);
	return TENF_E_SYSTEM;
}

int database_changes(const struct database *db)
{
	return sqlite3_changes(db->db);
}

int64_t database_last_row(const struct database *db)
{
	return sqlite3_last_insert_rowid(db->db);
}

const char *database_error(const struct database *db)
{
	return sqlite3_errmsg(db->db);
}

/* ---- Opening ------------------------------------------------------------ */

static bool execute(struct database *db, const char *sql)
{
	db->code = sqlite3_exec(db->db, sql, NULL, NULL, NULL);
	return db->code == SQLITE_OK;
}

static int first_number(void *ret, int count, char **values, char **names)
{
	(void)names;
	if (count > 0 && values[0] != NULL)
		*(int *)ret = atoi(values[0]);
	return 0;
}

static int is_ok(void *ret, int count, char **values, char **names)
{
	(void)names;
	*(bool *)ret = count > 0 && values[0] != NULL && strcmp(values[0], "ok") == 0;
	return 0;
}

/* Every page is looked at now, rather than found damaged in the night. */
static bool is_sound(struct database *db)
{
	bool sound = false;

	db->code = sqlite3_exec(db->db, "PRAGMA quick_check(1)", is_ok, &sound, NULL);
	if (db->code == SQLITE_OK && !sound)
		db->code = SQLITE_CORRUPT;
	return db->code == SQLITE_OK;
}

static bool make_tables(struct database *db)
{
	int version = 0;

	db->code = sqlite3_exec(db->db, "PRAGMA user_version", first_number, &version, NULL);
	if (db->code != SQLITE_OK)
		return false;
	if (version < 0 || version > db->plan->version) {
		db->code = SQLITE_MISMATCH;
		return false;
	}
	while (version < db->plan->version) {
		if (!execute(db, "BEGIN IMMEDIATE") || !execute(db, db->plan->steps[version]) ||
		    !execute(db, "COMMIT"))
			return false;
		version = version == 0 ? db->plan->version : version + 1;
	}
	return true;
}

static bool prepare(struct database *db, const char *sql, sqlite3_stmt **ret)
{
	db->code = sqlite3_prepare_v3(db->db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL);
	if (db->code == SQLITE_ERROR) /* no such table: not our file any more */
		db->code = SQLITE_CORRUPT;
	return db->code == SQLITE_OK;
}

static bool prepare_all(struct database *db)
{
	bool good = true;

	for (size_t i = 0; good && i < OWN_STATEMENTS; i++)
		good = prepare(db, own_sql[i], &db->own[i]);
	for (size_t i = 0; good && i < db->plan->statement_count; i++)
		good = prepare(db, db->plan->statements[i], &db->statements[i]);
	return good;
}

static bool open_file(struct database *db, const char *path)
{
	db->code = sqlite3_open_v2(path, &db->db,
				   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
				   NULL);
	return db->code == SQLITE_OK &&
	       execute(db, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA trusted_schema = OFF;"
			   "PRAGMA cell_size_check = ON; PRAGMA journal_mode = WAL;"
			   "PRAGMA synchronous = NORMAL;") &&
	       is_sound(db) && make_tables(db) && prepare_all(db);
}

static void close_file(struct database *db)
{
	for (size_t i = 0; i < OWN_STATEMENTS; i++) {
		sqlite3_finalize(db->own[i]);
		db->own[i] = NULL;
	}
	for (size_t i = 0; i < db->plan->statement_count; i++) {
		sqlite3_finalize(db->statements[i]);
		db->statements[i] = NULL;
	}
	sqlite3_close(db->db);
	db->db = NULL;
}

/* With its log, which belongs to it. */
static bool set_aside(const char *path, char *ret_aside, size_t size)
{
	char from[PATH_MAX + 8], to[PATH_MAX + 48];
	struct stat found;

	snprintf(ret_aside, size, "%s.damaged-%lld", path, (long long)time(NULL));
	for (unsigned i = 1; stat(ret_aside, &found) == 0; i++)
		snprintf(ret_aside, size, "%s.damaged-%lld-%u", path, (long long)time(NULL), i);
	snprintf(from, sizeof(from), "%s-wal", path);
	snprintf(to, sizeof(to), "%s-wal", ret_aside);
	if (rename(from, to) != 0 && errno != ENOENT)
		return false;
	snprintf(from, sizeof(from), "%s-shm", path);
	(void)unlink(from);
	return rename(path, ret_aside) == 0;
}

static const char *why_not(const struct database *db)
{
	if (db->code == SQLITE_BUSY || db->code == SQLITE_LOCKED)
		return db->plan->in_use;
	if (db->code == SQLITE_MISMATCH)
		return "it was written by a newer version; use that one or name another State=";
	return db->db != NULL ? sqlite3_errmsg(db->db) : sqlite3_errstr(db->code);
}

static bool say(struct tenf_text *why, const char *what, const struct database *db,
		const char *path, const char *reason)
{
	tenf_text_add(why, what);
	tenf_text_add(why, db->plan->what);
	tenf_text_add_char(why, ' ');
	tenf_text_add(why, path);
	tenf_text_add(why, ": ");
	tenf_text_add(why, reason);
	return false;
}

static bool is_damage(int code)
{
	return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

/* A new file in the place of a damaged one; the old one stays for whoever can
 * make something of it. */
static bool begin_again(struct database *db, const char *path, struct tenf_text *ret_note,
			struct tenf_text *why)
{
	char aside[PATH_MAX + 40];

	close_file(db);
	if (!set_aside(path, aside, sizeof(aside)))
		return say(why, "cannot set aside the damaged ", db, path, strerror(errno));
	if (!open_file(db, path))
		return say(why, "cannot open the ", db, path, why_not(db));
	tenf_text_add(ret_note, "the ");
	tenf_text_add(ret_note, db->plan->what);
	tenf_text_add(ret_note, " is damaged; it is now ");
	tenf_text_add(ret_note, aside);
	tenf_text_add(ret_note, ", and a new one is begun");
	return true;
}

static bool open_or_begin(struct database *db, const char *directory, struct tenf_text *ret_note,
			  struct tenf_text *why)
{
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", directory, db->plan->file) >=
	    sizeof(path))
		return say(why, "cannot open the ", db, directory, "the path is too long");
	if (open_file(db, path))
		return true;
	if (is_damage(db->code & 0xff))
		return begin_again(db, path, ret_note, why);
	return say(why, "cannot open the ", db, path, why_not(db));
}

bool database_open(const char *directory, const struct database_plan *plan, struct database **ret,
		   struct tenf_text *ret_note, struct tenf_text *why)
{
	struct database *db = calloc(1, sizeof(*db));

	if (db != NULL) {
		db->plan = plan;
		db->statements = calloc(plan->statement_count, sizeof(*db->statements));
	}
	if (db == NULL || db->statements == NULL) {
		free(db);
		tenf_text_add(why, "out of memory");
		return false;
	}
	if (!open_or_begin(db, directory, ret_note, why)) {
		database_close(db);
		return false;
	}
	*ret = db;
	return true;
}

void database_close(struct database *db)
{
	if (db == NULL)
		return;
	close_file(db);
	free(db->statements);
	free(db);
}
