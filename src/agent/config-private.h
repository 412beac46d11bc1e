/* SPDX-License-Identifier: MIT */
/*
 * One reading of the configuration: config-lines.c takes a file apart,
 * config-keys.c knows what each key may be, config-sections.c what a section
 * needs to be whole, config.c reads one file after the other and checks the whole.
 */
#ifndef TENF_AGENT_CONFIG_PRIVATE_H
#define TENF_AGENT_CONFIG_PRIVATE_H

#include "agent/config.h"
#include "base/forward.h"

#define CONFIG_FORWARDS_MAX 64     /* values of Forward= in one section */
#define CONFIG_FILE_SIZE_MAX 1048576
#define CONFIG_FILES_MAX 256
#define CONFIG_SECRET_SIZE_MAX 8192
#define CONFIG_TIMEOUT_S 30
#define CONFIG_TIMEOUT_MAX_S 3600

enum config_section {
	CONFIG_IN_NONE,
	CONFIG_IN_AGENT,
	CONFIG_IN_MAPPING,
	CONFIG_IN_HOOK,
	CONFIG_IN_CONNECTOR,
};

enum config_choice { CONFIG_UNSAID, CONFIG_NO, CONFIG_YES };

/* Where something was said. */
struct config_origin {
	const char *file; /* kept in the reading */
	unsigned line;
};

/* The [Mapping] being read. */
struct config_draft {
	struct record_wish wish;
	bool place_said; /* Gateway=, Interface= or Namespace= */
	bool methods_said;
	enum config_choice firewall;
	struct tenf_forward forwards[CONFIG_FORWARDS_MAX];
	unsigned forward_lines[CONFIG_FORWARDS_MAX];
	size_t forward_count;
};

/* Beside each wish in config->mappings until the whole is checked. */
struct config_note {
	struct config_origin origin;
	bool place_said;
	bool methods_said;
	enum config_choice firewall;
};

struct config_reading {
	struct agent_config *config;
	struct config_mistake *mistake;
	bool failed;

	const char *path;
	char *text; /* what is left of the file */
	char *value; /* of the line before inih */
	unsigned line;
	enum config_section section;
	unsigned section_line;

	struct config_draft mapping;
	struct config_hook hook;
	unsigned hook_targets; /* how many of Run=, Webhook=, File= */
	struct config_connector connector;
	bool type_said;

	size_t through_count; /* mappings with Through=yes */
	struct config_note *notes;
	struct config_origin hook_origins[CONFIG_HOOKS_MAX];
	struct config_origin connector_origins[CONFIG_CONNECTORS_MAX];
	struct config_origin listen_origin;
	struct config_origin firewall_origin;
	char *files[CONFIG_FILES_MAX];
	size_t file_count;
};

/* What is wrong, the value in quotes (NULL: none), what would be right. The
 * first complaint counts. */
void config_complain(struct config_reading *r, unsigned line, const char *what,
		     const char *value, const char *right);

/* The same as config_read() of one file that holds `text`, without drop-ins
 * and environment. */
TENF_CHECKED bool config_read_text(const char *path, const char *text, struct agent_config *ret,
				   struct config_mistake *ret_mistake);

/* The lines of r->text. */
void config_read_lines(struct config_reading *r);

/* Key=value within r->section; `shown` is how the user wrote the key. */
void config_set(struct config_reading *r, const char *name, const char *shown,
		const char *value);
/* TENFORWARD_KEY of each key. */
void config_set_environment(struct config_reading *r);

void config_begin_section(struct config_reading *r, enum config_section section);
void config_end_section(struct config_reading *r);

#endif
