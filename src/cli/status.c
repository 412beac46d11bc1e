/* SPDX-License-Identifier: MIT */
/* status: the gateway in use, and what it is good for. */
#include "cli/json.h"
#include "cli/leases.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/verbs.h"

#include "base/names.h"

static size_t count_leases(struct cli *cli)
{
	struct leases leases;
	size_t count;

	leases_read(cli, &leases);
	count = leases.count;
	leases_done(&leases);
	return count;
}

static int print_json(struct cli *cli, const struct tenf_gateway *g, size_t leases)
{
	json_t *list = json_array();

	if (g->address[0] != '\0')
		(void)json_array_append_new(list, json_gateway(g));
	return json_print(cli, json_pack("{so s{sb} sI}", "gateways", list, "agent", "running", 0,
					 "mappings", (json_int_t)leases));
}

static void print_outside(struct cli *cli, const struct tenf_gateway *g)
{
	const char *meaning = output_class_meaning(g->address_class);

	fputs("Outside   ", cli->out);
	if (g->external_address[0] == '\0') {
		output_text(cli, cli->out, OUTPUT_YELLOW, "no address\n");
		return;
	}
	fputs(g->external_address, cli->out);
	if (meaning == NULL) {
		fprintf(cli->out, " (%s)\n", tenf_class_code(g->address_class));
		return;
	}
	fputs(" — ", cli->out);
	output_text(cli, cli->out, OUTPUT_YELLOW, meaning);
	fputs("\n          Ports opened here are not reachable from the internet.\n", cli->out);
}

static void print_people(struct cli *cli, const struct tenf_gateway *g, size_t leases)
{
	char line[REPORT_LINE];
	struct tenf_text t = tenf_text_of(line, sizeof(line));

	if (g->address[0] == '\0')
		tenf_text_add(&t, "none");
	else
		report_gateway(&t, cli->now(), g);
	fputs("Gateway   ", cli->out);
	output_text(cli, cli->out, OUTPUT_PLAIN, line);
	putc('\n', cli->out);
	if (g->spoken_count > 0)
		print_outside(cli, g);
	fputs("Agent     not running; mappings made by `add` end with their lease\n", cli->out);
	if (leases > 0)
		fprintf(cli->out, "Mappings  %zu recorded; see: tenforward list\n", leases);
}

int verb_status(struct cli *cli)
{
	struct tenf_gateway gateway = { .epoch_s = -1, .rtt_us = -1 };
	struct tenf_error error = { .result = -1 };
	enum tenf_status status = tenf_find_gateway(&cli->global.ask, &gateway, &error);
	size_t leases;

	if (status != TENF_OK && status != TENF_E_FAILED)
		return cli_failed(cli, status, &error);
	if (status == TENF_E_FAILED && gateway.error.reason == TENF_REASON_NONE)
		gateway.error = error;
	leases = count_leases(cli);
	if (cli->global.json)
		(void)print_json(cli, &gateway, leases);
	else
		print_people(cli, &gateway, leases);
	if (status == TENF_OK)
		return CLI_EXIT_DONE;
	(void)cli_flush(cli);
	return cli_failed(cli, status, &error);
}
