/* SPDX-License-Identifier: MIT */
/* list --all: what the router lists, in one table with what this host recorded. */
#include "command.h"

#include <stdio.h>
#include <string.h>

static void list_one(const char *host, uint16_t external, uint16_t internal, const char *name)
{
	struct tenf_mapping *m = &fake.listed[fake.listed_count];

	*m = (struct tenf_mapping){
		.protocol = TENF_TCP,
		.state = TENF_STATE_MAPPED,
		.method = TENF_METHOD_IGD,
		.internal_port = internal,
		.external_port = external,
		.gateway_port = TENF_DEFAULT_PORT,
		.lifetime_s = 3600,
		.expires_at = FAKE_NOW + 3600,
		.gateway = "192.168.1.1",
		.external_address = "203.0.113.7",
		.error = { .result = -1 },
	};
	snprintf(m->internal_address, sizeof(m->internal_address), "%s", host);
	snprintf(fake.listed_as[fake.listed_count++], TENF_DESCRIPTION_SIZE, "%s", name);
}

static void what_the_router_lists_is_in_the_table(void **state)
{
	struct command c;

	(void)state;
	(void)command("add 80:8080 --name web");
	list_one("192.168.1.20", 80, 8080, "PCP 8080 tcp");
	list_one("192.168.1.31", 51413, 51413, "Transmission");
	list_one("192.168.1.31", 4000, 4000, "NAT-PMP 4000 tcp");
	c = command("list --all");
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.out, "web "));
	assert_non_null(strstr(c.out, "lease, router's list\n"));
	assert_non_null(strstr(c.out, "router's list (\"Transmission\")"));
	assert_non_null(strstr(c.out, "router's list (\"NAT-PMP 4000 tcp\")"));
	assert_int_equal(fake.freed, 2); /* the session and the list */
	c = command("list");
	assert_null(strstr(c.out, "Transmission"));
}

static void scripts_get_every_source_and_the_routers_words(void **state)
{
	struct command c;
	json_t *root;

	(void)state;
	(void)command("add 80:8080 --name web");
	list_one("192.168.1.20", 80, 8080, "PCP 8080 tcp");
	list_one("192.168.1.31", 51413, 51413, "Transmission");
	c = command("list --all --json");
	root = command_json(&c);
	assert_int_equal(json_array_size(json_object_get(root, "mappings")), 2);
	assert_string_equal(json_string_value(command_at(root, "mappings.0.name")), "web");
	assert_string_equal(json_string_value(command_at(root, "mappings.0.source")), "lease");
	assert_string_equal(json_string_value(command_at(root, "mappings.0.sources.1")), "igd");
	assert_string_equal(json_string_value(command_at(root, "mappings.1.source")), "igd");
	assert_string_equal(json_string_value(command_at(root, "mappings.1.description")),
			    "Transmission");
	json_decref(root);
}

static void a_mapping_without_an_end_says_never_and_one_switched_off_is_not_there(void **state)
{
	struct command c;

	(void)state;
	list_one("192.168.1.31", 4000, 4000, "door");
	list_one("192.168.1.31", 4001, 4001, "closed");
	fake.listed[0].expires_at = 0;
	fake.listed[0].lifetime_s = UINT32_MAX;
	fake.listed[1].state = TENF_STATE_LOST;
	c = command("list --all");
	assert_non_null(strstr(c.out, "never"));
	assert_null(strstr(c.out, "closed"));
}

static void without_a_list_the_record_is_shown_and_the_reason_told(void **state)
{
	struct command c;

	(void)state;
	(void)command("add 80:8080");
	fake.listing_status = TENF_E_FAILED;
	fake.error = (struct tenf_error){ .reason = TENF_REASON_NO_SERVICE, .result = -1 };
	c = command("list --all");
	assert_int_equal(c.status, 5);
	assert_non_null(strstr(c.out, "lease"));
	assert_non_null(strstr(c.err, "UPnP alone has a list"));
	fake.error = (struct tenf_error){ .reason = TENF_REASON_SILENT, .result = -1,
					  .text = "No answer from 192.168.1.1." };
	c = command("list --all");
	assert_int_equal(c.status, 4);
	assert_non_null(strstr(c.err, "No answer from 192.168.1.1."));
}

/* Lines of what was printed, none of them too wide or ending in blanks. */
static size_t lines_that_fit(const char *text)
{
	size_t lines = 0;

	for (; *text != '\0'; lines++) {
		size_t len = strcspn(text, "\n");

		assert_true(len <= 100);
		assert_true(len == 0 || text[len - 1] != ' ');
		text += len + (text[len] == '\n');
	}
	return lines;
}

static void a_table_stands_closer_before_it_is_continued_below(void **state)
{
	(void)state;
	(void)command("add 25565/both --name game");
	list_one("192.168.1.131", 51413, 51413, "plex");
	assert_int_equal(lines_that_fit(command("list --all").out), 3);
	list_one("192.168.1.131", 51414, 51414, "a program with a name of its own that is long");
	assert_int_equal(lines_that_fit(command("list --all").out), 8);
}

static void a_list_that_was_cut_is_told(void **state)
{
	struct command c;

	(void)state;
	list_one("192.168.1.31", 4000, 4000, "door");
	fake.listing_is_cut = true;
	c = command("list --all");
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.err, "longer --timeout"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_the_router_lists_is_in_the_table,
						command_setup, command_teardown),
		cmocka_unit_test_setup_teardown(scripts_get_every_source_and_the_routers_words,
						command_setup, command_teardown),
		cmocka_unit_test_setup_teardown(
			a_mapping_without_an_end_says_never_and_one_switched_off_is_not_there,
			command_setup, command_teardown),
		cmocka_unit_test_setup_teardown(
			without_a_list_the_record_is_shown_and_the_reason_told, command_setup,
			command_teardown),
		cmocka_unit_test_setup_teardown(
			a_table_stands_closer_before_it_is_continued_below, command_setup,
			command_teardown),
		cmocka_unit_test_setup_teardown(a_list_that_was_cut_is_told, command_setup,
						command_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
