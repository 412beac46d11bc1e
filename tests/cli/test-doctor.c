/* SPDX-License-Identifier: MIT */
/* doctor and check: what each step says, and what it comes to. Networks that are really
 * broken are in tests/netns. */
#include "command.h"

#include "cli/mask.h"
#include "cli/outside.h"
#include "cli/steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char healthy[] =
	" 1 link       ok    eth0 is up, address 192.168.1.20\n"
	" 2 route      ok    the way to the internet is 192.168.1.1 on eth0\n"
	" 3 gateway    ok    192.168.1.1 answers PCP and NAT-PMP in 0.8 ms\n"
	" 4 service    ok    it opens ports on request: PCP version 2, NAT-PMP version 0\n"
	" 5 address    ok    203.0.113.7 is a public address\n"
	" 6 policy     ok    the router allowed it, when it was opened\n"
	" 7 listener   ok    minecraft (game.service) listens on 25565/tcp\n"
	" 8 firewall   ok    the firewall of this computer lets 25565/tcp in\n"
	" 9 mapping    ok    203.0.113.7:25565/tcp → 192.168.1.20:25565 for another 2 h, renewed "
	"by nobody\n"
	"                    so says our own record; this router has no list to compare with\n"
	"10 hairpin    ok    203.0.113.7:25565 answers, asked from inside\n"
	"11 outside    —     not tested; from another network: tenforward check 25565/tcp --from "
	"you@server\n"
	"25565/tcp is open as far as can be seen from inside.\n";

static void set_up_game(void)
{
	fake_host_listen(TENF_TCP, "0.0.0.0:25565", "minecraft", "game.service");
	fake_host_answer("203.0.113.7:25565", HOST_OPEN, HOST_SILENT);
	(void)command("add 25565");
}

/* The outcome of the last step of this name: 't', 'f' or 'n'; 0 when there is none. */
static char outcome(const char *line, const char *name)
{
	struct command c = command(line);
	json_t *root = command_json(&c), *steps = command_at(root, "steps");
	char found = 0;

	for (size_t i = 0; i < json_array_size(steps); i++) {
		const json_t *step = json_array_get(steps, i), *ok = json_object_get(step, "ok");

		if (strcmp(json_string_value(json_object_get(step, "name")), name) == 0)
			found = json_is_null(ok) ? 'n' : json_is_true(ok) ? 't' : 'f';
	}
	json_decref(root);
	return found;
}

static void expect_verdict(const char *line, int status, const char *verdict)
{
	struct command c = command(line);
	const char *last = strstr(c.out, verdict);

	assert_int_equal(c.status, status);
	if (last == NULL)
		fail_msg("%s", c.out);
}

static void where_nothing_is_wrong_every_step_says_so(void **state)
{
	struct command c;

	(void)state;
	set_up_game();
	c = command("doctor 25565/tcp");
	assert_string_equal(c.out, healthy);
	assert_int_equal(c.status, 0);
	assert_int_equal(fake_host.open, 0);
	expect_verdict("check 25565", 0, "25565/tcp is open as far as can be seen from inside.\n");
	expect_verdict("doctor", 0, "Nothing is wrong: ports can be opened here.\n");
	assert_int_equal(fake.request_count, 1); /* that of `add` */
	assert_int_equal(fake.released_count, 0);
}

static void the_link_is_looked_at_first(void **state)
{
	struct host_network *n = &fake_host.host.network;

	(void)state;
	n->links[1].is_running = false;
	expect_verdict("doctor", 3, "Ports cannot be opened because eth0 is not connected.\n");
	n->links[1].is_up = false;
	expect_verdict("doctor", 3, "because eth0 is switched off.\n");
	n->links[1].is_up = n->links[1].is_running = true;
	n->address_count = 1; /* loopback */
	expect_verdict("doctor", 3, "because eth0 has no address.\n");
	n->link_count = 1;
	fake.gateway.interface[0] = '\0';
	expect_verdict("doctor", 3, "because this computer has no network interface.\n");
}

