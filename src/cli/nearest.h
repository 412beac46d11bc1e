/* SPDX-License-Identifier: MIT */
/* "Did you mean": the known word that is nearest to a mistyped one. */
#ifndef TENF_CLI_NEAREST_H
#define TENF_CLI_NEAREST_H

#include <stddef.h>

struct nearest {
	const char *word;
	size_t len;
	const char *best; /* NULL while nothing is near enough */
	size_t distance;
};

struct nearest nearest_to(const char *word, size_t len);
void nearest_try(struct nearest *near, const char *known);

#endif
