/* SPDX-License-Identifier: MIT */
/* The table of keys: where each may stand, what sets it, what its value has to be. */
#include "agent/config-private.h"

#include "agent/config-secret.h"
#include "agent/config-values.h"
#include "base/nearest.h"
#include "base/span.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ENVIRONMENT "environment"

typedef bool (*set_key)(struct config_reading *r, const char *value);

struct key {
	enum config_section section;
	const char *name;
	set_key set;
	const char *right; /* what the value has to be */
};

/* ---- [Agent] ------------------------------------------------------------ */

static bool set_socket(struct config_reading *r, const char *value)
{
	return config_path(value, r->config->socket, sizeof(r->config->socket));
}

static bool set_state(struct config_reading *r, const char *value)
{
	return config_path(value, r->config->state, sizeof(r->config->state));
}

static bool set_interface(struct config_reading *r, const char *value)
{
	return config_interface(value, r->config->place.interface);
}

static bool set_gateway(struct config_reading *r, const char *value)
{
	return config_gateway(value, r->config->place.gateway);
}

static bool set_namespace(struct config_reading *r, const char *value)
{
	return config_namespace(value, r->config->place.namespace);
}

static bool set_anycast(struct config_reading *r, const char *value)
{
	return config_yes_no(value, &r->config->anycast);
}

static bool set_method(struct config_reading *r, const char *value)
{
	return config_methods(value, &r->config->place.methods);
}

static bool set_firewall(struct config_reading *r, const char *value)
{
	r->firewall_origin = (struct config_origin){ r->path, r->line };
	if (strcasecmp(value, "none") == 0)
		r->config->firewall = FIREWALL_NONE;
	else if (strcasecmp(value, "nftables") == 0)
		r->config->firewall = FIREWALL_NFTABLES;
	else if (strcasecmp(value, "firewalld") == 0)
		r->config->firewall = FIREWALL_FIREWALLD;
	else
		return false;
	return true;
}

/* Names alone: the value becomes part of a command of nftables. */
static bool set_firewall_set(struct config_reading *r, const char *value)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_-. ";
	const char *family = value + strcspn(value, " ");
	const char *table = family + strspn(family, " ");
	const char *gap = table + strcspn(table, " ");
	const char *set = gap + strspn(gap, " ");

	if (value[strspn(value, letters)] != '\0' || family == value || table == gap ||
	    set[0] == '\0' || set[strcspn(set, " ")] != '\0')
		return false;
	return config_copy(value, r->config->firewall_set, sizeof(r->config->firewall_set));
}

static bool set_port_file(struct config_reading *r, const char *value)
{
	return config_path(value, r->config->port_file, sizeof(r->config->port_file));
}

static bool set_listen(struct config_reading *r, const char *value)
{
	r->listen_origin = (struct config_origin){ r->path, r->line };
	return config_listen(value, r->config->listen, sizeof(r->config->listen));
}

static bool set_token_file(struct config_reading *r, const char *value)
{
	return config_secret_read(r, value, r->config->token, sizeof(r->config->token));
}

/* ---- [Mapping] ---------------------------------------------------------- */

static bool set_mapping_name(struct config_reading *r, const char *value)
{
	return config_name(value, r->mapping.wish.name, AGENT_NAME);
}

/* Complains itself: the parser of mappings says best what is wrong. */
static bool set_forward(struct config_reading *r, const char *value)
{
	struct config_draft *draft = &r->mapping;
	const char *at = value;
	char word[64], why[256];

	while (config_next_word(&at, word, sizeof(word))) {
		struct tenf_text t = tenf_text_of(why, sizeof(why));

		if (draft->forward_count == CONFIG_FORWARDS_MAX) {
			config_complain(r, r->line, "more than 64 values of Forward=", NULL,
					"begin another [Mapping]");
			return true;
		}
		if (!tenf_forward_parse(word, &draft->forwards[draft->forward_count], &t)) {
			config_complain(r, r->line, why, NULL, NULL);
			return true;
		}
		draft->forward_lines[draft->forward_count++] = r->line;
	}
	return at != value && at[strspn(at, ", \t")] == '\0';
}

