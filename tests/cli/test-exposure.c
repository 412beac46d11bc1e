/* SPDX-License-Identifier: MIT */
/* exposure: each finding provoked once, and a host where nothing is wrong. */
#include "command.h"

#include "cli/services.h"

#include <stdio.h>
#include <string.h>

#define NO_LIST                                                                              \
	"Not seen: What others opened at the router, since it has no list (UPnP); of this "  \
	"host, list --probe\n    finds the rest\n"
#define ANY_TCP(port) TENF_TCP, "0.0.0.0:" port

static json_t *findings_of(struct command *c)
{
	json_t *root = command_json(c);
	json_t *findings = json_incref(command_at(root, "findings"));

	json_decref(root);
	return findings;
}

/* The only finding has this code and severity. */
static void expect_finding(const char *line, const char *severity, const char *code)
{
	struct command c = command(line);
	json_t *findings = findings_of(&c);

	if (json_array_size(findings) != 1)
		fail_msg("%s", c.out);
	assert_string_equal(json_string_value(command_at(findings, "0.severity")), severity);
	assert_string_equal(json_string_value(command_at(findings, "0.code")), code);
	json_decref(findings);
}

static void a_service_that_is_meant_to_be_open_is_no_finding(void **state)
{
	static const char table[] =
		"OUTSIDE             INSIDE             PROGRAM              SOURCE\n"
		"203.0.113.7:80/tcp  192.168.1.20:8080  nginx (web.service)  lease\n";
	struct command c;
	json_t *root;

	(void)state;
	fake_host_listen(ANY_TCP("8080"), "nginx", "web.service");
	(void)command("add 80:8080");
	c = command("exposure");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.out, table);
	assert_string_equal(c.err, "Nothing is wrong with it.\n" NO_LIST);
	assert_int_equal(fake_host.open, 0);
	c = command("exposure --json --fail-on info");
	assert_int_equal(c.status, 0);
	root = command_json(&c);
	assert_int_equal(json_array_size(command_at(root, "findings")), 0);
	assert_int_equal(json_array_size(command_at(root, "missing")), 1);
	assert_int_equal(json_array_size(command_at(root, "exposed")), 1);
	assert_string_equal(json_string_value(command_at(root, "exposed.0.listener.program")),
			    "nginx");
	assert_string_equal(json_string_value(command_at(root, "exposed.0.listener.unit")),
			    "web.service");
	assert_int_equal(json_integer_value(command_at(root, "exposed.0.listener.pid")), 4711);
	assert_string_equal(json_string_value(command_at(root, "exposed.0.firewall")), "open");
	json_decref(root);
}

static void ssh_that_is_mapped_is_a_finding_with_advice(void **state)
{
	static const char text[] =
		"\nmedium  203.0.113.7:2222/tcp → 192.168.1.20:22: SSH is open to the world "
		"(sshd (ssh.service)).\n"
		"     →  Passwords are tried on it day and night: let it take keys alone, or reach "
		"it over a VPN.\n";
	struct command c;

	(void)state;
	fake_host_listen(ANY_TCP("22"), "sshd", "ssh.service");
	(void)command("add 2222:22");
	c = command("exposure --fail-on medium");
	assert_int_equal(c.status, 12);
	assert_non_null(strstr(c.out, text));
	assert_int_equal(command("exposure --fail-on high").status, 0);
	expect_finding("exposure --json", "medium", "sensitive-service");
}

static void a_firewall_that_keeps_it_out_makes_it_less_bad(void **state)
{
	(void)state;
	fake_host.ruleset = "{\"nftables\": [{\"chain\": {\"family\": \"inet\", \"table\": \"f\", "
			    "\"name\": \"i\", \"type\": \"filter\", \"hook\": \"input\", "
			    "\"policy\": \"drop\"}}]}";
	fake_host_listen(ANY_TCP("5432"), "postgres", "");
	(void)command("add 5432");
	expect_finding("exposure --json", "low", "sensitive-service");
	fake_host.ruleset = NULL;
	expect_finding("exposure --json", "high", "sensitive-service");
	assert_non_null(strstr(command("exposure").err,
			       "Not seen: The firewall of this computer cannot be read: only root "
			       "may read its rules\n"));
}

static void a_port_nobody_listens_on_is_found(void **state)
{
	(void)state;
	fake_host_listen(TENF_TCP, "127.0.0.1:8080", "nginx", ""); /* nobody outside reaches it */
	(void)command("add 8080");
	expect_finding("exposure --json", "low", "nobody-listens");
	assert_non_null(strstr(command("exposure").out,
			       "     →  Close it with: tenforward remove m1\n"));
}

static void two_ports_to_one_place_are_found(void **state)
{
	(void)state;
	fake_host_listen(ANY_TCP("8080"), "nginx", "");
	(void)command("add 80:8080");
	strcpy(fake.gateway.address, "192.168.1.2"); /* two gateways of one network */
	(void)command("add 81:8080");
	expect_finding("exposure --json", "low", "several-mappings");
}

static void a_gateway_that_answers_outside_is_found(void **state)
{
	(void)state;
	fake.answer_len = 12;
	fake.answer[1] = 128;
	expect_finding("exposure --json", "high", "gateway-answers-outside");
	assert_string_equal(fake.gateway_asked, "203.0.113.7:5351");
}

