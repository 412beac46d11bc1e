/* SPDX-License-Identifier: MIT */
/*
 * The verbs of a gateway of ours: `tenforward gateway WORD`, one table of words, one
 * function each. What they ask is the control API of tenforward-gatewayd
 * (docs/openapi.yaml); they trust its answers as little as anybody's.
 */
#ifndef TENF_CLI_GATEWAY_H
#define TENF_CLI_GATEWAY_H

#include "base/text.h"
#include "cli/daemon-link.h"

/* All words behind `gateway`, for completion: "list fault …". */
const char *gateway_words(void);

/* Each with what it takes, for help. */
void gateway_print_words(FILE *to);

int gateway_list(struct cli *cli, struct remote *remote);
int gateway_revoke(struct cli *cli, struct remote *remote);
int gateway_pending(struct cli *cli, struct remote *remote);
int gateway_approve(struct cli *cli, struct remote *remote);
int gateway_deny(struct cli *cli, struct remote *remote);
int gateway_history(struct cli *cli, struct remote *remote);
int gateway_explain(struct cli *cli, struct remote *remote);
int gateway_fault(struct cli *cli, struct remote *remote);

/* The text of a member, or `otherwise` when it has none. */
const char *gateway_text(const json_t *shape, const char *key, const char *otherwise);
/* " to 9.9.9.9:443", nothing where it is for everybody. */
void gateway_remote_text(struct tenf_text *t, const json_t *mapping);
/* "3 allow lan", "-" where there is none. */
void gateway_rule_text(struct tenf_text *t, const json_t *rule);
/* One line for each wish that waits, of the answer of GET /v1/pending; `others`
 * shows those that were decided too. How many were shown. */
size_t gateway_print_pending(struct cli *cli, const json_t *answer, bool others);

/* Wrappers of daemon_request() and daemon_nonsense(). */
static inline int gateway_request(struct cli *cli, struct remote *remote, const char *method,
				  const char *path, const json_t *body, json_t **ret)
{
	return daemon_request(cli, &daemon_is_gateway, remote, method, path, body, ret);
}

static inline int gateway_nonsense(struct cli *cli, const struct remote *remote, const char *why)
{
	return daemon_nonsense(cli, &daemon_is_gateway, remote, why);
}

#endif
