/* SPDX-License-Identifier: MIT */
/* list: what the agent keeps and what this command recorded, in one table. */
#include "cli/agent-link.h"
#include "cli/json.h"
#include "cli/leases.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/verbs.h"

#include "base/forward.h"
#include "base/names.h"
#include "control/shapes.h"

#include <string.h>

#define NAME_WIDTH 20
#define COLUMN_TOLD 8 /* left out when nobody is told of anything */

/* One line of the table, whoever holds the mapping. */
struct line {
	char id[2 * SHAPE_ID_SIZE];
	const struct tenf_mapping *mapping;
	enum tenf_protocol protocol; /* TENF_BOTH for a pair */
	const char *name;
	const char *state;
	const char *source;
	const char *told; /* how far the application was told, "" for nobody */
};

static int print_json(struct cli *cli, const struct agent_mappings *agent,
		      const struct leases *leases)
{
	json_t *list = json_array();

	for (size_t i = 0; i < agent->count; i++)
		(void)shape_append(&list, json_incref(agent->items[i].shape));
	for (size_t i = 0; i < leases->count; i++) {
		const struct lease *lease = &leases->items[i];
		struct json_label label = { lease->number, lease->name };

		(void)shape_append(&list, json_mapping(&lease->mapping, &label));
	}
	return json_print(cli, json_wrap("mappings", list));
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
	const struct tenf_mapping *m = line->mapping;
	struct tenf_text t = tenf_text_of(cell, OUTPUT_CELL);

	if (m->external_port != 0) {
		output_endpoint(&t, m->external_address, m->external_port,
				tenf_protocol_name(line->protocol));
		return;
	}
	if (m->requested_external_port != 0)
		tenf_text_add_number(&t, m->requested_external_port);
	else
		tenf_text_add(&t, "any");
	tenf_text_add_char(&t, '/');
	tenf_text_add(&t, tenf_protocol_name(line->protocol));
}

static void fill_row(char (*row)[OUTPUT_CELL], int64_t now, const struct line *line)
{
	const struct tenf_mapping *m = line->mapping;
	struct tenf_text t;

	fill(row[0], line->id);
	fill_name(row[1], line->name);
	fill_outside(row[2], line);
	t = tenf_text_of(row[3], OUTPUT_CELL);
	output_endpoint(&t, m->internal_address, m->internal_port, NULL);
	fill(row[4], line->state);
	t = tenf_text_of(row[5], OUTPUT_CELL);
	if (m->expires_at > 0)
		output_until(&t, now, m->expires_at);
	else
		tenf_text_add_char(&t, '-');
	fill(row[6], m->method != TENF_METHOD_NONE ? tenf_method_title(m->method) : "");
	fill(row[7], line->source);
}

static void print_line(struct cli *cli, struct output_table *table, const struct line *line)
{
	char (*row)[OUTPUT_CELL] = output_table_row(table);

	if (row == NULL)
		return;
	fill_row(row, cli->now(), line);
	if (table->columns > COLUMN_TOLD)
		fill(row[COLUMN_TOLD], line->told);
}

/* ---- Leases ----------------------------------------------------------------- */

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

/* A pair that was asked for together and has the same ports on both sides. */
static bool is_pair(const struct lease *tcp, const struct lease *udp)
{
	return same_places(&tcp->mapping, &udp->mapping) && tcp->keeper == udp->keeper &&
	       strcmp(tcp->name, udp->name) == 0;
}

static void add_id(struct tenf_text *t, uint64_t number)
{
	tenf_text_add_char(t, 'm');
	tenf_text_add_number(t, number);
}

