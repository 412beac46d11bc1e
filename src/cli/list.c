/* SPDX-License-Identifier: MIT */
/* list: what this command recorded, with the time that is left. */
#include "cli/json.h"
#include "cli/leases.h"
#include "cli/output.h"
#include "cli/verbs.h"

#include "base/forward.h"
#include "base/names.h"

#include <string.h>

#define NAME_WIDTH 20

static int print_json(struct cli *cli, const struct leases *leases)
{
	json_t *list = json_array();

	for (size_t i = 0; i < leases->count; i++) {
		const struct lease *lease = &leases->items[i];
		struct json_label label = { lease->number, lease->name };

		(void)json_array_append_new(list, json_mapping(&lease->mapping, &label));
	}
	return json_print(cli, json_wrap("mappings", list));
}

static void fill(char *cell, const char *text)
{
	struct tenf_text t = tenf_text_of(cell, OUTPUT_CELL);

	tenf_text_add(&t, text[0] != '\0' ? text : "-");
}

/* At most NAME_WIDTH characters, cut between characters. */
static void fill_name(char *cell, const char *name)
{
	struct tenf_text t = tenf_text_of(cell, OUTPUT_CELL);
	bool cut = output_width(name) > NAME_WIDTH;
	size_t width = 0;

	for (; *name != '\0'; name++) {
		width += ((unsigned char)*name & 0xc0) != 0x80;
		if (cut && width >= NAME_WIDTH)
			break;
		tenf_text_add_char(&t, *name);
	}
	tenf_text_add(&t, cut ? "…" : "");
	if (t.used == 0)
		tenf_text_add_char(&t, '-');
}

/* A pair that was asked for together and has the same ports on both sides. */
static bool is_pair(const struct lease *tcp, const struct lease *udp)
{
	const struct tenf_mapping *a = &tcp->mapping, *b = &udp->mapping;

	return a->protocol == TENF_TCP && b->protocol == TENF_UDP &&
	       a->internal_port == b->internal_port && a->external_port == b->external_port &&
	       a->method == b->method && tcp->keeper == udp->keeper &&
	       a->expires_at / 60 == b->expires_at / 60 &&
	       strcmp(a->internal_address, b->internal_address) == 0 &&
	       strcmp(a->external_address, b->external_address) == 0 &&
	       strcmp(a->gateway, b->gateway) == 0 && strcmp(tcp->name, udp->name) == 0;
}

static void fill_id(char *cell, uint64_t first, uint64_t second)
{
	struct tenf_text t = tenf_text_of(cell, OUTPUT_CELL);

	tenf_text_add_char(&t, 'm');
	tenf_text_add_number(&t, first);
	if (second != 0) {
		tenf_text_add(&t, ",m");
		tenf_text_add_number(&t, second);
	}
}

static void fill_row(char (*row)[OUTPUT_CELL], int64_t now, const struct lease *lease,
		     const struct lease *pair)
{
	const struct tenf_mapping *m = &lease->mapping;
	struct tenf_text t;

	fill_id(row[0], lease->number, pair != NULL ? pair->number : 0);
	fill_name(row[1], lease->name);
	t = tenf_text_of(row[2], OUTPUT_CELL);
	output_endpoint(&t, m->external_address, m->external_port,
			tenf_protocol_name(pair != NULL ? TENF_BOTH : m->protocol));
	t = tenf_text_of(row[3], OUTPUT_CELL);
	output_endpoint(&t, m->internal_address, m->internal_port, NULL);
	fill(row[4], lease_is_kept(lease) ? "held" : "open");
	t = tenf_text_of(row[5], OUTPUT_CELL);
	output_until(&t, now, m->expires_at);
	fill(row[6], tenf_method_title(m->method));
	fill(row[7], "lease");
}

static void print_table(struct cli *cli, const struct leases *leases)
{
	static const char titles[][8] = { "ID",	   "NAME",    "OUTSIDE", "INSIDE",
					  "STATE", "EXPIRES", "VIA",	 "SOURCE" };
	struct output_table table = { .columns = TENF_ARRAY_SIZE(titles) };
	char (*row)[OUTPUT_CELL] = output_table_row(&table);

	for (size_t c = 0; row != NULL && c < table.columns; c++)
		fill(row[c], titles[c]);
	for (size_t i = 0; i < leases->count; i++) {
		const struct lease *lease = &leases->items[i];
		const struct lease *pair = NULL;

		if (i + 1 < leases->count && is_pair(lease, lease + 1))
			pair = &leases->items[++i];
		row = output_table_row(&table);
		if (row != NULL)
			fill_row(row, cli->now(), lease, pair);
	}
	output_table_print(cli, &table);
	output_table_done(&table);
}

int verb_list(struct cli *cli)
{
	struct leases leases;

	leases_read(cli, &leases);
	if (cli->global.json)
		(void)print_json(cli, &leases);
	else if (leases.count > 0)
		print_table(cli, &leases);
	else
		cli_note(cli, "No mappings are recorded. Make one with: tenforward add 8080");
	leases_done(&leases);
	return CLI_EXIT_DONE;
}
