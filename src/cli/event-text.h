/* SPDX-License-Identifier: MIT */
/* Events as lines for people, for keep, run and monitor. */
#ifndef TENF_CLI_EVENT_TEXT_H
#define TENF_CLI_EVENT_TEXT_H

#include "base/text.h"

#include <tenforward/tenforward.h>

#define EVENT_TEXT_INDENT 10 /* what is told stands behind the clock */

struct event_style {
	const char *protocol; /* "tcp", "udp", "tcp+udp" */
	const char *label;    /* said first, such as "m3"; NULL: nothing */
	bool several;         /* more mappings than this one: say which */
	bool holds;           /* by who holds them, and does something about it */
	int64_t now;
};

/* One line without its end, the clock first. */
void event_text(struct tenf_text *t, const struct tenf_event *event,
		const struct event_style *style);

#endif
