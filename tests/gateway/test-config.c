/* SPDX-License-Identifier: MIT */
/* The configuration file: what it means, and what each mistake is told as. */
#include "house.h"

#include "gateway/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct gateway_config config;

static bool reads(const char *text, char *ret_why, size_t size)
{
	struct tenf_text why = tenf_text_of(ret_why, size);

	return config_read_text("g.conf", text, &config, &why);
}

static void expect_good(const char *text)
{
	char why[1024];

	if (!reads(text, why, sizeof(why)))
		fail_msg("refused: %s", why);
}

static void expect_mistake(const char *text, const char *start, const char *part)
{
	struct gateway_config *before = malloc(sizeof(*before));
	char why[1024];

	memcpy(before, &config, sizeof(*before));
	if (reads(text, why, sizeof(why)))
		fail_msg("taken: %s", text);
	if (strncmp(why, start, strlen(start)) != 0 || strstr(why, part) == NULL)
		fail_msg("for %s: %s", text, why);
	assert_memory_equal(before, &config, sizeof(config)); /* untouched */
	free(before);
}

static void the_defaults_are_those_of_the_manual(void **state)
{
	(void)state;
	expect_good("[Gateway]\nBackend=memory\n");
	assert_int_equal(config.backend, CONFIG_MEMORY);
	assert_true(config.natpmp && config.pcp);
	assert_int_equal(config.lifetime_min_s, 120);
	assert_int_equal(config.lifetime_max_s, 86400);
	assert_int_equal(config.withhold_tcp_s, 240);
	assert_int_equal(config.withhold_udp_s, 120);
	assert_int_equal(config.rule_count, 0);
	assert_false(config.has_faults);
	assert_false(config.has_external_address);
}

static void every_key_of_the_gateway_is_taken(void **state)
{
	char text[TENF_ENDPOINT_TEXT];

	(void)state;
	expect_good("# comment\n; another\n\n[Gateway]\n  Backend = memory\nExternal=eth0\n"
		    "Internal=br0 br1\nInternal=wlan0\nListen=192.168.1.1\n"
		    "Listen=[2001:db8::1]:5000\n"
		    "ExternalAddress=203.0.113.7\nProtocols=pcp\nMinLifetime=60\nMaxLifetime=2h\n"
		    "MaxMappings=60000\nReuseDelayTCP=5m\nReuseDelayUDP=0\nUser=someone\n"
		    "Socket=/run/x.sock\nSocketGroup=adm\nState=/var/lib/x\n"
		    "HistoryDays=30\nHistorySize=5000\n");
	assert_int_equal(config.internal.count, 3);
	assert_string_equal(config.internal.at[2], "wlan0");
	assert_string_equal(config.external.at[0], "eth0");
	assert_int_equal(config.listen_count, 2);
	assert_string_equal(tenf_endpoint_text(&config.listen[0], text), "192.168.1.1:5351");
	assert_string_equal(tenf_endpoint_text(&config.listen[1], text), "[2001:db8::1]:5000");
	assert_true(config.has_external_address);
	assert_false(config.natpmp);
	assert_true(config.pcp);
	assert_int_equal(config.lifetime_min_s, 60);
	assert_int_equal(config.lifetime_max_s, 7200);
	assert_int_equal(config.mappings_max, 60000);
	assert_int_equal(config.withhold_tcp_s, 300);
	assert_int_equal(config.withhold_udp_s, 0);
	assert_string_equal(config.user, "someone");
	assert_string_equal(config.socket, "/run/x.sock");
	assert_string_equal(config.socket_group, "adm");
	assert_string_equal(config.state, "/var/lib/x");
	assert_int_equal(config.history_days, 30);
	assert_int_equal(config.history_size, 5000);
	expect_good("[Gateway]\nBackend=memory\nExternalAddress=none\nProtocols=none\n");
	assert_true(config.has_external_address);
	assert_true(tenf_address_is_none(&config.external_address));
	assert_false(config.natpmp || config.pcp);
}

