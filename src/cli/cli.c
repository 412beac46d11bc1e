/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"

#include "base/nearest.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/usage.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void say(struct cli *cli, const char *format, va_list args) TENF_PRINTF(2, 0);

/* A line longer than this comes from a word of the user's that is as long. */
static void say(struct cli *cli, const char *format, va_list args)
{
	char line[1024];

	(void)vsnprintf(line, sizeof(line), format, args);
	output_text(cli, cli->err, OUTPUT_PLAIN, line);
	putc('\n', cli->err);
}

void cli_error(struct cli *cli, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("tenforward: ", cli->err);
	say(cli, format, args);
	va_end(args);
}

int cli_usage(struct cli *cli, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("tenforward: ", cli->err);
	say(cli, format, args);
	va_end(args);
	return CLI_EXIT_USAGE;
}

void cli_note(struct cli *cli, const char *format, ...)
{
	va_list args;

	if (cli->global.quiet)
		return;
	va_start(args, format);
	say(cli, format, args);
	va_end(args);
}

void cli_detail(struct cli *cli, const char *format, ...)
{
	va_list args;

	if (!cli->global.verbose)
		return;
	va_start(args, format);
	say(cli, format, args);
	va_end(args);
}

void cli_verdict(struct cli *cli, const struct tenf_error *error)
{
	output_wrapped(cli, cli->err, OUTPUT_RED, 0, report_reason(error));
}

int cli_failed(struct cli *cli, enum tenf_status status, const struct tenf_error *error)
{
	bool told = error != NULL && (error->text[0] != '\0' || error->reason != TENF_REASON_NONE);
	const char *text = told ? report_reason(error) : tenf_status_text(status);

	if (status == TENF_E_FAILED && told)
		cli_verdict(cli, error);
	else
		cli_error(cli, "%s", text);
	return cli_exit_of_status(status, error != NULL ? error->reason : TENF_REASON_NONE);
}

bool cli_flush(struct cli *cli)
{
	errno = 0;
	if (fflush(cli->out) == 0 && !ferror(cli->out))
		return true;
	if (cli->unwritten) /* the reason is gone after the first time as well */
		return false;
	cli->unwritten = true;
	cli_error(cli, "cannot write to standard output%s%s", errno != 0 ? ": " : "",
		  errno != 0 ? strerror(errno) : "");
	return false;
}

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
