/* SPDX-License-Identifier: MIT */
/*
 * The firewall's rules as the kernel has them, by libnftables, which is loaded
 * when somebody asks and not before: most verbs do without. Only root may read them.
 */
#ifndef TENF_HOST_FIREWALL_H
#define TENF_HOST_FIREWALL_H

#include <jansson.h>

/* A ruleset larger than this is not read. */
#define HOST_RULESET_MAX ((size_t)64 << 20)

/* A new reference; NULL, and one sentence in `why`, when it cannot be read. */
json_t *host_firewall_read(char *why, size_t why_size);

#endif
