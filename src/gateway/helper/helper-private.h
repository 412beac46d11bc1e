/* SPDX-License-Identifier: MIT */
/* The inside of the privileged process, for its own files. */
#ifndef TENF_GATEWAY_HELPER_PRIVATE_H
#define TENF_GATEWAY_HELPER_PRIVATE_H

#include "gateway/helper/changes.h"
#include "gateway/helper/cut.h"
#include "gateway/helper/sources.h"
#include "gateway/helper/table.h"

struct batch {
	uint32_t changes;     /* so far */
	bool begun;
	bool restores;        /* it began with FLUSH */
	bool split;           /* a part of it holds already: too much for one transaction */
	bool has_epoch;       /* the next commit keeps this one */
	bool forgets_epoch;   /* or none */
	tenf_time epoch_start;
	int code;             /* the first error; nothing more is done then */
};

struct helper {
	struct helper_transport nft;
	struct transaction_features features;
	struct transaction *transaction;
	struct changes changes;
	struct cut *cut;
	struct helper_setup setup;
	bool is_set_up;
	uint32_t generation;   /* of the ruleset that was looked at last */
	tenf_time epoch_start; /* as the table says; TENF_NEVER: it says nothing */
	bool is_stale;         /* others changed something since the forward chains were read */
	bool lost;             /* the table is not what it was; only a FLUSH helps */
	struct batch batch;
};

/* ---- batch.c: what the table is changed by ---------------------------------------- */

/* Makes the table. False with a sentence in `why`; *ret_fresh when nothing is kept. */
bool helper_set_up(struct helper *h, const struct helper_setup *setup, bool *ret_fresh,
		   struct tenf_text *why);
/* A part of a batch, `count` changes in `body`. */
void helper_put_changes(struct helper *h, struct tenf_reader *body, uint16_t count, tenf_time now);
/* The end of a batch. */
enum helper_outcome helper_commit(struct helper *h, int *ret_code);
/* Has somebody else changed the ruleset so that our table is not what it was? */
bool helper_look(struct helper *h);

/* ---- dump.c: what it holds ------------------------------------------------------------ */

/* Packets of mappings, HELPER_MESSAGE_MAX octets apart. */
struct dump {
	uint8_t *packets;
	struct tenf_writer *writers; /* one for each */
	uint16_t *counts;
	size_t count;
	size_t size;
	tenf_time now;
	tenf_time epoch_start;
	const struct changes *changes;
	struct sources sources; /* of the mappings in it */
	uint32_t foreign; /* elements that are not ours */
	bool failed;      /* out of memory */
};

/* 0 or an errno; the caller frees with dump_done either way. */
int helper_dump(struct helper *h, uint32_t number, tenf_time now, struct dump *ret);
void dump_done(struct dump *dump);

#endif
