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

static void fill_age(char *cell, int64_t now, const json_t *shape)
{
	struct tenf_text t = tenf_text_of(cell, OUTPUT_CELL);
	const char *made = gateway_text(shape, "made_at", "");
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
	const char *client = gateway_text(one->shape, "client", "");
	struct tenf_text t = tenf_text_of(cell, OUTPUT_CELL);

	if (strcmp(client, m->internal_address) == 0)
		tenf_text_add_number(&t, m->internal_port);
	else
		output_endpoint(&t, m->internal_address, m->internal_port, NULL);
	gateway_remote_text(&t, one->shape);
}

static void fill_row(char (*row)[OUTPUT_CELL], int64_t now, const struct agent_mapping *one)
{
	const struct tenf_mapping *m = &one->mapping;
	struct tenf_text t;

	fill(row[0], one->tag.id);
	fill(row[1], gateway_text(one->shape, "client", "-"));
	t = tenf_text_of(row[2], OUTPUT_CELL);
	output_endpoint(&t, m->external_address, m->external_port,
			tenf_protocol_name(m->protocol));
	fill_inside(row[3], one);
	t = tenf_text_of(row[4], OUTPUT_CELL);
	tenf_text_add(&t, m->method != TENF_METHOD_NONE ? tenf_method_title(m->method) : "static");
	if (strcmp(gateway_text(one->shape, "opcode", ""), "peer") == 0)
		tenf_text_add(&t, " PEER");
	fill_age(row[5], now, one->shape);
	t = tenf_text_of(row[6], OUTPUT_CELL);
	if (m->expires_at > 0)
		output_until(&t, now, m->expires_at);
	else
		tenf_text_add(&t, "never");
	t = tenf_text_of(row[7], OUTPUT_CELL);
	gateway_rule_text(&t, json_object_get(one->shape, "rule"));
}

/* By client, then by external port. */
static int by_client(const void *a, const void *b)
{
	const struct agent_mapping *one = a, *other = b;
	struct tenf_address left = tenf_address_none6, right = tenf_address_none6;
	int order;

	(void)!tenf_address_parse(gateway_text(one->shape, "client", ""), &left);
	(void)!tenf_address_parse(gateway_text(other->shape, "client", ""), &right);
	order = tenf_address_compare(&left, &right);
	if (order == 0)
		order = (int)one->mapping.external_port - (int)other->mapping.external_port;
	if (order == 0)
		order = (int)one->mapping.protocol - (int)other->mapping.protocol;
	if (order == 0)
		order = (int)one->mapping.internal_port - (int)other->mapping.internal_port;
	return order != 0 ? order : strcmp(one->tag.id, other->tag.id);
}

static void sort(struct agent_mappings *mappings)
{
	if (mappings->count > 1)
		qsort(mappings->items, mappings->count, sizeof(*mappings->items), by_client);
}

/* In the order of the table, so that two lists can be compared. */
static int print_json(struct cli *cli, const struct agent_mappings *mappings)
{
	json_t *list = json_array();

	for (size_t i = 0; i < mappings->count; i++)
		(void)json_array_append(list, mappings->items[i].shape);
	return json_print(cli, json_wrap("mappings", list));
}

static void print_table(struct cli *cli, struct agent_mappings *mappings)
{
	static const char titles[][10] = { "ID",  "CLIENT",	"OUTSIDE", "INSIDE",
					   "VIA", "OPEN FOR", "EXPIRES", "RULE" };
	struct output_table table = { .columns = TENF_ARRAY_SIZE(titles) };
	char (*row)[OUTPUT_CELL] = output_table_row(&table);

	for (size_t c = 0; row != NULL && c < table.columns; c++)
		fill(row[c], titles[c]);
	for (size_t i = 0; i < mappings->count; i++) {
		row = output_table_row(&table);
		if (row != NULL)
			fill_row(row, cli->now(), &mappings->items[i]);
	}
	output_table_print(cli, &table);
	output_table_done(&table);
}

/* Whoever looks at the list should see who waits for a word. */
static int print_waiting(struct cli *cli, struct remote *remote)
{
	json_t *pending = NULL;
	int status = gateway_request(cli, remote, "GET", "/v1/pending", NULL, &pending);

	if (status == CLI_EXIT_DONE)
		(void)gateway_print_pending(cli, pending, false);
	json_decref(pending);
	return status;
}

int gateway_list(struct cli *cli, struct remote *remote)
{
	struct agent_mappings mappings = { NULL, 0 };
	json_t *answer = NULL;
	int status = gateway_request(cli, remote, "GET", "/v1/mappings", NULL, &answer);

	if (status == CLI_EXIT_DONE)
		status = daemon_read_mappings(cli, &daemon_is_gateway, remote, answer, &mappings);
	sort(&mappings);
	if (status == CLI_EXIT_DONE && cli->global.json) {
		status = print_json(cli, &mappings);
	} else if (status == CLI_EXIT_DONE) {
		if (mappings.count > 0)
			print_table(cli, &mappings);
		else
			cli_note(cli, "No host has a port open.");
		status = print_waiting(cli, remote);
	}
	agent_mappings_done(&mappings);
	json_decref(answer);
	return status;
}
