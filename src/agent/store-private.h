/* SPDX-License-Identifier: MIT */
/*
 * The open store: store.c opens and sets aside, store-records.c keeps the
 * mappings, store-history.c what happened.
 */
#ifndef TENF_AGENT_STORE_PRIVATE_H
#define TENF_AGENT_STORE_PRIVATE_H

#include "agent/store.h"

#include <sqlite3.h>

#define STORE_BATCH 64 /* notes gathered before they are written */

enum store_statement {
	STORE_BEGIN,
	STORE_COMMIT,
	STORE_ROLLBACK,
	STORE_NEXT,
	STORE_RAISE,
	STORE_PUT_RECORD,
	STORE_PUT_LEASE,
	STORE_DROP_RECORD,
	STORE_DROP_LEASES,
	STORE_COUNT,
	STORE_LOAD_RECORDS,
	STORE_LOAD_LEASES,
	STORE_NOTE,
	STORE_TRIM,
	STORE_HISTORY,
	STORE_STATEMENTS,
};

struct store_note {
	int64_t at;
	uint64_t number;
	uint16_t external_port;
	char *json;
};

struct store {
	sqlite3 *db;
	sqlite3_stmt *statements[STORE_STATEMENTS];
	int code; /* of the last step of opening */
	struct store_note notes[STORE_BATCH];
	size_t note_count;
};

/* The statement, ready for values. */
sqlite3_stmt *store_statement(struct store *store, enum store_statement which);
/* One that gives no rows, or whose row does not matter. */
bool store_run(struct store *store, enum store_statement which);
bool store_begin(struct store *store);
/* Commits when all before went well, else takes it back. */
enum tenf_status store_end(struct store *store, bool good);

#endif
