/* SPDX-License-Identifier: MIT */
/*
 * A command beside the event loop. Its end is seen on a pidfd, so that no
 * signal handler is needed and nobody else's children are reaped; a kernel
 * without pidfds is asked every 100 ms. The leader is reaped last: until then
 * the number of its process group cannot become another's.
 */
#include "hooks/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ASK_EVERY_US 100000

struct hook_run {
	struct event_base *base;
	char *command;
	pid_t pid;
	int pidfd;     /* -1: asked for by time */
	int input;     /* -1 when all is written */
	int output;
	char *json;
	size_t json_len, json_sent;
	char *said;    /* what it wrote, HOOK_OUTPUT_MAX at most */
	size_t said_len;
	bool late;     /* it was told to end */
	uint32_t timeout_s;
	struct event *ended, *writable, *readable, *timer;
	hook_done_fn done;
	hook_note_fn note;
	void *context;
};

static struct timeval seconds(uint32_t s)
{
	return (struct timeval){ .tv_sec = (time_t)s };
}

/* ---- Its input and output ----------------------------------------------- */

static void close_input(struct hook_run *run)
{
	if (run->writable != NULL)
		event_free(run->writable);
	run->writable = NULL;
	if (run->input >= 0)
		close(run->input);
	run->input = -1;
}

/* The input is a socket and not a pipe: MSG_NOSIGNAL spares us SIGPIPE when
 * the command does not read. */
