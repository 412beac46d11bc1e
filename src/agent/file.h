/* SPDX-License-Identifier: MIT */
/*
 * Small files: read with a limit, written whole or not at all. Whoever reads
 * a written one sees the old content or the new one, after a crash too.
 */
#ifndef TENF_AGENT_FILE_H
#define TENF_AGENT_FILE_H

#include "base/attributes.h"

#include <stddef.h>
#include <tenforward/types.h>

/* All of a file of at most `max` octets, and a terminator; the caller frees
 * *ret. Errors: TENF_E_LIMIT, TENF_E_MEMORY, TENF_E_SYSTEM with errno set. */
TENF_CHECKED enum tenf_status file_read(const char *path, size_t max, char **ret,
					size_t *ret_len);

/* Replaces what is at `path`, through a symbolic link too. Mode, owner and
 * group of a file that is there stay, as far as we may set them: a file that
 * belongs to the application's user must not become ours. Nothing is written
 * when it holds the same already. Errors: TENF_E_MEMORY, TENF_E_SYSTEM with errno set;
 * the old file is then untouched. */
TENF_CHECKED enum tenf_status file_write(const char *path, const void *data, size_t len);

/* Makes the directory and those above it, 0700. TENF_E_SYSTEM with errno. */
TENF_CHECKED enum tenf_status file_make_directory(const char *path);

#endif
