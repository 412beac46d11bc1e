/* SPDX-License-Identifier: MIT */
/* The command `tenforward`. */
#include "cli/cli.h"
#include "cli/handed-over.h"
#include "cli/process.h"

int main(int argc, char **argv)
{
	struct cli cli;

	process_begin(&cli);
	handed_over_take(&cli);
	return cli_main(&cli, argc, argv);
}
