/* SPDX-License-Identifier: MIT */
/* What the files of the keeper share: the set, the life, the pairs. */
#ifndef TENF_KEEPER_KEEPER_PRIVATE_H
#define TENF_KEEPER_KEEPER_PRIVATE_H

#include "keeper/keeper.h"

/* The set (keeper.c). */
void keeper_want_ask(struct keeper *keeper, struct keeper_mapping *m);
void keeper_tell(struct keeper *keeper, struct keeper_mapping *m, enum tenf_event_kind kind);
void keeper_set_timer(struct keeper *keeper, struct keeper_mapping *m, tenf_time at);
void keeper_new_nonce(struct keeper *keeper, struct keeper_mapping *m);

/* The life of one mapping (life.c). */
void life_ask(struct keeper *keeper, struct keeper_mapping *m, tenf_time now);
void life_hold(struct keeper *keeper, struct keeper_mapping *m, tenf_time until);
void life_release(struct keeper *keeper, struct keeper_mapping *m, tenf_time now);
void life_remove(struct keeper *keeper, struct keeper_mapping *m, tenf_time now);
void life_removed(struct keeper *keeper, struct keeper_mapping *m, enum tenf_reason reason,
		  int result);
void life_fail(struct keeper *keeper, struct keeper_mapping *m, enum tenf_state state,
	       enum tenf_reason reason, int result);
void life_fail_by(struct keeper *keeper, struct keeper_mapping *m, enum tenf_state state,
		  const struct keeper_error *error);
void life_expire(struct keeper *keeper, struct keeper_mapping *m, tenf_time now);
/* What is held is asked for as it is wanted now, as soon as that may be (§11.2.1). */
void life_revise(struct keeper *keeper, struct keeper_mapping *m, tenf_time now);
void life_recreate(struct keeper *keeper, struct keeper_mapping *m, tenf_time now);
/* The same, but 4 s after the try before at the earliest; false when it has to wait. */
bool life_recreate_in_time(struct keeper *keeper, struct keeper_mapping *m, tenf_time now);
void life_update(struct keeper *keeper, struct keeper_mapping *m,
		 const struct pcp_answer *update, tenf_time now);
void life_readdress(struct keeper *keeper, struct keeper_mapping *m,
		    const struct tenf_address *external);
bool life_holds(const struct keeper_mapping *m); /* there is something at the gateway */

/* How long to wait (hold.c): for an error the gateway told of, */
tenf_duration hold_of(const struct core_answer *answer);
/* and until a mapping that was not granted is asked for again. Nobody there is no
 * word of the gateway's, unless it said for how long (RFC 6887 §9). */
tenf_duration hold_retry(const struct keeper_mapping *m);

/* News (news.c): how what a mapping has stands to what was told last. */
bool news_same_endpoint(const struct keeper_grant *a, const struct keeper_grant *b);
bool news_told_as_held(const struct keeper_mapping *m);
bool news_is_told(const struct keeper_mapping *m);
void news_grant(struct keeper *keeper, struct keeper_mapping *m);
void news_other_half(struct keeper *keeper, struct keeper_mapping *m);

/* Pairs (pair.c). */
bool pair_may_ask(const struct keeper_mapping *m);
/* False while a common port is being looked for. */
bool pair_is_even(const struct keeper_mapping *m);
/* After a grant: true when the mapping may be told as held. */
bool pair_settle(struct keeper *keeper, struct keeper_mapping *m, tenf_time now);
/* One half failed: a follower that was never asked shares its leader's verdict. */
void pair_failed(struct keeper *keeper, struct keeper_mapping *m);
/* One half was refused: the other is not kept alone, and asked again at `again`. */
void pair_broke(struct keeper *keeper, struct keeper_mapping *m, tenf_time again, tenf_time now);

#endif