static bool set_lifetime(struct config_reading *r, const char *value)
{
	uint32_t seconds;

	if (!tenf_span_parse(value, &seconds) || seconds == 0)
		return false;
	r->mapping.wish.lifetime_s = seconds;
	return true;
}

static bool set_exact(struct config_reading *r, const char *value)
{
	return config_yes_no(value, &r->mapping.wish.exact);
}

static bool set_mapping_gateway(struct config_reading *r, const char *value)
{
	r->mapping.place_said = true;
	return config_gateway(value, r->mapping.wish.place.gateway);
}

static bool set_mapping_interface(struct config_reading *r, const char *value)
{
	r->mapping.place_said = true;
	return config_interface(value, r->mapping.wish.place.interface);
}

static bool set_mapping_namespace(struct config_reading *r, const char *value)
{
	r->mapping.place_said = true;
	return config_namespace(value, r->mapping.wish.place.namespace);
}

static bool set_mapping_method(struct config_reading *r, const char *value)
{
	r->mapping.methods_said = true;
	return config_methods(value, &r->mapping.wish.place.methods);
}

static bool set_persist(struct config_reading *r, const char *value)
{
	return config_yes_no(value, &r->mapping.wish.persist);
}

static bool set_follow(struct config_reading *r, const char *value)
{
	return config_yes_no(value, &r->mapping.wish.follow);
}

static bool set_through(struct config_reading *r, const char *value)
{
	return config_yes_no(value, &r->mapping.wish.through);
}

static bool set_host(struct config_reading *r, const char *value)
{
	return config_host(value, r->mapping.wish.internal_address);
}

static bool set_mapping_firewall(struct config_reading *r, const char *value)
{
	bool yes;

	if (!config_yes_no(value, &yes))
		return false;
	r->mapping.firewall = yes ? CONFIG_YES : CONFIG_NO;
	return true;
}

/* ---- [Hook] ------------------------------------------------------------- */

static bool set_on(struct config_reading *r, const char *value)
{
	return config_events(value, &r->hook.events);
}

static void set_target(struct config_reading *r, enum hook_kind kind)
{
	r->hook.kind = kind;
	r->hook_targets++;
}

static bool set_run(struct config_reading *r, const char *value)
{
	set_target(r, HOOK_RUN);
	return config_copy(value, r->hook.target, sizeof(r->hook.target));
}

static bool set_webhook(struct config_reading *r, const char *value)
{
	set_target(r, HOOK_WEBHOOK);
	return config_url(value, r->hook.target, sizeof(r->hook.target));
}

static bool set_file(struct config_reading *r, const char *value)
{
	set_target(r, HOOK_FILE);
	return config_path(value, r->hook.target, sizeof(r->hook.target));
}

static bool set_format(struct config_reading *r, const char *value)
{
	return config_format(value, r->hook.format, sizeof(r->hook.format));
}

static bool set_hook_mapping(struct config_reading *r, const char *value)
{
	return config_name(value, r->hook.mapping, AGENT_NAME);
}

static bool set_timeout(struct config_reading *r, const char *value)
{
	uint32_t seconds;

	if (!tenf_span_parse(value, &seconds) || seconds == 0 || seconds > CONFIG_TIMEOUT_MAX_S)
		return false;
	r->hook.timeout_s = seconds;
	return true;
}

/* ---- [Connector] -------------------------------------------------------- */

static bool set_type(struct config_reading *r, const char *value)
{
	if (strcasecmp(value, "qbittorrent") == 0)
		r->connector.type = CONNECTOR_QBITTORRENT;
	else if (strcasecmp(value, "transmission") == 0)
		r->connector.type = CONNECTOR_TRANSMISSION;
	else if (strcasecmp(value, "deluge") == 0)
		r->connector.type = CONNECTOR_DELUGE;
	else
		return false;
	r->type_said = true;
	return true;
}

