/* SPDX-License-Identifier: MIT */
/* A directory of its own for each test, gone after it. */
#ifndef TENF_TESTS_AGENT_SCRATCH_H
#define TENF_TESTS_AGENT_SCRATCH_H

#include <limits.h>

struct scratch {
	char path[64];
};

/* For cmocka's setup and teardown. */
int scratch_make(void **state);
int scratch_remove(void **state);

/* "scratch/name" in `ret` of PATH_MAX octets, which is returned. */
char *scratch_path(const struct scratch *scratch, const char *name, char *ret);
/* Writes a file, its directory too. */
void scratch_write(const struct scratch *scratch, const char *name, const char *text);
/* What a file holds; "" when there is none. Valid until the next call. */
const char *scratch_read(const struct scratch *scratch, const char *name);
/* Number of entries in the directory. */
unsigned scratch_count(const struct scratch *scratch);

#endif
