/* SPDX-License-Identifier: MIT */
/*
 * The JSON of the command: the shapes of control/shapes.h, labelled with what the
 * command knows of its leases, and their printing. Every maker gives a new
 * reference, NULL when memory is out; NULL may be handed on, the outermost
 * printer reports it.
 */
#ifndef TENF_CLI_JSON_H
#define TENF_CLI_JSON_H

#include "cli/cli.h"

#include <jansson.h>

/* What the command knows of a mapping beside what the library says. */
struct json_label {
	uint64_t number;    /* of its record, 0 when there is none */
	const char *name;   /* NULL or "": none */
	const char *held;   /* id at the agent; NULL or "": a lease, not the agent's */
};

json_t *json_mapping(const struct tenf_mapping *mapping, const struct json_label *label);
json_t *json_gateway(const struct tenf_gateway *gateway);
/* `label` is that of the mapping and of what it was before. */
json_t *json_event(const struct tenf_event *event, const struct json_label *label);
json_t *json_error(const struct tenf_error *error); /* null when reason is NONE */
json_t *json_time(int64_t at);                      /* null when 0 */
json_t *json_text(const char *text);                /* null when "" or NULL */

/* {KEY: value}, `value` is taken over. */
json_t *json_wrap(const char *key, json_t *value);

/* Prints a document, or one line of a stream; takes `value` over. Exit status. */
int json_print(struct cli *cli, json_t *value);
int json_print_line(struct cli *cli, json_t *value);

#endif
