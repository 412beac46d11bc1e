/* SPDX-License-Identifier: MIT */
#include "igd/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

static struct igd_url url_of(const char *text)
{
	struct igd_url url;

	assert_true(igd_url_parse(text, strlen(text), &url));
	return url;
}

static void assert_text(const struct igd_url *url, const char *wanted)
{
	char text[IGD_URL_TEXT];
	struct tenf_text t = tenf_text_of(text, sizeof(text));

	igd_url_write(url, &t);
	assert_string_equal(text, wanted);
}

static void a_url_is_a_number_a_port_and_a_path(void **state)
{
	struct igd_url url = url_of("http://192.168.1.1:5000/rootDesc.xml");

	(void)state;
	assert_int_equal(url.at.port, 5000);
	assert_string_equal(url.path, "/rootDesc.xml");
	assert_text(&url, "http://192.168.1.1:5000/rootDesc.xml");
	url = url_of("HTTP://192.168.1.1");
	assert_int_equal(url.at.port, 80);
	assert_string_equal(url.path, "/");
	url = url_of("http://[fe80::1%eth0]:80/x");
	assert_text(&url, "http://[fe80::1]:80/x");
}

static void what_is_no_such_url_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"http://",
		"https://192.168.1.1/",
		"http://router.example/desc.xml",
		"http://user@192.168.1.1/",
		"http://192.168.1.1:0/",
		"http://192.168.1.1:-80/",
		"http://192.168.1.1:99999/",
		"http://192.168.1.1/a b",
		"http://192.168.1.1/a\r\nHost: b",
		"http://192.168.1.1/\xff",
		"//192.168.1.1/",
		"192.168.1.1/x",
		"http://[fe80::1%eth0/x",
	};
	struct igd_url url;

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(wrong); i++)
		assert_false(igd_url_parse(wrong[i], strlen(wrong[i]), &url));
	assert_false(igd_url_parse("http://1.1.1.1\0.2/", 18, &url));
}

static void a_path_has_a_limit(void **state)
{
	char text[512] = "http://192.168.1.1/";
	struct igd_url url;
	size_t len = strlen(text);

	(void)state;
	memset(text + len, 'a', sizeof(text) - len - 1);
	text[len - 1 + IGD_PATH - 2] = '\0';
	assert_true(igd_url_parse(text, strlen(text), &url));
	text[len - 1 + IGD_PATH - 2] = 'a';
	assert_false(igd_url_parse(text, strlen(text), &url));
}

static void a_relative_path_stays_on_its_host(void **state)
{
	struct igd_url base = url_of("http://192.168.1.1:5000/deep/rootDesc.xml");
	struct igd_url url;

	(void)state;
	assert_true(igd_url_join(&base, "/ctl/IPConn", &url));
	assert_text(&url, "http://192.168.1.1:5000/ctl/IPConn");
	assert_true(igd_url_join(&base, "ctl/IPConn", &url));
	assert_text(&url, "http://192.168.1.1:5000/ctl/IPConn");
	assert_true(igd_url_join(&base, "http://192.0.2.1/x", &url)); /* the caller looks at it */
	assert_text(&url, "http://192.0.2.1:80/x");
	assert_false(igd_url_join(&base, "//192.0.2.1/x", &url));
	assert_false(igd_url_join(&base, "", &url));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_url_is_a_number_a_port_and_a_path),
		cmocka_unit_test(what_is_no_such_url_is_refused),
		cmocka_unit_test(a_path_has_a_limit),
		cmocka_unit_test(a_relative_path_stays_on_its_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
