/* SPDX-License-Identifier: MIT */
/* The user the daemon becomes when it is started as root. */
#ifndef TENF_GATEWAY_USER_H
#define TENF_GATEWAY_USER_H

#include "base/text.h"

#include <sys/types.h>

struct user {
	const char *name; /* the one found; lives as long as the one asked for */
	uid_t uid;
	gid_t gid;
};

/* `name`, or without a name tenforward, else nobody. False with a sentence in `why`. */
bool user_find(const char *name, struct user *ret, struct tenf_text *why);

/* Becomes this user and leaves every group; a process that is not root has
 * nothing to do. False with a sentence in `why`; then nothing or too little was
 * given up. */
bool user_become(const struct user *user, struct tenf_text *why);

#endif