static void a_real_gateway_has_a_control_socket_and_a_test_one_when_asked(void **state)
{
	(void)state;
	expect_good("[Gateway]\nBackend=memory\n");
	assert_string_equal(config.socket, "");
	expect_good("[Gateway]\nBackend=nftables\n");
	assert_string_equal(config.socket, CONFIG_SOCKET_DEFAULT);
	assert_string_equal(config.state, "");
	assert_int_equal(config.history_days, 90);
	expect_good("[Gateway]\nBackend=nftables\nSocket=none\nState=none\n");
	assert_string_equal(config.socket, "");
	assert_string_equal(config.state, "");
}

static void one_fault_is_set_at_run_time(void **state)
{
	char reason[512];
	struct tenf_text why = tenf_text_of(reason, sizeof(reason));

	(void)state;
	expect_good("[Gateway]\nBackend=memory\n");
	assert_true(config_set_fault(&config, "Loss", "30%", &why));
	assert_int_equal(config.faults.loss, FAULTS_ALL * 3 / 10);
	assert_false(config_set_fault(&config, "Loss", "much", &why));
	assert_string_equal(reason, "[Faults]: Loss= cannot be \"much\"; write a share such as "
				    "30%, or yes, or no");
	why = tenf_text_of(reason, sizeof(reason));
	assert_false(config_set_fault(&config, "Backend", "nftables", &why));
	assert_int_equal(config.backend, CONFIG_MEMORY);
	assert_int_equal(config.faults.loss, FAULTS_ALL * 3 / 10);
}

static void a_short_maximum_lowers_the_minimum_that_was_not_said(void **state)
{
	(void)state;
	expect_good("[Gateway]\nBackend=memory\nMaxLifetime=30s\n");
	assert_int_equal(config.lifetime_min_s, 30);
}

static void rules_keep_their_order_and_their_keys(void **state)
{
	const struct policy_rule *r = config.rules;

	(void)state;
	expect_good("[Gateway]\nBackend=memory\n[Rule]\nAction=deny\nInternalPort=23, 135-139 445\n"
		    "[Rule]\nAction=allow\nClient=192.168.1.0/24\nProtocol=udp\n"
		    "ExternalPort=1024-65535\nMaxMappings=32\nMaxLifetime=1h\nRequestRate=10\n"
		    "ThirdParty=yes\n[Rule]\nAction=allow\nClient=2001:db8::/32\n");
	assert_int_equal(config.rule_count, 3);
	assert_int_equal(r[0].action, POLICY_DENY);
	assert_int_equal(r[0].internal.count, 3);
	assert_int_equal(r[0].internal.at[1].first, 135);
	assert_int_equal(r[0].internal.at[1].last, 139);
	assert_int_equal(r[1].action, POLICY_ALLOW);
	assert_int_equal(r[1].client.length, 120);
	assert_int_equal(r[1].protocol, TENF_UDP);
	assert_int_equal(r[1].mappings_max, 32);
	assert_int_equal(r[1].lifetime_max_s, 3600);
	assert_int_equal(r[1].requests_per_s, 10);
	assert_true(r[1].third_party);
	assert_int_equal(r[2].client.length, 32);
	assert_int_equal(r[2].external.count, 0);
	assert_int_equal(config.rule_lines[1], 6);
}

static void a_rule_may_ask_and_have_a_name_and_a_link_layer_address(void **state)
{
	const uint8_t mac[] = { 0, 0x1a, 0x2b, 0x33, 0x44, 0x55 };

	(void)state;
	expect_good("[Gateway]\nBackend=memory\n[Rule]\nName=the television\nAction=ask\n"
		    "Client=00:1A:2b:33:44:55\nClient=192.168.1.0/24\n[Rule]\nAction=allow\n");
	assert_int_equal(config.rules[0].action, POLICY_ASK);
	assert_string_equal(config.rules[0].name, "the television");
	assert_true(config.rules[0].has_mac);
	assert_memory_equal(config.rules[0].mac, mac, sizeof(mac));
	assert_int_equal(config.rules[0].client.length, 120);
	assert_false(config.rules[1].has_mac);
	assert_true(config_wants_macs(&config));
	expect_good("[Gateway]\nBackend=memory\n[Rule]\nAction=ask\n");
	assert_true(config_wants_macs(&config));
	expect_good("[Gateway]\nBackend=memory\n[Rule]\nAction=allow\n");
	assert_false(config_wants_macs(&config));
}

