/* SPDX-License-Identifier: MIT */
#include "cli/targets.h"

#include "base/address.h"
#include "base/forward.h"
#include "base/text.h"
#include "cli/through.h"

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

static enum tenf_status grow(struct targets *r)
{
	size_t size = r->size == 0 ? 16 : 2 * r->size;
	struct target *items;

	if (r->count >= TARGETS_MAX)
		return TENF_E_LIMIT;
	if (r->count < r->size)
		return TENF_OK;
	items = reallocarray(r->items, size, sizeof(*items));
	if (items == NULL)
		return TENF_E_MEMORY;
	r->items = items;
	r->size = size;
	return TENF_OK;
}

static enum tenf_status push(struct targets *r, const struct lease *lease)
{
	const struct lease *hop;
	enum tenf_status status;

	if (lease->number != 0 && has_target(r, lease->number))
		return TENF_OK;
	status = grow(r);
	if (status != TENF_OK)
		return status;
	r->items[r->count++] = (struct target){ .lease = *lease };
	/* Both hops of a mapping through two routers go together. */
	hop = lease->number != 0 ? through_hop(&r->leases, lease) : NULL;
	return hop != NULL ? push(r, hop) : TENF_OK;
}

/* ---- The agent's ------------------------------------------------------------ */

static bool is_held_target(const struct targets *r, const char *id)
{
	for (size_t i = 0; i < r->count; i++) {
		if (strcmp(r->items[i].held, id) == 0)
			return true;
	}
	return false;
}

static enum tenf_status push_one(struct targets *r, const struct agent_mapping *one)
{
	enum tenf_status status = grow(r);
	struct target *target;
	struct tenf_text t;

	if (status != TENF_OK)
		return status;
	target = &r->items[r->count++];
	*target = (struct target){ .lease = { .mapping = one->mapping } };
	t = tenf_text_of(target->held, sizeof(target->held));
	tenf_text_add(&t, one->tag.id);
	t = tenf_text_of(target->lease.name, sizeof(target->lease.name));
	tenf_text_add(&t, one->tag.name);
	return TENF_OK;
}

/* The agent gives up a pair as a whole: both halves are targets. */
static enum tenf_status push_held(struct targets *r, const struct agent_mapping *named)
{
	size_t stem = agent_id_stem(named->tag.id);
	enum tenf_status status = TENF_OK;

	if (is_held_target(r, named->tag.id))
		return TENF_OK;
	for (size_t i = 0; status == TENF_OK && i < r->agent->count; i++) {
		const char *id = r->agent->items[i].tag.id;

		if (agent_id_stem(id) == stem && strncmp(id, named->tag.id, stem) == 0)
			status = push_one(r, &r->agent->items[i]);
	}
	return status;
}

/* "m7" names both of "m7t" and "m7u"; NULL when the agent has none of it. */
static const struct agent_mapping *find_held(const struct targets *r, const char *word)
{
	for (size_t i = 0; i < r->agent->count; i++) {
		const char *id = r->agent->items[i].tag.id;
		size_t stem = agent_id_stem(id);

		if (strcmp(id, word) == 0 ||
		    (strlen(word) == stem && strncmp(id, word, stem) == 0))
			return &r->agent->items[i];
	}
	return NULL;
}

/* ---- Words ------------------------------------------------------------------- */

