/* SPDX-License-Identifier: MIT */
/*
 * What a [Hook] of the gateway's configuration asks for: commands and webhooks
 * that are told of decisions, one after the other for each hook. It lives in the clerk, which
 * may start programs, and never in the process that hears the network.
 *
 * What fails is told again with growing waits, HOOKS_TRIES_MAX times in all, and
 * given up then; meanwhile later events of this hook wait. What its queue
 * cannot hold is dropped. All of that is counted.
 */
#ifndef TENF_GATEWAY_HOOKS_H
#define TENF_GATEWAY_HOOKS_H

#include "gateway/config.h"
#include "gateway/notice.h"

#include <event2/event.h>

#define HOOKS_QUEUE_MAX 256 /* events that wait for one hook; more are dropped */
#define HOOKS_TRIES_MAX 6   /* of one event: over half a minute */

struct hooks;

struct hooks_counts {
	uint64_t told;
	uint64_t failed;  /* given up */
	uint64_t dropped; /* for which the queue had no room */
};

/* `changed` is called whenever a count has; never from within hooks_new(). */
TENF_CHECKED enum tenf_status hooks_new(struct event_base *base,
					const struct gateway_config *config,
					void (*changed)(void *context), void *context,
					struct hooks **ret);
/* False: a configuration with webhooks cannot be served by this build. */
bool hooks_have_web(void);
/* These in place of those before, CONFIG_HOOKS_MAX at most. One that tells the same one as
 * before goes on with what waits for it; what waits for others is dropped.
 * TENF_E_MEMORY: nothing has changed. */
TENF_CHECKED enum tenf_status hooks_set(struct hooks *hooks, const struct config_hook *list,
					size_t count);
/* Ends what runs. NULL is fine. */
void hooks_free(struct hooks *hooks);

/* Puts it into the queue of each hook that wants it. */
void hooks_tell(struct hooks *hooks, const struct notice *n);

void hooks_count(const struct hooks *hooks, struct hooks_counts *ret);
/* Nothing runs and nothing waits. */
bool hooks_are_idle(const struct hooks *hooks);

#endif
