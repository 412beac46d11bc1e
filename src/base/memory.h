/* SPDX-License-Identifier: MIT */
/*
 * Allocation as an argument, so that a test can make the n-th one fail and the
 * library keeps no global state. `resize` behaves as realloc; size 0 frees and
 * gives NULL.
 */
#ifndef TENF_BASE_MEMORY_H
#define TENF_BASE_MEMORY_H

#include "base/attributes.h"

#include <stddef.h>

struct tenf_memory {
	void *(*resize)(void *context, void *old, size_t size);
	void *context;
};

/* The C library's allocator. */
extern const struct tenf_memory tenf_memory_libc;

/* Zeroed memory, NULL on failure or when count * size overflows. */
TENF_CHECKED void *tenf_memory_zero(const struct tenf_memory *memory, size_t count, size_t size);
/* As realloc for an array; on failure NULL, and `old` stays valid. */
TENF_CHECKED void *tenf_memory_grow(const struct tenf_memory *memory, void *old, size_t count,
				    size_t size);
void tenf_memory_free(const struct tenf_memory *memory, void *old);

#endif
