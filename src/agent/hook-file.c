/* SPDX-License-Identifier: MIT */
#include "agent/hook.h"

#include "agent/file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define TEXT_SIZE (2 * CONFIG_VALUE)

enum tenf_status hook_file_write(const char *path, const char *format, const struct news *news)
{
	char text[TEXT_SIZE];
	struct tenf_text t = tenf_text_of(text, sizeof(text) - 1);

	/* Without a port there is no file, as with --port-file: whoever reads it
	 * finds a port that is open, or nothing. */
	if (!news->held)
		return unlink(path) == 0 || errno == ENOENT || errno == ENOTDIR ? TENF_OK
										: TENF_E_SYSTEM;
	news_format(news, format[0] != '\0' ? format : "{external_port}", &t);
	if (t.cut) {
		errno = E2BIG;
		return TENF_E_SYSTEM;
	}
	text[t.used] = '\n';
	return file_write(path, text, t.used + 1);
}
