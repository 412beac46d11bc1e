/* SPDX-License-Identifier: MIT */
#include "command.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	enum tenf_reason reason;
	const char *code;
	int status;
} reasons[] = {
	{ TENF_REASON_NO_GATEWAY, "no-gateway", 3 }, { TENF_REASON_SILENT, "silent", 4 },
	{ TENF_REASON_NO_SERVICE, "no-service", 5 }, { TENF_REASON_REFUSED, "refused", 6 },
	{ TENF_REASON_RESOURCES, "resources", 7 },   { TENF_REASON_NO_NETWORK, "no-network", 8 },
	{ TENF_REASON_OTHER_PORT, "other-port", 9 }, { TENF_REASON_MALFORMED, "malformed", 1 },
	{ TENF_REASON_SYSTEM, "system", 1 },
};

static void each_reason_has_its_exit_status_and_code(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		struct command c;
		json_t *root;

		fake_reset();
		fake.ports[0] = (struct fake_port){ .reason = reasons[i].reason,
						    .result = 2,
						    .text = "It did not work." };
		c = command("--json add 8080");
		root = command_json(&c);
		assert_int_equal(c.status, reasons[i].status);
		assert_string_equal(json_string_value(command_at(root, "mappings.0.error.code")),
				    reasons[i].code);
		assert_int_equal(json_integer_value(command_at(root, "mappings.0.error.result")),
				 2);
		assert_true(json_is_null(command_at(root, "mappings.0.external_port")));
		assert_true(json_is_null(command_at(root, "mappings.0.id")));
		assert_non_null(strstr(c.err, "It did not work."));
		json_decref(root);
	}
}

static void the_highest_status_counts_and_each_is_reported(void **state)
{
	struct command c;

	(void)state;
	fake.ports[1] = (struct fake_port){ 81, TENF_REASON_REFUSED, .text = "Policy." };
	fake.ports[2] = (struct fake_port){ 82, TENF_REASON_RESOURCES, .text = "Full." };
	c = command("add 80 81 82");
	assert_int_equal(c.status, 7);
	assert_string_equal(c.out,
			    "203.0.113.7:80/tcp → 192.168.1.20:80   until 11:03 (2 h)\n");
	assert_non_null(strstr(c.err, "81/tcp: Policy.\n"));
	assert_non_null(strstr(c.err, "82/tcp: Full.\n"));
}

static void one_lease_is_told_with_its_end(void **state)
{
	struct command c;

	(void)state;
	c = command("add 80:8080 --name web");
	assert_int_equal(c.status, 0);
	assert_string_equal(
		c.out, "203.0.113.7:80/tcp → 192.168.1.20:8080   web   until 11:03 (2 h)\n");
	assert_string_equal(c.err,
			    "Nothing renews this. Keep it with `tenforward keep 80:8080`.\n");
	assert_string_equal(fake.requests[0].description, "web");
	assert_false(fake.requests[0].request.keep);
	assert_int_equal(fake.freed, 1);
}

static void both_prints_a_line_for_each_protocol(void **state)
{
	struct command c;

	(void)state;
	c = command("add -q 25565/both");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.out,
			    "203.0.113.7:25565/tcp → 192.168.1.20:25565   until 11:03 (2 h)\n"
			    "203.0.113.7:25565/udp → 192.168.1.20:25565   until 11:03 (2 h)\n");
	assert_string_equal(c.err, "");
	assert_int_equal(fake.request_count, 1);
}

static void other_port_and_shorter_lease_are_told(void **state)
{
	struct command c;

	(void)state;
	fake.ports[0] = (struct fake_port){ .external_port = 49221, .lifetime_s = 60 };
	c = command("add 22");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.out,
			    "203.0.113.7:49221/tcp → 192.168.1.20:22   until 09:04 (1 min)\n");
	assert_non_null(strstr(c.err, "The gateway gave 49221 instead of 22. "
				      "Insist with --exact."));
	assert_non_null(strstr(c.err, "The gateway grants 1 min where 2 h was asked for."));
}

