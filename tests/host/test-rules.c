/* SPDX-License-Identifier: MIT */
/* What a firewall does to a packet from the internet, judged from its rules. */
#include "packets.h"

#include "host/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WRAP(objects) "{\"nftables\": [{\"metainfo\": {\"json_schema_version\": 1}}, " objects "]}"
#define BASE(policy)                                                                       \
	"{\"chain\": {\"family\": \"inet\", \"table\": \"filter\", \"name\": \"input\", "  \
	"\"type\": \"filter\", \"hook\": \"input\", \"prio\": 0, \"policy\": \"" policy "\"}}"
#define RULE(chain, expr)                                                          \
	", {\"rule\": {\"family\": \"inet\", \"table\": \"filter\", \"chain\": \"" \
	chain "\", \"expr\": [" expr "]}}"
#define MATCH(op, left, right) \
	"{\"match\": {\"op\": \"" op "\", \"left\": " left ", \"right\": " right "}}, "
#define META(key) "{\"meta\": {\"key\": \"" key "\"}}"
#define FIELD(header, field) \
	"{\"payload\": {\"protocol\": \"" header "\", \"field\": \"" field "\"}}"
#define STATE "{\"ct\": {\"key\": \"state\"}}"
#define ACCEPT "{\"accept\": null}"
#define DROP "{\"drop\": null}"
#define DPORT(right) MATCH("==", FIELD("tcp", "dport"), right)

static enum host_verdict judge_packet(const char *text, const struct host_packet *packet)
{
	json_error_t error;
	json_t *ruleset = json_loads(text, 0, &error);
	enum host_verdict verdict;

	if (ruleset == NULL)
		fail_msg("%s at %d: %s", error.text, error.position, text);
	verdict = host_rules_judge(ruleset, packet, NULL);
	json_decref(ruleset);
	return verdict;
}

/* A first packet for 8080/tcp over eth0. */
static enum host_verdict judge(const char *text)
{
	struct host_packet packet = { .protocol = TENF_TCP, .port = 8080, .interface = "eth0" };

	packet.address = tenf_address_v4(0xc0a80114); /* 192.168.1.20 */
	return judge_packet(text, &packet);
}

static void without_rules_everything_gets_in(void **state)
{
	(void)state;
	assert_int_equal(judge("{\"nftables\": []}"), HOST_LETS_IN);
	assert_int_equal(judge(WRAP(BASE("accept"))), HOST_LETS_IN);
	assert_int_equal(judge(WRAP(BASE("drop"))), HOST_KEEPS_OUT);
}

