/* SPDX-License-Identifier: MIT */
#include "cli/mask.h"

#include "base/address.h"
#include "base/text.h"

#include <string.h>

/* Longest text that is looked at; those of a step are shorter. */
#define MASK_TEXT 1024

static bool is_of_address(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') ||
	       c == ':' || c == '.';
}

static const char *masked(const struct tenf_address *a)
{
	enum tenf_address_class kind = tenf_address_classify(a);

	if (tenf_address_is_loopback(a) || tenf_address_is_none(a))
		return NULL;
	if (!tenf_address_is_v4(a))
		return "x:x";
	return kind == TENF_ADDRESS_PRIVATE ? NULL : "x.x.x.x";
}

/* The longest beginning of the word that is an address: a port or the end of a
 * sentence may follow. 0 when there is none. */
static size_t address_length(const char *word, size_t len, struct tenf_address *ret)
{
	char copy[TENF_ADDRESS_TEXT];

	if (len >= sizeof(copy))
		len = sizeof(copy) - 1;
	for (; len > 1; len--) {
		memcpy(copy, word, len);
		copy[len] = '\0';
		if (tenf_address_parse(copy, ret))
			return len;
	}
	return 0;
}

void mask_addresses(char *text, size_t size)
{
	char copy[MASK_TEXT];
	struct tenf_text from = tenf_text_of(copy, sizeof(copy));
	struct tenf_text t;
	const char *at = copy;

	tenf_text_add(&from, text);
	t = tenf_text_of(text, size);
	while (*at != '\0') {
		struct tenf_address address;
		size_t word = 0, len;
		const char *mask = NULL;

		while (is_of_address(at[word]))
			word++;
		len = word > 0 ? address_length(at, word, &address) : 0;
		if (len > 0)
			mask = masked(&address);
		if (mask != NULL) {
			tenf_text_add(&t, mask);
			at += len;
			word -= len;
		}
		/* The rest of the word, and one letter that is in no address. */
		for (size_t i = 0; i < word; i++)
			tenf_text_add_char(&t, *at++);
		if (*at != '\0' && !is_of_address(*at))
			tenf_text_add_char(&t, *at++);
	}
}
