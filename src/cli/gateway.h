/* SPDX-License-Identifier: MIT */
/*
 * The verbs of a gateway of ours: `tenforward gateway WORD`, one table of words, one
 * function each. What they ask is the control API of tenforward-gatewayd
 * (docs/openapi.yaml); they trust its answers as little as anybody's.
 */
#ifndef TENF_CLI_GATEWAY_H
#define TENF_CLI_GATEWAY_H

#include "cli/daemon-link.h"

/* All words behind `gateway`, for completion: "list fault …". */
const char *gateway_words(void);

int gateway_list(struct cli *cli, struct remote *remote);
int gateway_fault(struct cli *cli, struct remote *remote);

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
