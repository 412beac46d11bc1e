/* SPDX-License-Identifier: MIT */
#include "agent/config.h"

#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char *const variables[] = {
	"TENFORWARD_SOCKET",	"TENFORWARD_STATE",   "TENFORWARD_INTERFACE",
	"TENFORWARD_GATEWAY",	"TENFORWARD_METHOD",  "TENFORWARD_FIREWALL",
	"TENFORWARD_PORT_FILE", "TENFORWARD_PORTFILE", "TENFORWARD_LISTEN",
	"TENFORWARD_TOKEN_FILE", "TENFORWARD_FORWARD", "TENFORWARD_FOLLOW",
	"TENFORWARD_NAMESPACE",
	"TENFORWARD_LIFETIME",	"TENFORWARD_NAME",    "CREDENTIALS_DIRECTORY",
};

static int set_up(void **state)
{
	for (size_t i = 0; i < TENF_ARRAY_SIZE(variables); i++)
		unsetenv(variables[i]);
	return scratch_make(state);
}

static bool read_text(const struct scratch *scratch, const char *text, struct agent_config *ret,
		      struct config_mistake *mistake)
{
	char path[PATH_MAX];

	scratch_write(scratch, "agent.conf", text);
	return config_read(scratch_path(scratch, "agent.conf", path), ret, mistake);
}

static void read_good(const struct scratch *scratch, const char *text, struct agent_config *ret)
{
	struct config_mistake mistake = { .text = "" };

	if (!read_text(scratch, text, ret, &mistake))
		fail_msg("%s:%u: %s", mistake.file, mistake.line, mistake.text);
}

static void reads_everything_a_file_can_say(void **state)
{
	const struct scratch *scratch = *state;
	struct agent_config c;
	char text[3 * PATH_MAX], token[PATH_MAX], password[PATH_MAX];

	scratch_write(scratch, "token", "a token\nsecond line\n");
	scratch_write(scratch, "password", "a password");
	snprintf(text, sizeof(text),
		 "\xef\xbb\xbf# comment\n[Agent]\nSocket=/a/s\n  State = /a/state  \r\n"
		 "Interface=wg0\nGateway=10.2.0.1:5351\nMethod=natpmp\nAnycast=yes\n"
		 "Firewall=nftables\n"
		 "FirewallSet=inet filter tenforward\nPortFile=/a/port\n"
		 "Listen=127.0.0.1:8351\nTokenFile=%s\n; comment\n\n"
		 "[Mapping]\nName=torrent\nForward=any:51413/both\nLifetime=60s\nFollow=yes\n"
		 "[mapping]\nName=games\nForward=80:8080 27015-27017/udp\nforward=443\nExact=no\n"
		 "Gateway=192.168.1.1\nMethod=auto\nPersist=yes\nThrough=yes\nHost=192.168.1.20\n"
		 "[Hook]\nOn=mapped, changed\nRun=echo \"$1\" ; true # all of it: kept\n"
		 "Timeout=2m\nMapping=torrent\n"
		 "[Hook]\nWebhook=https://example.net/hook?a=b\n"
		 "[Hook]\nFile=/a/file\nFormat={external_address}:{external_port} {{\n"
		 "[Connector]\nType=qbittorrent\nUrl=http://127.0.0.1:8080\nMapping=torrent\n"
		 "User=admin\nPasswordFile=%s\nRecheck=5s\n",
		 scratch_path(scratch, "token", token),
		 scratch_path(scratch, "password", password));
	read_good(scratch, text, &c);
	assert_string_equal(c.socket, "/a/s");
	assert_string_equal(c.state, "/a/state");
	assert_string_equal(c.port_file, "/a/port");
	assert_string_equal(c.listen, "127.0.0.1:8351");
	assert_string_equal(c.token, "a token");
	assert_string_equal(c.place.gateway, "10.2.0.1");
	assert_true(c.anycast);
	assert_int_equal(c.firewall, FIREWALL_NFTABLES);
	assert_string_equal(c.firewall_set, "inet filter tenforward");
	assert_int_equal(c.mapping_count, 6);
	assert_string_equal(c.mappings[0].name, "torrent");
	assert_int_equal(c.mappings[0].protocol, TENF_BOTH);
	assert_int_equal(c.mappings[0].lifetime_s, 60);
	assert_int_equal(c.mappings[0].external_port, 0);
	assert_true(c.mappings[0].follow && c.mappings[0].open_firewall);
	assert_string_equal(c.mappings[0].place.interface, "wg0");
	assert_int_equal(c.mappings[0].place.methods, TENF_METHOD_NATPMP);
	assert_int_equal(c.mappings[1].external_port, 80);
	assert_int_equal(c.mappings[1].internal_port, 8080);
	assert_int_equal(c.mappings[4].internal_port, 27017);
	assert_int_equal(c.mappings[5].internal_port, 443);
	assert_int_equal(c.mappings[5].lifetime_s, TENF_DEFAULT_LIFETIME_S);
	assert_string_equal(c.mappings[5].name, "games");
	assert_true(c.mappings[5].through && !c.mappings[0].through);
	assert_true(c.mappings[5].persist && !c.mappings[5].open_firewall);
	assert_string_equal(c.mappings[5].place.interface, "");
	assert_string_equal(c.mappings[5].place.gateway, "192.168.1.1");
	assert_int_equal(c.mappings[5].place.methods, 0);
	assert_string_equal(c.mappings[5].internal_address, "192.168.1.20");
	assert_int_equal(c.hook_count, 3);
	assert_int_equal(c.hooks[0].events, 1u << TENF_EVENT_MAPPED | 1u << TENF_EVENT_CHANGED);
	assert_string_equal(c.hooks[0].target, "echo \"$1\" ; true # all of it: kept");
	assert_int_equal(c.hooks[0].timeout_s, 120);
	assert_int_equal(c.hooks[1].kind, HOOK_WEBHOOK);
	assert_int_equal(c.hooks[1].events, 0);
	assert_int_equal(c.hooks[1].timeout_s, 30);
	assert_string_equal(c.hooks[2].format, "{external_address}:{external_port} {{");
	assert_int_equal(c.connector_count, 1);
	assert_string_equal(c.connectors[0].password, "a password");
	assert_int_equal(c.connectors[0].recheck_s, 5);
	config_done(&c);
}

