/* SPDX-License-Identifier: MIT */
/* status, discover and list: what people and scripts see. */
#include "command.h"

#include <stdio.h>
#include <string.h>

static const char double_nat[] =
	"Outside   10.20.0.14 — private: your router is behind another router (double NAT)\n"
	"          Ports opened here are not reachable from the internet.\n";

static const char gateways_table[] =
	"GATEWAY        INTERFACE  FROM          ANSWERS           TIME    OUTSIDE      CLASS\n"
	"192.168.1.1    eth0       192.168.1.20  PCP 2, NAT-PMP 0  0.8 ms  203.0.113.7  public\n"
	"10.2.0.1:5399  tun0       -             silent            -       -            -\n";

#define NO_AGENT "Agent     not running; mappings made by `add` end with their lease\n"
#define NEAR "192.168.1."
#define FAR "203.0.113.7:"
static const char leases_table[] =
	"ID     NAME  OUTSIDE                 INSIDE              STATE  "
	"EXPIRES        VIA  SOURCE\n"
	"m1     web   " FAR "80/tcp      " NEAR "20:8080   open   in 1 h 58 min  PCP  lease\n"
	"m2,m3  game  " FAR "25565/both  " NEAR "20:25565  open   in 10 min      PCP  lease\n"
	"m4     -     " FAR "40112/udp   " NEAR "31:51413  open   in 1 h 58 min  PCP  lease\n";

static void fail_with(enum tenf_reason reason)
{
	fake.status = TENF_E_FAILED;
	fake.error = (struct tenf_error){ .status = TENF_E_FAILED,
					  .reason = reason,
					  .result = -1,
					  .text = "No answer from 192.168.1.1 within 5 s." };
	fake.gateway.spoken_count = 0;
	fake.gateway.external_address[0] = '\0';
	fake.gateway.address_class = TENF_ADDRESS_NONE;
	fake.gateway.epoch_s = -1;
	fake.gateway.up_since = 0;
	fake.gateway.rtt_us = -1;
}

static void status_says_what_the_gateway_is_good_for(void **state)
{
	struct command c;

	(void)state;
	c = command("status");
	assert_int_equal(c.status, 0);
	assert_string_equal(
		c.out,
		"Gateway   " NEAR "1 on eth0 · PCP and NAT-PMP · answers in 0.8 ms · "
		"up 3 days\n"
		"Outside   203.0.113.7 (public)\n"
		NO_AGENT);
	assert_string_equal(c.err, "");
	(void)command("add 8080");
	c = command("status");
	assert_non_null(strstr(c.out, "Mappings  1 recorded; see: tenforward list\n"));
}

static void status_behind_a_second_router_says_so(void **state)
{
	struct command c;

	(void)state;
	strcpy(fake.gateway.external_address, "10.20.0.14");
	fake.gateway.address_class = TENF_ADDRESS_PRIVATE;
	c = command("status");
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.out, double_nat));
}

static void an_address_nobody_told_is_not_called_absent(void **state)
{
	(void)state;
	fake.gateway.external_address[0] = '\0';
	fake.gateway.address_class = TENF_ADDRESS_NONE;
	assert_non_null(strstr(command("status").out, "Outside   no address\n"));
	fake.gateway.spoken_count = 1; /* PCP */
	assert_non_null(strstr(command("status").out,
			       "Outside   not known: PCP tells it with a mapping, "));
}

