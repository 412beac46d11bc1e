/* SPDX-License-Identifier: MIT */
/*
 * Changes of elements that become true together. They are collected, then written
 * as one netlink batch and sent; the kernel takes it whole or not at all.
 *
 * What makes a commit safe against whatever becomes of its answer:
 *
 *	- A batch names the ruleset's generation. Where somebody else changed
 *	  anything in between, the kernel refuses it, and the caller looks whether our
 *	  table is still what it was before it commits again.
 *	- It can be repeated: an element that is added is removed in the same transaction
 *	  before, so a second time has the same end. When an answer was lost, the
 *	  batch is sent again until an answer says what holds.
 *	- When no attempt brought an answer, that is the answer: TRANSACTION_UNSURE.
 *
 * Kernels differ. From 6.3 on an element can be removed whether it is there or not;
 * before, the transaction is tried with what should be right, the kernel names
 * the elements where it was not, and it is tried again. From 6.12 on adding what is
 * there gives it a new end; before, it is removed and added.
 */
#ifndef TENF_GATEWAY_HELPER_TRANSACTION_H
#define TENF_GATEWAY_HELPER_TRANSACTION_H

#include "gateway/helper/elements.h"
#include "gateway/helper/transport.h"

#define TRANSACTION_ATTEMPTS 6
#define TRANSACTION_OCTETS_MAX (4 * 1024 * 1024) /* of one netlink batch */
#define TRANSACTION_ELEMENT_MAX 1024             /* of one element in it */
#define TRANSACTION_TABLE "tenforward"

/* What the kernel can do. */
struct transaction_features {
	bool destroy; /* remove what may not be there */
	bool update;  /* adding what is there sets its end */
};

enum transaction_result {
	TRANSACTION_HOLDS,
	TRANSACTION_REFUSED, /* nothing of it holds */
	TRANSACTION_CHANGED, /* nothing of it holds: the ruleset is not the one it was made for */
	TRANSACTION_GONE,    /* nothing of it holds: the table, or a set of it, is not there */
	TRANSACTION_UNSURE,  /* perhaps it holds */
};

struct transaction;

/* NULL when memory is out. The transport is the caller's. */
struct transaction *transaction_new(const struct helper_transport *transport,
				    const struct transaction_features *features);
void transaction_free(struct transaction *t);
/* Forgets what was collected. */
void transaction_clear(struct transaction *t);

enum transaction_act {
	TRANSACTION_ADD,    /* it is not there, or has to go first */
	TRANSACTION_EXTEND, /* it is there; only its end is another */
	TRANSACTION_REMOVE, /* whether it is there or not */
	TRANSACTION_END,    /* the same; it is over whatever becomes of the rest */
};

/* Copies the element. ENOMEM, or E2BIG when there would be more than
 * TRANSACTION_OCTETS_MAX or than the transport sends at once. */
int transaction_put(struct transaction *t, enum transaction_act act, const struct element *e);
/* After the whole was refused: all that is not over is forgotten. False: nothing is left. */
bool transaction_keep_ends(struct transaction *t);
/* Every element of all sets goes, before anything else of this transaction. */
void transaction_flush(struct transaction *t);
bool transaction_is_empty(const struct transaction *t);
/* Octets that may still be added; an element takes TRANSACTION_ELEMENT_MAX at most. */
size_t transaction_room(const struct transaction *t);

/* Commits for this generation, which moves on when it holds (one that changes nothing
 * leaves the kernel's where it was, and the next commit is TRANSACTION_CHANGED); *ret_code is an
 * errno that says why when it does not. What was collected stays. */
enum transaction_result transaction_commit(struct transaction *t, uint32_t *generation,
					   int *ret_code);
/* Did the last commit need more than one attempt because an answer was lost? Then
 * somebody else may have changed the ruleset unseen. */
bool transaction_lost_an_answer(const struct transaction *t);
/* Asks the kernel for the ruleset's generation. 0 or an errno. */
int transaction_generation(const struct helper_transport *transport, uint32_t *ret);

#endif
