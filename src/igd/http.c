/* SPDX-License-Identifier: MIT */
#include "igd/http.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FIRST_SIZE 4096

void igd_http_init(struct igd_http *http)
{
	*http = (struct igd_http){ .state = IGD_HTTP_STATUS };
}

void igd_http_done(struct igd_http *http)
{
	free(http->body);
	igd_http_init(http);
}

/* ---- Lines ------------------------------------------------------------------ */

/* "HTTP/1.1 200 OK" */
static enum tenf_status take_status(struct igd_http *http)
{
	const char *code = strchr(http->line, ' ');
	uint64_t status;

	if (strncmp(http->line, "HTTP/1.", 7) != 0 || code == NULL || strlen(code) < 4 ||
	    !tenf_text_number(code + 1, 3, 999, &status))
		return TENF_E_MALFORMED;
	http->status = (int)status;
	http->state = IGD_HTTP_HEADERS;
	return TENF_OK;
}

static const char *value_of(const char *line, const char *name)
{
	size_t len = strlen(name);

	if (strncasecmp(line, name, len) != 0 || line[len] != ':')
		return NULL;
	line += len + 1;
	return line + strspn(line, " \t");
}

static enum tenf_status take_header(struct igd_http *http)
{
	const char *length = value_of(http->line, "Content-Length");
	const char *coding = value_of(http->line, "Transfer-Encoding");
	uint64_t number;

	if (coding != NULL)
		http->chunked = strncasecmp(coding, "chunked", 7) == 0;
	if (length == NULL)
		return TENF_OK;
	if (!tenf_text_number(length, strspn(length, "0123456789"), INT32_MAX, &number))
		return TENF_E_MALFORMED;
	if (number > IGD_BODY_MAX)
		return TENF_E_LIMIT;
	http->has_length = true;
	http->left = (size_t)number;
	return TENF_OK;
}

static void end_head(struct igd_http *http)
{
	if (http->status < 200) /* 100 Continue: the answer comes after it */
		http->state = IGD_HTTP_STATUS;
	else if (http->chunked)
		http->state = IGD_HTTP_CHUNK_SIZE;
	else if (!http->has_length)
		http->state = IGD_HTTP_TO_END;
	else
		http->state = http->left > 0 ? IGD_HTTP_LENGTH : IGD_HTTP_WHOLE;
}

static enum tenf_status take_chunk_size(struct igd_http *http)
{
	static const char digits[] = "0123456789abcdef";
	size_t size = 0;
	size_t at = 0;

	for (; http->line[at] != '\0' && http->line[at] != ';' && http->line[at] != ' '; at++) {
		int letter = http->line[at] >= 'A' && http->line[at] <= 'F' ? http->line[at] + 32
									    : http->line[at];
		const char *digit = strchr(digits, letter);

		if (digit == NULL)
			return TENF_E_MALFORMED;
		size = size * 16 + (size_t)(digit - digits);
		if (size > IGD_BODY_MAX)
			return TENF_E_LIMIT;
	}
	if (at == 0)
		return TENF_E_MALFORMED;
	http->left = size;
	http->state = size > 0 ? IGD_HTTP_CHUNK : IGD_HTTP_TRAILER;
	return TENF_OK;
}

static enum tenf_status take_line(struct igd_http *http)
{
	bool empty = http->line_len == 0;

	switch (http->state) {
	case IGD_HTTP_STATUS:
		return take_status(http);
	case IGD_HTTP_HEADERS:
		if (!empty)
			return take_header(http);
		end_head(http);
		return TENF_OK;
	case IGD_HTTP_CHUNK_SIZE:
		return take_chunk_size(http);
	case IGD_HTTP_CHUNK_END:
		http->state = IGD_HTTP_CHUNK_SIZE;
		return empty ? TENF_OK : TENF_E_MALFORMED;
	case IGD_HTTP_TRAILER:
		if (empty)
			http->state = IGD_HTTP_WHOLE;
		return TENF_OK;
	case IGD_HTTP_LENGTH:
	case IGD_HTTP_TO_END:
	case IGD_HTTP_CHUNK:
	case IGD_HTTP_WHOLE:
		break;
	}
	return TENF_OK;
}

/* Lines of a head count against its limit, and so do those between chunks: a
 * peer may not send headers or empty chunks for ever. */
static enum tenf_status take_octet(struct igd_http *http, char octet)
{
	enum tenf_status status;

	if (++http->head > IGD_HEAD_MAX)
		return TENF_E_LIMIT;
	if (octet != '\n') {
		if (octet == '\0')
			return TENF_E_MALFORMED;
		if (http->line_len + 1 < sizeof(http->line))
			http->line[http->line_len++] = octet;
		return TENF_OK;
	}
	if (http->line_len > 0 && http->line[http->line_len - 1] == '\r')
		http->line_len--;
	http->line[http->line_len] = '\0';
	status = take_line(http);
	http->line_len = 0;
	return status;
}

/* ---- The body --------------------------------------------------------------- */

static enum tenf_status keep(struct igd_http *http, const char *data, size_t len)
{
	size_t size = http->size > 0 ? http->size : FIRST_SIZE;
	char *grown;

	if (len > IGD_BODY_MAX - http->len)
		return TENF_E_LIMIT;
	while (size < http->len + len + 1)
		size *= 2;
	if (size > http->size) {
		grown = realloc(http->body, size);
		if (grown == NULL)
			return TENF_E_MEMORY;
		http->body = grown;
		http->size = size;
	}
	memcpy(http->body + http->len, data, len);
	http->len += len;
	http->body[http->len] = '\0';
	return TENF_OK;
}

/* Takes what belongs to the body; *ret_taken octets of it. */
static enum tenf_status take_body(struct igd_http *http, const char *data, size_t len,
				  size_t *ret_taken)
{
	size_t take = http->state == IGD_HTTP_TO_END || len < http->left ? len : http->left;

	*ret_taken = take;
	if (http->state != IGD_HTTP_TO_END) {
		http->left -= take;
		if (http->left == 0)
			http->state = http->state == IGD_HTTP_CHUNK ? IGD_HTTP_CHUNK_END
								    : IGD_HTTP_WHOLE;
	}
	return keep(http, data, take);
}

enum tenf_status igd_http_feed(struct igd_http *http, const char *data, size_t len)
{
	enum tenf_status status = TENF_OK;

	while (len > 0 && status == TENF_OK && http->state != IGD_HTTP_WHOLE) {
		bool in_body = http->state == IGD_HTTP_LENGTH || http->state == IGD_HTTP_CHUNK ||
			       http->state == IGD_HTTP_TO_END;
		size_t taken = 1;

		if (in_body)
			status = take_body(http, data, len, &taken);
		else
			status = take_octet(http, data[0]);
		data += taken;
		len -= taken;
	}
	return status;
}

enum tenf_status igd_http_close(struct igd_http *http)
{
	if (http->state == IGD_HTTP_TO_END)
		http->state = IGD_HTTP_WHOLE;
	return http->state == IGD_HTTP_WHOLE ? TENF_OK : TENF_E_TRUNCATED;
}
