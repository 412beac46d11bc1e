/* SPDX-License-Identifier: MIT */
#include "cli/opened.h"

#include "control/shapes.h"

#include <stdlib.h>
#include <string.h>

#define PORTS 65536
#define NONE UINT32_MAX

static const struct {
	enum opened_source source;
	const char *code;
	const char *text;
} sources[] = {
	{ OPENED_AGENT, "agent", "agent" },
	{ OPENED_LEASE, "lease", "lease" },
	{ OPENED_GATEWAY, "gateway", "gateway's ledger" },
	{ OPENED_ROUTER, "igd", "router's list" },
	{ OPENED_PROBE, "probe", "probe" },
	{ OPENED_DIRECT, "direct", "no translation" },
};

/* ---- Merging ------------------------------------------------------------------ */

static bool same_or_unknown(const char *a, const char *b)
{
	return a[0] == '\0' || b[0] == '\0' || strcmp(a, b) == 0;
}

/* Of what a probe found nobody knows the port outside; a wish that was refused or is
 * being asked for has none. */
static bool is_open_somewhere(const struct tenf_mapping *m)
{
	return m->external_port == 0 &&
	       (m->state == TENF_STATE_MAPPED || m->state == TENF_STATE_RENEWING);
}

/* Two sources that speak of the same place. One source that tells of two has two. */
static bool is_same(const struct opened *a, const struct opened *b, bool exactly)
{
	const struct tenf_mapping *m = &a->mapping, *n = &b->mapping;

	if ((a->sources & b->sources) != 0 || m->protocol != n->protocol ||
	    m->internal_port != n->internal_port ||
	    strcmp(m->internal_address, n->internal_address) != 0 ||
	    !same_or_unknown(m->gateway, n->gateway))
		return false;
	if (m->external_port == n->external_port)
		return true;
	return !exactly && (is_open_somewhere(m) || is_open_somewhere(n));
}

static struct opened *find(const struct opened_list *list, const struct opened *wanted)
{
	for (int exactly = 1; exactly >= 0; exactly--) {
		uint32_t at = list->first[wanted->mapping.internal_port];

		for (; at != NONE; at = list->items[at].next) {
			if (is_same(&list->items[at], wanted, exactly != 0))
				return &list->items[at];
		}
	}
	return NULL;
}

static void fill_text(char *ret, const char *other, size_t size)
{
	if (ret[0] == '\0')
		memcpy(ret, other, size);
}

/* What `better` does not know. */
static void fill_in(struct opened *better, const struct opened *other)
{
	struct tenf_mapping *m = &better->mapping;
	const struct tenf_mapping *n = &other->mapping;

	better->sources |= other->sources;
	fill_text(better->id, other->id, sizeof(better->id));
	fill_text(better->name, other->name, sizeof(better->name));
	fill_text(better->router, other->router, sizeof(better->router));
	fill_text(m->external_address, n->external_address, sizeof(m->external_address));
	fill_text(m->gateway, n->gateway, sizeof(m->gateway));
	if (m->external_port == 0)
		m->external_port = n->external_port;
	if (m->method == TENF_METHOD_NONE)
		m->method = n->method;
	if (m->expires_at == 0) {
		m->expires_at = n->expires_at;
		m->lifetime_s = n->lifetime_s;
		better->is_endless = better->is_endless || other->is_endless;
	}
}

static unsigned best_of(unsigned set)
{
	return set & (~set + 1); /* the lowest bit */
}

static void merge(struct opened *entry, const struct opened *news)
{
	struct opened other = *entry;
	uint32_t next = entry->next;

	if (best_of(news->sources) > best_of(entry->sources)) {
		fill_in(entry, news);
		return;
	}
	*entry = *news;
	fill_in(entry, &other);
	entry->next = next;
}

static enum tenf_status grow(struct opened_list *list)
{
	size_t size = list->size > 0 ? 2 * list->size : 16;
	struct opened *items;

	if (list->count >= OPENED_MAX)
		return TENF_E_LIMIT;
	if (list->first == NULL) {
		list->first = malloc(PORTS * sizeof(*list->first));
		if (list->first == NULL)
			return TENF_E_MEMORY;
		memset(list->first, 0xff, PORTS * sizeof(*list->first));
	}
	if (list->count < list->size)
		return TENF_OK;
	items = reallocarray(list->items, size, sizeof(*items));
	if (items == NULL)
		return TENF_E_MEMORY;
	list->items = items;
	list->size = size;
	return TENF_OK;
}

enum tenf_status opened_add(struct opened_list *list, const struct opened *opened)
{
	enum tenf_status status = grow(list);
	struct opened *known;
	uint32_t *first;

	if (status != TENF_OK)
		return status;
	known = find(list, opened);
	if (known != NULL) {
		merge(known, opened);
		return TENF_OK;
	}
	first = &list->first[opened->mapping.internal_port];
	list->items[list->count] = *opened;
	list->items[list->count].next = *first;
	*first = (uint32_t)list->count++;
	return TENF_OK;
}

void opened_done(struct opened_list *list)
{
	free(list->items);
	free(list->first);
	*list = (struct opened_list){ NULL };
}

/* ---- Telling ------------------------------------------------------------------ */

const char *opened_source_code(unsigned set)
{
	for (size_t i = 0; i < TENF_ARRAY_SIZE(sources); i++) {
		if ((set & sources[i].source) != 0)
			return sources[i].code;
	}
	return "";
}

void opened_source_text(struct tenf_text *t, const struct opened *opened)
{
	const char *comma = "";

	for (size_t i = 0; i < TENF_ARRAY_SIZE(sources); i++) {
		if ((opened->sources & sources[i].source) == 0)
			continue;
		tenf_text_add(t, comma);
		tenf_text_add(t, sources[i].text);
		comma = ", ";
	}
	if (opened->router[0] == '\0' || opened->name[0] != '\0')
		return;
	tenf_text_add(t, " (\"");
	tenf_text_add(t, opened->router);
	tenf_text_add(t, "\")");
}

static json_t *source_list(unsigned set)
{
	json_t *list = json_array();

	for (size_t i = 0; i < TENF_ARRAY_SIZE(sources); i++) {
		if ((set & sources[i].source) != 0)
			(void)shape_append(&list, json_string(sources[i].code));
	}
	return list;
}

json_t *opened_shape(const struct opened *opened)
{
	struct shape_label label = { .id = opened->id,
				     .name = opened->name,
				     .source = opened_source_code(opened->sources) };
	json_t *shape = opened->shape != NULL ? json_copy(opened->shape) :
						shape_mapping(&opened->mapping, &label);

	if (shape == NULL || json_object_set_new(shape, "sources", source_list(opened->sources)) ||
	    json_object_set_new(shape, "description", shape_text(opened->router)) ||
	    (opened->through[0] != '\0' &&
	     json_object_set_new(shape, "through", shape_text(opened->through)))) {
		json_decref(shape);
		return NULL;
	}
	return shape;
}
