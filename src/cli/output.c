/* SPDX-License-Identifier: MIT */
#include "cli/output.h"

#include "base/address.h"
#include "base/forward.h"
#include "base/span.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define GAP 2
#define OUTPUT_LINE_OCTETS (4 * OUTPUT_WIDTH + 1) /* no letter has more than four */

bool output_is_colored(FILE *stream)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (no_color != NULL && no_color[0] != '\0')
		return false;
	if (term == NULL || strcmp(term, "dumb") == 0)
		return false;
	return isatty(fileno(stream)) == 1;
}

static const char *color_code(enum output_color color)
{
	switch (color) {
	case OUTPUT_PLAIN:
		return "";
	case OUTPUT_GREEN:
		return "\033[32m";
	case OUTPUT_YELLOW:
		return "\033[33m";
	case OUTPUT_RED:
		return "\033[31m";
	}
	return "";
}

/* Octets in front of the first that steers a terminal. */
static size_t printable_length(const char *text)
{
	size_t len = 0;

	while (((unsigned char)text[len] >= 0x20 && text[len] != 0x7f) || text[len] == '\n')
		len++;
	return len;
}

void output_text(struct cli *cli, FILE *to, enum output_color color, const char *text)
{
	bool allowed = to == cli->out ? cli->color_out : cli->color_err;
	bool colored = allowed && color != OUTPUT_PLAIN;

	if (colored)
		fputs(color_code(color), to);
	while (*text != '\0') {
		size_t len = printable_length(text);

		if (len == 0)
			putc('?', to);
		else
			fwrite(text, 1, len, to);
		text += len > 0 ? len : 1;
	}
	if (colored)
		fputs("\033[0m", to);
}

/* Length in octets of what goes on a line of `width` columns. */
static size_t line_length(const char *text, size_t width)
{
	size_t word = 0, sentence = 0, columns = 0;
	size_t i;

	for (i = 0; text[i] != '\0' && text[i] != '\n'; i++) {
		columns += ((unsigned char)text[i] & 0xc0) != 0x80;
		if (columns > width + 1 || (columns > width && text[i] != ' '))
			break;
		if (text[i] != ' ')
			continue;
		word = i;
		if (i > 0 && text[i - 1] == '.')
			sentence = i;
	}
	if (text[i] == '\0' || text[i] == '\n')
		return i;
	if (sentence > 0)
		return sentence;
	return word > 0 ? word : i; /* a word that is longer than a line is cut */
}

void output_wrapped(struct cli *cli, FILE *to, enum output_color color, size_t indent,
		    const char *text)
{
	char line[OUTPUT_LINE_OCTETS];
	size_t margin = 0;

	for (;;) {
		struct tenf_text t = tenf_text_of(line, sizeof(line));
		size_t len = line_length(text, OUTPUT_WIDTH - margin);

		for (size_t i = 0; i < margin; i++)
			tenf_text_add_char(&t, ' ');
		for (size_t i = 0; i < len; i++)
			tenf_text_add_char(&t, text[i]);
		output_text(cli, to, color, line);
		putc('\n', to);
		text += len;
		text += *text == ' ' || *text == '\n';
		if (*text == '\0')
			return;
		margin = indent;
	}
}

void output_endpoint(struct tenf_text *t, const char *address, uint16_t port,
		     const char *protocol)
{
	bool v6 = strchr(address, ':') != NULL;

	if (address[0] == '\0') {
		tenf_text_add(t, "port ");
	} else {
		tenf_text_add(t, v6 ? "[" : "");
		tenf_text_add(t, address);
		tenf_text_add(t, v6 ? "]:" : ":");
	}
	tenf_text_add_number(t, port);
	if (protocol != NULL) {
		tenf_text_add_char(t, '/');
		tenf_text_add(t, protocol);
	}
}

static void add_padded(struct tenf_text *t, int number)
{
	if (number < 10)
		tenf_text_add_char(t, '0');
	tenf_text_add_number(t, (uint64_t)number);
}

void output_moment(struct tenf_text *t, int64_t now, int64_t at)
{
	time_t when = (time_t)at, today = (time_t)now, tomorrow = (time_t)(now + 86400);
	struct tm a = { 0 }, n = { 0 }, next = { 0 };

	if (localtime_r(&when, &a) == NULL || localtime_r(&today, &n) == NULL ||
	    localtime_r(&tomorrow, &next) == NULL)
		return;
	if (a.tm_year == next.tm_year && a.tm_yday == next.tm_yday) {
		tenf_text_add(t, "tomorrow ");
	} else if (a.tm_year != n.tm_year || a.tm_yday != n.tm_yday) {
		tenf_text_add_number(t, (uint64_t)(a.tm_year + 1900));
		tenf_text_add_char(t, '-');
		add_padded(t, a.tm_mon + 1);
		tenf_text_add_char(t, '-');
		add_padded(t, a.tm_mday);
		tenf_text_add_char(t, ' ');
	}
	add_padded(t, a.tm_hour);
	tenf_text_add_char(t, ':');
	add_padded(t, a.tm_min);
}

