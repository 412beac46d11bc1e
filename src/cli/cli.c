/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"

#include "base/nearest.h"
#include "cli/usage.h"

#include <stdlib.h>
#include <string.h>

static int unknown_verb(struct cli *cli, const char *name)
{
	struct tenf_nearest near = tenf_nearest_to(name, strlen(name));

	for (size_t i = 0; i < cli_verb_count; i++)
		tenf_nearest_try(&near, cli_verbs[i].name);
	if (near.best != NULL)
		return cli_usage(cli, "there is no verb \"%s\"; did you mean %s?", name, near.best);
	return cli_usage(cli, "there is no verb \"%s\"; see tenforward --help", name);
}

static int check_words(struct cli *cli, const struct cli_verb *verb)
{
	const struct cli_arguments *a = &cli->arguments;

	if (verb->command && (a->command == NULL || a->command[0] == NULL))
		return cli_usage(cli, "%s: write the command behind \"--\": tenforward %s %s",
				 verb->name, verb->name, verb->words);
	if (!verb->command && a->command != NULL)
		return cli_usage(cli, "%s takes nothing behind \"--\"", verb->name);
	if (a->count < verb->min_words)
		return cli_usage(cli, "%s needs more: tenforward %s %s", verb->name, verb->name,
				 verb->words);
	if (a->count > verb->max_words)
		return cli_usage(cli, "%s does not take \"%s\"; write tenforward %s%s%s",
				 verb->name, a->words[verb->max_words], verb->name,
				 verb->words[0] != '\0' ? " " : "", verb->words);
	return CLI_EXIT_DONE;
}

static int run_verb(struct cli *cli, const struct cli_verb *verb)
{
	int status;

	if (cli->arguments.value[CLI_HELP] != NULL) {
		usage_print_verb(cli, verb);
		return CLI_EXIT_DONE;
	}
	status = check_words(cli, verb);
	if (status == CLI_EXIT_DONE)
		status = cli_global_read(cli);
	return status == CLI_EXIT_DONE ? verb->run(cli) : status;
}

static int without_verb(struct cli *cli)
{
	if (cli->arguments.value[CLI_VERSION] != NULL) {
		fprintf(cli->out, "tenforward %s\n", tenf_version());
		return CLI_EXIT_DONE;
	}
	if (cli->arguments.value[CLI_HELP] != NULL) {
		usage_print(cli, cli->out);
		return CLI_EXIT_DONE;
	}
	usage_print(cli, cli->err);
	return CLI_EXIT_USAGE;
}

static int dispatch(struct cli *cli, int argc, char **argv, const char **words)
{
	const char *name = cli_arguments_verb(argc, argv);
	const struct cli_verb *verb = name != NULL ? cli_verb_find(name) : NULL;
	uint64_t options = CLI_GLOBAL_OPTIONS | (verb != NULL ? verb->options : 0);
	int status;

	if (name != NULL && verb == NULL)
		return unknown_verb(cli, name);
	cli->arguments.verb = name;
	status = cli_arguments_parse(cli, argc, argv, options, words);
	if (status != CLI_EXIT_DONE)
		return status;
	if (verb == NULL || cli->arguments.value[CLI_VERSION] != NULL)
		return without_verb(cli);
	return run_verb(cli, verb);
}

int cli_main(struct cli *cli, int argc, char **argv)
{
	const char **words = calloc((size_t)argc + 1, sizeof(*words));
	int status;

	if (words == NULL)
		return cli_failed(cli, TENF_E_MEMORY, NULL);
	status = dispatch(cli, argc, argv, words);
	if (!cli_flush(cli))
		status = CLI_EXIT_FAILURE;
	free(words);
	return status;
}
