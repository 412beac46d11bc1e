/* SPDX-License-Identifier: MIT */
/*
 * inih gives section, key and value, but neither the line nor word of a section that
 * begins again; both are seen by the reader that feeds it its lines.
 */
#include "gateway/config-private.h"

#include "gateway/history-limits.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void config_complain(struct config_reading *r, unsigned line, const char *what, const char *value,
		     const char *right)
{
	if (r->failed)
		return;
	r->failed = true;
	tenf_text_add(r->why, r->path);
	if (line > 0) {
		tenf_text_add_char(r->why, ':');
		tenf_text_add_number(r->why, line);
	}
	tenf_text_add(r->why, ": ");
	tenf_text_add(r->why, what);
	if (value != NULL) {
		tenf_text_add(r->why, "\"");
		tenf_text_add(r->why, value);
		tenf_text_add(r->why, "\"");
	}
	tenf_text_add(r->why, "; ");
	tenf_text_add(r->why, right);
}

/* ---- Lines ------------------------------------------------------------ */

static void end_section(struct config_reading *r)
{
	if (r->section == CONFIG_IN_RULE && !r->action_seen)
		config_complain(r, r->config->rule_lines[r->config->rule_count - 1],
				"this rule has no Action=", NULL,
				"write Action=allow, Action=deny or Action=ask");
	if (r->section == CONFIG_IN_STATIC && !(r->forward_seen && r->host_seen))
		config_complain(r, r->config->statics[r->config->static_count - 1].line,
				"this mapping is incomplete", NULL,
				"write Forward=443:8443/tcp and Host=192.168.1.20");
	if (r->section == CONFIG_IN_HOOK && !r->failed)
		config_end_hook(r);
}

static void begin_rule(struct config_reading *r)
{
	if (r->config->rule_count == POLICY_RULES_MAX)
		config_complain(r, r->line, "more than 256 rules", NULL, "join some of them");
	else
		r->config->rule_lines[r->config->rule_count++] = r->line;
}

static void begin_static(struct config_reading *r)
{
	if (r->config->static_count == CONFIG_STATICS_MAX)
		config_complain(r, r->line, "more than 256 static mappings", NULL,
				"join some of them to ranges");
	else
		r->config->statics[r->config->static_count++].line = r->line;
}

static void begin_section(struct config_reading *r, const char *line)
{
	static const struct {
		const char *name;
		enum config_section section;
	} names[] = { { "[Gateway]", CONFIG_IN_GATEWAY },
		      { "[Rule]", CONFIG_IN_RULE },
		      { "[Static]", CONFIG_IN_STATIC },
		      { "[Hook]", CONFIG_IN_HOOK },
		      { "[Faults]", CONFIG_IN_FAULTS } };
	char head[64];
	size_t len = strcspn(line, "]");

	len = len < sizeof(head) - 2 ? len : sizeof(head) - 2;
	memcpy(head, line, len);
	memcpy(head + len, "]", 2);
	end_section(r);
	r->section = CONFIG_IN_NONE;
	r->action_seen = false;
	r->forward_seen = false;
	r->host_seen = false;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(names); i++) {
		if (strcasecmp(head, names[i].name) == 0)
			r->section = names[i].section;
	}
	if (r->section == CONFIG_IN_NONE) {
		config_complain(r, r->line, "there is no section ", head,
			 "write [Gateway], [Rule], [Static], [Hook] or [Faults]");
	} else if (r->section == CONFIG_IN_FAULTS) {
		r->config->has_faults = true;
	} else if (r->section == CONFIG_IN_RULE) {
		begin_rule(r);
	} else if (r->section == CONFIG_IN_STATIC) {
		begin_static(r);
	} else if (r->section == CONFIG_IN_HOOK) {
		config_begin_hook(r);
	}
}

/* inih asks for one line after the other. */
static char *next_line(char *buffer, int size, void *stream)
{
	struct config_reading *r = stream;
	size_t len = strcspn(r->text, "\n");
	size_t indent;

	if (*r->text == '\0' || r->failed)
		return NULL;
	r->line++;
	r->raw = r->text;
	r->raw_len = len;
	if (len + 2 > (size_t)size) {
		config_complain(r, r->line, "the line is too long", NULL,
				"write it in fewer characters");
		return NULL;
	}
	memcpy(buffer, r->text, len);
	buffer[len] = '\0';
	indent = strspn(buffer, r->line == 1 ? " \t\xef\xbb\xbf" : " \t"); /* with a BOM */
	/* inih takes an indented line for more of the last value; nobody means that. */
	memmove(buffer, buffer + indent, len - indent + 1);
	r->text += len + (r->text[len] == '\n');
	if (buffer[0] == '[')
		begin_section(r, buffer);
	return buffer;
}

static int take(void *user, const char *section, const char *name, const char *value)
{
	struct config_reading *r = user;

	(void)section; /* begin_section knows which one it is of several */
	if (r->failed)
		return 1;
	if (r->section == CONFIG_IN_NONE)
		config_complain(r, r->line, "before any section there is the key ", name,
			 "begin with [Gateway]");
	else
		config_set(r, name, value);
	return 1;
}

/* ---- The whole -------------------------------------------------------- */

/* The packet path takes addresses of hosts alone, and one that it does not take would fail
 * every batch it is in. */