static const struct {
	const char *rules;
	enum host_verdict with_drop, with_accept; /* policy of the chain */
} rows[] = {
	{ RULE("input", DPORT("8080") ACCEPT), HOST_LETS_IN, HOST_LETS_IN },
	{ RULE("input", DPORT("8081") ACCEPT), HOST_KEEPS_OUT, HOST_LETS_IN },
	{ RULE("input", DPORT("{\"set\": [22, {\"range\": [8000, 8999]}]}") ACCEPT), HOST_LETS_IN,
	  HOST_LETS_IN },
	{ RULE("input", DPORT("8080") DROP) RULE("input", ACCEPT), HOST_KEEPS_OUT, HOST_KEEPS_OUT },
	{ RULE("input", DPORT("8080") "{\"reject\": null}"), HOST_KEEPS_OUT, HOST_KEEPS_OUT },
	{ RULE("input", MATCH("!=", FIELD("tcp", "dport"), "22") DROP), HOST_KEEPS_OUT,
	  HOST_KEEPS_OUT },
	/* other protocols and families do not fit, whatever the operator */
	{ RULE("input", MATCH("!=", FIELD("udp", "dport"), "22") ACCEPT), HOST_KEEPS_OUT,
	  HOST_LETS_IN },
	{ RULE("input", MATCH("!=", FIELD("ip6", "saddr"), "\"fe80::1\"") ACCEPT), HOST_KEEPS_OUT,
	  HOST_LETS_IN },
	{ RULE("input", MATCH("==", FIELD("icmp", "type"), "\"echo-request\"") DROP),
	  HOST_KEEPS_OUT, HOST_LETS_IN },
	/* state */
	{ RULE("input", MATCH("in", STATE, "[\"established\", \"related\"]") ACCEPT),
	  HOST_KEEPS_OUT, HOST_LETS_IN },
	{ RULE("input", MATCH("in", STATE, "\"new\"") ACCEPT), HOST_LETS_IN, HOST_LETS_IN },
	{ RULE("input", MATCH("==", STATE, "{\"|\": [\"new\", \"untracked\"]}") ACCEPT),
	  HOST_LETS_IN, HOST_LETS_IN },
	{ RULE("input", "{\"vmap\": {\"key\": " STATE ", \"data\": {\"set\": [[\"invalid\", " DROP
	       "], [\"new\", " ACCEPT "]]}}}"), HOST_LETS_IN, HOST_LETS_IN },
	/* where it comes in */
	{ RULE("input", MATCH("==", META("iifname"), "\"lo\"") ACCEPT), HOST_KEEPS_OUT,
	  HOST_LETS_IN },
	{ RULE("input", MATCH("==", META("iifname"), "\"eth*\"") ACCEPT), HOST_LETS_IN,
	  HOST_LETS_IN },
	/* whom it comes from: nobody on the internet has a private address */
	{ RULE("input", MATCH("==", FIELD("ip", "saddr"),
			      "{\"prefix\": {\"addr\": \"192.168.0.0\", \"len\": 16}}") ACCEPT),
	  HOST_KEEPS_OUT, HOST_LETS_IN },
	{ RULE("input", MATCH("!=", FIELD("ip", "saddr"),
			      "{\"prefix\": {\"addr\": \"192.168.0.0\", \"len\": 16}}") DROP),
	  HOST_KEEPS_OUT, HOST_KEEPS_OUT },
	{ RULE("input", MATCH("==", FIELD("ip", "saddr"), "\"198.51.100.1\"") ACCEPT), HOST_UNSURE,
	  HOST_LETS_IN },
	{ RULE("input", MATCH("==", FIELD("ip", "daddr"),
			      "{\"prefix\": {\"addr\": \"192.168.1.0\", \"len\": 24}}") ACCEPT),
	  HOST_LETS_IN, HOST_LETS_IN },
	{ RULE("input", MATCH("==", FIELD("ip", "daddr"), "\"192.168.1.21\"") DROP), HOST_KEEPS_OUT,
	  HOST_LETS_IN },
	/* what cannot be told makes it unsure, in the one direction it matters */
	{ RULE("input", DPORT("8080") "{\"limit\": {\"rate\": 5}}, " ACCEPT), HOST_UNSURE,
	  HOST_LETS_IN },
	{ RULE("input", MATCH("==", META("mark"), "1") DROP), HOST_KEEPS_OUT, HOST_UNSURE },
	{ RULE("input", "{\"xt\": {\"type\": \"match\", \"name\": \"string\"}}, " DROP),
	  HOST_KEEPS_OUT, HOST_UNSURE },
	{ RULE("input", "{\"xt\": {\"type\": \"match\", \"name\": \"comment\"}}, " ACCEPT),
	  HOST_LETS_IN, HOST_LETS_IN },
	{ RULE("input", "{\"queue\": null}"), HOST_UNSURE, HOST_UNSURE },
	{ RULE("input", "{\"counter\": {\"packets\": 0}}, {\"log\": null}, " ACCEPT), HOST_LETS_IN,
	  HOST_LETS_IN },
	/* a first packet has SYN alone */
	{ RULE("input", MATCH("!=", "{\"&\": [" FIELD("tcp", "flags")
			      ", {\"|\": [\"fin\", \"syn\", \"rst\", \"ack\"]}]}", "\"syn\"") DROP)
	  RULE("input", ACCEPT), HOST_LETS_IN, HOST_LETS_IN },
	/* chains */
	{ RULE("input", "{\"jump\": {\"target\": \"more\"}}") RULE("more", DPORT("8080") ACCEPT),
	  HOST_LETS_IN, HOST_LETS_IN },
	{ RULE("input", "{\"jump\": {\"target\": \"more\"}}") RULE("more", "{\"return\": null}")
	  RULE("more", ACCEPT), HOST_KEEPS_OUT, HOST_LETS_IN },
	{ RULE("input", "{\"goto\": {\"target\": \"more\"}}") RULE("input", ACCEPT),
	  HOST_KEEPS_OUT, HOST_LETS_IN },
	{ RULE("input", "{\"jump\": {\"target\": \"input\"}}"), HOST_UNSURE, HOST_UNSURE },
	/* sets by name, with time-outs and joined keys */
	{ ", {\"set\": {\"family\": \"inet\", \"table\": \"filter\", \"name\": \"open\", \"elem\": "
	  "[{\"elem\": {\"val\": {\"concat\": [\"tcp\", 8080]}, \"timeout\": 3600}}]}}"
	  RULE("input", MATCH("==", "{\"concat\": [" META("l4proto") ", " FIELD("th", "dport") "]}",
			      "\"@open\"") ACCEPT), HOST_LETS_IN, HOST_LETS_IN },
	{ ", {\"set\": {\"family\": \"inet\", \"table\": \"filter\", \"name\": \"open\"}}"
	  RULE("input", DPORT("\"@open\"") ACCEPT), HOST_KEEPS_OUT, HOST_LETS_IN },
	{ ", {\"set\": {\"family\": \"inet\", \"table\": \"filter\", \"name\": \"a\", \"elem\": "
	  "[\"@a\"]}}" RULE("input", DPORT("\"@a\"") ACCEPT), HOST_UNSURE, HOST_LETS_IN },
	{ RULE("input", DPORT("\"@absent\"") ACCEPT), HOST_UNSURE, HOST_LETS_IN },
	/* rules of another table are not of this chain */
	{ ", {\"rule\": {\"family\": \"ip\", \"table\": \"filter\", \"chain\": \"input\", "
	  "\"expr\": [" ACCEPT "]}}", HOST_KEEPS_OUT, HOST_LETS_IN },
	/* nonsense */
	{ ", 7, null, [], {\"rule\": 7}, {\"rule\": {\"expr\": 7}}, {\"chain\": {\"type\": 7}}",
	  HOST_KEEPS_OUT, HOST_LETS_IN },
	{ RULE("input", "7, {\"match\": 7}, {\"match\": {\"op\": \"==\"}}, " ACCEPT), HOST_UNSURE,
	  HOST_LETS_IN },
	{ RULE("input", MATCH("<<", "7", "8") DROP), HOST_KEEPS_OUT, HOST_UNSURE },
};

