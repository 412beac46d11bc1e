/* SPDX-License-Identifier: MIT */
/* One table from several sources: who knows of the same mapping shares a line. */
#include "command.h"

#include "cli/opened.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct opened make(unsigned source, uint16_t external, uint16_t internal, const char *host)
{
	struct opened opened = { .sources = source };
	struct tenf_mapping *m = &opened.mapping;

	m->protocol = TENF_TCP;
	m->state = TENF_STATE_MAPPED;
	m->external_port = external;
	m->internal_port = internal;
	m->error.result = -1;
	snprintf(m->internal_address, sizeof(m->internal_address), "%s", host);
	return opened;
}

static void put(struct opened_list *list, const struct opened *opened)
{
	assert_int_equal(opened_add(list, opened), TENF_OK);
}

static void a_natpmp_row_of_the_router_gets_the_name_of_our_record(void **state)
{
	struct opened lease = make(OPENED_LEASE, 4000, 4000, "192.168.1.20");
	struct opened router = make(OPENED_ROUTER, 4000, 4000, "192.168.1.20");
	struct opened_list list = { NULL };
	char text[200];
	struct tenf_text t = tenf_text_of(text, sizeof(text));

	(void)state;
	strcpy(lease.name, "web");
	strcpy(lease.id, "m1");
	lease.mapping.expires_at = 1000;
	strcpy(router.router, "NAT-PMP 4000 tcp");
	strcpy(router.mapping.gateway, "192.168.1.1");
	put(&list, &router);
	put(&list, &lease);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.items[0].name, "web");
	assert_string_equal(list.items[0].id, "m1");
	assert_string_equal(list.items[0].router, "NAT-PMP 4000 tcp");
	assert_string_equal(list.items[0].mapping.gateway, "192.168.1.1");
	assert_int_equal(list.items[0].mapping.expires_at, 1000);
	opened_source_text(&t, &list.items[0]);
	assert_string_equal(text, "lease, router's list");
	opened_done(&list);
}

static void a_wish_that_was_refused_is_not_what_is_open(void **state)
{
	struct opened wish = make(OPENED_AGENT, 0, 8080, "192.168.1.20");
	struct opened lease = make(OPENED_LEASE, 80, 8080, "192.168.1.20");

	(void)state;
	wish.mapping.state = TENF_STATE_REFUSED;
	for (int turn = 0; turn < 2; turn++) {
		struct opened_list list = { NULL };

		put(&list, turn == 0 ? &wish : &lease);
		put(&list, turn == 0 ? &lease : &wish);
		assert_int_equal(list.count, 2);
		opened_done(&list);
	}
}

static void another_programs_row_keeps_the_routers_words(void **state)
{
	struct opened router = make(OPENED_ROUTER, 51413, 51413, "192.168.1.31");
	struct opened_list list = { NULL };
	char text[200];
	struct tenf_text t = tenf_text_of(text, sizeof(text));

	(void)state;
	strcpy(router.router, "Transmission");
	put(&list, &router);
	opened_source_text(&t, &list.items[0]);
	assert_string_equal(text, "router's list (\"Transmission\")");
	assert_string_equal(opened_source_code(list.items[0].sources), "igd");
	opened_done(&list);
}

static void what_differs_stays_apart(void **state)
{
	struct opened base = make(OPENED_LEASE, 80, 8080, "192.168.1.20");
	struct opened others[] = {
		make(OPENED_ROUTER, 81, 8080, "192.168.1.20"),
		make(OPENED_ROUTER, 80, 8081, "192.168.1.20"),
		make(OPENED_ROUTER, 80, 8080, "192.168.1.21"),
		make(OPENED_ROUTER, 80, 8080, "192.168.1.20"),
		make(OPENED_ROUTER, 80, 8080, "192.168.1.20"),
	};
	struct opened_list list = { NULL };

	(void)state;
	others[3].mapping.protocol = TENF_UDP;
	strcpy(base.mapping.gateway, "192.168.1.1");
	strcpy(others[4].mapping.gateway, "10.0.0.1");
	put(&list, &base);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		put(&list, &others[i]);
	assert_int_equal(list.count, 6);
	opened_done(&list);
}

/* A probe tells the inside alone; the outside comes from who knows it, whoever
 * was asked first, and an exact match goes before it. */
static void what_a_probe_found_is_filled_in_by_others(void **state)
{
	struct opened probe = make(OPENED_PROBE, 0, 8080, "192.168.1.20");
	struct opened router = make(OPENED_ROUTER, 80, 8080, "192.168.1.20");
	struct opened lease = make(OPENED_LEASE, 80, 8080, "192.168.1.20");

	(void)state;
	for (int order = 0; order < 2; order++) {
		struct opened_list list = { NULL };

		put(&list, order == 0 ? &probe : &router);
		put(&list, order == 0 ? &router : &probe);
		put(&list, &lease);
		assert_int_equal(list.count, 1);
		assert_int_equal(list.items[0].mapping.external_port, 80);
		assert_int_equal(list.items[0].sources,
				 OPENED_PROBE | OPENED_ROUTER | OPENED_LEASE);
		opened_done(&list);
	}
}

static void one_source_that_tells_of_two_has_two(void **state)
{
	struct opened router = make(OPENED_ROUTER, 80, 8080, "192.168.1.20");
	struct opened_list list = { NULL };

	(void)state;
	put(&list, &router);
	put(&list, &router);
	assert_int_equal(list.count, 2);
	opened_done(&list);
}

static void the_list_ends_at_its_limit(void **state)
{
	struct opened_list list = { NULL };

	(void)state;
	for (uint32_t i = 0; i < OPENED_MAX; i++) {
		struct opened one = make(OPENED_ROUTER, (uint16_t)(i % 65535 + 1),
					 (uint16_t)(i % 65535 + 1), "192.168.1.20");

		put(&list, &one);
	}
	assert_int_equal(opened_add(&list, &list.items[0]), TENF_E_LIMIT);
	assert_int_equal(list.count, OPENED_MAX);
	opened_done(&list);
}

static void the_json_names_every_source(void **state)
{
	struct opened opened = make(OPENED_LEASE | OPENED_ROUTER, 80, 8080, "192.168.1.20");
	json_t *shape;

	(void)state;
	strcpy(opened.router, "x");
	shape = opened_shape(&opened);
	assert_string_equal(json_string_value(command_at(shape, "source")), "lease");
	assert_string_equal(json_string_value(command_at(shape, "sources.1")), "igd");
	assert_string_equal(json_string_value(command_at(shape, "description")), "x");
	json_decref(shape);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_natpmp_row_of_the_router_gets_the_name_of_our_record),
		cmocka_unit_test(a_wish_that_was_refused_is_not_what_is_open),
		cmocka_unit_test(another_programs_row_keeps_the_routers_words),
		cmocka_unit_test(what_differs_stays_apart),
		cmocka_unit_test(what_a_probe_found_is_filled_in_by_others),
		cmocka_unit_test(one_source_that_tells_of_two_has_two),
		cmocka_unit_test(the_list_ends_at_its_limit),
		cmocka_unit_test(the_json_names_every_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
