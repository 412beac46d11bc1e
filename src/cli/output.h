/* SPDX-License-Identifier: MIT */
/*
 * What people read: mappings and gateways as sentences, and tables. Colour is
 * sparing and only on a terminal; nothing is said by colour alone. JSON is
 * json.h's.
 */
#ifndef TENF_CLI_OUTPUT_H
#define TENF_CLI_OUTPUT_H

#include "base/text.h"
#include "cli/cli.h"

#define OUTPUT_WIDTH 100 /* no line is wider */

enum output_color { OUTPUT_PLAIN, OUTPUT_GREEN, OUTPUT_YELLOW, OUTPUT_RED };

/* True when this stream may be coloured: a terminal, NO_COLOR unset or empty. */
bool output_is_colored(FILE *stream);
/* Writes `text`, in a colour where the stream may be; control characters, which a
 * gateway or a damaged file could smuggle in, are shown as '?'. */
void output_text(struct cli *cli, FILE *to, enum output_color color, const char *text);

/* The same on lines of at most 100 columns, `indent` blanks before each but the
 * first, with the end of the last. A line ends behind a sentence if it can. */
void output_wrapped(struct cli *cli, FILE *to, enum output_color color, size_t indent,
		    const char *text);

/* "203.0.113.7:80/tcp", "[2001:db8::1]:80/udp"; without a protocol when NULL;
 * "port 80/tcp" while the address is unknown. */
void output_endpoint(struct tenf_text *t, const char *address, uint16_t port,
		     const char *protocol);
/* "15:04" today, "tomorrow 15:04", "2026-11-30 15:04", in local time. */
void output_moment(struct tenf_text *t, int64_t now, int64_t at);
/* "14:02:11" */
void output_clock(struct tenf_text *t, int64_t at);
/* "in 58 min", "now" */
void output_until(struct tenf_text *t, int64_t now, int64_t at);
/* "8080/tcp", "80:8080/tcp", "any:8080/both", "6881-6889/udp" */
void output_forward(struct tenf_text *t, uint16_t external, uint16_t internal,
		    enum tenf_protocol protocol);
/* Length on the screen: UTF-8 characters, not octets. */
size_t output_width(const char *text);

/* What an address that the internet cannot reach means; NULL when it can. */
const char *output_class_meaning(enum tenf_address_class kind);
enum tenf_address_class output_class_of(const char *address);

#define OUTPUT_CELL 160
#define OUTPUT_COLUMNS 9

/* Rows of cells; the caller frees with output_table_done(). */
struct output_table {
	size_t columns;
	size_t rows;
	char (*cells)[OUTPUT_CELL];
	bool failed; /* out of memory: the table prints nothing */
};

/* A new row: `columns` empty cells; NULL when memory is out. */
char (*output_table_row(struct output_table *table))[OUTPUT_CELL];
void output_table_print(struct cli *cli, const struct output_table *table);
void output_table_done(struct output_table *table);

#endif
