/* SPDX-License-Identifier: MIT */
#include "lib/route.h"

#include "net/udp.h"

#include <string.h>

/* An interface is known by its name: one that went and came back has another
 * number. False while there is none. */
static bool given(const struct settings *s, struct route *ret)
{
	bool named = s->interface[0] != '\0';
	struct route r = {
		.gateway = s->gateway,
		.source = s->source,
		.has_source = s->has_source,
		.ifindex = named ? net_interface_index(&s->opener, s->interface) : 0,
		.origin = TENF_ORIGIN_GIVEN,
	};

	r.bound = named;
	memcpy(r.interface, s->interface, sizeof(r.interface));
	*ret = r;
	return !named || r.ifindex != 0;
}

static enum tenf_origin origin_of(enum net_origin origin)
{
	switch (origin) {
	case NET_ORIGIN_ROUTE:
		return TENF_ORIGIN_ROUTE;
	case NET_ORIGIN_PEER:
		return TENF_ORIGIN_PEER;
	case NET_ORIGIN_ANYCAST:
		return TENF_ORIGIN_ANYCAST;
	}
	return TENF_ORIGIN_ROUTE;
}

/* The source named by the user decides the interface as well: an address of
 * ours belongs to one. */
static bool fits(const struct settings *s, const struct net_gateway *g, unsigned source_ifindex)
{
	if (!s->has_source)
		return true;
	return tenf_address_is_v4(&g->address) == tenf_address_is_v4(&s->source) &&
	       (source_ifindex == 0 || g->ifindex == 0 || g->ifindex == source_ifindex);
}

/* A router of IPv6 is its link-local address, which says neither on which link it is nor
 * from where to ask. Towards it the kernel would take a link-local source, and the port would be
 * opened for an address that nobody outside reaches (RFC 6887 §8.1 maps to the source
 * of the request). */
static bool takes_source(const struct net_gateway *g)
{
	return tenf_address_is_link_local(&g->address) && !tenf_address_is_link_local(&g->source);
}

enum tenf_status route_find(const struct settings *s, struct route *ret, size_t max,
			    size_t *ret_count, struct net_error *reterr)
{
	struct net_gateway_query query = {
		.interface = s->interface[0] != '\0' ? s->interface : NULL,
		.ipv6 = !s->has_source || !tenf_address_is_v4(&s->source),
		.anycast = s->anycast,
		.opener = &s->opener,
	};
	bool named = s->has_gateway && tenf_address_is_link_local(&s->gateway.address);
	struct net_gateways found;
	unsigned source_ifindex;
	enum tenf_status status;

	if (s->has_gateway && !named) {
		*ret_count = given(s, &ret[0]) ? 1 : 0;
		return TENF_OK;
	}
	status = net_gateways_find(&query, &found, reterr);
	if (status != TENF_OK)
		return status;
	source_ifindex = s->has_source ? net_interface_of(&s->opener, &s->source) : 0;
	*ret_count = 0;
	for (size_t i = 0; i < found.count && *ret_count < max; i++) {
		const struct net_gateway *g = &found.at[i];
		struct route *r = &ret[*ret_count];

		if (!fits(s, g, source_ifindex) ||
		    (named && !tenf_address_equal(&g->address, &s->gateway.address)))
			continue;
		*r = (struct route){
			.gateway = { g->address, named ? s->gateway.port : TENF_DEFAULT_PORT },
			.source = s->has_source ? s->source : g->source,
			.has_source = s->has_source || takes_source(g),
			.ifindex = g->ifindex,
			.bound = g->ifindex != 0,
			.origin = origin_of(g->origin),
		};
		memcpy(r->interface, g->interface, sizeof(r->interface));
		++*ret_count;
	}
	if (named && *ret_count == 0) /* in no route of ours: as it was said */
		*ret_count = given(s, &ret[0]) ? 1 : 0;
	return TENF_OK;
}

size_t route_contenders(struct route *routes, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		const struct route *r = &routes[i];
		bool same_link = r->ifindex == routes[0].ifindex &&
				 routes[0].origin == TENF_ORIGIN_PEER;

		if (i == 0 || ((r->origin == TENF_ORIGIN_ANYCAST || same_link) &&
			       tenf_address_is_v4(&r->gateway.address) ==
				       tenf_address_is_v4(&routes[0].gateway.address)))
			routes[kept++] = *r;
	}
	return kept;
}

bool route_is_uncertain(const struct route *routes, size_t count)
{
	return count > 1 || (count == 1 && routes[0].origin == TENF_ORIGIN_ANYCAST);
}

enum tenf_status route_open(const struct settings *settings, struct route *route, int *ret_fd,
			    struct net_error *reterr)
{
	struct net_udp_options options = {
		.remote = route->gateway,
		.source = route->has_source ? &route->source : NULL,
		.ifindex = route->bound ? route->ifindex : 0,
		.opener = &settings->opener,
	};
	struct tenf_endpoint local;
	enum tenf_status status = net_udp_connect(&options, ret_fd, &local, reterr);

	if (status != TENF_OK)
		return status;
	route->source = local.address;
	if (!route->bound) {
		route->ifindex = net_interface_of(&settings->opener, &local.address);
		if (!net_interface_name(&settings->opener, route->ifindex, route->interface))
			route->interface[0] = '\0';
	}
	return TENF_OK;
}

bool route_equal(const struct route *a, const struct route *b)
{
	return a->ifindex == b->ifindex && tenf_endpoint_equal(&a->gateway, &b->gateway) &&
	       tenf_address_equal(&a->source, &b->source);
}
