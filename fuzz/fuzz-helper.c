/* SPDX-License-Identifier: MIT */
/*
 * The messages of the gateway's privileged helper, as it reads them from a daemon that
 * may have been taken over. What it takes is written and read again alike, and
 * makes rules and elements within their limits.
 */
#include "fuzz.h"
#include "gateway/helper/elements.h"
#include "gateway/helper/forward.h"
#include "gateway/helper/table.h"

#include <string.h>

static uint8_t again[HELPER_MESSAGE_MAX];

static void fuzz_elements(const struct helper_mapping *m)
{
	static struct helper_mapping back;
	uint8_t user_data[ELEMENT_USER_DATA_MAX];
	struct element_filter filter;
	struct element e;

	element_of_mapping(m, 0, user_data, &e);
	FUZZ_CHECK(e.key_len <= ELEMENT_KEY_MAX && e.data_len <= ELEMENT_DATA_MAX);
	FUZZ_CHECK(e.user_data_len <= ELEMENT_USER_DATA_MAX);
	FUZZ_CHECK(memchr(user_data + 2, '"', user_data[1]) == NULL);
	FUZZ_CHECK(element_to_mapping(&e, e.timeout_ms, 0, &back) == TENF_OK);
	FUZZ_CHECK(tenf_endpoint_equal(&back.internal, &m->internal));
	FUZZ_CHECK(tenf_endpoint_equal(&back.external, &m->external));
	FUZZ_CHECK(back.id == m->id && back.description_len == m->description_len);
	if (tenf_address_is_v4(&m->internal.address))
		element_of_source(m, 0, &e);
	for (uint8_t i = 0; i < m->filter_count; i++) {
		element_of_filter(m, &m->filters[i], 0, &e);
		FUZZ_CHECK(memcmp(e.key, e.end, e.key_len) <= 0);
		FUZZ_CHECK(element_to_filter(&e, &filter) == TENF_OK);
	}
}

static void fuzz_changes(struct tenf_reader *r, uint16_t count)
{
	static struct helper_change change;
	static struct helper_change same;

	for (uint16_t i = 0; i < count && helper_read_change(r, &change) == TENF_OK; i++) {
		struct tenf_writer w = tenf_writer_of(again, sizeof(again));
		struct tenf_reader back;

		helper_write_change(&w, &change);
		FUZZ_CHECK(!w.failed);
		back = tenf_reader_of(again, w.used);
		FUZZ_CHECK(helper_read_change(&back, &same) == TENF_OK && back.left == 0);
		FUZZ_CHECK(same.kind == change.kind && same.epoch_start == change.epoch_start);
		if (change.kind <= HELPER_REMOVE)
			fuzz_elements(&change.mapping);
	}
}

/* Nothing of a setup can end its quotes or its rule. */
static void fuzz_setup(struct tenf_reader *r)
{
	static struct helper_setup setup;
	static char buffer[TABLE_TEXT_MAX];
	struct tenf_text text = tenf_text_of(buffer, sizeof(buffer));
	size_t quotes = 0;

	if (helper_read_setup(r, &setup) != TENF_OK)
		return;
	table_text(&setup, &text);
	for (const char *c = buffer; *c != '\0'; c++) {
		quotes += *c == '"';
		FUZZ_CHECK(*c != '\n' || quotes % 2 == 0);
	}
	FUZZ_CHECK(text.cut || quotes % 2 == 0);
}

/* What nft prints is text of others. */
static void fuzz_listing(const uint8_t *data, size_t size)
{
	static struct forward_chain chains[FORWARD_CHAINS_MAX];
	static char text[4096];
	struct forward_rules rules;
	size_t len = size < sizeof(text) - 1 ? size : sizeof(text) - 1;

	memcpy(text, data, len);
	text[len] = '\0';
	FUZZ_CHECK(forward_find_chains(text, chains, FORWARD_CHAINS_MAX) <= FORWARD_CHAINS_MAX);
	forward_read_rules(text, &rules);
	FUZZ_CHECK(rules.own_count <= FORWARD_OWN_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tenf_reader r = tenf_reader_of(data, size);
	static struct helper_done done;
	struct helper_found found;
	struct helper_flow flow;
	struct helper_head head;

	if (size == 0)
		return 0;
	fuzz_listing(data, size);
	if (helper_read_head(&r, &head) != TENF_OK)
		return 0;
	if (head.kind == HELPER_SETUP)
		fuzz_setup(&r);
	else if (head.kind == HELPER_BATCH)
		fuzz_changes(&r, head.count);
	else if (head.kind == HELPER_FLOW && helper_read_flow(&r, &flow) == TENF_OK)
		FUZZ_CHECK(flow.protocol == TENF_TCP || flow.protocol == TENF_UDP);
	else if (head.kind == HELPER_DONE && helper_read_done(&r, &done) == TENF_OK)
		FUZZ_CHECK(strlen(done.text) < sizeof(done.text));
	else if (head.kind == HELPER_FOUND && helper_read_found(&r, &found) == TENF_OK)
		FUZZ_CHECK(r.left < size);
	return 0;
}
