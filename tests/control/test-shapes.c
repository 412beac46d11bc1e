/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "control/shapes.h"

#include <stdlib.h>
#include <string.h>

/* Releases `made`. */
static void expect(json_t *made, const char *golden)
{
	char *text = json_dumps(made, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));

	assert_non_null(text);
	assert_string_equal(text, golden);
	free(text);
	json_decref(made);
}

static const struct tenf_mapping full = {
	.id = 1, .protocol = TENF_TCP, .state = TENF_STATE_MAPPED, .method = TENF_METHOD_PCP,
	.internal_port = 8080, .external_port = 80, .requested_external_port = 80,
	.gateway_port = 5351, .lifetime_s = 7200, .expires_at = 1795330800,
	.renews_at = 1795327200, .internal_address = "192.168.1.20",
	.external_address = "203.0.113.7", .gateway = "192.168.1.1",
	.error = { .result = -1 },
};

#define FULL                                                                               \
	"{\"id\": \"m1\", \"name\": \"web\", \"protocol\": \"tcp\", "                      \
	"\"internal_address\": \"192.168.1.20\", \"internal_port\": 8080, "                \
	"\"external_address\": \"203.0.113.7\", \"external_port\": 80, "                   \
	"\"requested_external_port\": 80, \"lifetime\": 7200, "                            \
	"\"expires_at\": \"2026-11-22T07:00:00Z\", \"renews_at\": \"2026-11-22T06:00:00Z\", " \
	"\"state\": \"mapped\", \"method\": \"pcp\", \"gateway\": \"192.168.1.1\", "       \
	"\"source\": \"agent\", \"error\": null"

static const struct shape_label web = { .id = "m1", .name = "web", .source = "agent" };

static void a_mapping_has_the_keys_of_the_contract(void **state)
{
	(void)state;
	expect(shape_mapping(&full, &web), FULL "}");
}

static void what_is_not_known_of_a_mapping_is_null(void **state)
{
	const struct tenf_mapping bare = { .protocol = TENF_UDP, .internal_port = 1,
					   .state = TENF_STATE_ASKING };

	(void)state;
	expect(shape_mapping(&bare, NULL),
	       "{\"id\": null, \"name\": null, \"protocol\": \"udp\", \"internal_address\": null, "
	       "\"internal_port\": 1, \"external_address\": null, \"external_port\": null, "
	       "\"requested_external_port\": null, \"lifetime\": null, \"expires_at\": null, "
	       "\"renews_at\": null, \"state\": \"asking\", \"method\": null, \"gateway\": null, "
	       "\"source\": null, \"error\": null}");
}

static void delivery_is_part_of_a_mapping_when_there_is_one(void **state)
{
	struct shape_label told = web;

	(void)state;
	told.delivery = shape_delivery("confirmed", 1795330800);
	expect(shape_mapping(&full, &told),
	       FULL ", \"delivery\": {\"state\": \"confirmed\", "
	       "\"at\": \"2026-11-22T07:00:00Z\"}}");
	json_decref(told.delivery);
}

static void a_namespace_is_part_of_a_mapping_when_it_is_another(void **state)
{
	struct shape_label told = web;

	(void)state;
	told.namespace = "vpn";
	expect(shape_mapping(&full, &told), FULL ", \"namespace\": \"vpn\"}");
	told.namespace = "";
	expect(shape_mapping(&full, &told), FULL "}");
}

static void an_error_has_code_result_and_text(void **state)
{
	struct tenf_error error = { .reason = TENF_REASON_REFUSED, .result = 2, .text = "no" };

	(void)state;
	expect(shape_error(&error), "{\"code\": \"refused\", \"result\": 2, \"text\": \"no\"}");
	error.result = -1;
	error.text[0] = '\0';
	expect(shape_error(&error),
	       "{\"code\": \"refused\", \"result\": null, \"text\": null}");
	error.reason = TENF_REASON_NONE;
	expect(shape_error(&error), "null");
}

