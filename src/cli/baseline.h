/* SPDX-License-Identifier: MIT */
/*
 * What was known before: an earlier `exposure --json`, kept in a file. What stands in
 * it is not told again; a program that changed behind the same port is news.
 */
#ifndef TENF_CLI_BASELINE_H
#define TENF_CLI_BASELINE_H

#include "cli/cli.h"
#include "cli/findings.h"

/* A baseline larger than this is another thing. */
#define BASELINE_FILE_MAX ((size_t)64 << 20)

struct baseline {
	json_t *known; /* the keys of what stands in it */
};

/* Exit status, with a message; CLI_EXIT_USAGE for a file that is none. NULL for
 * `path`: nothing is known. Done with baseline_done(). */
int baseline_read(struct cli *cli, const char *path, struct baseline *ret);
void baseline_done(struct baseline *baseline);

/* Takes a document apart; false when it is none. Pure. */
bool baseline_parse(const json_t *document, struct baseline *ret);
bool baseline_knows_exposed(const struct baseline *baseline, const struct exposed *exposed);
bool baseline_knows_finding(const struct baseline *baseline, const struct finding *finding);

#endif
