/* SPDX-License-Identifier: MIT */
/* gateway: what an administrator sees and asks. */
#include "command.h"

#include <stdio.h>
#include <string.h>

#define LIST "GET /v1/mappings"
#define FAULTS "GET /v1/faults"
#define HELD(id, client, port, more)                                                         \
	"{\"id\": \"" id "\", \"protocol\": \"tcp\", \"internal_address\": \"192.168.1.44\", " \
	"\"internal_port\": 9000, \"external_address\": \"203.0.113.7\", \"external_port\": " \
	port ", \"state\": \"mapped\", \"method\": \"natpmp\", \"source\": \"gateway\", "     \
	"\"expires_at\": \"2026-11-22T09:15:03Z\", \"made_at\": \"2026-11-20T09:00:00Z\", "    \
	"\"client\": \"" client "\"" more "}"
#define RULE ", \"rule\": {\"number\": 3, \"name\": \"lan\", \"action\": \"allow\"}"

static void answer(size_t at, const char *request, int http, const char *json)
{
	fake_agent.runs = true;
	fake_agent.daemon = REMOTE_GATEWAY;
	fake_agent.answers[at] =
		(struct fake_answer){ .request = request, .http = http, .json = json };
}

static void list_shows_client_ports_rule_and_times(void **state)
{
	static const char table[] =
		"ID  CLIENT        OUTSIDE               INSIDE             VIA      OPEN FOR  "
		"EXPIRES    RULE\n"
		"m9  192.168.1.7   203.0.113.7:80/tcp    192.168.1.44:9000  NAT-PMP  2 days    "
		"in 12 min  -\n"
		"m1  192.168.1.44  203.0.113.7:9000/tcp  9000               NAT-PMP  2 days    "
		"in 12 min  3 allow lan\n";
	struct command c;
	json_t *root;

	(void)state;
	answer(0, LIST, 200, "{\"mappings\": [" HELD("m1", "192.168.1.44", "9000", RULE) ", "
			      HELD("m9", "192.168.1.7", "80", "") "]}");
	answer(1, "GET /v1/pending", 200, "{\"pending\": []}");
	c = command("gateway list");
	assert_string_equal(c.out, table);
	assert_int_equal(c.status, 0);
	c = command("gateway list --json");
	root = command_json(&c);
	assert_string_equal(json_string_value(command_at(root, "mappings.1.rule.name")), "lan");
	json_decref(root);
	assert_int_equal(fake_agent.open, 0);
}

static void a_flow_to_one_peer_is_listed_as_such_and_lists_are_in_order(void **state)
{
	static const char peer[] = ", \"opcode\": \"peer\", \"remote_address\": \"9.9.9.9\", "
				   "\"remote_port\": 443";
	char json[4096];
	struct command c;
	json_t *root;

	(void)state;
	(void)snprintf(json, sizeof(json), "{\"mappings\": [%s, %s%s}, %s]}",
		       HELD("m4", "192.168.1.44", "9001", RULE),
		       "{\"id\": \"m3\", \"protocol\": \"tcp\", \"internal_address\": "
		       "\"192.168.1.44\", \"internal_port\": 9000, \"external_address\": "
		       "\"203.0.113.7\", \"external_port\": 9000, \"state\": \"mapped\", "
		       "\"method\": \"pcp\", \"source\": \"gateway\", \"client\": "
		       "\"192.168.1.44\"",
		       peer, HELD("m9", "192.168.1.7", "80", ""));
	answer(0, LIST, 200, json);
	answer(1, "GET /v1/pending", 200, "{\"pending\": []}");
	c = command("gateway list");
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.out, "9000 to 9.9.9.9:443"));
	assert_non_null(strstr(c.out, "PCP PEER"));
	c = command("gateway list --json");
	root = command_json(&c);
	assert_string_equal(json_string_value(command_at(root, "mappings.0.id")), "m9");
	assert_string_equal(json_string_value(command_at(root, "mappings.1.id")), "m3");
	assert_string_equal(json_string_value(command_at(root, "mappings.2.id")), "m4");
	assert_string_equal(json_string_value(command_at(root, "mappings.1.opcode")), "peer");
	json_decref(root);
}

#define WISH(id, state)                                                                        \
	"{\"id\": \"" id "\", \"client\": \"192.168.1.61\", \"mac\": \"00:11:22:33:44:55\", "  \
	"\"protocol\": \"tcp\", \"internal_port\": 554, \"external_port\": 554, "            \
	"\"first_seen\": \"2026-11-22T08:58:00Z\", \"tries\": 4, \"state\": \"" state "\"}"
