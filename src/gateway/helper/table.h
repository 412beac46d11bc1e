/* SPDX-License-Identifier: MIT */
/*
 * Our table in the kernel, `inet tenforward`: its sets, its chains, and reading it
 * back. Making it again keeps what its sets hold and replaces its rules. Other
 * tables are never touched here (forward.h has the one exception).
 */
#ifndef TENF_GATEWAY_HELPER_TABLE_H
#define TENF_GATEWAY_HELPER_TABLE_H

#include "base/text.h"
#include "gateway/helper/netlink.h"
#include "gateway/helper/transaction.h"

/* Elements of each of the maps, and of the sets of filters: the latter are trees that
 * are copied for each change, so there are few. */
#define TABLE_MAPPINGS_MAX 1048576
#define TABLE_FILTERED_MAX 1024
#define TABLE_PEERS_MAX 4096 /* PEERS_MAX, of before and after a change */
#define TABLE_ASKERS_MAX 65536 /* senders whose requests are counted at a time */
#define TABLE_TEXT_MAX 65536   /* octets of all rules */

/* The bit of the packet mark that says "to a pinhole" to rules in other tables, which
 * cannot look into our sets. */
#define TABLE_MARK 0x20000000u

/* The rules as nft reads them; `ret->cut` when there are too many. */
void table_text(const struct helper_setup *setup, struct tenf_text *ret);

/* Runs commands of nft. False with nft's first words about it in `why`. */
bool table_run(const char *commands, struct tenf_text *why);

/* Makes the table, or replaces its rules; `fresh`: what is there of that name goes
 * first, with all it holds. False with a sentence in `why`. */
bool table_make(const struct helper_setup *setup, bool fresh, struct tenf_text *why);

/* The elements of a set; of `only` alone unless it is NULL. 0, ENOENT, EINTR when
 * the set changed meanwhile, or another errno: what `each` was told is then not to be
 * used. `each` may be called more than once for an element. */
int table_read(const struct helper_transport *transport, enum element_set set,
	       const struct element *only, netlink_each each, void *context);

/* When the epoch began, as the table says. ENOENT: it says nothing. */
int table_read_epoch(const struct helper_transport *transport, tenf_time *ret);

/* Finds out what this kernel can do with elements; the table must be there. */
int table_probe(const struct helper_transport *transport, struct transaction_features *ret);

#endif
