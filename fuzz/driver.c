/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target without libFuzzer: first every file of the corpus as it
 * is, then a fixed number of mutations of them, the same ones in each run with
 * the same seed. So the targets are part of the tests under any compiler.
 *
 *   replay-pcp [--mutations N] [--seed N] FILE|DIRECTORY…
 *
 * When the target aborts, the input is printed in hexadecimal; `xxd -r -p`
 * makes a file of it, which this program replays.
 */
#include "base/random.h"
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INPUT_MAX 65536      /* octets of a file; longer ones are refused */
#define INPUT_COUNT_MAX 4096 /* files of a corpus */
#define MUTATED_MAX 8192     /* a mutation does not grow beyond */

struct input {
	uint8_t *data;
	size_t size;
};

struct corpus {
	struct input inputs[INPUT_COUNT_MAX];
	size_t count;
};

/* The input that runs, for the signal handler. */
static struct input running;

static void print_running(int signal_number)
{
	static const char digits[] = "0123456789abcdef";
	static char line[2 * INPUT_MAX + 1];
	size_t used = 0;

	for (size_t i = 0; i < running.size && i < INPUT_MAX; i++) {
		line[used++] = digits[running.data[i] >> 4];
		line[used++] = digits[running.data[i] & 15];
	}
	line[used++] = '\n';
	if (write(STDERR_FILENO, "the input was\n", 14) < 0 ||
	    write(STDERR_FILENO, line, used) < 0)
		_exit(1);
	(void)signal(signal_number, SIG_DFL);
	(void)raise(signal_number);
}

static void die(const char *what, const char *path)
{
	fprintf(stderr, "%s: %s\n", path, what);
	exit(1);
}

static void *allocate(size_t size)
{
	void *memory = malloc(size > 0 ? size : 1);

	if (memory == NULL)
		die("out of memory", "driver");
	return memory;
}

/* Copied to a block of its own, so that a read past its end is seen. */
static void run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size);

	if (size > 0) {
		if (copy == NULL)
			die("out of memory", "driver");
		memcpy(copy, data, size);
	}
	running = (struct input){ .data = copy, .size = size };
	(void)LLVMFuzzerTestOneInput(copy, size);
	running = (struct input){ 0 };
	free(copy);
}

static void load_file(struct corpus *c, const char *path)
{
	static uint8_t buffer[INPUT_MAX + 1];
	FILE *file = fopen(path, "rb");
	struct input input;

	if (file == NULL)
		die(strerror(errno), path);
	input.size = fread(buffer, 1, sizeof(buffer), file);
	if (ferror(file))
		die(strerror(errno), path);
	(void)fclose(file);
	if (input.size > INPUT_MAX || c->count == INPUT_COUNT_MAX)
		die("too large, or too many files", path);
	input.data = allocate(input.size);
	memcpy(input.data, buffer, input.size);
	c->inputs[c->count++] = input;
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void load_directory(struct corpus *c, const char *path)
{
	struct dirent **entries = NULL;
	int count = scandir(path, &entries, is_visible, alphasort);

	if (count < 0)
		die(strerror(errno), path);
	for (int i = 0; i < count; i++) {
		size_t size = strlen(path) + strlen(entries[i]->d_name) + 2;
		char *name = allocate(size);

		(void)snprintf(name, size, "%s/%s", path, entries[i]->d_name);
		load_file(c, name);
		free(name);
		free(entries[i]);
	}
	free(entries);
}

static void load(struct corpus *c, const char *path)
{
	struct stat status;

	if (stat(path, &status) != 0)
		die(strerror(errno), path);
	if (S_ISDIR(status.st_mode))
		load_directory(c, path);
	else
		load_file(c, path);
}

static size_t below(const struct tenf_random *random, size_t bound)
{
	return (size_t)tenf_random_below(random, bound);
}

/* One change of `data`, which has room for MUTATED_MAX octets; gives the new
 * size. `other` is another input of the corpus. */
static size_t mutate_once(uint8_t *data, size_t size, const struct input *other,
			  const struct tenf_random *random)
{
	static const uint8_t edges[] = { 0, 1, 2, 3, 0x7f, 0x80, 0x81, 0xfe, 0xff };
	size_t at = below(random, size);
	size_t len = below(random, 17);
	size_t from = below(random, other->size);

	if (len > MUTATED_MAX - size)
		len = MUTATED_MAX - size;
	switch (below(random, 6)) {
	case 0: /* turn a bit */
		if (size > 0)
			data[at] ^= (uint8_t)(1u << below(random, 8));
		return size;
	case 1: /* an octet at the edge of something */
		if (size > 0)
			data[at] = edges[below(random, sizeof(edges))];
		return size;
	case 2: /* cut */
		return at;
	case 3: /* append noise */
		tenf_random_fill(random, data + size, len);
		return size + len;
	case 4: /* repeat a piece */
		if (len > size - at)
			len = size - at;
		memmove(data + at + len, data + at, size - at);
		return size + len;
	default: /* a piece of another input */
		if (len > other->size - from)
			len = other->size - from;
		if (len > size - at)
			len = size - at;
		memcpy(data + at, other->data + from, len);
		return size;
	}
}

static void run_mutations(const struct corpus *c, uint64_t count, uint64_t seed)
{
	static uint8_t data[MUTATED_MAX];
	struct tenf_seeded seeded;
	struct tenf_random random;

	tenf_seeded_init(&seeded, seed);
	random = tenf_seeded_random(&seeded);
	for (uint64_t i = 0; i < count; i++) {
		const struct input *input = &c->inputs[i % c->count];
		size_t size = input->size < sizeof(data) ? input->size : sizeof(data);
		size_t steps = 1 + below(&random, 4);

		memcpy(data, input->data, size);
		while (steps-- > 0)
			size = mutate_once(data, size, &c->inputs[below(&random, c->count)],
					   &random);
		run(data, size);
	}
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 10);

	if (end == text || *end != '\0')
		die("not a number", text);
	return value;
}

int main(int argc, char **argv)
{
	static struct corpus corpus;
	uint64_t mutations = 0;
	uint64_t seed = 1;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--mutations") == 0 && i + 1 < argc)
			mutations = number(argv[++i]);
		else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
			seed = number(argv[++i]);
		else
			load(&corpus, argv[i]);
	}
	if (corpus.count == 0)
		die("no inputs: name files or directories", argv[0]);
	(void)signal(SIGABRT, print_running);
	for (size_t i = 0; i < corpus.count; i++)
		run(corpus.inputs[i].data, corpus.inputs[i].size);
	run_mutations(&corpus, mutations, seed);
	printf("%zu inputs, %llu mutations from seed %llu\n", corpus.count,
	       (unsigned long long)mutations, (unsigned long long)seed);
	for (size_t i = 0; i < corpus.count; i++)
		free(corpus.inputs[i].data);
	return 0;
}
