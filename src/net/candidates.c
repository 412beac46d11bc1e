/* SPDX-License-Identifier: MIT */
#include "net/candidates.h"

#include <string.h>

/* RFC 7723 §4: 192.0.0.9 and 2001:1::1. */
static const struct tenf_address anycast4 = {
	{ [10] = 0xff, 0xff, 192, 0, 0, 9 }
};
static const struct tenf_address anycast6 = { { 0x20, 0x01, 0x00, 0x01, [15] = 1 } };

/* ---- the world ------------------------------------------------------------ */

void net_world_init(struct net_world *world)
{
	world->chosen_count = 0;
	world->route_count = 0;
	world->local_count = 0;
	world->link_count = 0;
	world->truncated = false;
}

void net_world_add_route(struct net_world *world, const struct net_route *route)
{
	if (world->route_count == NET_ROUTES_MAX)
		world->truncated = true;
	else
		world->routes[world->route_count++] = *route;
}

void net_world_add_local(struct net_world *world, const struct net_local *local)
{
	if (!net_world_uses(world, local->ifindex))
		return;
	if (world->local_count == NET_LOCALS_MAX)
		world->truncated = true;
	else
		world->locals[world->local_count++] = *local;
}

void net_world_add_link(struct net_world *world, const struct net_link *link)
{
	if (world->link_count == NET_LINKS_MAX)
		world->truncated = true;
	else
		world->links[world->link_count++] = *link;
}

bool net_world_uses(const struct net_world *world, unsigned ifindex)
{
	for (size_t i = 0; i < world->chosen_count; i++) {
		if (world->chosen[i].ifindex == ifindex)
			return true;
	}
	for (size_t i = 0; i < world->route_count; i++) {
		if (world->routes[i].ifindex == ifindex)
			return true;
	}
	return false;
}

bool net_is_default(bool ipv6, unsigned prefix_length)
{
	return prefix_length <= (ipv6 ? 4 : 1);
}

static const struct net_link *find_link(const struct net_world *world, unsigned ifindex)
{
	for (size_t i = 0; i < world->link_count; i++) {
		if (world->links[i].ifindex == ifindex)
			return &world->links[i];
	}
	return NULL;
}

static bool is_own(const struct net_world *world, const struct tenf_address *address)
{
	for (size_t i = 0; i < world->local_count; i++) {
		if (tenf_address_equal(&world->locals[i].address, address))
			return true;
	}
	return false;
}

static bool local_is_ipv6(const struct net_local *local)
{
	return !tenf_address_is_v4(&local->address);
}

/* ---- the order ------------------------------------------------------------ */

static unsigned rank(const struct net_gateway *g)
{
	unsigned family = tenf_address_is_v4(&g->address) ? 0 : 10;

	if (g->origin == NET_ORIGIN_ANYCAST)
		return 100 + family;
	if (g->main_route)
		return family;
	if (g->origin == NET_ORIGIN_PEER)
		return family + 3;
	return family + (g->table == NET_TABLE_MAIN ? 1 : 2);
}

static bool is_better(const struct net_gateway *a, const struct net_gateway *b)
{
	unsigned rank_a = rank(a);
	unsigned rank_b = rank(b);

	return rank_a != rank_b ? rank_a < rank_b : a->metric < b->metric;
}

static void take_out(struct net_gateways *list, size_t at)
{
	list->count--;
	memmove(&list->at[at], &list->at[at + 1], (list->count - at) * sizeof(list->at[0]));
}

/* Keeps the list sorted, and of each address and interface the best alone. */
static void insert(struct net_gateways *list, const struct net_gateway *gateway)
{
	size_t at = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct net_gateway *other = &list->at[i];

		if (other->ifindex != gateway->ifindex ||
		    !tenf_address_equal(&other->address, &gateway->address))
			continue;
		if (!is_better(gateway, other))
			return;
		take_out(list, i);
		break;
	}
	while (at < list->count && !is_better(gateway, &list->at[at]))
		at++;
	if (list->count == NET_GATEWAYS_MAX) {
		list->truncated = true;
		if (at == NET_GATEWAYS_MAX)
			return;
		list->count--;
	}
	memmove(&list->at[at + 1], &list->at[at], (list->count - at) * sizeof(list->at[0]));
	list->at[at] = *gateway;
	list->count++;
}

/* ---- own address towards a gateway ---------------------------------------- */

/* How well `local` serves to ask `gateway` from; 0: not at all. Of IPv6 the
 * global address is wanted even where the router is known by its link-local
 * one, since a pinhole is for the address that asks (RFC 6887 §8.4). */
static unsigned fitness(const struct net_local *local, const struct tenf_address *gateway)
{
	struct tenf_prefix network = { .address = local->address };

	if (local_is_ipv6(local) != !tenf_address_is_v4(gateway))
		return 0;
	if (tenf_address_is_link_local(&local->address))
		return 1;
	if (tenf_address_is_unique_local(&local->address))
		return tenf_address_is_unique_local(gateway) ? 4 : 2;
	network.length = local->length + (local_is_ipv6(local) ? 0 : 96);
	return tenf_prefix_contains(&network, gateway) ? 4 : 3;
}