static const struct tenf_gateway router = {
	.address = "192.168.1.1", .port = 5351, .interface = "eth0", .source = "192.168.1.20",
	.spoken_count = 2, .spoken = { { TENF_METHOD_PCP, 2 }, { TENF_METHOD_NATPMP, 0 } },
	.external_address = "203.0.113.7", .address_class = TENF_ADDRESS_PUBLIC, .epoch_s = 438,
	.up_since = 1795323583, .rtt_us = 400,
};

#define ROUTER                                                                              \
	"{\"address\": \"192.168.1.1\", \"port\": 5351, \"interface\": \"eth0\", "          \
	"\"source\": \"192.168.1.20\", \"methods\": [{\"name\": \"pcp\", \"version\": 2}, " \
	"{\"name\": \"natpmp\", \"version\": 0}], \"external_address\": \"203.0.113.7\", "  \
	"\"address_class\": \"public\", \"epoch\": 438, "                                   \
	"\"up_since\": \"2026-11-22T04:59:43Z\", \"rtt_ms\": 0.4, \"error\": null}"

static void a_gateway_has_the_keys_of_the_contract(void **state)
{
	(void)state;
	expect(shape_gateway(&router), ROUTER);
}

static void what_is_not_known_of_a_gateway_is_null(void **state)
{
	const struct tenf_gateway none = { .epoch_s = -1, .rtt_us = -1 };

	(void)state;
	expect(shape_gateway(&none),
	       "{\"address\": null, \"port\": null, \"interface\": null, \"source\": null, "
	       "\"methods\": [], \"external_address\": null, \"address_class\": null, "
	       "\"epoch\": null, \"up_since\": null, \"rtt_ms\": null, \"error\": null}");
}

static void an_event_of_a_mapping_tells_what_was_before(void **state)
{
	struct tenf_event event = { .kind = TENF_EVENT_MAPPED, .at = 1795330800, .mapping = full };

	(void)state;
	expect(shape_event(&event, &web),
	       "{\"event\": \"mapped\", \"at\": \"2026-11-22T07:00:00Z\", \"mapping\": " FULL
	       "}, \"before\": null}");
	event.kind = TENF_EVENT_CHANGED;
	event.before = full;
	expect(shape_event(&event, &web),
	       "{\"event\": \"changed\", \"at\": \"2026-11-22T07:00:00Z\", \"mapping\": " FULL
	       "}, \"before\": " FULL "}}");
}

static void an_event_of_a_gateway_tells_the_gateway(void **state)
{
	struct tenf_event event = { .kind = TENF_EVENT_GATEWAY_RESTART, .at = 1795330800,
				    .gateway = router, .address_before = "203.0.113.6" };

	(void)state;
	expect(shape_event(&event, NULL), "{\"event\": \"gateway-restart\", "
	       "\"at\": \"2026-11-22T07:00:00Z\", \"gateway\": " ROUTER
	       ", \"mapping\": null, \"before\": null}");
	event.kind = TENF_EVENT_ADDRESS;
	expect(shape_event(&event, NULL), "{\"event\": \"address\", "
	       "\"at\": \"2026-11-22T07:00:00Z\", \"gateway\": " ROUTER
	       ", \"mapping\": null, \"before\": null, \"external_address\": \"203.0.113.7\", "
	       "\"external_address_before\": \"203.0.113.6\"}");
}

static void a_pending_wish_has_the_keys_of_the_contract(void **state)
{
	const struct shape_pending wish = { .id = "p7", .client = "192.168.1.61",
					    .protocol = TENF_TCP, .internal_port = 554,
					    .first_seen = 1795330800, .tries = 4,
					    .state = "waiting" };

	(void)state;
	expect(shape_pending(&wish),
	       "{\"id\": \"p7\", \"client\": \"192.168.1.61\", \"mac\": null, "
	       "\"protocol\": \"tcp\", \"internal_port\": 554, \"external_port\": null, "
	       "\"first_seen\": \"2026-11-22T07:00:00Z\", \"tries\": 4, \"state\": \"waiting\"}");
}

