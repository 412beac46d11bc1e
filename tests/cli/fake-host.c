/* SPDX-License-Identifier: MIT */
#include "fake-host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fake_host fake_host;

static void add_link(uint32_t index, const char *name, bool loopback)
{
	struct host_network *n = &fake_host.host.network;
	struct host_link *link = &n->links[n->link_count++];

	link->index = index;
	link->is_up = link->is_running = true;
	link->is_loopback = loopback;
	snprintf(link->name, sizeof(link->name), "%s", name);
}

void fake_host_address(const char *address, uint32_t interface)
{
	struct host_network *n = &fake_host.host.network;
	struct host_address *a = &n->addresses[n->address_count++];

	a->interface = interface;
	a->length = 24;
	a->is_usable = true;
	if (!tenf_address_parse(address, &a->address))
		abort();
}

void fake_host_reset(void)
{
	static const struct fake_host none;
	struct host_route *route;

	fake_host = none;
	add_link(1, "lo", true);
	add_link(2, "eth0", false);
	fake_host_address("127.0.0.1", 1);
	fake_host_address("192.168.1.20", 2);
	fake_host.ruleset = "{\"nftables\": []}";
	route = &fake_host.host.network.routes[fake_host.host.network.route_count++];
	*route = (struct host_route){ .is_v4 = true, .table = 254, .interface = 2,
				      .has_gateway = true };
	if (!tenf_address_parse("192.168.1.1", &route->gateway))
		abort();
	fake_host.route = *route;
}

void fake_host_listen(enum tenf_protocol protocol, const char *endpoint, const char *program,
		      const char *unit)
{
	struct host_socket *s = &fake_host.listeners[fake_host.host.sockets.count++];
	struct tenf_endpoint e;

	if (!tenf_endpoint_parse(endpoint, 0, &e))
		abort();
	*s = (struct host_socket){ .protocol = protocol, .address = e.address, .port = e.port };
	if (program[0] == '\0')
		return;
	s->program.pid = 4711;
	snprintf(s->program.name, sizeof(s->program.name), "%s", program);
	snprintf(s->program.unit, sizeof(s->program.unit), "%s", unit);
}

void fake_host_answer(const char *endpoint, enum host_reach tcp, enum host_reach udp)
{
	for (size_t i = 0; i < FAKE_REACHED; i++) {
		if (fake_host.places[i].tcp == HOST_OPEN && fake_host.places[i].udp == HOST_OPEN &&
		    fake_host.places[i].endpoint == NULL) {
			fake_host.places[i] = (struct fake_place){ endpoint, tcp, udp };
			return;
		}
	}
}

/* ---- In place of the edge ------------------------------------------------------- */

struct host *host_new(bool programs, bool firewall)
{
	struct host *host = malloc(sizeof(*host));

	if (host == NULL)
		return NULL;
	*host = fake_host.host;
	host->sockets.items = fake_host.listeners;
	for (size_t i = 0; programs && i < host->sockets.count; i++)
		host->unknown_programs += host->sockets.items[i].program.pid == 0;
	if (firewall && fake_host.ruleset != NULL)
		host->ruleset = json_loads(fake_host.ruleset, 0, NULL);
	if (firewall && fake_host.ruleset == NULL)
		snprintf(host->firewall_error, sizeof(host->firewall_error),
			 "only root may read its rules");
	fake_host.open++;
	return host;
}

void host_done(struct host *host)
{
	if (host == NULL)
		return;
	fake_host.open--;
	json_decref(host->ruleset);
	free(host);
}

enum host_verdict host_firewall_judge(const struct host *host, const struct host_packet *packet,
				      struct tenf_text *because)
{
	if (host->ruleset != NULL)
		return host_rules_judge(host->ruleset, packet, because);
	if (because != NULL)
		tenf_text_add(because, host->firewall_error);
	return HOST_UNREADABLE;
}

int host_route_to(const struct tenf_address *address, struct host_route *ret)
{
	(void)address;
	if (fake_host.route_error == 0)
		*ret = fake_host.route;
	return fake_host.route_error;
}

static const struct fake_place *reach(const struct tenf_endpoint *to, const char *protocol)
{
	static const struct fake_place silent = { NULL, HOST_SILENT, HOST_SILENT };
	char text[TENF_ENDPOINT_TEXT];

	(void)tenf_endpoint_text(to, text);
	if (fake_host.reached_count < FAKE_REACHED)
		snprintf(fake_host.reached[fake_host.reached_count++], sizeof(*fake_host.reached),
			 "%s %s", protocol, text);
	for (size_t i = 0; i < FAKE_REACHED && fake_host.places[i].endpoint != NULL; i++) {
		if (strcmp(fake_host.places[i].endpoint, text) == 0)
			return &fake_host.places[i];
	}
	return &silent;
}

enum host_reach host_reach_tcp(const struct tenf_endpoint *to, unsigned timeout_ms)
{
	(void)timeout_ms;
	return reach(to, "tcp")->tcp;
}

enum host_reach host_reach_udp(const struct tenf_endpoint *to, const void *data, size_t len,
			       unsigned timeout_ms, void *ret_answer, size_t *ret_len)
{
	(void)data;
	(void)len;
	(void)timeout_ms;
	(void)ret_answer;
	(void)ret_len;
	return reach(to, "udp")->udp;
}

enum tenf_status host_stun(const struct tenf_endpoint *server, unsigned timeout_ms,
			   struct tenf_endpoint *ret)
{
	(void)reach(server, "stun");
	(void)timeout_ms;
	if (fake_host.stun == TENF_OK && !tenf_endpoint_parse(fake_host.seen_by_stun, 0, ret))
		abort();
	return fake_host.stun;
}

bool host_can_share_port(uint16_t port)
{
	(void)port;
	return !fake_host.port_is_taken;
}

bool host_hop(unsigned hops, unsigned timeout_ms, struct tenf_address *ret)
{
	(void)hops;
	(void)timeout_ms;
	return fake_host.outer != NULL && tenf_address_parse(fake_host.outer, ret);
}

bool host_free_port(enum tenf_protocol protocol, uint16_t *ret)
{
	*ret = protocol == TENF_TCP ? 40001 : 40002;
	return true;
}