static void external_addresses_are_a_pool(void **state)
{
	static char text[20000];
	char why[1024];
	char address[TENF_ADDRESS_TEXT];
	size_t used;

	(void)state;
	expect_good("[Gateway]\nBackend=memory\nExternalAddress=203.0.113.7\n"
		    "ExternalAddress=198.51.100.16/30\nExternalAddress=198.51.100.17\n");
	assert_int_equal(config.external_address_count, 5); /* .17 counts once */
	assert_string_equal(tenf_address_text(&config.external_address, address), "203.0.113.7");
	assert_string_equal(tenf_address_text(&config.external_addresses[4], address),
			    "198.51.100.19");
	expect_good("[Gateway]\nBackend=memory\nExternalAddress=203.0.113.0/24\n");
	assert_int_equal(config.external_address_count, CONFIG_EXTERNALS_MAX);
	expect_mistake("[Gateway]\nBackend=memory\nExternalAddress=203.0.0.0/23\n",
		       "g.conf:3: ExternalAddress=", "256 addresses at most");
	expect_mistake("[Gateway]\nBackend=memory\nExternalAddress=0.0.0.0/0\n",
		       "g.conf:3: ExternalAddress=", "256 addresses at most");
	expect_mistake("[Gateway]\nBackend=memory\nExternalAddress=none\n"
		       "ExternalAddress=203.0.113.7\n", "g.conf:4: ExternalAddress=", "none alone");
	used = (size_t)sprintf(text, "[Gateway]\nBackend=memory\n");
	for (unsigned i = 0; i <= CONFIG_EXTERNALS_MAX; i++)
		used += (size_t)sprintf(text + used, "ExternalAddress=203.0.%u.%u\n", i / 200,
					i % 200 + 1);
	assert_false(reads(text, why, sizeof(why)));
	assert_non_null(strstr(why, "g.conf:259: ExternalAddress="));
}

static void what_is_asked_of_the_packet_path_and_of_a_reload(void **state)
{
	(void)state;
	expect_good("[Gateway]\nBackend=nftables\n");
	assert_false(config.serve_external || config.manage_forward || config.reapply);
	assert_true(config.peer);
	assert_int_equal(config.flood_limit, 1000);
	expect_good("[Gateway]\nBackend=nftables\nServeExternal=yes\nManageForward=yes\n"
		    "Reapply=yes\nPeer=no\nFloodLimit=0\nExternal=eth0\nInternal=eth0\n");
	assert_true(config.serve_external && config.manage_forward && config.reapply);
	assert_false(config.peer);
	assert_int_equal(config.flood_limit, 0);
}

static void dangerous_ports_have_a_word(void **state)
{
	const struct policy_ports *ports = &config.rules[0].internal;

	(void)state;
	expect_good("[Gateway]\nBackend=memory\n[Rule]\nAction=deny\n"
		    "InternalPort=dangerous, 4444\n");
	assert_true(policy_ports_contain(ports, 23));
	assert_true(policy_ports_contain(ports, 137));
	assert_true(policy_ports_contain(ports, 445));
	assert_true(policy_ports_contain(ports, 3389));
	assert_true(policy_ports_contain(ports, 27017));
	assert_true(policy_ports_contain(ports, 4444));
	assert_false(policy_ports_contain(ports, 22));
	assert_false(policy_ports_contain(ports, 443));
	assert_false(policy_ports_contain(ports, 8080));
	expect_mistake("[Gateway]\nBackend=memory\n[Rule]\nAction=deny\n"
		       "InternalPort=dangerous dangerous\n", "g.conf:5: ", "32 ranges at most");
}

