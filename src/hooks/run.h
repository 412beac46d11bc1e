/* SPDX-License-Identifier: MIT */
/*
 * One telling by a command, beside an event loop. Whoever starts it says where its
 * output goes, and whether it is told again when it failed.
 */
#ifndef TENF_HOOKS_RUN_H
#define TENF_HOOKS_RUN_H

#include "hooks/news.h"

#include <event2/event.h>

#define HOOK_OUTPUT_MAX 4096 /* octets of a command's output that are noted */
#define HOOK_LINE_MAX 500    /* of one line of it */
#define HOOK_GRACE_S 5       /* from SIGTERM to SIGKILL */

/* `error` is NULL when it went well, else one sentence. */
typedef void (*hook_done_fn)(void *context, const char *error);
/* One line of what the command wrote, of `len` octets and not terminated; they may be any. */
typedef void (*hook_note_fn)(const char *command, const char *line, int len);

struct hook_run;

/* /bin/sh -c with the news in the environment and as JSON on its input, in a
 * process group of its own. Gives NULL with errno when it cannot be started; else `done` is
 * called once, never from within, and frees it. */
struct hook_run *hook_run_start(struct event_base *base, const char *command,
				const struct news *news, uint32_t timeout_s, hook_note_fn note,
				hook_done_fn done, void *context);
/* Ends the command at once; `done` is not called. */
void hook_run_cancel(struct hook_run *run);

#endif