static void status_as_json_has_every_key(void **state)
{
	static const char expected[] =
		"{\"gateways\": [{\"address\": \"192.168.1.1\", \"port\": 5351, "
		"\"interface\": "
		"\"eth0\", \"source\": \"192.168.1.20\", \"methods\": [{\"name\": \"pcp\", "
		"\"version\": 2}, {\"name\": \"natpmp\", \"version\": 0}], \"external_address\": "
		"\"203.0.113.7\", \"address_class\": \"public\", \"epoch\": 259200, \"up_since\": "
		"\"2026-11-19T09:03:03Z\", \"rtt_ms\": 0.812, \"error\": null}], \"agent\": "
		"{\"running\": false}, \"mappings\": 0}";
	struct command c;
	json_t *root, *wanted = json_loads(expected, 0, NULL);

	(void)state;
	c = command("status --json");
	root = command_json(&c);
	assert_non_null(wanted);
	assert_true(json_equal(root, wanted));
	json_decref(root);
	c = command("discover --json");
	root = command_json(&c);
	assert_true(json_equal(root, wanted));
	json_decref(root);
	json_decref(wanted);
}

static void a_gateway_that_is_silent_is_shown_and_told(void **state)
{
	struct command c;
	json_t *root;

	(void)state;
	fail_with(TENF_REASON_SILENT);
	c = command("status --json");
	root = command_json(&c);
	assert_int_equal(c.status, 4);
	assert_string_equal(json_string_value(command_at(root, "gateways.0.error.code")), "silent");
	assert_true(json_is_null(command_at(root, "gateways.0.external_address")));
	assert_true(json_is_null(command_at(root, "gateways.0.rtt_ms")));
	assert_true(json_is_null(command_at(root, "gateways.0.epoch")));
	assert_true(json_is_null(command_at(root, "gateways.0.up_since")));
	assert_true(json_is_null(command_at(root, "gateways.0.address_class")));
	assert_int_equal(json_array_size(command_at(root, "gateways.0.methods")), 0);
	assert_string_equal(c.err, "No answer from 192.168.1.1 within 5 s.\n");
	json_decref(root);
	c = command("status");
	assert_string_equal(
		c.out, "Gateway   192.168.1.1 on eth0\n"
		       NO_AGENT);
}

static void status_has_an_exit_status_for_each_reason(void **state)
{
	static const struct {
		enum tenf_reason reason;
		int status;
	} all[] = { { TENF_REASON_NO_GATEWAY, 3 },
		    { TENF_REASON_SILENT, 4 },
		    { TENF_REASON_NO_SERVICE, 5 },
		    { TENF_REASON_NO_NETWORK, 8 } };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct command c;

		fake_reset();
		fail_with(all[i].reason);
		c = command("status");
		assert_int_equal(c.status, all[i].status);
	}
}

static void no_gateway_is_an_empty_list(void **state)
{
	struct command c;
	json_t *root;

	(void)state;
	fail_with(TENF_REASON_NO_GATEWAY);
	fake.gateway.address[0] = '\0';
	c = command("status --json");
	root = command_json(&c);
	assert_int_equal(c.status, 3);
	assert_int_equal(json_array_size(command_at(root, "gateways")), 0);
	json_decref(root);
	fake.status = TENF_OK;
	fake.found_count = 0;
	c = command("discover --json");
	root = command_json(&c);
	assert_int_equal(c.status, 3);
	assert_int_equal(json_array_size(command_at(root, "gateways")), 0);
	json_decref(root);
	assert_non_null(strstr(c.err, "No gateway was found"));
}

static void discover_shows_every_gateway(void **state)
{
	struct command c;

	(void)state;
	fake.found[1] = (struct tenf_gateway){ .address = "10.2.0.1",
					       .port = 5399,
					       .interface = "tun0",
					       .epoch_s = -1,
					       .rtt_us = -1,
					       .error = { .reason = TENF_REASON_SILENT } };
	fake.found_count = 2;
	c = command("discover");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.out, gateways_table);
}

static void discover_fails_when_none_answers(void **state)
{
	struct command c;

	(void)state;
	fake.found[0].spoken_count = 0;
	fake.found[0].error = (struct tenf_error){ .reason = TENF_REASON_NO_SERVICE };
	c = command("discover");
	assert_int_equal(c.status, 5);
	assert_string_equal(c.err, "The gateway offers no port mapping.\n");
}