#define PENDING "GET /v1/pending"

static void who_waits_for_a_word_is_shown_below_the_list(void **state)
{
	static const char waits[] =
		"pending: 192.168.1.61 [00:11:22:33:44:55] asks for 554/tcp (4 times since "
		"08:58)\n    approve: tenforward gateway approve p7\n";
	struct command c;

	(void)state;
	answer(0, LIST, 200, "{\"mappings\": []}");
	answer(1, PENDING, 200, "{\"pending\": [" WISH("p7", "waiting") ", "
				WISH("p8", "denied") "]}");
	c = command("gateway list");
	assert_string_equal(c.out, waits);
	c = command("gateway pending");
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.out, waits));
	assert_non_null(strstr(c.out, "denied: 192.168.1.61"));
	c = command("gateway pending --json");
	assert_non_null(strstr(c.out, "\"p8\""));
	answer(1, PENDING, 200, "{\"pending\": []}");
	c = command("gateway pending");
	assert_string_equal(c.err, "Nobody waits for your word.\n");
	answer(1, PENDING, 200, "{\"pending\": 3}");
	c = command("gateway pending");
	assert_int_equal(c.status, 10);
}

static void yes_and_no_go_to_the_wish_that_is_named(void **state)
{
	struct command c;

	(void)state;
	answer(0, "POST /v1/pending/p7/approve", 204, NULL);
	answer(1, "POST /v1/pending/p8/deny", 204, NULL);
	c = command("gateway approve p7");
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.err, "p7: approved"));
	c = command("gateway deny p8 p9");
	assert_int_equal(c.status, 2); /* p9 is not there */
	assert_non_null(strstr(c.err, "p8: denied"));
	assert_non_null(strstr(c.err, "tenforward: p9 does not wait; see tenforward gateway "
				      "pending\n"));
	c = command("gateway approve m7/../x");
	assert_int_equal(c.status, 2);
	assert_int_equal(fake_agent.asked_count, 3);
}

static void revoking_takes_ids_and_external_ports(void **state)
{
	struct command c;

	(void)state;
	answer(0, LIST, 200, "{\"mappings\": [" HELD("m1", "192.168.1.44", "9000", RULE) ", "
			      HELD("m9", "192.168.1.7", "80", "") "]}");
	answer(1, "DELETE /v1/mappings/m1", 200,
	       "{\"mappings\": [" HELD("m1", "192.168.1.44", "9000", RULE) "]}");
	answer(2, "DELETE /v1/mappings/m9", 200,
	       "{\"mappings\": [" HELD("m9", "192.168.1.7", "80", "") "]}");
	c = command("gateway revoke m1 80/tcp");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.out, "203.0.113.7:9000/tcp → 192.168.1.44:9000   "
				   "revoked, its connections are cut\n"
				   "203.0.113.7:80/tcp → 192.168.1.44:9000   "
				   "revoked, its connections are cut\n");
	c = command("gateway revoke 80/udp");
	assert_int_equal(c.status, 2);
	assert_non_null(strstr(c.err, "nobody has 80/udp open"));
	c = command("gateway revoke everything");
	assert_int_equal(c.status, 2);
	c = command("gateway revoke 80:81/tcp");
	assert_int_equal(c.status, 2);
	c = command("gateway revoke m1 --json");
	assert_non_null(strstr(c.out, "\"id\": \"m1\""));
	c = command("gateway revoke m5");
	assert_int_equal(c.status, 2);
	assert_string_equal(c.err,
			    "tenforward: m5 is not open; see tenforward gateway list\n");
}

