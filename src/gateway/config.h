/* SPDX-License-Identifier: MIT */
/*
 * The configuration file of the gateway daemon: [Gateway], [Rule] repeated and
 * [Faults]. Reading it looks at nothing but the file: whether an interface
 * exists is found out at start. Every mistake is told with file, line and what
 * would be right; after the first one nothing of the file is used.
 */
#ifndef TENF_GATEWAY_CONFIG_H
#define TENF_GATEWAY_CONFIG_H

#include "base/text.h"
#include "gateway/faults.h"
#include "gateway/policy.h"

#define CONFIG_INTERFACES_MAX 16
#define CONFIG_LISTEN_MAX 16
#define CONFIG_NAME_MAX 16  /* of an interface, with its terminator */
#define CONFIG_USER_MAX 33
#define CONFIG_LINE_MAX 4096 /* octets of a line; inih reads fewer and says so */
#define CONFIG_NOTES_MAX 8

enum config_backend {
	CONFIG_MEMORY = 1,
	CONFIG_NFTABLES,
};

struct config_interfaces {
	char at[CONFIG_INTERFACES_MAX][CONFIG_NAME_MAX];
	size_t count;
};

struct gateway_config {
	enum config_backend backend; /* 0: not said */
	struct config_interfaces external;
	struct config_interfaces internal;
	struct tenf_endpoint listen[CONFIG_LISTEN_MAX];
	size_t listen_count;
	bool has_external_address; /* said, be it "none" */
	struct tenf_address external_address;
	bool natpmp;
	bool pcp;
	uint32_t lifetime_min_s;
	uint32_t lifetime_max_s;
	uint32_t mappings_max;
	uint32_t withhold_tcp_s;
	uint32_t withhold_udp_s;
	char user[CONFIG_USER_MAX]; /* empty: the default */

	struct policy_rule rules[POLICY_RULES_MAX];
	unsigned rule_lines[POLICY_RULES_MAX];
	size_t rule_count;

	bool has_faults;
	struct faults_config faults;
	uint64_t seed;

	/* Keys that are taken but have no effect in this build: literals. */
	const char *notes[CONFIG_NOTES_MAX];
	size_t note_count;
};

/* False with one line in `why`: "FILE:LINE: what is wrong; what would be right". */
bool config_read(const char *path, struct gateway_config *ret, struct tenf_text *why);
/* The same from a string, with `path` for the messages. */
bool config_read_text(const char *path, const char *text, struct gateway_config *ret,
		      struct tenf_text *why);

#endif