static void a_command_may_be_longer_than_a_line_of_inih(void **state)
{
	const struct scratch *scratch = *state;
	struct agent_config c;
	char command[900], text[2048];

	memset(command, 'x', sizeof(command) - 1);
	command[sizeof(command) - 1] = '\0';
	snprintf(text, sizeof(text), "# %s\n[Hook]\nRun=%s\n", command, command);
	read_good(scratch, text, &c);
	assert_string_equal(c.hooks[0].target, command);
	config_done(&c);
}

struct mistake_case {
	unsigned line;
	const char *says; /* part of the text */
	const char *text;
};

static const struct mistake_case mistakes[] = {
	{ 1, "before any section", "Socket=/s\n" },
	{ 2, "neither a section nor a key", "[Agent]\nSocket\n" },
	{ 2, "neither a section nor a key", "[Agent]\n=x\nSokket=x\n" },
	{ 1, "no section \"[Mappings]\"; write [Agent]", "[Mappings]\n" },
	{ 3, "did you mean Forward=?", "[Mapping]\nForward=80\nForwards=80\n" },
	{ 2, "did you mean Lifetime=?", "[Mapping]\nLifetme=80\n" },
	{ 2, "known here are Socket=, State=", "[Agent]\nElephant=80\n" },
	{ 2, "Socket= cannot be \"s\"; write a path", "[Agent]\nSocket=s\n" },
	{ 2, "State= cannot be \"\"", "[Agent]\nState=\n" },
	{ 2, "Interface= cannot be", "[Agent]\nInterface=a-name-that-is-too-long\n" },
	{ 2, "write a name as in ip netns, or a path", "[Agent]\nNamespace=run/netns/vpn\n" },
	{ 2, "Namespace= cannot be \"..\"", "[Mapping]\nNamespace=..\n" },
	{ 2, "31 characters at most",
	  "[Connector]\nNamespace=/a/path/that/has/more/characters/than-are-allowed\n" },
	{ 4, "Method=igd in another network namespace",
	  "[Mapping]\nNamespace=vpn\nMethod=igd\nForward=80\n" },
	{ 6, "Firewall=yes for another host or namespace",
	  "[Agent]\nFirewall=firewalld\n[Mapping]\nNamespace=vpn\nFirewall=yes\nForward=80\n" },
	{ 5, "is already mapped by",
	  "[Mapping]\nNamespace=vpn\nForward=80\n[Mapping]\nForward=80\nNamespace=vpn\n" },
	{ 2, "Gateway= cannot be \"router\"", "[Agent]\nGateway=router\n" },
	{ 2, "Gateway= cannot be", "[Agent]\nGateway=224.0.0.1\n" },
	{ 2, "write yes or no", "[Agent]\nAnycast=192.0.0.9\n" },
	{ 2, "write auto, or one", "[Agent]\nMethod=upnp\n" },
	{ 2, "write nftables, firewalld or none", "[Agent]\nFirewall=yes\n" },
	{ 2, "write a numeric ADDRESS:PORT", "[Agent]\nListen=127.0.0.1\n" },
	{ 3, "Listen= without TokenFile=", "[Agent]\n\nListen=127.0.0.1:80\n" },
	{ 2, "a secret cannot stand in this file", "[Agent]\nToken=abc\n" },
	{ 2, "the secret cannot be read from \"/nowhere/at/all\"",
	  "[Agent]\nTokenFile=/nowhere/at/all\n" },
	{ 2, "no credentials of systemd", "[Agent]\nTokenFile=token\n" },
	{ 2, "TokenFile= cannot be \"../token\"", "[Agent]\nTokenFile=../token\n" },
	{ 2, "there is no secret in", "[Agent]\nTokenFile=/dev/null\n" },
	{ 2, "this mapping has no Forward=", "\n[Mapping]\nName=a\n[Hook]\nRun=x\n" },
	{ 1, "this mapping has no Forward=", "[Mapping]\n" },
	{ 2, "\"http\" is not a mapping; write 8080/tcp", "[Mapping]\nForward=80 http\n" },
	{ 2, "port \"70000\" does not exist", "[Mapping]\nForward=70000\n" },
	{ 2, "Forward= cannot be \"\"", "[Mapping]\nForward=\n" },
	{ 2, "Name= cannot be \"a b\"", "[Mapping]\nName=a b\nForward=80\n" },
	{ 2, "Lifetime= cannot be \"0\"", "[Mapping]\nLifetime=0\nForward=80\n" },
	{ 2, "Exact= cannot be \"maybe\"; write yes", "[Mapping]\nExact=maybe\nForward=80\n" },
	{ 1, "Through=yes together with Follow=yes; write one of them",
	  "[Mapping]\nForward=80\nThrough=yes\nFollow=yes\n" },
	{ 5, "more than 256 mappings with Through=yes",
	  "[Mapping]\nThrough=yes\nForward=1000-1255\n\n[Mapping]\nThrough=yes\nForward=80\n" },
	{ 3, "Exact=yes together with any", "[Mapping]\nExact=yes\nForward=any:80\n" },
	{ 2, "Host= cannot be \"0.0.0.0\"", "[Mapping]\nHost=0.0.0.0\nForward=80\n" },
	{ 2, "Firewall=yes, but no firewall", "[Mapping]\nForward=80\nFirewall=yes\n" },
	{ 3, "Firewall=nftables without FirewallSet=", "[Agent]\n\nFirewall=nftables\n" },
	{ 2, "FirewallSet= cannot be \"tenforward\"; write FAMILY",
	  "[Agent]\nFirewallSet=tenforward\n" },
	{ 2, "FirewallSet= cannot be", "[Agent]\nFirewallSet=inet filter a;flush\n" },
	{ 2, "Recheck= cannot be \"0\"", "[Connector]\nRecheck=0\n" },
	{ 4, "Firewall=yes for another host",
	  "[Agent]\nFirewall=firewalld\n[Mapping]\nForward=80\nFirewall=yes\nHost=10.0.0.9\n" },
	{ 4, "internal port 8080/tcp is already mapped by",
	  "[Mapping]\nForward=80:8080\n[Mapping]\nForward=81:8080/tcp\n" },
	{ 2, "is already mapped by", "[Mapping]\nForward=8000-8010/udp 8005/both\n" },
	{ 3, "more than 4096 mappings", "[Mapping]\nForward=1-4000\nForward=5001-6000\n" },
	{ 1, "this hook tells nobody", "[Hook]\nOn=mapped\n" },
	{ 1, "more than one target", "[Hook]\nRun=x\nFile=/f\n" },
	{ 1, "more than one target", "[Hook]\nRun=x\nRun=y\n" },
	{ 1, "Format= without File=", "[Hook]\nRun=x\nFormat={name}\n" },
	{ 2, "On= cannot be \"maped\"; write all, or some of", "[Hook]\nOn=maped\nRun=x\n" },
	{ 2, "Webhook= cannot be \"ftp://a\"", "[Hook]\nWebhook=ftp://a\n" },
	{ 2, "Webhook= cannot be \"http:///x\"", "[Hook]\nWebhook=http:///x\n" },
	{ 2, "File= cannot be \"port\"", "[Hook]\nFile=port\n" },
	{ 3, "{external_port}", "[Hook]\nFile=/f\nFormat={port}\n" },
	{ 3, "Timeout= cannot be \"2h\"", "[Hook]\nRun=x\nTimeout=2h\n" },
	{ 1, "a hook for a mapping that does not exist: \"a\"", "[Hook]\nRun=x\nMapping=a\n" },
	{ 1, "this connector has no Type=", "[Connector]\nUrl=http://a\nMapping=a\n" },
	{ 1, "this connector has no Url=", "[Connector]\nType=deluge\nMapping=a\n" },
	{ 1, "this connector has no Mapping=", "[Connector]\nType=deluge\nUrl=http://a\n" },
	{ 2, "write qbittorrent, transmission or deluge", "[Connector]\nType=rtorrent\n" },
	{ 2, "write User= and PasswordFile=", "[Connector]\nUrl=http://a:b@c/\n" },
	{ 2, "a secret cannot stand in this file", "[Connector]\nPassword=abc\n" },
	{ 1, "a connector for a mapping that does not exist: \"a\"",
	  "[Connector]\nType=deluge\nUrl=http://a\nMapping=a\n" },
	{ 4, "a connector for a mapping of several ports",
	  "[Mapping]\nName=a\nForward=80-81\n[Connector]\nType=deluge\nUrl=http://a\nMapping=a\n" },
	{ 2, "without control characters", "[Hook]\nRun=a\x01z\n" },
	{ 2, "write UTF-8", "[Mapping]\nName=\xff\xfe\n" },
};