static void a_longer_lease_is_told(void **state)
{
	struct command c;

	(void)state;
	fake.ports[0] = (struct fake_port){ .external_port = 22, .lifetime_s = 120 };
	c = command("add 22 --lifetime 1m");
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.err, "The gateway grants 2 min where 1 min was asked for. "
				      "Close it earlier with `tenforward remove`."));
	c = command("add 22 --lifetime 2m");
	assert_null(strstr(c.err, "grants"));
	fake.ports[0].lifetime_s = UINT32_MAX;
	c = command("add 22 --lifetime 1m");
	assert_non_null(strstr(c.err, "The gateway grants a lease without end where 1 min was "
				      "asked for."));
}

static void an_address_behind_another_router_is_told(void **state)
{
	struct command c;

	(void)state;
	fake.ports[0].external_address = "10.20.0.14";
	c = command("add 22");
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.err, "10.20.0.14 — private: "));
	assert_non_null(strstr(c.err, "not reachable from the internet"));
	fake.ports[0].external_address = "100.64.3.4";
	c = command("add 23");
	assert_non_null(strstr(c.err, "100.64.3.4 — carrier: "));
}

static void an_unknown_address_is_not_made_up(void **state)
{
	struct command c;
	json_t *root;

	(void)state;
	fake.gateway.external_address[0] = '\0';
	c = command("add 22");
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.out, "port 22/tcp → 192.168.1.20:22"));
	c = command("add 22 --json");
	root = command_json(&c);
	assert_true(json_is_null(command_at(root, "mappings.0.external_address")));
	json_decref(root);
}

static void a_range_becomes_single_ports(void **state)
{
	struct command c;

	(void)state;
	c = command("add 7000-7002:6000-6002/udp --lifetime 10m --exact --for 192.168.1.31");
	assert_int_equal(c.status, 0);
	assert_int_equal(fake.request_count, 3);
	assert_int_equal(fake.requests[2].request.internal_port, 6002);
	assert_int_equal(fake.requests[2].request.external_port, 7002);
	assert_int_equal(fake.requests[2].request.protocol, TENF_UDP);
	assert_int_equal(fake.requests[2].request.lifetime_s, 600);
	assert_true(fake.requests[2].request.exact);
	assert_string_equal(fake.requests[2].internal_address, "192.168.1.31");
}

static void equal_failures_are_told_once(void **state)
{
	struct command c;

	(void)state;
	fake.ports[0] = (struct fake_port){ .reason = TENF_REASON_SILENT, .text = "No answer." };
	c = command("add 8080-8090");
	assert_int_equal(c.status, 4);
	assert_string_equal(c.out, "");
	assert_string_equal(c.err, "8080/tcp and 10 more: No answer.\n");
	c = command("add 8080/both");
	assert_string_equal(c.err, "No answer.\n");
}

/* RFC 6887 §11.3: who asks again with another nonce is refused. */
static void asking_again_goes_on_with_the_recorded_lease(void **state)
{
	(void)state;
	(void)command("add 8080");
	assert_false(fake.requests[0].has_nonce);
	memset(fake.requests[0].nonce, 1, TENF_NONCE_SIZE); /* as the fake made it */
	(void)command("add 8080");
	assert_true(fake.requests[1].has_nonce);
	assert_memory_equal(fake.requests[1].nonce, fake.requests[0].nonce, TENF_NONCE_SIZE);
	assert_string_equal(fake.requests[1].external_address, "203.0.113.7");
	(void)command("add 8080/udp");
	assert_false(fake.requests[2].has_nonce);
}

static bool choose_the_anycast_address(struct tenf_session *session)
{
	(void)session;
	strcpy(fake.gateway.address, "192.0.0.9");
	fake.gateway.uncertain = false;
	return true;
}

/* PCP-C-07: the nonce is that of the gateway that is chosen in the end. */
static void who_is_asked_is_known_before_a_recorded_nonce_is_shown(void **state)
{
	(void)state;
	strcpy(fake.gateway.address, "192.0.0.9");
	(void)command("add 8080 --anycast");
	assert_true(fake.options.anycast);
	strcpy(fake.gateway.address, "10.8.0.1");
	fake.gateway.uncertain = true;
	fake.steps[0] = choose_the_anycast_address;
	(void)command("add 8080 --anycast");
	assert_true(fake.requests[1].has_nonce);
}

