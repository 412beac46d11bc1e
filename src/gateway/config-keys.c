/* SPDX-License-Identifier: MIT */
/* The table of keys: where each may stand, what sets it, what its value has to be. */
#include "gateway/config-private.h"

#include "base/span.h"
#include "gateway/config-values.h"
#include "gateway/history-limits.h"
#include "gateway/neighbours.h"

#include <string.h>
#include <strings.h>

typedef bool (*set_key)(struct config_reading *r, const char *value);

struct key {
	const char *name;
	enum config_section section;
	set_key set;
	const char *right; /* what the value has to be */
};

static struct policy_rule *rule_of(struct config_reading *r)
{
	return &r->config->rules[r->config->rule_count - 1];
}

static bool set_seconds(const char *value, uint32_t min, uint32_t max, uint32_t *ret)
{
	uint32_t seconds;

	if (!tenf_span_parse(value, &seconds) || seconds < min || seconds > max)
		return false;
	*ret = seconds;
	return true;
}

static bool set_count(const char *value, uint64_t min, uint64_t max, uint32_t *ret)
{
	uint64_t number;

	if (!config_number(value, min, max, &number))
		return false;
	*ret = (uint32_t)number;
	return true;
}

static bool set_backend(struct config_reading *r, const char *value)
{
	if (strcasecmp(value, "memory") == 0)
		r->config->backend = CONFIG_MEMORY;
	else if (strcasecmp(value, "nftables") == 0)
		r->config->backend = CONFIG_NFTABLES;
	else
		return false;
	return true;
}

static bool set_external(struct config_reading *r, const char *value)
{
	return config_interfaces(value, &r->config->external);
}

static bool set_internal(struct config_reading *r, const char *value)
{
	return config_interfaces(value, &r->config->internal);
}

static bool set_listen(struct config_reading *r, const char *value)
{
	struct gateway_config *c = r->config;

	if (c->listen_count == CONFIG_LISTEN_MAX ||
	    !config_listen(value, &c->listen[c->listen_count]))
		return false;
	c->listen_count++;
	return true;
}

static bool set_external_address(struct config_reading *r, const char *value)
{
	struct gateway_config *c = r->config;
	bool none = strcasecmp(value, "none") == 0;

	if (c->has_external_address && (none || c->external_address_count == 0))
		return false; /* none beside others */
	if (!none && !config_pool(value, c->external_addresses, CONFIG_EXTERNALS_MAX,
				  &c->external_address_count))
		return false;
	if (!none)
		c->external_address = c->external_addresses[0];
	c->has_external_address = true;
	return true;
}

static bool set_protocols(struct config_reading *r, const char *value)
{
	return config_protocols(value, &r->config->natpmp, &r->config->pcp);
}

static bool set_lifetime_min(struct config_reading *r, const char *value)
{
	r->lifetime_line = r->line;
	return set_seconds(value, 1, UINT32_MAX, &r->config->lifetime_min_s);
}

static bool set_lifetime_max(struct config_reading *r, const char *value)
{
	r->lifetime_line = r->line;
	return set_seconds(value, 1, UINT32_MAX, &r->config->lifetime_max_s);
}

static bool set_mappings_max(struct config_reading *r, const char *value)
{
	return set_count(value, 1, LEDGER_MAPPINGS_MAX, &r->config->mappings_max);
}

static bool set_withhold_tcp(struct config_reading *r, const char *value)
{
	return set_seconds(value, 0, 86400, &r->config->withhold_tcp_s);
}

static bool set_withhold_udp(struct config_reading *r, const char *value)
{
	return set_seconds(value, 0, 86400, &r->config->withhold_udp_s);
}

static bool set_user(struct config_reading *r, const char *value)
{
	if (value[0] == '\0' || strlen(value) >= CONFIG_USER_MAX)
		return false;
	memcpy(r->config->user, value, strlen(value) + 1);
	return true;
}

static bool set_serve_external(struct config_reading *r, const char *value)
{
	return config_yes_no(value, &r->config->serve_external);
}

static bool set_peer(struct config_reading *r, const char *value)
{
	return config_yes_no(value, &r->config->peer);
}

static bool set_manage_forward(struct config_reading *r, const char *value)
{
	return config_yes_no(value, &r->config->manage_forward);
}

static bool set_reapply(struct config_reading *r, const char *value)
{
	return config_yes_no(value, &r->config->reapply);
}

static bool set_flood_limit(struct config_reading *r, const char *value)
{
	return set_count(value, 0, 1000000, &r->config->flood_limit);
}