static void every_mistake_is_told_with_its_line_and_what_is_right(void **state)
{
	const struct scratch *scratch = *state;

	for (size_t i = 0; i < TENF_ARRAY_SIZE(mistakes); i++) {
		struct config_mistake mistake = { .text = "" };
		struct agent_config c = { .mapping_count = 77 };
		char path[PATH_MAX];

		if (read_text(scratch, mistakes[i].text, &c, &mistake))
			fail_msg("read without complaint: %s", mistakes[i].text);
		if (mistake.line != mistakes[i].line ||
		    strstr(mistake.text, mistakes[i].says) == NULL)
			fail_msg("%u: %s, for\n%s", mistake.line, mistake.text, mistakes[i].text);
		assert_string_equal(mistake.file, scratch_path(scratch, "agent.conf", path));
		assert_int_equal(c.mapping_count, 77);
	}
}

static void equal_ports_at_different_places_are_no_mistake(void **state)
{
	struct agent_config c;

	read_good(*state,
		  "[Mapping]\nForward=80\n[Mapping]\nForward=80/udp\n"
		  "[Mapping]\nForward=80\nInterface=wg0\n[Mapping]\nForward=80\nGateway=10.2.0.1\n"
		  "[Mapping]\nForward=80\nHost=192.168.1.9\n[Mapping]\nForward=80\nNamespace=vpn\n"
		  "[Mapping]\nForward=80\nGateway=10.2.0.1\nNamespace=vpn\n",
		  &c);
	assert_int_equal(c.mapping_count, 7);
	config_done(&c);
}

