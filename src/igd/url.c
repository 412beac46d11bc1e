/* SPDX-License-Identifier: MIT */
#include "igd/url.h"

#include <string.h>
#include <strings.h>

#define HTTP_PORT 80
#define SCHEME "http://"

static bool path_is_sound(const char *path, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (path[i] <= ' ' || path[i] > '~')
			return false;
	}
	return len + 2 <= IGD_PATH; /* room for a slash before it and the terminator */
}

static bool set_path(struct igd_url *url, const char *path, size_t len)
{
	struct tenf_text t = tenf_text_of(url->path, sizeof(url->path));

	if (!path_is_sound(path, len))
		return false;
	if (len == 0 || path[0] != '/')
		tenf_text_add_char(&t, '/');
	for (size_t i = 0; i < len; i++)
		tenf_text_add_char(&t, path[i]);
	return !t.cut;
}

/* "[fe80::1%eth0]:80" loses its zone: the interface is that of the gateway. */
static bool parse_host(const char *host, size_t len, struct tenf_endpoint *ret)
{
	const char *zone = memchr(host, '%', len);
	const char *close = memchr(host, ']', len);
	char copy[TENF_ENDPOINT_TEXT];
	struct tenf_text t = tenf_text_of(copy, sizeof(copy));

	for (size_t i = 0; i < len; i++) {
		if (zone == NULL || close == NULL || host + i < zone || host + i >= close)
			tenf_text_add_char(&t, host[i]);
	}
	return !t.cut && strlen(copy) == t.used && tenf_endpoint_parse(copy, HTTP_PORT, ret);
}

bool igd_url_parse(const char *text, size_t len, struct igd_url *ret)
{
	size_t scheme = strlen(SCHEME);
	const char *host = text + scheme;
	const char *path;
	struct igd_url url;

	if (len <= scheme || strncasecmp(text, SCHEME, scheme) != 0)
		return false;
	len -= scheme;
	path = memchr(host, '/', len);
	if (path == NULL)
		path = host + len;
	if (!parse_host(host, (size_t)(path - host), &url.at) ||
	    !set_path(&url, path, len - (size_t)(path - host)))
		return false;
	*ret = url;
	return true;
}

bool igd_url_join(const struct igd_url *base, const char *text, struct igd_url *ret)
{
	size_t len = strlen(text);
	struct igd_url url = { .at = base->at };

	if (len == 0 || strncmp(text, "//", 2) == 0)
		return false;
	if (strncasecmp(text, SCHEME, strlen(SCHEME)) == 0)
		return igd_url_parse(text, len, ret);
	/* Relative to the root: what devices mean that leave the slash out. */
	if (!set_path(&url, text, len))
		return false;
	*ret = url;
	return true;
}

void igd_url_write(const struct igd_url *url, struct tenf_text *t)
{
	char host[TENF_ENDPOINT_TEXT];

	tenf_text_add(t, SCHEME);
	tenf_text_add(t, tenf_endpoint_text(&url->at, host));
	tenf_text_add(t, url->path);
}
