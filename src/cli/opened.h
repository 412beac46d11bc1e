/* SPDX-License-Identifier: MIT */
/*
 * What is open at the gateway, from everybody who knows of it: the agent, the record
 * of leases, the gateway's own list, and a probe. The same mapping known by two of
 * them is one entry that names both; what one does not know the other tells. Pure:
 * who fills it asks, see opened-sources.h. The list owns its memory.
 */
#ifndef TENF_CLI_OPENED_H
#define TENF_CLI_OPENED_H

#include "base/attributes.h"
#include "base/text.h"
#include "control/shapes-read.h"

/* Of all sources together: an agent's, a record's, and a gateway's list are each
 * limited below this. */
#define OPENED_MAX 81920

/* Who knows of a mapping, the best informed first. */
enum opened_source {
	OPENED_AGENT = 1,   /* kept by the agent */
	OPENED_LEASE = 2,   /* made once by this command */
	OPENED_GATEWAY = 4, /* the ledger of a gateway of ours */
	OPENED_ROUTER = 8,  /* the list a router keeps (UPnP) */
	OPENED_PROBE = 16,  /* something is there; whose it is nobody tells */
	OPENED_DIRECT = 32, /* an address of ours that needs no translation */
};

struct opened {
	struct tenf_mapping mapping; /* external port 0: not known */
	unsigned sources;            /* enum opened_source, or-ed */
	char id[2 * SHAPE_ID_SIZE];  /* of the best informed source; "": none */
	char name[SHAPE_NAME_SIZE];  /* what we call it; "": nothing */
	char router[TENF_DESCRIPTION_SIZE]; /* what the router calls it */
	char told[SHAPE_SOURCE_SIZE];       /* how far the application was told */
	bool is_kept;                /* renewed by the agent or a process */
	char through[TENF_ADDRESS_SIZE]; /* the second router it goes through; "": none */
	bool is_endless;             /* until somebody removes it */
	json_t *shape;               /* the agent's own, borrowed; NULL: none */
	uint32_t next;               /* of the list's own */
};

struct opened_list {
	struct opened *items; /* in the order they were added */
	size_t count;
	size_t size;
	uint32_t *first;      /* of those with the same internal port */
};

/* Adds what one source knows: `opened->sources` has one bit. Becomes part of an
 * entry that other sources made of the same mapping, or an entry of its own.
 * TENF_E_MEMORY, TENF_E_LIMIT. */
TENF_CHECKED enum tenf_status opened_add(struct opened_list *list, const struct opened *opened);
void opened_done(struct opened_list *list);

/* Best informed first: the `source` of the JSON; "agent", "lease", "gateway", "igd",
 * "probe", "direct". */
const char *opened_source_code(unsigned sources);
/* "agent, router's list ("Transmission")" */
void opened_source_text(struct tenf_text *t, const struct opened *opened);
/* The shape of a mapping with "sources" and "description" beside; a new reference. */
json_t *opened_shape(const struct opened *opened);

#endif
