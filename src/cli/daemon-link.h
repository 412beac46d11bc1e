/* SPDX-License-Identifier: MIT */
/*
 * A daemon of ours as the verbs see it, agent or gateway: asked over its control
 * API, with one message and one exit status for each way in which that can go
 * wrong; and asked whether it would understand a configuration.
 */
#ifndef TENF_CLI_DAEMON_LINK_H
#define TENF_CLI_DAEMON_LINK_H

#include "cli/cli.h"
#include "control/remote.h"

struct daemon_words {
	enum remote_daemon daemon;
	const char *name;      /* "agent" */
	const char *start;     /* what to do where none runs: "start tenforwardd" */
	const char *otherwise; /* how to do without it, NULL when that is impossible */
	size_t mappings_max;   /* who tells of more is none */
};

extern const struct daemon_words daemon_is_agent;
extern const struct daemon_words daemon_is_gateway;

/* At --socket, or where it is by default. CLI_EXIT_NO_DAEMON after a message when
 * there is none. Done with remote_close(). */
int daemon_need(struct cli *cli, const struct daemon_words *words, struct remote **ret);

/* One request, its answer whatever HTTP status it has; CLI_EXIT_NO_DAEMON after
 * a message when there is none. */
int daemon_ask(struct cli *cli, const struct daemon_words *words, struct remote *remote,
	       const char *method, const char *path, const json_t *body, int *ret_http,
	       json_t **ret);
/* One request that must succeed; else the exit status of the daemon's reason,
 * which is told. `ret` may be NULL. */
int daemon_request(struct cli *cli, const struct daemon_words *words, struct remote *remote,
		   const char *method, const char *path, const json_t *body, json_t **ret);
/* Tells why a request was not done; the exit status. */
int daemon_refusal(struct cli *cli, const struct daemon_words *words, int http,
		   const json_t *answer);
/* Tells that an answer makes no sense; CLI_EXIT_NO_DAEMON. */
int daemon_nonsense(struct cli *cli, const struct daemon_words *words,
		    const struct remote *remote, const char *why);

/* Has `program` check the file in the second word, or its own by default; that of
 * the build tree, in the folder `room`, when this is its command, else the
 * installed one. Exit status. */
int daemon_check_config(struct cli *cli, const char *room, const char *program);

#endif
