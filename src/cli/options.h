/* SPDX-License-Identifier: MIT */
/*
 * The options of the command: one table for all of them, from which parsing,
 * help and completion are made. Parsing only sorts the words of the command
 * line; what a value means is decided by cli_global_read() for the options
 * every verb has, and by the verb for its own.
 */
#ifndef TENF_CLI_OPTIONS_H
#define TENF_CLI_OPTIONS_H

#include "base/attributes.h"

#include <tenforward/tenforward.h>

struct cli;
struct cli_verb;

enum cli_option {
	/* of every verb */
	CLI_GATEWAY,
	CLI_INTERFACE,
	CLI_SOURCE,
	CLI_ANYCAST,
	CLI_METHOD,
	CLI_TIMEOUT,
	CLI_DIRECT,
	CLI_SOCKET,
	CLI_JSON,
	CLI_QUIET,
	CLI_VERBOSE,
	CLI_HELP,
	CLI_VERSION,
	/* of some verbs */
	CLI_LIFETIME,
	CLI_NAME,
	CLI_EXACT,
	CLI_FOR_HOST,
	CLI_FILTER,
	CLI_ALL,
	CLI_ON_CHANGE,
	CLI_PORT_FILE,
	CLI_FOR_TIME,
	CLI_COUNT,
	CLI_SINCE,
	CLI_OF_CLIENT,
	CLI_OF_PORT,
	CLI_NONCE,
	CLI_CLIENT,
	CLI_SUGGEST,
	CLI_REMOTE,
	CLI_BASELINE,
	CLI_FAIL_ON,
	CLI_FROM,
	CLI_FROM_URL,
	CLI_HEAL,
	CLI_STUN,
	CLI_REPORT,
	CLI_PROBE,
	CLI_RANGE,
	CLI_THROUGH,
	CLI_OPTION_COUNT,
};

_Static_assert(CLI_OPTION_COUNT <= 64, "an option is a bit of a uint64_t");

#define CLI_BIT(option) (UINT64_C(1) << (option))
#define CLI_GLOBAL_OPTIONS (CLI_BIT(CLI_LIFETIME) - 1)
/* Of verbs that ask for a mapping. */
#define CLI_REQUEST_OPTIONS \
	(CLI_BIT(CLI_LIFETIME) | CLI_BIT(CLI_NAME) | CLI_BIT(CLI_EXACT) | CLI_BIT(CLI_FOR_HOST))
#define CLI_WISH_OPTIONS (CLI_REQUEST_OPTIONS | CLI_BIT(CLI_FILTER) | CLI_BIT(CLI_THROUGH))

struct cli_option_row {
	char letter;      /* 0: none */
	char name[13];
	char value[14];   /* "": takes none */
	char choices[28]; /* words to complete with; "file", "interface": look there */
	const char *help;
};

extern const struct cli_option_row cli_options[CLI_OPTION_COUNT];

/* The words of the command line, sorted; they stay owned by argv. */
struct cli_arguments {
	const char *verb;                     /* NULL: none given */
	const char *value[CLI_OPTION_COUNT];  /* NULL: not given; "": given, takes no value */
	const char **words;                   /* behind the verb, no options */
	size_t count;
	char **command;                       /* behind "--", NULL-terminated; NULL: no "--" */
};

/* The options of every verb, read. */
struct cli_global {
	struct tenf_options ask; /* points into `gateway` and argv */
	char gateway[TENF_ADDRESS_SIZE + 8];
	bool json;
	bool quiet;
	bool verbose;
};

/* The first word that is neither an option nor an option's value. */
const char *cli_arguments_verb(int argc, char **argv);

/* Sorts argv by the options the verb takes (bits of CLI_BIT). Gives 0, or
 * CLI_EXIT_USAGE after a message. `words` is an array of argc pointers. */
int cli_arguments_parse(struct cli *cli, int argc, char **argv, uint64_t allowed,
			const char **words);

/* Reads the values of the global options into cli->global; exit status. */
int cli_global_read(struct cli *cli);

/* A duration of at least a second; exit status. */
int cli_read_duration(struct cli *cli, enum cli_option option, uint32_t *ret_s);

#endif
