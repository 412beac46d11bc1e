/* SPDX-License-Identifier: MIT */
#include "gateway/api.h"

#include "gateway/api-shapes.h"
#include "gateway/observe-private.h"
#include "net/clock.h"

static json_t *daemon_json(const struct daemon *d)
{
	return json_pack("{s:b, s:o, s:s}", "running", true, "since",
			 shape_time(d->observe->started_at), "backend", d->backend->ops->name);
}

static void get_status(struct control_request *request, void *context)
{
	const struct daemon *d = context;
	json_t *gateways = json_array();
	json_t *status;
	tenf_time now = net_now();

	for (size_t i = 0; i < d->links.count; i++)
		(void)shape_append(&gateways, api_link(d, i, now));
	status = shape_status(gateways, json_pack("{s:b}", "running", false),
			      responder_mapping_count(d->responder) +
				      responder_peer_count(d->responder));
	if (status != NULL && json_object_set_new(status, "gateway", daemon_json(d)) != 0) {
		json_decref(status);
		status = NULL;
	}
	control_answer_json(request, 200, status);
}

static void get_mapping(struct control_request *request, void *context)
{
	uint32_t id;
	json_t *list = api_named(context, request, &id);

	if (list != NULL)
		control_answer_json(request, 200, shape_wrap("mappings", list));
}

static void get_events(struct control_request *request, void *context)
{
	struct daemon *d = context;

	observe_tell(d->observe);
	control_stream_serve(d->observe->stream, request);
}

static void post_reload(struct control_request *request, void *context)
{
	char reason[1024];
	struct tenf_text why = tenf_text_of(reason, sizeof(reason));

	if (daemon_reload(context, &why))
		control_answer_done(request);
	else
		control_answer_error(request, 422, "configuration", reason);
}

static void get_health(struct control_request *request, void *context)
{
	(void)context;
	control_answer_text(request, 200, "text/plain", "ok\n");
}

const struct control_route api_routes[] = {
	{ CONTROL_GET, "/v1/status", get_status },
	{ CONTROL_GET, "/v1/mappings", api_get_mappings },
	{ CONTROL_POST, "/v1/mappings", api_post_mappings },
	{ CONTROL_GET, "/v1/mappings/{id}", get_mapping },
	{ CONTROL_DELETE, "/v1/mappings/{id}", api_delete_mapping },
	{ CONTROL_GET, "/v1/events", get_events },
	{ CONTROL_GET, "/v1/history", api_get_history },
	{ CONTROL_POST, "/v1/reload", post_reload },
	{ CONTROL_GET, "/v1/pending", api_get_pending },
	{ CONTROL_POST, "/v1/pending/{id}/approve", api_post_approve },
	{ CONTROL_POST, "/v1/pending/{id}/deny", api_post_deny },
	{ CONTROL_GET, "/v1/explain", api_get_explain },
	{ CONTROL_GET, "/v1/faults", api_get_faults },
	{ CONTROL_PUT, "/v1/faults", api_put_faults },
	{ CONTROL_GET, "/metrics", api_get_metrics },
	{ CONTROL_GET, "/healthz", get_health },
};
const size_t api_route_count = TENF_ARRAY_SIZE(api_routes);
