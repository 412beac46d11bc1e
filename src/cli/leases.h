/* SPDX-License-Identifier: MIT */
/*
 * The record of what this command opened: a lease made once outlives the
 * process that made it, and only who knows its nonce may renew or delete it
 * (RFC 6887 §11.2). One file for a user, readable by its owner alone; commands
 * that run at the same time take turns by a lock beside it. What is new or
 * changed is a line at its end; when something is dropped, or too many lines
 * are of no use any more, it is written anew, whole or not at all. Leases that
 * ended are dropped.
 *
 * A file that cannot be read is set aside under another name, with a message,
 * never overwritten.
 */
#ifndef TENF_CLI_LEASES_H
#define TENF_CLI_LEASES_H

#include "cli/cli.h"

#include <limits.h>
#include <sys/stat.h>

/* A file that lists more is damaged, or not ours. */
#define LEASES_MAX 4096
#define LEASES_FILE_MAX ((size_t)4 << 20)
/* Lines of the file that say nothing any more, before it is written anew. */
#define LEASES_STALE_MAX 8

struct lease {
	uint64_t number;     /* its id is "m<number>"; 0 in what is not recorded yet */
	int64_t keeper;      /* process of `keep` or `run` that renews it, 0: none */
	bool for_other;      /* made for another host than this one */
	bool changed;        /* since it was read */
	char name[TENF_DESCRIPTION_SIZE]; /* "": none */
	struct tenf_mapping mapping;      /* id, pair and error mean nothing here */
};

/* All zero: none, and nothing read yet. */
struct leases {
	struct lease *items; /* oldest first; changed by the functions below alone */
	size_t count;
	size_t size;         /* places there are */
	uint64_t next_number;
	size_t lines;        /* of leases, in the file */
	size_t changed;      /* leases that are */
	bool torn;           /* the file ends within a line */
	bool anew;           /* the file is to be written whole */
	bool locked;         /* not when only read */
	int lock;
	struct stat seen;    /* the file that was read; its inode 0: none */
	char *path;          /* NULL when there is no place for a record */
};

/* Where the record is; false when the environment names no place. */
bool leases_path(char *ret, size_t size);

/* What is recorded now, without those that ended. Always usable afterwards,
 * empty at worst; done with leases_done(). */
void leases_read(struct cli *cli, struct leases *ret);

/* The same, holding the lock until leases_done(), to be changed and written.
 * False, after a message, when there is no place to write. */
bool leases_open(struct cli *cli, struct leases *ret);
/* The same with what leases_read() gave, which is read again only when the file is
 * another by now. */
bool leases_reopen(struct cli *cli, struct leases *ret);
/* Adds or updates by gateway, protocol, internal address and port. Gives the
 * number; 0 when memory is out or LEASES_MAX is reached. */
uint64_t leases_put(struct leases *leases, const struct lease *lease);
/* Makes room for one more lease, zeroed, behind the last. Errors: TENF_E_LIMIT,
 * TENF_E_MEMORY. */
TENF_CHECKED enum tenf_status leases_grow(struct leases *leases);
void leases_drop(struct leases *leases, uint64_t number);
/* Nobody renews this one from now on. */
void leases_leave(struct leases *leases, uint64_t number);
/* Writes the record; false after a message. */
bool leases_write(struct cli *cli, const struct leases *leases);
/* Gives all back; what is left may be given to leases_reopen(). */
void leases_done(struct leases *leases);

/* Whether the process that renews this lease is still there. */
bool lease_is_kept(const struct lease *lease);

const struct lease *leases_find(const struct leases *leases, uint64_t number);
/* The lease of the same wish at the same gateway, NULL when there is none. */
const struct lease *leases_same(const struct leases *leases, const struct tenf_mapping *mapping);

#endif
