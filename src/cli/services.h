/* SPDX-License-Identifier: MIT */
/*
 * Services that should not be open to the world, or only on purpose: known by
 * the program that listens, else by the port it listens on. One table; pure.
 */
#ifndef TENF_CLI_SERVICES_H
#define TENF_CLI_SERVICES_H

#include "cli/severity.h"

#include <tenforward/types.h>

struct service {
	const char *what;    /* "SSH", "a database (PostgreSQL)" */
	enum severity severity;
	const char *advice;  /* a sentence */
};

/* NULL when nothing is wrong with it. `program` is "" when it is not known; one
 * that stands in the table counts more than the port. */
const struct service *service_find(const char *program, enum tenf_protocol protocol,
				   uint16_t port);

#endif
