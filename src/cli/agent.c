/* SPDX-License-Identifier: MIT */
/* agent: what the agent is asked about itself: status, reload, check-config. */
#include "cli/agent-status.h"
#include "cli/daemon-link.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/verbs.h"

#include <string.h>

/* ---- status, reload -------------------------------------------------------- */

static int print_status(struct cli *cli, const struct agent_status *agent)
{
	char line[REPORT_LINE];
	struct tenf_text t = tenf_text_of(line, sizeof(line));

	if (cli->global.json)
		return json_print(cli, json_incref(agent->body));
	tenf_text_add(&t, "Agent     ");
	agent_status_text(&t, agent);
	if (agent->since > 0) {
		tenf_text_add(&t, ", since ");
		output_moment(&t, cli->now(), agent->since);
	}
	tenf_text_add(&t, "\n");
	output_text(cli, cli->out, OUTPUT_PLAIN, line);
	for (size_t i = 0; i < agent->count; i++)
		report_gateway_lines(cli, &agent->gateways[i]);
	return CLI_EXIT_DONE;
}

static int show_status(struct cli *cli, struct remote *remote)
{
	struct agent_status agent;
	int status = agent_get_status(cli, remote, &agent);

	if (status == CLI_EXIT_DONE)
		status = print_status(cli, &agent);
	agent_status_done(&agent);
	return status;
}

static int reload(struct cli *cli, struct remote *remote)
{
	int status = agent_request(cli, remote, "POST", "/v1/reload", NULL, NULL);

	if (status != CLI_EXIT_DONE)
		return status;
	if (cli->global.json)
		return json_print(cli, json_pack("{sb}", "reloaded", 1));
	cli_note(cli, "The new configuration is in force.");
	return CLI_EXIT_DONE;
}

static int with_agent(struct cli *cli, int (*ask)(struct cli *cli, struct remote *remote))
{
	struct remote *remote = NULL;
	int status;

	if (cli->arguments.count > 1)
		return cli_usage(cli, "agent %s does not take \"%s\"", cli->arguments.words[0],
				 cli->arguments.words[1]);
	status = agent_need(cli, &remote);
	if (status == CLI_EXIT_DONE)
		status = ask(cli, remote);
	remote_close(remote);
	return status;
}

int verb_agent(struct cli *cli)
{
	const char *what = cli->arguments.words[0];

	if (strcmp(what, "status") == 0)
		return with_agent(cli, show_status);
	if (strcmp(what, "reload") == 0)
		return with_agent(cli, reload);
	if (strcmp(what, "check-config") == 0)
		return daemon_check_config(cli, "agent", "tenforwardd");
	return cli_usage(cli, "agent: there is no \"%s\"; write status, reload or check-config",
			 what);
}
