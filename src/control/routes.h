/* SPDX-License-Identifier: MIT */
/*
 * Which route a path belongs to, and what stands for the {names} in it. Parts
 * are compared as they were sent, and decoded afterwards, so that "%2F" in an
 * id is no further part. Needs no connection and no libevent.
 */
#ifndef TENF_CONTROL_ROUTES_H
#define TENF_CONTROL_ROUTES_H

#include "base/text.h"
#include "control/request.h"

#define CONTROL_PARTS_MAX 4   /* {names} of one pattern */
#define CONTROL_PART_SIZE 128 /* decoded, with terminator; longer ones match nothing */

struct control_part {
	const char *name; /* in the pattern, up to '}' */
	size_t name_len;
	char value[CONTROL_PART_SIZE];
};

struct control_match {
	const struct control_route *route; /* NULL: none with this method */
	unsigned methods;                  /* or-ed, of all routes with this path */
	size_t count;
	struct control_part parts[CONTROL_PARTS_MAX];
};

/* The first route that fits path and method. `methods` is 0 when no route has
 * this path. */
void control_match_routes(const struct control_route *routes, size_t count,
			  enum control_method method, const char *path,
			  struct control_match *ret);

/* NULL when the pattern has no such name. */
const char *control_match_part(const struct control_match *match, const char *name);

/* "GET, HEAD, DELETE" of or-ed methods. */
#define CONTROL_ALLOW_SIZE 48
void control_allow_text(unsigned methods, struct tenf_text *ret);

#endif