static void a_mapping_in_a_namespace_takes_no_other_place_from_the_agent(void **state)
{
	struct agent_config c;

	read_good(*state,
		  "[Agent]\nGateway=10.2.0.1\nInterface=wg0\nMethod=natpmp\nFirewall=firewalld\n"
		  "[Mapping]\nName=a\nForward=80\nNamespace=vpn\n[Mapping]\nForward=81\n"
		  "[Connector]\nType=deluge\nUrl=http://127.0.0.1:8112\nMapping=a\nNamespace=vpn\n",
		  &c);
	assert_string_equal(c.mappings[0].place.namespace, "vpn");
	assert_string_equal(c.mappings[0].place.gateway, "");
	assert_string_equal(c.mappings[0].place.interface, "");
	assert_int_equal(c.mappings[0].place.methods, TENF_METHOD_NATPMP);
	assert_false(c.mappings[0].open_firewall); /* which is that of our own */
	assert_string_equal(c.mappings[1].place.namespace, "");
	assert_string_equal(c.mappings[1].place.gateway, "10.2.0.1");
	assert_true(c.mappings[1].open_firewall);
	assert_string_equal(c.connectors[0].namespace, "vpn");
	config_done(&c);
	setenv("TENFORWARD_NAMESPACE", "/proc/1/ns/net", 1);
	read_good(*state, "[Mapping]\nForward=80\n", &c);
	assert_string_equal(c.mappings[0].place.namespace, "/proc/1/ns/net");
	config_done(&c);
}

