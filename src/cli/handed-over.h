/* SPDX-License-Identifier: MIT */
/*
 * What the short way of `add` (src/quick) tells the whole command when it becomes it: how long
 * it asked already, and with which nonce. A gateway may have granted what it asked
 * though the answer was lost, and knows that mapping by its nonce (RFC 6887
 * §11.3). It is told in the environment, and taken out of it before anything else is
 * run.
 */
#ifndef TENF_CLI_HANDED_OVER_H
#define TENF_CLI_HANDED_OVER_H

#include "cli/cli.h"

#define HANDED_OVER "TENFORWARD_ASKED"
#define HANDED_OVER_SIZE 40

/* The value of HANDED_OVER. */
void handed_over_write(uint32_t asked_ms, const uint8_t *nonce, char ret[HANDED_OVER_SIZE]);
/* Takes in what was told; anything that is not of this form is as nothing. */
void handed_over_take(struct cli *cli);

#endif