static void explain_says_yes_or_no_and_by_which_rule(void **state)
{
	static const char *const wrong[] = { "x 443/tcp", "10.0.0.5 443/both", "10.0.0.5 1-2/tcp",
					     "10.0.0.5 0", "10.0.0.5 443 00:11", "10.0.0.5" };
	struct command c;

	(void)state;
	answer(0, "GET /v1/explain?client=10.0.0.5&protocol=tcp&internal_port=443"
		  "&external_port=443", 200,
	       "{\"granted\": true, \"action\": \"allow\", \"external_port\": 443, "
	       "\"text\": \"allowed\"" RULE "}");
	answer(1, "GET /v1/explain?client=10.0.0.5&protocol=udp&internal_port=80"
		  "&external_port=8080&mac=00:11:22:33:44:55", 200,
	       "{\"granted\": false, \"action\": \"ask\", \"external_port\": null, "
	       "\"text\": \"the administrator decides\", \"rule\": {\"number\": 2, "
	       "\"name\": null, \"action\": \"ask\"}}");
	c = command("gateway explain 10.0.0.5 443/tcp");
	assert_string_equal(c.out, "yes, on port 443: rule 3 allow lan (allowed)\n");
	c = command("gateway explain 10.0.0.5 8080:80/udp 00:11:22:33:44:55");
	assert_string_equal(c.out, "not yet: rule 2 ask (the administrator decides)\n");
	answer(2, "GET /v1/explain?client=10.0.0.5&protocol=tcp&internal_port=22"
		  "&external_port=22", 200,
	       "{\"granted\": true, \"action\": \"allow\", \"external_port\": null, "
	       "\"text\": \"allowed, on a port that is free then\"" RULE "}");
	c = command("gateway explain 10.0.0.5 22/tcp");
	assert_string_equal(c.out, "yes, but not on port 22: rule 3 allow lan (allowed, on a "
				   "port that is free then)\n");
	answer(3, "GET /v1/explain?client=10.0.0.5&protocol=tcp&internal_port=22"
		  "&external_port=0", 200,
	       "{\"granted\": true, \"action\": \"allow\", \"external_port\": null, "
	       "\"text\": \"allowed, on a port that is free then\"" RULE "}");
	c = command("gateway explain 10.0.0.5 any:22/tcp");
	assert_string_equal(c.out, "yes: rule 3 allow lan (allowed, on a port that is free "
				   "then)\n");
	c = command("gateway explain --json 10.0.0.5 443");
	assert_non_null(strstr(c.out, "\"granted\": true"));
	answer(0, "GET /v1/explain?client=10.0.0.5&protocol=tcp&internal_port=443"
		  "&external_port=443", 200,
	       "{\"granted\": false, \"action\": \"deny\", \"rule\": null, \"text\": \"not "
	       "allowed\"}");
	c = command("gateway explain 10.0.0.5 443/tcp");
	assert_string_equal(c.out, "no: no rule (not allowed)\n");
	answer(0, "GET /v1/explain?client=10.0.0.5&protocol=tcp&internal_port=443"
		  "&external_port=443", 200, "{}");
	c = command("gateway explain 10.0.0.5 443/tcp");
	assert_int_equal(c.status, 10);
	fake_agent.asked_count = 0;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(wrong); i++) {
		char line[100];

		(void)snprintf(line, sizeof(line), "gateway explain %s", wrong[i]);
		c = command(line);
		assert_int_equal(c.status, 2);
	}
	assert_int_equal(fake_agent.asked_count, 0);
}

static void history_is_told_as_sentences(void **state)
{
	static const char told[] =
		"2026-11-20 09:00  opened  203.0.113.7:9000/tcp → 192.168.1.44:9000, "
		"rule 3 allow lan\n"
		"08:30  revoked  203.0.113.7:9000/tcp → 192.168.1.44:9000, renewed 2 times, "
		"by root\n"
		"08:31  refused  192.168.1.44:22/tcp: NOT_AUTHORIZED, 5 times\n"
		"08:32  approved  192.168.1.61 for 554/tcp, by root\n"
		"08:33  closed  192.168.1.9\n";
	struct command c;

	(void)state;
	answer(0, "GET /v1/history?since=0", 200,
	       "{\"events\": [{\"event\": \"mapped\", \"at\": \"2026-11-20T09:00:00Z\", "
	       "\"mapping\": " HELD("m1", "192.168.1.44", "9000", RULE) "}, "
	       "{\"event\": \"removed\", \"at\": \"2026-11-22T08:30:00Z\", \"end\": "
	       "\"revoked\", \"by\": \"root\", \"mapping\": "
	       HELD("m1", "192.168.1.44", "9000", ", \"renewals\": 2") "}, "
	       "{\"event\": \"refused\", \"at\": \"2026-11-22T08:31:00Z\", \"times\": 5, "
	       "\"mapping\": {\"protocol\": \"tcp\", \"internal_address\": "
	       "\"192.168.1.44\", \"internal_port\": 22, \"error\": {\"text\": "
	       "\"NOT_AUTHORIZED\"}}}, "
	       "{\"event\": \"pending\", \"at\": \"2026-11-22T08:32:00Z\", \"by\": "
	       "\"root\", \"pending\": " WISH("p7", "approved") "}, "
	       "{\"event\": \"removed\", \"at\": \"2026-11-22T08:33:00Z\", \"client\": "
	       "\"192.168.1.9\", \"count\": 3}]}");
	c = command("gateway history");
	assert_string_equal(c.out, told);
	c = command("gateway history --json");
	assert_non_null(strstr(c.out, "\"times\": 5"));
}

