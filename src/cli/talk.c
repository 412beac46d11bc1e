/* SPDX-License-Identifier: MIT */
/* What a run says beside its data: errors, notes, details, verdicts. */
#include "cli/cli.h"

#include "cli/output.h"
#include "cli/report.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

static void say(struct cli *cli, const char *format, va_list args) TENF_PRINTF(2, 0);

/* A line longer than this comes from a word of the user's that is as long. */
static void say(struct cli *cli, const char *format, va_list args)
{
	char line[1024];

	(void)vsnprintf(line, sizeof(line), format, args);
	output_text(cli, cli->err, OUTPUT_PLAIN, line);
	putc('\n', cli->err);
}

void cli_error(struct cli *cli, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("tenforward: ", cli->err);
	say(cli, format, args);
	va_end(args);
}

int cli_usage(struct cli *cli, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("tenforward: ", cli->err);
	say(cli, format, args);
	va_end(args);
	return CLI_EXIT_USAGE;
}

void cli_note(struct cli *cli, const char *format, ...)
{
	va_list args;

	if (cli->global.quiet)
		return;
	va_start(args, format);
	say(cli, format, args);
	va_end(args);
}

void cli_detail(struct cli *cli, const char *format, ...)
{
	va_list args;

	if (!cli->global.verbose)
		return;
	va_start(args, format);
	say(cli, format, args);
	va_end(args);
}

void cli_verdict(struct cli *cli, const struct tenf_error *error)
{
	output_wrapped(cli, cli->err, OUTPUT_RED, 0, report_reason(error));
}

int cli_failed(struct cli *cli, enum tenf_status status, const struct tenf_error *error)
{
	bool told = error != NULL && (error->text[0] != '\0' || error->reason != TENF_REASON_NONE);
	const char *text = told ? report_reason(error) : tenf_status_text(status);

	if (status == TENF_E_FAILED && told)
		cli_verdict(cli, error);
	else
		cli_error(cli, "%s", text);
	return cli_exit_of_status(status, error != NULL ? error->reason : TENF_REASON_NONE);
}

bool cli_flush(struct cli *cli)
{
	errno = 0;
	if (fflush(cli->out) == 0 && !ferror(cli->out))
		return true;
	if (cli->unwritten) /* the reason is gone after the first time as well */
		return false;
	cli->unwritten = true;
	cli_error(cli, "cannot write to standard output%s%s", errno != 0 ? ": " : "",
		  errno != 0 ? strerror(errno) : "");
	return false;
}
