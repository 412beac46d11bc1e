/* SPDX-License-Identifier: MIT */
/*
 * A small SQLite file that one process has for itself: opened with a write-ahead
 * log, its tables made or brought to the newest version, every page looked at, its
 * statements prepared. A damaged file is set aside under another name, and a new
 * one is begun. What is kept in it is the caller's affair.
 *
 * The file is ours alone while it is open (locking_mode exclusive): a second
 * process is told so, and the log needs no shared memory. synchronous=NORMAL: a kill
 * loses nothing; a power cut may lose the last seconds, all of them together.
 */
#ifndef TENF_DATABASE_DATABASE_H
#define TENF_DATABASE_DATABASE_H

#include "base/attributes.h"
#include "base/text.h"

#include <sqlite3.h>
#include <tenforward/types.h>

/* What a file has to be. Everything here must outlive the database. */
struct database_plan {
	const char *file;    /* its name in the directory */
	const char *what;    /* for messages: "store" */
	const char *in_use;  /* what to do when another process has it open */
	/* steps[0] makes the tables of a new file as they are in the newest version,
	 * steps[N] brings version N to N + 1; each sets user_version. */
	const char *const *steps;
	int version;
	const char *const *statements;
	size_t statement_count;
};

struct database;

/* Opens the file in `directory`, which exists. `ret_note` is "", or says that a damaged
 * file was set aside. False with a sentence in `why`. */
TENF_CHECKED bool database_open(const char *directory, const struct database_plan *plan,
				struct database **ret, struct tenf_text *ret_note,
				struct tenf_text *why);
void database_close(struct database *db);

/* Statement number `which` of the plan, ready for values. */
sqlite3_stmt *database_statement(struct database *db, size_t which);
/* Runs one that gives no rows, or whose row does not matter. */
bool database_run(struct database *db, size_t which);

/* One transaction at a time. The end commits when all before went well, else it
 * takes it back: TENF_E_SYSTEM. */
bool database_begin(struct database *db);
enum tenf_status database_end(struct database *db, bool good);

/* Rows the last statement changed, and the number of the one inserted last. */
int database_changes(const struct database *db);
int64_t database_last_row(const struct database *db);

/* What SQLite says of its last failure; lives until the next call. */
const char *database_error(const struct database *db);

#endif
