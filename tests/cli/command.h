/* SPDX-License-Identifier: MIT */
/* Runs a whole command line against the fake library and agent, inside the test. */
#ifndef TENF_TESTS_CLI_COMMAND_H
#define TENF_TESTS_CLI_COMMAND_H

#include "fake-agent.h"
#include "fake-host.h"
#include "fake-lib.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

struct command {
	int status;
	char *out; /* until the next command */
	char *err;
};

/* An empty folder for the record and the fake reset: for every test. */
int command_setup(void **state);
int command_teardown(void **state);
/* Where the record is, and any file of the test's own. */
const char *command_folder(void);
const char *command_record(void);

/* Words are separated by blanks; 'single quotes' hold blanks together. */
struct command command(const char *line);
/* The same with a standard output that is full. */
struct command command_on_full_disk(const char *line);

/* The output as JSON; the test fails when it is none. Freed by the caller. */
json_t *command_json(const struct command *c);
/* The value at "mappings.0.state"; the test fails when there is none. */
json_t *command_at(json_t *root, const char *path);

#endif
