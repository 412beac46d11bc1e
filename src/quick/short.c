/* SPDX-License-Identifier: MIT */
#include "quick/short.h"

#include "base/address.h"
#include "cli/devices.h"
#include "control/remote-find.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OTHERS                                                                     \
	(CLI_BIT(CLI_ANYCAST) | CLI_BIT(CLI_TIMEOUT) | CLI_BIT(CLI_SOCKET) |         \
	 CLI_BIT(CLI_JSON) | CLI_BIT(CLI_VERBOSE) | CLI_BIT(CLI_HELP) |              \
	 CLI_BIT(CLI_VERSION) | CLI_BIT(CLI_FOR_HOST) | CLI_BIT(CLI_THROUGH))

bool short_knows(int argc, char **argv)
{
	const char *verb = cli_arguments_verb(argc, argv);

	return verb != NULL && strcmp(verb, "add") == 0;
}

static bool has_others(const struct cli_arguments *a)
{
	for (unsigned option = 0; option < CLI_OPTION_COUNT; option++) {
		if ((CLI_BIT(option) & OTHERS) != 0 && a->value[option] != NULL)
			return true;
	}
	return a->count == 0 || a->command != NULL;
}

/* A name is looked up by the C library that the rest of the system uses. */
static bool is_named(const char *gateway)
{
	struct tenf_endpoint endpoint;

	return gateway != NULL && !tenf_endpoint_parse(gateway, TENF_DEFAULT_PORT, &endpoint);
}

/* Where UPnP was needed once it is tried beside the others from the start. */
static bool knows_upnp(const char *method)
{
	char path[PATH_MAX];

	if (method != NULL && strcmp(method, "auto") != 0)
		return strcmp(method, "igd") == 0;
	return devices_path(path) && access(path, F_OK) == 0;
}

/* The C library of this program reads "Europe/Berlin" as the other one does, and rules and
 * folders otherwise. */
static bool has_own_time(void)
{
	const char *zone = getenv("TZ");

	if (getenv("TZDIR") != NULL)
		return true;
	if (zone == NULL || zone[0] == '\0' || strcmp(zone, "UTC") == 0)
		return false;
	return zone[0] < 'A' || zone[0] > 'Z' || strchr(zone, '/') == NULL ||
	       strstr(zone, "..") != NULL;
}

/* One that is there and may not be used is told of, which is the whole command's too. */
static bool has_agent(const char *direct)
{
	char path[REMOTE_PATH_SIZE];

	return direct == NULL && remote_find(REMOTE_AGENT, path, NULL) != TENF_E_NOT_FOUND;
}

int short_read(struct cli *cli, int argc, char **argv, const char **words)
{
	const char *const *value = cli->arguments.value;
	int status;

	cli->arguments.verb = "add";
	status = cli_arguments_parse(cli, argc, argv, CLI_GLOBAL_OPTIONS | CLI_WISH_OPTIONS, words);
	if (status != CLI_EXIT_DONE)
		return status;
	if (has_others(&cli->arguments) || is_named(value[CLI_GATEWAY]) ||
	    knows_upnp(value[CLI_METHOD]) || has_own_time() || has_agent(value[CLI_DIRECT]))
		return SHORT_IS_NOT_ENOUGH;
	return cli_global_read(cli);
}
