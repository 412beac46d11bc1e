/* SPDX-License-Identifier: MIT */
/*
 * One telling of one hook: a command, a webhook or a file. Who tells again
 * when it failed is delivery.c.
 */
#ifndef TENF_AGENT_HOOK_H
#define TENF_AGENT_HOOK_H

#include "agent/config.h"
#include "hooks/run.h"
#include "hooks/webhook.h"

/* The port, or what the format makes of the news, as one line; a file goes
 * away when the port does. TENF_E_SYSTEM with errno. */
TENF_CHECKED enum tenf_status hook_file_write(const char *path, const char *format,
					      const struct news *news);

#endif
