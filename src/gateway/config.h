/* SPDX-License-Identifier: MIT */
/*
 * The configuration file of the gateway daemon: [Gateway], [Rule], [Static] and
 * [Hook] repeated, and [Faults]. Reading it looks at nothing but the file: whether an interface
 * exists is found out at start. Every mistake is told with file, line and what
 * would be right; after the first one nothing of the file is used.
 */
#ifndef TENF_GATEWAY_CONFIG_H
#define TENF_GATEWAY_CONFIG_H

#include "base/forward.h"
#include "base/text.h"
#include "gateway/faults.h"
#include "gateway/policy.h"

#define CONFIG_INTERFACES_MAX 16
#define CONFIG_LISTEN_MAX 16
#define CONFIG_NAME_MAX 16  /* of an interface, with its terminator */
#define CONFIG_USER_MAX 33
#define CONFIG_LINE_MAX 4096 /* octets of a line; inih reads fewer and says so */
#define CONFIG_EXTERNALS_MAX 256 /* addresses of ExternalAddress=, a /24 */
#define CONFIG_STATICS_MAX 256
#define CONFIG_FLOOD_LIMIT 1000 /* requests a second of one host, in front of the daemon */
#define CONFIG_SOCKET_DEFAULT "/run/tenforward/gateway.sock" /* with Backend=nftables */
#define CONFIG_STATE_MAX 256
#define CONFIG_HOOKS_MAX 16
#define CONFIG_HOOK_TARGET_MAX 256 /* octets of command or URL, and a terminator */
#define CONFIG_HOOK_TIMEOUT_S 30
#define CONFIG_HOOK_TIMEOUT_MAX_S 3600
#define CONFIG_SOCKET_MAX 108 /* as long as the address of a Unix socket can be */

enum config_backend {
	CONFIG_MEMORY = 1,
	CONFIG_NFTABLES,
};

struct config_interfaces {
	char at[CONFIG_INTERFACES_MAX][CONFIG_NAME_MAX];
	size_t count;
};

/* A mapping of the administrator's own: ports of a host, for ever. */
struct config_static {
	struct tenf_forward forward; /* external_first is never 0 */
	struct tenf_address host;
	unsigned line;
};

/* What a hook is told of, or-ed. */
enum config_on {
	CONFIG_ON_MAPPED = 1,
	CONFIG_ON_REMOVED = 2,
	CONFIG_ON_LOST = 4,
	CONFIG_ON_REFUSED = 8,
	CONFIG_ON_PENDING = 16,
	CONFIG_ON_RESTART = 32,
	CONFIG_ON_ALL = 63,
};

enum config_hook_kind {
	CONFIG_RUN = 1,
	CONFIG_WEBHOOK,
};

/* Somebody to tell of decisions. */
struct config_hook {
	unsigned events; /* enum config_on */
	enum config_hook_kind kind;
	char target[CONFIG_HOOK_TARGET_MAX];
	uint32_t timeout_s;
};

struct gateway_config {
	const char *path; /* of the file; the caller's, must outlive this */
	enum config_backend backend; /* 0: not said */
	struct config_interfaces external;
	struct config_interfaces internal;
	struct tenf_endpoint listen[CONFIG_LISTEN_MAX];
	size_t listen_count;
	bool has_external_address; /* said, be it "none" */
	struct tenf_address external_address; /* the first of them, none4 without one */
	struct tenf_address external_addresses[CONFIG_EXTERNALS_MAX];
	size_t external_address_count;
	bool serve_external; /* also hosts on the way to the internet */
	bool peer;           /* opcode PEER of PCP */
	bool manage_forward; /* let translated packets through the forward chains of others */
	bool reapply;        /* new rules end what they no longer allow */
	uint32_t flood_limit; /* requests a second of one host; 0: none */
	bool natpmp;
	bool pcp;
	uint32_t lifetime_min_s;
	uint32_t lifetime_max_s;
	uint32_t mappings_max;
	uint32_t withhold_tcp_s;
	uint32_t withhold_udp_s;
	char user[CONFIG_USER_MAX]; /* empty: the default */
	char socket[CONFIG_SOCKET_MAX]; /* of the control API; empty: none */
	char socket_group[CONFIG_USER_MAX]; /* empty: the process's */
	char state[CONFIG_STATE_MAX];       /* directory of the history; empty: none is kept */
	uint32_t history_days;
	uint32_t history_size; /* events */

	struct policy_rule rules[POLICY_RULES_MAX];
	unsigned rule_lines[POLICY_RULES_MAX];
	size_t rule_count;

	struct config_static statics[CONFIG_STATICS_MAX];
	size_t static_count;

	struct config_hook hooks[CONFIG_HOOKS_MAX];
	size_t hook_count;

	bool has_faults;
	struct faults_config faults;
	uint64_t seed;
};

/* Does a rule look at link-layer addresses, or ask, for which one machine is one host? */
bool config_wants_macs(const struct gateway_config *config);

/* False with one line in `why`: "FILE:LINE: what is wrong; what would be right". */
bool config_read(const char *path, struct gateway_config *ret, struct tenf_text *why);
/* The same from a string, with `path` for the messages. */
bool config_read_text(const char *path, const char *text, struct gateway_config *ret,
		      struct tenf_text *why);

/* One key of [Faults] at run time. False with a sentence in `why`; `ret` is
 * untouched then. */
bool config_set_fault(struct gateway_config *ret, const char *key, const char *value,
		      struct tenf_text *why);

#endif
