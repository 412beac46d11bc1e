/* SPDX-License-Identifier: MIT */
/* status: the gateway in use, what it is good for, and the agent. */
#include "cli/agent-status.h"
#include "cli/devices.h"
#include "cli/json.h"
#include "cli/leases.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/verbs.h"

#include "control/shapes.h"

static size_t count_leases(struct cli *cli)
{
	struct leases leases;
	size_t count;

	leases_read(cli, &leases);
	count = leases.count;
	leases_done(&leases);
	return count;
}

static void print_json(struct cli *cli, json_t *gateways, const struct agent_status *agent,
		       size_t leases)
{
	(void)json_print(cli, shape_status(gateways, agent_status_shape(agent),
					   agent->mappings + leases));
}

static void print_agent(struct cli *cli, const struct agent_status *agent, int trouble)
{
	char line[REPORT_LINE];
	struct tenf_text t = tenf_text_of(line, sizeof(line));

	if (agent->is_running)
		agent_status_text(&t, agent);
	else if (trouble != CLI_EXIT_DONE)
		tenf_text_add(&t, "cannot be asked");
	else
		tenf_text_add(&t, "not running; mappings made by `add` end with their lease");
	fprintf(cli->out, "Agent     %s\n", line);
}

static void print_leases(struct cli *cli, size_t leases)
{
	if (leases > 0)
		fprintf(cli->out, "Mappings  %zu recorded; see: tenforward list\n", leases);
}

static void print(struct cli *cli, const struct tenf_gateway *g, const struct agent_status *agent,
		  int trouble)
{
	size_t leases = count_leases(cli);

	if (cli->global.json) {
		json_t *list = json_array();

		if (g->address[0] != '\0')
			(void)shape_append(&list, json_gateway(g));
		print_json(cli, list, agent, leases);
		return;
	}
	report_gateway_lines(cli, g);
	print_agent(cli, agent, trouble);
	print_leases(cli, leases);
}

/* A health check: an agent that answers is fine, whatever its gateways do, and
 * they are not asked on top of what it asks them. */
static int report_agent(struct cli *cli, const struct agent_status *agent)
{
	size_t leases = count_leases(cli);

	if (cli->global.json) {
		print_json(cli, json_incref(json_object_get(agent->body, "gateways")), agent,
			   leases);
		return CLI_EXIT_DONE;
	}
	for (size_t i = 0; i < agent->count; i++)
		report_gateway_lines(cli, &agent->gateways[i]);
	print_agent(cli, agent, CLI_EXIT_DONE);
	print_leases(cli, leases);
	return CLI_EXIT_DONE;
}

static int report(struct cli *cli, const struct agent_status *agent, int trouble)
{
	struct tenf_gateway gateway = { .epoch_s = -1, .rtt_us = -1 };
	struct tenf_error error = { .result = -1 };
	struct devices known;
	enum tenf_status status;

	devices_options(cli, &known);
	status = tenf_find_gateway(&known.options, &gateway, &error);
	if (status != TENF_OK && status != TENF_E_FAILED)
		return cli_failed(cli, status, &error);
	if (status == TENF_E_FAILED && gateway.error.reason == TENF_REASON_NONE)
		gateway.error = error;
	print(cli, &gateway, agent, trouble);
	if (status == TENF_OK) /* that the agent does not answer does not make it ill */
		return cli->global.quiet ? CLI_EXIT_DONE : trouble;
	(void)cli_flush(cli);
	return cli_exit_worse(trouble, cli_failed(cli, status, &error));
}

int verb_status(struct cli *cli)
{
	struct agent_status agent;
	int trouble = agent_find_status(cli, &agent), status;

	if (trouble != CLI_EXIT_DONE && cli->arguments.value[CLI_SOCKET] != NULL)
		status = trouble;
	else if (agent.is_running && cli->global.quiet)
		status = report_agent(cli, &agent);
	else
		status = report(cli, &agent, trouble);
	agent_status_done(&agent);
	return status;
}
