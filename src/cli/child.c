/* SPDX-License-Identifier: MIT */
#include "cli/child.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

static int set_attributes(posix_spawnattr_t *attributes, const struct child *child)
{
	short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
	sigset_t restored;
	int error;

	sigemptyset(&restored);
	sigaddset(&restored, SIGPIPE); /* which we ignore; a child should not */
	if (child->apart)
		flags |= POSIX_SPAWN_SETPGROUP;
	error = posix_spawnattr_setflags(attributes, flags);
	if (error == 0)
		error = posix_spawnattr_setsigmask(attributes, child->mask);
	if (error == 0)
		error = posix_spawnattr_setsigdefault(attributes, &restored);
	if (error == 0 && child->apart)
		error = posix_spawnattr_setpgroup(attributes, 0);
	return error;
}

static int set_files(posix_spawn_file_actions_t *files, const struct child *child)
{
	int error = 0;

	if (child->output > 0)
		error = posix_spawn_file_actions_adddup2(files, child->output, STDOUT_FILENO);
	if (!child->apart || error != 0)
		return error;
	error = posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (error == 0)
		error = posix_spawn_file_actions_adddup2(files, STDERR_FILENO, STDOUT_FILENO);
	return error;
}

int child_start(const struct child *child, pid_t *ret)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	int error = posix_spawnattr_init(&attributes);

	if (error != 0)
		return error;
	error = posix_spawn_file_actions_init(&files);
	if (error != 0) {
		posix_spawnattr_destroy(&attributes);
		return error;
	}
	error = set_attributes(&attributes, child);
	if (error == 0)
		error = set_files(&files, child);
	if (error == 0)
		error = posix_spawnp(ret, child->arguments[0], &files, &attributes,
				     child->arguments, child->environment);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	return error;
}

int child_exit(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}
