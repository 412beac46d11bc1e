/* SPDX-License-Identifier: MIT */
/*
 * Addresses of UPnP descriptions and controls: http, a number for the host, and
 * a path. Names are no business of a gateway on the own network, and looking
 * one up would ask somebody else. Nothing here judges whose address it is.
 */
#ifndef TENF_IGD_URL_H
#define TENF_IGD_URL_H

#include "base/address.h"
#include "base/text.h"

#define IGD_PATH 256     /* with the terminator */
#define IGD_URL_TEXT 336 /* longest text of a URL, with the terminator */

struct igd_url {
	struct tenf_endpoint at;
	char path[IGD_PATH]; /* begins with a slash */
};

/* Reads "http://ADDRESS[:PORT][/PATH]". False for anything else, among it user
 * names, characters that would end a line of HTTP, and paths too long to keep. */
TENF_CHECKED bool igd_url_parse(const char *text, size_t len, struct igd_url *ret);
/* The same, or a path on the host of `base`, as descriptions have it. */
TENF_CHECKED bool igd_url_join(const struct igd_url *base, const char *text, struct igd_url *ret);

void igd_url_write(const struct igd_url *url, struct tenf_text *t);

#endif
