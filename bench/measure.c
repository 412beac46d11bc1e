/* SPDX-License-Identifier: MIT */
/*
 * Runs commands in turn, from process start to exit, and says how long they
 * took: one line a command, "median p90 max failures" in microseconds. In turn,
 * because the machine is never equally busy twice; with --parallel many are under
 * way at once, for tries that mostly wait.
 *
 *   bench-measure [--times N] [--parallel N] [--limit SECONDS] -- CMD... [--- CMD...]...
 *
 * {n} in an argument becomes a number that no two tries share. A try fails by an
 * exit status other than 0 (which --any-status forgives) or by the limit, and counts
 * with the time it took. What commands print is thrown away.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COMMANDS_MAX 8
#define WORDS_MAX 40
#define WORD_SIZE 256
#define PARALLEL_MAX 64
#define TRIES_MAX 10000
#define FIRST_NUMBER 20000 /* a port no rule of the gateways forbids */

extern char **environ;

struct options {
	unsigned long times, parallel, limit_s;
	bool any_status;
};

struct command {
	char **words; /* ended by NULL */
	int64_t *took_us;
	size_t count, failures;
};

struct try {
	pid_t pid; /* 0: place is free */
	struct command *command;
	int64_t since_us;
};

static int64_t now_us(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void die(const char *what)
{
	fprintf(stderr, "bench-measure: %s\n", what);
	exit(2);
}

/* One word of the command with the number of the try written in. */
static void fill_in(const char *word, size_t number, char *ret)
{
	size_t used = 0;

	while (*word != '\0') {
		bool mark = strncmp(word, "{n}", 3) == 0;
		int wanted;

		if (mark)
			wanted = snprintf(ret + used, WORD_SIZE - used, "%zu",
					  FIRST_NUMBER + number);
		else
			wanted = snprintf(ret + used, WORD_SIZE - used, "%c", *word);
		word += mark ? 3 : 1;
		used += wanted > 0 ? (size_t)wanted : 0;
		if (used >= WORD_SIZE)
			die("a word is too long");
	}
	ret[used] = '\0';
}

static pid_t start(const struct command *command, size_t number,
		   const posix_spawn_file_actions_t *streams, const posix_spawnattr_t *attributes)
{
	static char room[WORDS_MAX][WORD_SIZE];
	char *words[WORDS_MAX + 1] = { NULL };
	pid_t pid;

	for (size_t i = 0; command->words[i] != NULL; i++) {
		if (i == WORDS_MAX)
			die("too many words");
		fill_in(command->words[i], number, room[i]);
		words[i] = room[i];
	}
	if (posix_spawnp(&pid, words[0], streams, attributes, words, environ) != 0) {
		fprintf(stderr, "bench-measure: cannot start %s\n", words[0]);
		exit(2);
	}
	return pid;
}

static void record(struct try *try, int status, const struct options *options)
{
	struct command *command = try->command;
	bool failed = !WIFEXITED(status) || (WEXITSTATUS(status) != 0 && !options->any_status);

	command->took_us[command->count++] = now_us() - try->since_us;
	command->failures += failed;
	try->pid = 0;
}

/* Waits until at least one try has ended or a moment has passed. */
static size_t reap(struct try *tries, const struct options *options, const sigset_t *child)
{
	const struct timespec moment = { .tv_nsec = 100000000 };
	size_t ended = 0;
	int status;
	pid_t pid;

	(void)sigtimedwait(child, NULL, &moment);
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < options->parallel; i++) {
			if (tries[i].pid == pid) {
				record(&tries[i], status, options);
				ended++;
			}
		}
	}
	for (size_t i = 0; i < options->parallel; i++) {
		int64_t limit_us = (int64_t)options->limit_s * 1000000;

		if (tries[i].pid != 0 && now_us() - tries[i].since_us > limit_us)
			(void)kill(tries[i].pid, SIGKILL);
	}
	return ended;
}

static void run(struct command *commands, size_t count, const struct options *options)
{
	struct try tries[PARALLEL_MAX] = { 0 };
	size_t total = count * options->times, started = 0, ended = 0;
	posix_spawn_file_actions_t streams;
	posix_spawnattr_t attributes;
	sigset_t child, none;

	sigemptyset(&none);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &child, NULL);
	posix_spawn_file_actions_init(&streams);
	posix_spawn_file_actions_addopen(&streams, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&streams, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&streams, 2, "/dev/null", O_WRONLY, 0);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attributes, &none);
	while (ended < total) {
		for (size_t i = 0; i < options->parallel && started < total; i++) {
			if (tries[i].pid != 0)
				continue;
			tries[i].command = &commands[started % count];
			tries[i].since_us = now_us();
			tries[i].pid = start(tries[i].command, started, &streams, &attributes);
			started++;
		}
		ended += reap(tries, options, &child);
	}
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&streams);
}

static int compare(const void *a, const void *b)
{
	const int64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static void print(struct command *command)
{
	int64_t *us = command->took_us;
	size_t n = command->count;

	qsort(us, n, sizeof(*us), compare);
	printf("%lld %lld %lld %zu\n", (long long)(us[(n - 1) / 2] + us[n / 2]) / 2,
	       (long long)us[(n * 9 - 1) / 10], (long long)us[n - 1], command->failures);
}

static unsigned long number(const char *text, unsigned long max)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = text != NULL ? strtoul(text, &end, 10) : 0;
	if (value == 0 || value > max || errno != 0 || *end != '\0')
		die("an option needs a number, and not so large a one");
	return value;
}

/* Reads the options up to "--"; where the commands begin. */
static char **read_options(char **at, struct options *ret)
{
	*ret = (struct options){ .times = 1, .parallel = 1, .limit_s = 60 };
	for (; *at != NULL && strcmp(*at, "--") != 0; at++) {
		if (strcmp(*at, "--times") == 0)
			ret->times = number(*++at, TRIES_MAX);
		else if (strcmp(*at, "--parallel") == 0)
			ret->parallel = number(*++at, PARALLEL_MAX);
		else if (strcmp(*at, "--limit") == 0)
			ret->limit_s = number(*++at, 3600);
		else if (strcmp(*at, "--any-status") == 0)
			ret->any_status = true;
		else
			die("unknown option");
	}
	if (*at == NULL || at[1] == NULL)
		die("no command");
	return at + 1;
}

static size_t read_commands(char **at, struct command *commands, const struct options *options)
{
	size_t count = 0;

	commands[count++].words = at;
	for (; *at != NULL; at++) {
		if (strcmp(*at, "---") != 0)
			continue;
		*at = NULL;
		if (count == COMMANDS_MAX || at[1] == NULL)
			die("too many commands, or an empty one");
		commands[count++].words = at + 1;
	}
	for (size_t i = 0; i < count; i++) {
		commands[i].took_us = calloc(options->times, sizeof(*commands[i].took_us));
		if (commands[i].took_us == NULL)
			die("out of memory");
	}
	return count;
}

int main(int argc, char **argv)
{
	struct command commands[COMMANDS_MAX] = { 0 };
	struct options options;
	size_t count;

	(void)argc;
	count = read_commands(read_options(argv + 1, &options), commands, &options);
	run(commands, count, &options);
	for (size_t i = 0; i < count; i++) {
		print(&commands[i]);
		free(commands[i].took_us);
	}
	return 0;
}