static void static_mappings_are_ports_of_a_host(void **state)
{
	static char text[30000];
	char why[1024];
	char address[TENF_ADDRESS_TEXT];
	size_t used;

	(void)state;
	expect_good("[Gateway]\nBackend=memory\n[Static]\nForward=443:8443/tcp\n"
		    "Host=192.168.1.20\n[Static]\nHost=192.168.1.21\nForward=6881-6889/both\n");
	assert_int_equal(config.static_count, 2);
	assert_int_equal(config.statics[0].forward.external_first, 443);
	assert_int_equal(config.statics[0].forward.internal_first, 8443);
	assert_int_equal(config.statics[0].line, 3);
	assert_int_equal(config.statics[1].forward.external_first, 6881);
	assert_int_equal(config.statics[1].forward.internal_last, 6889);
	assert_string_equal(tenf_address_text(&config.statics[1].host, address), "192.168.1.21");
	used = (size_t)sprintf(text, "[Gateway]\nBackend=memory\n");
	for (unsigned i = 0; i <= CONFIG_STATICS_MAX; i++)
		used += (size_t)sprintf(text + used, "[Static]\nForward=%u/udp\nHost=10.0.0.1\n",
					i + 1);
	assert_false(reads(text, why, sizeof(why)));
	assert_non_null(strstr(why, "more than 256 static mappings"));
}

static void hooks_are_told_of_what_they_name(void **state)
{
	(void)state;
	expect_good("[Gateway]\nBackend=memory\n[Hook]\nOn=opened, closed\nRun=a ; b # c\n"
		    "Timeout=2m\n[hook]\nRun=true\n");
	assert_int_equal(config.hook_count, 2);
	assert_int_equal(config.hooks[0].events,
			 CONFIG_ON_MAPPED | CONFIG_ON_REMOVED | CONFIG_ON_LOST);
	assert_string_equal(config.hooks[0].target, "a ; b # c");
	assert_int_equal(config.hooks[0].timeout_s, 120);
	assert_int_equal(config.hooks[1].events, CONFIG_ON_ALL);
	assert_int_equal(config.hooks[1].timeout_s, 30);
	expect_mistake("[Gateway]\nBackend=memory\n[Hook]\nOn=all\n", "g.conf:3: ",
		       "tells nobody");
	expect_mistake("[Hook]\nOn=opend\n", "g.conf:2: On= cannot be \"opend\"",
		       "opened, closed");
	expect_mistake("[Hook]\nOn=,\n", "g.conf:2: On= ", "all");
	expect_mistake("[Hook]\nRun=\n", "g.conf:2: Run= ", "a command");
	expect_mistake("[Hook]\nRun=a\nRun=b\n", "g.conf:3: Run= ", "one Run= or");
	expect_good("[Gateway]\nBackend=memory\n[Hook]\nWebhook=https://a.example/x?y=z\n");
	assert_int_equal(config.hooks[0].kind, CONFIG_WEBHOOK);
	assert_string_equal(config.hooks[0].target, "https://a.example/x?y=z");
	expect_mistake("[Hook]\nWebhook=ftp://a.example/\n", "g.conf:2: Webhook= ", "http://");
	expect_mistake("[Hook]\nWebhook=http:///x\n", "g.conf:2: Webhook= ", "http://");
	expect_mistake("[Hook]\nWebhook=http://me:it@a/\n", "g.conf:2: ", "password");
	expect_mistake("[Hook]\nRun=a\nWebhook=http://a/\n", "g.conf:3: ", "one Run= or");
	expect_mistake("[Hook]\nTimeout=2h\n", "g.conf:2: Timeout= ", "1h");
	expect_mistake("[Hook]\nTimeout=0\n", "g.conf:2: Timeout= ", "1s");
}

static void there_are_16_hooks_at_most(void **state)
{
	char text[1024] = "[Gateway]\nBackend=memory\n";

	(void)state;
	for (size_t i = 0; i < CONFIG_HOOKS_MAX; i++)
		strcat(text, "[Hook]\nRun=true\n");
	expect_good(text);
	strcat(text, "[Hook]\nRun=true\n");
	expect_mistake(text, "g.conf:35: ", "more than 16 hooks");
}

