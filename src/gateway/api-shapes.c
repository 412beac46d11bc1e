/* SPDX-License-Identifier: MIT */
#include "gateway/api-shapes.h"

#include "net/clock.h"
#include "wire/natpmp.h"
#include "wire/pcp.h"

#include <stdio.h>
#include <string.h>

#define ID_SIZE 16

const char *api_action_name(enum policy_action action)
{
	switch (action) {
	case POLICY_ALLOW:
		return "allow";
	case POLICY_ASK:
		return "ask";
	case POLICY_DENY:
		break;
	}
	return "deny";
}

const char *api_word_name(enum pending_state word)
{
	switch (word) {
	case PENDING_IS_APPROVED:
		return "approved";
	case PENDING_IS_DENIED:
		return "denied";
	case PENDING_WAITING:
		break;
	}
	return "waiting";
}

void api_fill_endpoints(const struct tenf_endpoint *internal, const struct tenf_endpoint *external,
			struct tenf_mapping *ret)
{
	(void)tenf_address_text(&internal->address, ret->internal_address);
	ret->internal_port = internal->port;
	ret->external_port = external->port;
	if (!tenf_address_is_none(&external->address))
		(void)tenf_address_text(&external->address, ret->external_address);
}

struct tenf_address api_gateway_of(const struct links *links, const struct tenf_address *client)
{
	for (size_t i = 0; i < links->count; i++) {
		if (tenf_prefix_contains(&links->at[i].network, client))
			return links->at[i].address.address;
	}
	return tenf_address_none4;
}

static enum tenf_method method_of(const struct ledger_mapping *m)
{
	switch ((enum ledger_maker)m->maker) {
	case LEDGER_BY_NATPMP:
		return TENF_METHOD_NATPMP;
	case LEDGER_BY_PCP:
		return TENF_METHOD_PCP;
	case LEDGER_STATIC:
		break;
	}
	return TENF_METHOD_NONE;
}

/* The DESCRIPTION of the client (RFC 7220), as text without its padding. */
static void name_of(const struct ledger_mapping *m, char ret[LEDGER_DESCRIPTION_MAX + 1])
{
	size_t len = m->cold != NULL ? m->cold->description_len : 0;

	while (len > 0 && m->cold->description[len - 1] <= ' ')
		len--;
	if (len > 0)
		memcpy(ret, m->cold->description, len);
	ret[len] = '\0';
}

static void fill(const struct daemon *d, const struct ledger_mapping *m, struct tenf_mapping *ret)
{
	const struct tenf_endpoint internal = { m->internal_address, m->internal_port };
	const struct tenf_endpoint external = responder_external_of(d->responder, m);
	const struct tenf_address gateway = api_gateway_of(&d->links, &m->internal_address);

	ret->protocol = (enum tenf_protocol)m->protocol;
	ret->state = TENF_STATE_MAPPED;
	ret->method = method_of(m);
	if (m->maker != LEDGER_STATIC) {
		ret->lifetime_s = m->lifetime_s;
		ret->expires_at = net_wall_of_s(m->until);
	}
	api_fill_endpoints(&internal, &external, ret);
	if (!tenf_address_is_none(&gateway))
		(void)tenf_address_text(&gateway, ret->gateway);
}

static void add_rule(const struct policy_rule *rule, int number, struct shape_governed *ret)
{
	if (rule == NULL)
		return;
	ret->rule = (unsigned)number + 1;
	ret->rule_name = rule->name;
	ret->rule_action = api_action_name(rule->action);
}

json_t *api_mapping(struct daemon *d, const struct ledger_mapping *m)
{
	char id[ID_SIZE], mac_text[NEIGHBOURS_TEXT];
	uint8_t mac[NEIGHBOURS_MAC];
	char name[LEDGER_DESCRIPTION_MAX + 1];
	char client[TENF_ADDRESS_TEXT];
	struct shape_label label = { .id = id, .name = name, .source = "gateway" };
	struct tenf_mapping mapping = { .error.reason = TENF_REASON_NONE };
	const struct policy_rule *rule = responder_rule(d->responder, m->rule);
	struct shape_governed governed = { .client = tenf_address_text(ledger_asker(m), client),
					   .made_at = net_wall_of_s(m->made_at),
					   .renewals = m->renewals, .opcode = "map" };

	(void)snprintf(id, sizeof(id), "m%u", m->id);
	name_of(m, name);
	if (daemon_mac_of(d, ledger_asker(m), net_now(), mac))
		governed.mac = neighbours_text(mac, mac_text);
	fill(d, m, &mapping);
	add_rule(rule, m->rule, &governed);
	return shape_governed(shape_mapping(&mapping, &label), &governed);
}

