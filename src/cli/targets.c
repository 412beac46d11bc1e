/* SPDX-License-Identifier: MIT */
#include "cli/targets.h"

#include "base/address.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static bool has_target(const struct targets *r, uint64_t number)
{
	for (size_t i = 0; i < r->count; i++) {
		if (r->items[i].lease.number == number)
			return true;
	}
	return false;
}

static enum tenf_status push(struct targets *r, const struct lease *lease)
{
	struct target *items;

	if (lease->number != 0 && has_target(r, lease->number))
		return TENF_OK;
	if (r->count >= TARGETS_MAX)
		return TENF_E_LIMIT;
	items = reallocarray(r->items, r->count + 1, sizeof(*items));
	if (items == NULL)
		return TENF_E_MEMORY;
	r->items = items;
	items[r->count++] = (struct target){ .lease = *lease };
	return TENF_OK;
}

/* Whether --gateway, when it is given, names the gateway of this lease. */
static bool at_gateway(const struct cli *cli, const struct lease *lease)
{
	const char *given = cli->global.ask.gateway;
	struct tenf_endpoint wanted;
	char text[TENF_ADDRESS_TEXT];

	if (given == NULL)
		return true;
	if (!tenf_endpoint_parse(given, TENF_DEFAULT_PORT, &wanted))
		return strcmp(given, lease->mapping.gateway) == 0;
	return wanted.port == lease->mapping.gateway_port &&
	       strcmp(tenf_address_text(&wanted.address, text), lease->mapping.gateway) == 0;
}

static bool for_host(const struct targets *r, const struct lease *lease)
{
	if (r->wishes.for_host[0] == '\0')
		return !lease->for_other;
	return strcmp(r->wishes.for_host, lease->mapping.internal_address) == 0;
}

/* Deletes of one protocol: what is on record, else a plain one. */
static enum tenf_status target_port(struct cli *cli, struct targets *r, const struct wish *wish,
				    enum tenf_protocol protocol)
{
	struct lease plain = { .for_other = r->wishes.for_host[0] != '\0' };
	bool known = false;

	for (size_t i = 0; i < r->leases.count; i++) {
		const struct lease *lease = &r->leases.items[i];
		enum tenf_status status;

		if (lease->mapping.protocol != protocol ||
		    lease->mapping.internal_port != wish->internal_port ||
		    !for_host(r, lease) || !at_gateway(cli, lease))
			continue;
		known = true;
		status = push(r, lease);
		if (status != TENF_OK)
			return status;
	}
	if (known)
		return TENF_OK;
	plain.mapping.protocol = protocol;
	plain.mapping.internal_port = wish->internal_port;
	memcpy(plain.mapping.internal_address, r->wishes.for_host, TENF_ADDRESS_SIZE);
	return push(r, &plain);
}

static int target_words(struct cli *cli, struct targets *r)
{
	enum tenf_status status = TENF_OK;

	for (size_t i = 0; status == TENF_OK && i < r->wishes.count; i++) {
		const struct wish *wish = &r->wishes.items[i];

		if (wish->protocol != TENF_UDP)
			status = target_port(cli, r, wish, TENF_TCP);
		if (status == TENF_OK && wish->protocol != TENF_TCP)
			status = target_port(cli, r, wish, TENF_UDP);
	}
	return status == TENF_OK ? CLI_EXIT_DONE : cli_failed(cli, status, NULL);
}

static bool parse_id(const char *word, uint64_t *ret)
{
	return word[0] == 'm' && tenf_text_number(word + 1, strlen(word + 1), INT64_MAX, ret);
}

static int target_id(struct cli *cli, struct targets *r, const char *word, uint64_t number)
{
	const struct lease *lease = leases_find(&r->leases, number);
	enum tenf_status status;

	if (lease == NULL)
		return cli_usage(cli, "no mapping %s is recorded; see: tenforward list", word);
	if (!at_gateway(cli, lease))
		return cli_usage(cli, "%s is at the gateway %s, not at %s", word,
				 lease->mapping.gateway, cli->global.ask.gateway);
	status = push(r, lease);
	return status == TENF_OK ? CLI_EXIT_DONE : cli_failed(cli, status, NULL);
}

static int target_all(struct cli *cli, struct targets *r)
{
	enum tenf_status status = TENF_OK;

	if (cli->arguments.count > 0)
		return cli_usage(cli, "--all and \"%s\" contradict each other; write one of them",
				 cli->arguments.words[0]);
	for (size_t i = 0; status == TENF_OK && i < r->leases.count; i++) {
		if (at_gateway(cli, &r->leases.items[i]))
			status = push(r, &r->leases.items[i]);
	}
	if (status == TENF_OK && r->count == 0 && r->leases.count > 0)
		cli_note(cli, "No mappings at %s are recorded; see: tenforward list",
			 cli->global.ask.gateway);
	else if (status == TENF_OK && r->count == 0)
		cli_note(cli, "No mappings are recorded; nothing to remove.");
	return status == TENF_OK ? CLI_EXIT_DONE : cli_failed(cli, status, NULL);
}

static int find(struct cli *cli, struct targets *r)
{
	int status = wishes_read_host(cli, &r->wishes);

	if (status != CLI_EXIT_DONE)
		return status;
	if (cli->arguments.value[CLI_ALL] != NULL)
		return target_all(cli, r);
	if (cli->arguments.count == 0)
		return cli_usage(cli, "remove needs more: tenforward remove MAPPING…|ID…|--all");
	for (size_t i = 0; status == CLI_EXIT_DONE && i < cli->arguments.count; i++) {
		const char *word = cli->arguments.words[i];
		uint64_t number;

		status = parse_id(word, &number) ? target_id(cli, r, word, number)
						 : wishes_read_word(cli, word, &r->wishes);
	}
	return status == CLI_EXIT_DONE ? target_words(cli, r) : status;
}

int targets_find(struct cli *cli, struct targets *ret)
{
	*ret = (struct targets){ .count = 0 };
	leases_read(cli, &ret->leases);
	return find(cli, ret);
}

void targets_done(struct targets *targets)
{
	free(targets->items);
	targets->items = NULL;
	wishes_done(&targets->wishes);
	leases_done(&targets->leases);
}
