/* SPDX-License-Identifier: MIT */
#include "agent/config-secret.h"

#include "agent/config-values.h"
#include "agent/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool find_path(struct config_reading *r, const char *value, char *ret)
{
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");
	struct tenf_text t = tenf_text_of(ret, PATH_MAX);

	if (value[0] == '/')
		return config_path(value, ret, PATH_MAX);
	if (value[0] == '\0' || value[0] == '.' || strchr(value, '/') != NULL)
		return false;
	if (credentials == NULL) {
		config_complain(r, r->line, "there are no credentials of systemd to find ", value,
				"write a path that begins with /, or LoadCredential= in the unit");
		return true;
	}
	tenf_text_add(&t, credentials);
	tenf_text_add_char(&t, '/');
	tenf_text_add(&t, value);
	return !t.cut;
}

static const char *why_not(enum tenf_status status)
{
	if (status == TENF_E_LIMIT)
		return "it is larger than 8 KiB; write the file of the secret";
	return status == TENF_E_MEMORY ? "out of memory; try again" : strerror(errno);
}

bool config_secret_read(struct config_reading *r, const char *value, char *ret, size_t size)
{
	char path[PATH_MAX] = "";
	enum tenf_status status;
	char *text;
	size_t len;

	if (!find_path(r, value, path))
		return false;
	if (r->failed)
		return true;
	status = file_read(path, CONFIG_SECRET_SIZE_MAX, &text, &len);
	if (status != TENF_OK) {
		config_complain(r, r->line, "the secret cannot be read from ", path,
				why_not(status));
		return true;
	}
	text[strcspn(text, "\r\n")] = '\0';
	if (!config_copy(text, ret, size))
		config_complain(r, r->line, "there is no secret in ", path,
				"write it into the first line, 1023 characters at most");
	explicit_bzero(text, len);
	free(text);
	return true;
}
