/* SPDX-License-Identifier: MIT */
#include "cli/leases.h"

#include "base/text.h"
#include "cli/lease-text.h"
#include "files/whole-file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOT_PLACE "/var/lib/tenforward"
#define ASIDE_MAX 1000 /* damaged files kept beside each other */
#define WHY_SIZE 200

bool leases_path(char *ret, size_t size)
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	struct tenf_text t = tenf_text_of(ret, size);

	/* The base directory specification ignores paths that are relative. */
	if (state != NULL && state[0] == '/') {
		tenf_text_add(&t, state);
		tenf_text_add(&t, "/tenforward");
	} else if (home != NULL && home[0] == '/') {
		tenf_text_add(&t, home);
		tenf_text_add(&t, "/.local/state/tenforward");
	} else if (geteuid() == 0) {
		tenf_text_add(&t, ROOT_PLACE);
	} else {
		return false;
	}
	tenf_text_add(&t, "/leases");
	if (t.cut)
		ret[0] = '\0';
	return !t.cut;
}

/* link() never overwrites, unlike rename(): an earlier damaged file stays. */
static void set_aside(struct cli *cli, const char *path, const char *why)
{
	char aside[PATH_MAX];

	for (unsigned n = 1; n <= ASIDE_MAX; n++) {
		int wanted = snprintf(aside, sizeof(aside), "%s.damaged-%u", path, n);

		if (wanted < 0 || (size_t)wanted >= sizeof(aside))
			break;
		if (link(path, aside) == 0) {
			(void)unlink(path);
			cli_error(cli, "the record of leases could not be read (%s); "
				  "it is kept as %s", why, aside);
			return;
		}
		if (errno != EEXIST)
			break;
	}
	cli_error(cli, "the record of leases could not be read (%s), nor set aside: %s", why,
		  strerror(errno));
}

static void drop_ended(struct leases *leases, int64_t now)
{
	size_t kept = 0;

	for (size_t i = 0; i < leases->count; i++) {
		if (leases->items[i].mapping.expires_at > now)
			leases->items[kept++] = leases->items[i];
	}
	leases->count = kept;
}

/* Fills `leases` with what can be read; why the file is damaged, "" when it is not.
 * It is `anew` to be written unless it is whole. */
static void load(struct cli *cli, struct leases *leases, char *why, size_t why_size)
{
	char *data = NULL;
	size_t len = 0;
	bool is_text;
	enum tenf_status status;

	/* What is written behind this look makes it another file, and is read again. */
	if (stat(leases->path, &leases->seen) != 0)
		leases->seen.st_ino = 0;
	status = whole_file_read(leases->path, LEASES_FILE_MAX, &data, &len);
	leases->next_number = 1;
	leases->anew = true;
	if (status == TENF_E_NOT_FOUND)
		return;
	if (status == TENF_E_LIMIT) {
		snprintf(why, why_size, "it is too large");
		return;
	}
	if (status != TENF_OK) {
		cli_error(cli, "cannot read %s: %s", leases->path, strerror(errno));
		return;
	}
	is_text = strlen(data) == len;
	status = lease_text_read(data, leases, why, why_size);
	if (!is_text)
		snprintf(why, why_size, "it is no text");
	else if (status == TENF_OK)
		leases->anew = leases->torn;
	free(data);
	drop_ended(leases, cli->now());
}

