/* SPDX-License-Identifier: MIT */
/*
 * The open store: store.c opens, store-records.c keeps the mappings,
 * store-history.c what happened.
 */
#ifndef TENF_AGENT_STORE_PRIVATE_H
#define TENF_AGENT_STORE_PRIVATE_H

#include "agent/store.h"

#include "database/database.h"

#define STORE_BATCH 64 /* notes gathered before they are written */

enum store_statement {
	STORE_NEXT,
	STORE_RAISE,
	STORE_PUT_RECORD,
	STORE_PUT_LEASE,
	STORE_PUT_HOP,
	STORE_DROP_HOPS,
	STORE_LOAD_HOPS,
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
	struct database *db;
	struct store_note notes[STORE_BATCH];
	size_t note_count;
};

/* The statement, ready for values. */
sqlite3_stmt *store_statement(struct store *store, enum store_statement which);
/* One that gives no rows, or whose row does not matter. */
bool store_run(struct store *store, enum store_statement which);

#endif
