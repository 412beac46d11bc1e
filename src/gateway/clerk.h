/* SPDX-License-Identifier: MIT */
/*
 * The clerk: a process of its own that keeps the history and runs the hooks, so that
 * neither the disk nor SQLite nor a command is ever waited for by a request, and so
 * that the process that hears the network has no file to write and no program to start.
 *
 *	daemon ── notices, questions ──► clerk ──► gateway.db
 *	       ◄── rows of answers, counts ──    └──► commands of [Hook]
 *
 * It is forked before anything is opened and before root is given up, becomes the
 * same user, ignores SIGTERM and SIGINT, and ends with the daemon: when its
 * socket is closed it writes what it has, and hooks get a second more. What does not
 * fit the queue towards it is dropped and counted; a clerk that is gone is told once,
 * and the gateway goes on.
 */
#ifndef TENF_GATEWAY_CLERK_H
#define TENF_GATEWAY_CLERK_H

#include "gateway/config.h"
#include "gateway/history.h"
#include "gateway/hooks.h"
#include "gateway/responder-memo.h"

#include <event2/event.h>

#define CLERK_UNSENT_MAX 4194304 /* octets that wait for it; notices above are dropped */
#define CLERK_UNSENT_MEMOS 8388608 /* the same for memos, which notices must not push out */
#define CLERK_ASKS_MAX 8         /* questions under way: more are TENF_E_LIMIT */

struct clerk;

/* Forks it, when the configuration wants any of its work; *ret is NULL otherwise.
 * False with a sentence in `why` when it cannot do that work. */
TENF_CHECKED bool clerk_start(const struct gateway_config *config, struct clerk **ret,
			      struct tenf_text *why);
/* From now on on this loop. */
TENF_CHECKED bool clerk_attach(struct clerk *clerk, struct event_base *base);
/* What was kept before this start, in no order; to be called once. Gives back how many of
 * them made no sense, or were not taken by `each`. */
typedef bool (*clerk_each)(void *context, const struct responder_memo *memo);
size_t clerk_recall(struct clerk *clerk, clerk_each each, void *context);
/* Keeps it for the next start, or forgets it. */
void clerk_keep(struct clerk *clerk, const struct responder_memo *memo);
/* What waits is handed over now: from here on a kill of the daemon loses none of it. */
void clerk_push(struct clerk *clerk);
/* Closes the socket and waits for its end. NULL is fine. */
void clerk_stop(struct clerk *clerk);

/* Does it keep a history? */
bool clerk_keeps_history(const struct clerk *clerk);
/* Has it tell these from now on. False with a sentence in `why`: those before go on. */
TENF_CHECKED bool clerk_set_hooks(struct clerk *clerk, const struct config_hook *list,
				  size_t count, struct tenf_text *why);
void clerk_note(struct clerk *clerk, const struct notice *n);
uint64_t clerk_lost(const struct clerk *clerk); /* notices dropped */
/* As the clerk said last. */
void clerk_count_hooks(const struct clerk *clerk, struct hooks_counts *ret);
bool clerk_is_there(const struct clerk *clerk);

/* Called once: with the whole answer, a JSON list of events, or with NULL when
 * there is none. */
typedef void (*clerk_answer)(void *context, const char *json);
/* *ret_id is for clerk_forget(). TENF_E_LIMIT, TENF_E_NOT_FOUND (no clerk), TENF_E_MEMORY. */
TENF_CHECKED enum tenf_status clerk_ask(struct clerk *clerk, const struct history_query *query,
					clerk_answer answer, void *context, uint32_t *ret_id);
/* Nobody waits for this answer any more. */
void clerk_forget(struct clerk *clerk, uint32_t id);

#endif
