/* SPDX-License-Identifier: MIT */
/*
 * Building short texts for people in a fixed buffer, without stdio. A text is
 * always terminated; what does not fit is cut and `cut` is set.
 */
#ifndef TENF_BASE_TEXT_H
#define TENF_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tenf_text {
	char *start;
	size_t used; /* without the terminator */
	size_t size; /* with the terminator, at least 1 */
	bool cut;
};

struct tenf_text tenf_text_of(char *buffer, size_t size);
void tenf_text_add(struct tenf_text *t, const char *string);
void tenf_text_add_char(struct tenf_text *t, char c);
void tenf_text_add_number(struct tenf_text *t, uint64_t number);
/* Lower-case hexadecimal, two digits an octet. */
void tenf_text_add_hex(struct tenf_text *t, const void *data, size_t len);

/* The n-th, from 0, of strings that follow one another in one literal, each but the last
 * with its own "\0"; the last stands for all that come behind. Unlike in an array of
 * pointers nothing in it has to be relocated when a program starts. */
const char *tenf_text_nth(const char *strings, unsigned n);

/* Reads decimal digits to the end of the string; false on anything else, on
 * an empty string, or above `max`. `ret` is untouched on failure. */
bool tenf_text_number(const char *string, size_t len, uint64_t max, uint64_t *ret);

#endif
