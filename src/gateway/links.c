/* SPDX-License-Identifier: MIT */
#include "gateway/links.h"

#include "net/gateways.h"
#include "net/socket.h"
#include "wire/pcp.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>

#define WHY_MAX 256
/* RFC 5737: what a test gateway calls its outside when nothing was said. */
#define TEST_ADDRESS 0xcb007101 /* 203.0.113.1 */

static bool is_listed(const struct config_interfaces *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++) {
		if (strcmp(names->at[i], name) == 0)
			return true;
	}
	return false;
}

static unsigned ones(const struct tenf_address *mask, unsigned from)
{
	unsigned count = from;

	while (count < 128 && (mask->octets[count / 8] >> (7 - count % 8) & 1) != 0)
		count++;
	return count;
}

static bool network_of(const struct ifaddrs *a, struct tenf_prefix *ret)
{
	struct tenf_address address;
	struct tenf_address mask;

	if (!net_address_of(a->ifa_addr, &address) || !net_address_of(a->ifa_netmask, &mask))
		return false;
	ret->length = ones(&mask, tenf_address_is_v4(&address) ? 96 : 0);
	for (size_t i = 0; i < sizeof(address.octets); i++) {
		unsigned bits = ret->length > 8 * i ? ret->length - 8 * (unsigned)i : 0;

		if (bits < 8)
			address.octets[i] &= (uint8_t)(0xff00u >> bits);
	}
	ret->address = address;
	return true;
}

static void say(struct tenf_text *why, const char *a, const char *b, const char *c)
{
	tenf_text_add(why, a);
	tenf_text_add(why, b);
	tenf_text_add(why, c);
}

/* Whoever is behind the default route is not one of our own hosts. */
static bool leads_outside(const char *name)
{
	const struct net_gateway_query query = { .interface = name, .ipv6 = true };
	struct net_gateways found;

	return net_gateways_find(&query, &found, NULL) == TENF_OK && found.count > 0;
}

/* Hosts of such an interface could open ports though they are strangers. */
static bool is_foreign(const struct gateway_config *config, const char *name,
		       struct tenf_text *why)
{
	if (config->serve_external)
		return false;
	if (is_listed(&config->external, name)) {
		say(why, "interface ", name,
		    " is the external one; requests are served on internal interfaces alone");
		return true;
	}
	if (config->backend == CONFIG_NFTABLES && leads_outside(name)) {
		say(why, "the default route leads through interface ", name,
		    ", so whoever is out there could open ports; serve another interface, or "
		    "write ServeExternal=yes if its hosts are yours");
		return true;
	}
	return false;
}

static bool add(const struct gateway_config *config, const struct ifaddrs *a,
		const struct tenf_endpoint *listen, struct links *links, struct tenf_text *why)
{
	struct responder_link *link = &links->at[links->count];

	if (is_foreign(config, a->ifa_name, why))
		return false;
	if (links->count == RESPONDER_LINKS_MAX || strlen(a->ifa_name) >= CONFIG_NAME_MAX) {
		say(why, "more addresses than can be served", "", "; name some with Listen=");
		return false;
	}
	link->interface = if_nametoindex(a->ifa_name);
	link->address = *listen;
	if (link->interface == 0 || !network_of(a, &link->network)) {
		say(why, "interface ", a->ifa_name, " has gone");
		return false;
	}
	memcpy(links->names[links->count], a->ifa_name, strlen(a->ifa_name) + 1);
	links->count++;
	return true;
}

/* The interface's own address; on the loopback interface any of its network. */
static bool has_address(const struct ifaddrs *a, const struct tenf_address *wanted)
{
	struct tenf_address address;
	struct tenf_prefix network;

	if (!net_address_of(a->ifa_addr, &address))
		return false;
	return tenf_address_equal(&address, wanted) ||
	       ((a->ifa_flags & IFF_LOOPBACK) != 0 && network_of(a, &network) &&
		tenf_prefix_contains(&network, wanted));
}

static bool add_listen(const struct gateway_config *config, const struct ifaddrs *all,
		       const struct tenf_endpoint *listen, struct links *links,
		       struct tenf_text *why)
{
	char text[TENF_ADDRESS_TEXT];

	for (const struct ifaddrs *a = all; a != NULL; a = a->ifa_next) {
		if (!has_address(a, &listen->address))
			continue;
		if (config->internal.count > 0 && !is_listed(&config->internal, a->ifa_name)) {
			say(why, "Listen= names an address of interface ", a->ifa_name,
			    ", which is not in Internal=");
			return false;
		}
		return add(config, a, listen, links, why);
	}
	say(why, "Listen=", tenf_address_text(&listen->address, text),
	    ": no interface of this machine has this address");
	return false;
}

