/* SPDX-License-Identifier: MIT */
/*
 * What an agent says of itself (GET /v1/status): the gateways it uses, since when
 * it runs, and how many mappings it holds. For status, discover and the verb agent.
 */
#ifndef TENF_CLI_AGENT_STATUS_H
#define TENF_CLI_AGENT_STATUS_H

#include "base/text.h"
#include "cli/agent-link.h"

#define AGENT_GATEWAYS_MAX 256 /* more are no gateways */

struct agent_status {
	bool is_running;
	json_t *body; /* as the agent sent it */
	struct tenf_gateway *gateways;
	size_t count;
	size_t mappings;
	int64_t since; /* wall clock, 0 when it did not tell */
};

/* Exit status, after a message. Done with agent_status_done(), after a failure too. */
int agent_get_status(struct cli *cli, struct remote *remote, struct agent_status *ret);
/* The same where an agent may run or not: is_running tells. */
int agent_find_status(struct cli *cli, struct agent_status *ret);
void agent_status_done(struct agent_status *status);

/* "running, holds 3 mappings" */
void agent_status_text(struct tenf_text *t, const struct agent_status *status);
/* {"running": true, …}; a new reference */
json_t *agent_status_shape(const struct agent_status *status);

#endif
