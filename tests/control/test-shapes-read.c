/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "control/shapes-read.h"
#include "control/shapes.h"

#include <stdlib.h>
#include <string.h>

static const struct tenf_mapping full = {
	.id = 12, .protocol = TENF_UDP, .state = TENF_STATE_REFUSED, .method = TENF_METHOD_NATPMP,
	.internal_port = 8080, .external_port = 80, .requested_external_port = 81,
	.lifetime_s = 7200, .expires_at = 1795330800, .renews_at = 1795327200,
	.internal_address = "192.168.1.20", .external_address = "2001:db8::7",
	.gateway = "fe80::1%eth0",
	.error = { .status = TENF_E_FAILED, .reason = TENF_REASON_REFUSED, .result = 2,
		   .text = "no" },
};

static const struct tenf_gateway router = {
	.address = "192.168.1.1", .port = 5351, .interface = "eth0", .source = "192.168.1.20",
	.spoken_count = 2, .spoken = { { TENF_METHOD_PCP, 2 }, { TENF_METHOD_IGD, 0 } },
	.external_address = "203.0.113.7", .address_class = TENF_ADDRESS_CARRIER, .epoch_s = 0,
	.up_since = 1795323583, .rtt_us = 812, .error = { .result = -1 },
};

static void a_mapping_comes_back_as_it_was(void **state)
{
	struct shape_label label = { .id = "m12", .name = "web", .source = "agent" };
	struct tenf_mapping back;
	struct shape_tag tag;
	json_t *made;

	(void)state;
	label.delivery = shape_delivery("failed", 0);
	made = shape_mapping(&full, &label);
	assert_int_equal(shape_read_mapping(made, &back, &tag, NULL), TENF_OK);
	assert_memory_equal(&back, &full, sizeof(full));
	assert_string_equal(tag.id, "m12");
	assert_string_equal(tag.name, "web");
	assert_string_equal(tag.source, "agent");
	assert_string_equal(tag.delivery, "failed");
	json_decref(label.delivery);
	json_decref(made);
}

static void a_gateway_comes_back_as_it_was(void **state)
{
	struct tenf_gateway unknown = { .epoch_s = -1, .rtt_us = -1, .error = { .result = -1 } };
	json_t *one = shape_gateway(&router);
	json_t *none = shape_gateway(&unknown);
	struct tenf_gateway back;

	(void)state;
	assert_int_equal(shape_read_gateway(one, &back, NULL), TENF_OK);
	assert_memory_equal(&back, &router, sizeof(router));
	assert_int_equal(shape_read_gateway(none, &back, NULL), TENF_OK);
	assert_memory_equal(&back, &unknown, sizeof(unknown));
	json_decref(one);
	json_decref(none);
}

static void every_event_comes_back_as_it_was(void **state)
{
	(void)state;
	for (unsigned kind = TENF_EVENT_GATEWAY; kind <= TENF_EVENT_REMOVED; kind++) {
		struct tenf_event event = { .kind = (enum tenf_event_kind)kind,
					    .at = 1795330800 };
		const struct shape_label label = { .id = "m12" };
		struct tenf_event back;
		json_t *made;

		if (kind <= TENF_EVENT_ADDRESS) {
			event.gateway = router;
		} else {
			event.mapping = full;
			event.before = full;
			event.before.external_port = 4;
		}
		if (kind == TENF_EVENT_ADDRESS)
			memcpy(event.address_before, "192.0.2.1", sizeof("192.0.2.1"));
		made = shape_event(&event, &label);
		assert_int_equal(shape_read_event(made, &back, NULL, NULL), TENF_OK);
		assert_memory_equal(&back, &event, sizeof(event));
		json_decref(made);
	}
}

#define LEAST "\"protocol\": \"tcp\", \"internal_port\": 1, \"state\": \"asking\""

static enum tenf_status read_text(const char *text, struct tenf_mapping *ret, char *why,
				  size_t size)
{
	struct tenf_text t = tenf_text_of(why, size);
	json_t *shape = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	enum tenf_status status;

	assert_non_null(shape);
	status = shape_read_mapping(shape, ret, NULL, &t);
	json_decref(shape);
	return status;
}

static void keys_it_does_not_know_are_ignored(void **state)
{
	struct tenf_mapping m;
	char why[100];

	(void)state;
	assert_int_equal(read_text("{" LEAST ", \"colour\": [1, {}]}", &m, why, sizeof(why)),
			 TENF_OK);
	assert_int_equal(m.internal_port, 1);
	assert_int_equal(m.id, 0);
	assert_int_equal(m.error.result, -1);
}

