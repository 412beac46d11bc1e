/* SPDX-License-Identifier: MIT */
/*
 * One HTTP answer, put together from the pieces the network brings. No socket
 * and no time here: feed it octets, and say when the peer closed. It takes no
 * more than its limits and asks nobody for more: a redirect is an answer like
 * any other, with a status that is not 200.
 *
 * The body belongs to the answer until igd_http_done().
 */
#ifndef TENF_IGD_HTTP_H
#define TENF_IGD_HTTP_H

#include "base/attributes.h"

#include <tenforward/types.h>

/* A description has a few kilobytes, a listing of a thousand mappings half a megabyte. */
#define IGD_BODY_MAX ((size_t)512 << 10)
#define IGD_HEAD_MAX 8192 /* status line and headers, 100 Continue included */
#define IGD_LINE_MAX 1024 /* of a header; what is longer is cut, never kept */

enum igd_http_state {
	IGD_HTTP_STATUS,
	IGD_HTTP_HEADERS,
	IGD_HTTP_LENGTH,   /* a body of known length */
	IGD_HTTP_TO_END,   /* until the peer closes */
	IGD_HTTP_CHUNK_SIZE,
	IGD_HTTP_CHUNK,
	IGD_HTTP_CHUNK_END,
	IGD_HTTP_TRAILER,
	IGD_HTTP_WHOLE,
};

struct igd_http {
	enum igd_http_state state;
	int status;
	char *body; /* terminated by a zero that does not count */
	size_t len;
	size_t size;
	size_t left; /* of the body or of the chunk */
	size_t head; /* octets of head so far */
	bool has_length;
	bool chunked;
	char line[IGD_LINE_MAX];
	size_t line_len;
};

void igd_http_init(struct igd_http *http);
void igd_http_done(struct igd_http *http);

/* Octets behind a whole answer are ignored. Errors: TENF_E_MALFORMED,
 * TENF_E_LIMIT, TENF_E_MEMORY; after one the answer is good for nothing. */
TENF_CHECKED enum tenf_status igd_http_feed(struct igd_http *http, const char *data, size_t len);
/* The peer closed: whole, or TENF_E_TRUNCATED. */
TENF_CHECKED enum tenf_status igd_http_close(struct igd_http *http);

#endif
