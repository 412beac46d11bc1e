/* SPDX-License-Identifier: MIT */
#include "cli/port-file.h"

#include "base/text.h"
#include "files/whole-file.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_ROOM 6 /* "65535\n" */

static bool is_second(const struct batch *batch, size_t at)
{
	return at > 0 && batch->halves[at].pair != 0 &&
	       batch->halves[at - 1].id == batch->halves[at].pair;
}

int port_file_check(struct cli *cli, const char *path)
{
	struct stat there;

	if (path == NULL)
		return CLI_EXIT_DONE;
	if (path[0] == '\0' || (stat(path, &there) == 0 && !S_ISREG(there.st_mode)))
		return cli_usage(cli, "--port-file: \"%s\" is no plain file; name one that may be "
				 "replaced", path);
	return CLI_EXIT_DONE;
}

enum tenf_status port_file_write(const char *path, const struct batch *batch)
{
	size_t size = batch->count * LINE_ROOM + 1;
	char *text = malloc(size);
	struct tenf_text t;
	enum tenf_status status;
	bool any = false;

	if (text == NULL) {
		errno = ENOMEM;
		return TENF_E_MEMORY;
	}
	t = tenf_text_of(text, size);
	for (size_t i = 0; i < batch->count; i++) {
		const struct half *half = &batch->halves[i];
		bool held = half_is_held(half);

		if (is_second(batch, i))
			continue;
		any = any || held;
		tenf_text_add_number(&t, held ? half->mapping.external_port : 0);
		tenf_text_add_char(&t, '\n');
	}
	if (any)
		status = whole_file_write(path, text, t.used, 0644);
	else
		status = unlink(path) == 0 || errno == ENOENT ? TENF_OK : TENF_E_SYSTEM;
	free(text);
	return status;
}
