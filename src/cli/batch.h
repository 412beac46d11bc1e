/* SPDX-License-Identifier: MIT */
/*
 * The mappings one command asks for together, at one gateway, in one session:
 * add, keep and run. A wish for both protocols has two halves, as the session
 * has two mappings for it. The batch owns session and halves.
 */
#ifndef TENF_CLI_BATCH_H
#define TENF_CLI_BATCH_H

#include "cli/leases.h"
#include "cli/loop.h"
#include "cli/wishes.h"

struct half {
	uint32_t id;
	uint32_t pair;       /* 0: a wish for one protocol */
	bool answered;       /* a verdict came */
	bool dirty;          /* the record does not say it yet */
	bool asked_again;    /* the gateway restarted, and no word of this one since */
	uint64_t number;     /* in the record, 0: not there */
	struct tenf_mapping mapping;
	/* What the record says instead of `mapping`, where that spans two routers; NULL: it
	 * is the same. Not owned. */
	const struct tenf_mapping *recorded;
	struct tenf_event *waiting; /* of keep: an event that waits for the pair's */
	int64_t waiting_since_ms;
};

struct batch {
	const struct wishes *wishes;
	struct tenf_session *session;
	struct half *halves; /* in the order of the wishes, tcp before udp */
	size_t count;
	struct leases leases; /* as they were when the batch began, until the first is recorded */
	bool keep;
};

/* Makes the session and asks for everything. A lease recorded for the same
 * wish is gone on with: the gateway knows it by its nonce, and would refuse a
 * new one (RFC 6887 §11.3). Exit status, with a message. */
int batch_start(struct cli *cli, const struct wishes *wishes, bool keep, struct batch *ret);
void batch_done(struct batch *batch);

/* The half an event speaks of, with its news taken in; NULL when of none. */
struct half *batch_take(struct batch *batch, const struct tenf_event *event);
struct half *batch_find(const struct batch *batch, uint32_t id);
bool batch_answered(const struct batch *batch);
/* The highest exit status of all halves. */
int batch_exit(const struct batch *batch);

/* Brings the record up to date with every dirty half. */
void batch_record(struct cli *cli, struct batch *batch);

static inline bool mapping_is_held(const struct tenf_mapping *mapping)
{
	return mapping->state == TENF_STATE_MAPPED || mapping->state == TENF_STATE_RENEWING;
}

static inline bool half_is_held(const struct half *half)
{
	return mapping_is_held(&half->mapping);
}

#endif
