/* SPDX-License-Identifier: MIT */
/*
 * Secrets come from files alone: a path, or the bare name of a credential that
 * systemd put into $CREDENTIALS_DIRECTORY (LoadCredential=, SetCredential=).
 */
#ifndef TENF_AGENT_CONFIG_SECRET_H
#define TENF_AGENT_CONFIG_SECRET_H

#include "agent/config-private.h"

/* The first line of the file. False when `value` is neither a path nor a
 * credential's name; a file that cannot be read or holds no secret is complained of here. */
bool config_secret_read(struct config_reading *r, const char *value, char *ret, size_t size);

#endif
