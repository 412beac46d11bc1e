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

#include <event2/event.h>
#include <jansson.h>

/* Deliveries under way at once, and known at all (mappings times targets). */
#define DELIVERY_RUNNING_MAX 16
#define DELIVERY_MAX 65536

struct deliveries;

/* The configuration is copied. */
TENF_CHECKED enum tenf_status deliveries_new(struct event_base *base,
					     const struct agent_config *config,
					     struct deliveries **ret);
void deliveries_free(struct deliveries *deliveries);
/* New targets, gone targets; the state of equal ones is kept. */
TENF_CHECKED enum tenf_status deliveries_reconfigure(struct deliveries *deliveries,
						     const struct agent_config *config);

/* News of mapping `number` called `name`; `event_json` is the event as the API
 * shows it. Hooks get the event; connectors the external port (or, with follow, the port to listen on) when it is mapped. */
void deliveries_tell(struct deliveries *deliveries, uint64_t number, const char *name,
		     const struct tenf_event *event, const json_t *event_json);
/* The mapping is gone: what waits for it is dropped once REMOVED was told. */
void deliveries_forget(struct deliveries *deliveries, uint64_t number);

/* {"state": "confirmed", "at": "…"} of a mapping for the API, the worst of its
 * targets; with "targets": [{"target", "state", "at", "error", "tries"}]. NULL
 * when nobody is told. */
json_t *deliveries_state(const struct deliveries *deliveries, uint64_t number);

/* For metrics. */
struct delivery_counts {
	uint64_t confirmed, failed, waiting;
};
void deliveries_count(const struct deliveries *deliveries, struct delivery_counts *ret);

#endif