/* Every address of an internal interface; link-local IPv6 ones serve nobody,
 * since no pinhole to such a host makes sense. */
static bool add_interface(const struct gateway_config *config, const struct ifaddrs *all,
			  const char *name, struct links *links, struct tenf_text *why)
{
	size_t before = links->count;

	if (net_interface_index(NULL, name) == 0) {
		say(why, "Internal=", name, ": there is no such interface");
		return false;
	}
	for (const struct ifaddrs *a = all; a != NULL; a = a->ifa_next) {
		struct tenf_endpoint listen = { .port = PCP_PORT };

		if (strcmp(a->ifa_name, name) != 0 ||
		    !net_address_of(a->ifa_addr, &listen.address) ||
		    (!tenf_address_is_v4(&listen.address) &&
		     tenf_address_is_link_local(&listen.address)))
			continue;
		if (!add(config, a, &listen, links, why))
			return false;
	}
	if (links->count == before)
		say(why, "Internal=", name, ": this interface has no address");
	return links->count > before;
}

struct finding {
	const struct gateway_config *config;
	const struct ifaddrs *all;
	struct links links;
	bool strict; /* the first that cannot be served ends it */
	struct tenf_text *why;
};

/* Goes on after one that cannot be served, unless it is strict; `why` is of the first. */
static bool go_on(struct finding *f, bool good, const struct tenf_text *reason)
{
	if (!good && f->why->used == 0)
		tenf_text_add(f->why, reason->start);
	return good || !f->strict;
}

static bool add_all(struct finding *f)
{
	const struct tenf_endpoint loopback = { tenf_address_v4(0x7f000001), PCP_PORT };
	const struct gateway_config *c = f->config;
	bool good = true;

	for (size_t i = 0; good && i < c->listen_count; i++) {
		char buffer[WHY_MAX];
		struct tenf_text reason = tenf_text_of(buffer, sizeof(buffer));

		good = go_on(f, add_listen(c, f->all, &c->listen[i], &f->links, &reason), &reason);
	}
	for (size_t i = 0; good && c->listen_count == 0 && i < c->internal.count; i++) {
		char buffer[WHY_MAX];
		struct tenf_text reason = tenf_text_of(buffer, sizeof(buffer));

		good = go_on(f, add_interface(c, f->all, c->internal.at[i], &f->links, &reason),
			     &reason);
	}
	if (c->listen_count == 0 && c->internal.count == 0)
		return add_listen(c, f->all, &loopback, &f->links, f->why);
	return good;
}

bool links_find(const struct gateway_config *config, struct links *ret, struct tenf_text *why)
{
	struct finding f = { .config = config, .strict = true, .why = why };
	struct ifaddrs *all;
	bool good;

	if (getifaddrs(&all) != 0) {
		say(why, "cannot list the interfaces: ", strerror(errno), "");
		return false;
	}
	f.all = all;
	good = add_all(&f);
	freeifaddrs(all);
	if (good)
		*ret = f.links;
	return good;
}

void links_find_now(const struct gateway_config *config, struct links *ret, struct tenf_text *why)
{
	struct finding f = { .config = config, .why = why };
	struct ifaddrs *all;

	ret->count = 0;
	if (getifaddrs(&all) != 0) {
		say(why, "cannot list the interfaces: ", strerror(errno), "");
		return;
	}
	f.all = all;
	(void)add_all(&f);
	freeifaddrs(all);
	*ret = f.links;
}

struct tenf_address links_external_address(const struct gateway_config *config)
{
	struct tenf_address found = tenf_address_none4;
	struct ifaddrs *all;

	if (config->has_external_address)
		return config->external_address;
	if (config->external.count == 0)
		return tenf_address_v4(TEST_ADDRESS);
	if (getifaddrs(&all) != 0)
		return found;
	for (const struct ifaddrs *a = all; a != NULL; a = a->ifa_next) {
		struct tenf_address address;

		if (tenf_address_is_none(&found) && is_listed(&config->external, a->ifa_name) &&
		    net_address_of(a->ifa_addr, &address) && tenf_address_is_v4(&address))
			found = address;
	}
	freeifaddrs(all);
	return found;
}

size_t links_external_addresses(const struct gateway_config *config,
				struct tenf_address ret[CONFIG_EXTERNALS_MAX])
{
	struct tenf_address only = links_external_address(config);

	if (config->external_address_count > 0) {
		memcpy(ret, config->external_addresses,
		       config->external_address_count * sizeof(ret[0]));
		return config->external_address_count;
	}
	if (tenf_address_is_none(&only))
		return 0;
	ret[0] = only;
	return 1;
}
