/* SPDX-License-Identifier: MIT */
/* gateway: what an administrator asks a gateway of ours. */
#include "cli/gateway.h"

#include "cli/output.h"
#include "cli/verbs.h"

#include <string.h>

#define MANY SIZE_MAX

static int check_config(struct cli *cli, struct remote *remote)
{
	(void)remote;
	return daemon_check_config(cli, "gateway", "tenforward-gatewayd");
}

static const struct word {
	const char *name;
	const char *takes; /* for messages */
	size_t min_words;  /* behind it */
	size_t max_words;
	bool offline;      /* asks no running daemon */
	int (*run)(struct cli *cli, struct remote *remote);
} words[] = {
	{ "list", "nothing more", 0, 0, false, gateway_list },
	{ "revoke", "IDs such as m7, or external ports such as 443/tcp", 1, MANY, false,
	  gateway_revoke },
	{ "pending", "nothing more", 0, 0, false, gateway_pending },
	{ "approve", "IDs such as p7", 1, MANY, false, gateway_approve },
	{ "deny", "IDs such as p7", 1, MANY, false, gateway_deny },
	{ "history", "nothing more, but --since, --client and --port", 0, 0, false,
	  gateway_history },
	{ "explain", "a client's address, a MAPPING such as 443/tcp, and a MAC if you like", 2, 3,
	  false, gateway_explain },
	{ "fault", "KEY=VALUE…, none, or nothing to show what is set", 0, MANY, false,
	  gateway_fault },
	{ "check-config", "a FILE, or nothing for the default one", 0, 1, true, check_config },
};

const char *gateway_words(void)
{
	return "list revoke pending approve deny history explain fault check-config";
}

void gateway_print_words(FILE *to)
{
	fputs("\nWords:\n", to);
	for (size_t i = 0; i < TENF_ARRAY_SIZE(words); i++)
		fprintf(to, "  %-13s takes %s\n", words[i].name, words[i].takes);
}

const char *gateway_text(const json_t *shape, const char *key, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(shape, key));

	return text != NULL && text[0] != '\0' ? text : otherwise;
}

void gateway_remote_text(struct tenf_text *t, const json_t *mapping)
{
	const char *address = gateway_text(mapping, "remote_address", "");
	json_int_t port = json_integer_value(json_object_get(mapping, "remote_port"));

	if (address[0] == '\0' || port <= 0 || port > UINT16_MAX)
		return;
	tenf_text_add(t, " to ");
	output_endpoint(t, address, (uint16_t)port, NULL);
}

void gateway_rule_text(struct tenf_text *t, const json_t *rule)
{
	json_int_t number = json_integer_value(json_object_get(rule, "number"));
	const char *name = gateway_text(rule, "name", "");

	if (number <= 0) {
		tenf_text_add_char(t, '-');
		return;
	}
	tenf_text_add_number(t, (uint64_t)number);
	tenf_text_add_char(t, ' ');
	tenf_text_add(t, gateway_text(rule, "action", ""));
	tenf_text_add(t, name[0] != '\0' ? " " : "");
	tenf_text_add(t, name);
}

static bool is_filtered(const struct cli *cli)
{
	const char *const *value = cli->arguments.value;

	return value[CLI_SINCE] != NULL || value[CLI_OF_CLIENT] != NULL ||
	       value[CLI_OF_PORT] != NULL;
}

static int run_word(struct cli *cli, const struct word *word)
{
	struct remote *remote = NULL;
	int status = CLI_EXIT_DONE;

	if (!word->offline)
		status = daemon_need(cli, &daemon_is_gateway, &remote);
	if (status == CLI_EXIT_DONE)
		status = word->run(cli, remote);
	remote_close(remote);
	return status;
}

int verb_gateway(struct cli *cli)
{
	const char *name = cli->arguments.words[0];
	size_t count = cli->arguments.count - 1;

	for (size_t i = 0; i < TENF_ARRAY_SIZE(words); i++) {
		const struct word *word = &words[i];

		if (strcmp(word->name, name) != 0)
			continue;
		if (count < word->min_words || count > word->max_words)
			return cli_usage(cli, "gateway %s takes %s", name, word->takes);
		if (word->run != gateway_history && is_filtered(cli))
			return cli_usage(cli, "--since, --client and --port are for gateway "
					 "history");
		return run_word(cli, word);
	}
	return cli_usage(cli, "gateway: there is no \"%s\"; see tenforward help gateway", name);
}
