/* SPDX-License-Identifier: MIT */
/* completion: scripts for shells, made from the tables of verbs and options. */
#include "cli/gateway.h"
#include "cli/verbs.h"

#include <string.h>

#define RAW_KINDS "natpmp-address natpmp-map pcp-announce pcp-map pcp-peer hex"

static uint64_t options_of(const struct cli_verb *verb)
{
	return CLI_GLOBAL_OPTIONS | (verb != NULL ? verb->options : 0);
}

static void print_verb_names(FILE *to)
{
	for (size_t i = 0; i < cli_verb_count; i++)
		fprintf(to, "%s%s", i > 0 ? " " : "", cli_verbs[i].name);
}

static void print_option_names(FILE *to, uint64_t options)
{
	for (enum cli_option o = 0; o < CLI_OPTION_COUNT; o++) {
		if ((options & CLI_BIT(o)) == 0)
			continue;
		fprintf(to, "--%s ", cli_options[o].name);
		if (cli_options[o].letter != 0)
			fprintf(to, "-%c ", cli_options[o].letter);
	}
}

/* What may stand behind a verb, where that is a list of words; NULL: anything. */
static const char *words_of(const struct cli_verb *verb)
{
	if (verb->run == verb_completion)
		return "bash zsh fish";
	if (verb->run == verb_agent)
		return "status reload check-config";
	if (verb->run == verb_gateway)
		return gateway_words();
	return verb->run == verb_raw ? RAW_KINDS : NULL;
}

static void bash_values(FILE *to)
{
	fputs("\tcase $previous in\n", to);
	for (enum cli_option o = 0; o < CLI_OPTION_COUNT; o++) {
		const struct cli_option_row *row = &cli_options[o];

		/* `for` stands twice in the table; one pattern of it is enough. */
		if (row->value[0] == '\0' || o == CLI_FOR_TIME || o == CLI_OF_CLIENT)
			continue;
		fprintf(to, "\t--%s", row->name);
		if (row->letter != 0)
			fprintf(to, "|-%c", row->letter);
		if (strcmp(row->choices, "file") == 0)
			fputs(") COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n", to);
		else if (strcmp(row->choices, "interface") == 0)
			fputs(") COMPREPLY=($(compgen -W \"$(ls /sys/class/net)\" -- "
			      "\"$current\")); return ;;\n", to);
		else
			fprintf(to, ") COMPREPLY=($(compgen -W \"%s\" -- \"$current\")); "
				"return ;;\n", row->choices);
	}
	fputs("\tesac\n", to);
}

static void print_bash(FILE *to)
{
	fputs("# bash completion of tenforward\n"
	      "_tenforward() {\n"
	      "\tlocal current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
	      "\tlocal verb= words= i\n",
	      to);
	bash_values(to);
	fputs("\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	      "\t\tcase ${COMP_WORDS[i]} in\n\t\t", to);
	for (size_t i = 0; i < cli_verb_count; i++)
		fprintf(to, "%s%s", i > 0 ? "|" : "", cli_verbs[i].name);
	fputs(") verb=${COMP_WORDS[i]}; break ;;\n\t\tesac\n\tdone\n\tcase $verb in\n", to);
	for (size_t i = 0; i < cli_verb_count; i++) {
		const char *words = words_of(&cli_verbs[i]);

		fprintf(to, "\t%s) words=\"", cli_verbs[i].name);
		print_option_names(to, options_of(&cli_verbs[i]));
		fprintf(to, "%s\" ;;\n", words != NULL ? words : "");
	}
	fputs("\t*) words=\"", to);
	print_verb_names(to);
	putc(' ', to);
	print_option_names(to, options_of(NULL));
	fputs("\" ;;\n\tesac\n\tCOMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n}\n"
	      "complete -F _tenforward tenforward\n", to);
}

/* In single quotes, and between the brackets and colons of _arguments. */
static void zsh_text(FILE *to, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			fputs("'\\''", to);
		else if (strchr("[]:", *text) != NULL)
			fprintf(to, "\\%c", *text);
		else
			putc(*text, to);
	}
}

static void zsh_option(FILE *to, const struct cli_option_row *row, const char *dashes,
		       const char *name)
{
	fprintf(to, "\t\t'%s%s[", dashes, name);
	zsh_text(to, row->help);
	putc(']', to);
	if (row->value[0] != '\0') {
		putc(':', to);
		zsh_text(to, row->value);
		if (strcmp(row->choices, "file") == 0)
			fputs(":_files", to);
		else if (strcmp(row->choices, "interface") == 0)
			fputs(":_net_interfaces", to);
		else if (row->choices[0] != '\0')
			fprintf(to, ":(%s)", row->choices);
		else
			fputs(": ", to);
	}
	fputs("' \\\n", to);
}

