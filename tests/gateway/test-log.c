/* SPDX-License-Identifier: MIT */
/* Every decision has its line. */
#include "house.h"

#include "gateway/log.h"

static const char *rule_name = "";

static void expect_line(const struct responder_record *record, const char *wanted)
{
	char line[LOG_LINE_MAX];
	struct tenf_text text = tenf_text_of(line, sizeof(line));

	log_record(record, rule_name, &text);
	assert_string_equal(line, wanted);
	assert_false(text.cut);
}

static struct responder_record lease(enum responder_verdict verdict)
{
	return (struct responder_record){
		.verdict = verdict, .version = PCP_VERSION, .opcode = PCP_MAP,
		.protocol = TENF_TCP, .client = house_host(20),
		.internal = { house_host(20), 8080 },
		.external = { house_external, 80 }, .lifetime_s = 7200, .rule = 2, .count = 1,
	};
}

static void each_verdict_says_who_what_which_rule_and_result(void **state)
{
	struct responder_record r = lease(RESPONDER_GRANTED);

	(void)state;
	expect_line(&r, "granted 192.168.1.20:8080/tcp as 203.0.113.7:80 for 7200 s (PCP, rule 3)");
	r.verdict = RESPONDER_RENEWED;
	r.version = NATPMP_VERSION;
	r.why = "made by PCP, not changed";
	expect_line(&r, "renewed 192.168.1.20:8080/tcp as 203.0.113.7:80 for 7200 s "
			"(NAT-PMP, rule 3): made by PCP, not changed");
	r = lease(RESPONDER_REMOVED);
	expect_line(&r, "removed 192.168.1.20:8080/tcp at 203.0.113.7:80 (PCP, rule 3)");
	r.count = 0;
	r.rule = POLICY_NO_RULE;
	expect_line(&r, "nothing to remove at 192.168.1.20:8080/tcp (PCP)");
	r.count = 2;
	r.internal.port = 0;
	expect_line(&r, "removed 2 mappings of 192.168.1.20:0/tcp (PCP)");
	r = lease(RESPONDER_EXPIRED);
	expect_line(&r, "ended 192.168.1.20:8080/tcp at 203.0.113.7:80, its lease is over "
			"(PCP, rule 3)");
	r = lease(RESPONDER_REFUSED);
	r.result = PCP_USER_EX_QUOTA;
	r.why = "over MaxMappings of the rule";
	expect_line(&r, "refused 192.168.1.20 192.168.1.20:8080/tcp: USER_EX_QUOTA, over "
			"MaxMappings of the rule (PCP, rule 3)");
	r.rule = POLICY_NO_RULE;
	r.version = NATPMP_VERSION;
	r.result = NATPMP_NOT_AUTHORIZED;
	r.why = "not allowed";
	expect_line(&r, "refused 192.168.1.20 192.168.1.20:8080/tcp: NOT_AUTHORIZED, not allowed, "
			"by no rule (NAT-PMP)");
	r = (struct responder_record){ .verdict = RESPONDER_REFUSED, .version = PCP_VERSION,
				       .client = house_host(20), .rule = POLICY_NO_RULE,
				       .result = PCP_ADDRESS_MISMATCH };
	expect_line(&r, "refused 192.168.1.20: ADDRESS_MISMATCH (PCP)");
	r.verdict = RESPONDER_ANSWERED;
	expect_line(&r, "told 192.168.1.20 the epoch (PCP)");
	r.version = NATPMP_VERSION;
	r.external.address = house_external;
	expect_line(&r, "told 192.168.1.20 the external address 203.0.113.7 (NAT-PMP)");
	r.verdict = RESPONDER_RESTARTED;
	r.why = "every mapping is lost";
	expect_line(&r, "restarted with epoch 0: every mapping is lost");
}

static void unknown_protocols_and_ipv6_are_written_too(void **state)
{
	struct responder_record r = lease(RESPONDER_GRANTED);

	(void)state;
	r.protocol = (enum tenf_protocol)132;
	r.internal.address = house_v6("2001:db8::20");
	r.external = r.internal;
	expect_line(&r, "granted [2001:db8::20]:8080/132 as [2001:db8::20]:8080 for 7200 s "
			"(PCP, rule 3)");
}

static void a_rule_with_a_name_is_told_by_both(void **state)
{
	struct responder_record r = lease(RESPONDER_GRANTED);

	(void)state;
	rule_name = "lan";
	expect_line(&r, "granted 192.168.1.20:8080/tcp as 203.0.113.7:80 for 7200 s "
			"(PCP, rule 3 lan)");
	r.rule = POLICY_NO_RULE;
	expect_line(&r, "granted 192.168.1.20:8080/tcp as 203.0.113.7:80 for 7200 s (PCP)");
	rule_name = "";
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_with_a_name_is_told_by_both),
		cmocka_unit_test(each_verdict_says_who_what_which_rule_and_result),
		cmocka_unit_test(unknown_protocols_and_ipv6_are_written_too),
	};

	return cmocka_run_group_tests_name("gateway log", tests, NULL, NULL);
}