static bool set_url(struct config_reading *r, const char *value)
{
	if (config_url_has_secret(value)) {
		config_complain(r, r->line, "Url= holds a user or a password", NULL,
				"write User= and PasswordFile=, and the URL without them");
		return true;
	}
	return config_url(value, r->connector.url, sizeof(r->connector.url));
}

static bool set_connector_mapping(struct config_reading *r, const char *value)
{
	return config_name(value, r->connector.mapping, AGENT_NAME);
}

static bool set_user(struct config_reading *r, const char *value)
{
	return config_copy(value, r->connector.user, sizeof(r->connector.user));
}

static bool set_password_file(struct config_reading *r, const char *value)
{
	return config_secret_read(r, value, r->connector.password,
				  sizeof(r->connector.password));
}

static bool set_connector_namespace(struct config_reading *r, const char *value)
{
	return config_namespace(value, r->connector.namespace);
}

static bool set_recheck(struct config_reading *r, const char *value)
{
	uint32_t seconds;

	if (!tenf_span_parse(value, &seconds) || seconds == 0)
		return false;
	r->connector.recheck_s = seconds;
	return true;
}

/* ---- Secrets written as values: never ----------------------------------- */

static bool refuse_secret(struct config_reading *r, const char *right)
{
	config_complain(r, r->line, "a secret cannot stand in this file, which others may read",
			NULL, right);
	return true;
}

static bool refuse_password(struct config_reading *r, const char *value)
{
	(void)value;
	return refuse_secret(r, "put it into a file of its own and write PasswordFile=");
}

static bool refuse_token(struct config_reading *r, const char *value)
{
	(void)value;
	return refuse_secret(r, "put it into a file of its own and write TokenFile=");
}

/* ---- The table ---------------------------------------------------------- */

#define YES_OR_NO "write yes or no"
#define SPAN_IS "write a time such as 60s, 10m or 2h"
#define PATH_IS "write a path that begins with /"
#define NAME_IS "write a name without blanks and quotes, 63 characters at most"
#define INTERFACE_IS "write the name of an interface, such as eth0"
#define GATEWAY_IS "write a numeric ADDRESS or ADDRESS:PORT, such as 10.2.0.1"
#define NAMESPACE_IS \
	"write a name as in ip netns, or a path such as /proc/1234/ns/net, 31 characters at most"
#define METHOD_IS "write auto, or one or more of pcp, natpmp and igd"
#define EVENTS_ARE                                                                   \
	"write all, or some of gateway, gateway-restart, address, mapped, changed, " \
	"renewed, lost, refused and removed"
#define URL_IS "write a URL such as http://127.0.0.1:8080"
#define FORMAT_IS                                                                         \
	"known between braces are {event}, {name}, {protocol}, {internal_port}, "         \
	"{external_port}, {external_address}, {gateway} and {expires_at}; write {{ for " \
	"a brace"

