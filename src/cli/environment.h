/* SPDX-License-Identifier: MIT */
/*
 * The environment of hooks and of the command of `run`: ours, with what
 * happened in TENFORWARD_* variables. A fact that is missing is empty.
 */
#ifndef TENF_CLI_ENVIRONMENT_H
#define TENF_CLI_ENVIRONMENT_H

#include <tenforward/tenforward.h>

struct environment {
	char **variables; /* NULL-terminated, as execve() wants them */
	char *own;        /* the texts of our variables */
};

/* `protocol` may be "both"; `name` may be NULL. Errors: TENF_E_MEMORY. */
enum tenf_status environment_make(enum tenf_event_kind kind, const struct tenf_mapping *mapping,
				  const char *protocol, const char *name,
				  struct environment *ret);
void environment_done(struct environment *environment);

#endif
