/* SPDX-License-Identifier: MIT */
/*
 * JSON from a daemon, and its stream of events: any octets as a mapping, a
 * gateway and an event. What was read must survive being written and read again.
 */
#include "control/shapes-read.h"
#include "control/shapes.h"
#include "control/sse.h"
#include "fuzz.h"

#include <string.h>

static void check_mapping(const json_t *shape)
{
	struct tenf_mapping m, again;
	struct shape_tag tag, tag_again;
	struct shape_label label;
	json_t *made;

	if (shape_read_mapping(shape, &m, &tag, NULL) != TENF_OK)
		return;
	label = (struct shape_label){ .id = tag.id, .name = tag.name, .source = tag.source };
	if (tag.delivery[0] != '\0')
		label.delivery = shape_delivery(tag.delivery, 0);
	made = shape_mapping(&m, &label);
	json_decref(label.delivery);
	if (m.error.reason == TENF_REASON_NONE) /* an error of no reason is none */
		m.error = (struct tenf_error){ .result = -1 };
	/* A sentence cut inside a character cannot be told again. */
	if (strlen(m.error.text) == sizeof(m.error.text) - 1)
		memset(m.error.text, 0, sizeof(m.error.text));
	FUZZ_CHECK(made != NULL);
	FUZZ_CHECK(shape_read_mapping(made, &again, &tag_again, NULL) == TENF_OK);
	if (strlen(again.error.text) == sizeof(again.error.text) - 1)
		memset(again.error.text, 0, sizeof(again.error.text));
	FUZZ_CHECK(memcmp(&m, &again, sizeof(m)) == 0);
	FUZZ_CHECK(memcmp(&tag, &tag_again, sizeof(tag)) == 0);
	json_decref(made);
}

static void check_gateway(const json_t *shape)
{
	struct tenf_gateway g, again;
	json_t *made;

	if (shape_read_gateway(shape, &g, NULL) != TENF_OK)
		return;
	made = shape_gateway(&g);
	FUZZ_CHECK(made != NULL);
	FUZZ_CHECK(shape_read_gateway(made, &again, NULL) == TENF_OK);
	FUZZ_CHECK(strcmp(g.address, again.address) == 0);
	FUZZ_CHECK(g.spoken_count == again.spoken_count);
	FUZZ_CHECK(g.epoch_s == again.epoch_s);
	FUZZ_CHECK(g.up_since == again.up_since);
	FUZZ_CHECK(g.rtt_us == again.rtt_us);
	json_decref(made);
}

static void check_event(const json_t *shape)
{
	struct tenf_event event, again;
	struct shape_tag tag;
	json_t *made;

	if (shape_read_event(shape, &event, &tag, NULL) != TENF_OK)
		return;
	made = shape_event(&event, &(struct shape_label){ .id = tag.id });
	FUZZ_CHECK(made != NULL);
	FUZZ_CHECK(shape_read_event(made, &again, NULL, NULL) == TENF_OK);
	FUZZ_CHECK(event.kind == again.kind && event.at == again.at);
	json_decref(made);
}

static void check(const char *text, size_t size)
{
	json_t *shape = json_loadb(text, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

	if (shape == NULL)
		return;
	check_mapping(shape);
	check_gateway(shape);
	check_event(shape);
	FUZZ_CHECK(shape_read_failure(shape, "none") != NULL);
	json_decref(shape);
}

/* In two packets, cut anywhere: the same events as in one. */
static void check_stream(const char *text, size_t size)
{
	size_t cut = size > 0 ? (unsigned char)text[0] % size : 0;
	struct sse whole, parts;
	struct sse_event a, b;

	sse_init(&whole);
	sse_init(&parts);
	FUZZ_CHECK(sse_feed(&whole, text, size) == TENF_OK);
	FUZZ_CHECK(sse_feed(&parts, text, cut) == TENF_OK);
	FUZZ_CHECK(sse_feed(&parts, text + cut, size - cut) == TENF_OK);
	while (sse_next(&whole, &a)) {
		FUZZ_CHECK(sse_next(&parts, &b));
		FUZZ_CHECK(strcmp(a.event, b.event) == 0);
		FUZZ_CHECK(strcmp(a.data, b.data) == 0);
		FUZZ_CHECK(strcmp(whole.id, parts.id) == 0);
		check(a.data, strlen(a.data));
	}
	FUZZ_CHECK(!sse_next(&parts, &b));
	sse_done(&whole);
	sse_done(&parts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check((const char *)data, size);
	check_stream((const char *)data, size);
	return 0;
}
