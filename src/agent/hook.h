/* SPDX-License-Identifier: MIT */
/*
 * One telling of one hook: a command, a webhook or a file. Who tells again
 * when it failed is delivery.c.
 */
#ifndef TENF_AGENT_HOOK_H
#define TENF_AGENT_HOOK_H

#include "agent/config.h"
#include "hooks/news.h"
#include "hooks/outgoing.h"
#include "hooks/run.h"

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