static void a_way_that_leads_elsewhere_is_told_with_what_to_do(void **state)
{
	struct host_network *n = &fake_host.host.network;

	(void)state;
	n->links[n->link_count++] = (struct host_link){ .index = 3, .name = "wg0", .is_up = true,
							.is_running = true, .kind = "wireguard" };
	fake_host.route = (struct host_route){ .is_v4 = true, .interface = 3 };
	expect_verdict("doctor", 3, "traffic to the internet leaves by wg0 (a VPN), but the "
				    "gateway asked is on eth0\n");
	fake_host.route_error = 101;
	expect_verdict("doctor", 3, "because this computer has no way to the internet.\n");
}

static void what_the_gateway_does_not_do_is_told_apart(void **state)
{
	(void)state;
	fake.status = TENF_E_FAILED;
	fake.error = (struct tenf_error){ .reason = TENF_REASON_SILENT, .text = "Silence." };
	expect_verdict("doctor", 4, "because the router at 192.168.1.1 does not answer.\n");
	fake_host_answer("192.168.1.1:80", HOST_REFUSED, HOST_SILENT);
	expect_verdict("doctor", 4, "because the router opens no ports on request.\n");
	fake.error.reason = TENF_REASON_NO_SERVICE;
	expect_verdict("doctor", 5, "because the router opens no ports on request.\n");
	fake.error.reason = TENF_REASON_NO_GATEWAY;
	expect_verdict("doctor", 3, "because there is no router to open them.\n");
}

static void an_address_the_internet_cannot_reach_is_told(void **state)
{
	(void)state;
	strcpy(fake.gateway.external_address, "100.64.1.2");
	fake.gateway.address_class = TENF_ADDRESS_CARRIER;
	expect_verdict("doctor", 8, "because the provider shares one address among customers");
	fake.gateway.address_class = TENF_ADDRESS_NONE;
	fake.gateway.external_address[0] = '\0';
	expect_verdict("doctor", 8,
		       "because the router itself is not connected to the internet.\n");
	fake.gateway.spoken_count = 1; /* PCP tells no address */
	assert_int_equal(outcome("doctor --json", "address"), 'n');
	strcpy(fake.gateway.external_address, "10.20.0.14");
	fake.gateway.address_class = TENF_ADDRESS_PRIVATE;
	fake_host.outer = "10.20.0.1";
	expect_verdict("doctor", 8, "the outer router is 10.20.0.1, and answers PCP");
}

static void a_stun_server_is_asked_only_when_it_is_named(void **state)
{
	(void)state;
	(void)command("doctor");
	assert_int_equal(fake_host.reached_count, 0);
	fake_host.seen_by_stun = "203.0.113.7:40000";
	assert_int_equal(outcome("doctor --json --stun 192.0.2.9", "address"), 't');
	assert_string_equal(fake_host.reached[0], "stun 192.0.2.9:3478");
	fake_host.seen_by_stun = "203.0.113.8:40000";
	expect_verdict("doctor --stun 192.0.2.9:99", 8,
		       "but the internet sees 203.0.113.8");
	fake_host.stun = TENF_E_AGAIN;
	assert_int_equal(outcome("doctor --json --stun 192.0.2.9", "address"), 'n');
	assert_int_equal(command("doctor --stun 192.0.2.9:0").status, 2);
}

static void who_listens_and_for_whom_is_told(void **state)
{
	(void)state;
	(void)command("add 25565");
	expect_verdict("check 25565", 11, "because nothing listens on 25565/tcp here.\n");
	fake_host_listen(TENF_TCP, "127.0.0.1:25565", "minecraft", "");
	expect_verdict("check 25565", 11, "because minecraft listens for this computer alone.\n");
	fake_host.host.sockets_error = 1;
	assert_int_equal(outcome("check --json 25565", "listener"), 'n');
}

