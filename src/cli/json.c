/* SPDX-License-Identifier: MIT */
#include "cli/json.h"

#include "control/shapes.h"

#include <stdio.h>

#define ID_SIZE 24 /* "m" and 20 digits */

json_t *json_text(const char *text)
{
	return shape_text(text);
}

json_t *json_time(int64_t at)
{
	return shape_time(at);
}

json_t *json_error(const struct tenf_error *error)
{
	return shape_error(error);
}

json_t *json_gateway(const struct tenf_gateway *gateway)
{
	return shape_gateway(gateway);
}

json_t *json_wrap(const char *key, json_t *value)
{
	return shape_wrap(key, value);
}

/* A record without a number has no id: `id` is "" then. */
static struct shape_label label_of(const struct json_label *label, char id[ID_SIZE])
{
	bool is_held = label != NULL && label->held != NULL && label->held[0] != '\0';

	id[0] = '\0';
	if (label != NULL && label->number != 0)
		(void)snprintf(id, ID_SIZE, "m%llu", (unsigned long long)label->number);
	return (struct shape_label){ .id = is_held ? label->held : id,
				     .name = label != NULL ? label->name : NULL,
				     .source = is_held ? "agent" : "lease" };
}

json_t *json_mapping(const struct tenf_mapping *mapping, const struct json_label *label)
{
	char id[ID_SIZE];
	struct shape_label of_lease = label_of(label, id);

	return shape_mapping(mapping, &of_lease);
}

json_t *json_event(const struct tenf_event *event, const struct json_label *label)
{
	char id[ID_SIZE];
	struct shape_label of_lease = label_of(label, id);

	return shape_event(event, &of_lease);
}

static int print(struct cli *cli, json_t *value, size_t flags)
{
	if (value == NULL) {
		cli_error(cli, "out of memory");
		return CLI_EXIT_FAILURE;
	}
	/* What goes wrong in writing is found, once, by cli_flush(). */
	(void)json_dumpf(value, cli->out, flags | JSON_REAL_PRECISION(6));
	putc('\n', cli->out);
	json_decref(value);
	return CLI_EXIT_DONE;
}

int json_print(struct cli *cli, json_t *value)
{
	return print(cli, value, JSON_INDENT(2));
}

int json_print_line(struct cli *cli, json_t *value)
{
	return print(cli, value, 0);
}
