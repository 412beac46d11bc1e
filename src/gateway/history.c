/* SPDX-License-Identifier: MIT */
#include "gateway/history.h"

#include "control/shapes.h"
#include "database/database.h"

#include <stdlib.h>
#include <string.h>

#define TRIM_EVERY 256 /* events noted between two looks at the limits */

enum statement {
	NOTE,
	AGAIN,
	TRIM_OLD,
	TRIM_REFUSED,
	ASK,
	KEEP,
	DROP,
	TRIM_MEMOS,
	RECALL,
	STATEMENTS,
};

#define MEMOS                                                                                  \
	"CREATE TABLE memo (kind INTEGER NOT NULL, id INTEGER NOT NULL, until INTEGER NOT NULL," \
	" data BLOB NOT NULL, PRIMARY KEY (kind, id));"                                          \
	"CREATE INDEX memo_until ON memo (until);"

static const char *const steps[] = {
	"CREATE TABLE history (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,"
	" last_at INTEGER NOT NULL, times INTEGER NOT NULL DEFAULT 1, refused INTEGER NOT NULL,"
	" client TEXT NOT NULL, port INTEGER NOT NULL, json TEXT NOT NULL);"
	"CREATE INDEX history_at ON history (last_at);"
	"CREATE INDEX history_client ON history (client);"
	"CREATE INDEX history_port ON history (port);"
	"CREATE INDEX history_refused ON history (id) WHERE refused;"
	MEMOS "PRAGMA user_version = 2;",
	MEMOS "PRAGMA user_version = 2;",
};

static const char *const statements[STATEMENTS] = {
	[NOTE] = "INSERT INTO history (at, last_at, refused, client, port, json)"
		 " VALUES (?1,?1,?2,?3,?4,?5)",
	[AGAIN] = "UPDATE history SET times = times + 1, last_at = ?2 WHERE id = ?1",
	[TRIM_OLD] = "DELETE FROM history WHERE last_at < ?1 OR"
		     " id <= (SELECT id FROM history ORDER BY id DESC LIMIT 1 OFFSET ?2)",
	[TRIM_REFUSED] = "DELETE FROM history WHERE refused AND id <= (SELECT id FROM history"
			 " WHERE refused ORDER BY id DESC LIMIT 1 OFFSET ?1)",
	[ASK] = "SELECT json, times, last_at FROM (SELECT * FROM history WHERE last_at >= ?1 AND"
		" (?2 = '' OR client = ?2) AND (?3 = 0 OR port = ?3) ORDER BY id DESC LIMIT ?4)"
		" ORDER BY id",
	[KEEP] = "INSERT OR REPLACE INTO memo (kind, id, until, data) VALUES (?1,?2,?3,?4)",
	[DROP] = "DELETE FROM memo WHERE kind = ?1 AND id = ?2",
	[TRIM_MEMOS] = "DELETE FROM memo WHERE until <= ?1 OR rowid IN (SELECT rowid FROM memo"
		       " ORDER BY until DESC LIMIT -1 OFFSET ?2)",
	[RECALL] = "SELECT kind, id, until, data FROM memo WHERE until > ?1"
		   " ORDER BY until DESC LIMIT ?2",
};

static const struct database_plan plan = {
	.file = "gateway.db",
	.what = "history",
	.in_use = HISTORY_IN_USE,
	.steps = steps,
	.version = 2,
	.statements = statements,
	.statement_count = STATEMENTS,
};

/* A refusal that may come again, and where it stands. */
struct repeat {
	struct tenf_address client;
	struct tenf_endpoint internal;
	enum tenf_protocol protocol;
	uint8_t version;
	uint8_t result;
	int64_t at;
	int64_t row; /* 0: free */
};

struct history {
	struct database *db;
	struct history_limits limits;
	bool is_open;    /* a transaction */
	bool is_good;    /* so far */
	uint32_t noted;  /* since the limits were looked at */
	uint32_t kept;   /* memos, since theirs were */
	struct repeat repeats[HISTORY_REPEATS];
};

/* ---- Life --------------------------------------------------------------- */

bool history_open(const char *directory, const struct history_limits *limits, struct history **ret,
		  struct tenf_text *ret_note, struct tenf_text *why)
{
	struct history *h = calloc(1, sizeof(*h));

	if (h == NULL) {
		tenf_text_add(why, "out of memory");
		return false;
	}
	h->limits = *limits;
	h->noted = TRIM_EVERY; /* other limits than last time are looked at first */
	h->kept = TRIM_EVERY;
	if (!database_open(directory, &plan, &h->db, ret_note, why)) {
		free(h);
		return false;
	}
	*ret = h;
	return true;
}

