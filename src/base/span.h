/* SPDX-License-Identifier: MIT */
/* Lengths of time as people write them: 90s, 10m, 2h, 1d, or plain seconds. */
#ifndef TENF_BASE_SPAN_H
#define TENF_BASE_SPAN_H

#include "base/attributes.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* Seconds from `text`, at most UINT32_MAX. `ret` is untouched on failure. */
TENF_CHECKED bool tenf_span_parse(const char *text, uint32_t *ret_s);

/* "40 s", "58 min", "2 h", "1 h 58 min", "3 days": minutes stand beside hours
 * alone, and everything is rounded down. */
void tenf_span_add(struct tenf_text *t, uint64_t seconds);

#endif
