/* SPDX-License-Identifier: MIT */
/* "Did you mean": the known word that is nearest to a mistyped one. */
#ifndef TENF_BASE_NEAREST_H
#define TENF_BASE_NEAREST_H

#include <stddef.h>

struct tenf_nearest {
	const char *word;
	size_t len;
	const char *best; /* NULL while nothing is near enough */
	size_t distance;
};

struct tenf_nearest tenf_nearest_to(const char *word, size_t len);
void tenf_nearest_try(struct tenf_nearest *near, const char *known);

#endif