static struct tenf_address choose_source(const struct net_world *world,
					 const struct net_route *route,
					 const struct tenf_address *gateway)
{
	struct tenf_address best = tenf_address_zero_of(gateway);
	unsigned best_fitness = 0;

	if (!tenf_address_is_none(&route->source) &&
	    tenf_address_is_v4(&route->source) == tenf_address_is_v4(gateway))
		return route->source;
	for (size_t i = 0; i < world->local_count; i++) {
		const struct net_local *local = &world->locals[i];
		unsigned fit = local->ifindex == route->ifindex ? fitness(local, gateway) : 0;

		if (fit > best_fitness) {
			best_fitness = fit;
			best = local->address;
		}
	}
	return best;
}

/* ---- from a route to candidates ------------------------------------------- */

/* The lowest metric under which the table has the route the kernel chose,
 * because the kernel's answer leaves it out. */
static uint32_t metric_of_choice(const struct net_world *world, const struct net_route *choice)
{
	uint32_t metric = choice->metric;
	bool found = false;

	for (size_t i = 0; i < world->route_count; i++) {
		const struct net_route *r = &world->routes[i];

		if (r->ifindex != choice->ifindex || r->table != choice->table ||
		    !tenf_address_equal(&r->gateway, &choice->gateway))
			continue;
		if (!found || r->metric < metric)
			metric = r->metric;
		found = true;
	}
	return metric;
}

/* x.x.x.1 of the network; of a lone address the network is taken as 24 bits
 * (112 in IPv6), as VPN providers number theirs. Two addresses alone
 * (RFC 3021, RFC 6164) are the two ends. */
static struct tenf_address first_of_network(const struct net_local *local)
{
	unsigned width = local_is_ipv6(local) ? 128 : 32;
	unsigned length = local->length < width ? local->length : width - (width == 128 ? 16 : 8);
	struct tenf_address first = local->address;

	if (local->length == width - 1) {
		first.octets[15] ^= 1;
		return first;
	}
	for (unsigned bit = 128 - width + length; bit < 128; bit++)
		first.octets[bit / 8] &= (uint8_t)~(0x80u >> bit % 8);
	first.octets[15] |= 1;
	return first;
}

static void add_guess(const struct net_world *world, struct net_gateway *gateway,
		      const struct tenf_address *guess, struct net_gateways *list)
{
	if (is_own(world, guess) || tenf_address_is_none(guess))
		return;
	gateway->address = *guess;
	insert(list, gateway);
}

/* A link without next hop: who may answer is the named other end, and the
 * first address of the network. */
static void add_peers(const struct net_world *world, const struct net_route *route,
		      struct net_gateway *gateway, struct net_gateways *list)
{
	gateway->origin = NET_ORIGIN_PEER;
	for (size_t i = 0; i < world->local_count; i++) {
		const struct net_local *local = &world->locals[i];
		struct tenf_address first;

		if (local->ifindex != route->ifindex || local_is_ipv6(local) != route->ipv6)
			continue;
		gateway->source = local->address;
		if (!tenf_address_equal(&local->peer, &local->address))
			add_guess(world, gateway, &local->peer, list);
		if (tenf_address_is_link_local(&local->address))
			continue;
		first = first_of_network(local);
		add_guess(world, gateway, &first, list);
	}
}

static void add_route(const struct net_world *world, const struct net_gateway_query *query,
		      const struct net_route *route, bool chosen, struct net_gateways *list)
{
	const struct net_link *link = find_link(world, route->ifindex);
	struct net_gateway gateway = { .ifindex = route->ifindex, .table = route->table,
				       .main_route = chosen, .origin = NET_ORIGIN_ROUTE };

	if (link == NULL || !link->usable)
		return;
	memcpy(gateway.interface, link->name, sizeof(gateway.interface));
	gateway.metric = chosen ? metric_of_choice(world, route) : route->metric;
	if (tenf_address_is_none(&route->gateway)) {
		if (query->ipv6 || !route->ipv6)
			add_peers(world, route, &gateway, list);
		return;
	}
	if (!query->ipv6 && !tenf_address_is_v4(&route->gateway))
		return;
	gateway.address = route->gateway;
	gateway.source = choose_source(world, route, &route->gateway);
	insert(list, &gateway);
}

static void add_anycast(const struct net_world *world, unsigned ifindex,
			const struct tenf_address *address, struct net_gateways *list)
{
	const struct net_link *link = find_link(world, ifindex);
	struct net_gateway gateway = { .address = *address, .ifindex = ifindex,
				       .source = tenf_address_zero_of(address),
				       .table = NET_TABLE_MAIN, .origin = NET_ORIGIN_ANYCAST };

	if (link != NULL)
		memcpy(gateway.interface, link->name, sizeof(gateway.interface));
	insert(list, &gateway);
}

void net_candidates(const struct net_world *world, const struct net_gateway_query *query,
		    unsigned ifindex, struct net_gateways *ret)
{
	ret->count = 0;
	ret->truncated = world->truncated;
	for (size_t i = 0; i < world->chosen_count; i++) {
		if (ifindex == 0 || world->chosen[i].ifindex == ifindex)
			add_route(world, query, &world->chosen[i], true, ret);
	}
	for (size_t i = 0; i < world->route_count; i++) {
		if (ifindex == 0 || world->routes[i].ifindex == ifindex)
			add_route(world, query, &world->routes[i], false, ret);
	}
	if (query->anycast)
		add_anycast(world, ifindex, &anycast4, ret);
	if (query->anycast && query->ipv6)
		add_anycast(world, ifindex, &anycast6, ret);
}