static void status_and_failures_are_wrapped(void **state)
{
	json_t *list = json_array();

	(void)state;
	assert_true(shape_append(&list, json_integer(1)));
	expect(shape_status(list, json_pack("{sb}", "running", 1), 3),
	       "{\"gateways\": [1], \"agent\": {\"running\": true}, \"mappings\": 3}");
	expect(shape_failure("busy", "try again"),
	       "{\"error\": {\"code\": \"busy\", \"text\": \"try again\"}}");
	expect(shape_wrap("mappings", json_array()), "{\"mappings\": []}");
}

static void a_part_that_could_not_be_made_makes_nothing(void **state)
{
	json_t *list = json_array();

	(void)state;
	assert_null(shape_wrap("x", NULL));
	assert_null(shape_status(json_array(), NULL, 1));
	assert_false(shape_append(&list, NULL));
	assert_null(list);
	assert_false(shape_append(&list, json_integer(1)));
}

static void what_a_gateway_knows_stands_beside_the_mapping(void **state)
{
	const struct shape_governed known = { .client = "192.168.1.20", .rule = 3,
					      .rule_name = "lan", .rule_action = "allow",
					      .made_at = 1, .renewals = 0, .opcode = "peer",
					      .remote_address = "9.9.9.9",
					      .remote_port = 443 };
	const struct shape_governed unknown = { .client = "::1", .renewals = -1 };

	(void)state;
	expect(shape_governed(json_object(), &known),
	       "{\"client\": \"192.168.1.20\", \"mac\": null, "
	       "\"rule\": {\"number\": 3, \"name\": \"lan\", \"action\": \"allow\"}, "
	       "\"made_at\": \"1970-01-01T00:00:01Z\", \"renewals\": 0, \"opcode\": \"peer\", "
	       "\"remote_address\": \"9.9.9.9\", \"remote_port\": 443}");
	expect(shape_governed(json_object(), &unknown),
	       "{\"client\": \"::1\", \"mac\": null, \"rule\": null, \"made_at\": null, "
	       "\"renewals\": null, \"opcode\": null, \"remote_address\": null, "
	       "\"remote_port\": null}");
	assert_null(shape_governed(NULL, &known));
}

static void small_facts_are_null_when_there_are_none(void **state)
{
	(void)state;
	expect(shape_text(NULL), "null");
	expect(shape_text(""), "null");
	expect(shape_text("\xff"), "null");
	expect(shape_time(0), "null");
	expect(shape_time(-1), "null");
	expect(shape_time(1), "\"1970-01-01T00:00:01Z\"");
	expect(shape_time(INT64_C(253402300799)), "\"9999-12-31T23:59:59Z\"");
	expect(shape_time(INT64_C(253402300800)), "null");
	expect(shape_some(0), "null");
	expect(shape_some(7), "7");
	expect(shape_known(-1), "null");
	expect(shape_known(0), "0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mapping_has_the_keys_of_the_contract),
		cmocka_unit_test(what_is_not_known_of_a_mapping_is_null),
		cmocka_unit_test(delivery_is_part_of_a_mapping_when_there_is_one),
		cmocka_unit_test(a_namespace_is_part_of_a_mapping_when_it_is_another),
		cmocka_unit_test(an_error_has_code_result_and_text),
		cmocka_unit_test(a_gateway_has_the_keys_of_the_contract),
		cmocka_unit_test(what_is_not_known_of_a_gateway_is_null),
		cmocka_unit_test(an_event_of_a_mapping_tells_what_was_before),
		cmocka_unit_test(an_event_of_a_gateway_tells_the_gateway),
		cmocka_unit_test(a_pending_wish_has_the_keys_of_the_contract),
		cmocka_unit_test(status_and_failures_are_wrapped),
		cmocka_unit_test(a_part_that_could_not_be_made_makes_nothing),
		cmocka_unit_test(what_a_gateway_knows_stands_beside_the_mapping),
		cmocka_unit_test(small_facts_are_null_when_there_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
