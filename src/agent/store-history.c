/* SPDX-License-Identifier: MIT */
#include "agent/store-private.h"

#include <stdlib.h>
#include <string.h>

static bool write_note(struct store *store, const struct store_note *note)
{
	sqlite3_stmt *s = store_statement(store, STORE_NOTE);

	return sqlite3_bind_int64(s, 1, note->at) == SQLITE_OK &&
	       sqlite3_bind_int64(s, 2, (int64_t)note->number) == SQLITE_OK &&
	       sqlite3_bind_int64(s, 3, note->external_port) == SQLITE_OK &&
	       sqlite3_bind_text(s, 4, note->json, -1, SQLITE_STATIC) == SQLITE_OK &&
	       store_run(store, STORE_NOTE);
}

static bool trim(struct store *store, int64_t now)
{
	sqlite3_stmt *s = store_statement(store, STORE_TRIM);

	return sqlite3_bind_int64(s, 1, now - STORE_HISTORY_AGE_S) == SQLITE_OK &&
	       sqlite3_bind_int64(s, 2, STORE_HISTORY_MAX) == SQLITE_OK &&
	       store_run(store, STORE_TRIM);
}

enum tenf_status store_flush(struct store *store)
{
	enum tenf_status status;
	int64_t now = 0;
	bool good;

	if (store->note_count == 0)
		return TENF_OK;
	good = database_begin(store->db);
	for (size_t i = 0; i < store->note_count; i++) {
		good = good && write_note(store, &store->notes[i]);
		now = store->notes[i].at > now ? store->notes[i].at : now;
	}
	status = database_end(store->db, good && trim(store, now));
	/* On a full disk the notes go: history may have holes, memory may not fill. */
	for (size_t i = 0; i < store->note_count; i++)
		free(store->notes[i].json);
	store->note_count = 0;
	return status;
}

enum tenf_status store_note(struct store *store, int64_t at, uint64_t number,
			    uint16_t external_port, const char *json)
{
	char *copy = strdup(json);

	if (copy == NULL)
		return TENF_E_MEMORY;
	store->notes[store->note_count++] = (struct store_note){
		.at = at, .number = number, .external_port = external_port, .json = copy
	};
	return store->note_count == STORE_BATCH ? store_flush(store) : TENF_OK;
}

enum tenf_status store_history(struct store *store, int64_t since, uint16_t port,
			       store_history_fn each, void *context)
{
	enum tenf_status status = store_flush(store);
	sqlite3_stmt *s = store_statement(store, STORE_HISTORY);
	bool more = true;
	int code = SQLITE_ERROR;

	if (status != TENF_OK)
		return status;
	if (sqlite3_bind_int64(s, 1, since) == SQLITE_OK &&
	    sqlite3_bind_int64(s, 2, port) == SQLITE_OK) {
		while (more && (code = sqlite3_step(s)) == SQLITE_ROW)
			more = each(context, (const char *)sqlite3_column_text(s, 0));
	}
	sqlite3_reset(s);
	return !more || code == SQLITE_DONE ? TENF_OK : TENF_E_SYSTEM;
}
