/* SPDX-License-Identifier: MIT */
#include "vectors.h"

#include <string.h>

const struct vector *vector_find(const char *name)
{
	for (size_t i = 0; i < vector_count; i++) {
		if (strcmp(vectors[i].name, name) == 0)
			return &vectors[i];
	}
	return NULL;
}