static void history_is_asked_for_time_client_and_port(void **state)
{
	struct command c;
	char path[120];

	(void)state;
	(void)snprintf(path, sizeof(path), "GET /v1/history?since=%lld&client=10.0.0.5&port=443",
		       (long long)(1795338183 - 3600));
	answer(0, path, 200, "{\"events\": []}");
	c = command("gateway history --since 1h --client 10.0.0.5 --port 443");
	assert_int_equal(fake_agent.asked_count, 1);
	assert_string_equal(fake_agent.asked[0], path);
	assert_string_equal(c.err, "Nothing of that kind is remembered.\n");
	c = command("gateway history --client me");
	assert_int_equal(c.status, 2);
	c = command("gateway history --port 0");
	assert_int_equal(c.status, 2);
	c = command("gateway history --since soon");
	assert_int_equal(c.status, 2);
	c = command("gateway list --port 80");
	assert_int_equal(c.status, 2);
	assert_non_null(strstr(c.err, "are for gateway history"));
	assert_int_equal(fake_agent.asked_count, 1);
}

static void an_empty_gateway_says_so(void **state)
{
	struct command c;

	(void)state;
	answer(0, LIST, 200, "{\"mappings\": []}");
	answer(1, PENDING, 200, "{\"pending\": []}");
	c = command("gateway list");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.out, "");
	assert_string_equal(c.err, "No host has a port open.\n");
}

static void without_a_daemon_it_is_exit_status_10(void **state)
{
	struct command c;

	(void)state;
	fake_agent.daemon = REMOTE_GATEWAY;
	c = command("gateway list");
	assert_int_equal(c.status, 10);
	assert_non_null(strstr(c.err, "no gateway daemon is running here; start "
				      "tenforward-gatewayd, or name its --socket"));
	c = command("--socket /tmp/x.sock gateway list");
	assert_int_equal(c.status, 10);
	assert_non_null(strstr(c.err, "no gateway daemon answers at /tmp/x.sock"));
	fake_agent.open_status = TENF_E_SYSTEM;
	c = command("gateway list");
	assert_int_equal(c.status, 10);
	assert_non_null(strstr(c.err, "you may not use the socket"));
}

static void what_is_no_gateway_is_told(void **state)
{
	static const char *const bodies[] = { "{}", "{\"mappings\": 1}", "{\"mappings\": [7]}",
					      "{\"mappings\": [{\"id\": \"M/1\"}]}" };

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(bodies); i++) {
		struct command c;

		answer(0, LIST, 200, bodies[i]);
		c = command("gateway list");
		assert_int_equal(c.status, 10);
		assert_non_null(strstr(c.err, "is no gateway daemon: "));
	}
}

static void faults_are_sent_as_written_and_shown(void **state)
{
	struct command c;

	(void)state;
	answer(0, "PUT /v1/faults", 204, NULL);
	answer(1, FAULTS, 200, "{\"loss\": 0.3, \"delay\": 0.2, \"ignore\": \"pcp\", "
			       "\"refuse\": 0.0, \"reboot_every\": 600}");
	c = command("gateway fault loss=30% delay=200ms Ignore=pcp");
	assert_int_equal(c.status, 0);
	assert_string_equal(fake_agent.asked[0], "PUT /v1/faults {\"Ignore\": \"pcp\", "
						 "\"delay\": \"200ms\", \"loss\": \"30%\"}");
	assert_string_equal(c.out, "loss: 30%\ndelay: 0.2 s\nignore: pcp\nreboot_every: 600 s\n");
	fake_agent.asked_count = 0;
	c = command("gateway fault none");
	assert_string_equal(fake_agent.asked[0], "PUT /v1/faults {}");
	fake_agent.asked_count = 0;
	c = command("gateway fault --json");
	assert_string_equal(fake_agent.asked[0], FAULTS);
	assert_non_null(strstr(c.out, "\"loss\": 0.3"));
	answer(1, FAULTS, 200, "{\"loss\": 0}");
	c = command("gateway fault");
	assert_string_equal(c.out, "");
	assert_string_equal(c.err, "The gateway makes no mistakes on purpose.\n");
}

static void faults_that_are_none_are_refused(void **state)
{
	static const char *const words[] = { "loss", "=3", "loss=1% loss=2%",
					     "a_key_that_is_longer_than_any_key_is=1" };
	struct command c;

	(void)state;
	answer(0, "PUT /v1/faults", 409,
	       "{\"error\": {\"code\": \"conflict\", \"text\": \"It serves people.\"}}");
	for (size_t i = 0; i < TENF_ARRAY_SIZE(words); i++) {
		char line[100];

		(void)snprintf(line, sizeof(line), "gateway fault %s", words[i]);
		c = command(line);
		assert_int_equal(c.status, 2);
		assert_int_equal(fake_agent.asked_count, 0);
	}
	c = command("gateway fault loss=1%");
	assert_int_equal(c.status, 1);
	assert_non_null(strstr(c.err, "It serves people."));
}

