/* SPDX-License-Identifier: MIT */
/* The steps on this computer: its link, its way out, its clock, who listens, and what its
 * firewall does. */
#include "cli/diagnose.h"

#include "base/span.h"
#include "cli/output.h"

#include <stdio.h>
#include <string.h>

#define TABLE_MAIN 254
/* No clock of a machine that runs this is older. */
#define EARLIEST INT64_C(1767225600) /* 2026-01-01 */
/* Rounding, and the time between the grant and the record. */
#define CLOCK_SLACK_S 120

/* ---- link ----------------------------------------------------------------------- */

static const struct host_link *link_of_default(const struct host_network *n)
{
	const struct host_route *best = NULL;

	for (size_t i = 0; i < n->route_count; i++) {
		const struct host_route *r = &n->routes[i];

		if (r->length == 0 && r->is_v4 && r->table == TABLE_MAIN &&
		    (best == NULL || r->metric < best->metric))
			best = r;
	}
	return best != NULL ? host_network_link(n, best->interface) : NULL;
}

/* The one towards the gateway, else towards the internet, else any that is no loopback. */
static const struct host_link *choose_link(const struct diagnosis *d)
{
	const struct host_network *n = &d->host->network;
	const struct host_link *link = host_network_link_named(n, d->gateway.interface);

	if (link == NULL && d->cli->global.ask.interface != NULL)
		link = host_network_link_named(n, d->cli->global.ask.interface);
	if (link == NULL)
		link = link_of_default(n);
	for (size_t i = 0; link == NULL && i < n->link_count; i++) {
		if (!n->links[i].is_loopback)
			link = &n->links[i];
	}
	return link;
}

static const struct host_address *address_on(const struct host_network *n, uint32_t interface)
{
	const struct host_address *found = NULL;

	for (size_t i = 0; i < n->address_count; i++) {
		const struct host_address *a = &n->addresses[i];

		if (a->interface != interface || tenf_address_is_link_local(&a->address))
			continue;
		if (found == NULL || (!tenf_address_is_v4(&found->address) &&
				      tenf_address_is_v4(&a->address)))
			found = a;
	}
	return found;
}

static void bad_link(struct diagnosis *d, enum step_found found, const char *name,
		     const char *seen, const char *advice)
{
	struct step *step = steps_bad(&d->steps, "link", found);

	step->exit = CLI_EXIT_NO_GATEWAY;
	step_text(step->seen, "%s %s", name, seen);
	step_text(step->because, "%s %s", name, seen);
	step_text(step->advice, "%s", advice);
}

void diagnose_link(struct diagnosis *d)
{
	const struct host_network *n = &d->host->network;
	const struct host_link *link = choose_link(d);
	const struct host_address *address = link != NULL ? address_on(n, link->index) : NULL;
	char text[TENF_ADDRESS_TEXT];
	struct step *step;

	if (d->host->network_error != 0) {
		step = steps_add(&d->steps, "link", STEP_UNKNOWN);
		step_text(step->seen, "the network of this computer cannot be read: %s",
			  strerror(d->host->network_error));
	} else if (link == NULL) {
		bad_link(d, FOUND_NO_INTERFACE, "this computer", "has no network interface",
			 "plug in a cable, or switch on the wireless network");
	} else if (!link->is_up) {
		bad_link(d, FOUND_INTERFACE_OFF, link->name, "is switched off",
			 "switch it on in the network settings");
	} else if (!link->is_running) {
		bad_link(d, FOUND_NOT_CONNECTED, link->name, "is not connected",
			 "look at the cable, or join the wireless network");
	} else if (address == NULL) {
		bad_link(d, FOUND_NO_ADDRESS, link->name, "has no address",
			 "the router gives addresses (DHCP): restart it, or connect again");
	} else {
		step = steps_add(&d->steps, "link", STEP_OK);
		step_text(step->seen, "%s is up, address %s", link->name,
			  tenf_address_text(&address->address, text));
	}
}

/* ---- route ---------------------------------------------------------------------- */

static bool is_vpn(const struct host_link *link)
{
	return link->is_tunnel || strcmp(link->kind, "wireguard") == 0 ||
	       strcmp(link->kind, "tun") == 0;
}

