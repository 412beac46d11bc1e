/* SPDX-License-Identifier: MIT */
/*
 * Decisions for the journal of systemd, with fields that it can be searched for
 * (journalctl TENFORWARD_CLIENT=192.168.1.20). Spoken is its native protocol, a datagram of
 * NAME=value lines, and nobody ever waits: what the journal does not take now is
 * for the caller to write elsewhere.
 */
#ifndef TENF_GATEWAY_JOURNAL_H
#define TENF_GATEWAY_JOURNAL_H

#include "base/attributes.h"
#include "base/text.h"
#include "gateway/responder.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define JOURNAL_ENTRY_MAX 1024 /* octets */

/* A socket to speak by; -1 when what is written to `fd` does not go to the journal,
 * which `stream` tells ("DEVICE:INODE", systemd's JOURNAL_STREAM; or NULL). The caller's. */
int journal_open(const char *stream, int fd);

/* One decision, with `line` as its message, to the journal that listens at `path`.
 * False when it did not take it. */
TENF_CHECKED bool journal_send(int fd, const char *path, const char *line,
			       const struct responder_record *record, const char *rule_name);

#endif