static bool has_name(const char *has, const char *wanted)
{
	return wanted == NULL || (has != NULL && strcmp(has, wanted) == 0);
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

static bool agent_at_gateway(const struct cli *cli, const struct tenf_mapping *m)
{
	const char *given = cli->global.ask.gateway;
	struct tenf_endpoint wanted;
	char text[TENF_ADDRESS_TEXT];

	if (given == NULL || m->gateway[0] == '\0')
		return true;
	if (!tenf_endpoint_parse(given, TENF_DEFAULT_PORT, &wanted))
		return strcmp(given, m->gateway) == 0;
	return strcmp(tenf_address_text(&wanted.address, text), m->gateway) == 0;
}

/* What the agent keeps for the port; *ret_known says whether there was any. */
static enum tenf_status target_held(struct cli *cli, struct targets *r, const struct wish *wish,
				    enum tenf_protocol protocol, bool *ret_known)
{
	for (size_t i = 0; i < r->agent->count; i++) {
		const struct tenf_mapping *m = &r->agent->items[i].mapping;
		enum tenf_status status;

		if (m->protocol != protocol || m->internal_port != wish->internal_port ||
		    !agent_at_gateway(cli, m) ||
		    (r->wishes.for_host[0] != '\0' &&
		     strcmp(r->wishes.for_host, m->internal_address) != 0))
			continue;
		*ret_known = true;
		status = push_held(r, &r->agent->items[i]);
		if (status != TENF_OK)
			return status;
	}
	return TENF_OK;
}

/* Deletes of one protocol: what is held or on record, else a plain one. */
static enum tenf_status target_port(struct cli *cli, struct targets *r, const struct wish *wish,
				    enum tenf_protocol protocol)
{
	struct lease plain = { .for_other = r->wishes.for_host[0] != '\0' };
	bool known = false;
	enum tenf_status status = target_held(cli, r, wish, protocol, &known);

	for (size_t i = 0; status == TENF_OK && i < r->leases.count; i++) {
		const struct lease *lease = &r->leases.items[i];

		if (lease->mapping.protocol != protocol ||
		    lease->mapping.internal_port != wish->internal_port ||
		    !for_host(r, lease) || !at_gateway(cli, lease))
			continue;
		known = true;
		status = push(r, lease);
	}
	if (known || status != TENF_OK)
		return status;
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

/* "m7" of either, "m7t" of the agent alone: a lease has no halves. */
static bool parse_id(const char *word, uint64_t *ret)
{
	size_t stem = agent_id_stem(word);

	return word[0] == 'm' && tenf_text_number(word + 1, stem - 1, INT64_MAX, ret);
}

static int target_held_id(struct cli *cli, struct targets *r, const char *word,
			  const struct agent_mapping *held)
{
	enum tenf_status status;

	if (!agent_at_gateway(cli, &held->mapping))
		return cli_usage(cli, "%s is at the gateway %s, not at %s", word,
				 held->mapping.gateway, cli->global.ask.gateway);
	status = push_held(r, held);
	return status == TENF_OK ? CLI_EXIT_DONE : cli_failed(cli, status, NULL);
}

static int target_id(struct cli *cli, struct targets *r, const char *word, uint64_t number)
{
	bool is_half = word[agent_id_stem(word)] != '\0';
	const struct agent_mapping *held = find_held(r, word);
	const struct lease *lease = is_half ? NULL : leases_find(&r->leases, number);
	enum tenf_status status;

	if (held != NULL && lease != NULL)
		return cli_usage(cli, "the agent and the record of leases each have a mapping %s; "
				 "name it by its port, or the lease with --direct", word);
	if (held != NULL)
		return target_held_id(cli, r, word, held);
	if (lease == NULL)
		return cli_usage(cli, "no mapping %s is recorded; see: tenforward list", word);
	if (!at_gateway(cli, lease))
		return cli_usage(cli, "%s is at the gateway %s, not at %s", word,
				 lease->mapping.gateway, cli->global.ask.gateway);
	status = push(r, lease);
	return status == TENF_OK ? CLI_EXIT_DONE : cli_failed(cli, status, NULL);
}

/* What has this name at the gateway asked, or everything there (NULL). */
static enum tenf_status push_named(struct cli *cli, struct targets *r, const char *name)
{
	enum tenf_status status = TENF_OK;

	for (size_t i = 0; status == TENF_OK && i < r->agent->count; i++) {
		const struct agent_mapping *held = &r->agent->items[i];

		if (agent_at_gateway(cli, &held->mapping) && has_name(held->tag.name, name))
			status = push_one(r, held);
	}
	for (size_t i = 0; status == TENF_OK && i < r->leases.count; i++) {
		const struct lease *lease = &r->leases.items[i];

		if (at_gateway(cli, lease) && has_name(lease->name, name))
			status = push(r, lease);
	}
	return status;
}

static int target_all(struct cli *cli, struct targets *r)
{
	enum tenf_status status;

	if (cli->arguments.count > 0)
		return cli_usage(cli, "--all and \"%s\" contradict each other; write one of them",
				 cli->arguments.words[0]);
	status = push_named(cli, r, NULL);
	if (status == TENF_OK && r->count == 0 && r->leases.count > 0)
		cli_note(cli, "No mappings at %s are recorded; see: tenforward list",
			 cli->global.ask.gateway);
	else if (status == TENF_OK && r->count == 0)
		cli_note(cli, "No mappings are recorded; nothing to remove.");
	return status == TENF_OK ? CLI_EXIT_DONE : cli_failed(cli, status, NULL);
}

/* An id, or a mapping where it could be one, or else a name. */
static int target_word(struct cli *cli, struct targets *r, const char *word)
{
	struct tenf_forward ignored;
	size_t before = r->count;
	enum tenf_status status;
	uint64_t number;

	if (parse_id(word, &number))
		return target_id(cli, r, word, number);
	if (tenf_forward_parse(word, &ignored, NULL))
		return wishes_read_word(cli, word, &r->wishes);
	status = push_named(cli, r, word);
	if (status != TENF_OK)
		return cli_failed(cli, status, NULL);
	if (r->count > before)
		return CLI_EXIT_DONE;
	if (strcspn(word, "0123456789:/") == strlen(word)) /* a name, most likely */
		return cli_usage(cli, "nothing has the name \"%s\"; see: tenforward list", word);
	return wishes_read_word(cli, word, &r->wishes);
}

static int find(struct cli *cli, struct targets *r)
{
	int status = wishes_read_host(cli, &r->wishes);

	if (status != CLI_EXIT_DONE)
		return status;
	if (cli->arguments.value[CLI_ALL] != NULL)
		return target_all(cli, r);
	if (cli->arguments.count == 0)
		return cli_usage(cli, "remove needs more: "
				 "tenforward remove MAPPING…|ID…|NAME…|--all");
	for (size_t i = 0; status == CLI_EXIT_DONE && i < cli->arguments.count; i++)
		status = target_word(cli, r, cli->arguments.words[i]);
	return status == CLI_EXIT_DONE ? target_words(cli, r) : status;
}

int targets_find(struct cli *cli, const struct agent_mappings *agent, struct targets *ret)
{
	*ret = (struct targets){ .agent = agent };
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
