/* SPDX-License-Identifier: MIT */
/*
 * How far a probe got, so that the next one goes on there: a file beside the record
 * of leases, for one gateway and one address of ours. It is a convenience: where it
 * cannot be written or makes no sense, a probe begins anew.
 */
#ifndef TENF_CLI_PROBE_STATE_H
#define TENF_CLI_PROBE_STATE_H

#include "cli/probe.h"

#include <limits.h>

#define PROBE_FOUND_MAX 131070 /* every port, both protocols */
#define PROBE_FILE_MAX ((size_t)2 << 20)

struct probe_found {
	enum tenf_protocol protocol;
	uint16_t port;
};

struct probe_state {
	struct probe_range range;
	uint32_t next; /* port to ask for next; last + 1 at the end */
	char gateway[TENF_ADDRESS_SIZE];
	char source[TENF_ADDRESS_SIZE];
	struct probe_found *found;
	size_t count;
	size_t size;
	char path[PATH_MAX]; /* "" when there is no place */
};

/* What an earlier probe of the same range, gateway and source left; else the start. */
void probe_state_load(struct probe_state *ret, const struct probe_range *range,
		      const char *gateway, const char *source);
/* False when memory is out. */
bool probe_state_add(struct probe_state *state, enum tenf_protocol protocol, uint16_t port);
void probe_state_save(const struct probe_state *state);
void probe_state_forget(const struct probe_state *state);
void probe_state_done(struct probe_state *state);

/* The text of the file, to be freed; NULL when memory is out. Pure, as its way back,
 * which takes over nothing of a text that is not of this range, gateway and source. */
char *probe_state_text(const struct probe_state *state);
bool probe_state_read(struct probe_state *state, const char *text);

#endif