static void the_firewall_is_judged_or_said_to_be_unreadable(void **state)
{
	(void)state;
	set_up_game();
	fake_host.ruleset = NULL;
	expect_verdict("check 25565", 0, "the firewall of this computer cannot be read: only root");
	fake_host.ruleset = "{\"nftables\": [{\"chain\": {\"family\": \"inet\", \"table\": \"f\", "
			    "\"name\": \"i\", \"type\": \"filter\", \"hook\": \"input\", "
			    "\"policy\": \"drop\"}}]}";
	expect_verdict("check 25565", 11, "keeps 25565/tcp out (chain i of table inet f)\n");
}

static void a_mapping_is_missing_refused_forgotten_or_elsewhere(void **state)
{
	(void)state;
	fake_host_listen(TENF_TCP, "0.0.0.0:25565", "minecraft", "");
	expect_verdict("check 25565", 11, "because nobody opened 25565/tcp at the router.\n");
	(void)command("add 25565");
	fake.gateway.up_since = fake.now + 60; /* restarted since */
	fake.now += 120;
	expect_verdict("check 25565", 11, "because the router no longer knows of 25565/tcp.\n");
	fake_agent.runs = true;
	fake_agent.answers[0] = (struct fake_answer){
		.request = "GET /v1/mappings",
		.http = 200,
		.json = "{\"mappings\": [{\"id\": \"m2\", \"protocol\": \"tcp\", "
			"\"internal_port\": 81, \"state\": \"refused\", \"source\": \"agent\", "
			"\"error\": {\"code\": "
			"\"refused\", \"result\": 2, \"text\": \"Policy.\"}}]}",
	};
	expect_verdict("doctor 81", 6, "because the router refuses this port.\n");
}

static void a_dead_mapping_is_removed_and_asked_for_again(void **state)
{
	struct command c;

	(void)state;
	set_up_game();
	fake.gateway.up_since = fake.now + 60;
	fake.now += 120;
	c = command("check 25565 --heal");
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.out, " 3 mapping    was   the router restarted"));
	assert_non_null(strstr(c.out, "mapping    ok    opened again: 203.0.113.7:25565/tcp → "
				      "192.168.1.20:25565\n"));
	assert_int_equal(fake.released_count, 1);
	assert_int_equal(fake.request_count, 2);
	assert_int_equal(fake.requests[1].request.external_port, 25565);
	fake.gateway.up_since = 0;
	c = command("check 25565 --heal"); /* nothing to heal */
	assert_int_equal(fake.request_count, 2);
}

static void what_udp_cannot_tell_is_not_told(void **state)
{
	struct command c;

	(void)state;
	fake_host_listen(TENF_UDP, "0.0.0.0:27015", "srcds", "");
	(void)command("add 27015/udp");
	c = command("check 27015/udp");
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.out, "a UDP service need not answer strangers"));
	c = command("check 27015/both --json"); /* two documents in one */
	assert_int_equal(c.status, 11);
	assert_non_null(strstr(c.out, "\"checks\": ["));
}

/* ---- From outside ---------------------------------------------------------------- */

static void put_ssh(const char *script)
{
	char path[200];
	FILE *file;

	snprintf(path, sizeof(path), "%s/ssh", command_folder());
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "#!/bin/sh\n%s\n", script);
	fclose(file);
	assert_int_equal(chmod(path, 0755), 0);
}

static void a_connection_over_ssh_is_the_proof(void **state)
{
	char *before = strdup(getenv("PATH")), path[400];

	(void)state;
	set_up_game();
	snprintf(path, sizeof(path), "%s:%s", command_folder(), before);
	setenv("PATH", path, 1);
	put_ssh("echo \"$@\" | grep -q 'a=203.0.113.7 p=25565' && echo tenforward=0");
	expect_verdict("check 25565 --from you@server", 0,
		       "25565/tcp is open: it was reached from outside.\n");
	put_ssh("echo tenforward=1");
	expect_verdict("check 25565 --from you@server", 11,
		       "because 203.0.113.7:25565 is closed from outside.\n");
	put_ssh("echo tenforward=124");
	expect_verdict("check 25565 --from you@server", 11,
		       "does not answer, asked from you@server");
	put_ssh("exit 255");
	expect_verdict("check 25565 --from you@server", 0,
		       "could not be asked from you@server: ssh could not get there\n");
	setenv("PATH", before, 1);
	free(before);
}

