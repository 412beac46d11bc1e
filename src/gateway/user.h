/* SPDX-License-Identifier: MIT */
/* Giving up root after the sockets are open. */
#ifndef TENF_GATEWAY_USER_H
#define TENF_GATEWAY_USER_H

#include "base/text.h"

/* Becomes `name`, or without a name tenforward, else nobody. Nothing to do when not
 * root. False with a sentence in `why`; then nothing or too little was given up. */
bool user_become(const char *name, struct tenf_text *why);

#endif