static void list_is_a_table_for_people(void **state)
{
	struct command c;

	(void)state;
	(void)command("add 80:8080 --name web");
	(void)command("add 25565/both --lifetime 12m --name game");
	(void)command("add any:51413/udp --for 192.168.1.31");
	fake.now += 120;
	c = command("list");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.out, leases_table);
	assert_int_equal(fake.calls, 3); /* list asks nobody */
}

static void list_as_json_is_a_list_of_mappings(void **state)
{
	struct command c;
	json_t *root;

	(void)state;
	c = command("list --json");
	root = command_json(&c);
	assert_int_equal(json_array_size(command_at(root, "mappings")), 0);
	json_decref(root);
	(void)command("add 25565/both");
	c = command("list --json");
	root = command_json(&c);
	assert_int_equal(json_array_size(command_at(root, "mappings")), 2);
	assert_string_equal(json_string_value(command_at(root, "mappings.1.id")), "m2");
	assert_string_equal(json_string_value(command_at(root, "mappings.1.protocol")), "udp");
	assert_string_equal(json_string_value(command_at(root, "mappings.1.state")), "mapped");
	json_decref(root);
}

static void an_empty_list_is_talk_not_data(void **state)
{
	struct command c;

	(void)state;
	c = command("list");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.out, "");
	assert_string_equal(c.err,
			    "No mappings are recorded. Make one with: tenforward add 8080\n");
	c = command("list -q");
	assert_string_equal(c.err, "");
}

static void long_names_and_addresses_stay_within_100_columns(void **state)
{
	struct command c;
	size_t width = 0, widest = 0;

	(void)state;
	strcpy(fake.gateway.external_address, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
	strcpy(fake.gateway.source, "2001:db8:eeee:eeee:eeee:eeee:eeee:eeee");
	(void)command("add 65000 --name 'a rather long name with € in it, and more of it'");
	c = command("list");
	for (const char *at = c.out; *at != '\0'; at++) {
		width = *at == '\n' ? 0 : width + ((*at & 0xc0) != 0x80);
		widest = width > widest ? width : widest;
	}
	assert_in_range(widest, 50, 100);
	assert_non_null(strstr(c.out, "[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:65000/tcp"));
	assert_non_null(strstr(c.out, "[2001:db8:eeee:eeee:eeee:eeee:eeee:eeee]:65000"));
	assert_non_null(strstr(c.out, "a rather long name …"));
}

static void control_characters_of_a_gateway_never_reach_the_terminal(void **state)
{
	struct command c;

	(void)state;
	fail_with(TENF_REASON_REFUSED);
	strcpy(fake.error.text, "evil \033[31m text");
	c = command("status");
	assert_int_equal(c.status, 6);
	assert_string_equal(c.err, "evil ?[31m text\n");
}

static void a_full_disk_is_a_failure(void **state)
{
	(void)state;
	assert_int_equal(command_on_full_disk("status").status, 1);
	assert_int_equal(command_on_full_disk("list --json").status, 1);
	assert_int_equal(command_on_full_disk("--help").status, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, command_setup, command_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(status_says_what_the_gateway_is_good_for),
		TEST(status_behind_a_second_router_says_so),
		TEST(an_address_nobody_told_is_not_called_absent),
		TEST(status_as_json_has_every_key),
		TEST(a_gateway_that_is_silent_is_shown_and_told),
		TEST(status_has_an_exit_status_for_each_reason),
		TEST(no_gateway_is_an_empty_list),
		TEST(discover_shows_every_gateway),
		TEST(discover_fails_when_none_answers),
		TEST(list_is_a_table_for_people),
		TEST(list_as_json_is_a_list_of_mappings),
		TEST(an_empty_list_is_talk_not_data),
		TEST(long_names_and_addresses_stay_within_100_columns),
		TEST(control_characters_of_a_gateway_never_reach_the_terminal),
		TEST(a_full_disk_is_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