static void a_check_service_the_user_names_is_asked(void **state)
{
	(void)state;
	set_up_game();
	fake_agent.page = "{\"open\": true}";
	expect_verdict("check 25565 --from-url "
		       "'https://c.example/?a={address}&p={port}/{protocol}'", 0,
		       "it was reached from outside.\n");
	assert_string_equal(fake_agent.fetched, "https://c.example/?a=203.0.113.7&p=25565/tcp");
	fake_agent.page = " closed\n";
	expect_verdict("check 25565 --from-url http://c.example", 11, "is closed from outside.\n");
	fake_agent.page = "<html>";
	expect_verdict("check 25565 --from-url http://c.example", 0,
		       "could not be asked from the check service: it says neither open");
	expect_verdict("check 25565 --from-url file:///etc/passwd", 0,
		       "that is no URL of http or https\n");
}

static void nothing_of_the_users_gets_into_the_far_shell(void **state)
{
	struct outside_target target = { "203.0.113.7", 80, TENF_TCP };
	char text[600];
	struct tenf_text why = tenf_text_of(text, sizeof(text));

	(void)state;
	assert_true(outside_command(&target, text, sizeof(text)));
	assert_memory_equal(text, "a=203.0.113.7 p=80; ", 20);
	assert_false(outside_command(&target, text, 20));
	assert_int_equal(outside_read_shell("motd\ntenforward=0\n", &why), OUTSIDE_OPEN);
	assert_int_equal(outside_read_shell("tenforward=99\n", &why), OUTSIDE_FAILED);
	assert_int_equal(outside_read_shell("tenforward=\n", &why), OUTSIDE_FAILED);
	assert_int_equal(outside_read_shell("tenforward=99999999999999999999\n", &why),
			 OUTSIDE_FAILED);
	assert_int_equal(outside_read_shell("", &why), OUTSIDE_FAILED);
	assert_int_equal(outside_read_answer("true", &why), OUTSIDE_OPEN);
	assert_int_equal(outside_read_answer("OPEN.", &why), OUTSIDE_OPEN);
	assert_int_equal(outside_read_answer("openness", &why), OUTSIDE_FAILED);
	assert_int_equal(outside_read_answer("{\"open\": 1}", &why), OUTSIDE_FAILED);
}

static void what_the_agent_keeps_is_renewed_by_it(void **state)
{
	static const char now[] =
		"{\"mappings\": [{\"id\": \"m7\", \"protocol\": \"tcp\", \"internal_address\": "
		"\"192.168.1.20\", \"internal_port\": 25565, \"external_address\": "
		"\"203.0.113.7\", \"external_port\": 25565, \"lifetime\": 7200, \"expires_at\": "
		"\"2026-11-22T10:00:00Z\", \"state\": \"mapped\", \"method\": \"pcp\", "
		"\"source\": \"agent\"}]}";
	static char later[sizeof(now)];
	struct command c;

	(void)state;
	memcpy(later, now, sizeof(now));
	memcpy(strstr(later, "10:00:00Z"), "11:00:00Z", 9);
	set_up_game();
	(void)command("remove m1");
	fake_agent.runs = true;
	fake_agent.answers[0] = (struct fake_answer){ .request = "GET /v1/mappings", .http = 200,
						      .json = now, .times = 2 };
	fake_agent.answers[1] = (struct fake_answer){ .request = "GET /v1/mappings", .http = 200,
						      .json = later };
	fake_agent.answers[2] = (struct fake_answer){ .request = "PATCH /v1/mappings/m7",
						      .http = 200, .json = now };
	fake_agent.page = "closed";
	c = command("check 25565 --heal --from-url http://c.example");
	assert_int_equal(c.status, 11); /* it is still closed afterwards, and that is told */
	assert_non_null(strstr(c.out, "opened again: 203.0.113.7:25565/tcp"));
	assert_string_equal(fake_agent.asked[1], "PATCH /v1/mappings/m7 {\"lifetime\": 7200}");
}

