/* SPDX-License-Identifier: MIT */
#include "cli/usage.h"

#include "cli/gateway.h"
#include "cli/output.h"

#include <string.h>

#define INDENT 29

static void print_aligned(FILE *to, const char *left, const char *right)
{
	size_t width = output_width(left);

	fputs("  ", to);
	fputs(left, to);
	if (width >= INDENT) {
		fputs("\n  ", to);
		width = 0;
	}
	do {
		putc(' ', to);
	} while (++width < INDENT);
	fputs(right, to);
	putc('\n', to);
}

static void print_options(FILE *to, uint64_t options)
{
	for (enum cli_option o = 0; o < CLI_OPTION_COUNT; o++) {
		const struct cli_option_row *row = &cli_options[o];
		char left[64];

		if ((options & CLI_BIT(o)) == 0)
			continue;
		snprintf(left, sizeof(left), "%c%c%s--%s%s%s", row->letter != 0 ? '-' : ' ',
			 row->letter != 0 ? row->letter : ' ', row->letter != 0 ? ", " : "  ",
			 row->name, row->value[0] != '\0' ? " " : "", row->value);
		print_aligned(to, left, row->help);
	}
}

void usage_print(struct cli *cli, FILE *to)
{
	(void)cli;
	fputs("Usage: tenforward [OPTION…] VERB [WORD…]\n\n", to);
	fputs("See, open, keep and close the ports your gateway forwards.\n\nVerbs:\n", to);
	for (size_t i = 0; i < cli_verb_count; i++) {
		char left[64];

		snprintf(left, sizeof(left), "%s %s", cli_verbs[i].name, cli_verbs[i].words);
		print_aligned(to, left, cli_verbs[i].summary);
	}
	fputs("\nOptions of every verb, before or behind it:\n", to);
	print_options(to, CLI_GLOBAL_OPTIONS);
	fputs("\nA MAPPING is [EXTERNAL:]INTERNAL[/tcp|udp|both], external port first: 8080,\n"
	      "80:8080/tcp, any:51413/both, 6881-6889/udp. A DURATION is 90s, 10m, 2h or 1d.\n"
	      "More about one verb: tenforward help VERB; all of it: man tenforward\n",
	      to);
}

void usage_print_verb(struct cli *cli, const struct cli_verb *verb)
{
	fprintf(cli->out, "Usage: tenforward [OPTION…] %s%s%s\n\n", verb->name,
		verb->words[0] != '\0' ? " " : "", verb->words);
	fprintf(cli->out, "%s: %s.\n", verb->name, verb->summary);
	if (verb->run == verb_gateway)
		gateway_print_words(cli->out);
	if (verb->options != 0) {
		fputs("\nOptions of this verb:\n", cli->out);
		print_options(cli->out, verb->options);
	}
	fputs("\nOptions of every verb:\n", cli->out);
	print_options(cli->out, CLI_GLOBAL_OPTIONS);
	fprintf(cli->out, "\nExample:\n  %s\n", verb->example);
}

int verb_help(struct cli *cli)
{
	const struct cli_verb *verb;

	if (cli->arguments.count == 0) {
		usage_print(cli, cli->out);
		return CLI_EXIT_DONE;
	}
	verb = cli_verb_find(cli->arguments.words[0]);
	if (verb == NULL)
		return cli_usage(cli, "there is no verb \"%s\"; see tenforward --help",
				 cli->arguments.words[0]);
	usage_print_verb(cli, verb);
	return CLI_EXIT_DONE;
}
