/* SPDX-License-Identifier: MIT */
#include "cli/wishes.h"

#include "base/forward.h"
#include "cli/hosts.h"
#include "cli/output.h"

#include <stdlib.h>
#include <string.h>

static bool overlap(enum tenf_protocol a, enum tenf_protocol b)
{
	return a == b || a == TENF_BOTH || b == TENF_BOTH;
}

static int check_new(struct cli *cli, const struct wishes *wishes, const struct wish *wish)
{
	struct tenf_text t;
	char text[40];

	if (wishes->count >= CLI_MAX_MAPPINGS)
		return cli_usage(cli, "more than %d ports are asked for; ask for fewer at once",
				 CLI_MAX_MAPPINGS);
	for (size_t i = 0; i < wishes->count; i++) {
		const struct wish *other = &wishes->items[i];

		if (other->internal_port != wish->internal_port ||
		    !overlap(other->protocol, wish->protocol))
			continue;
		t = tenf_text_of(text, sizeof(text));
		output_forward(&t, wish->internal_port, wish->internal_port, wish->protocol);
		return cli_usage(cli, "%s is asked for twice; name each port once", text);
	}
	return CLI_EXIT_DONE;
}

static int push(struct cli *cli, struct wishes *wishes, struct wish wish)
{
	int status = check_new(cli, wishes, &wish);

	if (status != CLI_EXIT_DONE)
		return status;
	if (wishes->items == NULL)
		wishes->items = calloc(CLI_MAX_MAPPINGS, sizeof(*wishes->items));
	if (wishes->items == NULL)
		return cli_failed(cli, TENF_E_MEMORY, NULL);
	wishes->items[wishes->count++] = wish;
	return CLI_EXIT_DONE;
}

int wishes_read_word(struct cli *cli, const char *word, struct wishes *wishes)
{
	char why[256];
	struct tenf_text t = tenf_text_of(why, sizeof(why));
	struct tenf_forward f;

	if (!tenf_forward_parse(word, &f, &t))
		return cli_usage(cli, "%s", why);
	for (unsigned i = 0; i < tenf_forward_count(&f); i++) {
		struct wish wish = { .internal_port = (uint16_t)(f.internal_first + i),
				     .protocol = f.protocol };
		int status;

		if (f.external_first != 0)
			wish.external_port = (uint16_t)(f.external_first + i);
		status = push(cli, wishes, wish);
		if (status != CLI_EXIT_DONE)
			return status;
	}
	return CLI_EXIT_DONE;
}

int wishes_read_host(struct cli *cli, struct wishes *wishes)
{
	const char *host = cli->arguments.value[CLI_FOR_HOST];

	if (host == NULL)
		return CLI_EXIT_DONE;
	return hosts_address(cli, "for", host, wishes->for_host, sizeof(wishes->for_host));
}

/* The length of the UTF-8 character at `s`, 0 when there is none (RFC 3629). */
static size_t utf8_length(const unsigned char *s)
{
	static const struct {
		unsigned char mask, lead;
		size_t length;
		uint32_t least;
	} shapes[] = { { 0xe0, 0xc0, 2, 0x80 }, { 0xf0, 0xe0, 3, 0x800 },
		       { 0xf8, 0xf0, 4, 0x10000 } };

	if (s[0] < 0x80)
		return 1;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(shapes); i++) {
		uint32_t code = s[0] & (unsigned char)~shapes[i].mask;

		if ((s[0] & shapes[i].mask) != shapes[i].lead)
			continue;
		for (size_t k = 1; k < shapes[i].length; k++) {
			if ((s[k] & 0xc0) != 0x80)
				return 0;
			code = code << 6 | (s[k] & 0x3f);
		}
		if (code < shapes[i].least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
			return 0;
		return shapes[i].length;
	}
	return 0;
}

int wishes_read_name(struct cli *cli, const char **ret)
{
	const char *name = cli->arguments.value[CLI_NAME];
	const unsigned char *s = (const unsigned char *)name;

	if (name == NULL)
		return CLI_EXIT_DONE;
	if (name[0] == '\0' || strlen(name) >= TENF_DESCRIPTION_SIZE)
		return cli_usage(cli, "--name: write 1 to %d octets", TENF_DESCRIPTION_SIZE - 1);
	while (*s != '\0') {
		size_t length = utf8_length(s);

		if (length == 0 || *s < 0x20 || *s == 0x7f)
			return cli_usage(cli, "--name: write readable UTF-8, "
					 "without control characters");
		s += length;
	}
	*ret = name;
	return CLI_EXIT_DONE;
}

static int read_lifetime(struct cli *cli, uint32_t *ret_s)
{
	if (cli->arguments.value[CLI_LIFETIME] == NULL)
		return CLI_EXIT_DONE;
	return cli_read_duration(cli, CLI_LIFETIME, ret_s);
}

static int check_exact(struct cli *cli, const struct wishes *wishes)
{
	for (size_t i = 0; wishes->exact && i < wishes->count; i++) {
		if (wishes->items[i].external_port == 0)
			return cli_usage(cli, "--exact and \"any\" contradict each other; "
					 "name the external port: 80:8080/tcp");
	}
	return CLI_EXIT_DONE;
}

int wishes_read(struct cli *cli, struct wishes *ret)
{
	int status = CLI_EXIT_DONE;

	*ret = (struct wishes){ .lifetime_s = TENF_DEFAULT_LIFETIME_S,
				.exact = cli->arguments.value[CLI_EXACT] != NULL };
	for (size_t i = 0; status == CLI_EXIT_DONE && i < cli->arguments.count; i++)
		status = wishes_read_word(cli, cli->arguments.words[i], ret);
	if (status == CLI_EXIT_DONE)
		status = check_exact(cli, ret);
	if (status == CLI_EXIT_DONE)
		status = read_lifetime(cli, &ret->lifetime_s);
	if (status == CLI_EXIT_DONE)
		status = wishes_read_name(cli, &ret->name);
	if (status == CLI_EXIT_DONE)
		status = wishes_read_host(cli, ret);
	if (status == CLI_EXIT_DONE)
		status = filters_read(cli, &ret->filters);
	return status;
}

void wishes_done(struct wishes *wishes)
{
	free(wishes->items);
	wishes->items = NULL;
	wishes->count = 0;
}