static char *assemble(const char *policy, const char *rules)
{
	char *text;

	assert_true(asprintf(&text, "{\"nftables\": [{\"chain\": {\"family\": \"inet\", "
			     "\"table\": \"filter\", \"name\": \"input\", \"type\": \"filter\", "
			     "\"hook\": \"input\", \"policy\": \"%s\"}}%s]}", policy, rules) > 0);
	return text;
}

static void each_rule_does_what_the_kernel_would_do(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *drop = assemble("drop", rows[i].rules);
		char *accept = assemble("accept", rows[i].rules);

		if (judge(drop) != rows[i].with_drop || judge(accept) != rows[i].with_accept)
			fail_msg("row %zu: %d and %d: %s", i, (int)judge(drop), (int)judge(accept),
				 rows[i].rules);
		free(drop);
		free(accept);
	}
}

static void every_chain_on_the_way_must_let_it_in(void **state)
{
	static const char two[] =
		WRAP(BASE("accept") ", {\"chain\": {\"family\": \"ip\", \"table\": \"raw\", "
		     "\"name\": \"first\", \"type\": \"filter\", \"hook\": \"prerouting\", "
		     "\"policy\": \"drop\"}}");
	static const char elsewhere[] =
		WRAP(BASE("accept") ", {\"chain\": {\"family\": \"inet\", \"table\": \"filter\", "
		     "\"name\": \"forward\", \"type\": \"filter\", \"hook\": \"forward\", "
		     "\"policy\": \"drop\"}}");
	struct host_packet v6 = { .protocol = TENF_TCP, .port = 8080, .interface = "eth0",
				  .is_v6 = true };

	(void)state;
	assert_int_equal(judge(two), HOST_KEEPS_OUT);
	assert_int_equal(judge_packet(two, &v6), HOST_LETS_IN);
	assert_int_equal(judge(elsewhere), HOST_LETS_IN);
}

static void the_chain_that_decided_is_named(void **state)
{
	struct host_packet packet = { .protocol = TENF_UDP, .port = 53, .interface = "" };
	json_t *ruleset = json_loads(WRAP(BASE("drop")), 0, NULL);
	char because[80];
	struct tenf_text t = tenf_text_of(because, sizeof(because));

	(void)state;
	assert_int_equal(host_rules_judge(ruleset, &packet, &t), HOST_KEEPS_OUT);
	assert_string_equal(because, "chain input of table inet filter");
	json_decref(ruleset);
}

static void what_is_no_ruleset_cannot_be_read(void **state)
{
	(void)state;
	assert_int_equal(judge("{}"), HOST_UNREADABLE);
	assert_int_equal(judge("[]"), HOST_UNREADABLE);
	assert_int_equal(judge("{\"nftables\": 7}"), HOST_UNREADABLE);
}

/* Two jumps to the next of thirty chains each: followed to the end, a thousand
 * million rules. */
static void a_ruleset_without_end_is_given_up(void **state)
{
	struct host_packet packet = { .protocol = TENF_TCP, .port = 1, .interface = "eth0" };
	json_t *objects = json_array(), *ruleset;

	(void)state;
	json_array_append_new(objects, json_loads(BASE("accept"), 0, NULL));
	for (int i = 0; i < 30; i++) {
		char from[16], to[16];

		snprintf(from, sizeof(from), i == 0 ? "input" : "c%d", i);
		snprintf(to, sizeof(to), "c%d", i + 1);
		for (int twice = 0; twice < 2; twice++)
			json_array_append_new(
				objects, json_pack("{s{sssssss[{s{ss}}]}}", "rule", "family",
						   "inet", "table", "filter", "chain", from, "expr",
						   "jump", "target", to));
	}
	ruleset = json_pack("{so}", "nftables", objects);
	assert_int_equal(host_rules_judge(ruleset, &packet, NULL), HOST_UNSURE);
	json_decref(ruleset);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_rules_everything_gets_in),
		cmocka_unit_test(each_rule_does_what_the_kernel_would_do),
		cmocka_unit_test(every_chain_on_the_way_must_let_it_in),
		cmocka_unit_test(the_chain_that_decided_is_named),
		cmocka_unit_test(what_is_no_ruleset_cannot_be_read),
		cmocka_unit_test(a_ruleset_without_end_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