static bool set_socket(struct config_reading *r, const char *value)
{
	bool none = strcasecmp(value, "none") == 0;
	struct tenf_text socket = tenf_text_of(r->config->socket, CONFIG_SOCKET_MAX);

	if (!none && (value[0] != '/' || strlen(value) >= CONFIG_SOCKET_MAX))
		return false;
	tenf_text_add(&socket, none ? "" : value);
	r->socket_seen = true;
	return true;
}

static bool set_socket_group(struct config_reading *r, const char *value)
{
	if (value[0] == '\0' || strlen(value) >= CONFIG_USER_MAX)
		return false;
	memcpy(r->config->socket_group, value, strlen(value) + 1);
	return true;
}

static bool set_state(struct config_reading *r, const char *value)
{
	bool none = strcasecmp(value, "none") == 0;
	struct tenf_text state = tenf_text_of(r->config->state, CONFIG_STATE_MAX);

	if (!none && (value[0] != '/' || strlen(value) >= CONFIG_STATE_MAX))
		return false;
	tenf_text_add(&state, none ? "" : value);
	return true;
}

static bool set_history_days(struct config_reading *r, const char *value)
{
	return set_count(value, 1, 36500, &r->config->history_days);
}

static bool set_history_size(struct config_reading *r, const char *value)
{
	return set_count(value, 2, HISTORY_SIZE_MAX, &r->config->history_size);
}

static bool set_action(struct config_reading *r, const char *value)
{
	if (strcasecmp(value, "allow") == 0)
		rule_of(r)->action = POLICY_ALLOW;
	else if (strcasecmp(value, "deny") == 0)
		rule_of(r)->action = POLICY_DENY;
	else if (strcasecmp(value, "ask") == 0)
		rule_of(r)->action = POLICY_ASK;
	else
		return false;
	r->action_seen = true;
	return true;
}

static bool set_client(struct config_reading *r, const char *value)
{
	struct policy_rule *rule = rule_of(r);

	if (!neighbours_parse(value, rule->mac))
		return tenf_prefix_parse(value, &rule->client);
	rule->has_mac = true;
	return true;
}

static bool set_name(struct config_reading *r, const char *value)
{
	size_t len = strlen(value);

	if (len == 0 || len >= POLICY_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)value[i] < ' ' || value[i] == 0x7f)
			return false; /* it is printed where lines count */
	}
	memcpy(rule_of(r)->name, value, len + 1);
	return true;
}

static bool set_protocol(struct config_reading *r, const char *value)
{
	return config_protocol(value, &rule_of(r)->protocol);
}

static bool set_external_port(struct config_reading *r, const char *value)
{
	return config_ports(value, &rule_of(r)->external);
}

static bool set_internal_port(struct config_reading *r, const char *value)
{
	return config_ports(value, &rule_of(r)->internal);
}

static bool set_rule_mappings_max(struct config_reading *r, const char *value)
{
	return set_count(value, 1, LEDGER_MAPPINGS_MAX, &rule_of(r)->mappings_max);
}

static bool set_rule_lifetime_max(struct config_reading *r, const char *value)
{
	return set_seconds(value, 1, UINT32_MAX, &rule_of(r)->lifetime_max_s);
}

static bool set_request_rate(struct config_reading *r, const char *value)
{
	return set_count(value, 0, 1000000, &rule_of(r)->requests_per_s);
}

static bool set_third_party(struct config_reading *r, const char *value)
{
	return config_yes_no(value, &rule_of(r)->third_party);
}

static bool set_forward(struct config_reading *r, const char *value)
{
	struct tenf_forward forward;

	if (r->forward_seen || !tenf_forward_parse(value, &forward, NULL) ||
	    forward.external_first == 0)
		return false;
	r->config->statics[r->config->static_count - 1].forward = forward;
	r->forward_seen = true;
	return true;
}

static bool set_host(struct config_reading *r, const char *value)
{
	struct tenf_address host;

	if (r->host_seen || !tenf_address_parse(value, &host) || !tenf_address_is_v4(&host) ||
	    !(tenf_address_is_host(&host) || tenf_address_is_loopback(&host)))
		return false;
	r->config->statics[r->config->static_count - 1].host = host;
	r->host_seen = true;
	return true;
}

static bool set_loss(struct config_reading *r, const char *value)
{
	return config_chance(value, &r->config->faults.loss);
}

static bool set_delay(struct config_reading *r, const char *value)
{
	return config_durations(value, &r->config->faults.delay_min, &r->config->faults.delay_max);
}

static bool set_duplicate(struct config_reading *r, const char *value)
{
	return config_chance(value, &r->config->faults.duplicate);
}

static bool set_reorder(struct config_reading *r, const char *value)
{
	return config_chance(value, &r->config->faults.reorder);
}

