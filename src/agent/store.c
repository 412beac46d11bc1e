/* SPDX-License-Identifier: MIT */
/*
 * The file is ours alone while it is open (locking_mode exclusive): a second
 * agent is told so, and WAL needs no shared memory. synchronous=NORMAL: a kill
 * loses nothing; a power cut may lose the last seconds, all of them together.
 */
#include "agent/store-private.h"

#include "agent/file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SCHEMA 2

static const char schema_sql[] =
	"CREATE TABLE counter (next INTEGER NOT NULL);"
	"INSERT INTO counter VALUES (1);"
	"CREATE TABLE record (number INTEGER PRIMARY KEY, origin INTEGER NOT NULL,"
	" name TEXT NOT NULL, protocol INTEGER NOT NULL, internal_port INTEGER NOT NULL,"
	" external_port INTEGER NOT NULL, lifetime_s INTEGER NOT NULL, exact INTEGER NOT NULL,"
	" persist INTEGER NOT NULL, follow INTEGER NOT NULL, open_firewall INTEGER NOT NULL,"
	" internal_address TEXT NOT NULL, interface TEXT NOT NULL, gateway TEXT NOT NULL,"
	" methods INTEGER NOT NULL, followed_port INTEGER NOT NULL,"
	" namespace TEXT NOT NULL DEFAULT '');"
	"CREATE TABLE lease (number INTEGER NOT NULL, half INTEGER NOT NULL,"
	" external_port INTEGER NOT NULL,"
	" nonce BLOB NOT NULL, expires_at INTEGER NOT NULL, PRIMARY KEY (number, half))"
	" WITHOUT ROWID;"
	"CREATE TABLE history (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,"
	" number INTEGER NOT NULL, external_port INTEGER NOT NULL, json TEXT NOT NULL);"
	"CREATE INDEX history_at ON history (at);"
	"PRAGMA user_version = 2;";

/* From the version before: what was not there is at the end, where a new file has it. */
static const char to_2_sql[] =
	"ALTER TABLE record ADD COLUMN namespace TEXT NOT NULL DEFAULT '';"
	"PRAGMA user_version = 2;";

static const char *const statement_sql[STORE_STATEMENTS] = {
	[STORE_BEGIN] = "BEGIN IMMEDIATE",
	[STORE_COMMIT] = "COMMIT",
	[STORE_ROLLBACK] = "ROLLBACK",
	[STORE_NEXT] = "UPDATE counter SET next = next + 1 RETURNING next - 1",
	[STORE_RAISE] = "UPDATE counter SET next = max(next, ?1 + 1)",
	[STORE_PUT_RECORD] = "INSERT OR REPLACE INTO record VALUES"
			     " (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17)",
	[STORE_PUT_LEASE] = "INSERT OR REPLACE INTO lease VALUES (?1,?2,?3,?4,?5)",
	[STORE_DROP_RECORD] = "DELETE FROM record WHERE number = ?1",
	[STORE_DROP_LEASES] = "DELETE FROM lease WHERE number = ?1",
	[STORE_COUNT] = "SELECT count(*) FROM record",
	[STORE_LOAD_RECORDS] = "SELECT * FROM record ORDER BY number",
	[STORE_LOAD_LEASES] = "SELECT * FROM lease ORDER BY number, half",
	[STORE_NOTE] = "INSERT INTO history (at, number, external_port, json)"
		       " VALUES (?1,?2,?3,?4)",
	[STORE_TRIM] = "DELETE FROM history WHERE at < ?1 OR"
		       " id <= (SELECT max(id) FROM history) - ?2",
	[STORE_HISTORY] = "SELECT json FROM history WHERE at >= ?1 AND"
			  " (?2 = 0 OR external_port = ?2) ORDER BY id",
};

/* ---- Statements --------------------------------------------------------- */

sqlite3_stmt *store_statement(struct store *s, enum store_statement which)
{
	sqlite3_stmt *statement = s->statements[which];

	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return statement;
}

bool store_run(struct store *s, enum store_statement which)
{
	int code = sqlite3_step(s->statements[which]);

	sqlite3_reset(s->statements[which]);
	return code == SQLITE_DONE || code == SQLITE_ROW;
}

bool store_begin(struct store *s)
{
	return store_run(s, STORE_BEGIN);
}

enum tenf_status store_end(struct store *s, bool good)
{
	if (good && store_run(s, STORE_COMMIT))
		return TENF_OK;
	(void)store_run(s, STORE_ROLLBACK);
	return TENF_E_SYSTEM;
}

/* ---- Opening ------------------------------------------------------------ */

static void say(struct tenf_error *reterr, const char *what, const char *path, const char *why)
{
	if (reterr == NULL)
		return;
	*reterr = (struct tenf_error){ .status = TENF_E_SYSTEM,
				       .reason = TENF_REASON_SYSTEM,
				       .result = -1 };
	snprintf(reterr->text, sizeof(reterr->text), "%s %.120s: %s", what, path, why);
}