static void check_addresses(struct config_reading *r)
{
	const struct gateway_config *c = r->config;
	char text[TENF_ADDRESS_TEXT];

	for (size_t i = 0; i < c->static_count; i++) {
		if (!tenf_address_is_host(&c->statics[i].host))
			config_complain(r, c->statics[i].line, "no port can lead to ",
					tenf_address_text(&c->statics[i].host, text),
					"write the address of a host of an internal network");
	}
	for (size_t i = 0; i < c->external_address_count; i++) {
		if (!tenf_address_is_host(&c->external_addresses[i]))
			config_complain(r, 0, "nobody can be reached at ExternalAddress=",
					tenf_address_text(&c->external_addresses[i], text),
					"write the address of the external interface, or leave "
					"the key out");
	}
}

static void check_whole(struct config_reading *r)
{
	struct gateway_config *c = r->config;

	if (c->lifetime_min_s == 0) /* not said: the default, as far as it fits */
		c->lifetime_min_s = c->lifetime_max_s < RESPONDER_LIFETIME_MIN_S
					    ? c->lifetime_max_s
					    : RESPONDER_LIFETIME_MIN_S;
	/* A test gateway takes no place that a real one, or another test, could want. */
	if (!r->socket_seen && c->backend == CONFIG_NFTABLES)
		memcpy(c->socket, CONFIG_SOCKET_DEFAULT, sizeof(CONFIG_SOCKET_DEFAULT));
	if (c->backend == 0)
		config_complain(r, 0, "Backend= of [Gateway] is missing", NULL,
			 "write Backend=memory (test gateway) or Backend=nftables");
	if (c->lifetime_min_s > c->lifetime_max_s)
		config_complain(r, r->lifetime_line, "MinLifetime= is above MaxLifetime=", NULL,
			 "make it the smaller one");
	if (c->external.count > 1)
		config_complain(r, 0, "more than one External= interface", NULL, "name one");
	for (size_t i = 0; i < c->internal.count; i++) {
		if (c->external.count == 1 && !c->serve_external &&
		    strcmp(c->internal.at[i], c->external.at[0]) == 0)
			config_complain(r, 0, "internal and external interface are both ",
				 c->internal.at[i],
				 "name the one towards the internet in External= alone, or "
				 "write ServeExternal=yes if its hosts are yours");
	}
	if (c->backend == CONFIG_NFTABLES)
		check_addresses(r);
	if (c->has_faults && c->backend == CONFIG_NFTABLES)
		config_complain(r, 0, "[Faults] with Backend=nftables", NULL,
			 "faults are for Backend=memory alone; leave the section out");
}

bool config_read_text(const char *path, const char *text, struct gateway_config *ret,
		      struct tenf_text *why)
{
	struct gateway_config *c = calloc(1, sizeof(*c));
	struct config_reading r = { .path = path, .text = text, .config = c, .why = why };
	int line;

	if (c == NULL) {
		tenf_text_add(why, "out of memory");
		return false;
	}
	c->path = path;
	c->natpmp = true;
	c->pcp = true;
	c->lifetime_max_s = RESPONDER_LIFETIME_MAX_S;
	c->mappings_max = RESPONDER_MAPPINGS_MAX;
	c->history_days = HISTORY_DAYS;
	c->history_size = HISTORY_SIZE;
	c->withhold_tcp_s = RESPONDER_WITHHOLD_TCP_S;
	c->withhold_udp_s = RESPONDER_WITHHOLD_UDP_S;
	c->external_address = tenf_address_none4;
	c->peer = true;
	c->flood_limit = CONFIG_FLOOD_LIMIT;
	line = ini_parse_stream(next_line, &r, take, &r);
	if (line > 0)
		config_complain(&r, (unsigned)line, "neither a section nor a key", NULL,
			 "write [Section] or Key=value");
	else if (line < 0)
		config_complain(&r, 0, "out of memory", NULL, "try again");
	end_section(&r);
	check_whole(&r);
	if (!r.failed)
		*ret = *c;
	free(c);
	return !r.failed;
}

/* The file as a string; NULL with errno when it cannot be read. */
static char *read_file(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t used = 0;
	size_t size = 0;

	if (file == NULL)
		return NULL;
	for (;;) {
		size_t got;

		if (used + CONFIG_LINE_MAX + 1 > size) {
			char *more = realloc(text, size += 4 * CONFIG_LINE_MAX);

			if (more == NULL)
				break;
			text = more;
		}
		got = fread(text + used, 1, CONFIG_LINE_MAX, file);
		used += got;
		text[used] = '\0';
		if (got == 0)
			break;
	}
	if (ferror(file)) {
		free(text);
		text = NULL;
	}
	(void)fclose(file);
	return text;
}

bool config_read(const char *path, struct gateway_config *ret, struct tenf_text *why)
{
	char *text = read_file(path);
	bool good;

	if (text == NULL) {
		tenf_text_add(why, path);
		tenf_text_add(why, ": ");
		tenf_text_add(why, strerror(errno));
		return false;
	}
	good = config_read_text(path, text, ret, why);
	free(text);
	return good;
}

bool config_wants_macs(const struct gateway_config *config)
{
	for (size_t i = 0; i < config->rule_count; i++) {
		if (config->rules[i].has_mac || config->rules[i].action == POLICY_ASK)
			return true;
	}
	return false;
}

bool config_set_fault(struct gateway_config *ret, const char *key, const char *value,
		      struct tenf_text *why)
{
	struct config_reading r = { .path = "[Faults]", .section = CONFIG_IN_FAULTS,
				    .config = ret, .why = why };

	config_set(&r, key, value);
	return !r.failed;
}
