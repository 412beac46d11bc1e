/* SPDX-License-Identifier: MIT */
/* gateway list: who holds which port, since when, until when, by which rule. */
#include "cli/gateway.h"

#include "base/address.h"
#include "base/forward.h"
#include "base/names.h"
#include "base/span.h"
#include "cli/agent-link.h"
#include "cli/json.h"
#include "cli/output.h"

#include <stdlib.h>
#include <string.h>

/* ---- What the gateway adds to a mapping -------------------------------------- */

static const char *text_at(const json_t *shape, const char *key, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(shape, key));

	return text != NULL && text[0] != '\0' ? text : otherwise;
}

/* "3 allow lan"; "-" for what the administrator made. */
static void fill_rule(char *cell, const json_t *shape)
{
	struct tenf_text t = tenf_text_of(cell, OUTPUT_CELL);
	const json_t *rule = json_object_get(shape, "rule");
	json_int_t number = json_integer_value(json_object_get(rule, "number"));
	const char *name = text_at(rule, "name", "");

	if (number <= 0) {
		tenf_text_add_char(&t, '-');
		return;
	}
	tenf_text_add_number(&t, (uint64_t)number);
	tenf_text_add_char(&t, ' ');
	tenf_text_add(&t, text_at(rule, "action", ""));
	tenf_text_add(&t, name[0] != '\0' ? " " : "");
	tenf_text_add(&t, name);
}

static void fill_age(char *cell, int64_t now, const json_t *shape)
{
	struct tenf_text t = tenf_text_of(cell, OUTPUT_CELL);
	const char *made = text_at(shape, "made_at", "");
	int64_t at;

	if (shape_read_time(made, &at))
		tenf_span_add(&t, now > at ? (uint64_t)(now - at) : 0);
	else
		tenf_text_add_char(&t, '-');
}

/* ---- Lines ------------------------------------------------------------------ */

static void fill(char *cell, const char *text)
{
	struct tenf_text t = tenf_text_of(cell, OUTPUT_CELL);

	tenf_text_add(&t, text);
}

/* The port alone where a host asks for itself. */
static void fill_inside(char *cell, const struct agent_mapping *one)
{
	const struct tenf_mapping *m = &one->mapping;
	const char *client = text_at(one->shape, "client", "");
	struct tenf_text t = tenf_text_of(cell, OUTPUT_CELL);

	if (strcmp(client, m->internal_address) == 0)
		tenf_text_add_number(&t, m->internal_port);
	else
		output_endpoint(&t, m->internal_address, m->internal_port, NULL);
}

static void fill_row(char (*row)[OUTPUT_CELL], int64_t now, const struct agent_mapping *one)
{
	const struct tenf_mapping *m = &one->mapping;
	struct tenf_text t;

	fill(row[0], one->tag.id);
	fill(row[1], text_at(one->shape, "client", "-"));
	t = tenf_text_of(row[2], OUTPUT_CELL);
	output_endpoint(&t, m->external_address, m->external_port,
			tenf_protocol_name(m->protocol));
	fill_inside(row[3], one);
	fill(row[4], m->method != TENF_METHOD_NONE ? tenf_method_title(m->method) : "static");
	fill_age(row[5], now, one->shape);
	t = tenf_text_of(row[6], OUTPUT_CELL);
	if (m->expires_at > 0)
		output_until(&t, now, m->expires_at);
	else
		tenf_text_add(&t, "never");
	fill_rule(row[7], one->shape);
}

/* By client, then by external port. */
static int by_client(const void *a, const void *b)
{
	const struct agent_mapping *one = a, *other = b;
	struct tenf_address left = tenf_address_none6, right = tenf_address_none6;
	int order;

	(void)!tenf_address_parse(text_at(one->shape, "client", ""), &left);
	(void)!tenf_address_parse(text_at(other->shape, "client", ""), &right);
	order = tenf_address_compare(&left, &right);
	if (order == 0)
		order = (int)one->mapping.external_port - (int)other->mapping.external_port;
	if (order == 0)
		order = (int)one->mapping.protocol - (int)other->mapping.protocol;
	return order;
}

static void print_table(struct cli *cli, struct agent_mappings *mappings)
{
	static const char titles[][10] = { "ID",  "CLIENT",	"OUTSIDE", "INSIDE",
					   "VIA", "OPEN FOR", "EXPIRES", "RULE" };
	struct output_table table = { .columns = TENF_ARRAY_SIZE(titles) };
	char (*row)[OUTPUT_CELL] = output_table_row(&table);

	for (size_t c = 0; row != NULL && c < table.columns; c++)
		fill(row[c], titles[c]);
	if (mappings->count > 1)
		qsort(mappings->items, mappings->count, sizeof(*mappings->items), by_client);
	for (size_t i = 0; i < mappings->count; i++) {
		row = output_table_row(&table);
		if (row != NULL)
			fill_row(row, cli->now(), &mappings->items[i]);
	}
	output_table_print(cli, &table);
	output_table_done(&table);
}

int gateway_list(struct cli *cli, struct remote *remote)
{
	struct agent_mappings mappings = { NULL, 0 };
	json_t *answer = NULL;
	int status = gateway_request(cli, remote, "GET", "/v1/mappings", NULL, &answer);

	if (status == CLI_EXIT_DONE)
		status = daemon_read_mappings(cli, &daemon_is_gateway, remote, answer, &mappings);
	if (status == CLI_EXIT_DONE && cli->global.json)
		status = json_print(cli, json_incref(answer));
	else if (status == CLI_EXIT_DONE && mappings.count > 0)
		print_table(cli, &mappings);
	else if (status == CLI_EXIT_DONE)
		cli_note(cli, "No host has a port open.");
	agent_mappings_done(&mappings);
	json_decref(answer);
	return status;
}
