/* SPDX-License-Identifier: MIT */
#include "command.h"

#include "cli/cli.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORDS_MAX 64

static char folder[] = "/tmp/tenforward-test-XXXXXX";
static char record[PATH_MAX];
static char *last_out, *last_err;

static int64_t fake_clock(void)
{
	return fake.now;
}

static int64_t fake_steady_clock(void)
{
	return fake.steady_ms;
}

static void fake_pause(int ms)
{
	fake.steady_ms += ms;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
	(void)info;
	(void)kind;
	(void)ftw;
	return remove(path);
}

int command_setup(void **state)
{
	(void)state;
	strcpy(folder + sizeof(folder) - 7, "XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(record, sizeof(record), "%s/tenforward/leases", folder);
	fake_reset();
	fake_agent_reset();
	fake_host_reset();
	return setenv("XDG_STATE_HOME", folder, 1) | setenv("TZ", "UTC", 1);
}

int command_teardown(void **state)
{
	(void)state;
	free(last_out);
	free(last_err);
	last_out = NULL;
	last_err = NULL;
	return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *command_folder(void)
{
	return folder;
}

const char *command_record(void)
{
	return record;
}

static int split(char *line, char **words)
{
	int count = 0;

	for (char *at = line; *at != '\0' && count < WORDS_MAX;) {
		char end = *at == '\'' ? '\'' : ' ';

		at += *at == '\'';
		words[count++] = at;
		at += strcspn(at, end == ' ' ? " " : "'");
		if (*at != '\0')
			*at++ = '\0';
		at += strspn(at, " ");
	}
	words[count] = NULL;
	return count;
}

static struct command run(const char *line, FILE *out)
{
	char name[] = "tenforward";
	char *copy = strdup(line);
	char *words[WORDS_MAX + 2] = { name };
	size_t err_len;
	struct cli cli = { .out = out,
			   .now = fake_clock,
			   .steady_ms = fake_steady_clock,
			   .pause_ms = fake_pause };
	struct command result;

	assert_non_null(copy);
	free(last_err);
	last_err = NULL;
	cli.err = open_memstream(&last_err, &err_len);
	assert_non_null(cli.err);
	result.status = cli_main(&cli, split(copy, words + 1) + 1, words);
	fclose(cli.err);
	result.err = last_err;
	free(copy);
	return result;
}

struct command command(const char *line)
{
	struct command result;
	size_t out_len;
	FILE *out;

	free(last_out);
	last_out = NULL;
	out = open_memstream(&last_out, &out_len);
	assert_non_null(out);
	result = run(line, out);
	fclose(out);
	result.out = last_out;
	return result;
}

struct command command_on_full_disk(const char *line)
{
	FILE *out = fopen("/dev/full", "w");
	struct command result;

	assert_non_null(out);
	result = run(line, out);
	(void)fclose(out);
	result.out = NULL;
	return result;
}

json_t *command_json(const struct command *c)
{
	json_error_t error;
	json_t *root = json_loads(c->out, JSON_REJECT_DUPLICATES, &error);

	if (root == NULL)
		fail_msg("%s: %s", error.text, c->out);
	return root;
}

json_t *command_at(json_t *root, const char *path)
{
	char step[64];

	while (*path != '\0') {
		size_t len = strcspn(path, ".");

		assert_true(len < sizeof(step));
		memcpy(step, path, len);
		step[len] = '\0';
		root = json_is_array(root) ? json_array_get(root, (size_t)atoi(step))
					   : json_object_get(root, step);
		if (root == NULL)
			fail_msg("there is no %s", path);
		path += len + (path[len] == '.');
	}
	return root;
}
