/* SPDX-License-Identifier: MIT */
/*
 * What the agent remembers: runtime mappings, and the nonces and ports of all,
 * in SQLite (WAL) in the state directory. Every call is one transaction: a
 * kill at any moment leaves the store as before or as after. A damaged file is
 * set aside under another name with a message, and a new one is begun.
 */
#ifndef TENF_AGENT_STORE_H
#define TENF_AGENT_STORE_H

#include "agent/record.h"

struct store;

/* `directory` is made when it is not there (0700). `reterr` says what failed; with
 * TENF_OK its text is "" or says that a damaged file was set aside. One agent
 * alone has a directory open: TENF_E_SYSTEM for the second. */
TENF_CHECKED enum tenf_status store_open(const char *directory, struct store **ret,
					 struct tenf_error *reterr);
void store_close(struct store *store);

/* Adds or replaces by number. */
TENF_CHECKED enum tenf_status store_put(struct store *store, const struct record *record);
TENF_CHECKED enum tenf_status store_drop(struct store *store, uint64_t number);
/* A number never given before, also not before a restart. */
TENF_CHECKED enum tenf_status store_next_number(struct store *store, uint64_t *ret);
/* All records, oldest first; caller frees *ret with free(). */
TENF_CHECKED enum tenf_status store_load(struct store *store, struct record **ret,
					 size_t *ret_count);

/* What happened, for GET /v1/history: appended in batches, bounded by age and
 * number (named limits), never waited for. `json` is one event as an object. */
#define STORE_HISTORY_MAX 50000
#define STORE_HISTORY_AGE_S (90 * 86400)

TENF_CHECKED enum tenf_status store_note(struct store *store, int64_t at, uint64_t number,
					 uint16_t external_port, const char *json);
/* Writes what store_note() gathered: every 64 notes, with store_history() and
 * at the end it happens by itself. */
TENF_CHECKED enum tenf_status store_flush(struct store *store);
/* Calls back for each, oldest first; `port` 0 is any. */
typedef bool (*store_history_fn)(void *context, const char *json);
TENF_CHECKED enum tenf_status store_history(struct store *store, int64_t since, uint16_t port,
					    store_history_fn each, void *context);

#endif
