/* SPDX-License-Identifier: MIT */
/*
 * What the running gateway tells and is asked: the control API on its socket,
 * and the stream of events. The daemon owns it; it looks at the daemon and,
 * asked by an administrator, changes it. In a build without the libraries of
 * the control API it says so when Socket= wants one (observe-none.c).
 *
 * What happened goes to the clerk too (clerk.h), which keeps the history.
 *
 * Events are made lazily: decisions wait as they are in a ring, and become
 * JSON when somebody listens, so that a burst of requests that nobody watches
 * costs a copy each.
 */
#ifndef TENF_GATEWAY_OBSERVE_H
#define TENF_GATEWAY_OBSERVE_H

#include "base/text.h"

struct daemon;
struct gateway_config;
struct observe;

/* Opens what the configuration wants; to be called before root is given up.
 * False with a sentence in `why`. */
bool observe_open(struct daemon *d, struct tenf_text *why);
/* Before anything else is opened: another process may be forked. */
bool observe_fork(struct daemon *d, struct tenf_text *why);
/* Hands the responder what outlived the daemon before, and has kept what must outlive this
 * one; after all mappings of before are back. */
void observe_recall(struct daemon *d);
/* Before an answer leaves: from here on a kill does not lose what must outlive it. */
void observe_push(struct daemon *d);
/* Has the hooks of this configuration told from now on. False with a sentence in `why`. */
bool observe_set_hooks(struct daemon *d, const struct gateway_config *config,
		       struct tenf_text *why);
void observe_close(struct daemon *d);

#endif
