/* SPDX-License-Identifier: MIT */
/*
 * The running gateway: sockets, clock and backend around a responder, driven
 * by libevent. It decides nothing itself.
 */
#ifndef TENF_GATEWAY_DAEMON_H
#define TENF_GATEWAY_DAEMON_H

#include "gateway/config.h"

struct daemon;

/* Opens everything. False with a sentence in `why`. */
bool daemon_new(const struct gateway_config *config, struct daemon **ret, struct tenf_text *why);
void daemon_free(struct daemon *d);

/* One line for each address it serves: where, whom, and what it says. */
void daemon_describe(const struct daemon *d, size_t link, struct tenf_text *ret);
size_t daemon_link_count(const struct daemon *d);

/* Reads the configuration file again and puts it into force. False with the mistake
 * in `why`: nothing has changed then. Both are told on stderr too. */
bool daemon_reload(struct daemon *d, struct tenf_text *why);

/* Serves until SIGTERM or SIGINT, reloads on SIGHUP; a decision is a line on stderr. False when
 * the loop could not run. */
bool daemon_run(struct daemon *d);

#endif
