/* SPDX-License-Identifier: MIT */
#include "cli/verbs.h"

#include <string.h>

#define GATEWAY_OPTIONS (CLI_BIT(CLI_SINCE) | CLI_BIT(CLI_OF_CLIENT) | CLI_BIT(CLI_OF_PORT))
#define GATEWAY_WORDS "WORD [WORD…]"

#define MANY SIZE_MAX
#define HOLD_OPTIONS (CLI_WISH_OPTIONS | CLI_BIT(CLI_ON_CHANGE) | CLI_BIT(CLI_PORT_FILE))
#define LIST_OPTIONS (CLI_BIT(CLI_ALL) | CLI_BIT(CLI_PROBE) | CLI_BIT(CLI_RANGE))
#define OUTSIDE_OPTIONS (CLI_BIT(CLI_FROM) | CLI_BIT(CLI_FROM_URL))
#define RAW_OPTIONS                                                                           \
	(CLI_REQUEST_OPTIONS | CLI_BIT(CLI_NONCE) | CLI_BIT(CLI_CLIENT) | CLI_BIT(CLI_SUGGEST) | \
	 CLI_BIT(CLI_REMOTE))

const struct cli_verb cli_verbs[] = {
	{ "status", "", "the gateway in use, and what it is good for", "tenforward status", 0, 0, 0,
	  false, verb_status },
	{ "discover", "", "every gateway there is, and what it answers",
	  "tenforward discover --interface eth0", 0, 0, 0, false, verb_discover },
	{ "list", "", "the mappings of the agent and of this command",
	  "tenforward list --probe --range 4000-4100", LIST_OPTIONS, 0, 0, false, verb_list },
	{ "add", "MAPPING…", "open ports; kept by the agent, or for one lease",
	  "tenforward add 80:8080 --name web", CLI_WISH_OPTIONS, 1, MANY, false, verb_add },
	{ "remove", "MAPPING…|ID…|NAME…|--all", "close ports again",
	  "tenforward remove m1 27015/udp",
	  CLI_BIT(CLI_ALL) | CLI_BIT(CLI_FOR_HOST), 0, MANY, false, verb_remove },
	{ "keep", "MAPPING…", "hold ports open until a signal, then close them",
	  "tenforward keep any:51413/both --on-change ./tell-client", HOLD_OPTIONS, 1, MANY, false,
	  verb_keep },
	{ "run", "MAPPING… -- CMD…", "hold ports open while a command runs",
	  "tenforward run any:8080 -- ./server --public-port {external_port}", HOLD_OPTIONS, 1,
	  MANY, true, verb_run },
	{ "monitor", "", "tell what happens, as it happens", "tenforward monitor --json --count 1",
	  CLI_BIT(CLI_FOR_TIME) | CLI_BIT(CLI_COUNT), 0, 0, false, verb_monitor },
	{ "check", "MAPPING", "find out whether a port is really open",
	  "tenforward check 25565/tcp --from you@server", OUTSIDE_OPTIONS | CLI_BIT(CLI_HEAL), 1, 1,
	  false, verb_check },
	{ "doctor", "[MAPPING]", "find out why nobody can connect", "tenforward doctor 25565/tcp",
	  OUTSIDE_OPTIONS | CLI_BIT(CLI_STUN) | CLI_BIT(CLI_REPORT), 0, 1, false, verb_doctor },
	{ "exposure", "", "what is open to the world, and what is wrong with it",
	  "tenforward exposure --baseline known.json --fail-on medium",
	  CLI_BIT(CLI_BASELINE) | CLI_BIT(CLI_FAIL_ON), 0, 0, false, verb_exposure },
	{ "agent", "status|reload|check-config [FILE]", "the agent that keeps mappings",
	  "tenforward agent reload", 0, 1, 2, false, verb_agent },
	{ "gateway", GATEWAY_WORDS, "see and decide what a gateway of yours opens",
	  "tenforward gateway list", GATEWAY_OPTIONS, 1, MANY, false, verb_gateway },
	{ "raw", "KIND [MAPPING|HEX]", "one request, shown with its answer octet by octet",
	  "tenforward raw pcp-map 80:8080/tcp --lifetime 10m", RAW_OPTIONS, 1, 2, false, verb_raw },
	{ "completion", "bash|zsh|fish", "print the completion script of a shell",
	  "tenforward completion bash > ~/.local/share/bash-completion/completions/tenforward",
	  0, 1, 1, false, verb_completion },
	{ "help", "[VERB]", "show help", "tenforward help add", 0, 0, 1, false, verb_help },
};

const size_t cli_verb_count = TENF_ARRAY_SIZE(cli_verbs);

const struct cli_verb *cli_verb_find(const char *name)
{
	for (size_t i = 0; i < cli_verb_count; i++) {
		if (strcmp(cli_verbs[i].name, name) == 0)
			return &cli_verbs[i];
	}
	return NULL;
}
