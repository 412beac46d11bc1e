/* SPDX-License-Identifier: MIT */
#include "cli/options.h"

#include "base/address.h"
#include "base/span.h"
#include "cli/cli.h"
#include "cli/hosts.h"
#include "base/nearest.h"

#include <string.h>

/* A verdict later than a day is none. */
#define TIMEOUT_MAX_S 86400

const struct cli_option_row cli_options[CLI_OPTION_COUNT] = {
	[CLI_GATEWAY] = { 'g', "gateway", "ADDR[:PORT]", "", "ask this gateway" },
	[CLI_INTERFACE] = { 'i', "interface", "IFNAME", "interface",
			    "ask only gateways on this interface" },
	[CLI_SOURCE] = { 0, "source", "ADDR", "", "ask from this address of this host" },
	[CLI_ANYCAST] = { 0, "anycast", "", "", "ask the anycast address 192.0.0.9 too" },
	[CLI_METHOD] = { 0, "method", "METHOD", "auto pcp natpmp igd",
			 "auto, pcp, natpmp or igd; auto asks by all" },
	[CLI_TIMEOUT] = { 0, "timeout", "DURATION", "", "verdict on a silent gateway, 5s" },
	[CLI_DIRECT] = { 0, "direct", "", "", "ask the gateway even when an agent runs" },
	[CLI_SOCKET] = { 0, "socket", "PATH", "file", "control socket of agent or gateway" },
	[CLI_JSON] = { 0, "json", "", "", "print JSON" },
	[CLI_QUIET] = { 'q', "quiet", "", "", "no talk, only data and errors" },
	[CLI_VERBOSE] = { 'v', "verbose", "", "", "tell what is being done" },
	[CLI_HELP] = { 'h', "help", "", "", "show help and end" },
	[CLI_VERSION] = { 'V', "version", "", "", "show the version and end" },
	[CLI_LIFETIME] = { 0, "lifetime", "DURATION", "", "lease to ask for, 2h" },
	[CLI_NAME] = { 0, "name", "NAME", "", "name of the mapping, told to the gateway" },
	[CLI_EXACT] = { 0, "exact", "", "", "no other external port than the one asked for" },
	[CLI_FOR_HOST] = { 0, "for", "HOST", "", "for another host (PCP THIRD_PARTY)" },
	[CLI_FILTER] = { 0, "filter", "PREFIX[:PORT]", "", "nobody else may come in (PCP FILTER)" },
	[CLI_ALL] = { 0, "all", "", "", "not only some: all that are known or recorded" },
	[CLI_ON_CHANGE] = { 0, "on-change", "CMD", "", "run CMD by /bin/sh on each change" },
	[CLI_PORT_FILE] = { 0, "port-file", "PATH", "file", "keep the external port in this file" },
	[CLI_FOR_TIME] = { 0, "for", "DURATION", "", "end after this time" },
	[CLI_COUNT] = { 0, "count", "N", "", "end after N events" },
	[CLI_SINCE] = { 0, "since", "DURATION", "", "what happened so long ago and later" },
	[CLI_OF_CLIENT] = { 0, "client", "ADDR", "", "what this host did" },
	[CLI_OF_PORT] = { 0, "port", "PORT", "", "what happened to this external port" },
	[CLI_NONCE] = { 0, "nonce", "HEX", "", "mapping nonce, 24 hex digits; random otherwise" },
	[CLI_CLIENT] = { 0, "client", "ADDR", "", "client address in the PCP header" },
	[CLI_SUGGEST] = { 0, "suggest", "ADDR", "", "external address to suggest" },
	[CLI_REMOTE] = { 0, "remote", "ADDR:PORT", "", "remote peer of pcp-peer" },
	[CLI_BASELINE] = { 0, "baseline", "FILE", "file", "tell what an earlier --json did not" },
	[CLI_FAIL_ON] = { 0, "fail-on", "SEVERITY", "info low medium high",
			  "exit status 12 from this severity on" },
	[CLI_FROM] = { 0, "from", "SSH_HOST", "", "try it from this host, over ssh" },
	[CLI_FROM_URL] = { 0, "from-url", "URL", "", "have this check service try it" },
	[CLI_HEAL] = { 0, "heal", "", "", "open a mapping again that is dead" },
	[CLI_STUN] = { 0, "stun", "SERVER[:PORT]", "", "ask it by what address it sees us" },
	[CLI_REPORT] = { 0, "report", "", "", "hide addresses, to show it to others" },
	[CLI_PROBE] = { 0, "probe", "", "", "find this host's mappings by other programs (PCP)" },
	[CLI_RANGE] = { 0, "range", "PORT-PORT", "", "probe these internal ports, 1-65535" },
	[CLI_THROUGH] = { 0, "through", "", "", "at both routers, where one is behind another" },
};

