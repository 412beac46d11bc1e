/* SPDX-License-Identifier: MIT */
#include "igd/ssdp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

#define ANSWER                                                                            \
	"HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: upnp:rootdevice\r\n"        \
	"Location:  http://192.168.1.1:5000/rootDesc.xml \r\nSERVER: x\r\n\r\n"

static void the_search_names_the_group_and_what_is_looked_for(void **state)
{
	char text[256];
	struct tenf_text t = tenf_text_of(text, sizeof(text));

	(void)state;
	igd_ssdp_write(false, false, &t);
	assert_false(t.cut);
	assert_non_null(strstr(text, "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"));
	assert_non_null(strstr(text,
			       "ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n"));
	t = tenf_text_of(text, sizeof(text));
	igd_ssdp_write(true, true, &t);
	assert_non_null(strstr(text, "[FF02::C]:1900"));
	assert_non_null(strstr(text, "ST: upnp:rootdevice\r\n"));
}

static void an_answer_tells_where_the_description_is(void **state)
{
	struct igd_url url;

	(void)state;
	assert_true(igd_ssdp_read(ANSWER, strlen(ANSWER), &url));
	assert_int_equal(url.at.port, 5000);
	assert_string_equal(url.path, "/rootDesc.xml");
}

static void what_is_no_answer_is_dropped(void **state)
{
	static const char *const wrong[] = {
		"", "HTTP/1.1 200", "HTTP/1.1 404 No\r\nLocation: http://192.168.1.1/\r\n\r\n",
		"NOTIFY * HTTP/1.1\r\nLocation: http://192.168.1.1/\r\n\r\n",
		"HTTP/1.1 200 OK\r\nLocation: http://evil.example/\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX-Location: http://192.168.1.1/\r\n\r\n",
		"HTTP/1.1 200 OK\r\nLocation:\r\n\r\n",
	};
	struct igd_url url;

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(wrong); i++)
		assert_false(igd_ssdp_read(wrong[i], strlen(wrong[i]), &url));
}

static void every_cut_of_an_answer_is_read_within_its_bounds(void **state)
{
	char *end = strstr(ANSWER, "/rootDesc");
	struct igd_url url;

	(void)state;
	for (size_t len = 0; len < (size_t)(end - ANSWER); len++) {
		char copy[sizeof(ANSWER)];

		memset(copy, 'x', sizeof(copy));
		memcpy(copy, ANSWER, len);
		if (igd_ssdp_read(copy, len, &url))
			assert_string_equal(url.path, "/");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_search_names_the_group_and_what_is_looked_for),
		cmocka_unit_test(an_answer_tells_where_the_description_is),
		cmocka_unit_test(what_is_no_answer_is_dropped),
		cmocka_unit_test(every_cut_of_an_answer_is_read_within_its_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
