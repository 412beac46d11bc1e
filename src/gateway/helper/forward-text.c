/* SPDX-License-Identifier: MIT */
/* What nft prints about chains and rules, line by line. */
#include "gateway/helper/forward.h"

#include <string.h>

#define WORDS_MAX 16

struct line {
	const char *at;
	size_t len;
};

/* The next line without its indentation; false at the end. */
static bool next_line(const char **rest, struct line *ret)
{
	const char *at = *rest;
	const char *end;

	if (*at == '\0')
		return false;
	end = strchr(at, '\n');
	if (end == NULL)
		end = at + strlen(at);
	*rest = *end == '\n' ? end + 1 : end;
	while (at < end && (*at == '\t' || *at == ' '))
		at++;
	*ret = (struct line){ at, (size_t)(end - at) };
	return true;
}

static bool contains(const struct line *line, const char *part)
{
	return memmem(line->at, line->len, part, strlen(part)) != NULL;
}

static bool begins(const struct line *line, const char *part)
{
	return line->len >= strlen(part) && memcmp(line->at, part, strlen(part)) == 0;
}

/* Copies the word from *at on; false when it is too long or not plain. */
static bool take_word(struct line *line, char *ret, size_t size)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-./";
	size_t len = 0;

	while (len < line->len && line->at[len] != ' ') {
		if (strchr(plain, line->at[len]) == NULL || len + 1 >= size)
			return false;
		ret[len] = line->at[len];
		len++;
	}
	ret[len] = '\0';
	line->at += len;
	line->len -= len;
	while (line->len > 0 && *line->at == ' ') {
		line->at++;
		line->len--;
	}
	return len > 0;
}

/* "table inet filter {" */
static bool read_table(struct line line, struct forward_chain *ret)
{
	line.at += strlen("table ");
	line.len -= strlen("table ");
	return take_word(&line, ret->family, sizeof(ret->family)) &&
	       take_word(&line, ret->table, sizeof(ret->table)) &&
	       (strcmp(ret->family, "inet") == 0 || strcmp(ret->family, "ip") == 0 ||
		strcmp(ret->family, "ip6") == 0);
}

static bool read_chain(struct line line, struct forward_chain *ret)
{
	line.at += strlen("chain ");
	line.len -= strlen("chain ");
	return take_word(&line, ret->name, sizeof(ret->name));
}

size_t forward_find_chains(const char *listed, struct forward_chain *ret, size_t max)
{
	struct forward_chain chain = { .drops = false };
	bool is_table = false;
	bool is_chain = false;
	struct line line;
	size_t count = 0;

	while (next_line(&listed, &line) && count < max) {
		if (begins(&line, "table "))
			is_table = read_table(line, &chain);
		else if (begins(&line, "chain "))
			is_chain = read_chain(line, &chain);
		if (!begins(&line, "type filter hook forward ") || !is_table || !is_chain ||
		    strcmp(chain.table, FORWARD_COMMENT) == 0)
			continue;
		chain.drops = contains(&line, "policy drop");
		ret[count++] = chain;
	}
	return count;
}

/* "… comment "tenforward" # handle 12" */
static uint64_t handle_of(const struct line *line)
{
	static const char mark[] = "# handle ";
	const char *at = memmem(line->at, line->len, mark, strlen(mark));
	uint64_t handle = 0;

	if (at == NULL)
		return 0;
	at += strlen(mark);
	return tenf_text_number(at, (size_t)(line->at + line->len - at), UINT64_MAX / 16, &handle)
		       ? handle
		       : 0;
}

void forward_read_rules(const char *listed, struct forward_rules *ret)
{
	struct line line;

	*ret = (struct forward_rules){ .own_count = 0 };
	while (next_line(&listed, &line)) {
		if (contains(&line, "comment \"" FORWARD_COMMENT "\"")) {
			if (handle_of(&line) != 0 && ret->own_count < FORWARD_OWN_MAX)
				ret->own[ret->own_count++] = handle_of(&line);
			continue;
		}
		ret->accepts_translated |= begins(&line, "ct status dnat ") &&
					   contains(&line, "accept");
		ret->accepts_marked |= begins(&line, "meta mark & 0x20000000 == 0x20000000 ") &&
				       contains(&line, "accept");
	}
}

bool forward_is_of_iptables(const struct forward_chain *chain)
{
	return strcmp(chain->name, "FORWARD") == 0 && strcmp(chain->table, "filter") == 0 &&
	       strcmp(chain->family, "inet") != 0;
}
