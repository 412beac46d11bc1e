/* SPDX-License-Identifier: MIT */
#include "cli/probe-state.h"

#include "cli/leases.h"
#include "files/whole-file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME "probe"
#define ENTRY_SIZE 12 /* " tcp/65535" */

bool probe_state_add(struct probe_state *state, enum tenf_protocol protocol, uint16_t port)
{
	size_t size = state->size > 0 ? 2 * state->size : 32;
	struct probe_found *found;

	if (state->count >= PROBE_FOUND_MAX)
		return false;
	if (state->count == state->size) {
		found = reallocarray(state->found, size, sizeof(*found));
		if (found == NULL)
			return false;
		state->found = found;
		state->size = size;
	}
	state->found[state->count++] = (struct probe_found){ protocol, port };
	return true;
}

void probe_state_done(struct probe_state *state)
{
	free(state->found);
	state->found = NULL;
	state->count = state->size = 0;
}

/* "tenforward-probe 1 GATEWAY SOURCE FIRST-LAST NEXT tcp/80 udp/81 … end" */
static int head(const struct probe_state *s, char *ret, size_t size)
{
	return snprintf(ret, size, "tenforward-probe 1 %s %s %u-%u ", s->gateway, s->source,
			s->range.first, s->range.last);
}

char *probe_state_text(const struct probe_state *state)
{
	size_t size = 256 + state->count * ENTRY_SIZE, used;
	char *text = malloc(size);

	if (text == NULL)
		return NULL;
	used = (size_t)head(state, text, size);
	used += (size_t)snprintf(text + used, size - used, "%u", state->next);
	for (size_t i = 0; i < state->count; i++)
		used += (size_t)snprintf(text + used, size - used, " %s/%u",
					 state->found[i].protocol == TENF_TCP ? "tcp" : "udp",
					 state->found[i].port);
	(void)snprintf(text + used, size - used, " end\n");
	return text;
}

/* The next word up to a blank; false when it is no number of at most `max`. */
static bool read_number(const char **text, uint64_t max, uint64_t *ret)
{
	size_t len = strcspn(*text, " \n");

	if (!tenf_text_number(*text, len, max, ret))
		return false;
	*text += len;
	*text += **text == ' ';
	return true;
}

static bool read_found(struct probe_state *state, const char *text)
{
	while (strncmp(text, "end", 3) != 0) {
		bool tcp = strncmp(text, "tcp/", 4) == 0;
		uint64_t port;

		if (!tcp && strncmp(text, "udp/", 4) != 0)
			return false;
		text += 4;
		if (!read_number(&text, 65535, &port) || port < state->range.first ||
		    port >= state->next ||
		    !probe_state_add(state, tcp ? TENF_TCP : TENF_UDP, (uint16_t)port))
			return false;
	}
	return true;
}

bool probe_state_read(struct probe_state *state, const char *text)
{
	char wanted[256];
	uint64_t next = 0;
	size_t len = (size_t)head(state, wanted, sizeof(wanted));

	if (len >= sizeof(wanted) || strncmp(text, wanted, len) != 0)
		return false;
	text += len;
	if (read_number(&text, (uint64_t)state->range.last + 1, &next) &&
	    next >= state->range.first) {
		state->next = (uint32_t)next;
		if (read_found(state, text))
			return true;
	}
	state->next = state->range.first;
	state->count = 0;
	return false;
}

/* Beside the record of leases. */
static bool place(char *ret, size_t size)
{
	char *slash;

	if (!leases_path(ret, size))
		return false;
	slash = strrchr(ret, '/');
	if (slash == NULL || (size_t)(slash - ret) + sizeof("/" FILE_NAME) > size)
		return false;
	memcpy(slash, "/" FILE_NAME, sizeof("/" FILE_NAME));
	return true;
}

void probe_state_load(struct probe_state *ret, const struct probe_range *range,
		      const char *gateway, const char *source)
{
	char *text = NULL;
	size_t len;

	*ret = (struct probe_state){ .range = *range, .next = range->first };
	(void)snprintf(ret->gateway, sizeof(ret->gateway), "%s", gateway);
	(void)snprintf(ret->source, sizeof(ret->source), "%s", source);
	if (!place(ret->path, sizeof(ret->path)))
		ret->path[0] = '\0';
	else if (whole_file_read(ret->path, PROBE_FILE_MAX, &text, &len) == TENF_OK)
		(void)probe_state_read(ret, text);
	free(text);
}

void probe_state_save(const struct probe_state *state)
{
	char *text = state->path[0] != '\0' ? probe_state_text(state) : NULL;
	enum tenf_status status = TENF_E_MEMORY;

	if (text != NULL && whole_file_folders(state->path) == TENF_OK)
		status = whole_file_write(state->path, text, strlen(text), 0600);
	free(text);
	if (status != TENF_OK) /* half a memory would be worse than none */
		probe_state_forget(state);
}

void probe_state_forget(const struct probe_state *state)
{
	if (state->path[0] != '\0')
		(void)unlink(state->path);
}
