/* SPDX-License-Identifier: MIT */
/*
 * A long list as the answer to one request, made and sent in slices, so that the
 * loop turns between them: {"KEY": [item, item, …]}. What is listed must not change
 * under it, so the caller takes a snapshot and hands it over.
 */
#ifndef TENF_CONTROL_LIST_H
#define TENF_CONTROL_LIST_H

#include "control/request.h"

#define CONTROL_LIST_SLICE 128 /* items made in one turn of the loop */
/* Octets that may wait for a client; with more the list waits for it too. */
#define CONTROL_LIST_UNSENT_MAX 1048576

struct control_list {
	const char *key;
	/* Item number `index` as a new reference; NULL without memory, which ends the
	 * answer without its end, so that nobody takes a part for the whole. */
	json_t *(*item)(void *context, size_t index);
	size_t count;
	void (*free_context)(void *context); /* called once, always; may be NULL */
	void *context;
};

/* Answers the request, now and later. */
void control_list_serve(struct control_request *request, const struct control_list *list);

#endif
