/* SPDX-License-Identifier: MIT */
/*
 * Telling others: every hook and connector of the configuration gets the news
 * of the mappings it is for, again and again with back-off until it took them
 * or newer news replaced them. One libevent loop, no thread, nothing blocks.
 *
 *   WAITING ──► RUNNING ──► CONFIRMED ── application forgot ──► WAITING
 *      ▲           │
 *      └─ FAILED ◄─┘   again after the back-off
 */
#ifndef TENF_AGENT_DELIVERY_H
#define TENF_AGENT_DELIVERY_H

#include "agent/config.h"
#include "agent/namespace.h"
#include "base/time.h"

#include <event2/event.h>
#include <jansson.h>

/* Deliveries under way at once, and known at all (mappings times targets). */
#define DELIVERY_RUNNING_MAX 16
#define DELIVERY_MAX 65536
#define DELIVERY_RECHECK (60 * TENF_SECOND) /* of a port an application confirmed */
/* Tries for a mapping that is gone. */
#define DELIVERY_LAST_TRIES 5

struct deliveries;

/* The configuration is copied; `namespaces` is borrowed, NULL: there is ours alone. */
TENF_CHECKED enum tenf_status deliveries_new(struct event_base *base,
					     struct namespaces *namespaces,
					     const struct agent_config *config,
					     struct deliveries **ret);
void deliveries_free(struct deliveries *deliveries);
/* New targets, gone targets; the state of equal ones is kept. */
TENF_CHECKED enum tenf_status deliveries_reconfigure(struct deliveries *deliveries,
						     const struct agent_config *config);

/* News of mapping `number` called `name`; `event_json` is the event as the API
 * shows it. Hooks get the event; connectors and port files the external port,
 * of a pair that of its TCP half. Events of a gateway have number 0. */
void deliveries_tell(struct deliveries *deliveries, uint64_t number, const char *name,
		     const struct tenf_event *event, const json_t *event_json);
/* The same for those alone that have not heard of this mapping: after
 * deliveries_reconfigure(), with what is known of each mapping. */
void deliveries_introduce(struct deliveries *deliveries, uint64_t number, const char *name,
			  const struct tenf_event *event, const json_t *event_json);
/* The mapping is gone: what waits for it is dropped once REMOVED was told. */
void deliveries_forget(struct deliveries *deliveries, uint64_t number);

/* {"state": "confirmed", "at": "…"} of a mapping for the API, the worst of its
 * targets ("failed", "waiting", "running", "confirmed"); with
 * "targets": [{"target", "state", "at", "error", "tries"}]. NULL when nobody is told. */
json_t *deliveries_state(const struct deliveries *deliveries, uint64_t number);

/* For tests: how often a connector looks again (DELIVERY_RECHECK), and the first
 * wait after a failure (RETRY_FIRST). */
void deliveries_set_pace(struct deliveries *deliveries, tenf_duration recheck,
			 tenf_duration first_retry);

/* For metrics: what is in each state now. */
struct delivery_counts {
	uint64_t confirmed, failed, waiting;
};
void deliveries_count(const struct deliveries *deliveries, struct delivery_counts *ret);

#endif
