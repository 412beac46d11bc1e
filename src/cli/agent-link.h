/* SPDX-License-Identifier: MIT */
/*
 * The agent as the verbs see it: found where one runs, asked, and its mappings
 * read. What it answers is not trusted: everything is checked, limited and
 * waited for no longer than --timeout. It holds no mappings itself; what is
 * printed of them is decided by the verbs.
 */
#ifndef TENF_CLI_AGENT_LINK_H
#define TENF_CLI_AGENT_LINK_H

#include "cli/cli.h"
#include "cli/daemon-link.h"
#include "control/remote.h"
#include "control/shapes-read.h"

/* More than an agent holds, so who tells of more is none. */
#define AGENT_MAPPINGS_MAX 65536

struct agent_mapping {
	struct tenf_mapping mapping;
	struct shape_tag tag;
	json_t *shape; /* as the agent sent it */
};

struct agent_mappings {
	struct agent_mapping *items;
	size_t count;
};

/* The agent at --socket, or the user's, or the system's. *ret is NULL when none
 * runs or --direct is given. Exit status: CLI_EXIT_NO_DAEMON, after a message,
 * when --socket names a place without one. Done with remote_close(). */
int agent_find(struct cli *cli, struct remote **ret);
/* The same for verbs that make no sense without. */
int agent_need(struct cli *cli, struct remote **ret);

/* One request, its answer whatever HTTP status it has; CLI_EXIT_NO_DAEMON after
 * a message when there is none. */
int agent_ask(struct cli *cli, struct remote *remote, const char *method, const char *path,
	      const json_t *body, int *ret_http, json_t **ret);
/* One request that must succeed; else the exit status of the agent's reason,
 * which is told. `ret` may be NULL. */
int agent_request(struct cli *cli, struct remote *remote, const char *method, const char *path,
		  const json_t *body, json_t **ret);
/* Tells why a request was not done; the exit status. */
int agent_refusal(struct cli *cli, int http, const json_t *answer);
/* Tells that an answer makes no sense; CLI_EXIT_NO_DAEMON. */
int agent_nonsense(struct cli *cli, const struct remote *remote, const char *why);

/* Reads {"mappings": […]}; exit status. Done with agent_mappings_done(), after a
 * failure too. */
int agent_read_mappings(struct cli *cli, const struct remote *remote, const json_t *answer,
			struct agent_mappings *ret);
/* The same of any daemon. */
int daemon_read_mappings(struct cli *cli, const struct daemon_words *words,
			 const struct remote *remote, const json_t *answer,
			 struct agent_mappings *ret);
/* All there are, or those of one id (/v1/mappings/ID). */
int agent_get_mappings(struct cli *cli, struct remote *remote, struct agent_mappings *ret);
void agent_mappings_done(struct agent_mappings *mappings);

#define AGENT_PATH_SIZE (SHAPE_ID_SIZE + 16)
/* "/v1/mappings/m7"; an id has letters and digits alone. */
void agent_mapping_path(char ret[AGENT_PATH_SIZE], const char *id);

/* Length of the part that names the whole of a pair: 2 of "m7t" and of "m7". */
size_t agent_id_stem(const char *id);
static inline bool agent_is_held(const struct tenf_mapping *m)
{
	return m->state == TENF_STATE_MAPPED || m->state == TENF_STATE_RENEWING;
}

#endif