static void faults_are_shares_and_times(void **state)
{
	const struct faults_config *f = &config.faults;

	(void)state;
	expect_good("[Gateway]\nBackend=memory\n[Faults]\nLoss=30%\nDelay=50ms-2s\nDuplicate=0.5%\n"
		    "Reorder=12.25%\nTruncate=yes\nWrongSource=no\nRefuse=100%\nRebootEvery=90s\n"
		    "LifetimeCap=10\nOtherPort=5%\nIgnore=pcp\nSeed=18446744073709551615\n");
	assert_true(config.has_faults);
	assert_int_equal(f->loss, 3000);
	assert_int_equal(f->delay_min, 50000);
	assert_int_equal(f->delay_max, 2000000);
	assert_int_equal(f->duplicate, 50);
	assert_int_equal(f->reorder, 1225);
	assert_int_equal(f->truncate, 10000);
	assert_int_equal(f->wrong_source, 0);
	assert_int_equal(f->quirks.refuse, 10000);
	assert_int_equal(f->reboot_every, 90 * TENF_SECOND);
	assert_int_equal(f->quirks.lifetime_cap_s, 10);
	assert_int_equal(f->quirks.other_port, 500);
	assert_true(f->quirks.ignore_pcp);
	assert_false(f->quirks.ignore_natpmp);
	assert_true(config.seed == UINT64_MAX);
}