static bool execute(struct store *s, const char *sql)
{
	s->code = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
	return s->code == SQLITE_OK;
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
static bool is_sound(struct store *s)
{
	bool sound = false;

	s->code = sqlite3_exec(s->db, "PRAGMA quick_check(1)", is_ok, &sound, NULL);
	if (s->code == SQLITE_OK && !sound)
		s->code = SQLITE_CORRUPT;
	return s->code == SQLITE_OK;
}

static bool make_tables(struct store *s)
{
	int version = 0;

	s->code = sqlite3_exec(s->db, "PRAGMA user_version", first_number, &version, NULL);
	if (s->code != SQLITE_OK)
		return false;
	if (version == SCHEMA)
		return true;
	if (version != 0 && version != 1) {
		s->code = SQLITE_MISMATCH;
		return false;
	}
	return execute(s, "BEGIN IMMEDIATE") && execute(s, version == 0 ? schema_sql : to_2_sql) &&
	       execute(s, "COMMIT");
}

static bool prepare(struct store *s)
{
	for (size_t i = 0; i < STORE_STATEMENTS; i++) {
		s->code = sqlite3_prepare_v3(s->db, statement_sql[i], -1,
					     SQLITE_PREPARE_PERSISTENT, &s->statements[i], NULL);
		if (s->code == SQLITE_ERROR) /* no such table: not our file any more */
			s->code = SQLITE_CORRUPT;
		if (s->code != SQLITE_OK)
			return false;
	}
	return true;
}

static bool open_file(struct store *s, const char *path)
{
	s->code = sqlite3_open_v2(path, &s->db,
				  SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
				  NULL);
	return s->code == SQLITE_OK &&
	       execute(s, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA trusted_schema = OFF;"
			  "PRAGMA cell_size_check = ON; PRAGMA journal_mode = WAL;"
			  "PRAGMA synchronous = NORMAL;") &&
	       is_sound(s) && make_tables(s) && prepare(s);
}

static void close_file(struct store *s)
{
	for (size_t i = 0; i < STORE_STATEMENTS; i++) {
		sqlite3_finalize(s->statements[i]);
		s->statements[i] = NULL;
	}
	sqlite3_close(s->db);
	s->db = NULL;
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

static const char *why_not(const struct store *s)
{
	if (s->code == SQLITE_BUSY || s->code == SQLITE_LOCKED)
		return "another agent has it open; stop that one or name another State=";
	if (s->code == SQLITE_MISMATCH)
		return "it was written by a newer version; use that one or name another State=";
	return s->db != NULL ? sqlite3_errmsg(s->db) : sqlite3_errstr(s->code);
}

static bool is_damage(int code)
{
	return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

/* A new file in the place of a damaged one; the old one stays for whoever can
 * make something of it. */
static bool begin_again(struct store *s, const char *path, struct tenf_error *reterr)
{
	char aside[PATH_MAX + 40];

	close_file(s);
	if (!set_aside(path, aside, sizeof(aside))) {
		say(reterr, "cannot set aside the damaged store", path, strerror(errno));
		return false;
	}
	if (!open_file(s, path)) {
		say(reterr, "cannot open the store", path, why_not(s));
		return false;
	}
	if (reterr != NULL)
		snprintf(reterr->text, sizeof(reterr->text),
			 "the store is damaged; it is now %.120s, and a new one is begun", aside);
	return true;
}

enum tenf_status store_open(const char *directory, struct store **ret, struct tenf_error *reterr)
{
	struct tenf_error ignored;
	char path[PATH_MAX];
	struct store *s;
	bool good;

	reterr = reterr != NULL ? reterr : &ignored;
	*reterr = (struct tenf_error){ .result = -1 };
	if (file_make_directory(directory) != TENF_OK) {
		say(reterr, "cannot make the directory", directory, strerror(errno));
		reterr->system_error = errno;
		return TENF_E_SYSTEM;
	}
	if ((size_t)snprintf(path, sizeof(path), "%s/agent.db", directory) >= sizeof(path))
		return TENF_E_ARGUMENT;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return TENF_E_MEMORY;
	good = open_file(s, path);
	if (!good && is_damage(s->code & 0xff))
		good = begin_again(s, path, reterr);
	else if (!good)
		say(reterr, "cannot open the store", path, why_not(s));
	if (!good) {
		close_file(s);
		free(s);
		return TENF_E_SYSTEM;
	}
	*ret = s;
	return TENF_OK;
}

void store_close(struct store *store)
{
	if (store == NULL)
		return;
	(void)!store_flush(store); /* what is not written is history alone */
	close_file(store);
	for (size_t i = 0; i < store->note_count; i++)
		free(store->notes[i].json);
	free(store);
}