static bool set_truncate(struct config_reading *r, const char *value)
{
	return config_chance(value, &r->config->faults.truncate);
}

static bool set_wrong_source(struct config_reading *r, const char *value)
{
	return config_chance(value, &r->config->faults.wrong_source);
}

static bool set_refuse(struct config_reading *r, const char *value)
{
	return config_chance(value, &r->config->faults.quirks.refuse);
}

static bool set_other_port(struct config_reading *r, const char *value)
{
	return config_chance(value, &r->config->faults.quirks.other_port);
}

static bool set_reboot_every(struct config_reading *r, const char *value)
{
	return config_duration(value, &r->config->faults.reboot_every);
}

static bool set_lifetime_cap(struct config_reading *r, const char *value)
{
	return set_seconds(value, 0, UINT32_MAX, &r->config->faults.quirks.lifetime_cap_s);
}

static bool set_ignore(struct config_reading *r, const char *value)
{
	struct responder_quirks *quirks = &r->config->faults.quirks;

	return config_protocols(value, &quirks->ignore_natpmp, &quirks->ignore_pcp);
}

static bool set_seed(struct config_reading *r, const char *value)
{
	return config_number(value, 0, UINT64_MAX, &r->config->seed);
}

#define CHANCE_IS "write a share such as 30%, or yes, or no"
#define PORTS_ARE "write ports such as 80, 1024-65535 or 80,443,8000-8100 (32 ranges at most), " \
		  "or dangerous"
#define YES_NO_IS "write yes or no"
#define SPAN_IS "write a time such as 90s, 10m, 2h or 1d"

