/* SPDX-License-Identifier: MIT */
/* Bad input: one clear line, exit status 2, and nothing is sent. */
#include "command.h"

#include "cli/output.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *line;
	const char *said; /* a part of the message */
} wrong[] = {
	{ "add", "add needs more: tenforward add MAPPING…" },
	{ "add tcp8080", "\"tcp8080\" is not a mapping; write 8080/tcp, 80:8080/tcp or" },
	{ "add 0", "port \"0\" does not exist; ports go from 1 to 65535" },
	{ "add 65536", "port \"65536\" does not exist" },
	{ "add 9000-8000", "the range \"9000-8000\" is empty" },
	{ "add 7000-7010:6000-6005", "differ in length" },
	{ "add 8080/sctp", "\"sctp\" is not a protocol; write tcp, udp or both" },
	{ "add 1000-1256", "more than 256 ports" },
	{ "add 8080 80:8080", "8080/tcp is asked for twice" },
	{ "add 8080/udp 8080/both", "8080/both is asked for twice" },
	{ "add any:8080 --exact", "--exact and \"any\" contradict each other" },
	{ "add 8080 --lifetime soon", "\"soon\" is not a duration; write 90s, 10m, 2h or 1d" },
	{ "add 8080 --lifetime 0", "--lifetime: write at least 1s" },
	{ "add 8080 --lifetime", "--lifetime needs a value: --lifetime DURATION" },
	{ "add 8080 --name ''", "--name: write 1 to 127 octets" },
	{ "add 8080 --name 'a\tb'", "--name: write readable UTF-8" },
	{ "add 8080 --name '\xc3'", "--name: write readable UTF-8" },
	{ "add 8080 --for -", "\"-\" is not a host" },
	{ "add 8080 --for 224.0.0.1", "224.0.0.1 is not the address of a host" },
	{ "add 8080 --frobnicate", "there is no option --frobnicate" },
	{ "add 8080 --lifetme 5", "there is no option --lifetme; did you mean --lifetime?" },
	{ "add 8080 -x", "there is no option -x" },
	{ "add 8080 --json=yes", "--json takes no value" },
	{ "add 8080 -- ls", "add takes nothing behind \"--\"" },
	{ "ad 8080", "there is no verb \"ad\"; did you mean add?" },
	{ "frobnicate", "there is no verb \"frobnicate\"; see tenforward --help" },
	{ "--timeout nope status", "--timeout: \"nope\" is not a duration" },
	{ "--timeout 0 status", "--timeout: write at least 1s" },
	{ "--timeout 2d status", "--timeout: write at most 1d" },
	{ "--method upnp status", "\"upnp\" is not a method; write auto, pcp, natpmp or igd" },
	{ "-g 192.168.1.1 status -g 192.168.1.2",
	  "--gateway is given twice, as \"192.168.1.1\" and as \"192.168.1.2\"" },
	{ "-g 192.168.1 status", "--gateway: \"192.168.1\" is no address" },
	{ "-g 192.168.1.1:0 status", "no port from 1 to 65535" },
	{ "-g 192.168.1.1:65536 status", "no port from 1 to 65535" },
	{ "-g '' status", "is no address" },
	{ "-g 0.0.0.0 status", "cannot be asked" },
	{ "-g gateway.invalid status", "\"gateway.invalid\" is not found (" },
	{ "-i '' status", "names no interface" },
	{ "-i a-name-that-is-too-long status", "names no interface" },
	{ "--source here status", "\"here\" is not an address" },
	{ "status now", "status does not take \"now\"; write tenforward status" },
	{ "discover it", "discover does not take \"it\"" },
	{ "list 8080", "list does not take \"8080\"" },
	{ "remove", "remove needs more: tenforward remove MAPPING…|ID…|NAME…|--all" },
	{ "remove --all 8080", "--all and \"8080\" contradict each other" },
	{ "remove m7", "no mapping m7 is recorded; see: tenforward list" },
	{ "remove mx", "nothing has the name \"mx\"; see: tenforward list" },
	{ "remove tcp8080", "\"tcp8080\" is not a mapping; write 8080/tcp, 80:8080/tcp or" },
	{ "keep", "keep needs more" },
	{ "keep 0", "port \"0\" does not exist" },
	{ "keep 80 --port-file /dev/null", "--port-file: \"/dev/null\" is no plain file" },
	{ "keep 80 --port-file /tmp", "--port-file: \"/tmp\" is no plain file" },
	{ "keep 80 --port-file ''", "--port-file: \"\" is no plain file" },
	{ "run 8080", "write the command behind \"--\": tenforward run MAPPING… -- CMD…" },
	{ "run 8080 --", "write the command behind \"--\"" },
	{ "run -- ls", "run needs more" },
	{ "monitor --count 0", "\"0\" is not a number of events" },
	{ "monitor --for 1y", "\"1y\" is not a duration" },
	{ "raw", "raw needs more" },
	{ "raw nat", "\"nat\" is no request" },
	{ "raw pcp-map", "raw pcp-map needs a mapping" },
	{ "raw pcp-map 1-2", "raw sends one request; name one port of tcp or udp" },
	{ "raw pcp-map 1/both", "raw sends one request" },
	{ "raw pcp-announce 1", "raw pcp-announce takes no mapping" },
	{ "raw pcp-map 1 --nonce 12", "--nonce: write 24 hex digits" },
	{ "raw pcp-map 1 --client me", "--client: \"me\" is not an address" },
	{ "raw pcp-map 1 --remote 1.2.3.4:5", "--remote is for pcp-peer alone" },
	{ "raw pcp-peer 1", "raw pcp-peer needs --remote with address and port" },
	{ "raw hex", "raw hex needs the octets" },
	{ "raw hex 0x", "raw hex needs the octets" },
	{ "completion", "completion needs more" },
	{ "completion tcsh", "there is no completion for \"tcsh\"; write bash, zsh or fish" },
	{ "help ad", "there is no verb \"ad\"" },
};

