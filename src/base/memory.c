/* SPDX-License-Identifier: MIT */
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static void *libc_resize(void *context, void *old, size_t size)
{
	(void)context;
	if (size == 0) {
		free(old);
		return NULL;
	}
	return realloc(old, size);
}

const struct tenf_memory tenf_memory_libc = { .resize = libc_resize };

void *tenf_memory_grow(const struct tenf_memory *memory, void *old, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes) || bytes == 0)
		return NULL;
	return memory->resize(memory->context, old, bytes);
}

void *tenf_memory_zero(const struct tenf_memory *memory, size_t count, size_t size)
{
	void *fresh = tenf_memory_grow(memory, NULL, count, size);

	if (fresh != NULL)
		memset(fresh, 0, count * size);
	return fresh;
}

void tenf_memory_free(const struct tenf_memory *memory, void *old)
{
	if (old != NULL)
		(void)memory->resize(memory->context, old, 0);
}
