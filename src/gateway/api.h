/* SPDX-License-Identifier: MIT */
/*
 * The gateway's side of the control API (docs/openapi.yaml): routes and their
 * handlers. The context of each is the daemon.
 */
#ifndef TENF_GATEWAY_API_H
#define TENF_GATEWAY_API_H

#include "control/request.h"

extern const struct control_route api_routes[];
extern const size_t api_route_count;

/* What the test gateway does wrong (api-faults.c). */
void api_get_faults(struct control_request *request, void *context);
void api_put_faults(struct control_request *request, void *context);
/* Prometheus text (metrics.c). */
void api_get_metrics(struct control_request *request, void *context);

#endif
