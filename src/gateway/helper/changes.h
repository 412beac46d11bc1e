/* SPDX-License-Identifier: MIT */
/*
 * Changes of mappings as elements of a transaction. Most need no memory here; what
 * does is which filters a mapping has, because the ranges of one that ends must be
 * removed by their exact keys. Few mappings have filters, so they stand in a short list.
 *
 * The list follows the transaction: changes_settle says what became of it.
 */
#ifndef TENF_GATEWAY_HELPER_CHANGES_H
#define TENF_GATEWAY_HELPER_CHANGES_H

#include "gateway/helper/transaction.h"

#define CHANGES_FILTERED_MAX 128 /* mappings with filters, in all */
_Static_assert(LEDGER_FILTERED_MAX <= CHANGES_FILTERED_MAX, "what the ledger holds fits");
/* Octets one change may take: a mapping with its filters, before and after. */
#define CHANGES_OCTETS_MAX ((4 + 2 * LEDGER_FILTERS_MAX) * TRANSACTION_ELEMENT_MAX)

enum filtered_state {
	FILTERED_HELD,
	FILTERED_COMING, /* with the transaction */
	FILTERED_GOING,
};

struct filtered {
	enum filtered_state state;
	struct helper_mapping mapping; /* protocol, endpoints and filters count */
};

struct changes {
	struct filtered *filtered;
	size_t count;
};

/* ENOMEM. */
int changes_init(struct changes *c);
void changes_done(struct changes *c);

/* Adds what a change means to the transaction. ENOSPC: no room for more filters;
 * E2BIG and ENOMEM of transaction_put. After an error the transaction is of no use,
 * but for E2BIG: then it is as it was before the change. */
int changes_put(struct changes *c, struct transaction *t, const struct helper_change *change,
		tenf_time now);
/* The transaction holds, or it does not. */
void changes_settle(struct changes *c, bool holds);

/* A filter found in the table; ENOSPC. */
int changes_found(struct changes *c, const struct element_filter *found);
/* Gives a mapping found in the table its filters. */
void changes_fill_filters(const struct changes *c, struct helper_mapping *m);
void changes_forget(struct changes *c);

#endif
