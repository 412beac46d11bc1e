/* SPDX-License-Identifier: MIT */
/* discover: every candidate gateway, and what it answers. Opens nothing. */
#include "cli/agent-status.h"
#include "cli/devices.h"
#include "cli/json.h"
#include "cli/leases.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/verbs.h"

#include "base/names.h"
#include "control/shapes.h"

#include <poll.h>
#include <stdlib.h>

static enum tenf_status wait_for_answers(struct tenf_discovery *discovery)
{
	enum tenf_status status = TENF_OK;

	while (status == TENF_OK && !tenf_discovery_done(discovery)) {
		struct pollfd fd = { .fd = tenf_discovery_fd(discovery), .events = POLLIN };

		(void)poll(&fd, 1, tenf_discovery_timeout_ms(discovery));
		status = tenf_discovery_process(discovery);
	}
	return status;
}

static int print_json(struct cli *cli, const struct tenf_gateway *all, size_t count)
{
	json_t *list = json_array();
	struct agent_status agent;
	struct leases leases;
	size_t recorded;
	int status = agent_find_status(cli, &agent);

	for (size_t i = 0; i < count; i++)
		(void)shape_append(&list, json_gateway(&all[i]));
	leases_read(cli, &leases);
	recorded = leases.count;
	leases_done(&leases);
	(void)json_print(cli, shape_status(list, agent_status_shape(&agent),
					   agent.mappings + recorded));
	agent_status_done(&agent);
	return status;
}

static void fill(char *cell, const char *text)
{
	struct tenf_text t = tenf_text_of(cell, OUTPUT_CELL);

	tenf_text_add(&t, text[0] != '\0' ? text : "-");
}

static void fill_methods(char *cell, const struct tenf_gateway *g)
{
	struct tenf_text t = tenf_text_of(cell, OUTPUT_CELL);

	for (size_t i = 0; i < g->spoken_count; i++) {
		tenf_text_add(&t, i > 0 ? ", " : "");
		tenf_text_add(&t, tenf_method_title(g->spoken[i].method));
		tenf_text_add_char(&t, ' ');
		tenf_text_add_number(&t, g->spoken[i].version);
	}
	if (g->spoken_count == 0)
		tenf_text_add(&t, tenf_reason_code(g->error.reason));
}

static void fill_row(char (*row)[OUTPUT_CELL], const struct tenf_gateway *g)
{
	struct tenf_text t = tenf_text_of(row[0], OUTPUT_CELL);

	tenf_text_add(&t, g->address);
	if (g->port != TENF_DEFAULT_PORT) {
		t = tenf_text_of(row[0], OUTPUT_CELL);
		output_endpoint(&t, g->address, g->port, NULL);
	}
	fill(row[1], g->interface);
	fill(row[2], g->source);
	fill_methods(row[3], g);
	t = tenf_text_of(row[4], OUTPUT_CELL);
	if (g->rtt_us >= 0)
		report_milliseconds(&t, g->rtt_us);
	else
		tenf_text_add_char(&t, '-');
	fill(row[5], g->external_address);
	fill(row[6], g->external_address[0] != '\0' ? tenf_class_code(g->address_class) : "");
}

static void print_table(struct cli *cli, const struct tenf_gateway *all, size_t count)
{
	static const char titles[][10] = { "GATEWAY", "INTERFACE", "FROM", "ANSWERS",
					   "TIME",    "OUTSIDE",   "CLASS" };
	struct output_table table = { .columns = TENF_ARRAY_SIZE(titles) };
	char (*row)[OUTPUT_CELL] = output_table_row(&table);

	for (size_t c = 0; row != NULL && c < table.columns; c++)
		fill(row[c], titles[c]);
	for (size_t i = 0; i < count; i++) {
		row = output_table_row(&table);
		if (row != NULL)
			fill_row(row, &all[i]);
	}
	output_table_print(cli, &table);
	output_table_done(&table);
}

/* One gateway that answers is enough; else the highest status counts. */
static int verdict(struct cli *cli, const struct tenf_gateway *all, size_t count)
{
	int worst = count == 0 ? CLI_EXIT_NO_GATEWAY : CLI_EXIT_DONE;

	for (size_t i = 0; i < count; i++) {
		if (all[i].spoken_count > 0)
			return CLI_EXIT_DONE;
		worst = cli_exit_worse(worst, cli_exit_of_reason(all[i].error.reason));
	}
	(void)cli_flush(cli);
	if (count == 0)
		cli_verdict(cli, &(struct tenf_error){
					 .text = "No gateway was found: no route leads to one. "
						 "Name it with --gateway." });
	for (size_t i = 0; i < count; i++)
		cli_verdict(cli, &all[i].error);
	return worst;
}

static int print(struct cli *cli, const struct tenf_discovery *discovery)
{
	size_t count = tenf_discovery_count(discovery);
	struct tenf_gateway *all = calloc(count + 1, sizeof(*all));
	int status = CLI_EXIT_DONE;

	if (all == NULL)
		return cli_failed(cli, TENF_E_MEMORY, NULL);
	for (size_t i = 0; i < count; i++)
		tenf_discovery_gateway(discovery, i, &all[i]);
	if (cli->global.json)
		status = print_json(cli, all, count);
	else if (count > 0)
		print_table(cli, all, count);
	status = cli_exit_worse(status, verdict(cli, all, count));
	free(all);
	return status;
}

int verb_discover(struct cli *cli)
{
	struct devices known;
	struct tenf_discovery *discovery = NULL;
	struct tenf_error error = { .result = -1 };
	enum tenf_status status;
	int exit_status;

	devices_options(cli, &known);
	status = tenf_discovery_new(&known.options, false, &discovery, &error);
	if (status == TENF_OK)
		status = wait_for_answers(discovery);
	exit_status = status == TENF_OK ? print(cli, discovery) : cli_failed(cli, status, &error);
	if (status == TENF_OK)
		devices_keep_discovery(cli, discovery);
	tenf_discovery_free(discovery);
	return exit_status;
}