static void expect_filter(size_t at, const char *address, unsigned length, unsigned port)
{
	const struct fake_request *r = &fake.requests[0];

	assert_true(at < r->request.filter_count);
	assert_string_equal(r->filter_addresses[at], address);
	assert_int_equal(r->filters[at].prefix_length, length);
	assert_int_equal(r->filters[at].port, port);
}

static void a_filter_says_who_may_come_in(void **state)
{
	struct command c;
	json_t *root;

	(void)state;
	c = command("add 8080 --filter "
		    "198.51.100.7,198.51.100.0/24:443,192.0.2.1:80,2001:db8::/32,"
		    "[2001:db8::7]:22,[2001:db8:1::/48]");
	assert_int_equal(c.status, 0);
	assert_int_equal(fake.requests[0].request.filter_count, 6);
	expect_filter(0, "198.51.100.7", 32, 0);
	expect_filter(1, "198.51.100.0", 24, 443);
	expect_filter(2, "192.0.2.1", 32, 80);
	expect_filter(3, "2001:db8::", 32, 0);
	expect_filter(4, "2001:db8::7", 128, 22);
	expect_filter(5, "2001:db8:1::", 48, 0);
	assert_non_null(strstr(c.out, "(2 h)   filtered\n"));
	assert_null(strstr(c.err, "unfiltered"));
	c = command("add 8080 --filter 198.51.100.7 --json");
	root = command_json(&c);
	assert_string_equal(json_string_value(command_at(root, "mappings.0.filter")), "echoed");
	json_decref(root);
}

/* PCP-C-43 */
static void a_filter_that_was_not_confirmed_is_told(void **state)
{
	struct command c;
	json_t *root;

	(void)state;
	fake.ports[0] = (struct fake_port){ .unfiltered = true };
	c = command("add 80:8080 --filter 198.51.100.7");
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.out, "(2 h)   unfiltered\n"));
	assert_non_null(strstr(c.err, "Port 80 is unfiltered: the gateway did not confirm "
				      "--filter, so anybody may come in. Close it with "
				      "`tenforward remove 8080/tcp`.\n"));
	c = command("add 80:8080 --filter 198.51.100.7 --json");
	root = command_json(&c);
	assert_string_equal(json_string_value(command_at(root, "mappings.0.filter")),
			    "unfiltered");
	json_decref(root);
}

/* The gateway keeps the filters of a mapping that is renewed without any (RFC 6887 §13.3). */
static void the_filters_of_a_recorded_lease_are_cleared(void **state)
{
	(void)state;
	(void)command("add 8080 --filter 198.51.100.7");
	assert_false(fake.requests[0].request.clear_filters);
	(void)command("add 8080");
	assert_true(fake.requests[1].request.clear_filters);
	assert_int_equal(fake.requests[1].request.filter_count, 0);
	(void)command("add 8080");
	assert_false(fake.requests[2].request.clear_filters);
}

static void a_filter_that_makes_no_sense_is_a_usage_error(void **state)
{
	static const char *const wrong[] = {
		"198.51.100.7/33", "198.51.100.7/24", "0.0.0.0/0", "::/0", "example.org", "",
		"198.51.100.7:0", "198.51.100.7:65536", "198.51.100.7:x", "[2001:db8::7",
		"[2001:db8::7]443", "198.51.100.7,", ",198.51.100.7", "[198.51.100.7]:",
	};
	char words[200];
	struct command c;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(words, sizeof(words), "add 8080 --filter=%s", wrong[i]);
		c = command(words);
		assert_int_equal(c.status, 2);
		assert_non_null(strstr(c.err, "is not who may come in"));
	}
	c = command("add 8080 --filter "
		    "10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4,10.0.0.5,10.0.0.6,10.0.0.7,10.0.0.8,"
		    "10.0.0.9,10.0.0.10,10.0.0.11,10.0.0.12,10.0.0.13,10.0.0.14,10.0.0.15,"
		    "10.0.0.16,10.0.0.17");
	assert_int_equal(c.status, 2);
	assert_non_null(strstr(c.err, "at most 16"));
	assert_int_equal(fake.calls, 0);
}

