/* SPDX-License-Identifier: MIT */
/*
 * The record of leases as text: what stands in the file, and back. Lines of
 * KEY=VALUE fields rather than JSON, because every `add` reads and writes the
 * record, and to load a JSON library costs as much as all the rest of it.
 *
 *   tenforward-leases 1 next=3
 *   id=2 protocol=tcp internal=192.168.1.20 … name=web server
 *
 * All fields of a lease are there, in this order; the name comes last and goes
 * to the end of the line. An address that is unknown is "-". Of two lines of
 * one id the later counts, so that a change is a line at the end of the file.
 * A last line without its end was never written to the end, and is nothing.
 */
#ifndef TENF_CLI_LEASE_TEXT_H
#define TENF_CLI_LEASE_TEXT_H

#include "cli/leases.h"

/* Fills `ret`, which is empty, with what can be read, oldest first, its counts of
 * lines too; TENF_E_MALFORMED, and one sentence in `why`, when anything could
 * not be read. `text` is cut up. */
TENF_CHECKED enum tenf_status lease_text_read(char *text, struct leases *ret, char *why,
					      size_t why_size);

/* 24 lower-case hexadecimal digits, and nothing else. */
TENF_CHECKED bool lease_text_nonce(const char *hex, uint8_t *ret);

/* The whole record, or the lines of what has changed alone. The caller frees it;
 * NULL when memory is out. */
char *lease_text_make(const struct leases *leases);
char *lease_text_changes(const struct leases *leases);

#endif
