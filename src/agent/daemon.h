/* SPDX-License-Identifier: MIT */
/*
 * The running agent: agent, deliveries, API and signals on one event loop.
 * daemon_run() returns the process's exit status.
 */
#ifndef TENF_AGENT_DAEMON_H
#define TENF_AGENT_DAEMON_H

#include "agent/agent.h"
#include "agent/config.h"
#include "agent/firewall.h"
#include "control/stream.h"

struct daemon_options {
	const char *config; /* path, NULL: the environment alone */
	int ready_fd;       /* a line is written there when the socket serves; -1: none */
};

struct daemon {
	struct event_base *base;
	const struct daemon_options *options;
	struct agent_config config;
	struct agent *agent;
	struct store *store;
	struct namespaces namespaces;
	struct deliveries *deliveries;
	struct firewall firewall;
	struct control_server *server;
	struct control_stream *stream;
	struct event *end; /* looks whether all is given up, while ending */
	int64_t started_at;
	bool ending;
};

int daemon_run(const struct daemon_options *options);

/* Reads the configuration again; what is in force stays when it has a mistake. */
TENF_CHECKED bool daemon_reload(struct daemon *daemon, struct config_mistake *ret_mistake);

#endif