static void upnp_beside_natpmp_is_found(void **state)
{
	(void)state;
	fake.gateway.spoken[0].method = TENF_METHOD_IGD;
	expect_finding("exposure --json", "low", "upnp-answers");
	fake.gateway.spoken_count = 1; /* nothing else would do */
	assert_non_null(strstr(command("exposure --json").out, "\"findings\": []"));
}

static void a_listener_on_a_global_address_needs_no_gateway(void **state)
{
	struct command c;
	json_t *root;

	(void)state;
	fake_host_address("2a01:4f8::5", 2);
	fake_host_listen(TENF_TCP, "[::]:22", "sshd", "ssh.service");
	fake_host_listen(TENF_TCP, "[::]:22", "sshd", "ssh.service"); /* a second worker */
	fake_host_listen(TENF_TCP, "0.0.0.0:80", "nginx", "");   /* IPv4 alone */
	fake_host_listen(TENF_UDP, "[::]:5353", "avahi", "");    /* the own link alone */
	fake_host_listen(TENF_UDP, "[::]:41000", "resolved", ""); /* a client's end */
	fake_host_listen(TENF_TCP, "[::1]:631", "cupsd", "");
	expect_finding("exposure --json", "medium", "sensitive-service");
	c = command("exposure --json");
	root = command_json(&c);
	assert_int_equal(json_array_size(command_at(root, "exposed")), 1);
	assert_string_equal(json_string_value(command_at(root, "exposed.0.source")), "direct");
	assert_string_equal(json_string_value(command_at(root, "exposed.0.external_address")),
			    "2a01:4f8::5");
	json_decref(root);
	assert_non_null(strstr(command("exposure").out, "[2a01:4f8::5]:22/tcp  -       sshd "
							"(ssh.service)  no translation\n"));
}

static void only_what_is_new_since_the_baseline_is_told(void **state)
{
	char known[200], line[300];
	struct command c;
	FILE *file;

	(void)state;
	snprintf(known, sizeof(known), "%s/known.json", command_folder());
	snprintf(line, sizeof(line), "exposure --baseline %s --fail-on low", known);
	c = command(line);
	assert_int_equal(c.status, 2);
	assert_non_null(strstr(c.err, "make it with: tenforward exposure --json > "));
	fake_host_listen(ANY_TCP("22"), "sshd", "");
	(void)command("add 22");
	c = command("exposure --json");
	file = fopen(known, "w");
	assert_non_null(file);
	fputs(c.out, file);
	fclose(file);
	c = command(line);
	assert_int_equal(c.status, 0);
	assert_string_equal(c.out, "");
	assert_string_equal(c.err, "Nothing new is open.\n" NO_LIST);
	(void)command("add 6379");
	c = command(line);
	assert_int_equal(c.status, 12);
	assert_non_null(strstr(c.out, "6379"));
	assert_null(strstr(c.out, ":22"));
	file = fopen(known, "w");
	assert_non_null(file);
	fputs("[1, 2]", file);
	fclose(file);
	assert_int_equal(command(line).status, 2);
}

static void without_a_gateway_the_record_is_told_and_what_is_missing(void **state)
{
	struct command c;

	(void)state;
	fake.status = TENF_E_FAILED;
	fake.error = (struct tenf_error){ .reason = TENF_REASON_SILENT, .text = "No answer." };
	c = command("exposure");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.err,
			    "Nothing is known to be open.\n"
			    "Not seen: What is open at a gateway is not known beyond our own "
			    "record: No answer.\n");
}

static void a_severity_that_is_none_is_told(void **state)
{
	struct command c;

	(void)state;
	c = command("exposure --fail-on terrible");
	assert_int_equal(c.status, 2);
	assert_string_equal(c.err, "tenforward: --fail-on: \"terrible\" is not a severity; "
				   "write info, low, medium or high\n");
}

static void services_are_known_by_their_program_before_their_port(void **state)
{
	(void)state;
	assert_string_equal(service_find("sshd", TENF_TCP, 443)->what, "SSH");
	assert_string_equal(service_find("", TENF_TCP, 445)->what, "Windows file sharing (SMB)");
	assert_string_equal(service_find("redis-server", TENF_TCP, 22)->what,
			    "a database (Redis)");
	assert_null(service_find("", TENF_UDP, 22));
	assert_null(service_find("nginx", TENF_TCP, 443));
	assert_null(service_find("", TENF_TCP, 0));
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, command_setup, command_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(a_service_that_is_meant_to_be_open_is_no_finding),
		EACH(ssh_that_is_mapped_is_a_finding_with_advice),
		EACH(a_firewall_that_keeps_it_out_makes_it_less_bad),
		EACH(a_port_nobody_listens_on_is_found),
		EACH(two_ports_to_one_place_are_found),
		EACH(a_gateway_that_answers_outside_is_found),
		EACH(upnp_beside_natpmp_is_found),
		EACH(a_listener_on_a_global_address_needs_no_gateway),
		EACH(only_what_is_new_since_the_baseline_is_told),
		EACH(without_a_gateway_the_record_is_told_and_what_is_missing),
		EACH(a_severity_that_is_none_is_told),
		EACH(services_are_known_by_their_program_before_their_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
