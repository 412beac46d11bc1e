/* SPDX-License-Identifier: MIT */
/*
 * The agent's side of the control API (docs/openapi.yaml): routes and their
 * handlers, and the JSON of what the agent holds.
 */
#ifndef TENF_AGENT_API_H
#define TENF_AGENT_API_H

#include "agent/daemon.h"
#include "control/request.h"

extern const struct control_route api_routes[];
extern const size_t api_route_count;

/* One half of an item, with its delivery. */
json_t *api_mapping(const struct daemon *daemon, const struct agent_item *item, unsigned half);
json_t *api_event(const struct daemon *daemon, const struct agent_item *item, unsigned half,
		  const struct tenf_event *event);

/* Prometheus text of the whole agent (metrics.c). */
void api_get_metrics(struct control_request *request, void *context);

#endif