static void a_word_that_is_none_is_usage(void **state)
{
	struct command c;

	(void)state;
	fake_agent.daemon = REMOTE_GATEWAY;
	c = command("gateway lst");
	assert_int_equal(c.status, 2);
	assert_non_null(strstr(c.err, "there is no \"lst\""));
	c = command("gateway list all");
	assert_int_equal(c.status, 2);
	assert_non_null(strstr(c.err, "gateway list takes nothing more"));
	c = command("gateway");
	assert_int_equal(c.status, 2);
	assert_int_equal(fake_agent.looks, 0);
	c = command("help gateway");
	assert_non_null(strstr(c.out, "  approve       takes IDs such as p7\n"));
	c = command("completion bash");
	assert_non_null(strstr(c.out, "deny history explain fault check-config\" ;;"));
}

static void the_ledger_is_a_source_of_what_is_open(void **state)
{
	struct command c;

	(void)state;
	answer(0, LIST, 200, "{\"mappings\": [" HELD("m1", "192.168.1.44", "9000", RULE) "]}");
	assert_null(strstr(command("list").out, "9000"));
	c = command("list --all --json");
	assert_non_null(strstr(c.out, "\"source\": \"gateway\""));
	assert_non_null(strstr(command("list --all").out, "gateway's ledger"));
	c = command("exposure --json");
	assert_non_null(strstr(c.out, "192.168.1.44"));
	assert_non_null(strstr(c.out, "\"findings\": []")); /* a rule of ours allowed it */
	answer(0, LIST, 200, "{\"mappings\": [" HELD("m1", "192.168.1.44", "9000",
						    ", \"opcode\": \"peer\"") "]}");
	assert_null(strstr(command("exposure --json").out, "192.168.1.44"));
	answer(0, LIST, 500, "{\"error\": {\"code\": \"busy\", \"text\": \"Later.\"}}");
	c = command("list --all");
	assert_int_equal(c.status, 0);
	assert_null(strstr(c.out, "9000"));
	assert_int_equal(fake_agent.open, 0);
}

static void the_ledger_suffices_where_no_router_has_a_list(void **state)
{
	struct command c;

	(void)state;
	answer(0, LIST, 200, "{\"mappings\": [" HELD("m1", "192.168.1.44", "9000", RULE) "]}");
	fake.listing_status = TENF_E_FAILED;
	fake.error = (struct tenf_error){ .reason = TENF_REASON_NO_SERVICE, .result = -1 };
	c = command("list --all");
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.out, "9000"));
	assert_non_null(strstr(c.err, "The router's own list is left out: UPnP alone has one, "
			       "and it does not answer there.\n"));
	assert_null(strstr(c.err, "--probe"));
	fake.error = (struct tenf_error){ .reason = TENF_REASON_SILENT, .result = -1,
					  .text = "No answer from 192.168.1.1." };
	c = command("list --all");
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.err, "The router's own list is left out: No answer from "
			       "192.168.1.1.\n"));
	/* Neither list: what was asked for is not there. */
	answer(0, LIST, 500, "{\"error\": {\"code\": \"busy\", \"text\": \"Later.\"}}");
	c = command("list --all");
	assert_int_equal(c.status, 4);
	assert_non_null(strstr(c.err, "Later."));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, command_setup, command_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(list_shows_client_ports_rule_and_times),
		TEST(a_flow_to_one_peer_is_listed_as_such_and_lists_are_in_order),
		TEST(who_waits_for_a_word_is_shown_below_the_list),
		TEST(yes_and_no_go_to_the_wish_that_is_named),
		TEST(revoking_takes_ids_and_external_ports),
		TEST(explain_says_yes_or_no_and_by_which_rule),
		TEST(history_is_told_as_sentences),
		TEST(history_is_asked_for_time_client_and_port),
		TEST(an_empty_gateway_says_so),
		TEST(without_a_daemon_it_is_exit_status_10),
		TEST(what_is_no_gateway_is_told),
		TEST(faults_are_sent_as_written_and_shown),
		TEST(faults_that_are_none_are_refused),
		TEST(a_word_that_is_none_is_usage),
		TEST(the_ledger_is_a_source_of_what_is_open),
		TEST(the_ledger_suffices_where_no_router_has_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
