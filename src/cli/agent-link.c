/* SPDX-License-Identifier: MIT */
#include "cli/agent-link.h"

#include <stdlib.h>
#include <string.h>

#define MAPPINGS_PATH "/v1/mappings"

static int not_found(struct cli *cli, const char *socket, enum tenf_status status,
		     const struct tenf_error *error)
{
	if (status == TENF_E_NOT_FOUND)
		cli_error(cli, "no agent answers at %s; start tenforwardd, "
			  "or leave --socket out", socket);
	else
		cli_error(cli, "%s", error->text);
	return CLI_EXIT_NO_DAEMON;
}

int agent_find(struct cli *cli, struct remote **ret)
{
	const char *socket = cli->arguments.value[CLI_SOCKET];
	struct tenf_error error = { .result = -1 };
	enum tenf_status status;

	*ret = NULL;
	if (cli->arguments.value[CLI_DIRECT] != NULL)
		return CLI_EXIT_DONE;
	status = remote_open(REMOTE_AGENT, socket, ret, &error);
	if (status == TENF_OK) {
		remote_set_timeout(*ret, cli->global.ask.timeout_ms);
		return CLI_EXIT_DONE;
	}
	if (socket != NULL)
		return not_found(cli, socket, status, &error);
	if (status != TENF_E_NOT_FOUND)
		cli_note(cli, "The agent is left out: %s.", error.text);
	return CLI_EXIT_DONE;
}

int agent_need(struct cli *cli, struct remote **ret)
{
	int status;

	if (cli->arguments.value[CLI_DIRECT] != NULL)
		return cli_usage(cli, "--direct and the verb \"%s\" contradict each other",
				 cli->arguments.verb);
	status = agent_find(cli, ret);
	if (status != CLI_EXIT_DONE || *ret != NULL)
		return status;
	cli_error(cli, "no agent is running; start tenforwardd, or name its --socket");
	return CLI_EXIT_NO_DAEMON;
}

/* ---- Asking ---------------------------------------------------------------- */

int agent_nonsense(struct cli *cli, const struct remote *remote, const char *why)
{
	return daemon_nonsense(cli, &daemon_is_agent, remote, why);
}

int agent_ask(struct cli *cli, struct remote *remote, const char *method, const char *path,
	      const json_t *body, int *ret_http, json_t **ret)
{
	return daemon_ask(cli, &daemon_is_agent, remote, method, path, body, ret_http, ret);
}

int agent_refusal(struct cli *cli, int http, const json_t *answer)
{
	return daemon_refusal(cli, &daemon_is_agent, http, answer);
}

int agent_request(struct cli *cli, struct remote *remote, const char *method, const char *path,
		  const json_t *body, json_t **ret)
{
	return daemon_request(cli, &daemon_is_agent, remote, method, path, body, ret);
}

/* ---- Mappings --------------------------------------------------------------- */

static bool is_id(const char *id)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789";

	return id[0] != '\0' && id[strspn(id, allowed)] == '\0';
}

static bool read_one(json_t *shape, struct agent_mapping *ret, struct tenf_text *why)
{
	if (shape_read_mapping(shape, &ret->mapping, &ret->tag, why) != TENF_OK)
		return false;
	if (!is_id(ret->tag.id)) {
		tenf_text_add(why, "a mapping has no id");
		return false;
	}
	ret->shape = json_incref(shape);
	return true;
}

int agent_read_mappings(struct cli *cli, const struct remote *remote, const json_t *answer,
			struct agent_mappings *ret)
{
	return daemon_read_mappings(cli, &daemon_is_agent, remote, answer, ret);
}

int daemon_read_mappings(struct cli *cli, const struct daemon_words *words,
			 const struct remote *remote, const json_t *answer,
			 struct agent_mappings *ret)
{
	const json_t *list = json_object_get(answer, "mappings");
	size_t count = json_array_size(list);
	char reason[160];
	struct tenf_text why = tenf_text_of(reason, sizeof(reason));

	*ret = (struct agent_mappings){ NULL, 0 };
	if (!json_is_array(list))
		return daemon_nonsense(cli, words, remote,
				       "its answer has no list of mappings");
	if (count > words->mappings_max)
		return daemon_nonsense(cli, words, remote, "its list of mappings is too long");
	ret->items = calloc(count + 1, sizeof(*ret->items));
	if (ret->items == NULL)
		return cli_failed(cli, TENF_E_MEMORY, NULL);
	for (size_t i = 0; i < count; i++) {
		if (!read_one(json_array_get(list, i), &ret->items[i], &why))
			return daemon_nonsense(cli, words, remote, reason);
		ret->count++;
	}
	return CLI_EXIT_DONE;
}

int agent_get_mappings(struct cli *cli, struct remote *remote, struct agent_mappings *ret)
{
	json_t *answer = NULL;
	int status = agent_request(cli, remote, "GET", MAPPINGS_PATH, NULL, &answer);

	*ret = (struct agent_mappings){ NULL, 0 };
	if (status == CLI_EXIT_DONE)
		status = agent_read_mappings(cli, remote, answer, ret);
	json_decref(answer);
	return status;
}

void agent_mappings_done(struct agent_mappings *mappings)
{
	for (size_t i = 0; i < mappings->count; i++)
		json_decref(mappings->items[i].shape);
	free(mappings->items);
	*mappings = (struct agent_mappings){ NULL, 0 };
}

void agent_mapping_path(char ret[AGENT_PATH_SIZE], const char *id)
{
	struct tenf_text t = tenf_text_of(ret, AGENT_PATH_SIZE);

	tenf_text_add(&t, MAPPINGS_PATH "/");
	tenf_text_add(&t, id);
}

size_t agent_id_stem(const char *id)
{
	size_t len = strlen(id);

	return len > 1 && (id[len - 1] == 't' || id[len - 1] == 'u') ? len - 1 : len;
}
