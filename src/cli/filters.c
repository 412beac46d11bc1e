/* SPDX-License-Identifier: MIT */
#include "cli/filters.h"

#include "base/address.h"
#include "base/text.h"

#include <string.h>

#define WORD_MAX 64 /* "[" 45 of an address "/128]:65535" and terminator */

/* Cuts "ADDR[/LEN][:PORT]" or "[v6[/LEN]][:PORT]" into its prefix and its port, NULL
 * for none; false when brackets are left open or something stands behind them. */
static bool split(char *word, char **ret_prefix, char **ret_port)
{
	char *colon = strchr(word, ':');
	char *end;

	*ret_prefix = word;
	*ret_port = NULL;
	if (word[0] != '[') {
		if (colon != NULL && strchr(colon + 1, ':') == NULL) {
			*colon = '\0';
			*ret_port = colon + 1;
		}
		return true;
	}
	end = strchr(word, ']');
	if (end == NULL || (end[1] != '\0' && end[1] != ':'))
		return false;
	*ret_prefix = word + 1;
	*ret_port = end[1] == ':' ? end + 2 : NULL;
	*end = '\0';
	return true;
}

static bool read_one(const char *word, size_t len, struct filters *f)
{
	char copy[WORD_MAX];
	char *prefix, *port;
	struct tenf_prefix p;
	uint64_t number = 0;
	bool v4;

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, word, len);
	copy[len] = '\0';
	if (!split(copy, &prefix, &port) || !tenf_prefix_parse(prefix, &p))
		return false;
	if (port != NULL &&
	    (!tenf_text_number(port, strlen(port), UINT16_MAX, &number) || number == 0))
		return false;
	v4 = tenf_address_is_v4(&p.address);
	if (p.length <= (v4 ? 96u : 0u))
		return false;
	f->items[f->count] = (struct tenf_filter){
		.address = tenf_address_text(&p.address, f->addresses[f->count]),
		.prefix_length = (uint8_t)(p.length - (v4 ? 96 : 0)),
		.port = (uint16_t)number,
	};
	f->count++;
	return true;
}

int filters_read(struct cli *cli, struct filters *ret)
{
	const char *at = cli->arguments.value[CLI_FILTER];

	ret->count = 0;
	while (at != NULL) {
		size_t len = strcspn(at, ",");

		if (ret->count == TENF_FILTERS_MAX)
			return cli_usage(cli, "--filter: write at most %d, with commas between",
					 TENF_FILTERS_MAX);
		if (!read_one(at, len, ret))
			return cli_usage(cli, "--filter: \"%.*s\" is not who may come in; write "
					 "198.51.100.7, 198.51.100.0/24, 198.51.100.7:443 or "
					 "[2001:db8::/32]:443", (int)len, at);
		at = at[len] == ',' ? at + len + 1 : NULL;
	}
	return CLI_EXIT_DONE;
}
