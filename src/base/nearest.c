/* SPDX-License-Identifier: MIT */
#include "base/nearest.h"

#include <string.h>

#define WORD_MAX 24  /* no known word is longer */
#define NEAR_ENOUGH 2 /* letters added, dropped or exchanged */

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Levenshtein's distance, one row of the matrix at a time. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t row[WORD_MAX + 1];

	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t above = row[j];
			size_t change = diagonal + (a[i - 1] != b[j - 1]);

			row[j] = least(change, above + 1, row[j - 1] + 1);
			diagonal = above;
		}
	}
	return row[b_len];
}

struct tenf_nearest tenf_nearest_to(const char *word, size_t len)
{
	return (struct tenf_nearest){ .word = word, .len = len, .distance = NEAR_ENOUGH + 1 };
}

void tenf_nearest_try(struct tenf_nearest *near, const char *known)
{
	size_t known_len = strlen(known);
	size_t d;

	if (near->len > WORD_MAX || known_len > WORD_MAX)
		return;
	d = distance(near->word, near->len, known, known_len);
	/* Two changes in a word of two letters make any other word. */
	if (d < near->distance && d < near->len) {
		near->distance = d;
		near->best = known;
	}
}