static void drop_ins_follow_in_the_order_of_their_names(void **state)
{
	const struct scratch *scratch = *state;
	struct config_mistake mistake;
	struct agent_config c;
	char path[PATH_MAX];

	scratch_write(scratch, "agent.conf.d/20-b.conf", "[Agent]\nInterface=b\n");
	scratch_write(scratch, "agent.conf.d/10-a.conf",
		      "[Agent]\nInterface=a\n[Mapping]\nForward=81\n");
	scratch_write(scratch, "agent.conf.d/30-c.conf.bak", "[Wrong]\n");
	read_good(scratch, "[Agent]\nInterface=main\n[Mapping]\nForward=80\n", &c);
	assert_string_equal(c.place.interface, "b");
	assert_int_equal(c.mapping_count, 2);
	assert_int_equal(c.mappings[1].internal_port, 81);
	config_done(&c);

	scratch_write(scratch, "agent.conf.d/20-b.conf", "[Agent]\n\n[Mapping]\nForward=80\n");
	assert_false(read_text(scratch, "[Mapping]\nForward=80\n", &c, &mistake));
	assert_string_equal(mistake.file, scratch_path(scratch, "agent.conf.d/20-b.conf", path));
	assert_int_equal(mistake.line, 4);
	assert_non_null(strstr(mistake.text, "agent.conf:2"));
}

