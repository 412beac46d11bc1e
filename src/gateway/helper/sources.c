/* SPDX-License-Identifier: MIT */
#include "gateway/helper/sources.h"

#include "gateway/helper/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void sources_done(struct sources *s)
{
	free(s->at);
	*s = (struct sources){ 0 };
}

static bool source_of(const struct element *e, struct source *ret)
{
	if (e->key_len != sizeof(ret->key) || e->data_len != sizeof(ret->data))
		return false;
	memcpy(ret->key, e->key, sizeof(ret->key));
	memcpy(ret->data, e->data, sizeof(ret->data));
	return true;
}

int sources_keep(struct sources *s, const struct helper_mapping *m)
{
	struct element e;

	if (m->remote.port != 0 || !tenf_address_is_v4(&m->internal.address))
		return 0;
	if (s->count == s->size) {
		size_t size = s->size > 0 ? 2 * s->size : 256;
		struct source *grown = realloc(s->at, size * sizeof(*grown));

		if (grown == NULL)
			return ENOMEM;
		s->at = grown;
		s->size = size;
	}
	element_of_source(m, 0, &e);
	if (source_of(&e, &s->at[s->count]))
		s->count++;
	return 0;
}

/* ---- The others --------------------------------------------------------------------- */

struct search {
	const struct sources *kept;
	struct transaction *transaction;
	int code;
};

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct source));
}

static void look(const struct element *e, uint64_t left_ms, void *context)
{
	struct search *search = context;
	const struct sources *kept = search->kept;
	struct source source;

	(void)left_ms;
	if (search->code != 0 || !source_of(e, &source) ||
	    (kept->count > 0 &&
	     bsearch(&source, kept->at, kept->count, sizeof(source), compare) != NULL))
		return;
	search->code = transaction_put(search->transaction, TRANSACTION_REMOVE, e);
}

bool sources_sort(struct sources *s)
{
	if (s->count > 0)
		qsort(s->at, s->count, sizeof(*s->at), compare);
	for (size_t i = 1; i < s->count; i++) {
		if (compare(&s->at[i - 1], &s->at[i]) == 0)
			return false;
	}
	return true;
}

int sources_put_others(const struct sources *s, const struct helper_transport *transport,
		       struct transaction *t)
{
	struct search search = { .kept = s, .transaction = t };
	int code = 0;

	for (unsigned set = SET_SNAT4; code == 0 && element_set_is_snat4(set); set++)
		code = table_read(transport, (enum element_set)set, NULL, look, &search);
	return code != 0 ? code : search.code;
}
