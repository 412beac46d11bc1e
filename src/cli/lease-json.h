/* SPDX-License-Identifier: MIT */
/* The record of leases as JSON: what stands in the file, and back. */
#ifndef TENF_CLI_LEASE_JSON_H
#define TENF_CLI_LEASE_JSON_H

#include "cli/leases.h"

#include <jansson.h>

/* Appends what can be read to `ret`; TENF_E_MALFORMED, and one sentence in
 * `why`, when anything could not. */
TENF_CHECKED enum tenf_status lease_json_read(const json_t *root, struct leases *ret, char *why,
					      size_t why_size);

/* A new reference, NULL when memory is out. */
json_t *lease_json_make(const struct leases *leases);

#endif