json_t *api_peer(struct daemon *d, const struct responder_peer *peer)
{
	char id[ID_SIZE], mac_text[NEIGHBOURS_TEXT], remote[TENF_ADDRESS_TEXT];
	char client[TENF_ADDRESS_TEXT];
	uint8_t mac[NEIGHBOURS_MAC];
	const struct shape_label label = { .id = id, .source = "gateway" };
	const struct tenf_address gateway = api_gateway_of(&d->links, &peer->internal.address);
	struct tenf_mapping mapping = {
		.error.reason = TENF_REASON_NONE, .protocol = peer->protocol,
		.state = TENF_STATE_MAPPED, .method = TENF_METHOD_PCP,
		.lifetime_s = peer->lifetime_s, .expires_at = net_wall_of_s(peer->ends_at),
	};
	struct shape_governed governed = {
		.client = tenf_address_text(&peer->asker, client),
		.made_at = net_wall_of_s(peer->made_at),
		.renewals = peer->renewals, .opcode = "peer",
		.remote_address = tenf_address_text(&peer->remote.address, remote),
		.remote_port = peer->remote.port,
	};

	(void)snprintf(id, sizeof(id), "m%u", peer->id);
	api_fill_endpoints(&peer->internal, &peer->external, &mapping);
	if (!tenf_address_is_none(&gateway))
		(void)tenf_address_text(&gateway, mapping.gateway);
	if (daemon_mac_of(d, &peer->asker, net_now(), mac))
		governed.mac = neighbours_text(mac, mac_text);
	add_rule(responder_rule(d->responder, peer->rule), peer->rule, &governed);
	return shape_governed(shape_mapping(&mapping, &label), &governed);
}

json_t *api_pending(const struct daemon *d, const struct pending_wish *wish)
{
	const struct policy_rule *rule = responder_rule(d->responder, wish->rule);
	char id[ID_SIZE], client[TENF_ADDRESS_TEXT], mac[NEIGHBOURS_TEXT];
	const struct shape_pending shape = {
		.id = id, .client = tenf_address_text(&wish->client, client),
		.mac = wish->has_mac ? neighbours_text(wish->mac, mac) : NULL,
		.protocol = wish->protocol, .internal_port = wish->internal.port,
		.external_port = wish->external_port,
		.first_seen = net_wall_of_s(wish->first_seen), .tries = wish->tries,
		.state = api_word_name(wish->state),
	};
	json_t *json;

	(void)snprintf(id, sizeof(id), "p%u", wish->id);
	json = shape_pending(&shape);
	if (json != NULL && rule != NULL &&
	    json_object_set_new(json, "rule", shape_rule((unsigned)wish->rule + 1, rule->name,
							 api_action_name(rule->action))) != 0) {
		json_decref(json);
		return NULL;
	}
	return json;
}

static void add_spoken(struct tenf_gateway *g, enum tenf_method method, unsigned version)
{
	g->spoken[g->spoken_count].method = method;
	g->spoken[g->spoken_count].version = version;
	g->spoken_count++;
}

json_t *api_link(const struct daemon *d, size_t link, tenf_time now)
{
	const struct responder_link *l = &d->links.at[link];
	struct tenf_address external = links_external_address(&d->config);
	struct tenf_gateway g = {
		.port = l->address.port, .rtt_us = -1,
		.epoch_s = responder_epoch_s(d->responder, now),
		.address_class = tenf_address_classify(&external),
		.error.reason = TENF_REASON_NONE,
	};

	g.up_since = net_wall_of_s(now) - g.epoch_s;
	(void)tenf_address_text(&l->address.address, g.address);
	(void)snprintf(g.interface, sizeof(g.interface), "%s", d->links.names[link]);
	if (!tenf_address_is_none(&external))
		(void)tenf_address_text(&external, g.external_address);
	if (d->config.pcp)
		add_spoken(&g, TENF_METHOD_PCP, PCP_VERSION);
	if (d->config.natpmp && tenf_address_is_v4(&l->address.address))
		add_spoken(&g, TENF_METHOD_NATPMP, NATPMP_VERSION);
	return shape_gateway(&g);
}