void history_close(struct history *h)
{
	if (h == NULL)
		return;
	if (h->is_open)
		(void)!database_end(h->db, h->is_good); /* it is history alone */
	database_close(h->db);
	free(h);
}

/* ---- Writing ------------------------------------------------------------ */

bool history_wants(const struct notice *n)
{
	return n->record.verdict != RESPONDER_RENEWED && notice_event(n) != NULL;
}

static struct repeat *place_of(struct history *h, const struct responder_record *record)
{
	uint32_t hash = 2166136261u ^ record->internal.port ^ (uint32_t)record->protocol << 16;

	for (size_t i = 0; i < sizeof(record->client.octets); i++)
		hash = (hash ^ record->client.octets[i] ^ record->internal.address.octets[i]) *
		       16777619u;
	return &h->repeats[hash % HISTORY_REPEATS];
}

static bool is_again(const struct repeat *r, const struct notice *n)
{
	const struct responder_record *record = &n->record;

	return r->row != 0 && n->at < r->at + HISTORY_REPEAT_S &&
	       r->protocol == record->protocol && r->version == record->version &&
	       r->result == record->result &&
	       tenf_address_equal(&r->client, &record->client) &&
	       tenf_endpoint_equal(&r->internal, &record->internal);
}

/* Counts a refusal up that is there already. */
static bool count_up(struct history *h, const struct repeat *r, int64_t at)
{
	sqlite3_stmt *s = database_statement(h->db, AGAIN);

	return sqlite3_bind_int64(s, 1, r->row) == SQLITE_OK &&
	       sqlite3_bind_int64(s, 2, at) == SQLITE_OK && database_run(h->db, AGAIN) &&
	       database_changes(h->db) == 1;
}

/* By which it is found: who was refused has none outside. */
static int port_of(const struct responder_record *record)
{
	return record->external.port != 0 ? record->external.port : record->internal.port;
}

static bool insert(struct history *h, const struct notice *n)
{
	bool refused = n->record.verdict == RESPONDER_REFUSED;
	json_t *json = notice_json(n);
	char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
	sqlite3_stmt *s = database_statement(h->db, NOTE);
	char client[TENF_ADDRESS_TEXT];
	bool good;

	(void)tenf_address_text(&n->record.client, client);
	good = text != NULL && sqlite3_bind_int64(s, 1, n->at) == SQLITE_OK &&
	       sqlite3_bind_int(s, 2, refused) == SQLITE_OK &&
	       sqlite3_bind_text(s, 3, client, -1, SQLITE_STATIC) == SQLITE_OK &&
	       sqlite3_bind_int(s, 4, port_of(&n->record)) == SQLITE_OK &&
	       sqlite3_bind_text(s, 5, text, -1, SQLITE_STATIC) == SQLITE_OK &&
	       database_run(h->db, NOTE);
	free(text);
	json_decref(json);
	return good;
}

static bool write_refusal(struct history *h, const struct notice *n)
{
	const struct responder_record *record = &n->record;
	struct repeat *r = place_of(h, record);

	if (is_again(r, n) && count_up(h, r, n->at))
		return true;
	if (!insert(h, n))
		return false;
	*r = (struct repeat){ .client = record->client, .internal = record->internal,
			      .protocol = record->protocol, .version = record->version,
			      .result = record->result, .at = n->at,
			      .row = database_last_row(h->db) };
	return true;
}

static void begin(struct history *h)
{
	if (h->is_open)
		return;
	h->is_open = database_begin(h->db);
	h->is_good = h->is_open;
}

bool history_note(struct history *h, const struct notice *n)
{
	begin(h);
	if (h->is_good)
		h->is_good = n->record.verdict == RESPONDER_REFUSED ? write_refusal(h, n)
								    : insert(h, n);
	h->noted++;
	return h->is_good;
}

static bool trim(struct history *h, int64_t now)
{
	sqlite3_stmt *refused = database_statement(h->db, TRIM_REFUSED);
	sqlite3_stmt *old = database_statement(h->db, TRIM_OLD);

	h->noted = 0;
	/* Refusals first: what is too much then is too much without them. */
	return sqlite3_bind_int64(refused, 1, h->limits.size / 2) == SQLITE_OK &&
	       database_run(h->db, TRIM_REFUSED) &&
	       sqlite3_bind_int64(old, 1, now - (int64_t)h->limits.days * 86400) == SQLITE_OK &&
	       sqlite3_bind_int64(old, 2, h->limits.size) == SQLITE_OK &&
	       database_run(h->db, TRIM_OLD);
}

static bool trim_memos(struct history *h, int64_t now)
{
	sqlite3_stmt *s = database_statement(h->db, TRIM_MEMOS);

	h->kept = 0;
	return sqlite3_bind_int64(s, 1, now) == SQLITE_OK &&
	       sqlite3_bind_int64(s, 2, HISTORY_MEMOS_MAX) == SQLITE_OK &&
	       database_run(h->db, TRIM_MEMOS);
}

