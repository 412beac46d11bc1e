/* SPDX-License-Identifier: MIT */
#include "base/span.h"

#include <string.h>

bool tenf_span_parse(const char *text, uint32_t *ret_s)
{
	static const struct {
		char letter;
		uint32_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	size_t len = strlen(text);
	uint64_t scale = 1;
	uint64_t value;

	for (size_t i = 0; len > 0 && i < TENF_ARRAY_SIZE(units); i++) {
		if (text[len - 1] == units[i].letter) {
			scale = units[i].seconds;
			len--;
			break;
		}
	}
	if (!tenf_text_number(text, len, UINT32_MAX / scale, &value))
		return false;
	*ret_s = (uint32_t)(value * scale);
	return true;
}

static void add_unit(struct tenf_text *t, uint64_t count, const char *one, const char *many)
{
	tenf_text_add_number(t, count);
	tenf_text_add_char(t, ' ');
	tenf_text_add(t, count == 1 ? one : many);
}

void tenf_span_add(struct tenf_text *t, uint64_t seconds)
{
	if (seconds < 60) {
		add_unit(t, seconds, "s", "s");
	} else if (seconds < 3600) {
		add_unit(t, seconds / 60, "min", "min");
	} else if (seconds < 86400) {
		add_unit(t, seconds / 3600, "h", "h");
		if (seconds / 60 % 60 > 0) {
			tenf_text_add_char(t, ' ');
			add_unit(t, seconds / 60 % 60, "min", "min");
		}
	} else {
		add_unit(t, seconds / 86400, "day", "days");
	}
}