/* Answers leave another way than requests come: the friend's router drops them. */
static void wrong_way(struct diagnosis *d, const struct host_link *out)
{
	struct step *step = steps_bad(&d->steps, "route", FOUND_WRONG_WAY);

	step->exit = CLI_EXIT_NO_GATEWAY;
	step_text(step->seen,
		  "traffic to the internet leaves by %s%s, but the gateway asked is on %s",
		  out->name, is_vpn(out) ? " (a VPN)" : "", d->gateway.interface);
	step_text(step->means, "who connects by %s would be answered by %s, and would not "
		  "understand the answer", d->gateway.interface, out->name);
	step_text(step->because, "answers leave by %s instead of %s", out->name,
		  d->gateway.interface);
	step_text(step->advice,
		  "ask the other side with -i %s, or leave this program out of the %s", out->name,
		  is_vpn(out) ? "VPN" : "other route");
}

void diagnose_route(struct diagnosis *d)
{
	/* Nobody has this address; only the kernel's table is asked (RFC 5737). */
	const struct tenf_address anybody = tenf_address_v4(0xc6336401);
	const struct host_link *out;
	struct host_route route;
	char text[TENF_ADDRESS_TEXT];
	struct step *step;

	if (host_route_to(&anybody, &route) != 0) {
		step = steps_bad(&d->steps, "route", FOUND_NO_ROUTE);
		step->exit = CLI_EXIT_NO_GATEWAY;
		step_text(step->seen, "no way leads to the internet: there is no default route");
		step_text(step->because, "this computer has no way to the internet");
		step_text(step->advice, "connect again; the router tells the way (DHCP)");
		return;
	}
	out = host_network_link(&d->host->network, route.interface);
	if (out != NULL && d->gateway.interface[0] != '\0' &&
	    strcmp(out->name, d->gateway.interface) != 0) {
		wrong_way(d, out);
		return;
	}
	step = steps_add(&d->steps, "route", STEP_OK);
	step_text(step->seen, "the way to the internet is %s%s%s",
		  route.has_gateway ? tenf_address_text(&route.gateway, text) : "",
		  route.has_gateway ? " on " : "", out != NULL ? out->name : "an interface");
}

/* ---- clock ---------------------------------------------------------------------- */

static bool ends_too_late(const struct opened *opened, int64_t now)
{
	const struct tenf_mapping *m = &opened->mapping;

	return (opened->sources & OPENED_LEASE) != 0 && m->lifetime_s > 0 &&
	       m->lifetime_s < UINT32_MAX && m->expires_at - now > m->lifetime_s + CLOCK_SLACK_S;
}

void diagnose_clock(struct diagnosis *d)
{
	int64_t now = d->cli->now();
	bool is_old = now < EARLIEST, went_back = false;
	struct step *step;

	for (size_t i = 0; i < d->sources.list.count; i++)
		went_back = went_back || ends_too_late(&d->sources.list.items[i], now);
	if (!is_old && !went_back)
		return;
	step = steps_bad(&d->steps, "clock", is_old ? FOUND_CLOCK_BEHIND : FOUND_CLOCK_SET_BACK);
	step->is_hint = true;
	step_text(step->seen, is_old ? "the clock of this computer is years behind" :
				       "the clock of this computer was set back");
	step_text(step->means, "times that are shown, and when recorded leases end, are wrong");
	step_text(step->because, "the clock of this computer is wrong");
	step_text(step->advice, "let it be set by the network: timedatectl set-ntp true");
}

/* ---- listener ------------------------------------------------------------------- */

/* The address of ours the port leads to; false when it leads elsewhere. */
static bool inside_address(const struct diagnosis *d, struct tenf_address *ret)
{
	const char *inside = d->held != NULL && d->held->mapping.internal_address[0] != '\0' ?
				     d->held->mapping.internal_address :
				     d->gateway.source;

	if (!tenf_address_parse(inside, ret)) {
		*ret = tenf_address_none4;
		return true;
	}
	return host_network_address(&d->host->network, ret) != NULL;
}

static void tell_program(struct tenf_text *t, const struct host_socket *socket)
{
	const struct host_program *p = &socket->program;
	const char *where = p->container[0] != '\0' ? p->container : p->unit;

	tenf_text_add(t, p->name[0] != '\0' ? p->name : "a program of another user");
	if (where[0] == '\0')
		return;
	tenf_text_add(t, " (");
	tenf_text_add(t, where);
	tenf_text_add(t, ")");
}

