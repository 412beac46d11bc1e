/* SPDX-License-Identifier: MIT */
/*
 * Whether one condition of a firewall rule holds for a packet: the left side
 * names a fact of the packet, the right side one value, a range, a prefix, or a
 * set of those. Inside host/rules.h; pure.
 */
#ifndef TENF_HOST_MATCHES_H
#define TENF_HOST_MATCHES_H

#include "host/rules.h"

enum host_match { HOST_NO, HOST_YES, HOST_MAYBE };

/* The table a rule stands in, whose named sets it may use. */
struct host_scene {
	const json_t *objects; /* the array of all */
	const json_t *rule;    /* has "family" and "table" */
	const struct host_packet *packet;
};

/* Of {"op", "left", "right"}. */
enum host_match host_match_holds(const struct host_scene *scene, const json_t *match);
/* Whether the fact `left` is the value `right`, as in the key of a verdict map. */
enum host_match host_match_equal(const struct host_scene *scene, const json_t *left,
				 const json_t *right);

/* The object {KIND: {…}} of this family, table and name; NULL when there is none. */
const json_t *host_rules_find(const struct host_scene *scene, const char *kind, const char *name);

static inline enum host_match host_match_both(enum host_match a, enum host_match b)
{
	if (a == HOST_NO || b == HOST_NO)
		return HOST_NO;
	return a == HOST_YES && b == HOST_YES ? HOST_YES : HOST_MAYBE;
}

static inline enum host_match host_match_either(enum host_match a, enum host_match b)
{
	if (a == HOST_YES || b == HOST_YES)
		return HOST_YES;
	return a == HOST_NO && b == HOST_NO ? HOST_NO : HOST_MAYBE;
}

#endif