static void zsh_options(FILE *to, uint64_t options)
{
	for (enum cli_option o = 0; o < CLI_OPTION_COUNT; o++) {
		const struct cli_option_row *row = &cli_options[o];
		char letter[2] = { row->letter, '\0' };

		if ((options & CLI_BIT(o)) == 0)
			continue;
		zsh_option(to, row, "--", row->name);
		if (row->letter != 0)
			zsh_option(to, row, "-", letter);
	}
}

static void print_zsh(FILE *to)
{
	fputs("#compdef tenforward\n# zsh completion of tenforward\n_tenforward() {\n"
	      "\tlocal verb= i\n\tlocal -a verbs\n\tverbs=(\n", to);
	for (size_t i = 0; i < cli_verb_count; i++) {
		fprintf(to, "\t\t'%s:", cli_verbs[i].name);
		zsh_text(to, cli_verbs[i].summary);
		fputs("'\n", to);
	}
	fputs("\t)\n\tfor ((i = 2; i < CURRENT; i++)); do\n\t\tcase $words[i] in\n\t\t", to);
	for (size_t i = 0; i < cli_verb_count; i++)
		fprintf(to, "%s%s", i > 0 ? "|" : "", cli_verbs[i].name);
	fputs(") verb=$words[i]; break ;;\n\t\tesac\n\tdone\n\tcase $verb in\n", to);
	for (size_t i = 0; i < cli_verb_count; i++) {
		const char *words = words_of(&cli_verbs[i]);

		fprintf(to, "\t%s) _arguments \\\n", cli_verbs[i].name);
		zsh_options(to, options_of(&cli_verbs[i]));
		fprintf(to, "\t\t'*:word:(%s)' ;;\n", words != NULL ? words : "");
	}
	fputs("\t*) _arguments \\\n", to);
	zsh_options(to, options_of(NULL));
	fputs("\t\t'1:verb:{_describe verb verbs}' ;;\n\tesac\n}\n"
	      "if [[ $funcstack[1] = _tenforward ]]; then\n\t_tenforward \"$@\"\nelse\n"
	      "\tcompdef _tenforward tenforward\nfi\n", to);
}

static void fish_text(FILE *to, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'' || *text == '\\')
			putc('\\', to);
		putc(*text, to);
	}
}

static void fish_option(FILE *to, enum cli_option o, const char *condition)
{
	const struct cli_option_row *row = &cli_options[o];

	fprintf(to, "complete -c tenforward%s -l %s", condition, row->name);
	if (row->letter != 0)
		fprintf(to, " -s %c", row->letter);
	if (row->value[0] != '\0')
		fputs(strcmp(row->choices, "file") == 0 ? " -rF" : " -x", to);
	if (strcmp(row->choices, "interface") == 0)
		fputs(" -a '(command ls /sys/class/net)'", to);
	else if (row->choices[0] != '\0' && strcmp(row->choices, "file") != 0)
		fprintf(to, " -a '%s'", row->choices);
	fputs(" -d '", to);
	fish_text(to, row->help);
	fputs("'\n", to);
}

static void fish_verb(FILE *to, const struct cli_verb *verb)
{
	char condition[96];

	fprintf(to, "complete -c tenforward -n __fish_use_subcommand -a %s -d '", verb->name);
	fish_text(to, verb->summary);
	fputs("'\n", to);
	snprintf(condition, sizeof(condition), " -n '__fish_seen_subcommand_from %s'", verb->name);
	for (enum cli_option o = 0; o < CLI_OPTION_COUNT; o++) {
		if ((verb->options & CLI_BIT(o)) != 0)
			fish_option(to, o, condition);
	}
	if (words_of(verb) != NULL)
		fprintf(to, "complete -c tenforward%s -a '%s'\n", condition, words_of(verb));
}

static void print_fish(FILE *to)
{
	fputs("# fish completion of tenforward\ncomplete -c tenforward -f\n", to);
	for (enum cli_option o = 0; o < CLI_LIFETIME; o++)
		fish_option(to, o, "");
	for (size_t i = 0; i < cli_verb_count; i++)
		fish_verb(to, &cli_verbs[i]);
}

int verb_completion(struct cli *cli)
{
	const char *shell = cli->arguments.words[0];

	if (strcmp(shell, "bash") == 0)
		print_bash(cli->out);
	else if (strcmp(shell, "zsh") == 0)
		print_zsh(cli->out);
	else if (strcmp(shell, "fish") == 0)
		print_fish(cli->out);
	else
		return cli_usage(cli, "there is no completion for \"%s\"; write bash, zsh or fish",
				 shell);
	return CLI_EXIT_DONE;
}
