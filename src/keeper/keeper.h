/* SPDX-License-Identifier: MIT */
/*
 * The keeper: all mappings wanted at one gateway, kept alive by what the
 * gateway granted and not by what was asked. No socket, no clock, no chance of
 * its own, and no protocol: it says what to ask (keeper_next_ask), hears what
 * came of it (keeper_answered), and whoever stands between — the client of
 * core, or a worker that speaks UPnP — does the asking.
 *
 * The keeper owns its mappings. A pointer to one is good until the next call
 * that lets time pass or fetches news; ids are good for ever.
 */
#ifndef TENF_KEEPER_KEEPER_H
#define TENF_KEEPER_KEEPER_H

#include "base/random.h"
#include "keeper/mapping.h"
#include "wire/pcp.h"

#define KEEPER_MAPPINGS_MAX 65536

struct keeper_config {
	tenf_duration verdict;  /* without an answer for this long: SILENT */
	unsigned methods;       /* enum tenf_method, or-ed */
};

struct keeper {
	const struct tenf_memory *memory;
	struct tenf_random random;
	struct keeper_config config;
	bool has_gateway;
	struct tenf_address source;

	struct keeper_mapping **mappings; /* by ascending id */
	size_t count;
	size_t size;
	uint32_t next_id;
	struct tenf_heap timers;
	struct keeper_mapping *first_ask, *last_ask;
	struct keeper_mapping *first_news, *last_news;

	tenf_time hold_new; /* NO_RESOURCES: no new mappings before (RFC 6887 §11.4) */
	tenf_time hold_all; /* the same on a delete: nothing at all before */

	tenf_time restarted_at; /* when that was last said */
	tenf_time recover_at;   /* the gateway restarted: recreate from here on */
	uint32_t recover_id;    /* the next to recreate; 0 when not recovering */
};

void keeper_init(struct keeper *keeper, const struct keeper_config *config,
		 const struct tenf_random *random, const struct tenf_memory *memory);
void keeper_done(struct keeper *keeper);

/* Wants a mapping, or a pair of TCP and UDP with one external port when
 * `both`. *ret_id is the (TCP) mapping. TENF_E_LIMIT, TENF_E_MEMORY. */
TENF_CHECKED enum tenf_status keeper_add(struct keeper *keeper, const struct keeper_wish *wish,
					 bool both, tenf_time now, uint32_t *ret_id);
/* Deletes at the gateway what an earlier run made; ends with REMOVED. */
TENF_CHECKED enum tenf_status keeper_release(struct keeper *keeper,
					     const struct keeper_wish *wish, tenf_time now,
					     uint32_t *ret_id);
/* Another lifetime from now on; what is held is renewed soon. TENF_E_NOT_FOUND. */
TENF_CHECKED enum tenf_status keeper_set_lifetime(struct keeper *keeper, uint32_t id,
						  uint32_t lifetime_s, tenf_time now);
/* Gives up a mapping and its pair. TENF_E_NOT_FOUND. */
TENF_CHECKED enum tenf_status keeper_remove(struct keeper *keeper, uint32_t id, tenf_time now);

struct keeper_mapping *keeper_find(const struct keeper *keeper, uint32_t id);
void keeper_view(const struct keeper *keeper, const struct keeper_mapping *mapping,
		 struct keeper_view *ret);

/* Somebody has to cancel this mapping's inquiry if it is under way, and then, when
 * keeper_question() fills one in, ask it. NULL when there is nothing to do. */
struct keeper_mapping *keeper_next_ask(struct keeper *keeper);
bool keeper_question(const struct keeper *keeper, const struct keeper_mapping *mapping,
		     struct core_question *ret);
/* inquiry->answer is whole. */
void keeper_answered(struct keeper *keeper, struct keeper_mapping *mapping, tenf_time now);

/* An unasked MAP answer (RFC 6887 §14.2): false when no mapping wants it. */
bool keeper_update(struct keeper *keeper, const struct pcp_answer *update, tenf_time now);
/* The epoch says the gateway lost its state: after 0-5 s all is recreated. */
void keeper_restarted(struct keeper *keeper, tenf_time now);
/* A sign of life: who waits only because nobody answered asks again. */
void keeper_alive(struct keeper *keeper, tenf_time now);
/* NAT-PMP has one external address for all; what it made is there from now on. */
void keeper_readdressed(struct keeper *keeper, const struct tenf_address *external);
/* There is a gateway, perhaps another one, or another own address towards it;
 * or none any more (`source` NULL). All is asked for anew, all holds are void. */
void keeper_moved(struct keeper *keeper, const struct tenf_address *source, bool same_gateway,
		  tenf_time now);

void keeper_expire(struct keeper *keeper, tenf_time now);
tenf_time keeper_deadline(const struct keeper *keeper);

/* News of one mapping; false when there is none. After REMOVED it is freed. */
bool keeper_next_news(struct keeper *keeper, enum tenf_event_kind *ret_kind,
		      struct keeper_view *ret_now, struct keeper_view *ret_before);

#endif