static void json_has_every_key_of_a_mapping(void **state)
{
	static const char *const keys[] = {
		"id",		    "name",	     "protocol",      "internal_address",
		"internal_port",    "external_address", "external_port", "requested_external_port",
		"lifetime",	    "expires_at",    "renews_at",     "state",
		"method",	    "gateway",	     "source",	      "error",
	};
	struct command c;
	json_t *root, *m;

	(void)state;
	c = command("add 80:8080 --json --name web");
	root = command_json(&c);
	m = command_at(root, "mappings.0");
	assert_int_equal(json_object_size(m), sizeof(keys) / sizeof(keys[0]));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_non_null(json_object_get(m, keys[i]));
	assert_string_equal(json_string_value(command_at(m, "id")), "m1");
	assert_string_equal(json_string_value(command_at(m, "expires_at")),
			    "2026-11-22T11:03:03Z");
	assert_string_equal(json_string_value(command_at(m, "state")), "mapped");
	assert_string_equal(json_string_value(command_at(m, "method")), "pcp");
	assert_string_equal(json_string_value(command_at(m, "source")), "lease");
	assert_true(json_is_null(command_at(m, "error")));
	assert_true(json_is_null(command_at(m, "renews_at")));
	json_decref(root);
}

static void verbose_counts_packets(void **state)
{
	struct command c;

	(void)state;
	c = command("add -v 8080");
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.err, "3 packets sent, 2 answers taken; dropped: 1 from elsewhere, "
				      "0 malformed, 0 not asked for\n"));
}

static void a_full_disk_is_a_failure(void **state)
{
	struct command c;
	const char *at;

	(void)state;
	c = command_on_full_disk("add 8080");
	assert_int_equal(c.status, 1);
	at = strstr(c.err, "cannot write to standard output: No space left on device\n");
	assert_non_null(at);
	assert_null(strstr(at + 1, "cannot write")); /* told once */
}

static void a_session_that_cannot_be_made_is_told(void **state)
{
	struct command c;

	(void)state;
	fake.status = TENF_E_ARGUMENT;
	fake.error = (struct tenf_error){ .text = "There is no interface eth9." };
	c = command("add 8080 -i eth9");
	assert_int_equal(c.status, 2);
	assert_string_equal(c.err, "tenforward: There is no interface eth9.\n");
	fake.status = TENF_E_SYSTEM;
	c = command("add 8080");
	assert_int_equal(c.status, 1);
}

static void without_a_place_for_the_record_the_port_is_open_all_the_same(void **state)
{
	struct command c;

	(void)state;
	assert_int_equal(setenv("XDG_STATE_HOME", "/dev/null/none", 1), 0);
	c = command("add 8080");
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.out, "203.0.113.7:8080/tcp"));
	assert_non_null(strstr(c.err, "cannot record leases"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, command_setup, command_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_reason_has_its_exit_status_and_code),
		TEST(the_highest_status_counts_and_each_is_reported),
		TEST(one_lease_is_told_with_its_end),
		TEST(both_prints_a_line_for_each_protocol),
		TEST(other_port_and_shorter_lease_are_told),
		TEST(a_longer_lease_is_told),
		TEST(an_address_behind_another_router_is_told),
		TEST(an_unknown_address_is_not_made_up),
		TEST(a_range_becomes_single_ports),
		TEST(equal_failures_are_told_once),
		TEST(asking_again_goes_on_with_the_recorded_lease),
		TEST(a_filter_says_who_may_come_in),
		TEST(a_filter_that_was_not_confirmed_is_told),
		TEST(the_filters_of_a_recorded_lease_are_cleared),
		TEST(a_filter_that_makes_no_sense_is_a_usage_error),
		TEST(who_is_asked_is_known_before_a_recorded_nonce_is_shown),
		TEST(json_has_every_key_of_a_mapping),
		TEST(verbose_counts_packets),
		TEST(a_full_disk_is_a_failure),
		TEST(a_session_that_cannot_be_made_is_told),
		TEST(without_a_place_for_the_record_the_port_is_open_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
