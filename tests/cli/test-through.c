/* SPDX-License-Identifier: MIT */
/* Two routers in a row: both hops are one mapping. With real packets it is in
 * tests/netns. */
#include "command.h"

#include "cli/through.h"

#include <stdio.h>
#include <string.h>

static void first_router(void)
{
	strcpy(fake.gateway.address, "192.168.1.1");
	strcpy(fake.gateway.external_address, "10.20.0.14");
	fake.gateway.address_class = TENF_ADDRESS_PRIVATE;
	fake.gateway.spoken[0].method = TENF_METHOD_PCP;
}

static void second_router(void)
{
	strcpy(fake.gateway.address, "10.20.0.1");
	strcpy(fake.gateway.external_address, "203.0.113.9");
	fake.gateway.address_class = TENF_ADDRESS_PUBLIC;
	fake.gateway.spoken[0].method = TENF_METHOD_NATPMP;
}

/* What `add 80:8080 --through` records. */
static void record_both(void)
{
	first_router();
	(void)command("add 80:8080 --name web");
	second_router();
	(void)command("add 80 --name web");
	first_router();
}

static void both_hops_are_one_line(void **state)
{
	static const char table[] =
		"ID  NAME  OUTSIDE             INSIDE             STATE  EXPIRES  VIA  SOURCE\n"
		"m1  web   203.0.113.9:80/tcp  192.168.1.20:8080  open   in 2 h   PCP  lease\n";
	struct command c;
	json_t *root;

	(void)state;
	record_both();
	assert_string_equal(command("list").out, table);
	c = command("list --json");
	root = command_json(&c);
	assert_int_equal(json_array_size(command_at(root, "mappings")), 1);
	assert_string_equal(json_string_value(command_at(root, "mappings.0.through")),
			    "10.20.0.1");
	json_decref(root);
}

static void both_hops_go_together(void **state)
{
	(void)state;
	record_both();
	assert_int_equal(command("remove m1").status, 0);
	assert_int_equal(fake.released_count, 2);
	assert_string_equal(fake.released[0].gateway, "192.168.1.1");
	assert_string_equal(fake.released[1].gateway, "10.20.0.1");
	assert_string_equal(command("list").out, "");
}

static void the_second_hop_is_asked_for_where_the_first_is_private(void **state)
{
	struct command c;

	(void)state;
	first_router();
	fake_host.outer = "10.20.0.1";
	c = command("add 80:8080 --through --name web");
	assert_int_equal(c.status, 0);
	assert_int_equal(fake.request_count, 2);
	assert_string_equal(fake.gateway_asked, "10.20.0.1");
	assert_int_equal(fake.options.methods, TENF_METHOD_NATPMP);
	assert_int_equal(fake.requests[1].request.internal_port, 80);
	assert_int_equal(fake.requests[1].request.external_port, 80);
	assert_non_null(strstr(c.err, "Keep it with `tenforward keep 80:8080 --through`."));
}

static void where_it_is_public_one_router_is_enough(void **state)
{
	(void)state;
	fake_host.outer = "10.20.0.1";
	assert_int_equal(command("add 80:8080 --through").status, 0);
	assert_int_equal(fake.request_count, 1);
}

static void an_outer_router_that_is_not_there_or_refuses_is_told(void **state)
{
	struct command c;

	(void)state;
	first_router();
	c = command("add 80:8080 --through");
	assert_int_equal(c.status, 3);
	assert_non_null(strstr(c.err, "the outer router cannot be found"));
	assert_non_null(strstr(c.err, "by hand, or put it into bridge mode"));
	fake_host.outer = "10.20.0.1";
	fake.ports[0] = (struct fake_port){ .internal_port = 80,
					    .reason = TENF_REASON_REFUSED,
					    .text = "Policy." };
	fake.ports[1] = (struct fake_port){ .internal_port = 8080, .external_port = 80 };
	c = command("add 80:8080 --through");
	assert_int_equal(c.status, 6);
	assert_non_null(strstr(c.err, "the outer router does not open 80/tcp: Policy."));
	assert_non_null(strstr(c.out, "10.20.0.14:80/tcp")); /* the first hop is there */
}

static void a_lease_that_leads_elsewhere_is_no_hop(void **state)
{
	struct lease items[2] = { { .number = 1 }, { .number = 2 } };
	struct leases leases = { .items = items, .count = 2 };
	struct tenf_mapping *first = &items[0].mapping, *hop = &items[1].mapping;

	(void)state;
	first->protocol = hop->protocol = TENF_TCP;
	first->external_port = hop->internal_port = 80;
	hop->method = TENF_METHOD_NATPMP;
	strcpy(first->gateway, "192.168.1.1");
	strcpy(hop->gateway, "10.20.0.1");
	strcpy(first->external_address, "10.20.0.14");
	assert_ptr_equal(through_hop(&leases, &items[0]), &items[1]);
	assert_true(through_is_hop(&leases, &items[1]));
	assert_false(through_is_hop(&leases, &items[0]));
	hop->method = TENF_METHOD_PCP; /* which leads to ourselves */
	assert_null(through_hop(&leases, &items[0]));
	hop->method = TENF_METHOD_NATPMP;
	hop->internal_port = 81;
	assert_null(through_hop(&leases, &items[0]));
	hop->internal_port = 80;
	hop->protocol = TENF_UDP;
	assert_null(through_hop(&leases, &items[0]));
	hop->protocol = TENF_TCP;
	strcpy(hop->gateway, "192.168.1.1");
	assert_null(through_hop(&leases, &items[0]));
	strcpy(hop->gateway, "10.20.0.1");
	strcpy(first->external_address, "203.0.113.7");
	assert_null(through_hop(&leases, &items[0]));
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, command_setup, command_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(both_hops_are_one_line),
		EACH(both_hops_go_together),
		EACH(the_second_hop_is_asked_for_where_the_first_is_private),
		EACH(where_it_is_public_one_router_is_enough),
		EACH(an_outer_router_that_is_not_there_or_refuses_is_told),
		EACH(a_lease_that_leads_elsewhere_is_no_hop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