static const struct key keys[] = {
	{ CONFIG_IN_AGENT, "Socket", set_socket, PATH_IS },
	{ CONFIG_IN_AGENT, "State", set_state, PATH_IS },
	{ CONFIG_IN_AGENT, "Interface", set_interface, INTERFACE_IS },
	{ CONFIG_IN_AGENT, "Gateway", set_gateway, GATEWAY_IS },
	{ CONFIG_IN_AGENT, "Namespace", set_namespace, NAMESPACE_IS },
	{ CONFIG_IN_AGENT, "Anycast", set_anycast, YES_OR_NO },
	{ CONFIG_IN_AGENT, "Method", set_method, METHOD_IS },
	{ CONFIG_IN_AGENT, "Firewall", set_firewall, "write nftables, firewalld or none" },
	{ CONFIG_IN_AGENT, "FirewallSet", set_firewall_set,
	  "write FAMILY TABLE SET, such as inet filter tenforward" },
	{ CONFIG_IN_AGENT, "PortFile", set_port_file, PATH_IS },
	{ CONFIG_IN_AGENT, "Listen", set_listen,
	  "write a numeric ADDRESS:PORT of this machine, such as 127.0.0.1:8351" },
	{ CONFIG_IN_AGENT, "TokenFile", set_token_file, PATH_IS },
	{ CONFIG_IN_MAPPING, "Name", set_mapping_name, NAME_IS },
	{ CONFIG_IN_MAPPING, "Forward", set_forward,
	  "write mappings such as 8080/tcp, 80:8080/tcp or any:51413/both" },
	{ CONFIG_IN_MAPPING, "Lifetime", set_lifetime, SPAN_IS },
	{ CONFIG_IN_MAPPING, "Exact", set_exact, YES_OR_NO },
	{ CONFIG_IN_MAPPING, "Gateway", set_mapping_gateway, GATEWAY_IS },
	{ CONFIG_IN_MAPPING, "Interface", set_mapping_interface, INTERFACE_IS },
	{ CONFIG_IN_MAPPING, "Namespace", set_mapping_namespace, NAMESPACE_IS },
	{ CONFIG_IN_MAPPING, "Method", set_mapping_method, METHOD_IS },
	{ CONFIG_IN_MAPPING, "Persist", set_persist, YES_OR_NO },
	{ CONFIG_IN_MAPPING, "Follow", set_follow, YES_OR_NO },
	{ CONFIG_IN_MAPPING, "Through", set_through, YES_OR_NO },
	{ CONFIG_IN_MAPPING, "Host", set_host,
	  "write the address of a host, such as 192.168.1.20" },
	{ CONFIG_IN_MAPPING, "Firewall", set_mapping_firewall, YES_OR_NO },
	{ CONFIG_IN_HOOK, "On", set_on, EVENTS_ARE },
	{ CONFIG_IN_HOOK, "Run", set_run, "write a command of at most 1023 characters" },
	{ CONFIG_IN_HOOK, "Webhook", set_webhook, URL_IS },
	{ CONFIG_IN_HOOK, "File", set_file, PATH_IS },
	{ CONFIG_IN_HOOK, "Format", set_format, FORMAT_IS },
	{ CONFIG_IN_HOOK, "Mapping", set_hook_mapping, NAME_IS },
	{ CONFIG_IN_HOOK, "Timeout", set_timeout, "write a time from 1s to 1h" },
	{ CONFIG_IN_CONNECTOR, "Type", set_type, "write qbittorrent, transmission or deluge" },
	{ CONFIG_IN_CONNECTOR, "Url", set_url, URL_IS },
	{ CONFIG_IN_CONNECTOR, "Mapping", set_connector_mapping, NAME_IS },
	{ CONFIG_IN_CONNECTOR, "User", set_user, "write the name of a user" },
	{ CONFIG_IN_CONNECTOR, "PasswordFile", set_password_file, PATH_IS },
	{ CONFIG_IN_CONNECTOR, "Namespace", set_connector_namespace, NAMESPACE_IS },
	{ CONFIG_IN_CONNECTOR, "Recheck", set_recheck, SPAN_IS },
};

/* Not keys, but what somebody may try. */
static const struct key refusals[] = {
	{ .section = CONFIG_IN_AGENT, .name = "Token", .set = refuse_token },
	{ .section = CONFIG_IN_CONNECTOR, .name = "Password", .set = refuse_password },
};

static const struct key *find_key(const struct key *table, size_t count,
				  enum config_section section, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (table[i].section == section && strcasecmp(table[i].name, name) == 0)
			return &table[i];
	}
	return NULL;
}

static void add_list(enum config_section section, struct tenf_text *t)
{
	const char *between = "known here are ";

	for (size_t i = 0; i < TENF_ARRAY_SIZE(keys); i++) {
		if (keys[i].section != section)
			continue;
		tenf_text_add(t, between);
		tenf_text_add(t, keys[i].name);
		tenf_text_add_char(t, '=');
		between = ", ";
	}
}

