/* SPDX-License-Identifier: MIT */
/* The command `tenforward`: the real streams, the real clock, and no more. */
#include "cli/cli.h"
#include "cli/output.h"

#include <signal.h>
#include <time.h>

static int64_t wall_clock(void)
{
	return (int64_t)time(NULL);
}

int main(int argc, char **argv)
{
	static char talk[1024]; /* else each letter is a system call */
	struct cli cli = { .out = stdout,
			   .err = stderr,
			   .color_out = output_is_colored(stdout),
			   .color_err = output_is_colored(stderr),
			   .now = wall_clock };

	(void)setvbuf(stderr, talk, _IOLBF, sizeof(talk));
	/* A reader that went away is a failed write, which is told by the exit
	 * status, not a reason to die before mappings are removed. */
	(void)signal(SIGPIPE, SIG_IGN);
	return cli_main(&cli, argc, argv);
}
