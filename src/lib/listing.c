/* SPDX-License-Identifier: MIT */
/* What a gateway lists by UPnP, read whole before the call returns. */
#include "lib/convert.h"
#include "lib/explain.h"
#include "lib/upnp.h"

#if TENF_WITH_IGD

#include "lib/wait.h"
#include "net/clock.h"
#include "net/poll.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct tenf_listing {
	struct route route;
	struct igd *igd;
	struct tenf_address external;
	int64_t at; /* wall clock */
	int poll_fd;
};

static enum tenf_status fail(struct tenf_error *reterr, const struct settings *settings,
			     const struct route *route, enum tenf_reason reason, int error)
{
	struct explain_case c = {
		.gateway = route != NULL ? &route->gateway : NULL,
		.interface = settings->interface,
		.named = settings->has_gateway ? &settings->gateway : NULL,
		.source = settings->has_source ? &settings->source : NULL,
		.reason = reason,
		.method = TENF_METHOD_IGD,
		.result = error,
		.asked = TENF_METHOD_IGD,
		.timeout_ms = settings->timeout_ms,
	};

	if (reterr != NULL)
		explain_reason(reterr, &c);
	return TENF_E_FAILED;
}

/* The first candidate a socket can be opened to, as for a session. */
static enum tenf_status find_route(const struct settings *settings, struct route *ret,
				   struct tenf_error *reterr)
{
	struct route routes[ROUTES_MAX];
	struct net_error cause = { 0 };
	size_t count = 0;
	int fd;
	enum tenf_status status = route_find(settings, routes, ROUTES_MAX, &count, &cause);

	if (status != TENF_OK)
		return explain_system(reterr, status, "Cannot read the routes", &cause);
	for (size_t i = 0; i < count; i++) {
		if (route_open(settings, &routes[i], &fd, NULL) != TENF_OK)
			continue;
		close(fd);
		*ret = routes[i];
		return TENF_OK;
	}
	return fail(reterr, settings, NULL, TENF_REASON_NO_GATEWAY, -1);
}

static enum tenf_status read_list(struct tenf_listing *l, const struct settings *settings,
				  struct tenf_error *reterr)
{
	struct igd_job job = { .what = IGD_LIST, .patient = true,
			       .deadline = net_now() + settings->timeout_ms * TENF_MILLISECOND };
	struct igd_result result;

	igd_start(l->igd, &job, net_now());
	while (!igd_take(l->igd, &result)) {
		(void)net_wait(l->poll_fd, timeout_until_ms(igd_deadline(l->igd), net_now()));
		igd_step(l->igd, net_now());
	}
	l->external = result.external_address;
	l->at = net_wall_s();
	if (result.reason == TENF_REASON_NONE)
		return TENF_OK;
	return fail(reterr, settings, &l->route, result.reason, result.error);
}

enum tenf_status tenf_listing_new(const struct tenf_options *options, struct tenf_listing **ret,
				  struct tenf_error *reterr)
{
	struct settings settings;
	struct tenf_listing *l;
	enum tenf_status status = settings_read(options, &settings, reterr);

	if (status != TENF_OK)
		return status;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return explain_system(reterr, TENF_E_MEMORY, "Out of memory", NULL);
	l->poll_fd = -1;
	status = find_route(&settings, &l->route, reterr);
	if (status == TENF_OK &&
	    (net_poll_open(&l->poll_fd) != TENF_OK ||
	     upnp_open(&settings, &l->route, l->poll_fd, 0, &l->igd) != TENF_OK))
		status = explain_system(reterr, TENF_E_SYSTEM, "Cannot wait for sockets", NULL);
	if (status == TENF_OK)
		status = read_list(l, &settings, reterr);
	if (status != TENF_OK)
		tenf_listing_free(l);
	else
		*ret = l;
	return status;
}

void tenf_listing_free(struct tenf_listing *listing)
{
	if (listing == NULL)
		return;
	igd_free(listing->igd);
	if (listing->poll_fd >= 0)
		close(listing->poll_fd);
	free(listing);
}

size_t tenf_listing_count(const struct tenf_listing *listing)
{
	return igd_listing(listing->igd)->count;
}

bool tenf_listing_is_cut(const struct tenf_listing *listing)
{
	return igd_listing(listing->igd)->cut;
}

bool tenf_listing_mapping(const struct tenf_listing *listing, size_t index,
			  struct tenf_mapping *ret, char ret_description[TENF_DESCRIPTION_SIZE])
{
	const struct igd_listing *list = igd_listing(listing->igd);
	const struct igd_entry *e;

	if (index >= list->count)
		return false;
	e = &list->entries[index];
	*ret = (struct tenf_mapping){
		.protocol = e->protocol,
		.state = e->enabled ? TENF_STATE_MAPPED : TENF_STATE_LOST,
		.method = TENF_METHOD_IGD,
		.internal_port = e->internal_port,
		.external_port = e->external_port,
		.requested_external_port = e->external_port,
		.gateway_port = listing->route.gateway.port,
		.lifetime_s = e->lease_s > 0 ? e->lease_s : UINT32_MAX,
		.expires_at = e->lease_s > 0 ? listing->at + e->lease_s : 0,
		.error = { .result = -1 },
	};
	convert_address(&e->internal, ret->internal_address);
	convert_address(&listing->external, ret->external_address);
	convert_address(&listing->route.gateway.address, ret->gateway);
	memcpy(ret_description, e->description, TENF_DESCRIPTION_SIZE);
	return true;
}

bool tenf_listing_igd_hint(const struct tenf_listing *listing, char ret[TENF_IGD_HINT_SIZE])
{
	upnp_hint(listing->igd, ret);
	return ret[0] != '\0';
}

#endif
