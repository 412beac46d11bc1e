/* SPDX-License-Identifier: MIT */
#include "base/heap.h"

/* Slots are one-based: the parent of slot s is s / 2, its children 2s, 2s + 1. */

static struct tenf_heap_entry **place(struct tenf_heap *heap, size_t slot)
{
	return &heap->entries[slot - 1];
}

static void put(struct tenf_heap *heap, size_t slot, struct tenf_heap_entry *entry)
{
	*place(heap, slot) = entry;
	entry->slot = slot;
}

static void move_up(struct tenf_heap *heap, struct tenf_heap_entry *entry)
{
	size_t slot = entry->slot;

	while (slot > 1 && (*place(heap, slot / 2))->at > entry->at) {
		put(heap, slot, *place(heap, slot / 2));
		slot /= 2;
	}
	put(heap, slot, entry);
}

static void move_down(struct tenf_heap *heap, struct tenf_heap_entry *entry)
{
	size_t slot = entry->slot;

	while (slot * 2 <= heap->count) {
		size_t child = slot * 2;

		if (child < heap->count &&
		    (*place(heap, child + 1))->at < (*place(heap, child))->at)
			child++;
		if ((*place(heap, child))->at >= entry->at)
			break;
		put(heap, slot, *place(heap, child));
		slot = child;
	}
	put(heap, slot, entry);
}

static void take_out(struct tenf_heap *heap, struct tenf_heap_entry *entry)
{
	struct tenf_heap_entry *last = *place(heap, heap->count--);
	size_t slot = entry->slot;

	entry->slot = 0;
	if (last == entry)
		return;
	put(heap, slot, last);
	move_up(heap, last);
	move_down(heap, last);
}

void tenf_heap_init(struct tenf_heap *heap, const struct tenf_memory *memory)
{
	*heap = (struct tenf_heap){ .memory = memory };
}

void tenf_heap_done(struct tenf_heap *heap)
{
	tenf_memory_free(heap->memory, heap->entries);
	*heap = (struct tenf_heap){ .memory = heap->memory };
}

enum tenf_status tenf_heap_reserve(struct tenf_heap *heap, size_t count)
{
	size_t size = heap->size > 0 ? heap->size : 8;
	struct tenf_heap_entry **entries;

	if (count <= heap->size)
		return TENF_OK;
	while (size < count) {
		if (__builtin_mul_overflow(size, 2, &size))
			return TENF_E_MEMORY;
	}
	entries = tenf_memory_grow(heap->memory, heap->entries, size, sizeof(*entries));
	if (entries == NULL)
		return TENF_E_MEMORY;
	heap->entries = entries;
	heap->size = size;
	return TENF_OK;
}

void tenf_heap_set(struct tenf_heap *heap, struct tenf_heap_entry *entry, tenf_time at)
{
	entry->at = at;
	if (at == TENF_NEVER) {
		if (entry->slot != 0)
			take_out(heap, entry);
		return;
	}
	if (entry->slot == 0) {
		heap->count++;
		put(heap, heap->count, entry);
	}
	move_up(heap, entry);
	move_down(heap, entry);
}

struct tenf_heap_entry *tenf_heap_first(const struct tenf_heap *heap)
{
	return heap->count > 0 ? heap->entries[0] : NULL;
}

tenf_time tenf_heap_deadline(const struct tenf_heap *heap)
{
	return heap->count > 0 ? heap->entries[0]->at : TENF_NEVER;
}