static void nobody(struct diagnosis *d, const struct host_socket *deaf, const char *address)
{
	struct step *step = steps_bad(&d->steps, "listener", FOUND_NOBODY_LISTENS);
	const char *port = d->subject->text;
	char program[STEP_TEXT / 2];
	struct tenf_text t = tenf_text_of(program, sizeof(program));

	if (deaf == NULL) {
		step_text(step->seen, "nothing listens on %s on this computer", port);
		step_text(step->because, "nothing listens on %s here", port);
		step_text(step->advice, "start the program, then run this again");
		return;
	}
	tell_program(&t, deaf);
	step->found = FOUND_LISTENS_HERE_ALONE;
	step_text(step->seen, "%s listens on %s, but not for %s", program, port,
		  address[0] != '\0' ? address : "others");
	step_text(step->means, "only programs on this computer reach it");
	step_text(step->because, "%s listens for this computer alone", program);
	step_text(step->advice, "let it listen on 0.0.0.0, or on %s, in its settings",
		  address[0] != '\0' ? address : "the address of this computer");
}

void diagnose_listener(struct diagnosis *d)
{
	const struct host_socket *socket, *any;
	struct tenf_address address;
	char text[TENF_ADDRESS_TEXT] = "", program[STEP_TEXT / 2];
	struct tenf_text t = tenf_text_of(program, sizeof(program));
	bool is_known, is_ours = inside_address(d, &address);
	struct step *step;

	if (!is_ours || d->host->sockets_error != 0) {
		step = steps_add(&d->steps, "listener", STEP_UNKNOWN);
		if (is_ours)
			step_text(step->seen, "who listens here cannot be read: %s",
				  strerror(d->host->sockets_error));
		else
			step_text(step->seen, "%s leads to another computer, %s", d->subject->text,
				  tenf_address_text(&address, text));
		return;
	}
	is_known = !tenf_address_is_none(&address);
	if (is_known)
		(void)tenf_address_text(&address, text);
	socket = host_sockets_find(&d->host->sockets, d->subject->protocol,
				   is_known ? &address : NULL, d->subject->internal_port);
	any = host_sockets_find(&d->host->sockets, d->subject->protocol, NULL,
				d->subject->internal_port);
	if (socket == NULL || !host_socket_is_outward(socket)) {
		nobody(d, any, text);
		return;
	}
	tell_program(&t, socket);
	step = steps_add(&d->steps, "listener", STEP_OK);
	step_text(step->seen, "%s listens on %s", program, d->subject->text);
}

/* ---- firewall ------------------------------------------------------------------- */

static enum host_verdict ask_firewall(const struct diagnosis *d, struct tenf_text *because)
{
	struct host_packet packet = { .protocol = d->subject->protocol,
				      .port = d->subject->internal_port,
				      .interface = d->gateway.interface };

	(void)inside_address(d, &packet.address);
	packet.is_v6 = !tenf_address_is_v4(&packet.address);
	return host_firewall_judge(d->host, &packet, because);
}

void diagnose_firewall(struct diagnosis *d)
{
	char why[STEP_TEXT / 2];
	struct tenf_text t = tenf_text_of(why, sizeof(why));
	const char *port = d->subject->text;
	struct tenf_address address;
	struct step *step;

	if (!inside_address(d, &address)) /* the other computer has its own */
		return;
	switch (ask_firewall(d, &t)) {
	case HOST_LETS_IN:
		step = steps_add(&d->steps, "firewall", STEP_OK);
		step_text(step->seen, "the firewall of this computer lets %s in", port);
		return;
	case HOST_KEEPS_OUT:
		step = steps_bad(&d->steps, "firewall", FOUND_KEPT_OUT);
		step_text(step->seen, "the firewall of this computer keeps %s out (%s)", port, why);
		step_text(step->because, "the firewall of this computer keeps %s out", port);
		step_text(step->advice, "allow %s in the firewall's settings", port);
		return;
	case HOST_UNSURE:
		step = steps_add(&d->steps, "firewall", STEP_UNKNOWN);
		step_text(step->seen, "whether the firewall lets %s in depends on more than can be "
			  "seen here (%s)", port, why);
		return;
	case HOST_UNREADABLE:
		step = steps_add(&d->steps, "firewall", STEP_UNKNOWN);
		step_text(step->seen, "the firewall of this computer cannot be read: %s", why);
		return;
	}
}
