/* SPDX-License-Identifier: MIT */
/*
 * Where things are when nobody names them: of the system for root and for a
 * service with directories from systemd, else of the user.
 */
#ifndef TENF_AGENT_CONFIG_PATHS_H
#define TENF_AGENT_CONFIG_PATHS_H

#include "base/attributes.h"

#include <stddef.h>
#include <tenforward/types.h>

void config_paths_socket(char *ret, size_t size);
void config_paths_state(char *ret, size_t size);

/* `path` itself, then the files *.conf of the directory "path.d" in the order
 * of their names; no such directory is fine. Fills at most `max` strings,
 * which the caller frees. Errors: TENF_E_LIMIT, TENF_E_MEMORY and TENF_E_SYSTEM with errno;
 * *ret_count are filled then too. */
TENF_CHECKED enum tenf_status config_paths_list(const char *path, char **files, size_t max,
						size_t *ret_count);

#endif
