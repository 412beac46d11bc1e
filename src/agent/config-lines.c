/* SPDX-License-Identifier: MIT */
/*
 * inih finds sections, comments and keys. It is fed each line no further than
 * its "=", and the value is the rest of the line: inih would cut values at 200
 * characters and at " ;", and the command of a hook may have both. Sections
 * that begin again are seen here too, because inih tells their name alone.
 */
#include "agent/config-private.h"

#include <ini.h>
#include <string.h>
#include <strings.h>

static void begin_named(struct config_reading *r, const char *line)
{
	static const struct {
		const char *name;
		enum config_section section;
	} names[] = { { "[Agent]", CONFIG_IN_AGENT },
		      { "[Mapping]", CONFIG_IN_MAPPING },
		      { "[Hook]", CONFIG_IN_HOOK },
		      { "[Connector]", CONFIG_IN_CONNECTOR } };
	enum config_section section = CONFIG_IN_NONE;
	char head[64];
	size_t len = strcspn(line, "]");

	len = len < sizeof(head) - 2 ? len : sizeof(head) - 2;
	memcpy(head, line, len);
	memcpy(head + len, "]", 2);
	config_end_section(r);
	for (size_t i = 0; i < TENF_ARRAY_SIZE(names); i++) {
		if (strcasecmp(head, names[i].name) == 0)
			section = names[i].section;
	}
	if (section == CONFIG_IN_NONE)
		config_complain(r, r->line, "there is no section ", head,
				"write [Agent], [Mapping], [Hook] or [Connector]");
	config_begin_section(r, section);
}

/* Takes the next line out of the text, without blanks around it. */
static char *cut_line(struct config_reading *r)
{
	char *line = r->text;
	size_t len = strcspn(line, "\n");
	bool last = line[len] == '\0';

	line[len] = '\0';
	r->text += len + !last;
	if (r->line == 1 && strncmp(line, "\xef\xbb\xbf", 3) == 0)
		line += 3; /* byte order mark */
	line += strspn(line, " \t");
	for (len = strlen(line); len > 0 && strchr(" \t\r", line[len - 1]) != NULL; len--)
		line[len - 1] = '\0';
	return line;
}

/* How much of the line inih needs; r->value gets the rest. */
static size_t part_for_inih(struct config_reading *r, char *line)
{
	size_t len = strcspn(line, "=:");

	r->value = line + strlen(line);
	if (line[0] == '\0' || strchr("#;[", line[0]) != NULL)
		return line[0] == '[' ? strlen(line) : 0;
	if (len == 0 || line[len] == '\0') {
		config_complain(r, r->line, "neither a section nor a key", NULL,
				"write [Section] or Key=value");
		return 0;
	}
	r->value = line + len + 1;
	r->value += strspn(r->value, " \t");
	return len + 1;
}

/* inih asks for one line after the other. */
static char *next_line(char *buffer, int size, void *stream)
{
	struct config_reading *r = stream;
	size_t len;
	char *line;

	if (*r->text == '\0' || r->failed)
		return NULL;
	r->line++;
	line = cut_line(r);
	len = part_for_inih(r, line);
	if (len + 1 > (size_t)size) {
		config_complain(r, r->line, "a key or a section of this length is not known",
				NULL, "write [Section] or Key=value");
		len = 0;
	}
	memcpy(buffer, line, len);
	buffer[len] = '\0';
	if (buffer[0] == '[')
		begin_named(r, buffer);
	return buffer;
}

static int take(void *user, const char *section, const char *name, const char *value)
{
	struct config_reading *r = user;

	(void)section;
	(void)value;
	if (r->failed)
		return 1;
	if (r->section == CONFIG_IN_NONE)
		config_complain(r, r->line, "before any section there is the key ", name,
				"begin with [Agent] or [Mapping]");
	else
		config_set(r, name, name, r->value);
	return 1;
}

void config_read_lines(struct config_reading *r)
{
	int line;

	r->line = 0;
	config_begin_section(r, CONFIG_IN_NONE);
	line = ini_parse_stream(next_line, r, take, r);
	if (line > 0)
		config_complain(r, (unsigned)line, "neither a section nor a key", NULL,
				"write [Section] or Key=value");
	else if (line < 0)
		config_complain(r, 0, "out of memory", NULL, "try again");
	config_end_section(r);
}