static const struct key keys[] = {
	{ "Backend", CONFIG_IN_GATEWAY, set_backend,
	  "write memory or nftables" },
	{ "External", CONFIG_IN_GATEWAY, set_external,
	  "write the name of an interface, such as eth0" },
	{ "Internal", CONFIG_IN_GATEWAY, set_internal,
	  "write names of interfaces (16 at most, 15 characters each), such as br0" },
	{ "Listen", CONFIG_IN_GATEWAY, set_listen,
	  "write a numeric ADDRESS or ADDRESS:PORT of this machine, such as 192.168.1.1:5351, "
	  "in 16 lines at most" },
	{ "ExternalAddress", CONFIG_IN_GATEWAY, set_external_address,
	  "write an IPv4 address such as 203.0.113.7 or a prefix such as 203.0.113.16/28, "
	  "256 addresses at most in all, or none alone" },
	{ "ServeExternal", CONFIG_IN_GATEWAY, set_serve_external, YES_NO_IS },
	{ "ManageForward", CONFIG_IN_GATEWAY, set_manage_forward, YES_NO_IS },
	{ "Reapply", CONFIG_IN_GATEWAY, set_reapply, YES_NO_IS },
	{ "Peer", CONFIG_IN_GATEWAY, set_peer, YES_NO_IS },
	{ "FloodLimit", CONFIG_IN_GATEWAY, set_flood_limit,
	  "write requests a second, up to 1000000, or 0 for no limit" },
	{ "Protocols", CONFIG_IN_GATEWAY, set_protocols,
	  "write natpmp,pcp or one of them, or none" },
	{ "MinLifetime", CONFIG_IN_GATEWAY, set_lifetime_min, SPAN_IS },
	{ "MaxLifetime", CONFIG_IN_GATEWAY, set_lifetime_max, SPAN_IS },
	{ "MaxMappings", CONFIG_IN_GATEWAY, set_mappings_max,
	  "write a number from 1 to 1048576" },
	{ "ReuseDelayTCP", CONFIG_IN_GATEWAY, set_withhold_tcp,
	  "write a time up to 1d, such as 240s" },
	{ "ReuseDelayUDP", CONFIG_IN_GATEWAY, set_withhold_udp,
	  "write a time up to 1d, such as 120s" },
	{ "User", CONFIG_IN_GATEWAY, set_user,
	  "write the name of a user" },
	{ "Socket", CONFIG_IN_GATEWAY, set_socket,
	  "write a path of at most 107 characters that begins with /, or none" },
	{ "SocketGroup", CONFIG_IN_GATEWAY, set_socket_group,
	  "write the name of a group" },
	{ "State", CONFIG_IN_GATEWAY, set_state,
	  "write a directory that begins with /, of at most 255 characters, or none" },
	{ "HistoryDays", CONFIG_IN_GATEWAY, set_history_days,
	  "write a number of days from 1 to 36500" },
	{ "HistorySize", CONFIG_IN_GATEWAY, set_history_size,
	  "write a number of events from 2 to 10000000" },
	{ "Action", CONFIG_IN_RULE, set_action,
	  "write allow, deny or ask" },
	{ "Client", CONFIG_IN_RULE, set_client,
	  "write an address, or a prefix whose host bits are zero, such as 192.168.1.0/24, "
	  "or a MAC such as 00:11:22:33:44:55" },
	{ "Name", CONFIG_IN_RULE, set_name,
	  "write what people call this rule, 31 octets at most" },
	{ "Protocol", CONFIG_IN_RULE, set_protocol,
	  "write tcp, udp or both" },
	{ "ExternalPort", CONFIG_IN_RULE, set_external_port, PORTS_ARE },
	{ "InternalPort", CONFIG_IN_RULE, set_internal_port, PORTS_ARE },
	{ "MaxMappings", CONFIG_IN_RULE, set_rule_mappings_max,
	  "write a number from 1 to 1048576" },
	{ "MaxLifetime", CONFIG_IN_RULE, set_rule_lifetime_max, SPAN_IS },
	{ "RequestRate", CONFIG_IN_RULE, set_request_rate,
	  "write requests a second, up to 1000000, or 0 for no limit" },
	{ "ThirdParty", CONFIG_IN_RULE, set_third_party, YES_NO_IS },
	{ "Forward", CONFIG_IN_STATIC, set_forward,
	  "write EXTERNAL:INTERNAL/PROTOCOL, such as 443:8443/tcp or 6881-6889/both, once" },
	{ "Host", CONFIG_IN_STATIC, set_host,
	  "write the IPv4 address of one host, such as 192.168.1.20, once" },
	{ "On", CONFIG_IN_HOOK, config_set_on,
	  "write all or some of opened, closed, refused, pending, mapped, removed, lost and "
	  "gateway-restart" },
	{ "Run", CONFIG_IN_HOOK, config_set_run,
	  "write a command, a long one into a file; one Run= or Webhook= in a section" },
	{ "Webhook", CONFIG_IN_HOOK, config_set_webhook,
	  "write a URL that begins with http:// or https://, without a password; one Run= or "
	  "Webhook= in a section" },
	{ "Timeout", CONFIG_IN_HOOK, config_set_timeout,
	  "write a time from 1s to 1h, such as 30s" },
	{ "Loss", CONFIG_IN_FAULTS, set_loss, CHANCE_IS },
	{ "Delay", CONFIG_IN_FAULTS, set_delay,
	  "write a time such as 200ms, or two such as 50ms-2s" },
	{ "Duplicate", CONFIG_IN_FAULTS, set_duplicate, CHANCE_IS },
	{ "Reorder", CONFIG_IN_FAULTS, set_reorder, CHANCE_IS },
	{ "Truncate", CONFIG_IN_FAULTS, set_truncate, CHANCE_IS },
	{ "WrongSource", CONFIG_IN_FAULTS, set_wrong_source, CHANCE_IS },
	{ "Refuse", CONFIG_IN_FAULTS, set_refuse, CHANCE_IS },
	{ "OtherPort", CONFIG_IN_FAULTS, set_other_port, CHANCE_IS },
	{ "RebootEvery", CONFIG_IN_FAULTS, set_reboot_every, SPAN_IS },
	{ "LifetimeCap", CONFIG_IN_FAULTS, set_lifetime_cap, SPAN_IS },
	{ "Ignore", CONFIG_IN_FAULTS, set_ignore,
	  "write natpmp, pcp, or both with a comma" },
	{ "Seed", CONFIG_IN_FAULTS, set_seed,
	  "write a whole number" },
};

/* "a, b and c are" the keys of this section. */
static void list_keys(enum config_section section, struct tenf_text *t)
{
	bool first = true;

	for (size_t i = 0; i < TENF_ARRAY_SIZE(keys); i++) {
		if (keys[i].section != section)
			continue;
		tenf_text_add(t, first ? "known here are " : ", ");
		tenf_text_add(t, keys[i].name);
		first = false;
	}
}

void config_set(struct config_reading *r, const char *name, const char *value)
{
	char known[512];
	struct tenf_text list = tenf_text_of(known, sizeof(known));

	for (size_t i = 0; i < TENF_ARRAY_SIZE(keys); i++) {
		if (keys[i].section != r->section || strcasecmp(keys[i].name, name) != 0)
			continue;
		if (!keys[i].set(r, value)) {
			char what[64];
			struct tenf_text text = tenf_text_of(what, sizeof(what));

			tenf_text_add(&text, keys[i].name);
			tenf_text_add(&text, "= cannot be ");
			config_complain(r, r->line, what, value, keys[i].right);
		}
		return;
	}
	list_keys(r->section, &list);
	config_complain(r, r->line, "there is no key ", name, known);
}