static void the_environment_alone_configures(void **state)
{
	const struct scratch *scratch = *state;
	struct config_mistake mistake;
	struct agent_config c;
	char path[PATH_MAX];
	char text[CONFIG_MISTAKE_SIZE];

	scratch_write(scratch, "token", "secret\n");
	setenv("TENFORWARD_GATEWAY", "10.2.0.1", 1);
	setenv("TENFORWARD_INTERFACE", "", 1);
	setenv("TENFORWARD_PORT_FILE", "/p", 1);
	setenv("TENFORWARD_LISTEN", "0.0.0.0:80", 1);
	setenv("TENFORWARD_TOKEN_FILE", scratch_path(scratch, "token", path), 1);
	setenv("TENFORWARD_FORWARD", "any:51413/both 80:8080/tcp", 1);
	setenv("TENFORWARD_FOLLOW", "yes", 1);
	setenv("TENFORWARD_LIFETIME", "60s", 1);
	assert_true(config_read(NULL, &c, &mistake));
	assert_int_equal(c.mapping_count, 2);
	assert_string_equal(c.mappings[1].place.gateway, "10.2.0.1");
	assert_string_equal(c.port_file, "/p");
	assert_string_equal(c.token, "secret");
	assert_true(c.mappings[0].follow);
	assert_int_equal(c.mappings[1].lifetime_s, 60);
	config_done(&c);

	setenv("TENFORWARD_FORWARD", "eighty", 1);
	assert_false(config_read(NULL, &c, &mistake));
	assert_string_equal(mistake.file, "environment");
	assert_int_equal(mistake.line, 0);
	config_mistake_text(&mistake, text, sizeof(text));
	assert_int_equal(strncmp(text, "environment: \"eighty\"", 21), 0);
	setenv("TENFORWARD_GATEWAY", "router", 1);
	assert_false(config_read(NULL, &c, &mistake));
	assert_non_null(strstr(mistake.text, "TENFORWARD_GATEWAY= cannot be \"router\""));
}

static void the_environment_is_stronger_than_the_file(void **state)
{
	struct agent_config c;

	setenv("TENFORWARD_GATEWAY", "10.2.0.1", 1);
	setenv("TENFORWARD_PORTFILE", "/p", 1);
	read_good(*state, "[Agent]\nGateway=10.0.0.1\n[Mapping]\nForward=80\n", &c);
	assert_string_equal(c.mappings[0].place.gateway, "10.2.0.1");
	assert_string_equal(c.port_file, "/p");
	config_done(&c);
}

static void a_bare_name_is_a_credential_of_systemd(void **state)
{
	const struct scratch *scratch = *state;
	struct agent_config c;

	scratch_write(scratch, "qbt", "from systemd\n");
	setenv("CREDENTIALS_DIRECTORY", scratch->path, 1);
	read_good(scratch,
		  "[Mapping]\nName=a\nForward=80\n[Connector]\nType=qbittorrent\n"
		  "Url=http://localhost\nMapping=a\nUser=u\nPasswordFile=qbt\n",
		  &c);
	assert_string_equal(c.connectors[0].password, "from systemd");
	config_done(&c);
}

static void a_file_that_cannot_be_read_is_a_mistake(void **state)
{
	const struct scratch *scratch = *state;
	struct config_mistake mistake;
	struct agent_config c;
	char path[PATH_MAX];

	assert_false(config_read(scratch_path(scratch, "none.conf", path), &c, &mistake));
	assert_string_equal(mistake.file, path);
	assert_int_equal(mistake.line, 0);
	assert_non_null(strstr(mistake.text, "No such file"));
	assert_false(config_read(scratch->path, &c, &mistake));
}

static void defaults_come_from_systemd_first(void **state)
{
	struct agent_config c;

	setenv("RUNTIME_DIRECTORY", "/run/tf", 1);
	setenv("STATE_DIRECTORY", "/var/lib/a:/var/lib/b", 1);
	read_good(*state, "", &c);
	unsetenv("RUNTIME_DIRECTORY");
	unsetenv("STATE_DIRECTORY");
	assert_string_equal(c.socket, "/run/tf/agent.sock");
	assert_string_equal(c.state, "/var/lib/a");
	assert_int_equal(c.firewall, FIREWALL_NONE);
	config_done(&c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, scratch_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_everything_a_file_can_say),
		TEST(a_command_may_be_longer_than_a_line_of_inih),
		TEST(every_mistake_is_told_with_its_line_and_what_is_right),
		TEST(equal_ports_at_different_places_are_no_mistake),
		TEST(a_mapping_in_a_namespace_takes_no_other_place_from_the_agent),
		TEST(drop_ins_follow_in_the_order_of_their_names),
		TEST(the_environment_alone_configures),
		TEST(the_environment_is_stronger_than_the_file),
		TEST(a_bare_name_is_a_credential_of_systemd),
		TEST(a_file_that_cannot_be_read_is_a_mistake),
		TEST(defaults_come_from_systemd_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
