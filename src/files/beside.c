/* SPDX-License-Identifier: MIT */
#include "files/beside.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool beside_program(const char *relative, int mode, char *ret, size_t size)
{
	char program[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);
	char *slash;
	int made;

	if (len <= 0)
		return false;
	program[len] = '\0';
	slash = strrchr(program, '/');
	if (slash == NULL)
		return false;
	slash[1] = '\0';
	made = snprintf(ret, size, "%s%s", program, relative);
	return made > 0 && (size_t)made < size && access(ret, mode) == 0;
}