static void what_makes_no_sense_is_named(void **state)
{
	static const char *const wrong[][2] = {
		{ "[]", "mapping" },
		{ "7", "mapping" },
		{ "{}", "protocol" },
		{ "{\"protocol\": 6}", "internal_port" },
		{ "{" LEAST ", \"protocol\": \"sctp\"}", "protocol" },
		{ "{" LEAST ", \"internal_port\": 65536}", "internal_port" },
		{ "{" LEAST ", \"internal_port\": \"80\"}", "internal_port" },
		{ "{" LEAST ", \"external_port\": -1}", "external_port" },
		{ "{" LEAST ", \"external_port\": 1.5}", "external_port" },
		{ "{" LEAST ", \"lifetime\": 4294967296}", "lifetime" },
		{ "{" LEAST ", \"state\": \"happy\"}", "state" },
		{ "{" LEAST ", \"method\": \"upnp\"}", "method" },
		{ "{" LEAST ", \"expires_at\": \"tomorrow\"}", "expires_at" },
		{ "{" LEAST ", \"expires_at\": 12}", "expires_at" },
		{ "{" LEAST ", \"gateway\": \"router\"}", "gateway" },
		{ "{" LEAST ", \"external_address\": \"\\u001b[2J\"}", "external_address" },
		{ "{" LEAST ", \"name\": \"a\\u0000b\"}", "name" },
		{ "{" LEAST ", \"id\": 12}", "id" },
		{ "{" LEAST ", \"delivery\": 1}", "delivery" },
		{ "{" LEAST ", \"delivery\": {\"state\": 1}}", "delivery" },
		{ "{" LEAST ", \"error\": \"refused\"}", "error" },
		{ "{" LEAST ", \"error\": {}}", "error" },
		{ "{" LEAST ", \"error\": {\"code\": \"bad\"}}", "error" },
		{ "{" LEAST ", \"error\": {\"code\": \"silent\", \"result\": \"2\"}}", "error" },
	};
	struct tenf_mapping m = { .id = 77 };
	char why[100];
	char expected[100];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct tenf_text t = tenf_text_of(expected, sizeof(expected));

		assert_int_equal(read_text(wrong[i][0], &m, why, sizeof(why)), TENF_E_MALFORMED);
		assert_int_equal(m.id, 77);
		if (i == 3)
			continue; /* two are wrong */
		tenf_text_add(&t, "\"");
		tenf_text_add(&t, wrong[i][1]);
		tenf_text_add(&t, "\" of the mapping makes no sense");
		assert_string_equal(why, expected);
	}
}

static void a_name_at_its_limit_is_read_and_above_it_not(void **state)
{
	char name[SHAPE_NAME_SIZE + 1] = { 0 };
	struct tenf_mapping m;
	struct shape_tag tag;
	json_t *shape;

	(void)state;
	memset(name, 'n', SHAPE_NAME_SIZE - 1);
	shape = json_pack("{ss si ss ss}", "protocol", "tcp", "internal_port", 1, "state", "lost",
			  "name", name);
	assert_int_equal(shape_read_mapping(shape, &m, &tag, NULL), TENF_OK);
	assert_string_equal(tag.name, name);
	name[SHAPE_NAME_SIZE - 1] = 'n';
	assert_int_equal(json_object_set_new(shape, "name", json_string(name)), 0);
	assert_int_equal(shape_read_mapping(shape, &m, &tag, NULL), TENF_E_MALFORMED);
	json_decref(shape);
}

static void a_gateway_that_makes_no_sense_is_refused(void **state)
{
	static const char *const wrong[] = {
		"{\"methods\": {}}", "{\"methods\": [1]}", "{\"methods\": [{\"version\": 2}]}",
		"{\"methods\": [{\"name\": \"pcp\", \"version\": 256}]}",
		"{\"rtt_ms\": \"fast\"}", "{\"rtt_ms\": -1}", "{\"rtt_ms\": 1e300}",
		"{\"interface\": \"a-name-that-is-too-long\"}", "{\"address_class\": \"nice\"}",
		"{\"epoch\": -1}", "{\"up_since\": \"2026-13-01T00:00:00Z\"}", "[]",
	};
	struct tenf_gateway g;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		json_t *shape = json_loads(wrong[i], 0, NULL);

		assert_int_equal(shape_read_gateway(shape, &g, NULL), TENF_E_MALFORMED);
		json_decref(shape);
	}
}

