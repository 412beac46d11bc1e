/* SPDX-License-Identifier: MIT */
/*
 * Two routers in a row, held: what through.h opens once, for keep and run. A second
 * session holds one mapping at the outer router for every half of the batch that the
 * inner one holds behind a private address, and follows where the inner one moves it.
 * The events of both sessions become one stream, about mappings whose outside is
 * that of the outer router. Owns the second session and what is known of the hops;
 * the batch stays its owner's. Waiting is the holder's.
 */
#ifndef TENF_CLI_THROUGH_KEEP_H
#define TENF_CLI_THROUGH_KEEP_H

#include "cli/batch.h"
#include "hops/joined.h"

struct kept_hop {
	struct hop hop;
	uint64_t number; /* in the record, 0: not there */
	bool dirty;      /* the record does not say it yet */
};

struct through_keep {
	bool wanted;
	struct kept_hop *hops;          /* one for each half of the batch, in its order */
	struct tenf_session *session;   /* at the outer router; NULL: none is known */
	char behind[TENF_ADDRESS_SIZE]; /* the inner router's address it was found behind */
	int64_t retry_at_ms;            /* when a router not found is looked for again */
	bool leaving;
};

/* Makes hops for a batch that has started. Exit status, with a message; done with
 * through_keep_done(). */
int through_keep_start(struct cli *cli, struct batch *batch, struct through_keep *ret);
void through_keep_done(struct through_keep *keep);

/* The outer session's descriptor, -1 without; how long until it wants a turn, -1: never. */
int through_keep_fd(const struct through_keep *keep);
int through_keep_timeout_ms(struct cli *cli, const struct through_keep *keep);
enum tenf_status through_keep_process(struct through_keep *keep);

/* As tenf_session_next_event(), of both sessions as one. */
bool through_keep_next_event(struct cli *cli, struct through_keep *keep, struct batch *batch,
			     struct tenf_event *ret);
/* Brings the record up to date with the hops; behind batch_record(). */
void through_keep_record(struct cli *cli, struct through_keep *keep, const struct batch *batch);

/* Asks the outer router to remove its hops; the inner session is the holder's. */
void through_keep_remove_all(struct through_keep *keep);
/* What was not confirmed is not waited for any longer. */
void through_keep_give_up(struct through_keep *keep, struct batch *batch);

#endif
