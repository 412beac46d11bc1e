/* SPDX-License-Identifier: MIT */
#include "files/whole-file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t done = write(fd, data, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return false;
		data += done;
		len -= (size_t)done;
	}
	return true;
}

/* The new name lasts when its directory does. A file system that cannot sync
 * directories is no reason to fail. */
static void sync_directory(const char *path)
{
	char directory[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int fd;

	if (slash == NULL)
		snprintf(directory, sizeof(directory), ".");
	else
		snprintf(directory, sizeof(directory), "%.*s/", (int)(slash - path), path);
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

/* Who may not give files away keeps the group at least when it can, and never
 * fails for it. */
static bool dress(int fd, const struct whole_file_manner *manner)
{
	const struct stat *old = manner->like;

	if (old == NULL)
		return fchmod(fd, manner->mode) == 0;
	if (fchown(fd, old->st_uid, old->st_gid) != 0 && fchown(fd, (uid_t)-1, old->st_gid) != 0)
		return fchmod(fd, old->st_mode & 0777) == 0;
	return fchmod(fd, old->st_mode & 07777) == 0;
}

enum tenf_status whole_file_replace(const char *path, const void *data, size_t len,
				    const struct whole_file_manner *manner)
{
	char temporary[PATH_MAX];
	int wanted = snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);
	int fd, error;
	bool good;

	if (wanted < 0 || (size_t)wanted >= sizeof(temporary)) {
		errno = ENAMETOOLONG;
		return TENF_E_SYSTEM;
	}
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return TENF_E_SYSTEM;
	good = dress(fd, manner) && write_all(fd, data, len) &&
	       (!manner->lasts || fsync(fd) == 0);
	error = errno;
	if (close(fd) != 0 && good) {
		good = false;
		error = errno;
	}
	if (good && rename(temporary, path) != 0) {
		good = false;
		error = errno;
	}
	if (!good) {
		(void)unlink(temporary);
		errno = error;
		return TENF_E_SYSTEM;
	}
	if (manner->lasts)
		sync_directory(path);
	return TENF_OK;
}

enum tenf_status whole_file_write(const char *path, const void *data, size_t len, mode_t mode)
{
	return whole_file_replace(path, data, len, &(struct whole_file_manner){ .mode = mode });
}

static enum tenf_status read_all(int fd, size_t max, char **ret, size_t *ret_len)
{
	size_t len = 0, size = 0;
	char *data = NULL;
	ssize_t got;

	do {
		if (size - len < 2) {
			char *larger = realloc(data, size + 8192);

			if (larger == NULL) {
				free(data);
				return TENF_E_MEMORY;
			}
			data = larger;
			size += 8192;
		}
		got = read(fd, data + len, size - len - 1);
		if (got < 0 && errno != EINTR) {
			free(data);
			return TENF_E_SYSTEM;
		}
		len += got > 0 ? (size_t)got : 0;
	} while (got != 0 && len <= max);
	if (len > max) {
		free(data);
		return TENF_E_LIMIT;
	}
	data[len] = '\0';
	*ret = data;
	*ret_len = len;
	return TENF_OK;
}

enum tenf_status whole_file_read(const char *path, size_t max, char **ret, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	enum tenf_status status;
	int error;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? TENF_E_NOT_FOUND : TENF_E_SYSTEM;
	status = read_all(fd, max, ret, ret_len);
	error = errno;
	close(fd);
	errno = error;
	return status;
}

enum tenf_status whole_file_folders(const char *path)
{
	char folder[PATH_MAX];
	size_t len = strlen(path);

	if (len >= sizeof(folder)) {
		errno = ENAMETOOLONG;
		return TENF_E_SYSTEM;
	}
	memcpy(folder, path, len + 1);
	for (char *slash = strchr(folder + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(folder, 0700) != 0 && errno != EEXIST)
			return TENF_E_SYSTEM;
		*slash = '/';
	}
	return TENF_OK;
}
