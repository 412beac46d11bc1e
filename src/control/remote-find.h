/* SPDX-License-Identifier: MIT */
/* Finding the daemon's socket. */
#ifndef TENF_CONTROL_REMOTE_FIND_H
#define TENF_CONTROL_REMOTE_FIND_H

#include "base/attributes.h"

#include <tenforward/tenforward.h>

#define REMOTE_PATH_SIZE 256

enum remote_daemon {
	REMOTE_AGENT,
	REMOTE_GATEWAY,
};

/* Whether somebody listens at the socket: TENF_OK, TENF_E_NOT_FOUND, or
 * TENF_E_SYSTEM with why it cannot be used. One access() when there is nothing. */
TENF_CHECKED enum tenf_status remote_probe(const char *path, struct tenf_error *reterr);

/* The first default socket of the daemon that answers; `ret` has
 * REMOTE_PATH_SIZE octets. */
TENF_CHECKED enum tenf_status remote_find(enum remote_daemon daemon, char *ret,
					  struct tenf_error *reterr);

enum tenf_status remote_fail(struct tenf_error *reterr, enum tenf_status status, int system_error,
			     const char *format, ...) TENF_PRINTF(4, 5);

#endif
