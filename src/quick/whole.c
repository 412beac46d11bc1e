/* SPDX-License-Identifier: MIT */
#include "quick/whole.h"

#include "cli/handed-over.h"
#include "files/beside.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* From the folder this program is in, wherever it was installed or built. */
#define BESIDE "../libexec/tenforward/tenforward"

int whole_become(struct cli *cli, char **argv, uint32_t asked_ms)
{
	char path[PATH_MAX];
	char told[HANDED_OVER_SIZE];

	if (asked_ms > 0) {
		handed_over_write(asked_ms, cli->nonce, told);
		if (setenv(HANDED_OVER, told, 1) != 0)
			return cli_failed(cli, TENF_E_MEMORY, NULL);
	}
	if (!beside_program(BESIDE, X_OK, path, sizeof(path)))
		(void)strcpy(path, WHOLE_COMMAND);
	(void)execv(path, argv);
	cli_error(cli, "cannot start %s, which does this: %s; install tenforward again", path,
		  strerror(errno));
	return CLI_EXIT_FAILURE;
}