static void bad_input_sends_nothing_and_says_what_would_be_right(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct command c = command(wrong[i].line);

		if (c.status != 2 || strstr(c.err, wrong[i].said) == NULL)
			fail_msg("%s: status %d: %s", wrong[i].line, c.status, c.err);
		if (strchr(c.err, '\n') != c.err + strlen(c.err) - 1)
			fail_msg("%s: not one line: %s", wrong[i].line, c.err);
		if (output_width(c.err) > 100)
			fail_msg("%s: above 100 columns: %s", wrong[i].line, c.err);
		assert_string_equal(c.out, "");
		assert_memory_equal(c.err, "tenforward: ", 12);
		assert_int_equal(fake.calls, 0);
	}
}

static void global_options_stand_before_or_behind_the_verb(void **state)
{
	static const char *const lines[] = {
		"-g 10.0.0.1:5 -i eth1 --source 10.0.0.9 --method pcp --timeout 2s --json status",
		("status --gateway=10.0.0.1:5 --interface=eth1 --source=10.0.0.9 --method=pcp "
		 "--timeout=2 --json"),
		"-g10.0.0.1:5 --json status -ieth1 --source 10.0.0.9 --method pcp --timeout 2s",
		"-qvg 10.0.0.1:5 --json -i eth1 status --source 10.0.0.9 --method pcp --timeout 2s",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct command c;

		fake_reset();
		c = command(lines[i]);
		assert_int_equal(c.status, 0);
		assert_string_equal(fake.gateway_asked, "10.0.0.1:5");
		assert_int_equal(fake.options.methods, TENF_METHOD_PCP);
		assert_int_equal(fake.options.timeout_ms, 2000);
		assert_int_equal(c.out[0], '{');
	}
}

static void the_same_value_twice_is_no_contradiction(void **state)
{
	struct command c;

	(void)state;
	c = command("-g 10.0.0.1 status -g 10.0.0.1");
	assert_int_equal(c.status, 0);
}

static void agent_options_are_accepted(void **state)
{
	struct command c;

	(void)state;
	c = command("--direct --socket /nowhere status");
	assert_int_equal(c.status, 0);
}

static void a_gateway_may_have_a_name_or_a_scope(void **state)
{
	struct command c;

	(void)state;
	c = command("-g localhost status");
	assert_int_equal(c.status, 0);
	assert_string_equal(fake.gateway_asked, "127.0.0.1:5351");
	c = command("-g localhost:5399 status");
	assert_string_equal(fake.gateway_asked, "127.0.0.1:5399");
	c = command("-g fe80::1%eth0 status");
	assert_int_equal(c.status, 0);
	assert_string_equal(fake.gateway_asked, "fe80::1%eth0");
	c = command("-g [2001:db8::1]:5351 status");
	assert_string_equal(fake.gateway_asked, "[2001:db8::1]:5351");
}

static void without_a_verb_the_usage_is_shown(void **state)
{
	struct command c;

	(void)state;
	c = command("");
	assert_int_equal(c.status, 2);
	assert_string_equal(c.out, "");
	assert_non_null(strstr(c.err, "Usage: tenforward"));
	c = command("--help");
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.out, "Usage: tenforward"));
	assert_string_equal(c.err, "");
	c = command("--version");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.out, "tenforward 0.0.1\n");
}

static void every_verb_has_help_with_an_example(void **state)
{
	static const char *const verbs[] = { "status", "discover", "list", "add", "remove", "keep",
					     "run", "monitor", "check", "doctor", "exposure",
					     "agent", "gateway", "raw", "completion", "help" };

	(void)state;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		char line[64], example[64], first[4096];
		struct command c;

		snprintf(line, sizeof(line), "%s --help", verbs[i]);
		snprintf(example, sizeof(example), "Example:\n  tenforward %s", verbs[i]);
		c = command(line);
		assert_int_equal(c.status, 0);
		if (strstr(c.out, example) == NULL)
			fail_msg("%s: %s", verbs[i], c.out);
		assert_null(strstr(c.out, "?."));
		assert_null(strstr(c.out, "…."));
		snprintf(first, sizeof(first), "%s", c.out);
		snprintf(line, sizeof(line), "help %s", verbs[i]);
		c = command(line);
		assert_string_equal(c.out, first);
	}
	assert_int_equal(fake.calls, 0);
}

static void no_line_of_help_is_above_100_columns(void **state)
{
	struct command c;

	(void)state;
	c = command("--help");
	assert_non_null(strstr(c.out, "\n  agent status|reload|check-config [FILE]\n"
				      "                               the agent that"));
	for (char *line = strtok(c.out, "\n"); line != NULL; line = strtok(NULL, "\n"))
		assert_true(strlen(line) <= 110); /* octets; some letters have three */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, command_setup, command_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bad_input_sends_nothing_and_says_what_would_be_right),
		TEST(global_options_stand_before_or_behind_the_verb),
		TEST(the_same_value_twice_is_no_contradiction),
		TEST(agent_options_are_accepted),
		TEST(a_gateway_may_have_a_name_or_a_scope),
		TEST(without_a_verb_the_usage_is_shown),
		TEST(every_verb_has_help_with_an_example),
		TEST(no_line_of_help_is_above_100_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