static void on_writable(evutil_socket_t fd, short what, void *context)
{
	struct hook_run *run = context;
	ssize_t sent = send(fd, run->json + run->json_sent, run->json_len - run->json_sent,
			    MSG_NOSIGNAL | MSG_DONTWAIT);

	(void)what;
	if (sent < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	run->json_sent += sent > 0 ? (size_t)sent : 0;
	if (sent < 0 || run->json_sent == run->json_len)
		close_input(run);
}

/* False when there is no more. What is above the limit is read and forgotten. */
static bool take_output(struct hook_run *run)
{
	char part[1024];
	ssize_t got = read(run->output, part, sizeof(part));
	size_t room = HOOK_OUTPUT_MAX - run->said_len;

	if (got <= 0)
		return got < 0 && errno == EINTR;
	room = room < (size_t)got ? room : (size_t)got;
	memcpy(run->said + run->said_len, part, room);
	run->said_len += room;
	return true;
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct hook_run *run = context;

	(void)fd;
	(void)what;
	if (!take_output(run) && errno != EAGAIN)
		event_del(run->readable);
}

static void log_output(const struct hook_run *run)
{
	const char *at = run->said;
	size_t left = run->said_len;

	while (left > 0) {
		const char *end = memchr(at, '\n', left);
		size_t len = end != NULL ? (size_t)(end - at) : left;

		if (len > 0)
			run->note(run->command, at,
				  (int)(len < HOOK_LINE_MAX ? len : HOOK_LINE_MAX));
		len += end != NULL;
		at += len;
		left -= len;
	}
}

/* ---- Its end ------------------------------------------------------------ */

static void free_event(struct event *event)
{
	if (event != NULL)
		event_free(event);
}

static void free_run(struct hook_run *run)
{
	close_input(run);
	free_event(run->readable);
	free_event(run->ended);
	free_event(run->timer);
	if (run->output >= 0)
		close(run->output);
	if (run->pidfd >= 0)
		close(run->pidfd);
	free(run->command);
	free(run->json);
	free(run->said);
	free(run);
}

static void describe_end(const struct hook_run *run, int status, char *ret, size_t size)
{
	if (run->late)
		snprintf(ret, size, "took longer than %u s and was ended", run->timeout_s);
	else if (WIFSIGNALED(status))
		snprintf(ret, size, "ended by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		snprintf(ret, size, "failed with exit status %d", WEXITSTATUS(status));
}

static void finish(struct hook_run *run)
{
	char error[80] = "";
	int status = 0;

	if (run->late) /* what it started ends with it */
		(void)kill(-run->pid, SIGKILL);
	while (waitpid(run->pid, &status, 0) < 0 && errno == EINTR)
		;
	for (size_t i = 0; i < 64 && take_output(run); i++)
		;
	log_output(run);
	describe_end(run, status, error, sizeof(error));
	run->done(run->context, error[0] != '\0' ? error : NULL);
	free_run(run);
}

static bool has_ended(const struct hook_run *run)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, (id_t)run->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
	       info.si_pid == run->pid;
}

static void on_ended(evutil_socket_t fd, short what, void *context)
{
	struct hook_run *run = context;
	struct timeval again = { .tv_usec = ASK_EVERY_US };

	(void)fd;
	(void)what;
	if (has_ended(run))
		finish(run);
	else if (run->pidfd < 0)
		event_add(run->ended, &again);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct hook_run *run = context;
	struct timeval grace = seconds(HOOK_GRACE_S);

	(void)fd;
	(void)what;
	(void)kill(-run->pid, run->late ? SIGKILL : SIGTERM);
	if (!run->late)
		evtimer_add(run->timer, &grace);
	run->late = true;
}

void hook_run_cancel(struct hook_run *run)
{
	if (run == NULL)
		return;
	(void)kill(-run->pid, SIGKILL);
	while (waitpid(run->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free_run(run);
}

/* ---- Its beginning ------------------------------------------------------ */

static int spawn(struct hook_run *run, char *const *environment, int input, int output)
{
	static const char shell[] = "/bin/sh", option[] = "-c";
	union {
		const char *constant[4];
		char *plain[4];
	} arguments = { .constant = { shell, option, run->command, NULL } };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int error;

	sigemptyset(&none);
	sigfillset(&all);
	if (posix_spawn_file_actions_init(&files) != 0)
		return ENOMEM;
	if (posix_spawnattr_init(&attributes) != 0) {
		posix_spawn_file_actions_destroy(&files);
		return ENOMEM;
	}
	error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP |
							      POSIX_SPAWN_SETSIGMASK |
							      POSIX_SPAWN_SETSIGDEF);
	error = error != 0 ? error : posix_spawnattr_setpgroup(&attributes, 0);
	error = error != 0 ? error : posix_spawnattr_setsigmask(&attributes, &none);
	error = error != 0 ? error : posix_spawnattr_setsigdefault(&attributes, &all);
	error = error != 0 ? error : posix_spawn_file_actions_adddup2(&files, input, 0);
	error = error != 0 ? error : posix_spawn_file_actions_adddup2(&files, output, 1);
	error = error != 0 ? error : posix_spawn_file_actions_adddup2(&files, output, 2);
	error = error != 0 ? error : posix_spawn(&run->pid, shell, &files, &attributes,
						 arguments.plain, environment);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	return error;
}

static int start_command(struct hook_run *run, const struct news *news)
{
	int input[2] = { -1, -1 }, output[2] = { -1, -1 };
	char **environment = news_environment(news);
	int error = environment != NULL ? 0 : ENOMEM;

	if (error == 0 && (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, input) != 0 ||
			   pipe2(output, O_CLOEXEC) != 0))
		error = errno;
	run->input = input[1];
	run->output = output[0];
	if (error == 0 && fcntl(run->output, F_SETFL, O_NONBLOCK) != 0)
		error = errno;
	if (error == 0)
		error = spawn(run, environment, input[0], output[1]);
	if (input[0] >= 0)
		close(input[0]);
	if (output[1] >= 0)
		close(output[1]);
	free(environment);
	return error;
}

static bool watch(struct hook_run *run)
{
	struct timeval limit = seconds(run->timeout_s), again = { .tv_usec = ASK_EVERY_US };

	run->pidfd = (int)syscall(SYS_pidfd_open, run->pid, 0);
	run->ended = event_new(run->base, run->pidfd, run->pidfd >= 0 ? EV_READ | EV_PERSIST : 0,
			       on_ended, run);
	run->readable = event_new(run->base, run->output, EV_READ | EV_PERSIST, on_readable, run);
	run->writable = event_new(run->base, run->input, EV_WRITE | EV_PERSIST, on_writable, run);
	run->timer = evtimer_new(run->base, on_timer, run);
	return run->ended != NULL && run->readable != NULL && run->writable != NULL &&
	       run->timer != NULL && event_add(run->ended, run->pidfd >= 0 ? NULL : &again) == 0 &&
	       event_add(run->readable, NULL) == 0 && event_add(run->writable, NULL) == 0 &&
	       evtimer_add(run->timer, &limit) == 0;
}

struct hook_run *hook_run_start(struct event_base *base, const char *command,
				const struct news *news, uint32_t timeout_s, hook_note_fn note,
				hook_done_fn done, void *context)
{
	struct hook_run *run = calloc(1, sizeof(*run));
	int error;

	if (run == NULL)
		return NULL;
	*run = (struct hook_run){ .base = base,
				  .command = strdup(command),
				  .pidfd = -1,
				  .input = -1,
				  .output = -1,
				  .json = strdup(news->json),
				  .said = malloc(HOOK_OUTPUT_MAX),
				  .timeout_s = timeout_s,
				  .note = note,
				  .done = done,
				  .context = context };
	error = run->command != NULL && run->json != NULL && run->said != NULL
			? start_command(run, news)
			: ENOMEM;
	if (error != 0) {
		free_run(run);
		errno = error;
		return NULL;
	}
	run->json_len = strlen(run->json);
	if (!watch(run)) {
		hook_run_cancel(run);
		errno = ENOMEM;
		return NULL;
	}
	return run;
}
