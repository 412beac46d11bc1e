/* SPDX-License-Identifier: MIT */
/*
 * The merge of what several sources know: rows made of any octets, from any source in
 * any order. No row may be lost or made up, and no source may be in an entry twice.
 */
#include "cli/opened.h"
#include "fuzz.h"

#include "base/bytes.h"

#include <stdio.h>
#include <string.h>

#define ROWS_MAX 64

static const unsigned sources[] = { OPENED_AGENT, OPENED_LEASE, OPENED_GATEWAY, OPENED_ROUTER,
				    OPENED_PROBE };

/* Few values of each field, so that rows meet. */
static void read_row(struct tenf_reader *r, struct opened *ret)
{
	uint8_t a = tenf_reader_u8(r), b = tenf_reader_u8(r);
	struct tenf_mapping *m = &ret->mapping;

	*ret = (struct opened){ .sources = sources[a % TENF_ARRAY_SIZE(sources)] };
	m->protocol = (a & 0x80) != 0 ? TENF_TCP : TENF_UDP;
	m->state = TENF_STATE_MAPPED;
	m->error.result = -1;
	m->internal_port = (uint16_t)(b & 3);
	m->external_port = (uint16_t)(b >> 2 & 3);
	m->expires_at = b >> 4 & 1;
	if ((b & 0x20) != 0)
		snprintf(m->gateway, sizeof(m->gateway), "10.0.0.%d", b >> 6);
	snprintf(m->internal_address, sizeof(m->internal_address), "10.0.0.%d", a >> 4 & 1);
	if ((a & 0x20) != 0)
		snprintf(ret->name, sizeof(ret->name), "name %d", b);
	if ((a & 0x40) != 0)
		snprintf(ret->router, sizeof(ret->router), "NAT-PMP %d tcp", b);
}

static bool holds(const struct opened *entry, const struct opened *row)
{
	const struct tenf_mapping *m = &entry->mapping, *n = &row->mapping;

	return (entry->sources & row->sources) != 0 && m->protocol == n->protocol &&
	       m->internal_port == n->internal_port &&
	       (n->external_port == 0 || m->external_port == n->external_port) &&
	       strcmp(m->internal_address, n->internal_address) == 0 &&
	       (row->name[0] == '\0' || entry->name[0] != '\0') &&
	       (n->gateway[0] == '\0' || strcmp(m->gateway, n->gateway) == 0);
}

static void check(const struct opened_list *list, const struct opened *rows, size_t count)
{
	size_t of_source[TENF_ARRAY_SIZE(sources)] = { 0 };

	for (size_t i = 0; i < count; i++) {
		bool found = false;

		for (size_t k = 0; k < list->count; k++)
			found = found || holds(&list->items[k], &rows[i]);
		FUZZ_CHECK(found);
	}
	/* As many of each source as there were: none twice in an entry, none dropped. */
	for (size_t s = 0; s < TENF_ARRAY_SIZE(sources); s++) {
		for (size_t i = 0; i < count; i++)
			of_source[s] += rows[i].sources == sources[s];
		for (size_t k = 0; k < list->count; k++)
			of_source[s] -= (list->items[k].sources & sources[s]) != 0;
		FUZZ_CHECK(of_source[s] == 0);
	}
}

static void tell(const struct opened_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		json_t *shape = opened_shape(&list->items[i]);
		char text[400];
		struct tenf_text t = tenf_text_of(text, sizeof(text));

		FUZZ_CHECK(shape != NULL);
		FUZZ_CHECK(json_array_size(json_object_get(shape, "sources")) > 0);
		json_decref(shape);
		opened_source_text(&t, &list->items[i]);
		FUZZ_CHECK(!t.cut && t.used > 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct opened rows[ROWS_MAX];
	struct tenf_reader r = tenf_reader_of(data, size);
	struct opened_list list = { NULL };
	size_t count = 0;

	while (r.left >= 2 && count < ROWS_MAX) {
		read_row(&r, &rows[count]);
		FUZZ_CHECK(opened_add(&list, &rows[count++]) == TENF_OK);
	}
	check(&list, rows, count);
	tell(&list);
	opened_done(&list);
	return 0;
}