static void a_mistake_is_told_with_its_line_and_what_would_be_right(void **state)
{
	static const struct {
		const char *text;
		const char *start;
		const char *part;
	} cases[] = {
		{ "Backend=memory\n", "g.conf:1: ", "begin with [Gateway]" },
		{ "[Gateway]\nBackend=memory\nColour=red\n", "g.conf:3: there is no key \"Colour\"",
		  "Backend, External, Internal, Listen" },
		{ "[Gateway]\nBackend=memory\n\n[Rules]\n",
		  "g.conf:4: there is no section \"[Rules]\"",
		  "[Rule]" },
		{ "[Gateway]\nBackend=memory\nhello\n", "g.conf:3: neither", "Key=value" },
		{ "[Gateway]\nBackend=disk\n", "g.conf:2: Backend= cannot be \"disk\"",
		  "memory or nftables" },
		{ "[Gateway]\n", "g.conf: Backend= of [Gateway] is missing", "Backend=memory" },
		{ "[Gateway]\nBackend=memory\nListen=0.0.0.0:5351\n", "g.conf:3: Listen=",
		  "192.168.1.1:5351" },
		{ "[Gateway]\nBackend=memory\nListen=router\n", "g.conf:3: Listen=", "numeric" },
		{ "[Gateway]\nBackend=memory\nMaxLifetime=soon\n", "g.conf:3: MaxLifetime=", "2h" },
		{ "[Gateway]\nBackend=memory\nMinLifetime=3h\nMaxLifetime=2h\n",
		  "g.conf:4: MinLifetime= is above", "smaller" },
		{ "[Gateway]\nBackend=memory\nProtocols=upnp\n", "g.conf:3: Protocols=",
		  "natpmp,pcp" },
		{ "[Gateway]\nBackend=memory\nProtocols=none,pcp\n", "g.conf:3: ", "natpmp,pcp" },
		{ "[Gateway]\nBackend=memory\nExternalAddress=2001:db8::1\n", "g.conf:3: ",
		  "IPv4" },
		{ "[Gateway]\nBackend=memory\nFloodLimit=much\n", "g.conf:3: FloodLimit=",
		  "requests a second" },
		{ "[Gateway]\nBackend=memory\nPeer=perhaps\n", "g.conf:3: Peer=", "yes or no" },
		{ "[Gateway]\nBackend=memory\n[Static]\nForward=any:80\nHost=10.0.0.1\n",
		  "g.conf:4: Forward=", "443:8443/tcp" },
		{ "[Gateway]\nBackend=memory\n[Static]\nForward=80\n",
		  "g.conf:3: this mapping is incomplete", "Host=192.168.1.20" },
		{ "[Gateway]\nBackend=memory\n[Static]\nForward=80\nHost=2001:db8::1\n",
		  "g.conf:5: Host=", "IPv4 address of one host" },
		{ "[Gateway]\nBackend=memory\n[Static]\nForward=80\nHost=224.0.0.1\n",
		  "g.conf:5: Host=", "IPv4 address of one host" },
		{ "[Gateway]\nBackend=memory\n[Static]\nForward=80\nHost=169.254.1.1\n",
		  "g.conf:5: Host=", "IPv4 address of one host" },
		{ "[Gateway]\nBackend=memory\n[Static]\nForward=80\nHost=255.255.255.255\n",
		  "g.conf:5: Host=", "IPv4 address of one host" },
		{ "[Gateway]\nBackend=nftables\n[Static]\nForward=80\nHost=127.0.0.1\n",
		  "g.conf:3: no port can lead to \"127.0.0.1\"", "host of an internal network" },
		{ "[Gateway]\nBackend=nftables\nExternalAddress=203.0.113.7\n"
		  "ExternalAddress=127.0.0.1\n",
		  "g.conf: nobody can be reached at ExternalAddress=\"127.0.0.1\"",
		  "leave the key out" },
		{ "[Gateway]\nBackend=memory\n[Static]\nForward=80\nForward=81\n",
		  "g.conf:5: Forward=", "once" },
		{ "[Gateway]\nBackend=memory\nMaxMappings=0\n", "g.conf:3: ", "from 1" },
		{ "[Gateway]\nBackend=memory\nSocket=here\n", "g.conf:3: ", "begins with /" },
		{ "[Gateway]\nBackend=memory\nInternal=averyveryverylongname\n", "g.conf:3: ",
		  "15 characters" },
		{ "[Gateway]\nBackend=memory\nExternal=a\nInternal=b a\n", "g.conf: internal and",
		  "External= alone" },
		{ "[Gateway]\nBackend=memory\nExternal=a b\n", "g.conf: more than one", "one" },
		{ "[Gateway]\nBackend=memory\n[Rule]\nClient=192.168.1.1\n",
		  "g.conf:3: this rule has no Action=", "Action=allow" },
		{ "[Gateway]\nBackend=memory\n[Rule]\nAction=perhaps\n", "g.conf:4: Action=",
		  "allow, deny or ask" },
		{ "[Gateway]\nBackend=memory\n[Rule]\nName=a name that is longer than a rule has\n",
		  "g.conf:4: Name=", "31 octets" },
		{ "[Gateway]\nBackend=memory\n[Rule]\nName=a\x1b[31m\n", "g.conf:4: Name=",
		  "31 octets" },
		{ "[Gateway]\nBackend=memory\n[Rule]\nAction=allow\nClient=192.168.1.1/24\n",
		  "g.conf:5: Client=", "host bits" },
		{ "[Gateway]\nBackend=memory\n[Rule]\nAction=allow\nClient=00:11:22:33:44\n",
		  "g.conf:5: Client=", "00:11:22:33:44:55" },
		{ "[Gateway]\nBackend=memory\n[Rule]\nAction=allow\nExternalPort=90-80\n",
		  "g.conf:5: ExternalPort=", "1024-65535" },
		{ "[Gateway]\nBackend=memory\n[Rule]\nAction=allow\nExternalPort=0\n", "g.conf:5: ",
		  "1024-65535" },
		{ "[Gateway]\nBackend=memory\n[Rule]\nAction=allow\nInternalPort=70000\n",
		  "g.conf:5: ", "1024-65535" },
		{ "[Gateway]\nBackend=memory\n[Rule]\nAction=allow\nProtocol=sctp\n", "g.conf:5: ",
		  "tcp, udp" },
		{ "[Gateway]\nBackend=memory\n[Rule]\nAction=allow\nListen=1.2.3.4\n",
		  "g.conf:5: there is no key \"Listen\"", "Action, Client" },
		{ "[Gateway]\nBackend=memory\n[Faults]\nLoss=30\n", "g.conf:4: Loss=", "30%" },
		{ "[Gateway]\nBackend=memory\n[Faults]\nLoss=101%\n", "g.conf:4: Loss=", "30%" },
		{ "[Gateway]\nBackend=memory\n[Faults]\nDelay=2s-1s\n", "g.conf:4: Delay=",
		  "50ms-2s" },
		{ "[Gateway]\nBackend=nftables\n[Faults]\nLoss=1%\n", "g.conf: [Faults]",
		  "Backend=memory alone" },
	};

	(void)state;
	expect_good("[Gateway]\nBackend=memory\nMaxMappings=7\n");
	for (size_t i = 0; i < TENF_ARRAY_SIZE(cases); i++)
		expect_mistake(cases[i].text, cases[i].start, cases[i].part);
	assert_int_equal(config.mappings_max, 7);
}

