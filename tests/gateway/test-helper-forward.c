/* SPDX-License-Identifier: MIT */
/* What nft prints about other tables' chains, read for what would drop mapped packets. */
#include "house.h"

#include "gateway/helper/forward.h"

#include <string.h>

static const char chains[] =
	"table inet filter {\n"
	"\tchain input {\n"
	"\t\ttype filter hook input priority filter; policy drop;\n"
	"\t}\n"
	"\tchain forward {\n"
	"\t\ttype filter hook forward priority filter; policy drop;\n"
	"\t}\n"
	"\tchain forward_jump {\n"
	"\t}\n"
	"}\n"
	"table ip filter {\n"
	"\tchain FORWARD {\n"
	"\t\ttype filter hook forward priority filter; policy drop;\n"
	"\t}\n"
	"}\n"
	"table ip6 open {\n"
	"\tchain fwd {\n"
	"\t\ttype filter hook forward priority filter + 5; policy accept;\n"
	"\t}\n"
	"}\n"
	"table inet tenforward {\n"
	"\tchain forward {\n"
	"\t\ttype filter hook forward priority filter - 10; policy accept;\n"
	"\t}\n"
	"}\n"
	"table bridge b {\n"
	"\tchain forward {\n"
	"\t\ttype filter hook forward priority filter; policy drop;\n"
	"\t}\n"
	"}\n"
	"table inet \"a; b\" {\n"
	"\tchain forward {\n"
	"\t\ttype filter hook forward priority filter; policy drop;\n"
	"\t}\n"
	"}\n";

static void chains_of_the_forward_hook_are_found(void **state)
{
	struct forward_chain found[8];

	(void)state;
	assert_int_equal(forward_find_chains(chains, found, 8), 3);
	assert_string_equal(found[0].family, "inet");
	assert_string_equal(found[0].table, "filter");
	assert_string_equal(found[0].name, "forward");
	assert_true(found[0].drops);
	assert_false(forward_is_of_iptables(&found[0]));
	assert_string_equal(found[1].name, "FORWARD");
	assert_true(forward_is_of_iptables(&found[1]));
	assert_string_equal(found[2].table, "open");
	assert_false(found[2].drops);
	assert_int_equal(forward_find_chains(chains, found, 1), 1);
	assert_int_equal(forward_find_chains("", found, 8), 0);
}

static void rules_that_let_mapped_packets_pass_are_seen(void **state)
{
	struct forward_rules rules;

	(void)state;
	forward_read_rules("\t\tct status dnat accept # handle 4\n", &rules);
	assert_true(rules.accepts_translated);
	assert_false(rules.accepts_marked);
	assert_int_equal(rules.own_count, 0);
	forward_read_rules("\t\tct status dnat counter accept\n"
			   "\t\tmeta mark & 0x20000000 == 0x20000000 accept\n", &rules);
	assert_true(rules.accepts_translated);
	assert_true(rules.accepts_marked);
	/* Only for some packets, or another verdict: not enough. */
	forward_read_rules("\t\tip saddr 10.0.0.1 ct status dnat accept # handle 4\n"
			   "\t\tct status dnat drop # handle 5\n"
			   "\t\tct state established accept # handle 6\n", &rules);
	assert_false(rules.accepts_translated);
}

static void our_own_rules_are_told_from_others(void **state)
{
	static const char line[] = "\t\tct status dnat accept comment \"tenforward\" # handle 12\n";
	struct forward_rules rules;
	char many[sizeof(line) * (FORWARD_OWN_MAX + 2)] = "";

	(void)state;
	forward_read_rules(line, &rules);
	assert_false(rules.accepts_translated);
	assert_int_equal(rules.own_count, 1);
	assert_int_equal(rules.own[0], 12);
	forward_read_rules("ct status dnat accept comment \"tenforward\"", &rules);
	assert_int_equal(rules.own_count, 0); /* without its handle it cannot be removed */
	for (unsigned i = 0; i < FORWARD_OWN_MAX + 1; i++)
		strcat(many, line);
	forward_read_rules(many, &rules);
	assert_int_equal(rules.own_count, FORWARD_OWN_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chains_of_the_forward_hook_are_found),
		cmocka_unit_test(rules_that_let_mapped_packets_pass_are_seen),
		cmocka_unit_test(our_own_rules_are_told_from_others),
	};

	return cmocka_run_group_tests_name("forward chains of others", tests, NULL, NULL);
}
