/* SPDX-License-Identifier: MIT */
/*
 * The inside of the ledger, for its own files: ledger.c keeps records,
 * ledger-table.c finds them, ledger-hosts.c keeps hosts and their lists,
 * ledger-pool.c pairs hosts with external addresses,
 * ledger-batch.c keeps what the backend has not confirmed yet.
 */
#ifndef TENF_GATEWAY_LEDGER_PRIVATE_H
#define TENF_GATEWAY_LEDGER_PRIVATE_H

#include "gateway/ledger.h"

#define LEDGER_CHUNK 128 /* records allocated at once */

struct ledger_chunk {
	struct ledger_chunk *next;
	struct ledger_mapping at[LEDGER_CHUNK];
};

/* What a mapping was before the batch, when more changed than its end. */
struct ledger_saved {
	struct ledger_mapping *mapping;
	struct ledger_cold *cold;
	tenf_time at;
	tenf_time made_at;
	uint8_t nonce[PCP_NONCE];
	uint32_t renewals;
	uint32_t lifetime_s;
	int16_t rule;
	uint8_t maker;
	uint8_t state;
	uint8_t end;
};

struct ledger {
	const struct tenf_memory *memory;
	struct ledger_limits limits;
	uint64_t key[2]; /* of the hash, so that nobody outside can make long chains */

	struct ledger_mapping **internal; /* by protocol and internal endpoint, all records */
	struct ledger_mapping **external; /* by protocol and external port, IPv4 */
	size_t buckets;                   /* of each; a power of two */
	struct ledger_chunk *chunks;
	struct ledger_mapping *unused; /* linked by batch_next */
	uint32_t live_count;
	uint32_t ended_count;
	uint32_t next_id;
	size_t filtered_count; /* cold parts with filters */
	size_t filter_count;   /* in them */

	struct tenf_heap leases;   /* of live mappings */
	struct tenf_heap withheld; /* of ended ones */
	struct ports *ports; /* one for each address of the pool */
	struct tenf_address pool[LEDGER_POOL_MAX];
	size_t pool_count;

	struct ledger_host **hosts;
	size_t host_buckets;
	size_t host_count;
	struct ledger_host *idle;      /* newest first */
	struct ledger_host *idle_last; /* oldest */
	size_t idle_count;

	struct ledger_mapping *batch; /* linked by batch_next, as touched */
	struct ledger_mapping *batch_last;
	struct ledger_saved *saved;
	size_t saved_count;
	size_t saved_size;
};

uint64_t ledger_mix(uint64_t x);
uint64_t ledger_hash(const struct ledger *ledger, const struct tenf_address *address,
		     uint32_t more);

/* The tables: finding a place costs the same however many records there are. */
void ledger_table_insert(struct ledger *ledger, struct ledger_mapping *m);
void ledger_table_remove(struct ledger *ledger, struct ledger_mapping *m);
/* The two halves, while records move to other external addresses. */
void ledger_table_insert_external(struct ledger *ledger, struct ledger_mapping *m);
void ledger_table_remove_internal(struct ledger *ledger, struct ledger_mapping *m);
/* Before one more record; false when there is no table at all and no memory for one. */
TENF_CHECKED bool ledger_table_grow(struct ledger *ledger);
/* Pinholes are not in the table of external ports: theirs is the internal one. */
bool ledger_has_port(const struct ledger_mapping *m);
/* The ended record whose place a wish takes again, or NULL. */
struct ledger_mapping *ledger_find_place(const struct ledger *ledger,
					 const struct ledger_wish *wish);

/* Moves a record to a state and into its lists, from whichever it was in. */
void ledger_set_live(struct ledger *ledger, struct ledger_mapping *m, tenf_time until);
void ledger_set_ended(struct ledger *ledger, struct ledger_mapping *m, tenf_time until);
/* The slot of the pool at which a host's mappings are. */
uint16_t ledger_slot(const struct ledger *ledger, const struct tenf_address *host);
/* The same from the pool alone, whatever is known of the host. */
uint16_t ledger_pair(const struct ledger *ledger, const struct tenf_address *host);
struct ports *ledger_ports_of(const struct ledger *ledger, const struct ledger_mapping *m);

/* A record that is in no table any more: its memory is for the next. */
void ledger_forget(struct ledger *ledger, struct ledger_mapping *m);
/* Forgets a record: out of every list, its port free, its memory for the next. */
void ledger_drop(struct ledger *ledger, struct ledger_mapping *m);

/* Hosts. */
void ledger_host_link(struct ledger *ledger, struct ledger_mapping *m);
void ledger_host_unlink(struct ledger *ledger, struct ledger_mapping *m);
void ledger_hosts_clear(struct ledger *ledger);

/* The batch. */
void ledger_touch(struct ledger *ledger, struct ledger_mapping *m);
TENF_CHECKED enum tenf_status ledger_save(struct ledger *ledger, struct ledger_mapping *m);
void ledger_batch_clear(struct ledger *ledger);
/* May be NULL. */
void ledger_free_cold(struct ledger *ledger, struct ledger_cold *cold);
/* A cold part that is no longer in use; kept while the batch may bring it back. */
void ledger_drop_cold(struct ledger *ledger, struct ledger_mapping *m);

#endif
