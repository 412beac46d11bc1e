/* SPDX-License-Identifier: MIT */
/*
 * Wishes that wait for the administrator's word: those that met a rule with
 * POLICY_ASK. A wish is one internal endpoint that a client asks for; the
 * external port of its first try is what is approved, any that the rules ask about
 * when it named none.
 *
 *	new --> waiting --> approved --> gone when its mapping ends, or unused for long
 *	            |  `--> denied ----> gone after a while, then asked about again
 *	            `-----> gone when the client no longer asks
 *
 * A plain table of fixed size: it decides nothing, reads no clock and owns no
 * memory of others. Somebody who asks for many things gets PENDING_OF_HOST_MAX
 * places; where there is no place for a wish it is refused and not remembered.
 */
#ifndef TENF_GATEWAY_PENDING_H
#define TENF_GATEWAY_PENDING_H

#include "base/address.h"
#include "base/attributes.h"
#include "base/time.h"
#include "gateway/policy.h"

#define PENDING_MAX 256u
#define PENDING_OF_HOST_MAX 16u /* of an address, and of a link-layer address */
#define PENDING_UNKNOWN_MAX 64u /* of all whose link-layer address is not known */
#define PENDING_WAITS (3600 * TENF_SECOND)       /* after its last try */
#define PENDING_APPROVED (86400 * TENF_SECOND)   /* for the client's next try */
#define PENDING_DENIED (3600 * TENF_SECOND)      /* no new question so long */
#define PENDING_TOLD_AGAIN (300 * TENF_SECOND)   /* a wish that waits so much longer */

enum pending_state {
	PENDING_WAITING = 1,
	PENDING_IS_APPROVED,
	PENDING_IS_DENIED,
};

struct pending_wish {
	uint32_t id; /* from 1, unique within a life of the table */
	enum pending_state state;
	struct tenf_address client; /* who asks, */
	struct tenf_endpoint internal; /* for this endpoint, */
	enum tenf_protocol protocol;
	uint16_t external_port; /* and this port; 0: any */
	bool has_mac;
	uint8_t mac[POLICY_MAC]; /* of the client */
	tenf_time first_seen;
	tenf_time until; /* forgotten then */
	tenf_time watched_until; /* as the watcher heard it */
	uint32_t tries;
	int rule; /* that asks */
};

/* Told of each wish that is noted, and of each word, and of those that are `gone` for
 * another reason than the time. */
typedef void (*pending_watcher)(void *context, const struct pending_wish *wish, bool gone);

struct pending {
	struct pending_wish at[PENDING_MAX]; /* id 0: free */
	uint32_t count;
	uint32_t last_id;
	pending_watcher watcher; /* or NULL */
	void *context;
};

/* All zero is an empty table as well. */
void pending_init(struct pending *p);

/* The wish of this client for this endpoint, NULL when there is none. */
const struct pending_wish *pending_find(const struct pending *p,
					const struct tenf_address *client,
					const struct tenf_endpoint *internal,
					enum tenf_protocol protocol);
const struct pending_wish *pending_by_id(const struct pending *p, uint32_t id);

/* One try of `wish`, of which id, state, times and tries are not looked at: noted anew
 * (*ret_is_new) or counted. NULL: no place for it. */
const struct pending_wish *pending_note(struct pending *p, const struct pending_wish *wish,
					tenf_time now, bool *ret_is_new);

void pending_watch(struct pending *p, pending_watcher watcher, void *context);
/* Takes in what another table had, with its id and times; the watcher is not told.
 * TENF_E_LIMIT: no place, or it is there already. */
TENF_CHECKED enum tenf_status pending_restore(struct pending *p, const struct pending_wish *wish);

/* TENF_E_NOT_FOUND. Either may be taken back by the other. */
TENF_CHECKED enum tenf_status pending_approve(struct pending *p, uint32_t id, tenf_time now);
TENF_CHECKED enum tenf_status pending_deny(struct pending *p, uint32_t id, tenf_time now);

/* The mapping of the endpoint ended: what was approved for it no longer holds. */
void pending_forget(struct pending *p, const struct tenf_endpoint *internal,
		    enum tenf_protocol protocol);
/* Forgets what waits, for rules that are gone; said words hold. */
void pending_clear_waiting(struct pending *p);
/* Forgets what is over. */
void pending_expire(struct pending *p, tenf_time now);

/* All there are, oldest place first; start with NULL. */
const struct pending_wish *pending_each(const struct pending *p,
					const struct pending_wish *previous);

#endif
