/* SPDX-License-Identifier: MIT */
/*
 * A heap of deadlines: who is next, in O(log n), for thousands of
 * mappings. The entries live in the caller's objects, which the heap points
 * at; it owns only the array of pointers.
 *
 *   struct mapping { struct tenf_heap_entry timer; … };
 *
 * An entry with TENF_NEVER is kept out of the heap.
 */
#ifndef TENF_BASE_HEAP_H
#define TENF_BASE_HEAP_H

#include "base/attributes.h"
#include "base/memory.h"
#include "base/time.h"

#include <stddef.h>
#include <tenforward/types.h>

struct tenf_heap_entry {
	tenf_time at;
	size_t slot; /* one-based place in the heap, 0 when not in it */
};

struct tenf_heap {
	const struct tenf_memory *memory;
	struct tenf_heap_entry **entries;
	size_t count;
	size_t size;
};

void tenf_heap_init(struct tenf_heap *heap, const struct tenf_memory *memory);
void tenf_heap_done(struct tenf_heap *heap);

/* Makes room for `count` entries in all, so that tenf_heap_set cannot fail. */
TENF_CHECKED enum tenf_status tenf_heap_reserve(struct tenf_heap *heap, size_t count);

/* Puts the entry at its new time, in or out of the heap. Room must have been
 * reserved for every entry ever set. */
void tenf_heap_set(struct tenf_heap *heap, struct tenf_heap_entry *entry, tenf_time at);

/* The earliest entry, NULL when empty; and its time, TENF_NEVER when empty. */
struct tenf_heap_entry *tenf_heap_first(const struct tenf_heap *heap);
tenf_time tenf_heap_deadline(const struct tenf_heap *heap);

#endif
