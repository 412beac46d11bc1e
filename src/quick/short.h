/* SPDX-License-Identifier: MIT */
/* Which command lines the short way can take, judged before anything is said or sent. */
#ifndef TENF_QUICK_SHORT_H
#define TENF_QUICK_SHORT_H

#include "cli/cli.h"

/* Beside the exit statuses. */
#define SHORT_IS_NOT_ENOUGH (-1)

/* Is it add at all? */
bool short_knows(int argc, char **argv);
/* Reads the command line as the whole command would, into `cli`; `words` is an array of
 * argc pointers. Exit status, after a message, or SHORT_IS_NOT_ENOUGH. */
int short_read(struct cli *cli, int argc, char **argv, const char **words);

#endif