static void limits_of_the_file_are_told(void **state)
{
	static char text[70000];
	char line[700];
	char why[1024];
	size_t used = (size_t)sprintf(text, "[Gateway]\nBackend=memory\n");

	(void)state;
	for (size_t i = 0; i <= POLICY_RULES_MAX; i++)
		used += (size_t)sprintf(text + used, "[Rule]\nAction=deny\n");
	assert_false(reads(text, why, sizeof(why)));
	assert_non_null(strstr(why, "more than 256 rules"));

	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	(void)sprintf(text, "[Gateway]\nBackend=memory\n# %s\n", line);
	assert_false(reads(text, why, sizeof(why)));
	assert_non_null(strstr(why, "g.conf:3: the line is too long"));

	used = (size_t)sprintf(text, "[Gateway]\nBackend=memory\n");
	for (size_t i = 0; i <= CONFIG_LISTEN_MAX; i++)
		used += (size_t)sprintf(text + used, "Listen=127.0.0.1\n");
	expect_mistake(text, "g.conf:19: Listen=", "16 lines");
}

static void a_file_that_is_not_there_is_told(void **state)
{
	char buffer[256];
	struct tenf_text why = tenf_text_of(buffer, sizeof(buffer));

	(void)state;
	assert_false(config_read("/nonexistent/g.conf", &config, &why));
	assert_string_equal(buffer, "/nonexistent/g.conf: No such file or directory");
}

/* Whatever is cut off, the reader ends with good or a reason. */
static void every_beginning_of_a_file_is_good_or_told(void **state)
{
	static const char whole[] = "[Gateway]\nBackend=memory\nListen=[::1]:5351\n[Rule]\n"
				    "Action=allow\nClient=10.0.0.0/8\nExternalPort=1-2,3\n"
				    "[Faults]\nDelay=1ms-2ms\nLoss=1.5%\n";

	(void)state;
	for (size_t len = 0; len < sizeof(whole); len++) {
		char *text = strndup(whole, len);
		char why[1024];

		if (!reads(text, why, sizeof(why)))
			assert_true(strlen(why) > 10);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_defaults_are_those_of_the_manual),
		cmocka_unit_test(every_key_of_the_gateway_is_taken),
		cmocka_unit_test(a_real_gateway_has_a_control_socket_and_a_test_one_when_asked),
		cmocka_unit_test(one_fault_is_set_at_run_time),
		cmocka_unit_test(a_short_maximum_lowers_the_minimum_that_was_not_said),
		cmocka_unit_test(rules_keep_their_order_and_their_keys),
		cmocka_unit_test(a_rule_may_ask_and_have_a_name_and_a_link_layer_address),
		cmocka_unit_test(external_addresses_are_a_pool),
		cmocka_unit_test(what_is_asked_of_the_packet_path_and_of_a_reload),
		cmocka_unit_test(dangerous_ports_have_a_word),
		cmocka_unit_test(static_mappings_are_ports_of_a_host),
		cmocka_unit_test(hooks_are_told_of_what_they_name),
		cmocka_unit_test(there_are_16_hooks_at_most),
		cmocka_unit_test(faults_are_shares_and_times),
		cmocka_unit_test(a_mistake_is_told_with_its_line_and_what_would_be_right),
		cmocka_unit_test(limits_of_the_file_are_told),
		cmocka_unit_test(a_file_that_is_not_there_is_told),
		cmocka_unit_test(every_beginning_of_a_file_is_good_or_told),
	};

	return cmocka_run_group_tests_name("gateway configuration", tests, NULL, NULL);
}
