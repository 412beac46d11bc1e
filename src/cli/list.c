/* SPDX-License-Identifier: MIT */
/* list: what is open, from everybody who knows of it, in one table. */
#include "cli/json.h"
#include "cli/opened-ledger.h"
#include "cli/opened-router.h"
#include "cli/output.h"
#include "cli/probe.h"
#include "cli/report.h"
#include "cli/verbs.h"

#include "base/forward.h"
#include "base/names.h"
#include "control/shapes.h"

#include <string.h>

#define NAME_WIDTH 20
#define COLUMN_TOLD 8 /* left out when nobody is told of anything */

/* One line of the table: a mapping, or both halves of a pair. */
struct line {
	char id[sizeof(((struct opened *)NULL)->id)];
	const struct opened *opened;
	enum tenf_protocol protocol; /* TENF_BOTH for a pair */
};

static int print_json(struct cli *cli, const struct opened_list *list)
{
	json_t *shapes = json_array();

	for (size_t i = 0; i < list->count; i++)
		(void)shape_append(&shapes, opened_shape(&list->items[i]));
	return json_print(cli, json_wrap("mappings", shapes));
}

/* ---- Lines ------------------------------------------------------------------ */

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

/* A mapping nobody has granted yet shows what is wished for. */
static void fill_outside(char *cell, const struct line *line)
{
	const struct tenf_mapping *m = &line->opened->mapping;
	struct tenf_text t = tenf_text_of(cell, OUTPUT_CELL);

	if (m->external_port != 0) {
		output_endpoint(&t, m->external_address, m->external_port,
				tenf_protocol_name(line->protocol));
		return;
	}
	if (line->opened->sources == OPENED_PROBE)
		tenf_text_add_char(&t, '?'); /* open at a port that nobody tells */
	else if (m->requested_external_port != 0)
		tenf_text_add_number(&t, m->requested_external_port);
	else
		tenf_text_add(&t, "any");
	tenf_text_add_char(&t, '/');
	tenf_text_add(&t, tenf_protocol_name(line->protocol));
}

static const char *state_of(const struct opened *opened)
{
	if ((opened->sources & OPENED_AGENT) != 0 && !agent_is_held(&opened->mapping))
		return tenf_state_code(opened->mapping.state);
	return opened->is_kept ? "held" : "open";
}

static void fill_row(char (*row)[OUTPUT_CELL], int64_t now, const struct line *line)
{
	const struct opened *opened = line->opened;
	const struct tenf_mapping *m = &opened->mapping;
	struct tenf_text t;

	fill(row[0], line->id);
	fill_name(row[1], opened->name);
	fill_outside(row[2], line);
	t = tenf_text_of(row[3], OUTPUT_CELL);
	output_endpoint(&t, m->internal_address, m->internal_port, NULL);
	fill(row[4], state_of(opened));
	t = tenf_text_of(row[5], OUTPUT_CELL);
	if (m->expires_at > 0)
		output_until(&t, now, m->expires_at);
	else
		tenf_text_add(&t, opened->is_endless ? "never" : "-");
	fill(row[6], m->method != TENF_METHOD_NONE ? tenf_method_title(m->method) : "");
	t = tenf_text_of(row[7], OUTPUT_CELL);
	opened_source_text(&t, opened);
}

static void print_line(struct cli *cli, struct output_table *table, const struct line *line)
{
	char (*row)[OUTPUT_CELL] = output_table_row(table);

	if (row == NULL)
		return;
	fill_row(row, cli->now(), line);
	if (table->columns > COLUMN_TOLD)
		fill(row[COLUMN_TOLD], line->opened->told);
}

/* ---- Pairs ------------------------------------------------------------------- */

/* Two halves that differ in nothing a line could show. */
static bool same_places(const struct tenf_mapping *a, const struct tenf_mapping *b)
{
	return a->protocol == TENF_TCP && b->protocol == TENF_UDP &&
	       a->internal_port == b->internal_port && a->external_port == b->external_port &&
	       a->requested_external_port == b->requested_external_port &&
	       a->method == b->method && a->expires_at / 60 == b->expires_at / 60 &&
	       strcmp(a->internal_address, b->internal_address) == 0 &&
	       strcmp(a->external_address, b->external_address) == 0 &&
	       strcmp(a->gateway, b->gateway) == 0;
}

static bool same_halves(const struct opened *tcp, const struct opened *udp)
{
	size_t stem = agent_id_stem(tcp->id);

	if ((tcp->sources & OPENED_AGENT) == 0)
		return true;
	/* "m7t" and "m7u" in the same state. */
	return tcp->id[stem] == 't' && udp->id[stem] == 'u' &&
	       strncmp(tcp->id, udp->id, stem) == 0 &&
	       agent_is_held(&tcp->mapping) == agent_is_held(&udp->mapping) &&
	       (agent_is_held(&tcp->mapping) || tcp->mapping.state == udp->mapping.state);
}

