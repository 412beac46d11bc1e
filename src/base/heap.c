/* SPDX-License-Identifier: MIT */
#include "base/heap.h"

/* Eight children a node: where thousands of entries lie all over the memory, as leases
 * do, the time goes into waiting for them. The way down is a third as long as with two
 * children, and those of one node are waited for together. */
#define CHILDREN 8

/* Slots are one-based. */
static size_t parent_of(size_t slot)
{
	return (slot - 2) / CHILDREN + 1;
}

static size_t first_child_of(size_t slot)
{
	return (slot - 1) * CHILDREN + 2;
}

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

	while (slot > 1 && (*place(heap, parent_of(slot)))->at > entry->at) {
		put(heap, slot, *place(heap, parent_of(slot)));
		slot = parent_of(slot);
	}
	put(heap, slot, entry);
}

/* The earliest of the children that begin at this slot, which is one. */
static struct tenf_heap_entry *earliest(struct tenf_heap *heap, size_t child)
{
	struct tenf_heap_entry *found = *place(heap, child);

	for (size_t i = 1; i < CHILDREN && child + i <= heap->count; i++) {
		struct tenf_heap_entry *other = *place(heap, child + i);

		if (other->at < found->at)
			found = other;
	}
	return found;
}

static void move_down(struct tenf_heap *heap, struct tenf_heap_entry *entry)
{
	size_t slot = entry->slot;

	while (first_child_of(slot) <= heap->count) {
		struct tenf_heap_entry *child = earliest(heap, first_child_of(slot));
		size_t freed = child->slot;

		if (child->at >= entry->at)
			break;
		put(heap, slot, child);
		slot = freed;
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
