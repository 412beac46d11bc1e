/* SPDX-License-Identifier: MIT */
#include "control/routes.h"

#include <string.h>

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* False for an empty part, a lone '%', "%00", and what is too long. */
static bool decode(const char *from, size_t len, char *ret, size_t size)
{
	size_t used = 0;

	if (len == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = from[i];

		if (c == '%') {
			int high = len - i > 2 ? digit(from[i + 1]) : -1;
			int low = len - i > 2 ? digit(from[i + 2]) : -1;

			if (high < 0 || low < 0 || (high == 0 && low == 0))
				return false;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (used + 1 >= size)
			return false;
		ret[used++] = c;
	}
	ret[used] = '\0';
	return true;
}

/* Length of the part at `at`, up to the next '/'. */
static size_t part_length(const char *at)
{
	return strcspn(at, "/");
}

static bool match_part(const char *pattern, size_t pattern_len, const char *path, size_t path_len,
		       struct control_match *ret)
{
	struct control_part *part = &ret->parts[ret->count];

	if (pattern_len < 2 || pattern[0] != '{')
		return pattern_len == path_len && memcmp(pattern, path, path_len) == 0;
	if (ret->count == CONTROL_PARTS_MAX ||
	    !decode(path, path_len, part->value, sizeof(part->value)))
		return false;
	part->name = pattern + 1;
	part->name_len = pattern_len - 2;
	ret->count++;
	return true;
}

static bool match_path(const char *pattern, const char *path, struct control_match *ret)
{
	ret->count = 0;
	for (;;) {
		size_t pattern_len = part_length(pattern);
		size_t path_len = part_length(path);

		if (!match_part(pattern, pattern_len, path, path_len, ret))
			return false;
		pattern += pattern_len;
		path += path_len;
		if (*pattern != *path)
			return false;
		if (*pattern == '\0')
			return true;
		pattern++;
		path++;
	}
}

void control_match_routes(const struct control_route *routes, size_t count,
			  enum control_method method, const char *path, struct control_match *ret)
{
	ret->route = NULL;
	ret->methods = 0;
	ret->count = 0;
	for (size_t i = 0; i < count; i++) {
		struct control_match one;

		if (!match_path(routes[i].pattern, path, &one))
			continue;
		ret->methods |= routes[i].method;
		if (routes[i].method != method || ret->route != NULL)
			continue;
		ret->route = &routes[i];
		ret->count = one.count;
		memcpy(ret->parts, one.parts, one.count * sizeof(one.parts[0]));
	}
}

const char *control_match_part(const struct control_match *match, const char *name)
{
	for (size_t i = 0; i < match->count; i++) {
		const struct control_part *part = &match->parts[i];

		if (strlen(name) == part->name_len && memcmp(name, part->name, part->name_len) == 0)
			return part->value;
	}
	return NULL;
}

void control_allow_text(unsigned methods, struct tenf_text *ret)
{
	static const struct {
		unsigned method;
		const char *name;
	} names[] = {
		{ CONTROL_GET, "GET, HEAD" }, { CONTROL_POST, "POST" },
		{ CONTROL_PUT, "PUT" },       { CONTROL_PATCH, "PATCH" },
		{ CONTROL_DELETE, "DELETE" },
	};

	for (size_t i = 0; i < TENF_ARRAY_SIZE(names); i++) {
		if ((methods & names[i].method) == 0)
			continue;
		if (ret->used > 0)
			tenf_text_add(ret, ", ");
		tenf_text_add(ret, names[i].name);
	}
}
