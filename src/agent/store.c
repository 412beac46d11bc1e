/* SPDX-License-Identifier: MIT */
#include "agent/store-private.h"

#include "agent/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA 3

#define HOP_SQL                                                                             \
	"CREATE TABLE hop (number INTEGER NOT NULL, half INTEGER NOT NULL,"                 \
	" gateway TEXT NOT NULL, internal_port INTEGER NOT NULL,"                           \
	" external_port INTEGER NOT NULL, expires_at INTEGER NOT NULL,"                     \
	" PRIMARY KEY (number, half)) WITHOUT ROWID;"

static const char schema_sql[] =
	"CREATE TABLE counter (next INTEGER NOT NULL);"
	"INSERT INTO counter VALUES (1);"
	"CREATE TABLE record (number INTEGER PRIMARY KEY, origin INTEGER NOT NULL,"
	" name TEXT NOT NULL, protocol INTEGER NOT NULL, internal_port INTEGER NOT NULL,"
	" external_port INTEGER NOT NULL, lifetime_s INTEGER NOT NULL, exact INTEGER NOT NULL,"
	" persist INTEGER NOT NULL, follow INTEGER NOT NULL, open_firewall INTEGER NOT NULL,"
	" internal_address TEXT NOT NULL, interface TEXT NOT NULL, gateway TEXT NOT NULL,"
	" methods INTEGER NOT NULL, followed_port INTEGER NOT NULL,"
	" namespace TEXT NOT NULL DEFAULT '', through INTEGER NOT NULL DEFAULT 0);"
	"CREATE TABLE lease (number INTEGER NOT NULL, half INTEGER NOT NULL,"
	" external_port INTEGER NOT NULL,"
	" nonce BLOB NOT NULL, expires_at INTEGER NOT NULL, PRIMARY KEY (number, half))"
	" WITHOUT ROWID;"
	"CREATE TABLE history (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,"
	" number INTEGER NOT NULL, external_port INTEGER NOT NULL, json TEXT NOT NULL);"
	"CREATE INDEX history_at ON history (at);"
	HOP_SQL
	"PRAGMA user_version = 3;";

/* From the versions before: what was not there is at the end, where a new file has it. */
static const char to_2_sql[] =
	"ALTER TABLE record ADD COLUMN namespace TEXT NOT NULL DEFAULT '';"
	"PRAGMA user_version = 2;";
static const char to_3_sql[] =
	"ALTER TABLE record ADD COLUMN through INTEGER NOT NULL DEFAULT 0;"
	HOP_SQL
	"PRAGMA user_version = 3;";

static const char *const statement_sql[STORE_STATEMENTS] = {
	[STORE_NEXT] = "UPDATE counter SET next = next + 1 RETURNING next - 1",
	[STORE_RAISE] = "UPDATE counter SET next = max(next, ?1 + 1)",
	[STORE_PUT_RECORD] = "INSERT OR REPLACE INTO record VALUES"
			     " (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18)",
	[STORE_PUT_LEASE] = "INSERT OR REPLACE INTO lease VALUES (?1,?2,?3,?4,?5)",
	[STORE_PUT_HOP] = "INSERT OR REPLACE INTO hop VALUES (?1,?2,?3,?4,?5,?6)",
	[STORE_DROP_HOPS] = "DELETE FROM hop WHERE number = ?1",
	[STORE_LOAD_HOPS] = "SELECT * FROM hop ORDER BY number, half",
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

static const char *const steps[SCHEMA] = { schema_sql, to_2_sql, to_3_sql };

static const struct database_plan plan = {
	.file = "agent.db",
	.what = "store",
	.in_use = "another agent has it open; stop that one or name another State=",
	.steps = steps,
	.version = SCHEMA,
	.statements = statement_sql,
	.statement_count = STORE_STATEMENTS,
};

sqlite3_stmt *store_statement(struct store *s, enum store_statement which)
{
	return database_statement(s->db, which);
}

bool store_run(struct store *s, enum store_statement which)
{
	return database_run(s->db, which);
}

enum tenf_status store_open(const char *directory, struct store **ret, struct tenf_error *reterr)
{
	struct tenf_error ignored;
	struct tenf_text note, why;
	struct store *s;

	reterr = reterr != NULL ? reterr : &ignored;
	*reterr = (struct tenf_error){ .result = -1 };
	if (file_make_directory(directory) != TENF_OK) {
		*reterr = (struct tenf_error){ .status = TENF_E_SYSTEM,
					       .reason = TENF_REASON_SYSTEM,
					       .system_error = errno,
					       .result = -1 };
		snprintf(reterr->text, sizeof(reterr->text),
			 "cannot make the directory %.120s: %s", directory, strerror(errno));
		return TENF_E_SYSTEM;
	}
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return TENF_E_MEMORY;
	note = tenf_text_of(reterr->text, sizeof(reterr->text));
	why = note;
	if (!database_open(directory, &plan, &s->db, &note, &why)) {
		reterr->status = TENF_E_SYSTEM;
		reterr->reason = TENF_REASON_SYSTEM;
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
	database_close(store->db);
	for (size_t i = 0; i < store->note_count; i++)
		free(store->notes[i].json);
	free(store);
}