struct cursor {
	int argc;
	char **argv;
	int at;
	const char *letters; /* rest of a group such as -qv; NULL outside one */
};

static bool takes_value(enum cli_option option)
{
	return cli_options[option].value[0] != '\0';
}

static bool find_long(const char *name, size_t len, uint64_t allowed, enum cli_option *ret)
{
	for (enum cli_option o = 0; o < CLI_OPTION_COUNT; o++) {
		if ((allowed & CLI_BIT(o)) != 0 && strlen(cli_options[o].name) == len &&
		    memcmp(cli_options[o].name, name, len) == 0) {
			*ret = o;
			return true;
		}
	}
	return false;
}

static bool find_letter(char letter, uint64_t allowed, enum cli_option *ret)
{
	for (enum cli_option o = 0; o < CLI_OPTION_COUNT; o++) {
		if ((allowed & CLI_BIT(o)) != 0 && cli_options[o].letter == letter) {
			*ret = o;
			return true;
		}
	}
	return false;
}

static int unknown_option(struct cli *cli, const char *name, size_t len, uint64_t allowed)
{
	struct tenf_nearest near = tenf_nearest_to(name, len);

	for (enum cli_option o = 0; o < CLI_OPTION_COUNT; o++) {
		if ((allowed & CLI_BIT(o)) != 0)
			tenf_nearest_try(&near, cli_options[o].name);
	}
	if (near.best != NULL)
		return cli_usage(cli, "there is no option --%.*s; did you mean --%s?", (int)len,
				 name, near.best);
	return cli_usage(cli, "there is no option --%.*s; see tenforward %s%s--help", (int)len,
			 name, cli->arguments.verb != NULL ? cli->arguments.verb : "",
			 cli->arguments.verb != NULL ? " " : "");
}

static int set_option(struct cli *cli, enum cli_option option, const char *value)
{
	const char **place = &cli->arguments.value[option];

	if (*place != NULL && strcmp(*place, value) != 0)
		return cli_usage(cli, "--%s is given twice, as \"%s\" and as \"%s\"; give it once",
				 cli_options[option].name, *place, value);
	*place = value;
	return CLI_EXIT_DONE;
}

/* The value of an option that has none attached: the next word. */
static int value_from_next(struct cli *cli, struct cursor *c, enum cli_option option)
{
	if (c->at >= c->argc)
		return cli_usage(cli, "--%s needs a value: --%s %s", cli_options[option].name,
				 cli_options[option].name, cli_options[option].value);
	return set_option(cli, option, c->argv[c->at++]);
}

static int parse_long(struct cli *cli, struct cursor *c, const char *text, uint64_t allowed)
{
	const char *equals = strchr(text, '=');
	size_t len = equals != NULL ? (size_t)(equals - text) : strlen(text);
	enum cli_option option;

	if (!find_long(text, len, allowed, &option))
		return unknown_option(cli, text, len, allowed);
	if (!takes_value(option)) {
		if (equals != NULL)
			return cli_usage(cli, "--%s takes no value", cli_options[option].name);
		return set_option(cli, option, "");
	}
	if (equals != NULL)
		return set_option(cli, option, equals + 1);
	return value_from_next(cli, c, option);
}

static int parse_letters(struct cli *cli, struct cursor *c, const char *text, uint64_t allowed)
{
	for (; *text != '\0'; text++) {
		enum cli_option option;
		int status;

		if (!find_letter(*text, allowed, &option))
			return cli_usage(cli, "there is no option -%c; see tenforward --help",
					 *text);
		if (takes_value(option) && text[1] != '\0')
			return set_option(cli, option, text + 1);
		status = takes_value(option) ? value_from_next(cli, c, option)
					     : set_option(cli, option, "");
		if (status != CLI_EXIT_DONE)
			return status;
	}
	return CLI_EXIT_DONE;
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] != '\0';
}

/* True when the option in `word` takes the next word as its value. */
static bool eats_next(const char *word)
{
	enum cli_option option;

	if (word[1] == '-')
		return find_long(word + 2, strlen(word + 2), UINT64_MAX, &option) &&
		       takes_value(option);
	for (word++; *word != '\0'; word++) {
		if (!find_letter(*word, UINT64_MAX, &option))
			return false;
		if (takes_value(option))
			return word[1] == '\0';
	}
	return false;
}

const char *cli_arguments_verb(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0)
			return i + 1 < argc ? argv[i + 1] : NULL;
		if (!is_option(argv[i]))
			return argv[i];
		if (eats_next(argv[i]))
			i++;
	}
	return NULL;
}

