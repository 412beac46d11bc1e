/* SPDX-License-Identifier: MIT */
#include "sim-memory.h"

#include <stdlib.h>

/* In front of each block, so that its size is known when it goes. */
union block_head {
	size_t size;
	max_align_t align;
};

static void *resize(void *context, void *old, size_t size)
{
	struct sim_memory *counted = context;
	union block_head *head = old != NULL ? (union block_head *)old - 1 : NULL;

	if (head != NULL)
		counted->octets -= head->size;
	if (size == 0) {
		free(head);
		return NULL;
	}
	head = realloc(head, sizeof(*head) + size);
	if (head == NULL)
		abort(); /* the simulated machines have memory enough */
	head->size = size;
	counted->octets += size;
	return head + 1;
}

void sim_memory_init(struct sim_memory *counted)
{
	*counted = (struct sim_memory){ .memory = { .resize = resize, .context = counted } };
}
