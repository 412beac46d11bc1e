/* SPDX-License-Identifier: MIT */
/* Starting other programs, with signals as they should find them. */
#ifndef TENF_CLI_CHILD_H
#define TENF_CLI_CHILD_H

#include "base/attributes.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct child {
	char *const *arguments;   /* [0] is looked up in PATH */
	char *const *environment;
	const sigset_t *mask;     /* signals blocked in it */
	bool apart;               /* own process group, no input, output to our errors */
	int output;               /* descriptor its output goes to; 0: as it is */
};

/* Gives 0, or an errno. */
TENF_CHECKED int child_start(const struct child *child, pid_t *ret);

/* The exit status a shell would give: 128 and the signal when one ended it. */
int child_exit(int wait_status);

#endif