int cli_arguments_parse(struct cli *cli, int argc, char **argv, uint64_t allowed,
			const char **words)
{
	struct cli_arguments *a = &cli->arguments;
	struct cursor c = { .argc = argc, .argv = argv, .at = 1 };
	bool verb_seen = false;

	a->words = words;
	while (c.at < c.argc) {
		char *word = argv[c.at++];
		int status = CLI_EXIT_DONE;

		if (strcmp(word, "--") == 0 && verb_seen) {
			a->command = argv + c.at;
			break;
		}
		if (strcmp(word, "--") == 0)
			continue;
		if (!is_option(word) && !verb_seen)
			verb_seen = true;
		else if (!is_option(word))
			words[a->count++] = word;
		else if (word[1] == '-')
			status = parse_long(cli, &c, word + 2, allowed);
		else
			status = parse_letters(cli, &c, word + 1, allowed);
		if (status != CLI_EXIT_DONE)
			return status;
	}
	return CLI_EXIT_DONE;
}

int cli_read_duration(struct cli *cli, enum cli_option option, uint32_t *ret_s)
{
	const char *text = cli->arguments.value[option];
	uint32_t seconds;

	if (!tenf_span_parse(text, &seconds))
		return cli_usage(cli, "--%s: \"%s\" is not a duration; write 90s, 10m, 2h or 1d",
				 cli_options[option].name, text);
	if (seconds == 0)
		return cli_usage(cli, "--%s: write at least 1s", cli_options[option].name);
	*ret_s = seconds;
	return CLI_EXIT_DONE;
}

static int read_method(struct cli *cli, const char *text, unsigned *ret)
{
	static const struct {
		char name[8];
		unsigned methods;
	} all[] = { { "auto", 0 },
		    { "pcp", TENF_METHOD_PCP },
		    { "natpmp", TENF_METHOD_NATPMP },
		    { "igd", TENF_METHOD_IGD } };

	for (size_t i = 0; i < TENF_ARRAY_SIZE(all); i++) {
		if (strcmp(text, all[i].name) == 0) {
			*ret = all[i].methods;
			return CLI_EXIT_DONE;
		}
	}
	return cli_usage(cli, "--method: \"%s\" is not a method; write auto, pcp, natpmp or igd",
			 text);
}

static int read_timeout(struct cli *cli, uint32_t *ret_ms)
{
	uint32_t seconds = 0;
	int status = cli_read_duration(cli, CLI_TIMEOUT, &seconds);

	if (status != CLI_EXIT_DONE)
		return status;
	if (seconds > TIMEOUT_MAX_S)
		return cli_usage(cli, "--timeout: write at most 1d");
	*ret_ms = seconds * 1000;
	return CLI_EXIT_DONE;
}

static int read_place(struct cli *cli, struct tenf_options *ask)
{
	const char *const *value = cli->arguments.value;
	struct tenf_address source;

	if (value[CLI_GATEWAY] != NULL) {
		int status = hosts_gateway(cli, value[CLI_GATEWAY], cli->global.gateway,
					   sizeof(cli->global.gateway));

		if (status != CLI_EXIT_DONE)
			return status;
		ask->gateway = cli->global.gateway;
	}
	ask->interface = value[CLI_INTERFACE];
	if (ask->interface != NULL &&
	    (ask->interface[0] == '\0' || strlen(ask->interface) >= TENF_INTERFACE_SIZE))
		return cli_usage(cli, "--interface: \"%s\" names no interface; "
				 "write one such as eth0", ask->interface);
	ask->source = value[CLI_SOURCE];
	if (ask->source != NULL && !tenf_address_parse(ask->source, &source))
		return cli_usage(cli, "--source: \"%s\" is not an address; write an address of "
				 "this host such as 192.168.1.20", ask->source);
	return CLI_EXIT_DONE;
}

int cli_global_read(struct cli *cli)
{
	const char *const *value = cli->arguments.value;
	struct cli_global *g = &cli->global;
	int status = CLI_EXIT_DONE;

	tenf_options_init(&g->ask);
	g->json = value[CLI_JSON] != NULL;
	g->quiet = value[CLI_QUIET] != NULL;
	g->ask.anycast = value[CLI_ANYCAST] != NULL;
	g->verbose = value[CLI_VERBOSE] != NULL;
	g->ask.asked_ms = cli->asked_ms;
	if (value[CLI_METHOD] != NULL)
		status = read_method(cli, value[CLI_METHOD], &g->ask.methods);
	if (status == CLI_EXIT_DONE && value[CLI_TIMEOUT] != NULL)
		status = read_timeout(cli, &g->ask.timeout_ms);
	/* Last, because a name may have to be looked up. */
	if (status == CLI_EXIT_DONE)
		status = read_place(cli, &g->ask);
	return status;
}
