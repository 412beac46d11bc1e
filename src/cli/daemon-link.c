/* SPDX-License-Identifier: MIT */
#include "cli/daemon-link.h"

#include "base/names.h"
#include "cli/agent-link.h"
#include "control/shapes-read.h"

#include <string.h>

const struct daemon_words daemon_is_agent = {
	.daemon = REMOTE_AGENT,
	.name = "agent",
	.start = "start tenforwardd",
	.otherwise = "--direct does without it",
	.mappings_max = AGENT_MAPPINGS_MAX,
};

const struct daemon_words daemon_is_gateway = {
	.daemon = REMOTE_GATEWAY,
	.name = "gateway daemon",
	.start = "start tenforward-gatewayd",
	.mappings_max = 1048576,
};

int daemon_need(struct cli *cli, const struct daemon_words *words, struct remote **ret)
{
	const char *socket = cli->arguments.value[CLI_SOCKET];
	struct tenf_error error = { .result = -1 };
	enum tenf_status status = remote_open(words->daemon, socket, ret, &error);

	if (status == TENF_OK) {
		remote_set_timeout(*ret, cli->global.ask.timeout_ms);
		return CLI_EXIT_DONE;
	}
	if (status == TENF_E_MEMORY)
		return cli_failed(cli, status, NULL);
	if (status != TENF_E_NOT_FOUND)
		cli_error(cli, "%s", error.text);
	else if (socket != NULL)
		cli_error(cli, "no %s answers at %s; %s, or name another --socket", words->name,
			  socket, words->start);
	else
		cli_error(cli, "no %s is running here; %s, or name its --socket", words->name,
			  words->start);
	return CLI_EXIT_NO_DAEMON;
}

int daemon_nonsense(struct cli *cli, const struct daemon_words *words,
		    const struct remote *remote, const char *why)
{
	cli_error(cli, "what answers at %s is no %s: %s", remote_where(remote), words->name, why);
	return CLI_EXIT_NO_DAEMON;
}

int daemon_ask(struct cli *cli, const struct daemon_words *words, struct remote *remote,
	       const char *method, const char *path, const json_t *body, int *ret_http,
	       json_t **ret)
{
	struct tenf_error error = { .result = -1 };
	enum tenf_status status = remote_request(remote, method, path, body, ret_http, ret, &error);

	if (status == TENF_OK)
		return CLI_EXIT_DONE;
	if (status == TENF_E_MEMORY)
		return cli_failed(cli, status, NULL);
	cli_error(cli, "the %s at %s cannot be asked: %s%s%s", words->name, remote_where(remote),
		  error.text, words->otherwise != NULL ? "; " : "",
		  words->otherwise != NULL ? words->otherwise : "");
	return CLI_EXIT_NO_DAEMON;
}

/* The codes of the API beside those of a gateway (docs/openapi.yaml). */
static int exit_of_code(const char *code)
{
	static const struct {
		const char *code;
		int status;
	} own[] = { { "argument", CLI_EXIT_USAGE },	 { "bad-request", CLI_EXIT_USAGE },
		    { "not-found", CLI_EXIT_USAGE },	 { "configuration", CLI_EXIT_USAGE },
		    { "too-large", CLI_EXIT_USAGE },	 { "limit", CLI_EXIT_RESOURCES },
		    { "busy", CLI_EXIT_RESOURCES } };

	for (size_t i = 0; code != NULL && i < TENF_ARRAY_SIZE(own); i++) {
		if (strcmp(own[i].code, code) == 0)
			return own[i].status;
	}
	for (enum tenf_reason r = TENF_REASON_NO_GATEWAY; r <= TENF_REASON_SYSTEM; r++) {
		if (code != NULL && strcmp(tenf_reason_code(r), code) == 0)
			return cli_exit_of_reason(r);
	}
	return CLI_EXIT_FAILURE;
}

int daemon_refusal(struct cli *cli, const struct daemon_words *words, int http,
		   const json_t *answer)
{
	const json_t *error = json_object_get(answer, "error");
	char no_reason[48];

	(void)snprintf(no_reason, sizeof(no_reason), "it gave no reason (HTTP status %d)", http);
	cli_error(cli, "the %s did not do it: %.300s", words->name,
		  shape_read_failure(answer, no_reason));
	return exit_of_code(json_string_value(json_object_get(error, "code")));
}

int daemon_request(struct cli *cli, const struct daemon_words *words, struct remote *remote,
		   const char *method, const char *path, const json_t *body, json_t **ret)
{
	json_t *answer = NULL;
	int http = 0;
	int status = daemon_ask(cli, words, remote, method, path, body, &http, &answer);

	if (status == CLI_EXIT_DONE && http / 100 != 2)
		status = daemon_refusal(cli, words, http, answer);
	if (status == CLI_EXIT_DONE && ret != NULL)
		*ret = answer;
	else
		json_decref(answer);
	return status;
}