static enum tenf_status read_event(const char *text)
{
	json_t *shape = json_loads(text, 0, NULL);
	struct tenf_event event;
	enum tenf_status status = shape_read_event(shape, &event, NULL, NULL);

	json_decref(shape);
	return status;
}

static void an_event_of_an_unknown_kind_is_to_be_skipped(void **state)
{
	(void)state;
	assert_int_equal(read_event("{\"event\": \"pending\", \"at\": null}"), TENF_E_NOT_FOUND);
	assert_int_equal(read_event("{\"event\": 4}"), TENF_E_MALFORMED);
	assert_int_equal(read_event("{}"), TENF_E_MALFORMED);
	assert_int_equal(read_event("[]"), TENF_E_MALFORMED);
	assert_int_equal(read_event("{\"event\": \"mapped\"}"), TENF_E_MALFORMED);
	assert_int_equal(read_event("{\"event\": \"gateway\"}"), TENF_E_MALFORMED);
	assert_int_equal(read_event("{\"event\": \"address\", \"gateway\": {}, "
				    "\"external_address_before\": 7}"), TENF_E_MALFORMED);
	assert_int_equal(read_event("{\"event\": \"mapped\", \"mapping\": {" LEAST "}, "
				    "\"before\": {}}"), TENF_E_MALFORMED);
}

static void what_was_before_is_seen_whatever_its_id(void **state)
{
	static const char *const ids[] = { "m7", "m7t", "x" };

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		json_t *shape = json_pack("{ss s{ss si ss} s{ss ss si ss}}", "event", "changed",
					  "mapping", "protocol", "tcp", "internal_port", 1,
					  "state", "mapped", "before", "id", ids[i], "protocol",
					  "tcp", "internal_port", 1, "state", "mapped");
		struct tenf_event event;

		assert_int_equal(shape_read_event(shape, &event, NULL, NULL), TENF_OK);
		assert_int_not_equal(event.before.id, 0);
		assert_int_equal(json_object_del(shape, "before"), 0);
		assert_int_equal(shape_read_event(shape, &event, NULL, NULL), TENF_OK);
		assert_int_equal(event.before.id, 0);
		json_decref(shape);
	}
}

static void a_point_in_time_has_one_form(void **state)
{
	static const char *const wrong[] = {
		"", "2026-11-22", "2026-11-22T07:00:00", "2026-11-22T07:00:00z",
		"2026-11-22 07:00:00Z", "2026-11-22T07:00:00ZZ", "2026-11-31T07:00:00Z",
		"2026-02-29T07:00:00Z", "2026-00-10T07:00:00Z", "2026-11-22T24:00:00Z",
		"2026-11-22T07:60:00Z", "1969-11-22T07:00:00Z", "1970-01-01T00:00:00Z",
		"0000-00-00T00:00:00Z", "x026-11-22T07:00:00Z",
	};
	int64_t at = 5;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(shape_read_time(wrong[i], &at));
	assert_int_equal(at, 5);
	assert_true(shape_read_time("2028-02-29T07:00:00Z", &at));
	assert_int_equal(at, 1835420400);
	assert_true(shape_read_time("9999-12-31T23:59:59Z", &at));
	assert_int_equal(at, INT64_C(253402300799));
}

static void a_failure_gives_its_words(void **state)
{
	json_t *shape = shape_failure("busy", "try again");

	(void)state;
	assert_string_equal(shape_read_failure(shape, "-"), "try again");
	assert_string_equal(shape_read_failure(NULL, "-"), "-");
	json_decref(shape);
	shape = json_loads("{\"error\": {\"text\": 4}}", 0, NULL);
	assert_string_equal(shape_read_failure(shape, "-"), "-");
	json_decref(shape);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mapping_comes_back_as_it_was),
		cmocka_unit_test(a_gateway_comes_back_as_it_was),
		cmocka_unit_test(every_event_comes_back_as_it_was),
		cmocka_unit_test(keys_it_does_not_know_are_ignored),
		cmocka_unit_test(what_makes_no_sense_is_named),
		cmocka_unit_test(a_name_at_its_limit_is_read_and_above_it_not),
		cmocka_unit_test(a_gateway_that_makes_no_sense_is_refused),
		cmocka_unit_test(an_event_of_an_unknown_kind_is_to_be_skipped),
		cmocka_unit_test(what_was_before_is_seen_whatever_its_id),
		cmocka_unit_test(a_point_in_time_has_one_form),
		cmocka_unit_test(a_failure_gives_its_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