static int lock_beside(const char *path)
{
	char lock[PATH_MAX];
	int wanted = snprintf(lock, sizeof(lock), "%s.lock", path);
	int fd;

	if (wanted < 0 || (size_t)wanted >= sizeof(lock)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	while (fd >= 0 && flock(fd, LOCK_EX) != 0) {
		if (errno != EINTR) {
			close(fd);
			return -1;
		}
	}
	return fd;
}

static bool is_same(const struct tenf_mapping *a, const struct tenf_mapping *b)
{
	return a->protocol == b->protocol && a->internal_port == b->internal_port &&
	       a->gateway_port == b->gateway_port && strcmp(a->gateway, b->gateway) == 0 &&
	       strcmp(a->internal_address, b->internal_address) == 0;
}

static struct lease *find_same(const struct leases *leases, const struct tenf_mapping *mapping)
{
	for (size_t i = 0; i < leases->count; i++) {
		if (is_same(&leases->items[i].mapping, mapping))
			return &leases->items[i];
	}
	return NULL;
}

const struct lease *leases_same(const struct leases *leases, const struct tenf_mapping *mapping)
{
	return find_same(leases, mapping);
}

bool lease_is_kept(const struct lease *lease)
{
	return lease->keeper > 0 && (kill((pid_t)lease->keeper, 0) == 0 || errno == EPERM);
}

static struct lease *find(const struct leases *leases, uint64_t number)
{
	for (size_t i = 0; i < leases->count; i++) {
		if (leases->items[i].number == number)
			return &leases->items[i];
	}
	return NULL;
}

const struct lease *leases_find(const struct leases *leases, uint64_t number)
{
	return find(leases, number);
}

enum tenf_status leases_grow(struct leases *leases)
{
	size_t size = leases->size > 0 ? 2 * leases->size : 4;
	struct lease *items;

	if (leases->count >= LEASES_MAX)
		return TENF_E_LIMIT;
	if (leases->count == leases->size) {
		items = reallocarray(leases->items, size, sizeof(*items));
		if (items == NULL)
			return TENF_E_MEMORY;
		leases->items = items;
		leases->size = size;
	}
	leases->items[leases->count] = (struct lease){ .number = 0 };
	return TENF_OK;
}

uint64_t leases_put(struct leases *leases, const struct lease *lease)
{
	struct lease *place = find_same(leases, &lease->mapping);
	uint64_t number;

	if (place != NULL) {
		number = place->number;
	} else {
		if (leases_grow(leases) != TENF_OK)
			return 0;
		place = &leases->items[leases->count++];
		number = leases->next_number++;
	}
	leases->changed += !place->changed;
	*place = *lease;
	place->number = number;
	place->changed = true;
	return number;
}

void leases_drop(struct leases *leases, uint64_t number)
{
	struct lease *found = find(leases, number);
	size_t behind;

	if (found == NULL)
		return;
	leases->anew = true;
	leases->changed -= found->changed;
	behind = leases->count - (size_t)(found - leases->items) - 1;
	memmove(found, found + 1, behind * sizeof(*found));
	leases->count--;
}

void leases_leave(struct leases *leases, uint64_t number)
{
	struct lease *found = find(leases, number);

	if (found == NULL || found->keeper == 0)
		return;
	leases->changed += !found->changed;
	found->keeper = 0;
	found->changed = true;
}

static bool may_append(const struct leases *leases)
{
	size_t lines = leases->lines + leases->changed;

	return !leases->anew && lines <= leases->count + LEASES_STALE_MAX;
}

/* A line that was cut short by a full disk is nothing to the next reader. */
static bool append(const struct leases *leases)
{
	char *text = lease_text_changes(leases);
	int fd = open(leases->path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY);
	bool done = false;

	if (text != NULL && fd >= 0)
		done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	if (fd >= 0)
		done = close(fd) == 0 && done;
	free(text);
	return done;
}

static bool write_anew(struct cli *cli, const struct leases *leases)
{
	char *text = lease_text_make(leases);
	bool done = false;

	if (text == NULL)
		cli_error(cli, "out of memory");
	else if (whole_file_write(leases->path, text, strlen(text), 0600) != TENF_OK)
		cli_error(cli, "cannot write %s: %s", leases->path, strerror(errno));
	else
		done = true;
	free(text);
	return done;
}

bool leases_write(struct cli *cli, const struct leases *leases)
{
	return (may_append(leases) && append(leases)) || write_anew(cli, leases);
}

static void unlock(struct leases *leases)
{
	if (leases->locked)
		close(leases->lock);
	leases->locked = false;
}

void leases_done(struct leases *leases)
{
	unlock(leases);
	free(leases->items);
	free(leases->path);
	*leases = (struct leases){ 0 };
}

/* A file that was replaced has another inode, or at least another time. */
static bool is_as_it_was(const struct leases *leases)
{
	const struct stat *seen = &leases->seen;
	struct stat now;

	return seen->st_ino != 0 && stat(leases->path, &now) == 0 && now.st_ino == seen->st_ino &&
	       now.st_size == seen->st_size && now.st_mtim.tv_sec == seen->st_mtim.tv_sec &&
	       now.st_mtim.tv_nsec == seen->st_mtim.tv_nsec;
}

static bool find_path(struct leases *leases)
{
	char path[PATH_MAX];

	if (leases->path == NULL && leases_path(path, sizeof(path)))
		leases->path = strdup(path);
	return leases->path != NULL;
}

static bool take_lock(struct cli *cli, struct leases *leases)
{
	if (!find_path(leases)) {
		cli_error(cli, "there is no place to record leases in; set HOME or XDG_STATE_HOME");
		return false;
	}
	/* The folders are there but for the first time. */
	leases->lock = lock_beside(leases->path);
	if (leases->lock < 0 && errno == ENOENT && whole_file_folders(leases->path) == TENF_OK)
		leases->lock = lock_beside(leases->path);
	leases->locked = leases->lock >= 0;
	if (!leases->locked)
		cli_error(cli, "cannot record leases in %s: %s", leases->path, strerror(errno));
	return leases->locked;
}

bool leases_open(struct cli *cli, struct leases *ret)
{
	char why[WHY_SIZE] = "";

	*ret = (struct leases){ 0 };
	if (!take_lock(cli, ret))
		return false;
	load(cli, ret, why, sizeof(why));
	if (why[0] != '\0') {
		set_aside(cli, ret->path, why);
		(void)(ret->count == 0 || write_anew(cli, ret));
	}
	return true;
}

bool leases_reopen(struct cli *cli, struct leases *ret)
{
	if (ret->seen.st_ino == 0) {
		leases_done(ret);
		return leases_open(cli, ret);
	}
	if (!take_lock(cli, ret))
		return false;
	if (!is_as_it_was(ret)) {
		leases_done(ret);
		return leases_open(cli, ret);
	}
	drop_ended(ret, cli->now());
	return true;
}

void leases_read(struct cli *cli, struct leases *ret)
{
	char why[WHY_SIZE] = "";

	*ret = (struct leases){ 0 };
	if (!find_path(ret))
		return;
	load(cli, ret, why, sizeof(why));
	if (why[0] == '\0')
		return;
	/* What is damaged is set aside by who holds the lock. */
	leases_done(ret);
	(void)leases_open(cli, ret);
	unlock(ret);
}
