/* SPDX-License-Identifier: MIT */
/*
 * The child of a namespace: its life from the fork on, and the words between
 * it and us. Both sides check what they read; a message is whole or not at all
 * (SOCK_SEQPACKET).
 */
#ifndef TENF_AGENT_NAMESPACE_CHILD_H
#define TENF_AGENT_NAMESPACE_CHILD_H

#include "base/attributes.h"

#include <stdbool.h>
#include <stdint.h>

struct namespace_request {
	int32_t domain;
	int32_t type;
	int32_t protocol;
};

/* What went wrong; 0 comes with a descriptor, save for the first answer, which
 * says whether the namespace was entered. */
enum namespace_step { NAMESPACE_SERVED, NAMESPACE_NOT_OPENED, NAMESPACE_NOT_ENTERED,
		      NAMESPACE_KEEPS_RIGHTS };
struct namespace_answer {
	int32_t code; /* errno */
	int32_t step; /* enum namespace_step, where it failed */
};

/* Enters the namespace at `path`, gives up all rights, answers requests on `fd`
 * until its other end is closed, and ends the process. Never returns. */
_Noreturn void namespace_child(int fd, const char *path);

/* Whether a socket of this kind is made for whoever asks. */
bool namespace_child_makes(const struct namespace_request *request);

/* CAP_SYS_ADMIN, or with `all` every capability, is taken out of each set of
 * the process that it is in. 0 or an errno. */
TENF_CHECKED int namespace_drop_rights(bool all);

#endif
