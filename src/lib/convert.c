/* SPDX-License-Identifier: MIT */
#include "lib/convert.h"

#include "lib/explain.h"
#include "net/clock.h"
#include "wire/pcp-option.h"

#include <string.h>

void tenf_request_init(struct tenf_request *request)
{
	*request = (struct tenf_request){
		.size = sizeof(*request),
		.protocol = TENF_TCP,
		.lifetime_s = TENF_DEFAULT_LIFETIME_S,
	};
}

static bool is_protocol(enum tenf_protocol protocol)
{
	return protocol == TENF_TCP || protocol == TENF_UDP || protocol == TENF_BOTH;
}

static enum tenf_status read_texts(const struct tenf_request *r, struct keeper_wish *wish)
{
	if (r->internal_address != NULL) {
		wish->for_other = true;
		if (!tenf_address_parse(r->internal_address, &wish->other) ||
		    tenf_address_is_none(&wish->other))
			return TENF_E_ARGUMENT;
	}
	if (r->external_address != NULL &&
	    !tenf_address_parse(r->external_address, &wish->external_address))
		return TENF_E_ARGUMENT;
	if (r->description != NULL) {
		size_t len = strlen(r->description);

		if (len >= KEEPER_DESCRIPTION ||
		    !pcp_is_utf8((const uint8_t *)r->description, len))
			return TENF_E_ARGUMENT;
		if (len > 0)
			wish->description = r->description;
	}
	return TENF_OK;
}

static bool read_filter(const struct tenf_filter *f, struct pcp_filter *ret)
{
	unsigned length;

	if (!tenf_address_parse(f->address, &ret->address))
		return false;
	length = f->prefix_length + (tenf_address_is_v4(&ret->address) ? 96u : 0u);
	ret->prefix_length = (uint8_t)length;
	ret->port = f->port;
	return f->prefix_length > 0 && length <= 128;
}

enum tenf_status convert_request(const struct tenf_request *request,
				 struct pcp_filter ret_filters[TENF_FILTERS_MAX],
				 struct keeper_wish *ret)
{
	struct tenf_request r;
	struct keeper_wish wish = { .external_address = tenf_address_none4 };
	enum tenf_status status;

	tenf_request_init(&r);
	memcpy(&r, request, request->size < sizeof(r) ? request->size : sizeof(r));
	if (!is_protocol(r.protocol) || r.internal_port == 0 || r.lifetime_s == 0 ||
	    (r.exact && r.external_port == 0) || r.filter_count > TENF_FILTERS_MAX)
		return TENF_E_ARGUMENT;
	for (size_t i = 0; i < r.filter_count; i++) {
		if (!read_filter(&r.filters[i], &ret_filters[i]))
			return TENF_E_ARGUMENT;
	}
	wish.filters = ret_filters;
	wish.filter_count = (uint8_t)r.filter_count;
	wish.clear_filters = r.clear_filters;
	wish.protocol = r.protocol == TENF_BOTH ? TENF_TCP : r.protocol;
	wish.internal_port = r.internal_port;
	wish.external_port = r.external_port;
	wish.lifetime_s = r.lifetime_s;
	wish.exact = r.exact;
	wish.keep = r.keep;
	wish.granted_port = r.granted_port;
	if (r.nonce != NULL) {
		wish.has_nonce = true;
		memcpy(wish.nonce, r.nonce, sizeof(wish.nonce));
	}
	if (r.pair_nonce != NULL) {
		wish.has_pair_nonce = true;
		memcpy(wish.pair_nonce, r.pair_nonce, sizeof(wish.pair_nonce));
	}
	status = read_texts(&r, &wish);
	if (status == TENF_OK)
		*ret = wish;
	return status;
}

enum tenf_status convert_lease(const struct tenf_mapping *lease, struct keeper_wish *ret)
{
	struct keeper_wish wish = {
		.protocol = lease->protocol,
		.internal_port = lease->internal_port,
		.external_port = lease->external_port,
		.external_address = tenf_address_none4,
		.has_nonce = true,
	};

	if ((lease->protocol != TENF_TCP && lease->protocol != TENF_UDP) ||
	    lease->internal_port == 0)
		return TENF_E_ARGUMENT;
	memcpy(wish.nonce, lease->nonce, sizeof(wish.nonce));
	if (lease->internal_address[0] != '\0' &&
	    !tenf_address_parse(lease->internal_address, &wish.other))
		return TENF_E_ARGUMENT;
	*ret = wish;
	return TENF_OK;
}

