/* SPDX-License-Identifier: MIT */
/*
 * Follows the agent's events for `monitor`. When the agent goes away it is looked
 * for again, with longer and longer pauses, and asked for what was missed.
 */
#ifndef TENF_CLI_AGENT_WATCH_H
#define TENF_CLI_AGENT_WATCH_H

#include "cli/agent-link.h"

struct agent_watch {
	struct remote *remote; /* NULL: there is no agent to follow */
	struct remote_stream *stream; /* NULL: it went away */
	char last_id[64];             /* of the event told last */
	int64_t again_ms;             /* when to look for it again */
	int pause_ms;
};

/* `event` is NULL for one of a kind this version does not know. */
typedef void agent_watch_told(void *context, json_t *shape, const struct tenf_event *event,
			      const struct shape_tag *tag);

/* Exit status, after a message. Without an agent it is done and follows nothing. */
int agent_watch_start(struct cli *cli, struct agent_watch *ret);
/* To wait for: -1 when there is none. */
int agent_watch_fd(const struct agent_watch *watch);
int agent_watch_timeout_ms(const struct cli *cli, const struct agent_watch *watch);
/* Tells what happened; returns at once when nothing did. */
void agent_watch_look(struct cli *cli, struct agent_watch *watch, agent_watch_told *told,
		      void *context);
void agent_watch_done(struct agent_watch *watch);

#endif
