/* SPDX-License-Identifier: MIT */
/*
 * The syntax of a mapping, external first: [EXTERNAL:]INTERNAL[/PROTO].
 *
 *   8080            8080/tcp, the same port outside
 *   80:8080         80 outside to 8080 inside
 *   any:51413/both  any external port, the same for tcp and udp
 *   6881-6889/udp   a range; with EXTERNAL both ranges have the same length
 */
#ifndef TENF_BASE_FORWARD_H
#define TENF_BASE_FORWARD_H

#include "base/attributes.h"
#include "base/text.h"

#include <tenforward/types.h>

struct tenf_forward {
	uint16_t internal_first;
	uint16_t internal_last;
	uint16_t external_first; /* 0: any */
	enum tenf_protocol protocol;
};

/* Number of ports; a pair counts once. */
static inline unsigned tenf_forward_count(const struct tenf_forward *f)
{
	return (unsigned)(f->internal_last - f->internal_first) + 1;
}

/* On failure `why` (may be NULL) gets one sentence that says what is wrong and
 * what would be right; `ret` is untouched. */
TENF_CHECKED bool tenf_forward_parse(const char *text, struct tenf_forward *ret,
				     struct tenf_text *why);

/* "tcp", "udp", "both". */
const char *tenf_protocol_name(enum tenf_protocol protocol);

#endif
