/* SPDX-License-Identifier: MIT */
#include "agent/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define LINE_SIZE 2048

TENF_PRINTF(2, 0)
static void write_line(const char *priority, const char *format, va_list arguments)
{
	char line[LINE_SIZE];

	(void)vsnprintf(line, sizeof(line), format, arguments);
	for (char *at = line; *at != '\0'; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = ' ';
	}
	fprintf(stderr, "%s%s\n", getenv("JOURNAL_STREAM") != NULL ? priority : "", line);
}

void log_note(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_line("<6>", format, arguments);
	va_end(arguments);
}

void log_warning(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_line("<4>", format, arguments);
	va_end(arguments);
}
