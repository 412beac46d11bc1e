/* SPDX-License-Identifier: MIT */
#include "agent/config-paths.h"

#include "agent/config.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- Defaults ----------------------------------------------------------- */

static bool is_set(const char *variable)
{
	const char *value = getenv(variable);

	return value != NULL && value[0] == '/';
}

/* $variable/rest; of several directories with ":" between, the first. */
static void below(const char *variable, const char *rest, char *ret, size_t size)
{
	const char *value = getenv(variable);

	snprintf(ret, size, "%.*s%s", (int)strcspn(value, ":"), value, rest);
}

void config_default_path(char *ret, size_t size)
{
	if (geteuid() == 0)
		snprintf(ret, size, "/etc/tenforward/agent.conf");
	else if (is_set("XDG_CONFIG_HOME"))
		below("XDG_CONFIG_HOME", "/tenforward/agent.conf", ret, size);
	else if (is_set("HOME"))
		below("HOME", "/.config/tenforward/agent.conf", ret, size);
	else
		snprintf(ret, size, "/etc/tenforward/agent.conf");
}

void config_paths_socket(char *ret, size_t size)
{
	if (is_set("RUNTIME_DIRECTORY"))
		below("RUNTIME_DIRECTORY", "/agent.sock", ret, size);
	else if (geteuid() != 0 && is_set("XDG_RUNTIME_DIR"))
		below("XDG_RUNTIME_DIR", "/tenforward/agent.sock", ret, size);
	else
		snprintf(ret, size, "/run/tenforward/agent.sock");
}

void config_paths_state(char *ret, size_t size)
{
	if (is_set("STATE_DIRECTORY"))
		below("STATE_DIRECTORY", "", ret, size);
	else if (geteuid() != 0 && is_set("XDG_STATE_HOME"))
		below("XDG_STATE_HOME", "/tenforward", ret, size);
	else if (geteuid() != 0 && is_set("HOME"))
		below("HOME", "/.local/state/tenforward", ret, size);
	else
		snprintf(ret, size, "/var/lib/tenforward");
}

/* ---- Drop-ins ----------------------------------------------------------- */

static int is_drop_in(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".conf") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name); /* not as the locale sorts */
}

static enum tenf_status add(char **files, size_t max, size_t *count, const char *a, const char *b,
			    const char *c)
{
	int len;

	if (*count == max)
		return TENF_E_LIMIT;
	len = asprintf(&files[*count], "%s%s%s", a, b, c);
	if (len < 0) {
		errno = ENOMEM;
		return TENF_E_MEMORY;
	}
	(*count)++;
	return TENF_OK;
}

enum tenf_status config_paths_list(const char *path, char **files, size_t max, size_t *ret_count)
{
	struct dirent **entries = NULL;
	enum tenf_status status = TENF_OK;
	char directory[PATH_MAX];
	int count, len;

	*ret_count = 0;
	len = snprintf(directory, sizeof(directory), "%s.d/", path);
	if (len < 0 || (size_t)len >= sizeof(directory)) {
		errno = ENAMETOOLONG;
		return TENF_E_SYSTEM;
	}
	count = scandir(directory, &entries, is_drop_in, by_name);
	if (count < 0 && errno != ENOENT && errno != ENOTDIR)
		return TENF_E_SYSTEM;
	status = add(files, max, ret_count, path, "", "");
	for (int i = 0; i < count; i++) {
		if (status == TENF_OK)
			status = add(files, max, ret_count, directory, entries[i]->d_name, "");
		free(entries[i]);
	}
	free(entries);
	return status;
}
