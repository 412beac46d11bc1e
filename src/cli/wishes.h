/* SPDX-License-Identifier: MIT */
/*
 * What the words and options of add, keep and run wish for: ranges spread to
 * single ports, checked against each other, at most CLI_MAX_MAPPINGS.
 */
#ifndef TENF_CLI_WISHES_H
#define TENF_CLI_WISHES_H

#include "cli/filters.h"

struct wish {
	uint16_t internal_port;
	uint16_t external_port; /* 0: any */
	enum tenf_protocol protocol;
};

struct wishes {
	struct wish *items;
	size_t count;
	uint32_t lifetime_s;
	bool exact;
	const char *name;                 /* NULL: none */
	char for_host[TENF_ADDRESS_SIZE]; /* "": this host */
	struct filters filters;           /* of each of them */
};

/* Reads cli->arguments; exit status, with a message. Done with wishes_done(),
 * after a failure too. */
int wishes_read(struct cli *cli, struct wishes *ret);
/* The words alone: what `remove` and `raw` take. */
int wishes_read_word(struct cli *cli, const char *word, struct wishes *wishes);
int wishes_read_host(struct cli *cli, struct wishes *wishes);
int wishes_read_name(struct cli *cli, const char **ret);
void wishes_done(struct wishes *wishes);

#endif