static void print_leases(struct cli *cli, struct output_table *table, const struct leases *leases)
{
	for (size_t i = 0; i < leases->count; i++) {
		const struct lease *lease = &leases->items[i];
		struct line line = { .mapping = &lease->mapping,
				     .protocol = lease->mapping.protocol,
				     .name = lease->name,
				     .state = lease_is_kept(lease) ? "held" : "open",
				     .source = "lease",
				     .told = "" };
		struct tenf_text t = tenf_text_of(line.id, sizeof(line.id));

		add_id(&t, lease->number);
		if (i + 1 < leases->count && is_pair(lease, lease + 1)) {
			line.protocol = TENF_BOTH;
			tenf_text_add_char(&t, ',');
			add_id(&t, leases->items[++i].number);
		}
		print_line(cli, table, &line);
	}
}

/* ---- The agent's ------------------------------------------------------------- */

/* "m7t" and "m7u" in the same state. */
static bool is_agent_pair(const struct agent_mapping *tcp, const struct agent_mapping *udp)
{
	size_t stem = agent_id_stem(tcp->tag.id);

	return tcp->tag.id[stem] == 't' && udp->tag.id[stem] == 'u' &&
	       strncmp(tcp->tag.id, udp->tag.id, stem) == 0 &&
	       agent_is_held(&tcp->mapping) == agent_is_held(&udp->mapping) &&
	       (agent_is_held(&tcp->mapping) || tcp->mapping.state == udp->mapping.state) &&
	       same_places(&tcp->mapping, &udp->mapping);
}

static void print_agent(struct cli *cli, struct output_table *table,
			const struct agent_mappings *agent)
{
	for (size_t i = 0; i < agent->count; i++) {
		const struct agent_mapping *one = &agent->items[i];
		const struct tenf_mapping *m = &one->mapping;
		struct line line = { .mapping = m,
				     .protocol = m->protocol,
				     .name = one->tag.name,
				     .state = agent_is_held(m) ? "held" : tenf_state_code(m->state),
				     .source = one->tag.source,
				     .told = one->tag.delivery };
		struct tenf_text t = tenf_text_of(line.id, sizeof(line.id));

		tenf_text_add(&t, one->tag.id);
		if (i + 1 < agent->count && is_agent_pair(one, one + 1)) {
			line.protocol = TENF_BOTH;
			line.id[agent_id_stem(line.id)] = '\0';
			i++;
		}
		print_line(cli, table, &line);
	}
}

static bool is_anybody_told(const struct agent_mappings *agent)
{
	for (size_t i = 0; i < agent->count; i++) {
		if (agent->items[i].tag.delivery[0] != '\0')
			return true;
	}
	return false;
}

static void print_table(struct cli *cli, const struct agent_mappings *agent,
			const struct leases *leases)
{
	static const char titles[][8] = { "ID",	     "NAME", "OUTSIDE", "INSIDE", "STATE",
					  "EXPIRES", "VIA",  "SOURCE",	"TOLD" };
	struct output_table table = { .columns = TENF_ARRAY_SIZE(titles) };
	char (*row)[OUTPUT_CELL];

	if (!is_anybody_told(agent))
		table.columns = COLUMN_TOLD;
	row = output_table_row(&table);
	for (size_t c = 0; row != NULL && c < table.columns; c++)
		fill(row[c], titles[c]);
	print_agent(cli, &table, agent);
	print_leases(cli, &table, leases);
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

static void print(struct cli *cli, const struct agent_mappings *agent, const struct leases *leases)
{
	if (cli->global.json) {
		(void)print_json(cli, agent, leases);
		return;
	}
	if (agent->count + leases->count > 0)
		print_table(cli, agent, leases);
	else
		cli_note(cli, "No mappings are recorded. Make one with: tenforward add 8080");
	tell_reasons(cli, agent);
}

int verb_list(struct cli *cli)
{
	struct agent_mappings agent = { NULL, 0 };
	struct remote *remote = NULL;
	int status = agent_find(cli, &remote);
	struct leases leases;

	if (status != CLI_EXIT_DONE)
		return status;
	if (remote != NULL)
		status = agent_get_mappings(cli, remote, &agent);
	leases_read(cli, &leases);
	print(cli, &agent, &leases);
	leases_done(&leases);
	agent_mappings_done(&agent);
	remote_close(remote);
	return status;
}
