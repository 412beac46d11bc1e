/* SPDX-License-Identifier: MIT */
#include "igd/soap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

#define REPLY(inside)                                                                     \
	"<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"x\"><s:Body>" inside "</s:Body></s:Envelope>"
#define FAULT                                                                             \
	REPLY("<s:Fault><faultcode>s:Client</faultcode><detail><UPnPError><errorCode>718"  \
	      "</errorCode><errorDescription>ConflictInMappingEntry</errorDescription>"    \
	      "</UPnPError></detail></s:Fault>")

static enum tenf_status judge(const char *body, int status, int *ret_error)
{
	return igd_soap_judge(body, strlen(body), status, "AddPortMapping", ret_error);
}

static void a_request_has_its_values_escaped(void **state)
{
	struct igd_argument arguments[] = { { "NewPortMappingDescription", "<a> & \"b\"" },
					    { "NewRemoteHost", "" } };
	char text[1024];
	struct tenf_text t = tenf_text_of(text, sizeof(text));

	(void)state;
	igd_soap_write(&t, "urn:x:1", "Act", arguments, 2);
	assert_false(t.cut);
	assert_non_null(strstr(text, "<u:Act xmlns:u=\"urn:x:1\"><NewPortMappingDescription>"
				     "&lt;a&gt; &amp; \"b\"</NewPortMappingDescription>"
				     "<NewRemoteHost></NewRemoteHost></u:Act>"));
}

static void a_success_names_the_action(void **state)
{
	int error = -1;

	(void)state;
	assert_int_equal(judge(REPLY("<u:AddPortMappingResponse xmlns:u=\"x\"/>"), 200, &error),
			 TENF_OK);
	assert_int_equal(judge(REPLY("<u:OtherResponse/>"), 200, &error), TENF_E_MALFORMED);
	assert_int_equal(judge(REPLY("<u:AddPortMappingResponse/>"), 302, &error),
			 TENF_E_MALFORMED);
	assert_int_equal(judge("", 200, &error), TENF_E_MALFORMED);
	assert_int_equal(judge("<html>not found</html>", 404, &error), TENF_E_MALFORMED);
	assert_int_equal(error, -1);
}

static void a_fault_gives_its_code(void **state)
{
	int error = -1;

	(void)state;
	assert_int_equal(judge(FAULT, 500, &error), TENF_E_FAILED);
	assert_int_equal(error, 718);
}

static void every_cut_of_an_answer_is_judged(void **state)
{
	int error = -1;

	(void)state;
	for (size_t len = 0; len < strlen(FAULT); len++)
		assert_int_not_equal(igd_soap_judge(FAULT, len, 500, "AddPortMapping", &error),
				     TENF_OK);
}

static void a_number_is_digits_within_its_limit(void **state)
{
	static const char *const wrong[] = { "", "-1", "+1", "0x10", "65536", "1 ", "1.5", "x" };
	struct igd_values values;
	uint64_t number = 7;

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(wrong); i++) {
		char xml[64];
		struct tenf_text t = tenf_text_of(xml, sizeof(xml));

		tenf_text_add(&t, "<r><P>");
		tenf_text_add(&t, wrong[i]);
		tenf_text_add(&t, "</P></r>");
		assert_int_equal(igd_values_read(xml, t.used, &values), TENF_OK);
		assert_false(igd_values_number(&values, "P", 65535, &number));
		igd_values_done(&values);
	}
	assert_int_equal(number, 7);
	assert_int_equal(igd_values_read("<r><P>65535</P></r>", 19, &values), TENF_OK);
	assert_true(igd_values_number(&values, "P", 65535, &number));
	assert_int_equal(number, 65535);
	assert_null(igd_values_get(&values, "Q"));
	igd_values_done(&values);
}

static void assert_cleaned(const char *text, const char *wanted)
{
	char clean[32];

	igd_text_clean(text, clean, sizeof(clean));
	assert_string_equal(clean, wanted);
}

static void entities_become_what_they_stand_for(void **state)
{
	(void)state;
	assert_cleaned("a &lt;b&gt; &amp;amp; &quot;&apos;", "a <b> &amp; \"'");
	assert_cleaned("&#65;&#x42;&#xfc;", "ABü");
	assert_cleaned("&nothing; &; & &#; &#x; &#xd800; &#99999999;",
		       "&nothing; &; & &#; &#x; &#xd800");
	assert_cleaned("R&D", "R&D");
}

static void what_a_terminal_would_obey_is_left_out(void **state)
{
	(void)state;
	assert_cleaned("a\x1b[31mb\r\nc\x7f", "a[31mbc");
	assert_cleaned("&#27;]0;title&#7;", "]0;title");
	assert_cleaned("\xc2\x9b" "31m", "31m");      /* CSI as one character */
	assert_cleaned("\xff\xc0\xaf\xed\xa0\x80x\xe2\x82", "x");
	assert_cleaned("ünïcödé ✓", "ünïcödé ✓");
}

static void a_long_text_is_cut_between_characters(void **state)
{
	char clean[4];

	(void)state;
	igd_text_clean("aüü", clean, sizeof(clean));
	assert_string_equal(clean, "aü");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_has_its_values_escaped),
		cmocka_unit_test(a_success_names_the_action),
		cmocka_unit_test(a_fault_gives_its_code),
		cmocka_unit_test(every_cut_of_an_answer_is_judged),
		cmocka_unit_test(a_number_is_digits_within_its_limit),
		cmocka_unit_test(entities_become_what_they_stand_for),
		cmocka_unit_test(what_a_terminal_would_obey_is_left_out),
		cmocka_unit_test(a_long_text_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