void convert_address(const struct tenf_address *address, char ret[TENF_ADDRESS_SIZE])
{
	ret[0] = '\0';
	if (!tenf_address_is_none(address))
		tenf_address_text(address, ret);
}

static int64_t wall_of(tenf_time at)
{
	return at == TENF_NEVER ? 0 : net_wall_of_s(at);
}

static struct explain_case case_of(const struct convert_scene *scene, enum tenf_reason reason)
{
	return (struct explain_case){
		.gateway = scene->route != NULL ? &scene->route->gateway : NULL,
		.interface = scene->settings->interface,
		.named = scene->settings->has_gateway ? &scene->settings->gateway : NULL,
		.source = scene->settings->has_source ? &scene->settings->source : NULL,
		.reason = reason,
		.result = -1,
		.asked = scene->settings->methods,
		.timeout_ms = scene->settings->timeout_ms,
	};
}

void convert_mapping(const struct convert_scene *scene, const struct keeper_view *view,
		     struct tenf_mapping *ret)
{
	struct explain_case c = case_of(scene, view->error.reason);
	bool held = view->grant.expires != TENF_NEVER;

	*ret = (struct tenf_mapping){
		.id = view->id,
		.pair = view->pair,
		.protocol = view->wish.protocol,
		.state = view->state,
		.method = view->grant.method,
		.internal_port = view->wish.internal_port,
		.external_port = view->grant.external_port,
		.requested_external_port = view->wish.external_port,
		.lifetime_s = held ? view->grant.lifetime_s : 0,
		.expires_at = wall_of(view->grant.expires),
		.renews_at = wall_of(view->renews),
	};
	if (held && view->wish.filter_count > 0)
		ret->filtering = view->grant.unfiltered ? TENF_FILTERING_MISSING :
							  TENF_FILTERING_ECHOED;
	memcpy(ret->nonce, view->wish.nonce, sizeof(ret->nonce));
	convert_address(&view->internal_address, ret->internal_address);
	convert_address(&view->grant.external_address, ret->external_address);
	if (scene->route != NULL) {
		convert_address(&scene->route->gateway.address, ret->gateway);
		ret->gateway_port = scene->route->gateway.port;
	}
	c.method = view->error.method;
	c.result = view->error.result;
	explain_reason(&ret->error, &c);
}

static void add_spoken(struct tenf_gateway *g, enum tenf_method method, unsigned version)
{
	g->spoken[g->spoken_count++] = (struct tenf_spoken){ method, version };
}

static void fill_heard(const struct client *client, struct tenf_gateway *g)
{
	bool natpmp_is_newer = !client->pcp_epoch.known ||
			       (client->natpmp_epoch.known &&
				client->natpmp_epoch.at > client->pcp_epoch.at);
	const struct epoch *epoch = natpmp_is_newer ? &client->natpmp_epoch : &client->pcp_epoch;

	if (client->pcp == CLIENT_SPEAKS)
		add_spoken(g, TENF_METHOD_PCP, 2);
	if (client->natpmp == CLIENT_SPEAKS)
		add_spoken(g, TENF_METHOD_NATPMP, 0);
	convert_address(&client->external, g->external_address);
	g->address_class = tenf_address_classify(&client->external);
	g->rtt_us = client->rtt;
	if (epoch->known) {
		g->epoch_s = epoch->server_s + (net_now() - epoch->at) / TENF_SECOND;
		g->up_since = net_wall_s() - g->epoch_s;
	}
}

void convert_gateway(const struct convert_scene *scene, const struct client *client,
		     enum tenf_reason reason, struct tenf_gateway *ret)
{
	struct explain_case c = case_of(scene, reason);

	*ret = (struct tenf_gateway){ .port = TENF_DEFAULT_PORT, .epoch_s = -1, .rtt_us = -1 };
	if (scene->route != NULL) {
		convert_address(&scene->route->gateway.address, ret->address);
		ret->port = scene->route->gateway.port;
		memcpy(ret->interface, scene->route->interface, sizeof(ret->interface));
		convert_address(&scene->route->source, ret->source);
		ret->origin = scene->route->origin;
	} else {
		c.reason = TENF_REASON_NO_GATEWAY;
	}
	if (client != NULL)
		fill_heard(client, ret);
#if TENF_WITH_IGD
	if (scene->igd_version != 0)
		add_spoken(ret, TENF_METHOD_IGD, scene->igd_version);
#endif
	explain_reason(&ret->error, &c);
}
