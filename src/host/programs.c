/* SPDX-License-Identifier: MIT */
/* The edge of programs.h: /proc, walked once for all sockets. */
#include "host/programs.h"

#include "base/text.h"
#include "host/sockets.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of a cgroup file; a line of version 2 is all that is needed. */
#define FILE_MAX 4096

static size_t read_file(int folder, const char *name, char *ret, size_t size)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd >= 0 ? read(fd, ret, size - 1) : -1;
	size_t len = got > 0 ? (size_t)got : 0;

	ret[len] = '\0';
	if (fd >= 0)
		close(fd);
	return len;
}

static void read_program(int folder, int32_t pid, struct host_program *ret)
{
	char text[FILE_MAX];
	size_t len;

	*ret = (struct host_program){ .pid = pid };
	len = read_file(folder, "comm", text, sizeof(text));
	if (len > 0 && text[len - 1] == '\n')
		text[len - 1] = '\0';
	(void)snprintf(ret->name, sizeof(ret->name), "%.31s", text);
	len = read_file(folder, "cgroup", text, sizeof(text));
	host_cgroup_read(text, len, ret);
}

static int compare(const void *a, const void *b)
{
	const struct host_socket *const *left = a, *const *right = b;

	return ((*left)->inode > (*right)->inode) - ((*left)->inode < (*right)->inode);
}

/* Sockets sorted by inode, so that each link is one look. */
struct search {
	struct host_socket **by_inode;
	size_t count;
};

static struct host_socket **look_up(const struct search *search, uint64_t inode)
{
	struct host_socket wanted = { .inode = inode }, *key = &wanted;

	return bsearch(&key, search->by_inode, search->count, sizeof(key), compare);
}

/* The first process found counts: a server's children share its socket. */
static void look_at_process(const struct search *search, int proc, int32_t pid)
{
	char name[32], link[64];
	int folder, fds;
	DIR *list;

	(void)snprintf(name, sizeof(name), "%d", (int)pid);
	folder = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return;
	fds = openat(folder, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	list = fds >= 0 ? fdopendir(fds) : NULL;
	if (list == NULL && fds >= 0)
		close(fds);
	for (struct dirent *e; list != NULL && (e = readdir(list)) != NULL;) {
		ssize_t len = readlinkat(dirfd(list), e->d_name, link, sizeof(link) - 1);
		struct host_socket **found;
		uint64_t inode;

		link[len > 0 ? len : 0] = '\0';
		if (!host_link_inode(link, &inode))
			continue;
		found = look_up(search, inode);
		if (found != NULL && (*found)->program.pid == 0)
			read_program(folder, pid, &(*found)->program);
	}
	if (list != NULL)
		closedir(list);
	close(folder);
}

static void look_at_all(const struct search *search)
{
	DIR *proc = opendir("/proc");

	for (struct dirent *e; proc != NULL && (e = readdir(proc)) != NULL;) {
		uint64_t pid;

		if (tenf_text_number(e->d_name, strlen(e->d_name), INT32_MAX, &pid))
			look_at_process(search, dirfd(proc), (int32_t)pid);
	}
	if (proc != NULL)
		closedir(proc);
}

size_t host_programs_find(struct host_sockets *sockets)
{
	struct search search = { calloc(sockets->count + 1, sizeof(struct host_socket *)), 0 };
	size_t unknown = 0;

	for (size_t i = 0; search.by_inode != NULL && i < sockets->count; i++)
		search.by_inode[search.count++] = &sockets->items[i];
	if (search.count > 0) {
		qsort(search.by_inode, search.count, sizeof(struct host_socket *), compare);
		look_at_all(&search);
	}
	for (size_t i = 0; i < sockets->count; i++)
		unknown += sockets->items[i].program.pid == 0;
	free(search.by_inode);
	return unknown;
}
