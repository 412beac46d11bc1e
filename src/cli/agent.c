/* SPDX-License-Identifier: MIT */
/* agent: what the agent is asked about itself: status, reload, check-config. */
#include "cli/agent-status.h"
#include "cli/child.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/verbs.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define AGENT_FILE "tenforwardd"

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

/* ---- check-config ----------------------------------------------------------- */

/* The daemon of the build tree when this is its command, else the installed one. */
static void find_daemon(char ret[PATH_MAX])
{
	char own[PATH_MAX - 32];
	ssize_t len = readlink("/proc/self/exe", own, sizeof(own) - 1);
	char *slash;

	own[len > 0 ? len : 0] = '\0';
	slash = strrchr(own, '/');
	if (slash != NULL) {
		*slash = '\0';
		(void)snprintf(ret, PATH_MAX, "%s/../agent/" AGENT_FILE, own);
		if (access(ret, X_OK) == 0)
			return;
	}
	(void)snprintf(ret, PATH_MAX, "%s", AGENT_FOLDER "/" AGENT_FILE);
}

/* The daemon alone knows what it would understand, so it is asked, whether one
 * runs or not. */
static int check_config(struct cli *cli)
{
	char daemon[PATH_MAX], check[] = "--check-config", config[] = "--config";
	char file[PATH_MAX] = "";
	char *arguments[] = { daemon, check, NULL, NULL, NULL };
	struct child child = { .arguments = arguments, .environment = environ,
			       .apart = cli->global.json };
	int error, ended = 0;
	sigset_t mask;
	pid_t pid;

	find_daemon(daemon);
	if (cli->arguments.count > 1) {
		(void)snprintf(file, sizeof(file), "%s", cli->arguments.words[1]);
		arguments[2] = config;
		arguments[3] = file;
	}
	(void)sigprocmask(SIG_BLOCK, NULL, &mask);
	child.mask = &mask;
	(void)cli_flush(cli);
	error = child_start(&child, &pid);
	while (error == 0 && waitpid(pid, &ended, 0) < 0)
		error = errno == EINTR ? 0 : errno;
	if (error != 0) {
		cli_error(cli, "cannot start %s: %s", daemon, strerror(error));
		return CLI_EXIT_FAILURE;
	}
	if (cli->global.json)
		(void)json_print(cli, json_pack("{sb}", "valid", child_exit(ended) == 0));
	return child_exit(ended);
}

int verb_agent(struct cli *cli)
{
	const char *what = cli->arguments.words[0];

	if (strcmp(what, "status") == 0)
		return with_agent(cli, show_status);
	if (strcmp(what, "reload") == 0)
		return with_agent(cli, reload);
	if (strcmp(what, "check-config") == 0)
		return check_config(cli);
	return cli_usage(cli, "agent: there is no \"%s\"; write status, reload or check-config",
			 what);
}
