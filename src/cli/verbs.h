/* SPDX-License-Identifier: MIT */
/*
 * The verbs of the command: one table from which dispatch, usage, --help and
 * completion are made. Each verb lives in a file of its own.
 */
#ifndef TENF_CLI_VERBS_H
#define TENF_CLI_VERBS_H

#include "cli/cli.h"

struct cli_verb {
	const char *name;
	const char *words;   /* what stands behind it */
	const char *summary;
	const char *example;
	uint64_t options;    /* beside those of every verb */
	size_t min_words;
	size_t max_words;
	bool command;        /* "-- CMD…" belongs to it */
	int (*run)(struct cli *cli);
};

extern const struct cli_verb cli_verbs[];
extern const size_t cli_verb_count;

/* NULL when there is none of that name. */
const struct cli_verb *cli_verb_find(const char *name);

int verb_discover(struct cli *cli);
int verb_status(struct cli *cli);
int verb_list(struct cli *cli);
int verb_add(struct cli *cli);
int verb_remove(struct cli *cli);
int verb_keep(struct cli *cli);
int verb_run(struct cli *cli);
int verb_monitor(struct cli *cli);
int verb_agent(struct cli *cli);
int verb_check(struct cli *cli);
int verb_doctor(struct cli *cli);
int verb_exposure(struct cli *cli);
int verb_gateway(struct cli *cli);
int verb_raw(struct cli *cli);
int verb_completion(struct cli *cli);
int verb_help(struct cli *cli);

#endif