static void complain_unknown(struct config_reading *r, const char *name)
{
	struct tenf_nearest near = tenf_nearest_to(name, strlen(name));
	char right[512];
	struct tenf_text t = tenf_text_of(right, sizeof(right));

	for (size_t i = 0; i < TENF_ARRAY_SIZE(keys); i++) {
		if (keys[i].section == r->section)
			tenf_nearest_try(&near, keys[i].name);
	}
	if (near.best != NULL) {
		tenf_text_add(&t, "did you mean ");
		tenf_text_add(&t, near.best);
		tenf_text_add(&t, "=?");
	} else {
		add_list(r->section, &t);
	}
	config_complain(r, r->line, "there is no key ", name, right);
}

/* JSON and logs want UTF-8 without control characters. */
static bool is_clean(const char *value)
{
	json_t *string = json_string(value);
	bool clean = string != NULL;

	for (const char *at = value; clean && *at != '\0'; at++)
		clean = (unsigned char)*at >= ' ' || *at == '\t';
	json_decref(string);
	return clean;
}

void config_set(struct config_reading *r, const char *name, const char *shown, const char *value)
{
	const struct key *key = find_key(keys, TENF_ARRAY_SIZE(keys), r->section, name);
	char what[96];
	struct tenf_text t = tenf_text_of(what, sizeof(what));

	if (key == NULL)
		key = find_key(refusals, TENF_ARRAY_SIZE(refusals), r->section, name);
	if (key == NULL) {
		complain_unknown(r, name);
		return;
	}
	tenf_text_add(&t, shown);
	tenf_text_add(&t, "= cannot be ");
	if (!is_clean(value))
		config_complain(r, r->line, what, "…", "write UTF-8 without control characters");
	else if (!key->set(r, value))
		config_complain(r, r->line, what, value, key->right);
}

/* ---- Environment -------------------------------------------------------- */

/* TENFORWARD_PORT_FILE of PortFile; without the mark between the words when
 * `apart` is not set. */
static const char *variable_of(const struct key *key, bool apart, char *buffer, size_t size)
{
	struct tenf_text t = tenf_text_of(buffer, size);

	tenf_text_add(&t, "TENFORWARD_");
	for (const char *at = key->name; *at != '\0'; at++) {
		if (apart && at > key->name && isupper((unsigned char)*at))
			tenf_text_add_char(&t, '_');
		tenf_text_add_char(&t, (char)toupper((unsigned char)*at));
	}
	return buffer;
}

static void set_from_environment(struct config_reading *r, const struct key *key)
{
	char variable[64];
	const char *value = getenv(variable_of(key, true, variable, sizeof(variable)));

	if (value == NULL)
		value = getenv(variable_of(key, false, variable, sizeof(variable)));
	if (value != NULL && value[0] != '\0') /* set to nothing is as not set */
		config_set(r, key->name, variable, value);
}

void config_set_environment(struct config_reading *r)
{
	const char *forward = getenv("TENFORWARD_FORWARD");

	r->path = ENVIRONMENT;
	r->line = 0;
	config_begin_section(r, CONFIG_IN_AGENT);
	for (size_t i = 0; i < TENF_ARRAY_SIZE(keys); i++) {
		if (keys[i].section == CONFIG_IN_AGENT)
			set_from_environment(r, &keys[i]);
	}
	if (forward == NULL || forward[0] == '\0')
		return;
	config_begin_section(r, CONFIG_IN_MAPPING);
	for (size_t i = 0; i < TENF_ARRAY_SIZE(keys); i++) {
		/* What [Agent] has too speaks for all mappings. */
		if (keys[i].section == CONFIG_IN_MAPPING &&
		    find_key(keys, TENF_ARRAY_SIZE(keys), CONFIG_IN_AGENT, keys[i].name) == NULL)
			set_from_environment(r, &keys[i]);
	}
	config_end_section(r);
}