void output_clock(struct tenf_text *t, int64_t at)
{
	time_t when = (time_t)at;
	struct tm a = { 0 };

	if (localtime_r(&when, &a) == NULL)
		return;
	add_padded(t, a.tm_hour);
	tenf_text_add_char(t, ':');
	add_padded(t, a.tm_min);
	tenf_text_add_char(t, ':');
	add_padded(t, a.tm_sec);
}

void output_until(struct tenf_text *t, int64_t now, int64_t at)
{
	if (at <= now) {
		tenf_text_add(t, "now");
		return;
	}
	tenf_text_add(t, "in ");
	tenf_span_add(t, (uint64_t)(at - now));
}

void output_forward(struct tenf_text *t, uint16_t external, uint16_t internal,
		    enum tenf_protocol protocol)
{
	if (external == 0) {
		tenf_text_add(t, "any:");
	} else if (external != internal) {
		tenf_text_add_number(t, external);
		tenf_text_add_char(t, ':');
	}
	tenf_text_add_number(t, internal);
	tenf_text_add_char(t, '/');
	tenf_text_add(t, tenf_protocol_name(protocol));
}

size_t output_width(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

const char *output_class_meaning(enum tenf_address_class kind)
{
	switch (kind) {
	case TENF_ADDRESS_PRIVATE:
		return "private: your router is behind another router (double NAT)";
	case TENF_ADDRESS_CARRIER:
		return "carrier: your provider shares one address among customers (carrier NAT)";
	case TENF_ADDRESS_NONE:
	case TENF_ADDRESS_PUBLIC:
		break;
	}
	return NULL;
}

enum tenf_address_class output_class_of(const char *address)
{
	struct tenf_address parsed;

	if (!tenf_address_parse(address, &parsed))
		return TENF_ADDRESS_NONE;
	return tenf_address_classify(&parsed);
}

char (*output_table_row(struct output_table *table))[OUTPUT_CELL]
{
	char (*cells)[OUTPUT_CELL];
	size_t used = table->rows * table->columns;

	cells = reallocarray(table->cells, used + table->columns, sizeof(*cells));
	if (cells == NULL) {
		table->failed = true;
		return NULL;
	}
	table->cells = cells;
	table->rows++;
	memset(cells + used, 0, table->columns * sizeof(*cells));
	return cells + used;
}

/* What is a little too wide for a line stands closer together. */
static size_t gap_of(const struct output_table *table, const size_t *widths)
{
	size_t all = GAP * (table->columns - 1);

	for (size_t c = 0; c < table->columns; c++)
		all += widths[c];
	return all > OUTPUT_WIDTH ? 1 : GAP;
}

/* What is too wide even so is continued, indented, on the next. */
static void print_row(struct cli *cli, const struct output_table *table, size_t row,
		      const size_t *widths, size_t gap)
{
	char (*cells)[OUTPUT_CELL] = table->cells + row * table->columns;
	size_t last = table->columns - 1, at = 0, blanks = 0;

	while (last > 0 && cells[last][0] == '\0')
		last--;
	for (size_t c = 0; c <= last; c++) {
		if (at > 0 && at + gap + widths[c] > OUTPUT_WIDTH) {
			fputs("\n    ", cli->out);
			at = 4;
			blanks = 0;
		}
		for (; blanks > 0; blanks--)
			putc(' ', cli->out);
		output_text(cli, cli->out, OUTPUT_PLAIN, cells[c]);
		blanks = widths[c] + gap - output_width(cells[c]);
		at += widths[c] + (at > 0 ? gap : 0);
	}
	putc('\n', cli->out);
}

void output_table_print(struct cli *cli, const struct output_table *table)
{
	size_t widths[OUTPUT_COLUMNS] = { 0 };

	if (table->failed) {
		cli_error(cli, "out of memory");
		return;
	}
	for (size_t row = 0; row < table->rows; row++) {
		for (size_t c = 0; c < table->columns; c++) {
			size_t width = output_width(table->cells[row * table->columns + c]);

			if (width > widths[c])
				widths[c] = width;
		}
	}
	for (size_t row = 0; row < table->rows; row++)
		print_row(cli, table, row, widths, gap_of(table, widths));
}

void output_table_done(struct output_table *table)
{
	free(table->cells);
	*table = (struct output_table){ .columns = table->columns };
}
