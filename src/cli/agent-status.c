/* SPDX-License-Identifier: MIT */
#include "cli/agent-status.h"

#include <stdlib.h>

static bool read_gateways(const json_t *list, struct agent_status *ret, struct tenf_text *why)
{
	size_t count = json_array_size(list);

	if (!json_is_array(list) || count > AGENT_GATEWAYS_MAX) {
		tenf_text_add(why, "its status has no list of gateways");
		return false;
	}
	ret->gateways = calloc(count + 1, sizeof(*ret->gateways));
	if (ret->gateways == NULL) {
		tenf_text_add(why, "out of memory");
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		if (shape_read_gateway(json_array_get(list, i), &ret->gateways[i], why) != TENF_OK)
			return false;
		ret->count++;
	}
	return true;
}

static bool read_status(struct agent_status *ret, struct tenf_text *why)
{
	const json_t *agent = json_object_get(ret->body, "agent");
	const json_t *mappings = json_object_get(ret->body, "mappings");
	const char *since = json_string_value(json_object_get(agent, "since"));

	if (!json_is_true(json_object_get(agent, "running")) || !json_is_integer(mappings) ||
	    json_integer_value(mappings) < 0) {
		tenf_text_add(why, "its status tells of no agent");
		return false;
	}
	ret->mappings = (size_t)json_integer_value(mappings);
	if (since != NULL && !shape_read_time(since, &ret->since))
		ret->since = 0;
	return read_gateways(json_object_get(ret->body, "gateways"), ret, why);
}

int agent_get_status(struct cli *cli, struct remote *remote, struct agent_status *ret)
{
	char reason[160];
	struct tenf_text why = tenf_text_of(reason, sizeof(reason));
	int status;

	*ret = (struct agent_status){ .body = NULL };
	status = agent_request(cli, remote, "GET", "/v1/status", NULL, &ret->body);
	if (status != CLI_EXIT_DONE)
		return status;
	ret->is_running = read_status(ret, &why);
	return ret->is_running ? CLI_EXIT_DONE : agent_nonsense(cli, remote, reason);
}

int agent_find_status(struct cli *cli, struct agent_status *ret)
{
	struct remote *remote = NULL;
	int status = agent_find(cli, &remote);

	*ret = (struct agent_status){ .body = NULL };
	if (status == CLI_EXIT_DONE && remote != NULL)
		status = agent_get_status(cli, remote, ret);
	remote_close(remote);
	return status;
}

void agent_status_done(struct agent_status *status)
{
	json_decref(status->body);
	free(status->gateways);
	*status = (struct agent_status){ .body = NULL };
}

void agent_status_text(struct tenf_text *t, const struct agent_status *status)
{
	tenf_text_add(t, "running, holds ");
	tenf_text_add_number(t, status->mappings);
	tenf_text_add(t, status->mappings == 1 ? " mapping" : " mappings");
}

json_t *agent_status_shape(const struct agent_status *status)
{
	if (status->is_running)
		return json_incref(json_object_get(status->body, "agent"));
	return json_pack("{sb}", "running", 0);
}
