/* SPDX-License-Identifier: MIT */
#include "cli/daemon-link.h"

#include "cli/child.h"
#include "cli/json.h"
#include "files/beside.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The daemon of the build tree when this is its command, else the installed one. */
static void find_daemon(const char *room, const char *program, char ret[PATH_MAX])
{
	char relative[PATH_MAX];

	(void)snprintf(relative, sizeof(relative), "../%.64s/%.64s", room, program);
	if (beside_program(relative, X_OK, ret, PATH_MAX))
		return;
	(void)snprintf(ret, PATH_MAX, DAEMON_FOLDER "/%.64s", program);
}

/* The daemon alone knows what it would understand, so it is asked, whether one
 * runs or not. */
int daemon_check_config(struct cli *cli, const char *room, const char *program)
{
	char daemon[PATH_MAX], check[] = "--check-config", config[] = "--config";
	char file[PATH_MAX] = "";
	char *arguments[] = { daemon, check, NULL, NULL, NULL };
	struct child child = { .arguments = arguments, .environment = environ,
			       .apart = cli->global.json };
	int error, ended = 0;
	sigset_t mask;
	pid_t pid;

	find_daemon(room, program, daemon);
	if (cli->arguments.count > 1) {
		(void)snprintf(file, sizeof(file), "%s", cli->arguments.words[1]);
		arguments[2] = config;
		arguments[3] = file;
	}
	(void)sigprocmask(SIG_BLOCK, NULL, &mask);
	child.mask = &mask;
	(void)cli_flush(cli);
	error = child_start(&child, &pid);
	while (error == 0 && waitpid(pid, &ended, 0) < 0)
		error = errno == EINTR ? 0 : errno;
	if (error != 0) {
		cli_error(cli, "cannot start %s: %s", daemon, strerror(error));
		return CLI_EXIT_FAILURE;
	}
	if (cli->global.json)
		(void)json_print(cli, json_pack("{sb}", "valid", child_exit(ended) == 0));
	return child_exit(ended);
}
