/* SPDX-License-Identifier: MIT */
/*
 * What was open, by whom, how often it was renewed and why it ended, after the end
 * too: one event a row, in SQLite. Nothing here is waited for by a client of the
 * gateway; the process that has it open is the clerk (clerk.h).
 *
 * It is bounded by days and by number. Refusals, which anybody can cause, have
 * half of the number at most, and the same one again within an hour counts up
 * the row that is there.
 */
#ifndef TENF_GATEWAY_HISTORY_H
#define TENF_GATEWAY_HISTORY_H

#include "base/attributes.h"
#include "base/text.h"
#include "gateway/history-limits.h"
#include "gateway/memo.h"
#include "gateway/notice.h"

#define HISTORY_ANSWER 1000    /* events of an answer, when no limit is named */
#define HISTORY_ANSWER_MAX 10000
#define HISTORY_REPEATS 512    /* refusals that are known again */
#define HISTORY_REPEAT_S 3600
/* Memos: all that may be withheld, revoked and waiting; of more, what is over first goes. */
#define HISTORY_MEMOS_MAX (LEDGER_WITHHELD_MAX + LEDGER_REVOKED_MAX + PENDING_MAX + 1)

struct history_limits {
	uint32_t days;
	uint32_t size;
};

struct history;

/* What `why` ends with when another process has it. */
#define HISTORY_IN_USE "another gateway has it open; stop that one or name another State="

/* In `directory`, which exists. `ret_note` is "" or says that a damaged file was set aside. */
TENF_CHECKED bool history_open(const char *directory, const struct history_limits *limits,
			       struct history **ret, struct tenf_text *ret_note,
			       struct tenf_text *why);
/* Writes what waits. */
void history_close(struct history *h);

/* Is it kept at all? Renewals and answers to questions are not. */
bool history_wants(const struct notice *n);
/* Adds it to what history_flush() writes; false when it could not be. */
bool history_note(struct history *h, const struct notice *n);
/* Makes durable what was noted, and forgets what is too old or too much. */
bool history_flush(struct history *h, int64_t now);

/* Keeps what outlives the daemon until its time is over, in place of what was kept of the
 * same kind and id; made durable by history_flush() too. */
bool history_keep(struct history *h, const struct memo_row *row);
/* Each that is not over, until `each` gives false. False when they cannot be read. */
typedef bool (*history_memo)(void *context, const struct memo_row *row);
bool history_recall(struct history *h, int64_t now, history_memo each, void *context);

struct history_query {
	int64_t since;              /* wall clock; 0: from the first on */
	bool has_client;
	struct tenf_address client; /* who asked */
	uint16_t port;              /* external, of a refusal internal; 0: any */
	uint32_t limit;             /* the newest so many */
};

/* Each as JSON, oldest first, until `each` gives false. False when it could not be read. */
typedef bool (*history_each)(void *context, const char *json);
bool history_ask(struct history *h, const struct history_query *query, history_each each,
		 void *context);

#endif
