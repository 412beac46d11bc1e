/* SPDX-License-Identifier: MIT */
/*
 * The gateway's side of the control API (docs/openapi.yaml): routes and their
 * handlers. The context of each is the daemon.
 */
#ifndef TENF_GATEWAY_API_H
#define TENF_GATEWAY_API_H

#include "control/request.h"
#include "gateway/daemon-private.h"

extern const struct control_route api_routes[];
extern const size_t api_route_count;

/* All of them (api-mappings.c). */
void api_get_mappings(struct control_request *request, void *context);
/* Changes (api-govern.c). */
void api_post_mappings(struct control_request *request, void *context);
void api_delete_mapping(struct control_request *request, void *context);
void api_get_pending(struct control_request *request, void *context);
void api_post_approve(struct control_request *request, void *context);
void api_post_deny(struct control_request *request, void *context);
/* Would this client get this port (api-explain.c)? */
void api_get_explain(struct control_request *request, void *context);
/* What was (api-history.c). */
void api_get_history(struct control_request *request, void *context);
/* What the test gateway does wrong (api-faults.c). */
void api_get_faults(struct control_request *request, void *context);
void api_put_faults(struct control_request *request, void *context);
/* Prometheus text (metrics.c). */
void api_get_metrics(struct control_request *request, void *context);

/* 200 with `body`, taken over, or 204 without one, once what was decided is on the disk. */
void api_answer_when_kept(const struct daemon *d, struct control_request *request, json_t *body);

/* What {id} names, made by MAP or PEER, alone in a list; NULL when there is no such thing,
 * and the request was answered. */
json_t *api_named(struct daemon *d, struct control_request *request, uint32_t *ret_id);

#endif
