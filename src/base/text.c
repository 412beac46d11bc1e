/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <string.h>

struct tenf_text tenf_text_of(char *buffer, size_t size)
{
	buffer[0] = '\0';
	return (struct tenf_text){ .start = buffer, .size = size };
}

void tenf_text_add_char(struct tenf_text *t, char c)
{
	if (t->used + 1 >= t->size) {
		t->cut = true;
		return;
	}
	t->start[t->used++] = c;
	t->start[t->used] = '\0';
}

void tenf_text_add(struct tenf_text *t, const char *string)
{
	size_t len = strlen(string);
	size_t room = t->size - t->used - 1;

	if (len > room) {
		t->cut = true;
		len = room;
	}
	memcpy(t->start + t->used, string, len);
	t->used += len;
	t->start[t->used] = '\0';
}

void tenf_text_add_number(struct tenf_text *t, uint64_t number)
{
	char digits[20];
	size_t count = 0;

	do {
		digits[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	while (count > 0)
		tenf_text_add_char(t, digits[--count]);
}

void tenf_text_add_hex(struct tenf_text *t, const void *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *at = data;

	for (size_t i = 0; i < len; i++) {
		tenf_text_add_char(t, digits[at[i] >> 4]);
		tenf_text_add_char(t, digits[at[i] & 15]);
	}
}

const char *tenf_text_nth(const char *strings, unsigned n)
{
	while (n-- > 0) {
		const char *next = strings + strlen(strings) + 1;

		if (*next == '\0')
			break;
		strings = next;
	}
	return strings;
}

bool tenf_text_number(const char *string, size_t len, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (len == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned)(unsigned char)string[i] - '0';

		if (digit > 9 || value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
		if (value > max)
			return false;
	}
	*ret = value;
	return true;
}