/* ---- Reports --------------------------------------------------------------------- */

static void a_report_hides_what_strangers_need_not_know(void **state)
{
	static const struct {
		const char *text, *masked;
	} rows[] = {
		{ "203.0.113.7:80/tcp → 192.168.1.20:80.", "x.x.x.x:80/tcp → 192.168.1.20:80." },
		{ "at 100.64.1.2, 10.0.0.1 and 127.0.0.1", "at x.x.x.x, 10.0.0.1 and 127.0.0.1" },
		{ "[2001:db8::1]:80 and fe80::1%eth0", "[x:x]:80 and x:x%eth0" },
		{ "version 2.3.1 of 12:34:56, abc.def", "version 2.3.1 of 12:34:56, abc.def" },
		{ "203.0.113.7.", "x.x.x.x." },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[200];

		snprintf(text, sizeof(text), "%s", rows[i].text);
		mask_addresses(text, sizeof(text));
		assert_string_equal(text, rows[i].masked);
	}
}

static void a_report_begins_with_the_version(void **state)
{
	struct command c;

	(void)state;
	set_up_game();
	c = command("doctor 25565 --report");
	assert_memory_equal(c.out, "Ten Forward 0.0.1\n", 18);
	assert_null(strstr(c.out, "203.0.113.7"));
	assert_non_null(strstr(c.out, "192.168.1.20"));
}

static void more_steps_than_there_is_room_for_do_no_harm(void **state)
{
	struct steps *steps = calloc(1, sizeof(*steps));

	(void)state;
	assert_non_null(steps);
	for (int i = 0; i < STEPS_MAX + 5; i++)
		(void)steps_add(steps, "link", STEP_OK);
	assert_int_equal(steps->count, STEPS_MAX);
	assert_null(steps_worst(steps));
	free(steps);
}

static void hints_are_told_and_close_nothing(void **state)
{
	(void)state;
	fake_host.port_is_taken = true;
	fake_host_listen(TENF_UDP, "0.0.0.0:5350", "avahi", "");
	expect_verdict("doctor", 0, "port 5350/udp is taken by avahi\n");
	fake_host.port_is_taken = false;
	(void)command("add 25565");
	fake.now -= 86400;
	expect_verdict("doctor", 0, "the clock of this computer was set back\n");
}

static void one_port_is_looked_at(void **state)
{
	(void)state;
	assert_int_equal(command("check 1-3").status, 2);
	assert_int_equal(command("doctor tcp80").status, 2);
	assert_int_equal(command("check").status, 2);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, command_setup, command_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(where_nothing_is_wrong_every_step_says_so),
		EACH(the_link_is_looked_at_first),
		EACH(a_way_that_leads_elsewhere_is_told_with_what_to_do),
		EACH(what_the_gateway_does_not_do_is_told_apart),
		EACH(an_address_the_internet_cannot_reach_is_told),
		EACH(a_stun_server_is_asked_only_when_it_is_named),
		EACH(who_listens_and_for_whom_is_told),
		EACH(the_firewall_is_judged_or_said_to_be_unreadable),
		EACH(a_mapping_is_missing_refused_forgotten_or_elsewhere),
		EACH(a_dead_mapping_is_removed_and_asked_for_again),
		EACH(what_udp_cannot_tell_is_not_told),
		EACH(a_connection_over_ssh_is_the_proof),
		EACH(a_check_service_the_user_names_is_asked),
		EACH(nothing_of_the_users_gets_into_the_far_shell),
		EACH(what_the_agent_keeps_is_renewed_by_it),
		EACH(a_report_hides_what_strangers_need_not_know),
		EACH(a_report_begins_with_the_version),
		EACH(more_steps_than_there_is_room_for_do_no_harm),
		EACH(hints_are_told_and_close_nothing),
		EACH(one_port_is_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
