/* SPDX-License-Identifier: MIT */
#include "agent/file.h"

#include "files/whole-file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NEW_MODE 0644

enum tenf_status file_read(const char *path, size_t max, char **ret, size_t *ret_len)
{
	enum tenf_status status = whole_file_read(path, max, ret, ret_len);

	return status == TENF_E_NOT_FOUND ? TENF_E_SYSTEM : status;
}

static bool holds_already(const char *path, const void *data, size_t len)
{
	char *held;
	size_t held_len;
	bool same;

	if (file_read(path, len, &held, &held_len) != TENF_OK)
		return false;
	same = held_len == len && memcmp(held, data, len) == 0;
	free(held);
	return same;
}

enum tenf_status file_write(const char *path, const void *data, size_t len)
{
	char *target = realpath(path, NULL);
	const char *at = target != NULL ? target : path;
	struct stat old;
	bool is_there = stat(at, &old) == 0;
	enum tenf_status status;

	if (is_there && !S_ISREG(old.st_mode)) {
		free(target);
		errno = S_ISDIR(old.st_mode) ? EISDIR : EINVAL;
		return TENF_E_SYSTEM;
	}
	if (is_there && holds_already(at, data, len))
		status = TENF_OK;
	else
		status = whole_file_replace(at, data, len,
					    &(struct whole_file_manner){
						    .mode = NEW_MODE,
						    .like = is_there ? &old : NULL,
						    .lasts = true });
	free(target);
	return status;
}

enum tenf_status file_make_directory(const char *path)
{
	if (path[0] == '\0') {
		errno = ENOENT;
		return TENF_E_SYSTEM;
	}
	if (whole_file_folders(path) != TENF_OK)
		return TENF_E_SYSTEM;
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return TENF_E_SYSTEM;
	return TENF_OK;
}
