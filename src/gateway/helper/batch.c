/* SPDX-License-Identifier: MIT */
#include "gateway/helper/helper-private.h"

#include <errno.h>

#define COMMIT_ATTEMPTS 16 /* while others keep changing the ruleset */

/* ---- Is it still ours --------------------------------------------------------------- */

/* The generation is asked for first: a change behind that question is seen the next
 * time. */
bool helper_look(struct helper *h)
{
	uint32_t generation;
	tenf_time epoch_start;
	int code;

	if (transaction_generation(&h->nft, &generation) != 0)
		return !h->lost; /* nothing is known; a commit will find out */
	if (generation == h->generation || h->lost)
		return !h->lost;
	code = table_read_epoch(&h->nft, &epoch_start);
	h->generation = generation;
	h->is_stale = true;
	/* Before the first epoch was kept nothing is missed here; a commit will miss it. */
	if (h->epoch_start == TENF_NEVER)
		h->lost = code != 0 && code != ENOENT;
	else
		h->lost = code != 0 || epoch_start != h->epoch_start;
	return !h->lost;
}

bool helper_set_up(struct helper *h, const struct helper_setup *setup, bool *ret_fresh,
		   struct tenf_text *why)
{
	tenf_time epoch_start = TENF_NEVER;
	int code = table_read_epoch(&h->nft, &epoch_start);

	if (!table_make(setup, code != 0, why))
		return false;
	if (!h->is_set_up && table_probe(&h->nft, &h->features) != 0) {
		tenf_text_add(why, "the kernel does not take elements with a time-out");
		return false;
	}
	if (transaction_generation(&h->nft, &h->generation) != 0) {
		tenf_text_add(why, "the kernel does not tell the generation of its rules");
		return false;
	}
	if (code != 0)
		changes_forget(&h->changes);
	h->setup = *setup;
	h->is_set_up = true;
	h->epoch_start = epoch_start;
	h->lost = false;
	*ret_fresh = code != 0;
	return true;
}

/* ---- One transaction ------------------------------------------------------------------ */

/* What the table says of the epoch once this transaction holds. */
static tenf_time epoch_after(const struct helper *h)
{
	if (h->batch.has_epoch)
		return h->batch.epoch_start;
	return h->batch.forgets_epoch ? TENF_NEVER : h->epoch_start;
}

static enum transaction_result commit_once(struct helper *h, int *ret_code)
{
	enum transaction_result result = TRANSACTION_CHANGED;

	if (transaction_is_empty(h->transaction))
		return TRANSACTION_HOLDS;
	for (unsigned i = 0; i < COMMIT_ATTEMPTS && result == TRANSACTION_CHANGED; i++) {
		result = transaction_commit(h->transaction, &h->generation, ret_code);
		if (result == TRANSACTION_CHANGED && !helper_look(h))
			result = TRANSACTION_GONE;
	}
	/* Where an answer was lost somebody else may have got in between. */
	if (result == TRANSACTION_HOLDS && transaction_lost_an_answer(h->transaction)) {
		tenf_time epoch_start = TENF_NEVER;
		int code = table_read_epoch(&h->nft, &epoch_start);

		if ((code != 0 && code != ENOENT) || epoch_start != epoch_after(h))
			result = TRANSACTION_UNSURE;
	}
	return result;
}

/* The rest was refused. False: what is over may still be there, beside what comes. */
static bool commit_ends(struct helper *h)
{
	return h->lost || !transaction_keep_ends(h->transaction) ||
	       commit_once(h, &(int){ 0 }) == TRANSACTION_HOLDS;
}

/* Commits what is collected and begins anew. */
static enum helper_outcome commit_part(struct helper *h, int *ret_code)
{
	enum transaction_result result = commit_once(h, ret_code);
	bool holds = result == TRANSACTION_HOLDS;
	bool refused = result == TRANSACTION_REFUSED || result == TRANSACTION_CHANGED;

	if (refused && !commit_ends(h))
		result = TRANSACTION_UNSURE;
	changes_settle(&h->changes, holds);
	cut_settle(h->cut, holds);
	transaction_clear(h->transaction);
	switch (result) {
	case TRANSACTION_HOLDS:
		h->epoch_start = epoch_after(h);
		h->batch.has_epoch = false;
		h->batch.forgets_epoch = false;
		return HELPER_OK;
	case TRANSACTION_REFUSED:
	case TRANSACTION_CHANGED:
		return h->batch.split ? HELPER_UNSURE : HELPER_REFUSED;
	case TRANSACTION_GONE:
	case TRANSACTION_UNSURE:
		break;
	}
	h->lost = true;
	return HELPER_UNSURE;
}

/* ---- A batch ---------------------------------------------------------------------------- */

static void begin_batch(struct helper *h, const struct helper_change *first)
{
	char ignored[HELPER_TEXT_MAX];
	struct tenf_text why = tenf_text_of(ignored, sizeof(ignored));
	bool fresh;

	h->batch.begun = true;
	h->batch.restores = first->kind == HELPER_FLUSH;
	h->batch.forgets_epoch = h->batch.restores;
	/* What is not what it was is made anew, or waits for a batch that says all. */
	if (h->lost && h->batch.restores && helper_set_up(h, &h->setup, &fresh, &why))
		h->epoch_start = TENF_NEVER;
	if (h->lost)
		h->batch.code = ESTALE;
}

static int put_change(struct helper *h, const struct helper_change *change, tenf_time now)
{
	int code = changes_put(&h->changes, h->transaction, change, now);

	if (code == E2BIG) {
		/* More than one transaction takes: what is collected goes first. */
		if (commit_part(h, &code) != HELPER_OK)
			return code;
		h->batch.split = true;
		code = changes_put(&h->changes, h->transaction, change, now);
	}
	if (code == 0 && change->kind == HELPER_EPOCH) {
		h->batch.has_epoch = true;
		h->batch.epoch_start = change->epoch_start;
	}
	if (code == 0 && change->kind == HELPER_REMOVE && change->cut) {
		code = cut_put(h->cut, &change->mapping);
		if (code == ENOSPC) {
			cut_all(h->cut);
			code = cut_put(h->cut, &change->mapping);
		}
	}
	return code;
}

void helper_put_changes(struct helper *h, struct tenf_reader *body, uint16_t count, tenf_time now)
{
	struct helper_change change;

	for (uint16_t i = 0; i < count && h->batch.code == 0; i++) {
		if (helper_read_change(body, &change) != TENF_OK ||
		    (change.kind == HELPER_FLUSH && h->batch.changes > 0) || !h->is_set_up) {
			h->batch.code = EBADMSG;
			break;
		}
		if (!h->batch.begun)
			begin_batch(h, &change);
		if (h->batch.code == 0)
			h->batch.code = put_change(h, &change, now);
		h->batch.changes++;
	}
	if (h->batch.code == 0 && body->left > 0)
		h->batch.code = EBADMSG;
}

static enum helper_outcome give_up(struct helper *h)
{
	h->lost = !commit_ends(h) || h->lost;
	changes_settle(&h->changes, false);
	cut_settle(h->cut, false);
	transaction_clear(h->transaction);
	return h->batch.split || h->lost ? HELPER_UNSURE : HELPER_REFUSED;
}

enum helper_outcome helper_commit(struct helper *h, int *ret_code)
{
	enum helper_outcome outcome;

	*ret_code = h->batch.code;
	outcome = h->batch.code != 0 ? give_up(h) : commit_part(h, ret_code);
	h->lost |= outcome == HELPER_UNSURE;
	h->batch = (struct batch){ 0 };
	return outcome;
}
