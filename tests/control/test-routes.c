/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "control/routes.h"

#include <string.h>

static void handle(struct control_request *request, void *context)
{
	(void)request;
	(void)context;
}

static const struct control_route routes[] = {
	{ CONTROL_GET, "/v1/pending", handle },
	{ CONTROL_POST, "/v1/pending/{id}/approve", handle },
	{ CONTROL_POST, "/v1/pending/{id}/{what}", handle },
	{ CONTROL_GET, "/v1/pending/{id}", handle },
	{ CONTROL_DELETE, "/v1/pending/{id}", handle },
	{ CONTROL_PATCH, "/{a}/{b}/{c}/{d}/{e}/{f}", handle },
};

static struct control_match match(enum control_method method, const char *path)
{
	struct control_match found;

	control_match_routes(routes, TENF_ARRAY_SIZE(routes), method, path, &found);
	return found;
}

static void literal_parts_and_names_match(void **state)
{
	struct control_match found = match(CONTROL_GET, "/v1/pending");

	(void)state;
	assert_ptr_equal(found.route, &routes[0]);
	assert_int_equal(found.count, 0);
	found = match(CONTROL_DELETE, "/v1/pending/p7");
	assert_ptr_equal(found.route, &routes[4]);
	assert_string_equal(control_match_part(&found, "id"), "p7");
	assert_null(control_match_part(&found, "i"));
	assert_null(control_match_part(&found, "idx"));
}

static void the_first_route_that_fits_is_taken(void **state)
{
	struct control_match found = match(CONTROL_POST, "/v1/pending/p7/approve");

	(void)state;
	assert_ptr_equal(found.route, &routes[1]);
	found = match(CONTROL_POST, "/v1/pending/p7/deny");
	assert_ptr_equal(found.route, &routes[2]);
	assert_string_equal(control_match_part(&found, "what"), "deny");
	assert_string_equal(control_match_part(&found, "id"), "p7");
}

static void another_method_tells_those_the_path_has(void **state)
{
	char text[CONTROL_ALLOW_SIZE];
	struct tenf_text allow = tenf_text_of(text, sizeof(text));
	struct control_match found = match(CONTROL_PUT, "/v1/pending/p7");

	(void)state;
	assert_null(found.route);
	assert_int_equal(found.methods, CONTROL_GET | CONTROL_DELETE);
	control_allow_text(found.methods, &allow);
	assert_string_equal(text, "GET, HEAD, DELETE");
	allow = tenf_text_of(text, sizeof(text));
	control_allow_text(31, &allow);
	assert_string_equal(text, "GET, HEAD, POST, PUT, PATCH, DELETE");
	assert_false(allow.cut);
}

static void parts_are_decoded_after_they_were_told_apart(void **state)
{
	struct control_match found = match(CONTROL_GET, "/v1/pending/a%2fb%20%C3%A9");

	(void)state;
	assert_non_null(found.route);
	assert_string_equal(control_match_part(&found, "id"), "a/b \xc3\xa9");
}

static void what_is_no_path_of_ours_matches_nothing(void **state)
{
	static const char *const paths[] = {
		"", "/", "v1/pending", "/v1", "/v1/", "/v1/pending/", "//v1/pending",
		"/v1/pending/p7/", "/v1//p7", "/v1/pending/%", "/v1/pending/%4",
		"/v1/pending/%zz", "/v1/pending/%00", "/v1/pending/a%0", "/V1/pending",
		"/v1/pendin", "/v1/pendingx",
		"/1/2/3/4/5/6", /* more names than a match has room for */
	};

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(paths); i++)
		assert_int_equal(match(CONTROL_GET, paths[i]).methods, 0);
}

static void a_part_at_its_limit_matches_and_above_it_not(void **state)
{
	char path[300] = "/v1/pending/";
	size_t start = strlen(path);
	struct control_match found;

	(void)state;
	memset(path + start, 'x', CONTROL_PART_SIZE - 1);
	found = match(CONTROL_GET, path);
	assert_non_null(found.route);
	assert_int_equal(strlen(control_match_part(&found, "id")), CONTROL_PART_SIZE - 1);
	path[start + CONTROL_PART_SIZE - 1] = 'x';
	assert_null(match(CONTROL_GET, path).route);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(literal_parts_and_names_match),
		cmocka_unit_test(the_first_route_that_fits_is_taken),
		cmocka_unit_test(another_method_tells_those_the_path_has),
		cmocka_unit_test(parts_are_decoded_after_they_were_told_apart),
		cmocka_unit_test(what_is_no_path_of_ours_matches_nothing),
		cmocka_unit_test(a_part_at_its_limit_matches_and_above_it_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
