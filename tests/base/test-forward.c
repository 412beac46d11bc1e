/* SPDX-License-Identifier: MIT */
#include "base/forward.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

struct right {
	const char *text;
	struct tenf_forward want;
};

struct wrong {
	const char *text;
	const char *why;
};

static void reads_every_form(void **state)
{
	static const struct right cases[] = {
		{ "8080", { 8080, 8080, 8080, TENF_TCP } },
		{ "8080/tcp", { 8080, 8080, 8080, TENF_TCP } },
		{ "27015/udp", { 27015, 27015, 27015, TENF_UDP } },
		{ "25565/both", { 25565, 25565, 25565, TENF_BOTH } },
		{ "80:8080", { 8080, 8080, 80, TENF_TCP } },
		{ "80:8080/udp", { 8080, 8080, 80, TENF_UDP } },
		{ "any:51413/both", { 51413, 51413, 0, TENF_BOTH } },
		{ "any:22", { 22, 22, 0, TENF_TCP } },
		{ "6881-6889/udp", { 6881, 6889, 6881, TENF_UDP } },
		{ "7000-7008:6881-6889", { 6881, 6889, 7000, TENF_TCP } },
		{ "any:6881-6889/tcp", { 6881, 6889, 0, TENF_TCP } },
		{ "1", { 1, 1, 1, TENF_TCP } },
		{ "65535", { 65535, 65535, 65535, TENF_TCP } },
		{ "1-65535", { 1, 65535, 1, TENF_TCP } },
		{ "80-80", { 80, 80, 80, TENF_TCP } },
		{ "0080", { 80, 80, 80, TENF_TCP } },
	};

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(cases); i++) {
		struct tenf_forward got = { 0 };

		assert_true(tenf_forward_parse(cases[i].text, &got, NULL));
		assert_int_equal(got.internal_first, cases[i].want.internal_first);
		assert_int_equal(got.internal_last, cases[i].want.internal_last);
		assert_int_equal(got.external_first, cases[i].want.external_first);
		assert_int_equal(got.protocol, cases[i].want.protocol);
	}
}

static void check_wrong(const struct wrong *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct tenf_forward got = { 1, 2, 3, TENF_UDP };
		char buffer[160];
		struct tenf_text why = tenf_text_of(buffer, sizeof(buffer));

		assert_false(tenf_forward_parse(cases[i].text, &got, &why));
		assert_non_null(strstr(buffer, cases[i].why));
		assert_false(why.cut);
		/* and the output is as it was, without a text too */
		assert_false(tenf_forward_parse(cases[i].text, &got, NULL));
		assert_int_equal(got.internal_first, 1);
		assert_int_equal(got.internal_last, 2);
		assert_int_equal(got.external_first, 3);
		assert_int_equal(got.protocol, TENF_UDP);
	}
}

static void what_is_no_mapping_gets_the_whole_lesson(void **state)
{
	static const struct wrong cases[] = {
		{ "", "\"\" is not a mapping" },
		{ "tcp8080", "\"tcp8080\" is not a mapping; write 8080/tcp, 80:8080/tcp or "
			     "6881-6889/udp" },
		{ "/tcp", "is not a mapping" },
		{ ":80", "is not a mapping" },
		{ "80:", "is not a mapping" },
		{ "80:any", "is not a mapping" },
		{ "any", "is not a mapping" },
		{ "any:any", "is not a mapping" },
		{ "ANY:80", "is not a mapping" },
		{ "80:8080:90", "is not a mapping" },
		{ "8 0", "is not a mapping" },
		{ "+80", "is not a mapping" },
		{ "192.168.1.1:80", "is not a mapping" },
	};

	(void)state;
	check_wrong(cases, TENF_ARRAY_SIZE(cases));
}

static void a_wrong_protocol_is_named(void **state)
{
	static const struct wrong cases[] = {
		{ "80/sctp", "\"sctp\" is not a protocol; write tcp, udp or both" },
		{ "80/", "\"\" is not a protocol" },
		{ "80/TCP", "\"TCP\" is not a protocol" },
		{ "80/tcpx", "\"tcpx\" is not a protocol" },
		{ "80/tcp/udp", "\"tcp/udp\" is not a protocol" },
		{ "80/tcp:90", "\"tcp:90\" is not a protocol" },
	};

	(void)state;
	check_wrong(cases, TENF_ARRAY_SIZE(cases));
}

static void a_wrong_port_is_named(void **state)
{
	static const struct wrong cases[] = {
		{ "0", "port \"0\" does not exist; ports go from 1 to 65535" },
		{ "65536", "port \"65536\" does not exist" },
		{ "80:0", "port \"0\" does not exist" },
		{ "0:80", "port \"0\" does not exist" },
		{ "65536:80", "port \"65536\" does not exist" },
		{ "1-65536", "port \"65536\" does not exist" },
		{ "-", "\"\" is not a port" },
		{ "80-", "\"\" is not a port" },
		{ "-80", "\"\" is not a port" },
		{ "1-2-3", "\"2-3\" is not a port" },
		{ "99999999999999999999", "\"99999999999999999999\" is not a port" },
	};

	(void)state;
	check_wrong(cases, TENF_ARRAY_SIZE(cases));
}

static void ranges_must_go_up_and_have_one_length(void **state)
{
	static const struct wrong cases[] = {
		{ "6889-6881", "the range \"6889-6881\" is empty; write the lower port first" },
		{ "2-1:5-6", "the range \"2-1\" is empty" },
		{ "7000-7010:6881-6889", "differ in length" },
		{ "7000:6881-6889", "differ in length" },
		{ "6881-6889:80", "differ in length" },
	};

	(void)state;
	check_wrong(cases, TENF_ARRAY_SIZE(cases));
}

static void a_reason_that_does_not_fit_is_cut(void **state)
{
	struct tenf_forward got;
	char buffer[10];
	struct tenf_text why = tenf_text_of(buffer, sizeof(buffer));

	(void)state;
	assert_false(tenf_forward_parse("nonsense", &got, &why));
	assert_string_equal(buffer, "\"nonsense");
	assert_true(why.cut);
}

static void a_range_counts_its_ports(void **state)
{
	struct tenf_forward f = { .internal_first = 1, .internal_last = 65535 };

	(void)state;
	assert_int_equal(tenf_forward_count(&f), 65535);
	f.internal_last = 1;
	assert_int_equal(tenf_forward_count(&f), 1);
	f.protocol = TENF_BOTH;
	assert_int_equal(tenf_forward_count(&f), 1);
}

static void protocols_have_names(void **state)
{
	(void)state;
	assert_string_equal(tenf_protocol_name(TENF_TCP), "tcp");
	assert_string_equal(tenf_protocol_name(TENF_UDP), "udp");
	assert_string_equal(tenf_protocol_name(TENF_BOTH), "both");
	assert_string_equal(tenf_protocol_name((enum tenf_protocol)1), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_form),
		cmocka_unit_test(what_is_no_mapping_gets_the_whole_lesson),
		cmocka_unit_test(a_wrong_protocol_is_named),
		cmocka_unit_test(a_wrong_port_is_named),
		cmocka_unit_test(ranges_must_go_up_and_have_one_length),
		cmocka_unit_test(a_reason_that_does_not_fit_is_cut),
		cmocka_unit_test(a_range_counts_its_ports),
		cmocka_unit_test(protocols_have_names),
	};

	return cmocka_run_group_tests_name("forward", tests, NULL, NULL);
}
