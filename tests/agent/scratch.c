/* SPDX-License-Identifier: MIT */
#include "scratch.h"

#include "agent/file.h"

#include <dirent.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

int scratch_make(void **state)
{
	struct scratch *scratch = calloc(1, sizeof(*scratch));

	snprintf(scratch->path, sizeof(scratch->path), "/tmp/tenforward-agent-XXXXXX");
	if (mkdtemp(scratch->path) == NULL) {
		free(scratch);
		return -1;
	}
	*state = scratch;
	return 0;
}

static int remove_one(const char *path, const struct stat *found, int kind, struct FTW *where)
{
	(void)found;
	(void)kind;
	(void)where;
	return remove(path);
}

int scratch_remove(void **state)
{
	struct scratch *scratch = *state;

	(void)nftw(scratch->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(scratch);
	return 0;
}

char *scratch_path(const struct scratch *scratch, const char *name, char *ret)
{
	snprintf(ret, PATH_MAX, "%s/%s", scratch->path, name);
	return ret;
}

void scratch_write(const struct scratch *scratch, const char *name, const char *text)
{
	char path[PATH_MAX], directory[PATH_MAX];
	FILE *file;

	scratch_path(scratch, name, directory);
	*strrchr(directory, '/') = '\0';
	assert_int_equal(file_make_directory(directory), TENF_OK);
	file = fopen(scratch_path(scratch, name, path), "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

const char *scratch_read(const struct scratch *scratch, const char *name)
{
	static char held[65536];
	char path[PATH_MAX], *text;
	size_t len;

	held[0] = '\0';
	if (file_read(scratch_path(scratch, name, path), sizeof(held) - 1, &text, &len) != TENF_OK)
		return held;
	memcpy(held, text, len + 1);
	free(text);
	return held;
}

unsigned scratch_count(const struct scratch *scratch)
{
	DIR *directory = opendir(scratch->path);
	const struct dirent *entry;
	unsigned count = 0;

	assert_non_null(directory);
	while ((entry = readdir(directory)) != NULL)
		count += entry->d_name[0] != '.';
	closedir(directory);
	return count;
}
