/* SPDX-License-Identifier: MIT */
/* The whole command, and how this process becomes it. */
#ifndef TENF_QUICK_WHOLE_H
#define TENF_QUICK_WHOLE_H

#include "cli/cli.h"

/* Never comes back but with an exit status, after a message, when there is none to become.
 * `asked_ms`: so long was it asked in vain, with cli->nonce; 0: nobody was asked. */
int whole_become(struct cli *cli, char **argv, uint32_t asked_ms);

#endif
