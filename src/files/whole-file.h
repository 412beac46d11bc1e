/* SPDX-License-Identifier: MIT */
/*
 * Files that are written whole or not at all: whoever reads sees the old
 * content or the new one, also when the writer is killed half-way.
 *
 * Nothing waits for the disk. What stands in these files is worth no more than a
 * lease, and the disk would take longer than the gateway: when the machine
 * itself stops, the last seconds may be missing.
 */
#ifndef TENF_CLI_WHOLE_FILE_H
#define TENF_CLI_WHOLE_FILE_H

#include "base/attributes.h"

#include <stddef.h>
#include <sys/types.h>
#include <tenforward/types.h>

/* Errors: TENF_E_SYSTEM with errno set; the old file is then untouched. */
TENF_CHECKED enum tenf_status whole_file_write(const char *path, const void *data, size_t len,
					       mode_t mode);

/* Reads all of a file of at most `max` octets; the caller frees *ret, which is
 * terminated. Errors: TENF_E_NOT_FOUND, TENF_E_LIMIT, TENF_E_MEMORY,
 * TENF_E_SYSTEM with errno set. */
TENF_CHECKED enum tenf_status whole_file_read(const char *path, size_t max, char **ret,
					      size_t *ret_len);

/* Makes the folder of `path` and those above it, for the owner alone. Errors:
 * TENF_E_SYSTEM with errno set. */
TENF_CHECKED enum tenf_status whole_file_folders(const char *path);

#endif