/* A pair that was asked for together and has the same ports on both sides. */
static bool is_pair(const struct opened *tcp, const struct opened *udp)
{
	return same_places(&tcp->mapping, &udp->mapping) && tcp->sources == udp->sources &&
	       tcp->is_kept == udp->is_kept && tcp->is_endless == udp->is_endless &&
	       strcmp(tcp->name, udp->name) == 0 && same_halves(tcp, udp);
}

/* ---- The table ------------------------------------------------------------------ */

static void make_line(const struct opened *one, const struct opened *pair, struct line *ret)
{
	struct tenf_text t = tenf_text_of(ret->id, sizeof(ret->id));

	ret->opened = one;
	ret->protocol = pair != NULL ? TENF_BOTH : one->mapping.protocol;
	tenf_text_add(&t, one->id);
	if (pair == NULL || one->id[0] == '\0')
		return;
	if ((one->sources & OPENED_AGENT) != 0) {
		ret->id[agent_id_stem(ret->id)] = '\0';
		return;
	}
	tenf_text_add_char(&t, ',');
	tenf_text_add(&t, pair->id);
}

static bool is_anybody_told(const struct opened_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].told[0] != '\0')
			return true;
	}
	return false;
}

static void print_table(struct cli *cli, const struct opened_list *list)
{
	static const char titles[][8] = { "ID",	     "NAME", "OUTSIDE", "INSIDE", "STATE",
					  "EXPIRES", "VIA",  "SOURCE",	"TOLD" };
	struct output_table table = { .columns = TENF_ARRAY_SIZE(titles) };
	char (*row)[OUTPUT_CELL];

	if (!is_anybody_told(list))
		table.columns = COLUMN_TOLD;
	row = output_table_row(&table);
	for (size_t c = 0; row != NULL && c < table.columns; c++)
		fill(row[c], titles[c]);
	for (size_t i = 0; i < list->count; i++) {
		const struct opened *one = &list->items[i], *next = one + 1;
		bool pair = i + 1 < list->count && is_pair(one, next);
		struct line line;

		make_line(one, pair ? next : NULL, &line);
		i += pair;
		print_line(cli, &table, &line);
	}
	output_table_print(cli, &table);
	output_table_done(&table);
}

/* Why what is kept is not held; many for the same reason are one line. */
static void tell_reasons(struct cli *cli, const struct agent_mappings *agent)
{
	const char *told = "";

	(void)fflush(cli->out);
	for (size_t i = 0; i < agent->count; i++) {
		const struct agent_mapping *one = &agent->items[i];
		const struct tenf_error *error = &one->mapping.error;

		if (error->reason == TENF_REASON_NONE || strcmp(told, report_reason(error)) == 0)
			continue;
		told = report_reason(error);
		cli_note(cli, "%.*s: %s", (int)agent_id_stem(one->tag.id), one->tag.id, told);
	}
}

static void print(struct cli *cli, const struct opened_sources *sources)
{
	const struct opened_list *list = &sources->list;

	if (cli->global.json) {
		(void)print_json(cli, list);
		return;
	}
	if (list->count > 0)
		print_table(cli, list);
	else
		cli_note(cli, "No mappings are recorded. Make one with: tenforward add 8080");
	tell_reasons(cli, &sources->agent);
}

/* What the command line asks for beyond the record. */
static int read_range(struct cli *cli, struct probe_range *ret)
{
	const char *range = cli->arguments.value[CLI_RANGE];

	*ret = (struct probe_range){ 1, 65535 };
	if (range == NULL)
		return CLI_EXIT_DONE;
	if (cli->arguments.value[CLI_PROBE] == NULL)
		return cli_usage(cli, "--range belongs to --probe");
	if (!probe_range_parse(range, ret))
		return cli_usage(cli, "--range: \"%s\" is no range of ports; write 4000-4100",
				 range);
	return CLI_EXIT_DONE;
}

int verb_list(struct cli *cli)
{
	struct opened_sources sources = { .list = { NULL } };
	struct probe_range range;
	int status = read_range(cli, &range), listed = CLI_EXIT_DONE, probed = CLI_EXIT_DONE;

	if (status == CLI_EXIT_DONE)
		status = opened_sources_read(cli, &sources);
	if (sources.is_read && cli->arguments.value[CLI_ALL] != NULL)
		opened_ledger_try(cli, &sources);
	if (status == CLI_EXIT_DONE && cli->arguments.value[CLI_ALL] != NULL)
		listed = opened_router_add(cli, &sources);
	if (status == CLI_EXIT_DONE && cli->arguments.value[CLI_PROBE] != NULL)
		probed = probe_run(cli, &range, &sources.list);
	if (sources.is_read)
		print(cli, &sources);
	opened_sources_done(&sources);
	return cli_exit_worse(status, cli_exit_worse(listed, probed));
}
