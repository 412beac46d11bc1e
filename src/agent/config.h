/* SPDX-License-Identifier: MIT */
/*
 * The agent's configuration: agent.conf, its drop-ins, the environment. Read
 * whole or not at all; a mistake is told with file, line and what would be
 * right, and what was in force before stays.
 */
#ifndef TENF_AGENT_CONFIG_H
#define TENF_AGENT_CONFIG_H

#include "agent/record.h"

#include <limits.h>

#define CONFIG_MAPPINGS_MAX 4096 /* after ranges are taken apart */
#define CONFIG_HOOKS_MAX 64
#define CONFIG_CONNECTORS_MAX 16
#define CONFIG_VALUE 1024

enum agent_firewall { FIREWALL_NONE, FIREWALL_NFTABLES, FIREWALL_FIREWALLD };

enum hook_kind { HOOK_RUN, HOOK_WEBHOOK, HOOK_FILE };

struct config_hook {
	unsigned events; /* bit (1 << enum tenf_event_kind); 0: all */
	enum hook_kind kind;
	char mapping[AGENT_NAME]; /* only for this name; "" for all */
	char target[CONFIG_VALUE]; /* command, URL, path */
	char format[CONFIG_VALUE]; /* of the file: {external_port} …; "" is the plain port */
	uint32_t timeout_s;
};

enum connector_type { CONNECTOR_QBITTORRENT, CONNECTOR_TRANSMISSION, CONNECTOR_DELUGE };

struct config_connector {
	enum connector_type type;
	char url[CONFIG_VALUE];
	char mapping[AGENT_NAME];
	char user[CONFIG_VALUE];
	char password[CONFIG_VALUE]; /* read from PasswordFile= or a credential, never a value */
	char namespace[AGENT_NAMESPACE]; /* where it is reached; "": ours */
	uint32_t recheck_s;          /* between looks at the port it has; 0: DELIVERY_RECHECK */
};

struct agent_config {
	char socket[PATH_MAX];
	char state[PATH_MAX]; /* directory */
	char port_file[PATH_MAX]; /* "" for none: plain number of the first mapping */
	struct record_place place; /* default of every mapping */
	bool anycast;              /* of every place without a gateway of its own */
	enum agent_firewall firewall;
	char firewall_set[128]; /* FirewallSet=: "inet filter tenforward" */
	char listen[TENF_ADDRESS_SIZE + 8]; /* TCP "ADDR:PORT", "" for none */
	char token[CONFIG_VALUE];           /* bearer token of it, from TokenFile= */
	struct record_wish *mappings;
	size_t mapping_count;
	struct config_hook *hooks;
	size_t hook_count;
	struct config_connector *connectors;
	size_t connector_count;
};

struct config_mistake {
	char file[PATH_MAX];
	unsigned line; /* 0 when it is not about a line */
	char text[512]; /* what is wrong, and what would be right */
};

/* Room for all of config_mistake_text(). */
#define CONFIG_MISTAKE_SIZE (PATH_MAX + 512 + 16)

/* Where the configuration is when nobody names it: the system's for root, else
 * the user's. */
void config_default_path(char *ret, size_t size);

/* `path` NULL: no file is needed, the environment alone configures. Reads
 * path, then the files *.conf of the directory "path.d" (agent.conf.d) in the order of names, then
 * TENFORWARD_*. False with *ret_mistake on the first mistake; `ret` untouched. */
TENF_CHECKED bool config_read(const char *path, struct agent_config *ret,
			      struct config_mistake *ret_mistake);
/* "FILE:LINE: text", without the line where it is about none; cut to `size`. */
void config_mistake_text(const struct config_mistake *mistake, char *ret, size_t size);
void config_done(struct agent_config *config);

#endif
