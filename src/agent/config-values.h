/* SPDX-License-Identifier: MIT */
/*
 * Values of configuration keys: text to what it means. Each is false for text
 * that is no such value, and leaves its output untouched then; what would be
 * right stands in the table of keys.
 */
#ifndef TENF_AGENT_CONFIG_VALUES_H
#define TENF_AGENT_CONFIG_VALUES_H

#include "agent/config.h"

bool config_yes_no(const char *text, bool *ret);
bool config_copy(const char *text, char *ret, size_t size);
/* Begins with "/". */
bool config_path(const char *text, char *ret, size_t size);
/* Letters, digits and marks; no blanks, no control characters. */
bool config_name(const char *text, char *ret, size_t size);
bool config_interface(const char *text, char *ret);
/* A name without "/", or a path that begins with it; shorter than AGENT_NAMESPACE. */
bool config_namespace(const char *text, char *ret);
/* "ADDR" or "ADDR:PORT"; written back without the port when it is the usual one. */
bool config_gateway(const char *text, char *ret);
/* "auto" or a list of "pcp", "natpmp", "igd". */
bool config_methods(const char *text, unsigned *ret);
/* The address of another host. */
bool config_host(const char *text, char *ret);
/* "ADDR:PORT", the port said. */
bool config_listen(const char *text, char *ret, size_t size);
/* A list of event names; "all" is 0. */
bool config_events(const char *text, unsigned *ret);
/* http:// or https:// with a host; not longer than `size`. */
bool config_url(const char *text, char *ret, size_t size);
/* "user:password@" before the host of a URL. */
bool config_url_has_secret(const char *text);
/* Braces hold names of fields that exist. */
bool config_format(const char *text, char *ret, size_t size);

/* The next word of a list with commas or blanks between; false at the end. */
bool config_next_word(const char **text, char *ret, size_t size);

#endif
