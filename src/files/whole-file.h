/* SPDX-License-Identifier: MIT */
/*
 * Small files that are read with a limit, and written whole or not at all: whoever
 * reads sees the old content or the new one, also when the writer is killed
 * half-way. When the machine itself stops, that holds of what is written to last;
 * of the rest the last seconds may be missing.
 */
#ifndef TENF_FILES_WHOLE_FILE_H
#define TENF_FILES_WHOLE_FILE_H

#include "base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <tenforward/types.h>

struct whole_file_manner {
	mode_t mode;             /* of a file that is like no other */
	const struct stat *like; /* mode, owner and group are its, as far as we may; or NULL */
	bool lasts;              /* waits for the disk: the file, then its folder */
};

/* Errors: TENF_E_SYSTEM with errno set; the old file is then untouched. */
TENF_CHECKED enum tenf_status whole_file_replace(const char *path, const void *data, size_t len,
						 const struct whole_file_manner *manner);
/* The same with this mode, and without a wait for the disk. */
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
