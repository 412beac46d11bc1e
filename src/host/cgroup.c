/* SPDX-License-Identifier: MIT */
/* The pure half of programs.h: what /proc says, read. */
#include "host/programs.h"

#include "base/attributes.h"
#include "base/text.h"

#include <string.h>

#define SHORT_ID 12 /* as container engines show their identifiers */

struct word {
	const char *at;
	size_t len;
};

bool host_link_inode(const char *link, uint64_t *ret)
{
	static const char start[] = "socket:[";
	size_t len = strlen(link);

	if (len < sizeof(start) || strncmp(link, start, sizeof(start) - 1) != 0 ||
	    link[len - 1] != ']')
		return false;
	return tenf_text_number(link + sizeof(start) - 1, len - sizeof(start), UINT64_MAX, ret);
}

static bool ends_with(const struct word *word, const char *end)
{
	size_t len = strlen(end);

	return word->len > len && memcmp(word->at + word->len - len, end, len) == 0;
}

static bool starts_with(const struct word *word, const char *start)
{
	size_t len = strlen(start);

	return word->len > len && memcmp(word->at, start, len) == 0;
}

static void add_word(struct tenf_text *t, const char *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		tenf_text_add_char(t, (unsigned char)at[i] < 0x20 ? '?' : at[i]);
}

static bool is_hex(const char *at, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		if (at[i] == '\0' || strchr(digits, at[i]) == NULL)
			return false;
	}
	return len >= SHORT_ID;
}

static void set_container(struct host_program *ret, const char *engine, const char *at, size_t len)
{
	struct tenf_text t = tenf_text_of(ret->container, sizeof(ret->container));

	tenf_text_add(&t, engine);
	tenf_text_add_char(&t, ' ');
	add_word(&t, at, is_hex(at, len) ? SHORT_ID : len);
}

/* "docker-ID.scope" as systemd names it, "/docker/ID" where there is none. */
static void look_for_container(const struct word *before, const struct word *word,
			       struct host_program *ret)
{
	static const struct {
		const char *start, *engine;
	} scopes[] = { { "docker-", "docker" },
		       { "libpod-", "podman" },
		       { "cri-containerd-", "containerd" },
		       { "crio-", "cri-o" },
		       { "lxc.payload.", "lxc" },
		       { "machine-", "machine" } };
	static const char *const folders[] = { "docker", "lxc", "libpod_parent" };

	for (size_t i = 0; i < TENF_ARRAY_SIZE(scopes); i++) {
		size_t skip = strlen(scopes[i].start);
		size_t end = ends_with(word, ".scope") ? strlen(".scope") : 0;

		if (starts_with(word, scopes[i].start) && word->len > skip + end)
			set_container(ret, scopes[i].engine, word->at + skip,
				      word->len - skip - end);
	}
	for (size_t i = 0; i < TENF_ARRAY_SIZE(folders); i++) {
		if (before->len == strlen(folders[i]) && word->len > 0 &&
		    memcmp(before->at, folders[i], before->len) == 0)
			set_container(ret, folders[i], word->at, word->len);
	}
}

static void set_unit(struct host_program *ret, const struct word *word)
{
	struct tenf_text t = tenf_text_of(ret->unit, sizeof(ret->unit));

	add_word(&t, word->at, word->len);
}

static void read_path(struct word path, struct host_program *ret)
{
	struct word before = { NULL, 0 };

	while (path.len > 0) {
		const char *slash = memchr(path.at, '/', path.len);
		struct word word = { path.at, slash != NULL ? (size_t)(slash - path.at) :
							      path.len };

		/* The innermost counts: a user's service is inside user@1000.service. */
		if (ends_with(&word, ".service") || ends_with(&word, ".scope") ||
		    ends_with(&word, ".socket"))
			set_unit(ret, &word);
		look_for_container(&before, &word, ret);
		before = word;
		path.at += word.len + (slash != NULL);
		path.len -= word.len + (slash != NULL);
	}
}

/* "0::/path" in version 2, "5:cpu,cpuacct:/path" in version 1. */
void host_cgroup_read(const char *text, size_t len, struct host_program *ret)
{
	ret->unit[0] = '\0';
	ret->container[0] = '\0';
	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t line = end != NULL ? (size_t)(end - text) : len;
		const char *path = memchr(text, '/', line);

		if (path != NULL)
			read_path((struct word){ path + 1, line - (size_t)(path + 1 - text) }, ret);
		text += line + (end != NULL);
		len -= line + (end != NULL);
	}
}
