/* SPDX-License-Identifier: MIT */
/*
 * One run of the command: where it writes, what time it is, and what stood on
 * the command line. A verb gets nothing else from outside, so a test runs a
 * whole command inside one process and reads what it would have printed.
 */
#ifndef TENF_CLI_CLI_H
#define TENF_CLI_CLI_H

#include "base/attributes.h"
#include "cli/exit-status.h"
#include "cli/options.h"

#include <stdio.h>
#include <tenforward/tenforward.h>

/* How many mappings one command asks for at most; a range counts its ports. */
#define CLI_MAX_MAPPINGS 256

struct cli {
	FILE *out; /* data */
	FILE *err; /* talk */
	bool color_out;
	bool color_err;
	int64_t (*now)(void);       /* wall clock, seconds */
	int64_t (*steady_ms)(void); /* a clock that never goes back, milliseconds */
	bool unwritten;             /* standard output failed, and that was told */
	void (*pause_ms)(int ms);   /* lets time pass */
	/* What was asked already, in vain, for the same (see handed-over.h). */
	uint32_t asked_ms;          /* of the time-out, that has passed */
	const uint8_t *nonce;       /* of mappings not recorded; NULL: each has one of its own */
	struct cli_arguments arguments;
	struct cli_global global;
};

/* Runs one command line; gives the exit status of design and manual page. */
int cli_main(struct cli *cli, int argc, char **argv);

/* "tenforward: …" on the error stream. Never silenced. */
void cli_error(struct cli *cli, const char *format, ...) TENF_PRINTF(2, 3);
/* As cli_error; gives CLI_EXIT_USAGE, so that a check ends with `return`. */
int cli_usage(struct cli *cli, const char *format, ...) TENF_PRINTF(2, 3);
/* Talk beside the data: silent with --quiet. */
void cli_note(struct cli *cli, const char *format, ...) TENF_PRINTF(2, 3);
/* Talk for the curious: only with --verbose. */
void cli_detail(struct cli *cli, const char *format, ...) TENF_PRINTF(2, 3);

/* Says what a gateway did, on the error stream, on as many lines as it takes. */
void cli_verdict(struct cli *cli, const struct tenf_error *error);

/* Tells what a call of the library came to, gives the exit status. */
int cli_failed(struct cli *cli, enum tenf_status status, const struct tenf_error *error);

/* Sees to it that what was printed really left: false, after one message, when
 * standard output is full or closed. */
bool cli_flush(struct cli *cli);

#endif
