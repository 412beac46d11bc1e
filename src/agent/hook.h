/* SPDX-License-Identifier: MIT */
/*
 * One telling of one hook: a command, a webhook or a file. Who tells again
 * when it failed is delivery.c.
 */
#ifndef TENF_AGENT_HOOK_H
#define TENF_AGENT_HOOK_H

#include "agent/config.h"
#include "agent/news.h"
#include "agent/outgoing.h"

#include <event2/event.h>

#define HOOK_OUTPUT_MAX 4096 /* octets of a command's output in the log */
#define HOOK_GRACE_S 5       /* from SIGTERM to SIGKILL */

/* `error` is NULL when it went well, else one sentence. */
typedef void (*hook_done_fn)(void *context, const char *error);

struct hook_run;

/* /bin/sh -c with the event in the environment and as JSON on its input, in a
 * process group of its own. Gives NULL with errno when it cannot be started; else `done` is
 * called once, never from within, and frees it. */
struct hook_run *hook_run_start(struct event_base *base, const char *command,
				const struct news *news, uint32_t timeout_s, hook_done_fn done,
				void *context);
/* Ends the command at once; `done` is not called. */
void hook_run_cancel(struct hook_run *run);

/* POST of the event's JSON. Any answer of 2xx is success. */
TENF_CHECKED enum tenf_status hook_webhook_start(struct outgoing *outgoing,
						 const struct config_hook *hook,
						 const struct news *news,
						 outgoing_done_fn done, void *context,
						 struct outgoing_call **ret);
/* What the answer means: false with one sentence when it is no success. */
bool hook_webhook_judge(const struct outgoing_answer *answer, char *ret_error, size_t size);

/* The port, or what the format makes of the news, as one line; a file goes
 * away when the port does. TENF_E_SYSTEM with errno. */
TENF_CHECKED enum tenf_status hook_file_write(const char *path, const char *format,
					      const struct news *news);

#endif
