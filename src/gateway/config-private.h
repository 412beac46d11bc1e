/* SPDX-License-Identifier: MIT */
/*
 * One reading of a configuration file: config.c goes through its lines,
 * config-keys.c knows what each key may be.
 */
#ifndef TENF_GATEWAY_CONFIG_PRIVATE_H
#define TENF_GATEWAY_CONFIG_PRIVATE_H

#include "gateway/config.h"

enum config_section {
	CONFIG_IN_NONE,
	CONFIG_IN_GATEWAY,
	CONFIG_IN_RULE,
	CONFIG_IN_STATIC,
	CONFIG_IN_HOOK,
	CONFIG_IN_FAULTS,
};

struct config_reading {
	const char *path;
	const char *text; /* what is left of it */
	const char *raw;  /* this line, of raw_len octets */
	size_t raw_len;
	unsigned line;
	enum config_section section;
	struct gateway_config *config;
	unsigned lifetime_line; /* of the last lifetime limit */
	bool action_seen; /* in this rule */
	bool forward_seen; /* in this static mapping */
	bool host_seen;
	bool socket_seen;
	unsigned hook_line; /* where this hook begins */
	struct tenf_text *why;
	bool failed;
};

/* "FILE:LINE: what "value"; right". The first complaint counts; line 0: the whole file. */
void config_complain(struct config_reading *r, unsigned line, const char *what,
		     const char *value, const char *right);
/* Key=value within r->section. */
void config_set(struct config_reading *r, const char *name, const char *value);

/* config-hooks.c: [Hook] begins and ends, and its keys. */
void config_begin_hook(struct config_reading *r);
void config_end_hook(struct config_reading *r);
bool config_set_on(struct config_reading *r, const char *value);
bool config_set_run(struct config_reading *r, const char *value);
bool config_set_webhook(struct config_reading *r, const char *value);
bool config_set_timeout(struct config_reading *r, const char *value);

#endif
