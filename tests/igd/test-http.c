/* SPDX-License-Identifier: MIT */
#include "igd/http.h"

#include <stdlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

static enum tenf_status feed(struct igd_http *http, const char *text)
{
	return igd_http_feed(http, text, strlen(text));
}

/* Whole, octet by octet, and cut at every place: always the same. */
static void assert_reads(const char *text, int status, const char *body)
{
	size_t len = strlen(text);

	for (size_t cut = 0; cut <= len; cut++) {
		struct igd_http http;

		igd_http_init(&http);
		assert_int_equal(igd_http_feed(&http, text, cut), TENF_OK);
		for (size_t i = cut; i < len; i++)
			assert_int_equal(igd_http_feed(&http, text + i, 1), TENF_OK);
		assert_int_equal(igd_http_close(&http), TENF_OK);
		assert_int_equal(http.status, status);
		assert_string_equal(http.body != NULL ? http.body : "", body);
		igd_http_done(&http);
	}
}

static void an_answer_ends_by_length_chunks_or_close(void **state)
{
	(void)state;
	assert_reads("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello");
	assert_reads("HTTP/1.0 500 Oops\nServer: x\n\nbody", 500, "body");
	assert_reads("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		     "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: z\r\n\r\n", 200,
		     "abc0123456789");
	assert_reads("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 Fine\r\ncontent-length:0\r\n\r\n",
		     204, "");
	assert_reads("HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\n"
		     "Content-Length: 0\r\n\r\n", 302, "");
}

static void what_is_behind_an_answer_is_ignored(void **state)
{
	struct igd_http http;

	(void)state;
	igd_http_init(&http);
	assert_int_equal(feed(&http, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1"),
			 TENF_OK);
	assert_int_equal(http.state, IGD_HTTP_WHOLE);
	assert_string_equal(http.body, "hi");
	igd_http_done(&http);
}

static void an_answer_that_is_cut_is_none(void **state)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

	(void)state;
	for (size_t len = 0; len + 1 < sizeof(text); len++) {
		struct igd_http http;

		igd_http_init(&http);
		assert_int_equal(igd_http_feed(&http, text, len), TENF_OK);
		if (len < strlen(text))
			assert_int_equal(igd_http_close(&http), TENF_E_TRUNCATED);
		igd_http_done(&http);
	}
}

static void what_is_no_http_is_refused(void **state)
{
	static const char *const wrong[] = {
		"ICY 200 OK\r\n", "HTTP/1.1\r\n", "HTTP/1.1 OK\r\n", "HTTP/1.1 -20\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct igd_http http;
		enum tenf_status status;

		igd_http_init(&http);
		status = feed(&http, wrong[i]);
		if (status == TENF_OK)
			status = feed(&http, "\r\n");
		assert_int_equal(status, TENF_E_MALFORMED);
		igd_http_done(&http);
	}
}

static void announced_lengths_have_a_limit(void **state)
{
	struct igd_http http;

	(void)state;
	igd_http_init(&http);
	assert_int_equal(feed(&http, "HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n"),
			 TENF_E_LIMIT);
	assert_null(http.body);
	igd_http_done(&http);
	assert_int_equal(feed(&http, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
				     "ffffffffffffffffff\r\n"), TENF_E_LIMIT);
	igd_http_done(&http);
}

static void a_body_without_a_length_has_the_same_limit(void **state)
{
	char *piece = calloc(1, 65536);
	enum tenf_status status = TENF_OK;
	struct igd_http http;
	size_t fed = 0;

	(void)state;
	assert_non_null(piece);
	memset(piece, 'x', 65536);
	igd_http_init(&http);
	assert_int_equal(feed(&http, "HTTP/1.1 200 OK\r\n\r\n"), TENF_OK);
	while (status == TENF_OK && fed < 100 * IGD_BODY_MAX) {
		status = igd_http_feed(&http, piece, 65536);
		fed += 65536;
	}
	assert_int_equal(status, TENF_E_LIMIT);
	assert_true(fed <= IGD_BODY_MAX + 65536);
	assert_true(http.size <= 2 * IGD_BODY_MAX);
	igd_http_done(&http);
	free(piece);
}

static void heads_and_empty_continues_do_not_go_on_for_ever(void **state)
{
	static const char *const endless[] = { "X: y\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "x" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct igd_http http;
		enum tenf_status status = TENF_OK;
		size_t fed = 0;

		igd_http_init(&http);
		if (i == 0)
			assert_int_equal(feed(&http, "HTTP/1.1 200 OK\r\n"), TENF_OK);
		for (; status == TENF_OK && fed < 100 * IGD_HEAD_MAX; fed += strlen(endless[i]))
			status = feed(&http, endless[i]);
		assert_int_equal(status, TENF_E_LIMIT);
		assert_true(fed <= IGD_HEAD_MAX + 64);
		igd_http_done(&http);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_ends_by_length_chunks_or_close),
		cmocka_unit_test(what_is_behind_an_answer_is_ignored),
		cmocka_unit_test(an_answer_that_is_cut_is_none),
		cmocka_unit_test(what_is_no_http_is_refused),
		cmocka_unit_test(announced_lengths_have_a_limit),
		cmocka_unit_test(a_body_without_a_length_has_the_same_limit),
		cmocka_unit_test(heads_and_empty_continues_do_not_go_on_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
