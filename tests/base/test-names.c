/* SPDX-License-Identifier: MIT */
#include "base/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#define LARGEST 512 /* above every value of every enum of types.h */

typedef const char *(*name_function)(int value);

static const char *status(int value)
{
	return tenf_status_name((enum tenf_status)value);
}

static const char *reason(int value)
{
	return tenf_reason_code((enum tenf_reason)value);
}

static const char *method(int value)
{
	return tenf_method_code((enum tenf_method)value);
}

static const char *title(int value)
{
	return tenf_method_title((enum tenf_method)value);
}

static const char *state_code(int value)
{
	return tenf_state_code((enum tenf_state)value);
}

static const char *event(int value)
{
	return tenf_event_code((enum tenf_event_kind)value);
}

static const char *class_code(int value)
{
	return tenf_class_code((enum tenf_address_class)value);
}

/* How many values have a name; no two may share one. */
static unsigned count_named(name_function name)
{
	const char *seen[LARGEST];
	unsigned count = 0;

	for (int value = 0; value < LARGEST; value++) {
		const char *text = name(value);

		assert_non_null(text);
		if (strncmp(text, "unknown", 7) == 0)
			continue;
		for (unsigned i = 0; i < count; i++)
			assert_string_not_equal(seen[i], text);
		seen[count++] = text;
	}
	return count;
}

static void every_value_has_a_name_of_its_own(void **state)
{
	(void)state;
	assert_int_equal(count_named(status), TENF_E_FAILED + 1);
	assert_int_equal(count_named(reason), TENF_REASON_SYSTEM + 1);
	assert_int_equal(count_named(method), 4);
	assert_int_equal(count_named(title), 4);
	assert_int_equal(count_named(state_code), TENF_STATE_REMOVED + 1);
	assert_int_equal(count_named(event), TENF_EVENT_REMOVED);
	assert_int_equal(count_named(class_code), TENF_ADDRESS_CARRIER + 1);
}

static void codes_are_the_words_of_the_json_contract(void **state)
{
	static const char *const reasons[] = { "none",       "no-gateway", "silent",
					       "no-service", "refused",    "resources",
					       "no-network", "other-port", "malformed",
					       "system" };
	static const char *const states[] = { "asking", "mapped",  "renewing",
					      "lost",   "refused", "removed" };
	static const char *const events[] = { "gateway", "gateway-restart", "address",
					      "mapped",  "changed",         "renewed",
					      "lost",    "refused",         "removed" };
	static const char *const classes[] = { "none", "public", "private", "carrier" };

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_string_equal(reason(i), reasons[i]);
	for (int i = 0; i < 6; i++)
		assert_string_equal(state_code(i), states[i]);
	for (int i = 0; i < 9; i++)
		assert_string_equal(event(i + 1), events[i]);
	for (int i = 0; i < 4; i++)
		assert_string_equal(class_code(i), classes[i]);
	assert_string_equal(tenf_method_code(TENF_METHOD_PCP), "pcp");
	assert_string_equal(tenf_method_code(TENF_METHOD_NATPMP), "natpmp");
	assert_string_equal(tenf_method_code(TENF_METHOD_IGD), "igd");
	assert_string_equal(tenf_method_title(TENF_METHOD_NATPMP), "NAT-PMP");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_has_a_name_of_its_own),
		cmocka_unit_test(codes_are_the_words_of_the_json_contract),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