bool history_flush(struct history *h, int64_t now)
{
	if (!h->is_open)
		return true;
	if (h->is_good && h->noted >= TRIM_EVERY)
		h->is_good = trim(h, now);
	if (h->is_good && h->kept >= TRIM_EVERY)
		h->is_good = trim_memos(h, now);
	h->is_open = false;
	if (database_end(h->db, h->is_good) == TENF_OK)
		return true;
	memset(h->repeats, 0, sizeof(h->repeats)); /* their rows may not be there */
	return false;
}

/* ---- Reading ------------------------------------------------------------ */

/* Adds how often, and when last, to what came more than once. */
static bool tell_again(const char *json, int times, int64_t last_at, history_each each,
		       void *context)
{
	json_t *event = json_loads(json, 0, NULL);
	char *text = NULL;
	bool more;

	if (event != NULL && json_object_set_new(event, "times", json_integer(times)) == 0 &&
	    json_object_set_new(event, "last_at", shape_time(last_at)) == 0)
		text = json_dumps(event, JSON_COMPACT);
	more = text != NULL && each(context, text);
	free(text);
	json_decref(event);
	return more;
}

bool history_ask(struct history *h, const struct history_query *query, history_each each,
		 void *context)
{
	sqlite3_stmt *s = database_statement(h->db, ASK);
	char client[TENF_ADDRESS_TEXT] = "";
	bool more = true;
	int code = SQLITE_ERROR;

	if (query->has_client)
		(void)tenf_address_text(&query->client, client);
	if (sqlite3_bind_int64(s, 1, query->since) == SQLITE_OK &&
	    sqlite3_bind_text(s, 2, client, -1, SQLITE_STATIC) == SQLITE_OK &&
	    sqlite3_bind_int(s, 3, query->port) == SQLITE_OK &&
	    sqlite3_bind_int64(s, 4, query->limit) == SQLITE_OK) {
		while (more && (code = sqlite3_step(s)) == SQLITE_ROW) {
			const char *json = (const char *)sqlite3_column_text(s, 0);
			int times = sqlite3_column_int(s, 1);

			more = times > 1 ? tell_again(json, times, sqlite3_column_int64(s, 2),
						      each, context)
					 : each(context, json);
		}
	}
	sqlite3_reset(s);
	return !more || code == SQLITE_DONE;
}

/* ---- Memos ---------------------------------------------------------------- */

bool history_keep(struct history *h, const struct memo_row *row)
{
	const enum statement which = row->until == 0 ? DROP : KEEP;
	sqlite3_stmt *s = database_statement(h->db, which);

	begin(h);
	h->kept++;
	h->is_good = h->is_good && sqlite3_bind_int(s, 1, row->kind) == SQLITE_OK &&
		     sqlite3_bind_int64(s, 2, row->id) == SQLITE_OK &&
		     (which == DROP ||
		      (sqlite3_bind_int64(s, 3, row->until) == SQLITE_OK &&
		       sqlite3_bind_blob(s, 4, row->data, (int)row->len, SQLITE_STATIC) ==
			       SQLITE_OK)) &&
		     database_run(h->db, which);
	return h->is_good;
}

static bool read_memo(sqlite3_stmt *s, struct memo_row *ret)
{
	const void *data = sqlite3_column_blob(s, 3);
	const int len = sqlite3_column_bytes(s, 3);
	const int64_t id = sqlite3_column_int64(s, 1);

	if (data == NULL || len <= 0 || (size_t)len > sizeof(ret->data) || id < 0 ||
	    id > UINT32_MAX || sqlite3_column_int64(s, 2) < 0)
		return false;
	ret->kind = (uint8_t)sqlite3_column_int(s, 0);
	ret->id = (uint32_t)id;
	ret->until = sqlite3_column_int64(s, 2);
	ret->len = (size_t)len;
	memcpy(ret->data, data, ret->len);
	return true;
}

bool history_recall(struct history *h, int64_t now, history_memo each, void *context)
{
	sqlite3_stmt *s = database_statement(h->db, RECALL);
	bool more = sqlite3_bind_int64(s, 1, now) == SQLITE_OK &&
		    sqlite3_bind_int64(s, 2, HISTORY_MEMOS_MAX) == SQLITE_OK;
	int code = SQLITE_ERROR;

	while (more && (code = sqlite3_step(s)) == SQLITE_ROW) {
		struct memo_row row = { .len = 0 };

		if (!read_memo(s, &row))
			row = (struct memo_row){ .len = 0 }; /* told all the same: nothing */
		more = each(context, &row);
	}
	sqlite3_reset(s);
	return code == SQLITE_DONE;
}
