/* SPDX-License-Identifier: MIT */
/* gateway: what an administrator asks a gateway of ours. */
#include "cli/gateway.h"

#include "cli/verbs.h"

#include <string.h>

#define MANY SIZE_MAX

static int check_config(struct cli *cli, struct remote *remote)
{
	(void)remote;
	return daemon_check_config(cli, "gateway", "tenforward-gatewayd");
}

static const struct word {
	const char *name;
	const char *takes; /* for messages */
	size_t min_words;  /* behind it */
	size_t max_words;
	bool offline;      /* asks no running daemon */
	int (*run)(struct cli *cli, struct remote *remote);
} words[] = {
	{ "list", "nothing more", 0, 0, false, gateway_list },
	{ "fault", "KEY=VALUE…, none, or nothing to show what is set", 0, MANY, false,
	  gateway_fault },
	{ "check-config", "a FILE, or nothing for the default one", 0, 1, true, check_config },
};

const char *gateway_words(void)
{
	return "list fault check-config";
}

static int run_word(struct cli *cli, const struct word *word)
{
	struct remote *remote = NULL;
	int status = CLI_EXIT_DONE;

	if (!word->offline)
		status = daemon_need(cli, &daemon_is_gateway, &remote);
	if (status == CLI_EXIT_DONE)
		status = word->run(cli, remote);
	remote_close(remote);
	return status;
}

int verb_gateway(struct cli *cli)
{
	const char *name = cli->arguments.words[0];
	size_t count = cli->arguments.count - 1;

	for (size_t i = 0; i < TENF_ARRAY_SIZE(words); i++) {
		const struct word *word = &words[i];

		if (strcmp(word->name, name) != 0)
			continue;
		if (count < word->min_words || count > word->max_words)
			return cli_usage(cli, "gateway %s takes %s", name, word->takes);
		return run_word(cli, word);
	}
	return cli_usage(cli, "gateway: there is no \"%s\"; see tenforward help gateway", name);
}
