/* SPDX-License-Identifier: MIT */
/* Listening sockets of the control API. All are non-blocking and close-on-exec. */
#ifndef TENF_CONTROL_LISTEN_H
#define TENF_CONTROL_LISTEN_H

#include "base/attributes.h"

#include <stdarg.h>
#include <tenforward/tenforward.h>

#define CONTROL_BACKLOG 32

/* Makes the socket file with `mode`, and `group` unless that is NULL; no link is followed,
 * and what others put there meanwhile keeps its rights. Changes the umask of the
 * process for a moment. A file
 * on which nobody answers is replaced; one on which somebody does, or that is no
 * socket, is left alone: TENF_E_SYSTEM with EADDRINUSE or EEXIST. */
TENF_CHECKED enum tenf_status control_listen_unix(const char *path, unsigned mode,
						  const char *group, int *ret_fd,
						  struct tenf_error *reterr);

/* `where` is "ADDR:PORT", or "ADDR" for any port; *ret_port tells it. */
TENF_CHECKED enum tenf_status control_listen_tcp(const char *where, int *ret_fd,
						 uint16_t *ret_port, struct tenf_error *reterr);

/* Fills *reterr, which may be NULL; gives `status` back. */
enum tenf_status control_fail(struct tenf_error *reterr, enum tenf_status status, int system_error,
			      const char *format, ...) TENF_PRINTF(4, 5);

#endif
